"""
When calendar objects take place, as the index keeps it, so that a time range is answered from rows (RFC 4791 §9.9).

A recurrence is followed once, when the object is stored, up to a horizon and a number of rows; what lies beyond stands
in one open row, and who asks about that far has the object itself judged (``storage.recurrence``). Times with a zone
are in UTC. Dates and floating times are kept as their clock shows them: which zone they mean, a query may say.

The rows speak of the components themselves, not of their alarms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from storage.contentlines import Component, Line
from storage.itemvalues import DAY_S, parse_duration, parse_moment, parse_period, parse_recurrence
from storage.records import FAR_AWAY, LENGTHS_S, LOCAL, LONG_AGO, OPEN_ROW, Span
from storage.recurrence import TimeRange, occurrences
from storage.rrule import TooCostly
from storage.zones import Zones, seconds

ZONE_SLACK_S = DAY_S + 7200  # a local clock is less than 26 hours away from UTC
KEPT_AHEAD_S = 730 * DAY_S
MOST_ROWS = 500
BUSY, TENTATIVE, UNAVAILABLE = 1, 2, 3
EVERYWHERE = Span(OPEN_ROW, LONG_AGO, FAR_AWAY, 0)


def date_entries(line: Line) -> Iterable[str]:
    """The entries of a list of dates; a property without any (``EXDATE:``, as some clients send) has none."""
    return (entry for entry in line.value.split(",") if entry.strip())


def class_of(length_s: int) -> int:
    """The class of a span's length."""
    return next((number for number, most in enumerate(LENGTHS_S) if length_s <= most), len(LENGTHS_S))


def find_spans(data: bytes, calendar: Component, components: Sequence[Component], now_s: float) -> tuple[Span, ...]:
    """
    The rows of one object: of its master and overrides, whose values have been judged.

    Args:
        now_s: rules without end are followed two years from here, or from their start where that is later.
    """
    kind = components[0].name
    zones = Zones(data, calendar)
    if kind == "VFREEBUSY" or any(_is_mixed(component, zones) or _moves_others(component) for component in components):
        return (EVERYWHERE,)
    begin_s = _begin(components, zones)
    horizon, is_open = _horizon(components, begin_s, now_s)
    try:
        rows, cut_s = _rows(data, calendar, components, zones, horizon)
        if cut_s is not None:
            horizon, is_open = cut_s, True
            rows, cut_s = _rows(data, calendar, components, zones, horizon)
        if cut_s is not None:  # lists of dates and rules in no order: their first rows are not the earliest
            rows, horizon = [], begin_s
    except (TooCostly, OverflowError):
        rows, horizon, is_open = [], begin_s, True
    if is_open:
        rows.append(Span(OPEN_ROW, horizon - ZONE_SLACK_S, _rules_end(components), 0))
    return tuple(rows)


def _rows(
    data: bytes, calendar: Component, components: Sequence[Component], zones: Zones, horizon: int
) -> tuple[list[Span], int | None]:
    """What begins before the horizon; with the second where to cut it where those are too many rows."""
    kind = components[0].name
    of_component = {
        id(component): (LOCAL if _is_local(component, zones) else 0, busy_of(component) if kind == "VEVENT" else 0)
        for component in components
    }
    rows: list[Span] = []
    for found in occurrences(data, calendar, kind, TimeRange(LONG_AGO, horizon)):
        first, last = found.above_s, found.below_s
        if first >= horizon:
            continue
        if len(rows) >= MOST_ROWS + len(components):
            return rows, max(rows[MOST_ROWS - 1].start_s, rows[0].start_s + 1)
        clock, busy = of_component[id(found.component)]
        rows.append(Span(class_of(last - first) + clock, first, last, busy if found.end_s > found.start_s else 0))
    return rows, None


def busy_of(component: Component) -> int:
    """Whether an event takes time of its owner (RFC 4791 §7.10); as ``Span.busy``."""
    transparency, status = component.find("TRANSP"), component.find("STATUS")
    if transparency is not None and transparency.value.strip().upper() == "TRANSPARENT":
        return 0
    said = status.value.strip().upper() if status is not None else ""
    return {"CANCELLED": 0, "TENTATIVE": TENTATIVE}.get(said, BUSY)


def _horizon(components: Sequence[Component], begin_s: int, now_s: float) -> tuple[int, bool]:
    """Up to where occurrences are followed, and whether there are more behind it."""
    rules = [parse_recurrence(rule.value) for component in components for rule in component.all("RRULE")]
    if all(rule.count is not None or rule.until is not None for rule in rules):
        return FAR_AWAY, False
    return max(begin_s, int(now_s)) + KEPT_AHEAD_S, True


def _begin(components: Sequence[Component], zones: Zones) -> int:
    """No occurrence begins earlier."""
    lines = [line for component in components for line in _dates(component, ("DTSTART", "DUE", "DTEND", "RDATE"))]
    moments = [seconds(parse_period(entry)[0], zones.of(line)) for line in lines for entry in date_entries(line)]
    return min(moments, default=LONG_AGO + ZONE_SLACK_S) - ZONE_SLACK_S


def _rules_end(components: Sequence[Component]) -> int:
    """No occurrence of the rules reaches further."""
    if len(components) > 1:
        return FAR_AWAY
    ends = [parse_recurrence(rule.value).until for rule in components[0].all("RRULE")]
    if not ends or None in ends or components[0].find("RDATE"):
        return FAR_AWAY
    start = components[0].find("DTSTART")
    first_s = parse_moment(start.value).clock_s if start is not None else 0
    latest = [parse_moment(line.value).clock_s for line in _dates(components[0], ("DTEND", "DUE"))]
    lengths = [parse_duration(line.value) for line in components[0].all("DURATION")]
    length_s = max([DAY_S, *lengths, *(last - first_s for last in latest)])
    return max(until.clock_s for until in ends if until is not None) + length_s + 2 * ZONE_SLACK_S


def _dates(component: Component, names: Collection[str]) -> Iterator[Line]:
    return (line for line in component.lines if line.name in names)


def _is_local(component: Component, zones: Zones) -> bool:
    line = component.find("DTSTART") or component.find("DUE")
    return line is not None and zones.of(line) is None and not parse_moment(line.value).utc


def _moves_others(component: Component) -> bool:
    """Whether a change of this occurrence changes the later ones too (RFC 5545 §3.2.13); few clients make such."""
    named = component.find("RECURRENCE-ID")
    return named is not None and named.parameter("RANGE") is not None


def _is_mixed(component: Component, zones: Zones) -> bool:
    """Whether some dates are on a local clock and others are not: then the zone decides which of them are the same."""
    local = _is_local(component, zones)
    for line in _dates(component, ("DTSTART", "DTEND", "DUE", "RDATE", "EXDATE", "RECURRENCE-ID")):
        is_zoned = zones.of(line) is not None
        if any((not is_zoned and not parse_period(entry)[0].utc) is not local for entry in date_entries(line)):
            return True
    untils = [parse_recurrence(rule.value).until for rule in component.all("RRULE")]
    return local and any(until is not None and until.utc for until in untils)
