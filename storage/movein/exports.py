"""Telling exports apart by their shape."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

from storage.movein import deck, trello
from storage.movein.boards import render_board
from storage.movein.values import NotUsable, Tree

MOST_VALUES = 10_000_000  # each takes some memory, however short it is


def parse_export(data: bytes, new_uid: Callable[[], str] = lambda: str(uuid.uuid4())) -> list[Tree]:
    """
    The boards of an export of Deck or Trello.

    Args:
        new_uid: makes the UIDs of cards that others name.

    Raises:
        NotUsable: it is neither, or damaged.
    """
    if sum(map(data.count, (b"[", b"{", b","))) > MOST_VALUES:
        raise NotUsable(f"the file holds more than {MOST_VALUES} values; export fewer boards at a time")
    try:
        export = json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise NotUsable("the file is nested deeper than an export") from error
    except ValueError as error:
        raise NotUsable(f"the file is not JSON: {error}") from error
    if trello.is_board(export):
        return [render_board(trello.parse_board(export), new_uid)]
    boards = deck.find_boards(export)
    if boards is None:
        raise NotUsable(
            "the file is neither an export of Deck (boards with stacks) nor one of Trello (lists and cards)"
        )
    kept = [board for board in boards if not deck.is_deleted(board)]
    if not kept:
        raise NotUsable("all boards of the file are deleted ones")
    return [render_board(deck.parse_board(board), new_uid) for board in kept]


def looks_like_json(start: bytes) -> bool:
    """Whether a file that begins so is JSON, and neither a calendar nor contacts."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def is_archive(start: bytes) -> bool:
    """Whether a file that begins so is a zip or tar archive: Joplin's ``.jex``, a folder that Nextcloud sent."""
    return start.startswith(b"PK\x03\x04") or start[257:262] == b"ustar"
