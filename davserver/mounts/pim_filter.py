"""The filters of calendar-query and addressbook-query (RFC 4791 §9.7, RFC 6352 §10.5): parsed once, asked per item."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from davserver.dav.names import CALDAV, CARDDAV, Namespace
from storage.contentlines import Component, Line
from storage.errors import PlaceRefused
from storage.itemvalues import parse_moment
from storage.recurrence import TimeRange
from storage.searchable import unicode_casemap, values_of

ASCII_FOLD = str.maketrans({chr(upper): chr(upper + 32) for upper in range(ord("A"), ord("Z") + 1)})
MATCHES: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, text: text in value,
    "equals": lambda value, text: value == text,
    "starts-with": lambda value, text: value.startswith(text),
    "ends-with": lambda value, text: value.endswith(text),
}


COLLATIONS: dict[str, Callable[[str], str]] = {
    # RFC 4790 §9.2, §9.3, RFC 5051
    "i;ascii-casemap": lambda text: text.translate(ASCII_FOLD),
    "i;octet": lambda text: text,
    "i;unicode-casemap": unicode_casemap,
}
DEFAULT_COLLATION = {CALDAV: "i;ascii-casemap", CARDDAV: "i;unicode-casemap"}  # RFC 4791 §7.5, RFC 6352 §8.3
TIMED_COMPONENTS = frozenset({"VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VALARM", "VAVAILABILITY"})
TIMED_PROPERTIES = frozenset({"COMPLETED", "CREATED", "DTEND", "DTSTAMP", "DTSTART", "DUE", "LAST-MODIFIED"})
UNTIMED = {
    # properties that have no time (RFC 5545 §3.8)
    *("ACTION", "ATTACH", "ATTENDEE", "CATEGORIES", "CLASS", "COMMENT", "CONTACT", "DESCRIPTION", "GEO", "LOCATION"),
    *("ORGANIZER", "PERCENT-COMPLETE", "PRIORITY", "RELATED-TO", "REPEAT", "REQUEST-STATUS", "RESOURCES", "SEQUENCE"),
    *("STATUS", "SUMMARY", "TRANSP", "TZID", "UID", "URL", "CALSCALE", "METHOD", "PRODID", "VERSION"),
}
WITHIN = {
    # component: what it can stand in (RFC 5545 §3.6, RFC 7953 §3.1); others stand anywhere
    **dict.fromkeys(("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"), ("VCALENDAR",)),
    "VCALENDAR": (),
    "VALARM": ("VEVENT", "VTODO"),
    "STANDARD": ("VTIMEZONE",),
    "DAYLIGHT": ("VTIMEZONE",),
    "AVAILABLE": ("VAVAILABILITY",),
}

LiesIn = Callable[[Component, str, TimeRange], bool]


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

    def is_in(self, values: Iterable[str]) -> bool:
        """Whether one of the values matches, negated or not."""
        fold, match = COLLATIONS[self.collation], MATCHES[self.how]
        text = fold(self.text)
        return any(match(fold(value), text) for value in values)

    def holds(self, values: Iterable[str]) -> bool:
        """Whether one of the values matches, or none does when negated."""
        return self.is_in(values) is not self.negate


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
    """
    A property of a component or card (RFC 4791 §9.7.2, RFC 6352 §10.5.1).

    Where a property stands several times, one of them has to match all that is asked; of a negated text, none may
    match it.

    Attributes:
        group: of a vCard's property; None where any or none will do.
        any_of: whether one of the conditions is enough.
    """

    name: str
    absent: bool = False
    time_range: TimeRange | None = None
    texts: tuple[TextMatch, ...] = ()
    params: tuple[ParamFilter, ...] = ()
    any_of: bool = False
    group: str | None = None

    def holds(self, component: Component, lies_in: LiesIn | None = None) -> bool:
        """Whether the component has such a property; ``lies_in`` says whether a property lies in a time range."""
        lines = [line for line in component.all(self.name) if self.group is None or line.group == self.group]
        if self.time_range is not None and (lies_in is None or not lies_in(component, self.name, self.time_range)):
            return False
        if self.time_range is not None and not lines:
            return not self.params  # DURATION stands for it
        if self.absent or not lines:
            return self.absent and not lines
        return self._any_holds(lines) if self.any_of else self._all_hold(lines)

    def _any_holds(self, lines: list[Line]) -> bool:
        values = [value for line in lines for value in values_of(line)]
        return (
            not (self.texts or self.params)
            or any(text.holds(values) for text in self.texts)
            or any(param.holds(line) for param in self.params for line in lines)
        )

    def _all_hold(self, lines: list[Line]) -> bool:
        lines = [line for line in lines if all(param.holds(line) for param in self.params)]
        unwanted = [text for text in self.texts if text.negate]
        if any(text.is_in(values_of(line)) for text in unwanted for line in lines):
            return False
        wanted = [text for text in self.texts if not text.negate]
        return any(all(text.is_in(values_of(line)) for text in wanted) for line in lines)


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


def _utc(text: str) -> int:
    moment = parse_moment(text)
    if not moment.utc:
        raise ValueError(f"{text[:40]!r} does not end with Z")
    return moment.clock_s


def _comp_filter(element: Element, outer: str = "") -> CompFilter:
    name = element.get("name", "").upper()
    if not name:
        raise refused("valid-filter", "a comp-filter has a name")
    if outer and outer not in WITHIN.get(name, (outer,)):
        raise refused("valid-filter", f"a {name[:40]} does not stand in a {outer[:40]}")
    time_range: TimeRange | None = None
    props, comps = list[PropFilter](), list[CompFilter]()
    for child in element:
        match child.tag:
            case CALDAV.is_not_defined:
                _require_alone(child, element, CALDAV)
                return CompFilter(name, absent=True)
            case CALDAV.time_range if time_range is None:
                time_range = _range_of(name, child, TIMED_COMPONENTS, WITHIN)
            case CALDAV.prop_filter:
                props.append(_prop_filter(child, CALDAV))
            case CALDAV.comp_filter:
                comps.append(_comp_filter(child, name))
            case other:
                raise refused("valid-filter", f"{other[:80]} does not stand in a comp-filter, or not twice")
    return CompFilter(name, False, time_range, tuple(props), tuple(comps))


def _range_of(name: str, element: Element, timed: Container[str], untimed: Container[str]) -> TimeRange:
    """The time-range of what has a time; of what may have one, nobody knows how it is compared (RFC 4791 §9.9)."""
    if name not in timed:
        condition = "valid-filter" if name in untimed else "supported-filter"
        raise refused(condition, f"a time-range of {name[:40]} has no meaning in RFC 4791 9.9")
    return parse_time_range(element)


def _require_alone(child: Element, outer: Element, space: Namespace) -> None:
    if len(outer) > 1:
        raise refused("valid-filter", f"{child.tag[:80]} stands alone where it stands", space)


def _prop_filter(element: Element, space: Namespace) -> PropFilter:
    group, _, name = element.get("name", "").upper().rpartition(".")
    if not name:
        raise refused("valid-filter", "a prop-filter has a name", space)
    if space is CALDAV and group:
        raise refused("valid-filter", f"{element.get('name', '')[:40]!r} is no name of a property", space)
    time_range: TimeRange | None = None
    texts, params = list[TextMatch](), list[ParamFilter]()
    for child in element:
        if child.tag == space.is_not_defined:
            _require_alone(child, element, space)
            return PropFilter(name, absent=True, group=group or None)
        if child.tag == CALDAV.time_range and space is CALDAV and not texts and time_range is None:
            time_range = _range_of(name, child, TIMED_PROPERTIES, UNTIMED)
        elif child.tag == space.text_match and (space is CARDDAV or (not texts and time_range is None)):
            texts.append(_text_match(child, space))
        elif child.tag == space.param_filter:
            params.append(_param_filter(child, space))
        else:
            raise refused("valid-filter", f"{child.tag[:80]} does not stand there in a prop-filter", space)
    any_of = space is CARDDAV and _any_of(element)
    return PropFilter(name, False, time_range, tuple(texts), tuple(params), any_of, group or None)


def _param_filter(element: Element, space: Namespace) -> ParamFilter:
    name = element.get("name", "").upper()
    if not name or len(element) > 1:
        raise refused("valid-filter", "a param-filter has a name and one condition at most", space)
    for child in element:
        if child.tag == space.is_not_defined:
            return ParamFilter(name, True, None)
        if child.tag == space.text_match:
            return ParamFilter(name, False, _text_match(child, space))
        raise refused("valid-filter", f"{child.tag[:80]} does not stand in a param-filter", space)
    return ParamFilter(name, False, None)


def _text_match(element: Element, space: Namespace) -> TextMatch:
    collation = element.get("collation", "default")
    if collation == "default":
        collation = DEFAULT_COLLATION[space]
    how = element.get("match-type", "contains") if space is CARDDAV else "contains"
    negate = element.get("negate-condition", "no")
    if collation not in COLLATIONS:
        raise refused("supported-collation", f"the collation {collation[:40]!r} is not offered", space)
    if how not in MATCHES:
        raise refused("valid-filter", f"match-type is {how[:40]!r}; it can be {', '.join(MATCHES)}", space)
    if negate not in ("yes", "no"):
        raise refused("valid-filter", f"negate-condition is {negate[:20]!r}; it can be yes or no", space)
    return TextMatch("".join(element.itertext()), negate == "yes", collation, how)


def _any_of(element: Element) -> bool:
    test = element.get("test", "anyof")
    if test not in ("anyof", "allof"):
        raise refused("valid-filter", f"test is {test[:20]!r}; it can be anyof or allof", CARDDAV)
    return test == "anyof"
