"""What of a published calendar or book is not for the world."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.contentlines import parse_components
from storage.published import WorldView, for_the_world
from storage.records import Content, Member
from tests.links.conftest import Desk
from tests.pim.samples import CRLF, calendar, card, event, journal, task

CALENDAR = "VCALENDAR"
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Hush", "END:VALARM")
SERIES = (
    "BEGIN:VEVENT",
    "UID:s",
    "DTSTAMP:20260101T000000Z",
    "SUMMARY:Training",
    "DTSTART;TZID=Europe/Paris:20270105T100000",
    "DURATION:PT1H",
    "RRULE:FREQ=WEEKLY;COUNT=5",
    "END:VEVENT",
)


def override(*more: str, recurrence: str = "RECURRENCE-ID;TZID=Europe/Paris:20270112T100000") -> tuple[str, ...]:
    """The second time of the series, moved."""
    return (
        "BEGIN:VEVENT",
        "UID:s",
        "DTSTAMP:20260101T000000Z",
        "SUMMARY:Moved",
        recurrence,
        "DTSTART;TZID=Europe/Paris:20270113T180000",
        "DURATION:PT2H",
        *more,
        "END:VEVENT",
    )


def shown(body: str, tag: str = CALENDAR) -> str | None:
    """An item as the world sees it, folds taken out."""
    seen = for_the_world(Content(body.encode()), tag, "Busy")
    return None if seen is None else re.sub("\r\n[ \t]", "", seen.data.decode())


@pytest.mark.rfc("5545", "3.8.1.3")
@pytest.mark.parametrize(
    "line", ["CLASS:PRIVATE", "class;X-A=b:Private", "CLASS:X-BOARD", "CLASS:", "CLA\r\n SS:PRIV\r\n ATE"]
)
def test_what_is_private_is_not_published(line: str) -> None:
    assert shown(event("u", "Secret", line)) is None
    assert shown(task("u", "Secret", line)) is None


@pytest.mark.rfc("5545", "3.8.1.3")
def test_what_is_public_is_published_byte_for_byte() -> None:
    for body in (event("u", "Open", "CLASS:PUBLIC"), event("u", "A PRIVATE word in CLASS"), journal()):
        content = Content(body.encode())
        assert for_the_world(content, CALENDAR, "Busy") is content


@pytest.mark.rfc("5545", "3.8.1.3")
def test_of_a_confidential_event_the_times_remain() -> None:
    details = ("LOCATION:Here", "DESCRIPTION:Why", "X-ALT-DESC:Why", "CATEGORIES:What", "URL:https://x.example", *ALARM)
    body = event("secret-uid", "Secret", "CLASS:CONFIDENTIAL", "RRULE:FREQ=DAILY;COUNT=3", "COMMENT:No", *details)
    seen = shown(body)
    assert seen is not None
    for word in ("ecret", "Here", "Why", "What", "x.example", "Hush", "No"):
        assert word not in seen
    for line in ("SUMMARY:Busy", "DTSTART:20270105T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"):
        assert line in seen.split(CRLF)
    assert seen == shown(body)


@pytest.mark.rfc("5545", "3.8.2.7")
def test_what_is_confidential_and_takes_no_time_is_not_published() -> None:
    assert shown(event("u", "Secret", "CLASS:CONFIDENTIAL", "TRANSP:TRANSPARENT")) is None
    assert shown(task("u", "Secret", "CLASS:CONFIDENTIAL")) is None
    assert shown(calendar("BEGIN:VJOURNAL", "UID:j", "CLASS:CONFIDENTIAL", "SUMMARY:Secret", "END:VJOURNAL")) is None


@pytest.mark.rfc("5545", "3.8.5.1")
@pytest.mark.parametrize("secrecy", [("CLASS:PRIVATE",), ("CLASS:CONFIDENTIAL", "TRANSP:TRANSPARENT")])
def test_an_occurrence_that_is_not_published_is_excepted_from_its_series(secrecy: tuple[str, ...]) -> None:
    seen = shown(calendar(*SERIES, *override(*secrecy)))
    assert seen is not None
    assert "Moved" not in seen
    assert "20270113T180000" not in seen
    (series,) = parse_components(seen.encode(), longest_head=1000)[0].children
    excepted = series.find("EXDATE")
    assert excepted is not None
    assert (excepted.parameter("TZID"), excepted.value) == ("Europe/Paris", "20270112T100000")


@pytest.mark.rfc("5545", "3.8.5.1")
def test_a_confidential_occurrence_of_a_public_series_is_busy_time() -> None:
    seen = shown(calendar(*SERIES, *override("CLASS:CONFIDENTIAL")))
    assert seen is not None
    assert "SUMMARY:Training" in seen
    assert "SUMMARY:Moved" not in seen
    assert "EXDATE" not in seen
    assert "RECURRENCE-ID;TZID=Europe/Paris:20270112T100000" in seen


def test_what_a_series_says_holds_for_its_occurrences() -> None:
    private = (*SERIES[:-1], "CLASS:PRIVATE", "END:VEVENT")
    assert shown(calendar(*private, *override("CLASS:PUBLIC"))) is None
    confidential = shown(calendar(*SERIES[:-1], "CLASS:CONFIDENTIAL", "END:VEVENT", *override("CLASS:PUBLIC")))
    assert confidential is not None
    assert "Moved" not in confidential
    assert confidential.count("SUMMARY:Busy") == 2


@pytest.mark.rfc("5545", "3.2.13")
def test_a_hidden_change_to_all_later_occurrences_hides_the_series() -> None:
    later = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20270112T100000"
    assert shown(calendar(*SERIES, *override("CLASS:PRIVATE", recurrence=later))) is None


@pytest.mark.rfc("5545", "3.6.6")
def test_alarms_stay_at_home() -> None:
    seen = shown(event("u", "Match", *ALARM, "LOCATION:Hall"))
    assert seen == event("u", "Match", "LOCATION:Hall")


@pytest.mark.rfc("5545", "3.8.4.1")
def test_who_is_invited_is_not_for_the_world() -> None:
    people = (
        "ORGANIZER;CN=Alice:mailto:alice@example.org",
        'ATTENDEE;CN="Bob, Carol";PARTSTAT=ACCEPTED:mailto:bo\r\n b@example.org',
        "REQUEST-STATUS:2.0;Success;ATTENDEE:mailto:bob@example.org",
        "X-MOZ-LASTACK:20260101T000000Z",
    )
    assert shown(event("u", "Match", *people, "CONTACT:The office")) == event("u", "Match", "CONTACT:The office")


@pytest.mark.parametrize("line", ["ATTENDEE:mailto:x@y", "CLASS:PRIVATE", "X-MOZ-LASTACK:20260101T000000Z"])
def test_what_stands_outside_of_events_is_left_out_as_well(line: str) -> None:
    assert shown(calendar(*SERIES, line)) == calendar(*SERIES)


def test_of_several_objects_in_one_file_the_private_ones_are_left_out() -> None:
    """Only a file that came by disk holds several."""
    two = calendar(*SERIES, "BEGIN:VEVENT", "UID:p", "SUMMARY:Secret", "CLASS:PRIVATE", "END:VEVENT")
    assert shown(two) == calendar(*SERIES)


@pytest.mark.parametrize("body", ["CLASS:PRIVATE", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\rCLASS:PRIVATE\rEND:VEVENT\r"])
def test_what_cannot_be_read_and_may_be_private_is_not_published(body: str) -> None:
    assert shown(body) is None


@pytest.mark.rfc("2426", "3.7.1")
def test_private_and_confidential_cards_are_not_published() -> None:
    for secrecy in ("PRIVATE", "CONFIDENTIAL", "X-BOARD"):
        assert shown(card("c", "Ada", f"CLASS:{secrecy}"), "VADDRESSBOOK") is None
        assert shown(card("c", "Ada", f"item1.CLASS:{secrecy}"), "VADDRESSBOOK") is None
    assert shown(card("c", "Ada", "CLASS:PUBLIC"), "VADDRESSBOOK") == card("c", "Ada", "CLASS:PUBLIC")


@given(st.lists(st.sampled_from([*SERIES, *ALARM, "CLASS:PRIVATE", "CLASS:CONFIDENTIAL", "ATTENDEE:mailto:x@y", " z"])))
def test_whatever_comes_what_is_shown_can_be_read_and_names_nobody(lines: list[str]) -> None:
    seen = shown(calendar(*lines))
    if seen is not None and seen != re.sub("\r\n[ \t]", "", calendar(*lines)):
        parse_components(seen.encode(), longest_head=1000)
        assert "ATTENDEE" not in seen
        assert "CLASS:PRIVATE" not in seen


def test_what_was_seen_once_is_not_looked_at_again_and_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    view = WorldView("Busy", kept_bytes=2000)
    rows = [Member(number, f"{number}.ics", "", "", 0, 0, 0, 0, 0) for number in range(10)]
    contents = [Content(event(f"u{number}", "Match", *ALARM).encode()) for number in range(10)]

    def seen(number: int) -> Content | None:
        return view.of(rows[number], contents[number], CALENDAR)

    first = [seen(number) for number in range(10)]
    assert [None if each is None else each.data.decode() for each in first] == [
        event(f"u{n}", "Match") for n in range(10)
    ]
    monkeypatch.setattr("storage.published.parse_components", None)  # whoever asked it now would fail
    assert [seen(number) for number in (9, 8, 9)] == [first[9], first[8], first[9]]
    with pytest.raises(TypeError):
        seen(0)


def test_the_link_shows_what_is_for_the_world_and_the_owner_sees_all(desk: Desk) -> None:
    desk.put("a.ics", event("a", "Match", *ALARM))
    desk.put("b.ics", event("b", "Doctor", "CLASS:PRIVATE"))
    desk.put("c.ics", event("c", "Board meeting", "CLASS:CONFIDENTIAL"))
    seen, own = desk.visitor.get(desk.publish()).text, desk.alice.get(desk.path).text
    for word, is_seen in (("Match", True), ("Doctor", False), ("Board meeting", False), ("VALARM", False)):
        assert (word in seen, word in own) == (is_seen, True)
    assert "SUMMARY:Busy" in seen
