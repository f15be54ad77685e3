"""
The shelf of calendars, address books and task lists, as one principal sees it.

Every path is asked for here, so what somebody may not know of is nowhere found, listed or counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from auth.acl import Action
from auth.principal import fold
from storage import homesync, shown
from storage.collection import (
    CALENDAR,
    COMPONENT_KEY,
    Collection,
    Home,
    Item,
    Resource,
    Root,
    read_props,
    tag_of,
)
from storage.errors import NotFound
from storage.paths import DAV, MEMBERS, canonical, join, place_of

if TYPE_CHECKING:
    from storage.objects import Source
    from storage.records import Folder, Member
    from storage.session import Session
    from storage.shown import Personal

ROOT_PLACE = "collections/collection-root"
BALLOTS = frozenset({"polls", "poll-tasks"})
COLORS = {  # of what is rendered from files, where nobody has said another; phones show lists without one in grey
    "board": "#2E7D32",
    "notes": "#F9A825",
    "form": "#6A1B9A",
    "polls": "#1565C0",
    "poll-tasks": "#1565C0",
}


class PimShelf:
    """Finds and lists what the session's principal may know of."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._store = session.store
        self._access = session.access

    @property
    def _member(self) -> str | None:
        return self._session.principal.name

    @cached_property
    def personal(self) -> Mapping[str, Personal]:
        """What the member keeps about shown collections, by shown name."""
        return shown.read(self._store, self._member) if self._member else {}

    def resolve(self, path: str) -> str:
        """The canonical path: a shown collection's is the one that its owner uses, a home's has the account's name."""
        path = canonical(path, self._member)
        segments = path.split("/")
        if len(segments) > 2 and segments[1] == "dav":
            segments[2] = self._owner_name(segments[2])
            path = "/".join(segments)
        if len(segments) > 3 and segments[1] == "dav" and segments[2] == self._member:
            there = self._shown_path(segments[3])
            if there is not None:
                return "/".join([there, *segments[4:]])
        return path

    def find(self, path: str, *, to_open: bool = False) -> Resource | None:
        """
        What stands at a path (decoded, with or without trailing slash); None where nothing can be seen.

        Args:
            to_open: an item is opened next, with its row, and its file is compared then and not here as well.
        """
        asked = canonical(path, self._member)
        view = self._find_view(asked)
        if view is not None:
            *_, name = asked.split("/") if asked != view.asked else ("",)
            return self.find_item(view, name, to_open=to_open) if name else view
        path = self.resolve(asked)
        segments = path.split("/")[1:]
        if segments[0] != "dav" or len(segments) > 4:
            return None
        if len(segments) == 1:
            return Root()
        if len(segments) == 2:
            return self._home(asked, segments[1])
        above = "/".join(asked.split("/")[:4])
        collection = self._collection(above, "/".join(path.split("/")[:4]))
        if collection is None or len(segments) == 3:
            return collection
        return self.find_item(collection, segments[3], to_open=to_open)

    def get(self, path: str, *, to_open: bool = False) -> Resource:
        """As ``find``, or NotFound."""
        found = self.find(path, to_open=to_open)
        if found is None:
            raise NotFound(path)
        return found

    def find_item(self, collection: Collection, name: str, *, to_open: bool = False) -> Item | None:
        """An item by name, if the principal may read it; ``to_open`` as for ``find``."""
        if not collection.tag:
            return None
        look_up = self._store.member_row if to_open else self._store.find_member
        member = look_up(collection.folder, name)
        if member is not None and collection.view is not None:
            member = self._store.views.present(collection.view, member)
        if member is None:
            return None
        path = collection.path_of(member)
        may_read = self.reads_items(collection) or self._access.may(Action.READ, path)
        return Item(join(collection.asked, name), path, collection, member) if may_read else None

    def homes(self) -> list[Home]:
        """The member's own home, then those in which something may be seen, by name."""
        root = self._store.find_folder(ROOT_PLACE)
        names = {folder.name for folder in self._store.folders(root)} if root is not None else set()
        seen = sorted(name for name in names if name != self._member and self._access.sees(join(DAV, name)))
        own = [self._member] if self._member is not None else []
        homes = (self._home(join(DAV, name), name) for name in own + seen)
        return [home for home in homes if home is not None]

    def principals(self, names: Iterable[str]) -> Iterator[Home]:
        """The homes of accounts by their names; one look at the folder of all homes, and none into any of them."""
        root = self._store.find_folder(ROOT_PLACE)
        kept = {} if root is None else {folder.name: folder for folder in self._store.index.folders(ROOT_PLACE)}
        for name in names:
            path = join(DAV, name)
            yield Home(path, path, f"{ROOT_PLACE}/{name}", name, kept.get(name))

    def collections(self, home: Home) -> list[Collection]:
        """What a home holds: what lies in it and may be read, and in the member's own also what is shown there."""
        if home.owner != self._member:
            return self.listed(home)
        self._store.derived.bring_up_members()
        found = self.listed(home)
        return self.listed(home) if self._store.derived.bring_up_home(self._session, found) else found

    def listed(self, home: Home) -> list[Collection]:
        """As ``collections``, derived ones as they were left."""
        folder = home.folder or self._store.find_folder(home.place)
        found = [] if folder is None else self._readable(folder, home.asked)
        if home.owner == self._member:
            found += self._shown({collection.folder.name for collection in found})
            found += self._views({collection.folder.name for collection in found})
        return found

    def own_home(self) -> Home | None:
        """The home of the member who asks."""
        return None if self._member is None else self._home(join(DAV, self._member), self._member)

    def members(self, collection: Collection) -> list[Member]:
        """The items of a collection that the principal may read, by name."""
        if not collection.tag:
            return []
        members = self._store.members(collection.folder)
        if self.reads_items(collection):
            return members
        return [member for member in members if self._access.may(Action.READ, collection.path_of(member))]

    def reads_items(self, collection: Collection) -> bool:
        """Whether the principal may read every item of a collection, not only its own."""
        return Action.READ in self._access.actions_on_members(collection.path)

    def token(self, collection: Collection) -> str:
        """The sync token of a collection."""
        return self._store.sync_token(collection.folder)

    def home_token(self, home: Home) -> str:
        """The sync token of a home."""
        return homesync.home_token(self, home)

    def _home(self, asked: str, owner: str) -> Home | None:
        path = join(DAV, owner)
        place = f"{ROOT_PLACE}/{owner}"
        accounts = self._store.accounts
        is_account = accounts is not None and accounts.account(owner) is not None
        if not is_account and not self._access.sees(path):
            return None
        folder = self._store.find_folder(place)
        return Home(asked, path, place, owner, folder) if is_account or folder is not None else None

    def _collection(self, asked: str, path: str) -> Collection | None:
        if not self._access.sees(path):
            return None
        place = place_of(path)
        if place is not None and self._access.is_kept(path):
            self._store.derived.bring_up(self._session, place)
        folder = None if place is None else self._store.find_folder(place)
        return None if folder is None else self._of(folder, asked)

    def _of(self, folder: Folder, asked: str) -> Collection:
        meta, path = read_props(self._store.directory(folder.place)), folder.path
        personal = None
        if asked != path:
            personal = self.personal.get(asked.rpartition("/")[2], shown.NOTHING_KEPT)
        return Collection(asked, path, folder.place, folder, tag_of(meta), meta, personal)

    def _readable(self, home: Folder, asked: str) -> list[Collection]:
        return [
            self._of(folder, join(asked, folder.name))
            for folder in self._store.folders(home)
            if self._access.may(Action.READ, folder.path)
        ]

    def _shown(self, taken: set[str]) -> list[Collection]:
        root = self._store.find_folder(ROOT_PLACE)
        found = []
        own = join(DAV, self._member or "")
        for home in self._store.folders(root) if root is not None else ():
            if home.name == self._member or not self._access.sees(home.path):
                continue
            for folder in self._store.folders(home):
                name = shown.shown_name(home.name, folder.name)
                if name in taken or self._is_hidden(name) or not self._access.may(Action.READ, folder.path):
                    continue
                collection = self._of(folder, join(own, name))
                if collection.tag:
                    found.append(collection)
        return found

    def _find_view(self, asked: str) -> Collection | None:
        """The calendar of a board or notebook that an asked path is, or lies in, in the member's own home."""
        segments = asked.split("/")
        if not 4 <= len(segments) <= 5 or segments[1] != "dav" or self._member is None:
            return None
        name = segments[3]
        if fold(segments[2]) != self._member or not shown.VIEW_NAME.fullmatch(name) or self._is_hidden(name):
            return None
        if self._store.folder_row(f"{ROOT_PLACE}/{self._member}/{name}") is not None:
            return None  # a folder already on disk with that name wins
        views = self._store.views
        source = views.ballots.find(self._member, name) if name in BALLOTS else views.find(name)
        return None if source is None else self._view(source, "/".join(segments[:4]))

    def _views(self, taken: set[str]) -> list[Collection]:
        own = join(DAV, self._member or "")
        found = (
            self._view(source, join(own, _name_of(source)))
            for source in (*self._store.views.sources(), *self._store.views.ballots.sources(self._member or ""))
            if _name_of(source) not in taken and not self._is_hidden(_name_of(source))
        )
        return [view for view in found if view is not None]

    def _view(self, source: Source, asked: str) -> Collection | None:
        name = asked.rpartition("/")[2]
        # ballots lie in no folder; they are as much the member's own as what lies in the own home
        path = join(join(MEMBERS, self._member or ""), name) if name in BALLOTS else source.folder.path
        if source.kind.shown_to.isdisjoint(self._access.actions(path)):
            return None
        layout = self._store.views.layout(source)
        try:
            folder = self._store.views.bring_up(source, layout)
        except NotFound:  # it went meanwhile
            return None
        properties = source.kind.properties(self._store, layout, source.folder)
        color = {"ICAL:calendar-color": COLORS[source.kind.word]}
        meta = {"tag": CALENDAR, COMPONENT_KEY: source.kind.text.component, **color, **properties}
        personal = self.personal.get(name, shown.NOTHING_KEPT)
        return Collection(asked, path, source.place, folder, CALENDAR, meta, personal, source)

    def _owner_name(self, name: str) -> str:
        """The account that is meant by a name in another case; a folder on disk that is called so comes first."""
        folded, accounts = fold(name), self._store.accounts
        if folded == name or accounts is None or accounts.account(name) is None:
            return name
        return name if self._store.find_folder(f"{ROOT_PLACE}/{name}") is not None else folded

    def _shown_path(self, name: str) -> str | None:
        """The canonical path behind a shown name; None where it is no shown name of this member."""
        if shown.SEPARATOR not in name or self._is_hidden(name):
            return None
        if self._store.find_folder(f"{ROOT_PLACE}/{self._member}/{name}") is not None:
            return None  # a folder already on disk with that name wins
        for owner, collection in shown.splits(name):
            path = f"{DAV}/{owner}/{collection}"
            place = f"{ROOT_PLACE}/{owner}/{collection}"
            if owner != self._member and self._store.find_folder(place) and self._access.may(Action.READ, path):
                return path
        return None

    def _is_hidden(self, name: str) -> bool:
        kept = self.personal.get(name)
        return kept is not None and kept.hidden


def _name_of(source: Source) -> str:
    """Of a collection in the home: that of ballots is the same in every home."""
    return source.kind.word if source.kind.word in BALLOTS else source.name
