"""The parts that read what clients send, without a server: a value or a refusal, nothing else."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.errors import BadRequest
from davserver.dav.propfind import parse_propfind
from davserver.mounts.pim_filter import parse_calendar_filter, parse_card_filter, parse_time_range
from storage import shown
from storage.contentlines import parse_components
from storage.errors import FileRefused, PlaceRefused
from storage.export import join_items
from storage.partial import Selection, select_parts
from storage.records import Content
from storage.recurrence import TimeRange, occurrences, overlaps
from storage.zones import system_zone, zone_of_calendar
from tests.harness import NAMESPACES
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import event, query

JANUARY = TimeRange(1798761600, 1801440000)  # 2027
NAMES = st.sampled_from(["comp-filter", "prop-filter", "time-range", "text-match", "param-filter", "is-not-defined"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["name", "start", "end", "collation", "test", "match-type"]), st.text())


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    """Elements of a filter in any order."""
    space = draw(st.sampled_from(["urn:ietf:params:xml:ns:caldav", "urn:ietf:params:xml:ns:carddav"]))
    element = Element(f"{{{space}}}{draw(NAMES)}", draw(ATTRIBUTES))
    element.text = draw(st.text(max_size=5))
    if depth:
        element.extend(draw(st.lists(elements(depth=depth - 1), max_size=3)))
    return element


@given(elements())
def test_a_filter_is_understood_or_refused(element: Element) -> None:
    for space, parse in (("caldav", parse_calendar_filter), ("carddav", parse_card_filter)):
        root, holder = Element("x"), Element(f"{{urn:ietf:params:xml:ns:{space}}}filter")
        holder.append(element)
        root.append(holder)
        with suppress(PlaceRefused):
            parse(root)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_time_range_is_understood_or_refused(start: str, end: str) -> None:
    with suppress(PlaceRefused):
        asked = parse_time_range(Element("x", {"start": start, "end": end}))
        assert asked.start_s < asked.end_s


@given(st.sampled_from(["propfind", "prop", "x"]), st.lists(st.sampled_from(["prop", "allprop", "propname", "y"])))
def test_a_propfind_is_understood_or_refused(root: str, children: list[str]) -> None:
    inner = "".join(f"<{name}/>" for name in children)
    with suppress(BadRequest):
        parse_propfind(fromstring(f'<{root} xmlns="DAV:">{inner}</{root}>'))


def test_a_query_names_what_it_asks() -> None:
    found = parse_calendar_filter(fromstring(query('<C:comp-filter name="vevent"/>')))
    assert (found.name, found.comps[0].name, found.comps[0].is_bare) == ("VCALENDAR", "VEVENT", True)


def _starts(data: bytes, asked: TimeRange) -> list[int]:
    calendar = parse_components(data, longest_head=1000)[0]
    found = occurrences(data, calendar, "VEVENT", asked)
    return [each.start_s for each in found if each.start_s < asked.end_s]


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("RRULE:FREQ=DAILY", 31),
        ("RRULE:FREQ=WEEKLY;UNTIL=20270110T235959Z", 1),
        ("RRULE:FREQ=DAILY;COUNT=3", 3),
        ("RRULE:FREQ=MONTHLY;BYDAY=-1SU", 2),
        ("RDATE:20270115T100000Z,20270116T100000Z", 3),
        ("RRULE:FREQ=DAILY;COUNT=4\r\nEXDATE:20270106T100000Z", 3),
    ],
)
@pytest.mark.rfc("5545", "3.8.5")
def test_a_rule_gives_its_occurrences(rule: str, count: int) -> None:
    start = "20270101T100000Z" if rule == "RRULE:FREQ=DAILY" else "20270105T100000Z"
    data = event("u", "x", rule, start=start).encode()
    assert len(_starts(data, JANUARY)) == count


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY;BYSETPOS=2",
        "FREQ=SECONDLY;COUNT=999999999",
        "FREQ=YEARLY;RSCALE=CHINESE",
    ],
)
def test_a_rule_that_cannot_be_followed_cheaply_may_overlap_anything(rule: str) -> None:
    data = event("u", "x", f"RRULE:{rule}", start="20200101T000000Z").encode()
    calendar = parse_components(data, longest_head=1000)[0]
    assert overlaps(data, calendar, "VEVENT", JANUARY, rule)


def test_a_rule_that_never_gives_anything_overlaps_nothing() -> None:
    data = event("u", "x", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", start="20200101T000000Z").encode()
    calendar = parse_components(data, longest_head=1000)[0]
    assert not overlaps(data, calendar, "VEVENT", JANUARY, "never")


def test_the_clock_change_of_a_zone_is_heeded_by_an_occurrence() -> None:
    data = event("u", "x", "DTSTART;TZID=Europe/Berlin:20260601T100000", "RRULE:FREQ=MONTHLY").encode()
    starts = _starts(data, TimeRange(end_s=JANUARY.end_s))
    assert [(start // 3600) % 24 for start in starts] == [8, 8, 8, 8, 8, 9, 9, 9]


@pytest.mark.rfc("4791", "7.3")
def test_a_day_without_a_zone_is_a_day_of_the_calendar_s_zone() -> None:
    data = event("u", "x", "DTSTART;VALUE=DATE:20270115").encode()
    calendar = parse_components(data, longest_head=1000)[0]
    zone = zone_of_calendar(in_calendar("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "END:VTIMEZONE"))
    assert [each.start_s % 86_400 for each in occurrences(data, calendar, "VEVENT", JANUARY, zone)] == [23 * 3600]


def test_a_zone_is_known_also_with_a_vendor_s_path_before_it() -> None:
    assert str(system_zone("/mozilla.org/20050126_1/Europe/Berlin")) == "Europe/Berlin"
    assert system_zone("../../etc/passwd") is None


@given(st.binary(max_size=200))
def test_parts_of_anything_are_lines_of_it(data: bytes) -> None:
    selection = Selection.parse(fromstring(f'<x {NAMESPACES}><C:comp name="VCALENDAR"><C:allprop/></C:comp></x>'))
    assert selection is not None
    kept = select_parts(data, selection)
    assert all(line in data for line in kept.splitlines(keepends=True))


@given(st.lists(st.binary(max_size=100), max_size=4), st.text(max_size=20))
def test_an_export_of_anything_is_framed(items: list[bytes], title: str) -> None:
    whole = b"".join(join_items(map(Content, items), "VCALENDAR", title.encode("utf-8", "replace").decode()))
    assert whole.startswith(b"BEGIN:VCALENDAR\r\n")
    assert whole.endswith(b"END:VCALENDAR\r\n")


@given(st.binary(max_size=100))
def test_the_member_s_own_file_is_read_or_refused_and_kept_when_it_is_broken(text: bytes) -> None:
    with suppress(FileRefused):
        shown.parse(text)
        changed = shown.changed(text, "a~b", {"hidden": True})
        assert tomllib.loads(changed.decode())["a~b"]["hidden"] is True
        assert shown.parse(changed)["a~b"].hidden


def test_a_shown_name_is_read_in_every_way() -> None:
    assert list(shown.splits("a~b~c")) == [("a", "b~c"), ("a~b", "c")]
    assert list(shown.splits("~a~")) == []
    names = ("a~b", "board-abcd2345", "polls", "board-meeting")
    assert [shown.is_reserved(name) for name in names] == [True, True, True, False]
