"""
POST to the answers of a form: what pages send, and programs (RFC 5995 §3.2, RFC 7578).

Checked in this order: is the form open, is the body of a kind and size that can be, is it UTF-8, do not too many come,
has a program filled in what people do not see; names that the form does not know are dropped, and the rest is judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from auth.errors import NeedPrivileges
from davserver.dav.errors import TooLarge, Unprocessable, UnsupportedMedia
from davserver.dav.formbody import (
    CSV,
    JSON,
    TABLE_BYTES,
    TEXT_BYTES,
    Fields,
    cells,
    media_type_of,
    read_object,
    read_page,
    read_table,
)
from davserver.dav.message import Response, quote_path
from davserver.dav.multipart import Part
from davserver.mounts.doors import DoorCall
from davserver.mounts.files_write import Checked, verified
from storage.answering import Answering, FormClosed, Given
from storage.answers import AnswerRefused, Value, parse_answer
from storage.fileterms import Source
from storage.form import Field, Form
from storage.forms import FormFolder

PROBLEM = ("Content-Type", "application/problem+json")
MULTIPART_BYTES = 64 * 1024  # of a form beside its files and texts
SAID = {
    "thanks": {"en": "Thank you.\n", "fr": "Merci.\n", "de": "Danke.\n"},
    "closed": {
        "en": "This form takes no answers any more.\n",
        "fr": "Ce formulaire n'accepte plus de réponses.\n",
        "de": "Dieses Formular nimmt keine Antworten mehr an.\n",
    },
    "members": {
        "en": "This form is for members, each by the link in their own my-link.txt.\n",
        "fr": "Ce formulaire est réservé aux membres, chacun par le lien de son fichier my-link.txt.\n",
        "de": "Dieses Formular ist für Mitglieder, je über den Link in ihrer my-link.txt.\n",
    },
}


FormCall = DoorCall[FormFolder]


def answer(call: FormCall) -> Response:
    """
    Take what was sent.

    Raises:
        NeedPrivileges, Hidden: the form is not for whoever asks.
        TooManyUploads, TooLarge, BadRequest, UnsupportedMedia, Unprocessable, AnswerRefused, FileTooLarge, and what
        writing raises.
    """
    try:
        with Answering(call.session, call.found, call.principal, call.charge, call.terms) as answering:
            kind = media_type_of(call.request.header("content-type"))
            if call.request.header("content-encoding") is not None:
                raise UnsupportedMedia("the form has a Content-Encoding; send it as it is")
            return READERS.get(kind, _answer_page)(call, answering)
    except FormClosed:
        kind = (call.request.header("content-type") or "").partition(";")[0].strip().lower()
        return call.closed(SAID["closed"], as_page=kind not in (JSON, CSV))
    except NeedPrivileges:
        if not call.is_public:
            raise
        return Response.text(403, call.said(SAID["members"]))


def _answer_page(call: FormCall, answering: Answering) -> Response:
    most = TEXT_BYTES + MULTIPART_BYTES + _file_bytes(call.found.form)
    body = _body(call, most)
    is_counted = False

    def take_file(name: str, part: Part) -> None:
        nonlocal is_counted
        if not is_counted:  # before the disk is written to
            _count(call)
            is_counted = True
        answering.receive(name, part.filename or "", part.media_type, part)

    fields = read_page(call.request.header("content-type"), body, take_file)
    if not is_counted:
        _count(call)
    if not _is_programs(call.found.form, fields):
        try:
            values = answering.judge(fields.texts, fields.grids)
        except AnswerRefused as error:
            return Response.text(422, f"{error}\n")
        answering.store([Given(values)])
    return call.thanks(SAID["thanks"])


def _answer_object(call: FormCall, answering: Answering) -> Response:
    fields = read_object(_body(call, TEXT_BYTES))
    _count(call)
    if _is_programs(call.found.form, fields):
        return Response.empty(201)
    try:
        values = answering.judge(fields.texts, fields.grids)
    except AnswerRefused as error:
        return _problem(call, error)
    (path,) = answering.store([Given(values)])
    return Response.empty(201, ("Location", quote_path(_as_asked(call, path))))


def _answer_table(call: FormCall, answering: Answering) -> Response:
    """A line for each answer, all or none; who may write answers brings time and member of each along."""
    given, problems = list[Given](), list[str]()
    most = TABLE_BYTES if answering.may_import else TEXT_BYTES
    for line, sent in read_table(_body(call, most), most):
        if not answering.may_import:
            _count(call)
        row = cells(sent)
        fields = _fields_of(call.found.form, row)
        if _is_programs(call.found.form, fields):
            continue
        try:
            values = answering.judge(fields.texts, fields.grids)
            given.append(_imported(call, answering, values, row))
        except (AnswerRefused, Unprocessable) as error:
            problems += [f"line {line}: {said}" for said in str(error).split("\n")]
    if problems:
        return Response.text(422, "".join(f"{said}\n" for said in problems[:1000]))
    if not given:
        return Response.text(422, "the table has no line with an answer\n")
    paths = answering.store(given)
    where = paths[0] if len(paths) == 1 else answering.path
    return Response.empty(201, ("Location", quote_path(_as_asked(call, where))))


READERS = {JSON: _answer_object, CSV: _answer_table}


def _imported(call: FormCall, answering: Answering, values: Mapping[str, Value], row: Mapping[str, str]) -> Given:
    if not answering.may_import:
        return Given(values)
    time, member = row.get("time", "").strip(), row.get("member", "").strip()
    accounts = call.session.store.accounts
    whose = None if accounts is None or not accounts.is_member(member) else accounts.principal(member)
    if member and whose is None:
        raise Unprocessable(f"member: {member[:60]!r} is no member")
    found = parse_answer(json.dumps({"time": time, "answers": {}}).encode()) if time else None
    if time and found is None:
        raise Unprocessable(f"time: {time[:40]!r} is no time such as 2027-01-31T18:00:00Z")
    return Given(values, None if whose is None else whose.name, None if found is None else found.time)


def _fields_of(form: Form, row: Mapping[str, str]) -> Fields:
    """The cells of a line as fields; several values of one stand in a cell with "; " between them."""
    fields = Fields()
    for asked in form.fields:
        cell = row.get(asked.name, "")
        if asked.type in ("choices", "ranking"):
            for each in cell.strip().split("; "):
                fields.add(asked.name, each)
        elif asked.type == "grid":
            fields.grids[asked.name] = dict(_pair(asked, each) for each in cell.strip().split("; ") if each)
        elif asked.type != "file":
            fields.add(asked.name, cell)
    known = {asked.name for asked in form.fields}
    for name in row.keys() - known:
        fields.add(name, row[name])
    return fields


def _pair(asked: Field, text: str) -> tuple[str, str]:
    """Row and option of a part of a grid's cell; a colon may stand in both."""
    pairs = ((row, text.removeprefix(f"{row}: ")) for row in asked.rows if text.startswith(f"{row}: "))
    row, _, option = text.rpartition(": ")
    return next((pair for pair in pairs if pair[1] in asked.options), (row, option))


def _is_programs(form: Form, fields: Fields) -> bool:
    """Whether the field that people do not see was filled in."""
    return bool(form.honeypot) and any(text.strip() for text in fields.texts.get(form.honeypot, ()))


def _body(call: FormCall, most: int) -> Source:
    announced = call.request.content_length
    if announced is not None and announced > most:
        raise TooLarge(f"the body has {announced} bytes; this form takes {most}")
    return verified(call.request, Checked(call.request.body, announced, most))


def _file_bytes(form: Form) -> int:
    """How many bytes of files a form may bring, the last one too large included, so that it is told which."""
    asked = [field for field in form.fields if field.type == "file"]
    return sum(int(field.most or 1) * field.max_bytes for field in asked) + max(
        (field.max_bytes for field in asked), default=0
    )


def _as_asked(call: FormCall, path: str) -> str:
    return call.base + path[len(call.found.path) :]


def _count(call: FormCall) -> None:
    """Note an answer. Raises TooManyUploads."""
    call.count(call.found.form.per_minute, call.found.form.per_minute_of_address)


def _problem(call: FormCall, error: AnswerRefused) -> Response:
    """What is wrong with a program's answer (RFC 9457)."""
    errors = [{"field": name, "detail": said} for name, said in error.problems.items()]
    about = {"type": "about:blank", "title": "Unprocessable Content", "status": 422}
    told = {**about, "detail": str(error), "errors": errors}
    return Response(422, [PROBLEM], json.dumps(told, ensure_ascii=False).encode())
