"""
The answers of a form as journals or tasks: ``form-<id>`` in the home of whoever may read them.

An answer is what its sender said and is not edited in a calendar. What a client may change is what the association
notes of it: whether it is dealt with, categories and comments. That stands in the state of the answer's file, together
with a mark of the answer: it is not said of another one that took its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auth.acl import Action
from storage import paths, treerights
from storage.answers import Answer, parse_answer, render_answer, text_of_value
from storage.attachments import attached_lines
from storage.errors import NotFound, PreconditionFailed
from storage.fileterms import Terms
from storage.form import Form
from storage.forms import FormFolder, find_form
from storage.frontmatter import Value
from storage.objectmoments import utc
from storage.objectnames import FORMS, RESPONSES, stem_of
from storage.objects import NOTED_KEY, Layout, RenderedKind, Rendering, Room, Source, mark_of
from storage.objecttext import MOMENT, RAW, Content, Kind, render_content
from storage.viewrows import rendered_tag

if TYPE_CHECKING:
    from storage.records import Folder, Member
    from storage.session import Session
    from storage.store import Store

TOP = FORMS.removeprefix("/")
JOURNAL = Kind("VJOURNAL", {"CREATED": ("created", MOMENT), "DTSTART": ("date", MOMENT), "STATUS": ("status", RAW)})
TASK = Kind(
    "VTODO",
    {
        "CREATED": ("created", MOMENT),
        "DTSTART": ("date", MOMENT),
        "COMPLETED": ("completed", MOMENT),
        "STATUS": ("status", RAW),
    },
)
NOT_DONE, DONE = "NEEDS-ACTION", "COMPLETED"
MEMBER: Mapping[str, str] = {"en": "Member", "fr": "Membre", "de": "Mitglied"}


class FormKind(RenderedKind):
    """See ``storage.objects.ObjectKind``: of the forms whose ``view`` is the one given."""

    word = "form"
    suffixes: tuple[str, ...] = (".json",)

    def __init__(self, view: str, text: Kind) -> None:
        self._view = view
        self.text = text
        self.rendering: Rendering | None = Rendering(NOTED_KEY, self._render, _note)

    def folders(self, store: Store) -> Iterator[Folder]:
        """The ``responses/`` of each of these forms."""
        top = store.find_folder(TOP)
        for folder in store.folders(top) if top is not None else ():
            found = find_form(store, folder.path)
            if found is not None and found.form.view == self._view and found.answers is not None:
                yield found.answers

    def is_one(self, store: Store, folder: Folder) -> bool:
        """Whether its form still has this view."""
        found = find_form(store, folder.path)
        return found is not None and found.form.view == self._view and folder.name == RESPONSES

    def holder(self, store: Store, folder: Folder) -> Folder:
        """The folder of the form."""
        return store.find_folder(folder.place.rpartition("/")[0]) or folder

    def layout(self, store: Store, folder: Folder) -> Layout:
        """One room, whose settings are the form."""
        found = find_form(store, folder.path)
        if found is None:
            raise NotFound(folder.path)
        rooms, mark = {folder.place: Room(folder, "", None)}, mark_of(found.row.id, found.folder.name)
        return Layout(rooms, found, mark, file=found.row)

    def properties(self, store: Store, layout: Layout, folder: Folder) -> Mapping[str, str]:
        """Its name is the form's title, else that of its folder."""
        found: FormFolder = layout.settings
        return {"D:displayname": found.title}

    def written_id(self, layout: Layout) -> str:
        """The ``id`` in ``form.toml``."""
        found: FormFolder = layout.settings
        return found.form.id

    def _render(
        self, source: Source, layout: Layout, room: Room, member: Member, data: bytes, kept: Any
    ) -> tuple[str, bytes] | None:
        answer = parse_answer(data)
        if answer is None:
            return None
        found: FormFolder = layout.settings
        store, stem, title = found.store, stem_of(member.name), found.title
        noted = _noted(kept, answer)
        values: dict[str, Value] = {"created": utc(answer.time.timestamp()), "date": utc(answer.time.timestamp())}
        values |= {key: noted[key] for key in ("status", "completed", "ical") if noted.get(key)}
        if self.text.component == "VTODO":
            values.setdefault("status", NOT_DONE)
        content = Content(
            uid=f"{stem}@{source.id}",
            title=f"{title}: {_summary(found.form, answer)}".rstrip(": "),
            text="\n".join(_lines(found.form, answer, store.settings.language)),
            categories=tuple(dict.fromkeys([title, *noted.get("categories", ())])),
            values=values,
            attached=tuple(attached_lines(store, room.folder, member.name)),
        )
        modified_ns = max(member.modified_ns, int(noted.get("at_ns", 0)))
        return f"{stem}.ics", render_content(self.text, content, modified_ns)


def _summary(form: Form, answer: Answer) -> str:
    """What stands in the title: the fields that the form names, else who answered."""
    shown = [text_of_value(answer.values[name]) for name in form.summary if answer.values.get(name)]
    return ", ".join(text for text in shown if text) or answer.member or ""


def _lines(form: Form, answer: Answer, language: str) -> Iterator[str]:
    """``Label: value`` in the order of the form, then what the form no longer asks for."""
    if answer.member:
        yield f"{MEMBER[language]}: {answer.member}"
    labels = {field.name: field.label for field in form.fields}
    for name in (*labels, *(name for name in answer.values if name not in labels)):
        if name in answer.values:
            yield f"{labels.get(name) or name}: {text_of_value(answer.values[name])}"


def _mark(answer: Answer) -> str:
    """Changes with whatever an answer says."""
    return hashlib.sha256(render_answer("", answer)).hexdigest()[:16]


def _noted(kept: Any, answer: Answer) -> Mapping[str, Any]:
    """What is noted of an answer, if it was this very one."""
    return kept if isinstance(kept, dict) and kept.get("of") == _mark(answer) else {}


def _note(session: Session, source: Source, row: Member, served: Content, sent: Content) -> None:
    """
    Keep what a client says of an answer beside what was answered; all else of it is ignored.

    Raises:
        NeedPrivileges: the right to write is missing.
        PreconditionFailed: the answer or what is noted of it changed meanwhile.
    """
    store, place = session.store, source.folder.place
    path = paths.join(source.folder.path, row.disk_name)
    treerights.require(session, Action.WRITE, path)
    before, after = _said(served), _said(sent)
    if before == after:
        return
    with store.write(place) as tx:
        folder, file = tx.find_folder(place), tx.find_member(place, row.disk_name)
        if folder is None or file is None:
            raise NotFound(path)
        data, file = store.read_member(folder, file.name)
        layout, kept = store.views.layout(source), store.state(place).get(file.name, NOTED_KEY)
        answer, rendering = parse_answer(data), source.kind.rendering
        room = layout.room("")
        made = None if rendering is None or room is None else rendering.render(source, layout, room, file, data, kept)
        if answer is None or made is None or rendered_tag(made[1]) != row.etag:
            raise PreconditionFailed("the answer or what is noted of it changed meanwhile; read it again")
        treerights.require_unlocked(session, path, Terms(), tree=False)
        noted = {"of": _mark(answer), "at_ns": int(store.clock() * 1e9), **after}
        if noted.get("status") == DONE:
            noted.setdefault("completed", utc(store.clock()))
        tx.set_state(place, file.name, NOTED_KEY, noted, log=True)


def _said(content: Content) -> dict[str, Any]:
    """What of a calendar object is noted: status, when it was completed, categories, comments."""
    status, completed = content.values.get("status"), content.values.get("completed")
    said: dict[str, Any] = {"categories": list(content.categories)}
    if isinstance(status, str) and status.upper() != NOT_DONE:
        said["status"] = status.upper()
        if isinstance(completed, str) and said["status"] == DONE:
            said["completed"] = completed
    lines = content.values.get("ical") or ()
    comments = [line for line in ((lines,) if isinstance(lines, str) else lines) if line.upper().startswith("COMMENT")]
    return {**said, **({"ical": comments} if comments else {})}
