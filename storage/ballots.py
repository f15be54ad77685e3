"""
Ballots: ``polls/`` and ``poll-tasks/`` in the home of each voter, rows of the index like boards (``storage.views``).

Each voter has copies of its own, so no two ever write the same resource. What a client stores there becomes the voter's
file in the folder of votes, and what is kept of a ballot beside that, alarms and which were deleted, stands in the
state of that folder.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auth.acl import Action
from auth.errors import NeedPrivileges
from auth.principal import Principal
from storage import paths
from storage.ballottext import EVENT, TASK, Voter, ballot_uid, is_shown, read_alarms, read_answer, render_ballot
from storage.batch import Batch
from storage.casting import cast
from storage.decisions import settle_decision
from storage.errors import FileRefused, NotFound
from storage.icalendar import read_facts
from storage.objects import Layout, RenderedKind, Rendering, Room, Source
from storage.objecttext import Content, Kind
from storage.polls import PollFolder, every_poll
from storage.records import Content as Bytes
from storage.records import Folder, Member
from storage.viewrows import rendered_tag
from storage.votes import NO, Vote, VoteRefused, answers_to, parse_vote

if TYPE_CHECKING:
    from storage.session import Session
    from storage.store import Store

KEPT_KEY = "ballots"  # in the state of a folder of votes, with the name of the voter's file behind it
NAMES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    # of the collections: component, and what people read
    "polls": ("VEVENT", {"en": "Polls", "fr": "Sondages", "de": "Umfragen"}),
    "poll-tasks": ("VTODO", {"en": "Polls (tasks)", "fr": "Sondages (tâches)", "de": "Umfragen (Aufgaben)"}),
}
NO_ROOMS = Layout({}, None, 0)


class BallotKind(RenderedKind):
    """See ``storage.objects.ObjectKind``; found through ``BallotViews`` and not in a folder."""

    suffixes: tuple[str, ...] = ()

    def __init__(self, word: str, text: Kind) -> None:
        self.word = word
        self.text = text
        self.rendering: Rendering | None = Rendering(KEPT_KEY, _no_file, _store, _delete)

    def folders(self, store: Store) -> Iterator[Folder]:
        """None."""
        return iter(())

    def is_one(self, store: Store, folder: Folder) -> bool:
        """None is."""
        return False

    def holder(self, store: Store, folder: Folder) -> Folder:
        """The folder itself."""
        return folder

    def layout(self, store: Store, folder: Folder) -> Layout:
        """Without rooms."""
        return NO_ROOMS

    def properties(self, store: Store, layout: Layout, folder: Folder) -> Mapping[str, str]:
        """Its name in the configured language."""
        return {"D:displayname": NAMES[self.word][1][store.settings.language]}

    def written_id(self, layout: Layout) -> str:
        """None."""
        return ""


class BallotViews:
    """The collections of ballots, brought in line when somebody looks. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}

    def find(self, member: str, name: str) -> Source | None:
        """A member's collection of a name, as soon as there was a poll in which it votes."""
        accounts = self._store.accounts
        principal = None if accounts is None else accounts.principal(member)
        if (
            name not in KINDS
            or principal is None
            or not any(each.is_voter(principal) for each in every_poll(self._store))
        ):
            return None
        place = f"{paths.VIEWS}/{name}-{member}"
        folder = self._store.index.folder(place) or self._begin(place)
        return Source(KINDS[name], folder, member, member)

    def sources(self, member: str) -> list[Source]:
        """Both of a member, where there are any."""
        found = (self.find(member, name) for name in KINDS)
        return [source for source in found if source is not None]

    def bring_up(self, source: Source) -> Folder:
        """The folder of its rows, which say what polls and the member's votes are now."""
        store = self._store
        present = store.index.folder(source.place)
        accounts = store.accounts
        principal = None if accounts is None else accounts.principal(source.id)
        if store.is_writing or principal is None or accounts is None:
            if present is None:
                raise NotFound(source.folder.path)
            return present
        polls = [each for each in every_poll(store) if each.is_voter(principal)]
        for each in polls:
            settle_decision(store, each)
        mark = self._mark(source, principal, polls, accounts.revision)
        if present is not None and present.inode == mark:
            return present
        with self._guard:
            lock = self._locks.setdefault(source.place, threading.RLock())
        with lock:
            return self._refresh(source, principal, polls, mark)

    def _mark(self, source: Source, principal: Principal, polls: list[PollFolder], revision: int) -> int:
        """A number that stands for all that the ballots are made of."""
        store, parts = self._store, list[object]()
        for each in polls:
            name = principal.name or ""
            votes = store.find_folder(each.place)
            row = None if votes is None else store.find_member(votes, each.file_of(name))
            parts.append((each.path, each.id, each.row.id, row and row.id, _kept(each, name), each.is_over and 1))
        said = (source.name, revision, store.settings.language, store.settings.server.public_url, parts)
        return int(hashlib.sha256(repr(said).encode()).hexdigest()[:15], 16)

    def _refresh(self, source: Source, principal: Principal, polls: list[PollFolder], mark: int) -> Folder:
        store, place = self._store, source.place
        folder = store.index.folder(place) or self._begin(place)
        if folder.inode == mark:
            return folder
        wanted = {name: data for each in polls for name, data in self._ballots(source, principal, each)}
        batch, present = Batch(), {row.name: row for row in store.index.members(folder.id)}
        for name in present.keys() - wanted.keys():
            batch.remove_member(place, name)
            batch.log(place, name, store.clock())
        for name, (data, modified_ns) in wanted.items():
            row = present.get(name)
            if row is None or row.etag != rendered_tag(data):
                self._put(batch, place, name, data, modified_ns, row)
        batch.stamp_folder(place, 0, mark)
        store.index.commit(batch)
        after = store.index.folder(place)
        if after is None:
            raise NotFound(source.folder.path)
        return after

    def _put(self, batch: Batch, place: str, name: str, data: bytes, modified_ns: int, before: Member | None) -> None:
        facts = read_facts(data)
        row = Member(
            id=self._store.index.next_write(),
            name=name,
            disk_name=name,
            etag=rendered_tag(data),
            size=len(data),
            inode=0,
            modified_ns=modified_ns,
            changed_ns=0,
            created_ns=modified_ns if before is None else before.created_ns,
            uid=facts.uid,
            component=facts.component,
            plain=int(facts.plain),
        )
        batch.put_member(place, row, replace(facts, content=facts.content or Bytes(data)))
        batch.log(place, name, self._store.clock())

    def _ballots(
        self, source: Source, principal: Principal, found: PollFolder
    ) -> Iterator[tuple[str, tuple[bytes, int]]]:
        """Name, bytes and time of each ballot of a poll; none once it is decided."""
        if found.poll.decided:
            return
        settings, name, component = self._store.settings, principal.name or "", source.kind.text.component
        vote, kept = vote_of(found, name), _kept(found, name)
        for option in found.poll.options:
            if option.id in kept.get("hidden", ()) or not is_shown(option, component):
                continue
            data = render_ballot(
                component,
                found.poll,
                found.id,
                found.title,
                option,
                voter_of(principal),
                vote.answers.get(option.id, ""),
                kept.get("alarms", {}).get(f"{component} {option.id}", ()),
                modified_ns=found.row.modified_ns,
                language=settings.language,
                public_url=settings.server.public_url,
            )
            yield f"{ballot_uid(found.id, option)}.ics", (data, found.row.modified_ns)

    def _begin(self, place: str) -> Folder:
        batch, now_ns = Batch(), int(self._store.clock() * 1e9)
        for each in (paths.VIEWS, place):
            if self._store.index.folder(each) is None:
                batch.put_folder(each, inode=0, stamp_ns=0, modified_ns=now_ns, owner=None, ruled=False)
        self._store.index.commit(batch)
        folder = self._store.index.folder(place)
        assert folder is not None
        return folder


def voter_of(principal: Principal) -> Voter:
    """How a voter stands in its ballots."""
    address = f"mailto:{principal.addresses[0]}" if principal.addresses else f"/dav/{principal.name}/"
    return Voter(principal.display_name or principal.name or "", address)


def vote_of(found: PollFolder, name: str) -> Vote:
    """The vote of a member; nothing where there is none that can be read."""
    folder, file = found.store.find_folder(found.place), found.file_of(name)
    if folder is None or found.store.find_member(folder, file) is None:
        return Vote()
    try:
        return parse_vote(found.store.read_member(folder, file)[0], file)
    except (FileRefused, NotFound):
        return Vote()


def _kept(found: PollFolder, name: str) -> Mapping[str, Any]:
    """What is kept of a voter's ballots: ``hidden`` ids, and ``alarms`` by component and id."""
    kept = found.store.state(found.place).get("", f"{KEPT_KEY} {found.file_of(name)}")
    return kept if isinstance(kept, dict) else {}


def _no_file(source: Source, layout: Layout, room: Room, member: Member, data: bytes, kept: Any) -> None:
    """No ballot is a file."""


def _find(session: Session, row: Member) -> tuple[PollFolder, str]:
    """The poll and option of a ballot. Raises NotFound."""
    for found in every_poll(session.store):
        for option in found.poll.options:
            if f"{ballot_uid(found.id, option)}.ics" == row.name and found.is_voter(session.principal):
                return found, option.id
    raise NotFound(row.name)


def _store(session: Session, source: Source, row: Member, served: Content, sent: Content) -> None:
    """
    Cast the vote that a stored ballot is, and keep its alarms; all else of it is ignored.

    Raises:
        VoteRefused: the poll is over, the option full, or the answer none that the poll takes.
    """
    name = session.principal.name
    if name is None or name != source.id:
        raise NeedPrivileges(source.folder.path, Action.WRITE)
    found, option = _find(session, row)
    component = source.kind.text.component
    answer = read_answer(component, voter_of(session.principal).address, served, sent)
    if answer and answer not in answers_to(found.poll):
        raise VoteRefused(f"this poll takes no {answer}")  # programs offer it all the same
    if answer is not None:
        cast(session, found, session.principal, {option: answer or None})
    alarms = list(read_alarms(sent))
    if alarms != list(read_alarms(served)):
        key = f"{component} {option}"

        def change(kept: Mapping[str, Any]) -> Mapping[str, Any]:
            every = {each: lines for each, lines in kept.get("alarms", {}).items() if each != key}
            return {**kept, "alarms": {**every, key: alarms} if alarms else every}

        _keep(session, found, name, change)


def _delete(session: Session, source: Source, row: Member) -> None:
    """Deleting a ballot says no, and it does not come again; the vote can still be changed in the file."""
    name = session.principal.name
    if name is None or name != source.id:
        raise NeedPrivileges(source.folder.path, Action.DELETE)
    found, option = _find(session, row)
    if vote_of(found, name).answers.get(option) != NO:
        cast(session, found, session.principal, {option: NO})
    _keep(session, found, name, lambda kept: {**kept, "hidden": sorted({*kept.get("hidden", ()), option})})


def _keep(
    session: Session, found: PollFolder, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> None:
    """Change what is kept of a voter's ballots; within the write lock, for a program deletes several at once."""
    with session.store.write(found.place) as tx:
        said = {key: value for key, value in change(_kept(found, name)).items() if value}
        tx.set_state(found.place, "", f"{KEPT_KEY} {found.file_of(name)}", said or None)


KINDS: Mapping[str, BallotKind] = {"polls": BallotKind("polls", EVENT), "poll-tasks": BallotKind("poll-tasks", TASK)}
