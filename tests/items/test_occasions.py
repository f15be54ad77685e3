"""Birthdays and anniversaries are found in cards as every program writes them, and become events of every year."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.birthdays import birthday_events
from storage.contentlines import parse_components
from storage.icalendar import judge
from storage.occasions import Occasion, OccasionKind, find_occasions
from storage.recurrence import TimeRange, occurrences
from tests.items.conftest import Judge

BIRTHDAY, ANNIVERSARY = OccasionKind.BIRTHDAY, OccasionKind.ANNIVERSARY


def card(*lines: str, version: str = "3.0", uid: str = "c1", name: str = "Ada Lovelace") -> bytes:
    whole = ["BEGIN:VCARD", f"VERSION:{version}", f"UID:{uid}", f"FN:{name}", "N:Lovelace;Ada;;;", *lines, "END:VCARD"]
    return "".join(f"{line}\r\n" for line in whole).encode()


def days(*lines: str) -> list[tuple[int | None, int, int]]:
    return [(each.year, each.month, each.day) for each in find_occasions(card(*lines))]


def born(year: int | None = 1996, month: int = 4, day: int = 15, *, who: str = "Ada", uid: str = "c1") -> Occasion:
    return Occasion(BIRTHDAY, who, uid, year, month, day)


def summaries(*occasions: Occasion) -> list[str]:
    events = birthday_events(occasions, "en").values()
    found = [parse_components(event, longest_head=1000)[0].children[0].find("SUMMARY") for event in events]
    return [line.text for line in found if line is not None]


@pytest.mark.rfc("6350", "6.2.5")
@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("BDAY:1996-04-15", (1996, 4, 15)),
        ("BDAY:19960415", (1996, 4, 15)),
        ("BDAY;VALUE=date:1996-04-15", (1996, 4, 15)),
        ("BDAY:19531015T231000Z", (1953, 10, 15)),
        ("BDAY:1953-10-15T23:10:00Z", (1953, 10, 15)),
        ("BDAY:--0415", (None, 4, 15)),
        ("BDAY:--04-15", (None, 4, 15)),
        ("BDAY;VALUE=date-and-or-time:--0415T10", (None, 4, 15)),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15", (None, 4, 15)),
        ('BDAY;value=date;x-apple-omit-year="1604":1604-04-15', (None, 4, 15)),
        ("BDAY;X-APPLE-OMIT-YEAR=2000:2000-04-15", (None, 4, 15)),
        ("item1.BDAY:1996-04-15", (1996, 4, 15)),
        ("bday:1996-04-15", (1996, 4, 15)),
        ("BDAY:1996-02-29", (1996, 2, 29)),
    ],
)
def test_a_birthday_is_read_in_every_form_that_programs_write(line: str, day: tuple[int | None, int, int]) -> None:
    assert days(line) == [day]


@pytest.mark.rfc("6350", "6.2.5")
@pytest.mark.parametrize(
    "line",
    [
        "BDAY;VALUE=text:circa 1800",
        "BDAY;VALUE=text:1996-04-15",
        "BDAY:1996-04",
        "BDAY:1996",
        "BDAY:---15",
        "BDAY:--04",
        "BDAY:T102200",
        "BDAY:1996-02-30",
        "BDAY:1997-02-29",
        "BDAY:9999-12-31",
        "BDAY;CALSCALE=hebrew:1996-04-15",
        "BDAY:",
    ],
)
def test_what_is_no_day_of_a_year_is_no_birthday(line: str) -> None:
    assert days(line) == []


@pytest.mark.rfc("6350", "6.2.6")
@pytest.mark.parametrize(
    "lines",
    [
        ("ANNIVERSARY:20100612",),
        ("X-ANNIVERSARY:2010-06-12",),
        ("X-EVOLUTION-ANNIVERSARY:2010-06-12",),
        ("item3.X-ABDATE;type=pref:2010-06-12", "item3.X-ABLabel:_$!<Anniversary>!$_"),
    ],
)
def test_an_anniversary_is_found_under_each_of_its_names(lines: tuple[str, ...]) -> None:
    assert [(each.kind, each.year, each.month, each.day) for each in find_occasions(card(*lines))] == [
        (ANNIVERSARY, 2010, 6, 12)
    ]


def test_another_date_of_apple_is_no_anniversary() -> None:
    assert days("item3.X-ABDATE:2010-06-12", "item3.X-ABLabel:First day at work", "X-ABDATE:2010-06-13") == []


def test_a_group_has_no_birthday() -> None:
    assert days("BDAY:1996-04-15", "X-ADDRESSBOOKSERVER-KIND:group") == []


def test_a_card_without_formatted_name_is_called_as_its_name_says() -> None:
    found = find_occasions(card("BDAY:1996-04-15", name=""))
    assert [each.who for each in found] == ["Ada Lovelace"]


@given(st.binary() | st.text().map(lambda text: card(f"BDAY:{text}", f"ANNIVERSARY;{text}")))
def test_whatever_the_bytes_are_they_are_read_or_left_out(data: bytes) -> None:
    assert len(find_occasions(data)) <= 2


@pytest.mark.rfc("5545", "3.6.1")
@given(st.text(), st.dates(), st.booleans())
def test_every_occasion_is_a_calendar_object_that_can_be_stored(who: str, day: date, known: bool) -> None:
    year = min(day.year, 9998) if known and (day.month, day.day) != (2, 29) else None
    occasion = Occasion(ANNIVERSARY, who, who, year, day.month, day.day)
    events = birthday_events([occasion], "de")
    for name, data in events.items():
        judged = judge(data, "VCALENDAR", max_bytes=1 << 20, max_line_bytes=1 << 16)
        assert judged.data == data
        assert name == f"{judged.facts.uid}.ics"
        assert max(map(len, data.split(b"\r\n"))) <= 75


@pytest.mark.rfc("5545", "3.6.1")
def test_a_birthday_is_an_all_day_event_of_every_year_that_takes_no_time(judge_calendar: Judge) -> None:
    ((_, data),) = birthday_events([born()], "fr").items()
    judge_calendar(data)
    text = data.decode()
    assert "DTSTART;VALUE=DATE:19960415\r\nDTEND;VALUE=DATE:19960416\r\nRRULE:FREQ=YEARLY\r\n" in text
    assert "SUMMARY:🎂 Ada (1996)\r\nCATEGORIES:Anniversaire\r\nTRANSP:TRANSPARENT\r\n" in text


def test_a_year_that_is_not_known_is_not_shown() -> None:
    assert summaries(born(None), Occasion(ANNIVERSARY, "Ada", "c1", 2010, 6, 12)) == ["🎂 Ada", "💍 Ada (2010)"]


@pytest.mark.rfc("5545", "3.3.10")
def test_who_was_born_on_a_29th_of_february_has_a_birthday_every_year() -> None:
    for year in (2000, None, 1936):
        ((_, data),) = birthday_events([born(year, 2, 29)], "en").items()
        (parsed,) = parse_components(data, longest_head=1000)
        begin, end = datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
        asked = TimeRange(int(begin.timestamp()), int(end.timestamp()))
        found = sorted(each.start_s for each in occurrences(data, parsed, "VEVENT", asked) if each.reaches(asked))
        dates = [datetime.fromtimestamp(start_s, UTC).strftime("%Y%m%d") for start_s in found]
        assert dates == ["20230228", "20240229", "20250228"]


def test_a_person_whose_card_lies_in_two_books_has_one_birthday() -> None:
    assert summaries(born(), born()) == ["🎂 Ada (1996)"]
    assert summaries(born(), born(uid="c2", who="ada")) == ["🎂 Ada (1996)"]
    assert summaries(born(None, uid="c2"), born(uid="c3")) == ["🎂 Ada (1996)"]


def test_two_people_of_one_name_and_day_have_two_birthdays() -> None:
    assert summaries(born(), born(1966, uid="c2")) == ["🎂 Ada (1996)", "🎂 Ada (1966)"]


def test_the_same_cards_give_the_same_bytes() -> None:
    assert birthday_events(find_occasions(card("BDAY:--0415")), "en") == birthday_events(
        find_occasions(card("BDAY:--04-15")), "en"
    )


def test_a_changed_birthday_keeps_its_uid() -> None:
    assert birthday_events([born()], "en").keys() == birthday_events([born(1997, 5, 16, who="Ada L.")], "en").keys()
