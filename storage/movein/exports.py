"""Telling exports apart by their shape."""

from __future__ import annotations

import json

from storage.movein import deck, trello
from storage.movein.boards import render_board
from storage.movein.values import NotUsable, Tree

LONGEST_BYTES = 64 << 20  # what is in it takes several times that in memory


def parse_export(data: bytes) -> list[Tree]:
    """
    The boards of an export of Deck or Trello.

    Raises:
        NotUsable: it is neither, or damaged.
    """
    if len(data) > LONGEST_BYTES:
        raise NotUsable(f"the file has {len(data)} bytes; an export of boards can have {LONGEST_BYTES}")
    try:
        export = json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise NotUsable("the file is nested deeper than an export") from error
    except ValueError as error:
        raise NotUsable(f"the file is not JSON: {error}") from error
    if trello.is_board(export):
        return [render_board(trello.parse_board(export))]
    boards = deck.find_boards(export)
    if boards is None:
        raise NotUsable(
            "the file is neither an export of Deck (boards with stacks) nor one of Trello (lists and cards)"
        )
    kept = [board for board in boards if not deck.is_deleted(board)]
    if not kept:
        raise NotUsable("all boards of the file are deleted ones")
    return [render_board(deck.parse_board(board)) for board in kept]


def looks_like_json(start: bytes) -> bool:
    """Whether a file that begins so is JSON, and neither a calendar nor contacts."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def is_archive(start: bytes) -> bool:
    """Whether a file that begins so is a zip or tar archive: Joplin's ``.jex``, a folder that Nextcloud sent."""
    return start.startswith(b"PK\x03\x04") or start[257:262] == b"ustar"
