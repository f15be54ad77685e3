"""
Boards, notebooks and so on as calendars: which there are, and their rows as the files are now.

The rows are brought in line when somebody looks and the files have changed since. Whichever view a change came through,
it is a change in the log of the calendar from then on.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage import paths
from storage.attachments import own_url
from storage.ballots import NO_ROOMS, BallotKind, BallotViews
from storage.disk import find_status
from storage.errors import NotFound, ParentMissing
from storage.objectidentity import Identities
from storage.objects import OBJECT_KEY, Layout, ObjectKind, Source, mark_of, new_collection_id
from storage.records import agrees
from storage.viewrows import Look, Rows

if TYPE_CHECKING:
    from storage.batch import Batch
    from storage.records import Folder, Member
    from storage.store import Store

KEPT_ROWS = 50_000  # in memory, half a kilobyte each
KEPT_LAYOUTS = 500

log = logging.getLogger("davserver.objects")


class Views:
    """
    The collections of objects of one store, brought in line with their files when somebody looks. Thread-safe.

    Attributes:
        boards: the kind that boards are.
        ballots: the collections of each voter.
        swept_s: when what is kept of objects that left a folder was looked through last, by place.
    """

    def __init__(self, store: Store, boards: ObjectKind, *others: ObjectKind) -> None:
        self._store = store
        self.boards = boards
        self._url_mark = mark_of(own_url(store))
        self.swept_s: dict[str, float] = {}
        self._kinds = (boards, *others)
        self.ballots = BallotViews(store)
        self._guard = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._rows: dict[str, Rows] = {}  # by place of the view
        self._layouts: dict[str, Layout] = {}  # by place of the view
        self._identities = Identities(store, self.find)
        self._places: dict[str, tuple[ObjectKind, str]] = {}  # by name of the calendar, as it was found last

    def sources(self) -> list[Source]:
        """All boards, notebooks and so on, whoever may read them."""
        return [source for kind in self._kinds for source in self._of_kind(kind)]

    def find(self, name: str) -> Source | None:
        """The one whose calendar has a name."""
        kind, place = self._places.get(name, (None, ""))
        folder = self._store.find_folder(place) if kind is not None else None
        if kind is not None and folder is not None:
            holder = kind.holder(self._store, folder)
            id, is_known = _id_of(self._store.state(holder.place).get("", OBJECT_KEY), holder)
            if is_known and id is not None and f"{kind.word}-{id}" == name and kind.is_one(self._store, folder):
                return Source(kind, folder, id, holder.owner)
        word = name.partition("-")[0]
        found = (source for kind in self._kinds if kind.word == word for source in self._of_kind(kind))
        return next((source for source in found if source.name == name), None)

    def at(self, path: str) -> Source | None:
        """The one that a path of a file or folder lies in: the nearest above, or the path itself."""
        found = [source for source in self.sources() if paths.is_within(path, source.folder.path)]
        return max(found, key=lambda source: len(source.folder.place), default=None)

    def bring_up(self, source: Source, layout: Layout | None = None) -> Folder:
        """
        The folder of its rows, which say what its files are now.

        Args:
            layout: how it is laid out, where that was just asked.
        """
        store, present = self._store, self._store.index.folder(source.place)
        if isinstance(source.kind, BallotKind):
            return self.ballots.bring_up(source)
        if store.is_writing:  # a writer must not wait; what it has written is looked at by the next
            if present is None:
                raise NotFound(source.folder.path)
            return present
        layout = layout or self.layout(source)
        if present is not None and (present.stamp_ns, present.inode) == (layout.newest, self._mark(layout)):
            return present
        with self._lock(source.place):
            return self._refresh(source, layout)

    def present(self, source: Source, row: Member) -> Member | None:
        """The row of an object as its file is; that is asked, as an edit in place moves no folder's stamp."""
        store = self._store
        if isinstance(source.kind, BallotKind):
            return store.index.member(self.bring_up(source).id, row.name)
        place, _, name = f"{source.folder.place}/{row.disk_name}".rpartition("/")
        folder = store.folder_row(place)
        file = None if folder is None else store.find_member(folder, name)
        if file is not None and file.id == row.inode:
            return row
        return store.index.member(self.bring_up(source).id, row.name)

    def _mark(self, layout: Layout) -> int:
        return layout.mark ^ self._url_mark

    def layout(self, source: Source) -> Layout:
        """How a collection is laid out now; as it was, where nothing in it has changed."""
        if isinstance(source.kind, BallotKind):
            return NO_ROOMS
        holder = source.kind.holder(self._store, source.folder)  # where the settings are
        newest = self._store.index.newest_change(holder.place)
        known = self._layouts.get(source.place)
        if known is not None and known.newest == newest and self._holds(holder, known):
            return known
        ruled = self._store.rulebook.server_paths
        layout = source.kind.layout(self._store, source.folder)  # which looks at the folders, and may find news
        below = sorted(path for path in ruled if paths.is_within(path, source.folder.path))
        newest = self._store.index.newest_change(holder.place)
        layout = replace(layout, mark=mark_of(layout.mark, below), newest=newest, ruled=ruled)
        if len(self._layouts) >= KEPT_LAYOUTS:
            self._layouts.clear()
        self._layouts[source.place] = layout
        return layout

    def _holds(self, holder: Folder, layout: Layout) -> bool:
        """Whether the disk says of a layout's folders and of its file what it said then, and the server's rules too."""
        store = self._store
        if layout.ruled != store.rulebook.server_paths:
            return False
        for room in layout.rooms.values():
            folder = store.find_folder(room.folder.place)
            if folder is None or folder.counter != room.folder.counter or folder.id != room.folder.id:
                return False
        if layout.file is not None:
            status = find_status(store.file(holder.place, layout.file.disk_name))
            if status is None or not agrees(layout.file, status):
                return False
        accounts = store.accounts
        return not layout.accounts or (accounts is not None and accounts.revision == layout.accounts)

    def _lock(self, place: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(place, threading.RLock())

    # -- which there are -------------------------------------------------------------------------------------------

    def _of_kind(self, kind: ObjectKind) -> list[Source]:
        """Each folder with an id of its own: of those that have the same, the one that was known first keeps it."""
        store, found = self._store, list[Source]()
        taken: dict[str, Folder] = {}
        folders = list(kind.folders(store))
        holders = {folder.place: kind.holder(store, folder) for folder in folders}
        ids = {place: _id_of(store.state(each.place).get("", OBJECT_KEY), each) for place, each in holders.items()}
        folders.sort(key=lambda folder: (not ids[folder.place][1], folder.created_ns, folder.place))
        for folder in folders:
            known, is_its_own = ids[folder.place]
            id = known or kind.written_id(kind.layout(store, folder))
            if not id or id in taken:
                id = new_collection_id()
            taken[id] = folder
            if not is_its_own or id != known:
                self._keep_id(holders[folder.place], id)
            source = Source(kind, folder, id, holders[folder.place].owner)
            self._places[source.name] = kind, folder.place
            found.append(source)
        return sorted(found, key=lambda source: source.folder.place)

    def _keep_id(self, folder: Folder, id: str) -> None:
        if self._store.is_writing:
            return
        try:
            with self._store.write(folder.place) as tx:
                tx.set_state(folder.place, "", OBJECT_KEY, {"id": id, "inode": folder.inode})
        except (NotFound, ParentMissing):
            log.debug("%s went away while it was looked at", folder.place)

    # -- bringing rows in line -------------------------------------------------------------------------------------

    def _refresh(self, source: Source, layout: Layout) -> Folder:
        index = self._store.index
        newest, mark = layout.newest, self._mark(layout)
        view = index.folder(source.place)
        if view is not None and (view.stamp_ns, view.inode) == (newest, mark):
            return view
        # What is in memory is taken from there, so that nobody has what fails halfway.
        rows = self._rows.pop(source.place, None)
        if rows is None or view is None or rows.stamp != (view.id, view.stamp_ns):
            rows = Rows() if view is None else Rows.of(index.members(view.id))
        look = Look(self._store, source, layout, rows, self._identities)
        if view is None:
            self._begin(look.batch, source)
        known = 0 if view is None or view.inode != mark else view.stamp_ns
        if not look.run(known or None):
            newest = known  # the next look begins there again
        look.batch.stamp_folder(source.place, newest, mark)
        index.commit(look.batch)
        folder = index.folder(source.place)
        if folder is None:
            raise NotFound(source.folder.path)
        rows.stamp = folder.id, newest
        self._rows[source.place] = rows
        while sum(len(each.by_name) for each in list(self._rows.values())) > KEPT_ROWS and len(self._rows) > 1:
            self._rows.pop(next(iter(self._rows)), None)
        return folder

    def _begin(self, batch: Batch, source: Source) -> None:
        now_ns = int(self._store.clock() * 1e9)
        for place in (paths.VIEWS, source.place):
            if self._store.index.folder(place) is None:
                batch.put_folder(place, inode=0, stamp_ns=0, modified_ns=now_ns, owner=None, ruled=False)


def _id_of(kept: Any, folder: Folder) -> tuple[str | None, bool]:
    """The id that a folder has, and whether it was given to this very folder and not to one that it is a copy of."""
    id = kept.get("id") if isinstance(kept, dict) else None
    return (id, kept.get("inode") == folder.inode) if isinstance(id, str) else (None, False)
