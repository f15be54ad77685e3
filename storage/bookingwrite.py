"""Storing what ``storage.bookings`` has judged, in the same write as the change that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.bookingmark import with_marks
from storage.bookings import MARKED, Bookings, Outcome, rule_of
from storage.icalendar import read_facts

if TYPE_CHECKING:
    from storage.collection import Collection
    from storage.itemwrite import ItemWrite
    from storage.records import Member
    from storage.store import Store
    from storage.transaction import Transaction


def write_outcomes(
    store: Store,
    write: ItemWrite,
    outcomes: Sequence[Outcome],
    scratches: ExitStack,
    creators: Mapping[str, str],
    *,
    by: str | None = None,
) -> list[str]:
    """
    Enter bookings into a write, and give their ETags.

    Args:
        scratches: holds the files until the write is done.
        creators: the makers to keep, by name.
        by: who brings the first of them, for the history; what others are marked with has none.
    """
    etags: list[str] = []
    for each in outcomes:
        scratch = scratches.enter_context(store.item_scratch(each.data))
        facts, creator = read_facts(each.data), creators.get(each.name)
        write.put(
            each.name, each.row, scratch, each.data, facts, creator=creator, kept=each.changes, by=None if etags else by
        )
        etags.append(scratch.digest)
    return etags


@dataclass(frozen=True, slots=True)
class _Text:
    """
    What another booking is to be once the item is where it goes.

    Attributes:
        kept: of it, in the state.
    """

    place: str
    name: str
    data: bytes
    kept: Mapping[str, Any]


class Transfer:
    """
    What a MOVE or COPY of one item does to the bookings of the calendars that it leaves and reaches.

    Judged in the transaction before anything of it is done. The item comes to its new place with its mark and loses the
    one of the old place there, so that no crash leaves a double booking without; what others lose follows.

    Attributes:
        text: what the item is to hold, empty where that is what it holds.
        kept: what is kept of it as a booking.
    """

    def __init__(self, store: Store, tx: Transaction, item: Member, source: Collection, target: Collection) -> None:
        self._store, self._tx = store, tx
        self._item, self._source, self._target = item, source, target
        self.text = b""
        self.kept: dict[str, Any] = {}
        self._texts: list[_Text] = []

    def judge(self, name: str, present: Member | None, *, keep: bool) -> None:
        """
        Args:
            name: which the item gets in the target.
            present: what it replaces there.
            keep: it is copied.

        Raises:
            BookingRefused: the time is taken.
        """
        leaves, reaches = rule_of(self._store, self._source), rule_of(self._store, self._target)
        if leaves is None and reaches is None:
            return
        is_renamed = self._source.place == self._target.place and not keep
        if leaves is not None and not keep and not is_renamed:
            bookings = Bookings(self._store, self._source.folder, leaves)
            bookings.remove(self._item)
            self._add(self._source, bookings.outcomes())
        data, _ = self._store.read_member(self._source.folder, self._item.name)
        before = self._tx.state(self._source.place).get(self._item.name, MARKED)
        plain = data if before is None or is_renamed else with_marks(data, (), "", before)[0]
        if reaches is not None:
            bookings = Bookings(self._store, self._target.folder, reaches)
            bookings.put(name, present, plain, self._item.uid, renamed=self._item if is_renamed else None)
            own, *others = bookings.outcomes()
            plain = own.data
            self._add(self._target, others)
            self.kept = {key: value for key, value in own.kept.items() if value is not None}
        self.text = b"" if plain == data else plain

    def _add(self, collection: Collection, outcomes: Iterable[Outcome]) -> None:
        self._texts += [_Text(collection.place, each.name, each.data, each.kept) for each in outcomes]

    def write_mark(self) -> None:
        """Before the item is moved: where it is going to be marked, that is done where it is."""
        if self.text and MARKED in self.kept:
            self._put(self._source.place, self._item.name, self.text)
            self.text = b""

    def write_moved(self, name: str) -> None:
        """After it was moved: the text that it has without a mark."""
        if self.text:
            self._put(self._target.place, name, self.text)

    def write(self) -> None:
        """Store the texts of others, and what is kept of those bookings."""
        for text in self._texts:
            self._put(text.place, text.name, text.data)
            for key, value in text.kept.items():
                self._tx.set_state(text.place, text.name, key, value)

    def _put(self, place: str, name: str, data: bytes) -> None:
        with self._store.scratch(place) as scratch:
            scratch.write(data)
            self._tx.put(place, name, scratch, read_facts(data))
