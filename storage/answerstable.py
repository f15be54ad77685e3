"""
``responses.csv``: the answers of a form as a table (RFC 4180), made once for each change of them.

What a spreadsheet would take for a formula gets a ``'`` in front, for strangers write the cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from auth.acl import Action
from storage import paths
from storage.answers import Answer, Value, parse_answer, text_of_value
from storage.errors import NotFound
from storage.form import Form
from storage.forms import SUFFIXES, find_form
from storage.made import Made, Maker
from storage.objectnames import FORMS, is_object

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store

NAME = "responses.csv"
FORMULAS = tuple("=+-@\t\r")


def render_table(form: Form, answers: Iterable[Answer]) -> bytes:
    """The table: time, member and the fields of the form, then those that it no longer has."""
    answers = sorted(answers, key=lambda answer: answer.time)
    names = [field.name for field in form.fields]
    names += dict.fromkeys(name for answer in answers for name in answer.values if name not in names)
    return table([["time", "member", *names], *(_row(answer, names) for answer in answers)])


def table(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows of cells as a file; cells that came from people have passed ``cell``."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def cell(value: Value | None) -> str:
    """A value as a cell; a number stays one."""
    if value is None:
        return ""
    text = text_of_value(value)
    is_formula = text.lstrip("'").startswith(FORMULAS)  # a text that has the sign already keeps it
    return f"'{text}" if is_formula and not isinstance(value, int | float) else text


def _row(answer: Answer, names: Iterable[str]) -> list[str]:
    time = answer.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [time, cell(answer.member), *(cell(answer.values.get(name)) for name in names)]


def _make(session: Session, folder: Folder) -> Made | None:
    store, found = session.store, find_form(session.store, folder.path)
    answers = None if found is None else found.answers
    if found is None or answers is None or not session.access.may(Action.READ, paths.join(answers.path, "…")):
        return None
    stamp = (found.row.id, answers.id, answers.counter)
    modified_ns = max(found.row.modified_ns, answers.modified_ns)
    return store.made.of(
        (NAME, folder.place), stamp, lambda: Made.of(render_table(found.form, _answers(store, answers)), modified_ns)
    )


def _answers(store: Store, folder: Folder) -> Iterable[Answer]:
    for member in store.members(folder):
        if is_object(member.name, SUFFIXES):
            try:
                answer = parse_answer(store.read_member(folder, member.name)[0])
            except NotFound:  # it went meanwhile
                continue
            if answer is not None:
                yield answer


def _belongs(store: Store, path: str) -> bool:
    return paths.parent_of(path) == FORMS and find_form(store, path) is not None


MAKER = Maker(NAME, _belongs, _make)
