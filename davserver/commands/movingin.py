"""The half of ``davserver import`` that brings boards, notes and polls of other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from auth.directory import Directory
from config.schema import Settings
from davserver.commands.console import OK, CommandFailed, printable, say
from davserver.control import ServerFailed, ask
from davserver.progress import Progress
from storage.errors import StorageError
from storage.movein.exports import parse_export
from storage.movein.notes import read_notes
from storage.movein.parcel import Entry, entries_of, pack
from storage.movein.polls import looks_like_table, read_poll
from storage.movein.shelving import Delivery, shelve
from storage.movein.values import MOST_ENTRIES, NotUsable, Tree
from storage.store import Store

MOST_BOARDS = 1000
MOST_PEOPLE = 1000  # that are looked for among the members
LONGEST_NAME = 100


def move_in(settings: Settings, arguments: argparse.Namespace, data: bytes | None) -> int:
    """
    Store what an export holds, and say what of it had no place.

    Args:
        data: of a JSON file or a table; None for a folder of notes.
    """
    if arguments.skip_refused:
        raise CommandFailed("--skip-refused is for events and contacts; of anything else nothing is refused alone")
    try:
        top, trees = _trees(arguments, data)
        if len(trees) > MOST_BOARDS:
            raise NotUsable(f"the file holds {len(trees)} boards; {MOST_BOARDS} can be imported at a time")
        if sum(len(tree.files) + len(tree.folders) for tree in trees) > 2 * MOST_ENTRIES:
            raise NotUsable(
                f"the boards hold more than {2 * MOST_ENTRIES} cards and attachments; export fewer at a time"
            )
        delivery = _delivery(arguments, trees, top)
        found = _deliver(settings, delivery, trees)
    except (NotUsable, ServerFailed, StorageError) as error:
        raise CommandFailed(printable(str(error))) from error
    _report(found, trees, delivery)
    return OK


def _trees(arguments: argparse.Namespace, data: bytes | None) -> tuple[str, list[Tree]]:
    """What the export becomes, and the folder in which such things lie."""
    if data is None:
        return "Notes", [read_notes(Path(arguments.file))]
    if looks_like_table(data):
        return "Polls", [read_poll(data, "" if arguments.file == "-" else Path(arguments.file).stem)]
    return "Boards", parse_export(data)


def _delivery(arguments: argparse.Namespace, trees: Sequence[Tree], top: str) -> Delivery:
    people = sorted({name for tree in trees for name in tree.people if len(name) <= LONGEST_NAME})
    return Delivery(
        arguments.to or top,
        [tree.name for tree in trees],
        sum(tree.size for tree in trees),
        people[:MOST_PEOPLE],
        top,
        arguments.owner,
        arguments.create,
        arguments.dry_run,
    )


def _deliver(settings: Settings, delivery: Delivery, trees: Sequence[Tree]) -> dict[str, Any]:
    """By the running server, or where none runs by this process."""
    total = sum(1 + len(tree.folders) + len(tree.files) for tree in trees)
    request = {"ask": "move in", "delivery": asdict(delivery)}
    with Progress(sys.stdout, say) as progress:
        entries = _told(entries_of(trees), total, progress)
        found = ask(str(settings.storage.data), request, progress, () if delivery.dry_run else pack(entries))
        if found is not None:
            return found
        store = Store(settings, directory=Directory(settings))
        try:
            return asdict(shelve(store, delivery, entries, lambda: None))
        finally:
            store.close()


def _told(entries: Iterator[Entry], total: int, progress: Progress) -> Iterator[Entry]:
    """The entries, each told of once it is taken."""
    for number, entry in enumerate(entries, 1):
        yield entry
        progress("storing", number, total)


def _report(found: dict[str, Any], trees: Sequence[Tree], delivery: Delivery) -> None:
    """What is where on standard output, what had no place on standard error."""
    would = "would be: " if delivery.dry_run else ""
    for path, tree in zip(found["paths"], trees, strict=True):
        say(printable(f"{path}: {would}{len(tree.files)} files in {len(tree.folders)} folders, {tree.size} bytes"))
        if tree.lost:
            print(printable(f"{path}: what had no place there, or has another one"), file=sys.stderr)
        for sentence in tree.lost:
            print(printable(f"  {sentence}"), file=sys.stderr)
    if delivery.top != "Notes" and not delivery.owner:
        say("without --owner nobody owns it: only the rules in access.toml say who sees it")
    if found["strangers"]:
        names = ", ".join(found["strangers"])
        print(printable(f"assigned, but no members here (their names stay with the cards): {names}"), file=sys.stderr)
