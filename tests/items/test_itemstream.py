"""A file of many items becomes items, with every component as it was."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import ItemRefused
from storage.icalendar import judge
from storage.itemstream import split_collection, split_parts
from tests.items.conftest import Judge, calendar, card, component

PARIS = ("BEGIN:VTIMEZONE", "TZID:Europe/Paris", "X-OF:zone", "END:VTIMEZONE")
TOKYO = ("BEGIN:VTIMEZONE", "TZID:Asia/Tokyo", "END:VTIMEZONE")
WEEKLY = component(
    "VEVENT", "DTSTART;TZID=Europe/Paris:20260101T100000", "RRULE:FREQ=WEEKLY", "X-A:b,c\r\n  d", uid="w"
)
MOVED = component("VEVENT", "DTSTART:20260109T100000Z", 'RECURRENCE-ID;TZID="Europe/Paris":20260108T100000', uid="w")
TASK = component("VTODO", "BEGIN:VALARM", "UID:of-the-alarm", "TRIGGER:-PT5M", "END:VALARM", uid="t")


def text(lines: tuple[str, ...]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


@pytest.mark.rfc("4791", "4.1")
def test_a_calendar_becomes_one_object_for_each_uid_with_the_zones_it_names(judge_calendar: Judge) -> None:
    whole = calendar("METHOD:PUBLISH", "X-WR-CALNAME:Sport", *PARIS, *TOKYO, *WEEKLY, *TASK, *MOVED)
    weekly, task = split_collection(whole, "VCALENDAR")
    assert weekly == calendar(*PARIS, *WEEKLY, *MOVED)
    assert task == calendar(*TASK)
    for item in (weekly, task):
        assert judge_calendar(item).rewritten is False


def test_several_calendars_in_one_file_are_all_taken() -> None:
    items = split_collection(calendar(*WEEKLY) + b"\r\n" + calendar(*TASK), "VCALENDAR")
    assert items == [calendar(*WEEKLY), calendar(*TASK)]


def test_components_without_uid_get_one_that_is_the_same_next_time(judge_calendar: Judge) -> None:
    whole = calendar("BEGIN:VTODO", "SUMMARY:a", "END:VTODO", "BEGIN:VTODO", "SUMMARY:b", "END:VTODO")
    once, again = split_collection(whole, "VCALENDAR"), split_collection(whole, "VCALENDAR")
    assert once == again
    assert len({judge_calendar(item).facts.uid for item in once}) == 2


def test_cards_are_kept_as_they_are_and_named_where_they_have_no_uid(judge_card: Judge) -> None:
    named, nameless = card("UID:1", "FN:Jane", "PHOTO:a,b"), card("FN:Joe")
    items = split_collection(named + nameless, "VADDRESSBOOK")
    assert items[0] == named
    assert judge_card(items[1]).facts.uid
    assert items == split_collection(named + nameless, "VADDRESSBOOK")


def test_a_file_without_last_line_end_loses_nothing(judge_calendar: Judge) -> None:
    (item,) = split_collection(calendar(*TASK).rstrip(), "VCALENDAR")
    assert judge_calendar(item).facts.uid == "t"


def test_an_empty_calendar_has_no_items() -> None:
    assert split_collection(calendar(*PARIS), "VCALENDAR") == []


@pytest.mark.parametrize(
    ("data", "tag", "condition"),
    [
        (b"hello\r\n", "VCALENDAR", "valid-calendar-data"),
        (text(TASK), "VCALENDAR", "valid-calendar-data"),
        (calendar(*TASK)[:-20], "VCALENDAR", "valid-calendar-data"),
        (calendar(*TASK), "VADDRESSBOOK", "valid-address-data"),
    ],
    ids=["prose", "no frame", "cut off", "wrong kind"],
)
def test_a_file_of_something_else_is_refused(data: bytes, tag: str, condition: str) -> None:
    with pytest.raises(ItemRefused) as refused:
        split_collection(data, tag)
    assert refused.value.condition == condition


@given(
    st.binary(max_size=300) | st.lists(st.sampled_from([*WEEKLY, *TASK, *PARIS, "BEGIN:VCALENDAR", "END:VCALENDAR"]))
)
def test_any_file_is_taken_apart_or_refused(content: bytes | list[str]) -> None:
    data = content if isinstance(content, bytes) else "\r\n".join(content).encode()
    for tag in ("VCALENDAR", "VADDRESSBOOK"):
        with suppress(ItemRefused):
            for item in split_collection(data, tag):
                with suppress(ItemRefused):
                    judge(item, tag, max_bytes=1 << 20, max_line_bytes=1 << 16)


def test_each_part_names_the_line_in_which_its_first_component_begins() -> None:
    text = "\ufeff" + "\r\n".join(
        [
            *("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:a", "SUMMARY:one", " folded", "END:VEVENT"),
            *("BEGIN:VEVENT", "UID:b", "END:VEVENT", "", "BEGIN:VEVENT", "UID:a", "END:VEVENT", "END:VCALENDAR"),
            *("BEGIN:VCALENDAR", "BEGIN:VTODO", "UID:c", "END:VTODO", "END:VCALENDAR", ""),
        ]
    )
    parts = split_parts(text.encode(), "VCALENDAR")
    assert [part.line for part in parts] == [3, 8, 17]
    assert [part.data for part in parts] == split_collection(text.encode(), "VCALENDAR")
    cards = "\r\n".join([*("BEGIN:VCARD", "FN:a", "END:VCARD", ""), *("BEGIN:VCARD", "FN:b", "END:VCARD", "")])
    assert [part.line for part in split_parts(cards.encode(), "VADDRESSBOOK")] == [1, 5]


def test_a_long_time_zone_is_not_copied_for_each_of_many_objects() -> None:
    rule = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n"
    zone = f"BEGIN:VTIMEZONE\r\nTZID:Long\r\n{rule * 11_000}END:VTIMEZONE\r\n"  # a megabyte
    lines = "DTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Long:20260101T000000\r\n"
    events = [f"BEGIN:VEVENT\r\nUID:{number}\r\n{lines}END:VEVENT\r\n" for number in range(150)]
    frame = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n"
    assert len(split_collection(frame.format(zone + events[0]).encode(), "VCALENDAR")) == 1
    with pytest.raises(ItemRefused) as refused:
        split_collection(frame.format(zone + "".join(events)).encode(), "VCALENDAR")
    assert refused.value.condition == "max-resource-size"
