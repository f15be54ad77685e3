"""Questions to the index, one SQL statement each: their cost is that of what they find. Part of ``storage.index``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from storage.paths import APART_BYTES, APART_NAMES, APART_PREFIX
from storage.records import LENGTHS_S, LOCAL, LONG_AGO, OPEN_ROW, Content, Folder, Member, NameChange, Stamps, Veil
from storage.rowfilter import RowFilter
from storage.schema import FOLDER_COLUMNS, LOCK_COLUMNS, MEMBER_COLUMNS, below
from storage.wanted import Wanted, condition_of, joined

V = TypeVar("V")

SPAN_CLASSES = (*LENGTHS_S, None)
SPAN_WITHIN = "folder = ? AND kind = ? AND start_s > ? AND start_s < ? AND end_s > ?"
AT_ONCE = 500  # values of one IN list
LARGEST = (1 << 63) - 1


class Lookups(ABC):
    """What can be asked of the index; ``Index`` has the connection."""

    @abstractmethod
    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""

    def folders(self, place: str) -> list[Folder]:
        """The rows of the folders directly in ``place``, by name."""
        sql = f"SELECT {FOLDER_COLUMNS} FROM folder WHERE parent = ? ORDER BY place"  # noqa: S608
        return [Folder(*row) for row in self._rows(sql, place)]

    def tree(self, place: str) -> list[Folder]:
        """The rows of ``place`` and of every folder below it, parents first."""
        sql = f"SELECT {FOLDER_COLUMNS} FROM folder WHERE place = ? OR (place >= ? AND place < ?) ORDER BY place"  # noqa: S608
        return [Folder(*row) for row in self._rows(sql, place, *below(place))]

    def members(self, folder_id: int, *, after: str = "", most: int | None = None) -> list[Member]:
        """The rows of a folder's files, by name."""
        sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE folder = ? AND name > ? ORDER BY name LIMIT ?"  # noqa: S608
        return list(map(Member._make, self._rows(sql, folder_id, after, -1 if most is None else most)))

    def members_passing(self, folder_ids: Sequence[int], wanted: RowFilter) -> list[tuple[int, Member]]:
        """The rows of files of at most ``AT_ONCE`` folders that pass a filter, each after its folder's id, by name."""
        sql = (
            f"SELECT folder, {MEMBER_COLUMNS} FROM member WHERE folder IN ({_marks(folder_ids)})"  # noqa: S608
            f" AND {wanted.sql} ORDER BY folder, name"
        )
        return [(row[0], Member._make(row[1:])) for row in self._rows(sql, *folder_ids, *wanted.values)]

    def stamps(self, folder_id: int, *, after: str, most: int) -> list[Stamps]:
        """What the rows of a folder's files are compared with the disk by: ``most`` at a time, by name."""
        sql = (
            "SELECT name, disk_name, inode, size, modified_ns, changed_ns FROM member"
            " WHERE folder = ? AND name > ? ORDER BY name LIMIT ?"
        )
        return list(map(Stamps._make, self._rows(sql, folder_id, after, most)))

    def member(self, folder_id: int, name: str) -> Member | None:
        """One file's row."""
        sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE folder = ? AND name = ?"  # noqa: S608
        rows = self._rows(sql, folder_id, name)
        return Member._make(rows[0]) if rows else None

    def members_named(self, folder_id: int, names: Iterable[str]) -> dict[str, Member]:
        """The rows of some of a folder's files, by name."""
        found: dict[str, Member] = {}
        for chunk in _chunks(names):
            sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE folder = ? AND name IN ({_marks(chunk)})"  # noqa: S608
            found.update((row[1], Member._make(row)) for row in self._rows(sql, folder_id, *chunk))
        return found

    def members_with(self, ids: Iterable[int]) -> list[Member]:
        """The rows of members by their ids; none of a version that is gone."""
        found: list[Member] = []
        for chunk in _chunks(ids):
            sql = f"SELECT {MEMBER_COLUMNS} FROM member WHERE id IN ({_marks(chunk)})"  # noqa: S608
            found += map(Member._make, self._rows(sql, *chunk))
        return found

    def contents(self, ids: Iterable[int]) -> dict[int, Content]:
        """The bytes of members by their ids, as far as they are kept here."""
        found: dict[int, Content] = {}
        for chunk in _chunks(ids):
            sql = f"SELECT member, data, head, zones, tail FROM content WHERE member IN ({_marks(chunk)})"  # noqa: S608
            found.update((row[0], Content._make(row[1:])) for row in self._rows(sql, *chunk))
        return found

    def members_matching(
        self, folder_id: int, component: str, wanted: Sequence[Wanted], *, any_of: bool = False
    ) -> list[Member]:
        """
        The members of a component type that may match, by name; of those that are plain it is sure that they do.
        """
        sql = f"SELECT {MEMBER_COLUMNS} FROM member m WHERE folder = ? AND component = ?"  # noqa: S608
        values: list[str | int] = [folder_id, component]
        if wanted:
            condition, more = joined([condition_of(each, folder_id) for each in wanted], " OR " if any_of else " AND ")
            sql += f" AND (NOT plain OR {condition})"
            values += more
        return [Member._make(row) for row in self._rows(f"{sql} ORDER BY name", *values)]

    def members_within(self, folder_id: int, start_s: int, end_s: int, *, local: bool) -> set[int]:
        """
        The ids of what surely takes place in a range; of versions that are gone too, see ``members_with``.

        Args:
            local: of what stands on a local clock, the range being what it shows; else of what has a zone.
        """
        sql = " UNION ".join(f"SELECT member FROM span WHERE {SPAN_WITHIN}" for _ in SPAN_CLASSES)  # noqa: S608
        return {int(row[0]) for row in self._rows(sql, *_span_values(folder_id, start_s, end_s, local))}

    def spans_within(self, folder_id: int, start_s: int, end_s: int, *, local: bool) -> list[tuple[int, int, int, int]]:
        """As ``members_within``, each span of a present member: (id, start, end, busy)."""
        sql = " UNION ALL ".join(
            f"SELECT member, start_s, end_s, busy FROM span WHERE {SPAN_WITHIN}"  # noqa: S608 - constant text
            " AND EXISTS (SELECT 1 FROM member WHERE id = span.member)"
            for _ in SPAN_CLASSES
        )
        return self._rows(sql, *_span_values(folder_id, start_s, end_s, local))

    def members_perhaps_within(self, folder_id: int, start_s: int, end_s: int) -> set[int]:
        """The ids of what may take place in a range, as the object itself can say; of versions that are gone too."""
        sql = "SELECT member FROM span WHERE folder = ? AND kind = ? AND start_s < ? AND end_s > ?"
        return {int(row[0]) for row in self._rows(sql, folder_id, OPEN_ROW, end_s, start_s)}

    def holder_of_uid(self, folder_id: int, uid: str) -> str | None:
        """The name of the member that holds a UID."""
        rows = self._rows("SELECT name FROM member WHERE folder = ? AND uid = ? LIMIT 1", folder_id, uid)
        return str(rows[0][0]) if rows else None

    def changed_names(
        self, folder_id: int, after: int, upto: int | None = None, *, most: int | None = None
    ) -> list[NameChange]:
        """
        The newest change of each name whose number is above ``after`` and at most ``upto``, oldest first.

        Changes of the folder itself are left out.
        """
        sql = (
            "SELECT n, name, veiled FROM change WHERE folder = ? AND n > ? AND n <= ? AND name <> '' ORDER BY n LIMIT ?"
        )
        upto, most = LARGEST if upto is None else upto, -1 if most is None else most
        return [NameChange(n, name, Veil(veiled)) for n, name, veiled in self._rows(sql, folder_id, after, upto, most)]

    def change_number(self, place: str) -> int:
        """The number under which the last appearance of a folder is logged; 0 where the log does not say."""
        above, _, name = place.rpartition("/")
        sql = "SELECT c.n FROM change c JOIN folder p ON p.id = c.folder WHERE p.place = ? AND c.name = ?"
        rows = self._rows(sql, above, name)
        return int(rows[0][0]) if rows else 0

    def newest_change(self, place: str) -> int:
        """The number of the newest change at and below a folder."""
        sql = "SELECT coalesce(max(counter), 0) FROM folder WHERE place = ? OR (place >= ? AND place < ?)"
        return int(self._rows(sql, place, *below(place))[0][0])

    def newest_changes_in(self, place: str) -> dict[str, int]:
        """``newest_change`` of every folder directly in a folder, by name."""
        sql = (
            "SELECT substr(rest, 1, instr(rest || '/', '/') - 1) AS child, max(counter)"
            " FROM (SELECT substr(place, ?) AS rest, counter FROM folder WHERE place >= ? AND place < ?) GROUP BY child"
        )
        return dict(self._rows(sql, len(place) + 2, *below(place)))

    def tree_bytes(self, place: str) -> int:
        """The sizes of all files at and below a folder, added up, but for the small ones of macOS."""
        names = ", ".join(f"'{name}'" for name in sorted(APART_NAMES))
        sql = (  # of constants and question marks
            "SELECT coalesce(sum(m.size), 0) FROM folder f JOIN member m ON m.folder = f.id"  # noqa: S608
            " WHERE (f.place = ? OR (f.place >= ? AND f.place < ?))"
            f" AND NOT (m.size <= {APART_BYTES} AND (m.name GLOB '{APART_PREFIX}*' OR m.name IN ({names})))"
        )
        return int(self._rows(sql, place, *below(place))[0][0])

    def marked_below(self, place: str) -> list[str]:
        """The places strictly below a folder that have rules or an owner of their own."""
        sql = "SELECT place FROM folder WHERE place >= ? AND place < ? AND (owner IS NOT NULL OR ruled)"
        return [str(row[0]) for row in self._rows(sql, *below(place))]

    def locks(self) -> list[tuple[Any, ...]]:
        """All locks."""
        return self._rows(f"SELECT {LOCK_COLUMNS} FROM lock")  # noqa: S608 - constant column names


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _chunks(values: Iterable[V]) -> Iterator[list[V]]:
    left = iter(values)
    while chunk := list(islice(left, AT_ONCE)):
        yield chunk


def _span_values(folder_id: int, start_s: int, end_s: int, local: bool) -> Iterator[int]:
    for number, longest_s in enumerate(SPAN_CLASSES):
        yield folder_id
        yield number + (LOCAL if local else 0)
        yield LONG_AGO - 1 if longest_s is None else max(LONG_AGO, start_s - longest_s)
        yield end_s
        yield start_s
