"""The filters of calendar-query and addressbook-query (RFC 4791 §9.7, RFC 6352 §10.5): parsed once, asked per item."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from davserver.dav.names import CALDAV, CARDDAV, Namespace
from storage.contentlines import Component, Line
from storage.errors import PlaceRefused
from storage.itemvalues import parse_moment
from storage.recurrence import TimeRange

ASCII_FOLD = str.maketrans({chr(upper): chr(upper + 32) for upper in range(ord("A"), ord("Z") + 1)})
MATCHES: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, text: text in value,
    "equals": lambda value, text: value == text,
    "starts-with": lambda value, text: value.startswith(text),
    "ends-with": lambda value, text: value.endswith(text),
}


def _unicode_fold(text: str) -> str:
    return unicodedata.normalize("NFKD", text).casefold()


COLLATIONS: dict[str, Callable[[str], str]] = {
    # RFC 4790 §9.2, §9.3, RFC 5051
    "i;ascii-casemap": lambda text: text.translate(ASCII_FOLD),
    "i;octet": lambda text: text,
    "i;unicode-casemap": _unicode_fold,
    "default": _unicode_fold,
}


def refused(condition: str, why: str, space: Namespace = CALDAV) -> PlaceRefused:
    """
    A filter that breaks the RFC's grammar or asks for what is not offered.

    CardDAV has one word for both (RFC 6352 §8.6): ``valid-filter`` is ``supported-filter`` there.
    """
    if space == CARDDAV and condition == "valid-filter":
        condition = "supported-filter"
    return PlaceRefused("the filter", why, space(condition))


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A text in a value (RFC 4791 §9.7.5, RFC 6352 §10.5.4)."""

    text: str
    negate: bool
    collation: str
    how: str

    def holds(self, values: Iterable[str]) -> bool:
        """Whether one of the values matches, or none does when negated."""
        fold, match = COLLATIONS[self.collation], MATCHES[self.how]
        text = fold(self.text)
        return any(match(fold(value), text) for value in values) is not self.negate


@dataclass(frozen=True, slots=True)
class ParamFilter:
    """A parameter of a property (RFC 4791 §9.7.3)."""

    name: str
    absent: bool
    text: TextMatch | None

    def holds(self, line: Line) -> bool:
        """Whether a property has the parameter as asked."""
        values = [value for key, found in line.parameters if key == self.name for value in found]
        if self.absent or not values:
            return self.absent and not values
        return self.text is None or self.text.holds(values)


@dataclass(frozen=True, slots=True)
class PropFilter:
    """A property of a component or card (RFC 4791 §9.7.2, RFC 6352 §10.5.1)."""

    name: str
    absent: bool = False
    time_range: TimeRange | None = None
    texts: tuple[TextMatch, ...] = ()
    params: tuple[ParamFilter, ...] = ()
    any_of: bool = False

    def holds(self, component: Component) -> bool:
        """Whether the component has such a property."""
        lines = component.all(self.name)
        if self.absent or not lines:
            return self.absent and not lines
        answers = [text.holds([value for line in lines for value in values_of(line)]) for text in self.texts]
        answers += [any(param.holds(line) for line in lines) for param in self.params]
        if self.time_range is not None:
            answers.append(any(_is_within(line, self.time_range) for line in lines))
        return not answers or (any(answers) if self.any_of else all(answers))


@dataclass(frozen=True, slots=True)
class CompFilter:
    """A component (RFC 4791 §9.7.1)."""

    name: str
    absent: bool = False
    time_range: TimeRange | None = None
    props: tuple[PropFilter, ...] = ()
    comps: tuple[CompFilter, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether it asks for nothing that an index of types and times does not know."""
        return not self.props and not self.comps


@dataclass(frozen=True, slots=True)
class CardFilter:
    """The filter of an addressbook-query (RFC 6352 §10.5)."""

    props: tuple[PropFilter, ...]
    any_of: bool

    def holds(self, card: Component) -> bool:
        """Whether a card matches; a filter without conditions matches every card."""
        answers = (prop.holds(card) for prop in self.props)
        return not self.props or (any(answers) if self.any_of else all(answers))


def parse_calendar_filter(root: Element) -> CompFilter:
    """
    The filter of a calendar-query.

    Raises:
        PlaceRefused: ``valid-filter``, ``supported-filter`` or ``supported-collation`` (RFC 4791 §7.8).
    """
    filters = root.findall(CALDAV.filter)
    if len(filters) != 1 or len(filters[0]) != 1 or filters[0][0].tag != CALDAV.comp_filter:
        raise refused("valid-filter", "a calendar-query has one CALDAV:filter with one CALDAV:comp-filter")
    found = _comp_filter(filters[0][0])
    if found.name != "VCALENDAR":
        raise refused("valid-filter", f"the outermost comp-filter is {found.name[:40]}; it can be VCALENDAR")
    return found


def parse_card_filter(root: Element) -> CardFilter:
    """The filter of an addressbook-query; a missing one matches every card, as some clients mean it."""
    element = root.find(CARDDAV.filter)
    if element is None:
        return CardFilter((), True)
    props = tuple(_prop_filter(child, CARDDAV) for child in element if child.tag == CARDDAV.prop_filter)
    if len(props) != len(element):
        raise refused("supported-filter", "the filter of an addressbook-query holds prop-filters only", CARDDAV)
    return CardFilter(props, _any_of(element))


def parse_time_range(element: Element) -> TimeRange:
    """A ``time-range`` or ``expand`` (RFC 4791 §9.9): UTC instants, at least one of them, in their order."""
    start, end = element.get("start"), element.get("end")
    try:
        asked = TimeRange(
            *(
                fallback if text is None else _utc(text)
                for text, fallback in ((start, TimeRange().start_s), (end, TimeRange().end_s))
            )
        )
    except ValueError as error:
        raise refused("valid-filter", f"a time-range holds UTC times: {error}") from error
    if (start is None and end is None) or asked.end_s <= asked.start_s:
        raise refused("valid-filter", "a time-range has a start, an end or both, and the end is later")
    return asked


def values_of(line: Line) -> list[str]:
    """A property's value as text; of a list (CATEGORIES) also its entries."""
    text = line.text
    if line.name not in ("CATEGORIES", "RESOURCES", "NICKNAME", "ORG", "N") or ("," not in text and ";" not in text):
        return [text]
    return [text, *(entry.strip() for entry in text.replace(";", ",").split(","))]


def _utc(text: str) -> int:
    moment = parse_moment(text)
    if not moment.utc:
        raise ValueError(f"{text[:40]!r} does not end with Z")
    return moment.clock_s


def _comp_filter(element: Element) -> CompFilter:
    name = element.get("name", "").upper()
    if not name:
        raise refused("valid-filter", "a comp-filter has a name")
    absent, time_range = False, None
    props, comps = list[PropFilter](), list[CompFilter]()
    for child in element:
        match child.tag:
            case CALDAV.is_not_defined:
                absent = True
            case CALDAV.time_range:
                time_range = parse_time_range(child)
            case CALDAV.prop_filter:
                props.append(_prop_filter(child, CALDAV))
            case CALDAV.comp_filter:
                comps.append(_comp_filter(child))
            case other:
                raise refused("valid-filter", f"{other[:80]} does not stand in a comp-filter")
    if absent and (time_range or props or comps):
        raise refused("valid-filter", "is-not-defined stands alone in its comp-filter")
    return CompFilter(name, absent, time_range, tuple(props), tuple(comps))


def _prop_filter(element: Element, space: Namespace) -> PropFilter:
    name = element.get("name", "").upper()
    if not name:
        raise refused("valid-filter", "a prop-filter has a name", space)
    absent, time_range = False, None
    texts, params = list[TextMatch](), list[ParamFilter]()
    for child in element:
        if child.tag == space.is_not_defined:
            absent = True
        elif child.tag == CALDAV.time_range and space is CALDAV:
            time_range = parse_time_range(child)
        elif child.tag == space.text_match:
            texts.append(_text_match(child, space))
        elif child.tag == space.param_filter:
            params.append(_param_filter(child, space))
        else:
            raise refused("valid-filter", f"{child.tag[:80]} does not stand in a prop-filter", space)
    any_of = space is CARDDAV and _any_of(element)
    return PropFilter(name, absent, time_range, tuple(texts), tuple(params), any_of)


def _param_filter(element: Element, space: Namespace) -> ParamFilter:
    text = element.find(space.text_match)
    absent = element.find(space.is_not_defined) is not None
    return ParamFilter(element.get("name", "").upper(), absent, None if text is None else _text_match(text, space))


def _text_match(element: Element, space: Namespace) -> TextMatch:
    collation = element.get("collation", "i;ascii-casemap" if space is CALDAV else "i;unicode-casemap")
    how = element.get("match-type", "contains")
    if collation not in COLLATIONS:
        raise refused("supported-collation", f"the collation {collation[:40]!r} is not offered", space)
    if how not in MATCHES:
        raise refused("valid-filter", f"match-type is {how[:40]!r}; it can be {', '.join(MATCHES)}", space)
    return TextMatch("".join(element.itertext()), element.get("negate-condition") == "yes", collation, how)


def _any_of(element: Element) -> bool:
    test = element.get("test", "anyof")
    if test not in ("anyof", "allof"):
        raise refused("valid-filter", f"test is {test[:20]!r}; it can be anyof or allof", CARDDAV)
    return test == "anyof"


def _is_within(line: Line, asked: TimeRange) -> bool:
    try:
        moment = parse_moment(line.value)
    except ValueError:
        return False
    end_s = moment.clock_s + (86_400 if moment.is_date else 1)
    return asked.start_s < end_s and asked.end_s > moment.clock_s
