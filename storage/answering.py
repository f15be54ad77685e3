"""
Giving answers to a form: each is a file of its own, so nobody waits for anybody and two cannot spoil each other.

Files that come along are received first; then the answer is stored whole or not at all. Of an answer and its files the
answer comes last: what a crash leaves before that is a folder of files and no answer.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auth.acl import Action
from auth.errors import NeedPrivileges
from auth.principal import Principal
from storage import paths, treerights
from storage.answers import (
    LARGEST_ANSWER_BYTES,
    Answer,
    FileTooLarge,
    Sent,
    SentFile,
    Value,
    judge_answer,
    render_answer,
)
from storage.asking import asked_at
from storage.errors import NotFound, StorageError
from storage.fileterms import Source, Terms
from storage.forms import SUFFIXES, count_answers, is_open, may_answer, own_answer
from storage.numbering import first_free, numbered
from storage.objectnames import ATTACHED, RESPONSES
from storage.portable import caseless, made_safe

if TYPE_CHECKING:
    from storage.forms import FormFolder
    from storage.records import Folder
    from storage.scratch import Scratch
    from storage.session import Session
    from storage.transaction import Transaction

CHUNK_BYTES = 256 * 1024
LONGEST_NAME_BYTES = 120
NO_TERMS = Terms()

Charge = Callable[["Transaction", int], None]


class FormClosed(StorageError):
    """The form takes no answers any more: its time is over, or it has as many as it may have (403)."""


@dataclass(frozen=True, slots=True)
class Given:
    """
    An answer to be stored.

    Attributes:
        member: whose it is; at: when it was given; None for whoever asks and for now.
    """

    values: Mapping[str, Value]
    member: str | None = None
    at: datetime | None = None


@dataclass(slots=True)
class _Received:
    """A file of an answer: what judges it, and its bytes."""

    about: SentFile
    scratch: Scratch | None


class Answering:
    """
    One request that brings answers.

    Use it as a context manager: files that were not stored are removed on leaving.
    """

    def __init__(
        self,
        session: Session,
        found: FormFolder,
        principal: Principal | None,
        charge: Charge | None = None,
        terms: Terms = NO_TERMS,
    ):
        """
        Args:
            session: which may add to the answers: the member's own, or that of the form's public link.
            principal: whose answers they are; None of whoever has the link.
            charge: counts what is stored against a link, within the write of the form's folder.
            terms: the locks that whoever answers holds.

        Raises:
            NeedPrivileges: the form is not for whoever answers.
            FormClosed, NotFound, Locked.
        """
        answers = found.answers or _made_again(session, found, principal, terms)
        session.access.require(Action.CREATE, answers.path)
        if not may_answer(found.form, principal):
            raise NeedPrivileges(answers.path, Action.CREATE)
        self._session = session
        self._store = session.store
        self._found = found
        self._answers = answers
        self._member = None if principal is None or found.form.anonymous else principal.name
        self._charge = charge
        self._terms = terms
        self._files: dict[str, list[_Received]] = {}
        self._names: set[str] = set()  # of those files, caseless
        self._scratches = ExitStack()
        self._require_open(answers, [own_answer(found.form, self._member)])

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratches.close()

    @property
    def path(self) -> str:
        """The canonical path of the folder of answers."""
        return self._answers.path

    @property
    def may_import(self) -> bool:
        """Whether answers of others, of other times, may be brought along."""
        return self._session.access.may(Action.WRITE, self._answers.path)

    def receive(self, name: str, file_name: str, media_type: str, source: Source) -> None:
        """Read a file to the end where its field takes one. Raises FileTooLarge, DiskFull, and as the source does."""
        asked = self._found.form.field(name)
        if asked is None or asked.type != "file":
            return
        files = self._files.setdefault(name, [])
        if len(files) > (1 if asked.most is None else int(asked.most)):
            return  # one too many is known, and that is enough to refuse them
        safe = _safe(file_name)
        safe = numbered(safe, first_free(lambda number: caseless(numbered(safe, number)) in self._names))
        self._names.add(caseless(safe))
        scratch = self._scratches.enter_context(self._store.scratch(self._answers.place))
        while chunk := source.read(CHUNK_BYTES):
            if scratch.size + len(chunk) > asked.max_bytes:
                raise FileTooLarge(f"{asked.label}: {safe} has more than {asked.max_bytes} bytes")
            scratch.write(chunk)
        scratch.finish()
        files.append(_Received(SentFile(safe, media_type, scratch.size), scratch))

    def judge(self, texts: Mapping[str, Sequence[str]], grids: Mapping[str, Mapping[str, str]]) -> dict[str, Value]:
        """The values of an answer with the files that were received. Raises AnswerRefused, FileTooLarge."""
        files = {name: [file.about for file in received] for name, received in self._files.items()}
        return judge_answer(self._found.form, Sent(texts, files, grids), self._store.settings.language)

    def store(self, given: Sequence[Given]) -> list[str]:
        """
        Store answers, all or none; the files that were received belong to the first.

        Where the form takes one answer of each member, the last one counts.

        Returns:
            The canonical path of each.

        Raises:
            FormClosed: there are as many as there may be, by now.
            FileTooLarge: an answer could not be read again.
            Locked, QuotaExceeded, DiskFull.
        """
        store, place, form = self._store, self._answers.place, self._found.form
        now = datetime.fromtimestamp(int(store.clock()), UTC)
        with ExitStack() as stack:
            ready: list[tuple[str, Scratch]] = []
            taken: set[str] = set()
            for each in given:
                member = None if form.anonymous else each.member or self._member
                answer = Answer(each.at or now, member, each.values)
                data = render_answer(self._found.id, answer)
                if len(data) > LARGEST_ANSWER_BYTES:
                    raise FileTooLarge(f"an answer has {len(data)} bytes; it can have {LARGEST_ANSWER_BYTES}")
                scratch = stack.enter_context(store.scratch(place))
                scratch.write(data)
                scratch.finish()
                name = self._name(answer, taken)
                taken.add(name)
                ready.append((name, scratch))
            size = sum(scratch.size for _, scratch in ready) + sum(
                file.about.size for files in self._files.values() for file in files
            )
            attached = [f"{place}/{name.removesuffix(SUFFIXES[0])}{ATTACHED}" for name, _ in ready[:1]]
            first = paths.join(self._answers.path, ready[0][0])
            promises = stack.enter_context(ExitStack())
            with store.write(*sorted({self._found.folder.place, place, *attached}), tree=form.once) as tx:
                promises.enter_context(store.promised.room(self._session, first, size))
                for name, _ in ready if form.once else ready[:1]:  # others are new, as the first
                    path = paths.join(self._answers.path, name)
                    treerights.require_unlocked(self._session, path, self._terms, tree=False)
                folder = tx.find_folder(place)
                if folder is None:
                    raise NotFound(self._answers.path)
                self._require_open(folder, taken)
                if self._charge is not None:
                    self._charge(tx, size)
                for number, (name, scratch) in enumerate(ready):
                    self._put(tx, place, name, scratch, with_files=number == 0)
        return [paths.join(self._answers.path, name) for name, _ in ready]

    def _put(self, tx: Transaction, place: str, name: str, scratch: Scratch, *, with_files: bool) -> None:
        by = None if self._found.form.anonymous else self._session.principal.name
        files_place = f"{place}/{name.removesuffix(SUFFIXES[0])}{ATTACHED}"
        path = paths.join(self._answers.path, name)
        creator = None if self._member is None else treerights.creator_of_new(self._session, path)
        if tx.find_folder(files_place) is not None:  # of the answer that this one replaces
            tx.remove_folder(files_place, by=by)
        files = [file for each in self._files.values() for file in each] if with_files else []
        if files:
            tx.make_folder(files_place, creator=creator)
        for file in files:
            if file.scratch is not None:
                tx.put(files_place, file.about.name, file.scratch, creator=creator)
        tx.put(place, name, scratch, creator=creator, by=by)

    def _name(self, answer: Answer, taken: Container[str]) -> str:
        return own_answer(self._found.form, answer.member) or name_of_new(
            answer.time, lambda name: name in taken or self._store.find_member(self._answers, name) is not None
        )

    def _require_open(self, folder: Folder, names: Collection[str | None]) -> None:
        """Raise FormClosed where there is no room for answers of these names, of which some may be there already."""
        form = self._found.form
        count = 0 if form.max_responses is None else count_answers(self._store.members(folder), names)
        if not is_open(form, self._store.clock(), count + len(names) - 1):
            raise FormClosed("this form takes no answers any more")


def name_of_new(
    at: datetime, is_taken: Callable[[str], bool], random_bytes: Callable[[int], bytes] = secrets.token_bytes
) -> str:
    """A name for the file of an answer; in a long table of one time two would have the same now and then."""
    while True:
        token = base64.b32encode(random_bytes(5)).decode().lower()[:6]
        name = f"{at:%Y-%m-%dT%H%M%SZ}-{token}{SUFFIXES[0]}"
        if not is_taken(name):
            return name


def _made_again(session: Session, found: FormFolder, principal: Principal | None, terms: Terms) -> Folder:
    """
    The folder of answers where somebody deleted it with all that was in it, or a backup left it out for being empty.

    Raises:
        NotFound: whoever answers may not.
    """
    store, path, place = session.store, paths.join(found.path, RESPONSES), f"{found.folder.place}/{RESPONSES}"
    asked = asked_at(store, path)
    is_asked = asked is not None and principal is not None and asked.is_asked(principal)
    if not (is_asked or session.access.may(Action.CREATE, path)) or not may_answer(found.form, principal):
        raise NotFound(found.path)
    if found.is_over(principal):
        raise FormClosed("this form takes no answers any more")
    with store.write(found.folder.place) as tx:
        treerights.require_unlocked(session, path, terms, tree=False)
        made = tx.find_folder(place)
        if made is None and tx.find_member(found.folder.place, RESPONSES) is not None:
            raise NotFound(path)
        made = made or tx.make_folder(place)
    session.access.forget(path)
    return made


def _safe(name: str) -> str:
    stem, dot, suffix = paths.nfc(name).rpartition(".")
    if not dot or len(suffix.encode()) > 16:
        stem, suffix = paths.nfc(name), ""
    short = stem.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore")
    safe = made_safe(f"{short}.{suffix}" if suffix else short)
    return f"_{safe}" if paths.names_rules(safe) else safe
