"""
vCard 4 as vCard 3 (RFC 6350 appendix A, RFC 2426): what the older version writes in another way.

What it has no words for (ANNIVERSARY, GENDER, RELATED, PREF beyond the first) keeps its own: RFC 2426 lets a card have
other names, programs that know them read them on, and nothing is lost on the way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from storage.carddates import NAMES as DATES
from storage.carddates import date_to_3
from storage.cardmedia import NAMES as MEDIA
from storage.cardmedia import media_to_3, types_of, with_types, without
from storage.contentlines import Component, Line, escape, unescape
from storage.linewriter import decode_carets

_GEO = re.compile(r"geo:([+-]?[0-9]{1,3}(?:\.[0-9]+)?)\\?,([+-]?[0-9]{1,3}(?:\.[0-9]+)?)", re.IGNORECASE)
_OFFSET = re.compile(r"([+-][0-9]{2}):?([0-9]{2})?")
NUMBER = "tel:"

Conversion = Callable[[Line], Line]


def lines_of_3(card: Component) -> Iterator[Line]:
    """The properties of a vCard 4, without VERSION, as vCard 3 has them; an ``end`` of 0 marks what differs."""
    named, kind = card.find("N") is not None, card.find("KIND")
    is_person = kind is None or kind.value.strip().upper() == "INDIVIDUAL"
    for line in card.lines:
        if line.name == "VERSION":
            continue
        converted = TABLE.get(line.name, _same)(_parameters(line))
        label = converted.parameter("LABEL") if line.name == "ADR" else None
        sorted_as = _sorted_as(converted) if line.name == "N" else ""
        if sorted_as:
            converted = converted._replace(parameters=without(converted.parameters, "SORT-AS"), end=0)
        if label is not None:
            converted = converted._replace(parameters=without(converted.parameters, "LABEL"), end=0)
        yield converted
        if label is not None:
            yield _label_of(converted, label)
        if sorted_as:
            yield Line("SORT-STRING", (), escape(sorted_as), line.start, 0)
        if line.name == "FN" and not named:
            named = True
            yield Line("N", (), _name_of(line, is_person=is_person), line.start, 0)


def _label_of(address: Line, label: str) -> Line:
    """A LABEL of its own, after its ADR and of its types (RFC 2426 §3.2.2)."""
    types = tuple(pair for pair in address.parameters if pair[0] == "TYPE")
    text = re.sub(r"\\[nN]", "\n", decode_carets(label)).replace("\\,", ",")
    return address._replace(name="LABEL", parameters=types, value=escape(text), end=0)


def _name_of(line: Line, *, is_person: bool) -> str:
    """N, which vCard 3 requires (RFC 2426 §3.1.2): of a person the last word of FN and those before it."""
    text = unescape(line.value).strip()
    given, _, family = text.rpartition(" ") if is_person else ("", "", text)
    return f"{escape(family)};{escape(given.strip())};;;"


def _sorted_as(line: Line) -> str:
    return ",".join(decode_carets(each) for key, values in line.parameters if key == "SORT-AS" for each in values)


def _parameters(line: Line) -> Line:
    """A preferred one is of that TYPE, and a list of types stands without quotes."""
    if not line.parameters:
        return line
    types, parameters = types_of(line), line.parameters
    if line.parameter("PREF") == "1":
        parameters = with_types(without(parameters, "PREF"), [*types, "pref"])
    elif any("," in value for key, values in parameters if key == "TYPE" for value in values):
        parameters = with_types(parameters, types)
    return line if parameters == line.parameters else line._replace(parameters=parameters, end=0)


def _same(line: Line) -> Line:
    return line


def _renamed(name: str) -> Conversion:
    return lambda line: line._replace(name=name, end=0)


def _geo(line: Line) -> Line:
    match = _GEO.fullmatch(line.value)
    if match is None:
        return line
    parameters = without(line.parameters, "VALUE")
    return line._replace(parameters=parameters, value=f"{match[1]};{match[2]}", end=0)


def _zone(line: Line) -> Line:
    match, kind = _OFFSET.fullmatch(line.value), (line.parameter("VALUE") or "").upper()
    others = without(line.parameters, "VALUE")
    if match is not None and kind in ("", "UTC-OFFSET"):
        return line._replace(parameters=others, value=f"{match[1]}:{match[2] or '00'}", end=0)
    return line if kind else line._replace(parameters=(("VALUE", ("text",)), *others), end=0)


def _related(line: Line) -> Line:
    """An agent has a property of its own (RFC 2426 §3.5.4)."""
    if [each.upper() for each in types_of(line)] != ["AGENT"]:
        return line
    is_text = (line.parameter("VALUE") or "").upper() == "TEXT"
    kind = () if is_text else (("VALUE", ("uri",)),)
    return line._replace(name="AGENT", parameters=(*kind, *without(line.parameters, "VALUE", "TYPE")), end=0)


def _number(line: Line) -> Line:
    """A telephone number is text (RFC 2426 §3.3.1)."""
    kind = (line.parameter("VALUE") or "").upper()
    if not kind:
        return line
    value = line.value
    if kind == "URI":
        if value[: len(NUMBER)].lower() != NUMBER:
            return line
        value = escape(re.sub(r"\\([;,])", r"\1", value[len(NUMBER) :]))
    return line._replace(parameters=without(line.parameters, "VALUE"), value=value, end=0)


def _identifier(line: Line) -> Line:
    if line.parameter("VALUE") is None:
        return line
    return line._replace(parameters=without(line.parameters, "VALUE"), end=0)


def _kind(line: Line) -> Line:
    if line.value.strip().upper() == "ORG":
        return line._replace(name="X-ABShowAs", value="COMPANY", end=0)
    return line._replace(name="X-ADDRESSBOOKSERVER-KIND", end=0)


TABLE: dict[str, Conversion] = {
    **dict.fromkeys(MEDIA, media_to_3),
    **dict.fromkeys(DATES, date_to_3),
    "GEO": _geo,
    "TZ": _zone,
    "RELATED": _related,
    "TEL": _number,
    "UID": _identifier,
    "KIND": _kind,
    "MEMBER": _renamed("X-ADDRESSBOOKSERVER-MEMBER"),
}
