"""vCard 3 as vCard 4 (RFC 2426, RFC 6350 appendix A): what the newer version writes in another way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from storage.carddates import NAMES as DATES
from storage.carddates import date_to_4, stamp_to_4
from storage.cardmedia import NAMES as MEDIA
from storage.cardmedia import media_to_4, types_of, with_types, without
from storage.contentlines import Component, Line, unescape
from storage.encodedvalues import text_of_quoted_printable
from storage.linewriter import encode_carets

QUOTED_PRINTABLE = "QUOTED-PRINTABLE"
_PLACE = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]+)?")
_OFFSET = re.compile(r"([+-][0-9]{2}):?([0-9]{2})")
_OLD_TYPES = frozenset({"PHONE-NUMBER", "VCARD", "BINARY"})  # of values; vCard 4 has no word for them

Conversion = Callable[[Line], Line]


class Context(NamedTuple):
    """
    What of a card is said in one property and belongs to another.

    Attributes:
        labels: by the start of an ADR: its LABEL.
        sort: the SORT-STRING.
        named: the start of the property that is sorted by it.
        kind: the start of the property that says what the card stands for.
    """

    labels: dict[int, Line]
    sort: Line | None
    named: int
    kind: int


def lines_of_4(card: Component) -> Iterator[Line]:
    """The properties of a vCard 3, without VERSION, as vCard 4 has them; an ``end`` of 0 marks what differs."""
    context = _context(card)
    attached = {label.start for label in context.labels.values()}
    for line in card.lines:
        if line.name == "VERSION" or line.start in attached or (context.named >= 0 and line is context.sort):
            continue
        converted = TABLE.get(line.name, _same)(_parameters(line))
        if line.start == context.kind:
            converted = _kind(converted)
        if line.start in context.labels:
            converted = _labelled(converted, context.labels[line.start])
        if context.sort is not None and line.start == context.named:
            sorted_as = tuple(encode_carets(each) for each in unescape(context.sort.value).split(","))
            others = without(converted.parameters, "SORT-AS")
            converted = converted._replace(parameters=(*others, ("SORT-AS", sorted_as)), end=0)
        yield converted


def _context(card: Component) -> Context:
    named = card.find("N") or card.find("FN")
    kinds = [line for line in card.lines if line.name in KINDS and (line.name != SHOW_AS or _is_company(line))]
    kinds.sort(key=lambda line: line.name == SHOW_AS)
    is_said = card.find("KIND") is not None or not kinds
    return Context(
        _labels(card), card.find("SORT-STRING"), named.start if named else -1, -1 if is_said else kinds[0].start
    )


def _labels(card: Component) -> dict[int, Line]:
    """The ADR that each LABEL belongs to: the one before it of the same types and group, else any such."""
    found: dict[int, Line] = {}
    waiting = list[Line]()
    for before, line in zip([None, *card.lines], card.lines, strict=False):
        if line.name == "LABEL" and before is not None and before.name == "ADR" and _place(before) == _place(line):
            found[before.start] = line
        elif line.name == "LABEL":
            waiting.append(line)
    for label in waiting:
        free = (line for line in card.all("ADR") if line.start not in found and _place(line) == _place(label))
        address = next(free, None)
        if address is not None:
            found[address.start] = label
    return found


def _place(line: Line) -> tuple[str, frozenset[str]]:
    return line.group, frozenset(each.upper() for each in types_of(line)) - {"PREF"}


def _labelled(address: Line, label: Line) -> Line:
    text = encode_carets(unescape(_decoded(label).value))
    return address._replace(parameters=(*without(address.parameters, "LABEL"), ("LABEL", (text,))), end=0)


def _parameters(line: Line) -> Line:
    """What all properties have in another way: encodings of vCard 2.1, a preferred one, types of values."""
    if not line.parameters:
        return line
    line = _decoded(line)
    types = types_of(line)
    parameters = without(line.parameters, "CHARSET", "CONTEXT")
    if (line.parameter("VALUE") or "").upper() in _OLD_TYPES:
        parameters = without(parameters, "VALUE")
    if any(each.upper() == "PREF" for each in types):
        parameters = with_types(parameters, [each for each in types if each.upper() != "PREF"])
        if line.parameter("PREF") is None:
            parameters = (*parameters, ("PREF", ("1",)))
    return line if parameters == line.parameters else line._replace(parameters=parameters, end=0)


def _decoded(line: Line) -> Line:
    types = types_of(line)
    is_bare = any(each.upper() == QUOTED_PRINTABLE for each in types)
    if not is_bare and (line.parameter("ENCODING") or "").upper() != QUOTED_PRINTABLE:
        return line
    kept = [each for each in types if each.upper() != QUOTED_PRINTABLE]
    value = text_of_quoted_printable(line.value, line.parameter("CHARSET") or "")
    return line._replace(parameters=without(with_types(line.parameters, kept), "ENCODING"), value=value, end=0)


def _same(line: Line) -> Line:
    return line


def _renamed(name: str) -> Conversion:
    return lambda line: line._replace(name=name, end=0)


def _geo(line: Line) -> Line:
    places = [each.strip() for each in line.value.replace("\\;", ";").split(";")]
    if len(places) != 2 or not all(_PLACE.fullmatch(each) for each in places):
        return line
    return line._replace(parameters=without(line.parameters, "VALUE"), value=f"geo:{','.join(places)}", end=0)


def _zone(line: Line) -> Line:
    match, kind = _OFFSET.fullmatch(line.value), (line.parameter("VALUE") or "UTC-OFFSET").upper()
    others = without(line.parameters, "VALUE")
    if match is not None and kind == "UTC-OFFSET":
        parameters = (("VALUE", ("utc-offset",)), *others)
        return line._replace(parameters=parameters, value="".join(match.groups()), end=0)
    # text is what vCard 4 takes a zone for; what looks like an offset has to say that it is text
    return line if kind != "TEXT" or match is not None else line._replace(parameters=others, end=0)


def _agent(line: Line) -> Line:
    """AGENT is a relation (RFC 6350 §6.6.6); a card within a card is text there."""
    is_uri = (line.parameter("VALUE") or "").upper() == "URI"
    kind = () if is_uri else (("VALUE", ("text",)),)
    parameters = with_types(without(line.parameters, "VALUE"), ["agent", *types_of(line)])
    return line._replace(name="RELATED", parameters=(*kind, *parameters), end=0)


def _label(line: Line) -> Line:
    """A LABEL without an ADR is one of its own."""
    empty = line._replace(name="ADR", value=";;;;;;", end=0)
    return _labelled(empty, line)


def _is_company(line: Line) -> bool:
    return line.value.strip().upper() == "COMPANY"


def _kind(line: Line) -> Line:
    return line._replace(name="KIND", value="org" if line.name == SHOW_AS else line.value, end=0)


SHOW_AS = "X-ABSHOWAS"
KINDS = ("X-ADDRESSBOOKSERVER-KIND", SHOW_AS)  # what Apple's clients write for KIND
TABLE: dict[str, Conversion] = {
    **dict.fromkeys(MEDIA, media_to_4),
    **dict.fromkeys(DATES, date_to_4),
    "REV": stamp_to_4,
    "GEO": _geo,
    "TZ": _zone,
    "AGENT": _agent,
    "LABEL": _label,
    "X-ADDRESSBOOKSERVER-MEMBER": _renamed("MEMBER"),
}
