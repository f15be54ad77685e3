"""What a file says of its calendar, in and out, and what RFC 7986 adds to objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.names import APPLE, CALDAV, DAV
from storage.calendarnames import COLOR_KEY, DESCRIPTION_KEY, NAME_KEY, read_names, render_names
from storage.colors import find_color, nearest_name
from tests.harness import Dav
from tests.pim.samples import calendar as in_calendar
from tests.pim.samples import event, mkcalendar, multiget

NEW = (
    "COLOR:turquoise",
    "IMAGE;VALUE=URI;DISPLAY=BADGE;FMTTYPE=image/png:https://example.org/a,b.png",
    'CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL="Room, big":https://meet.example.org/x;y',
    "SUMMARY;LANGUAGE=fr:Réunion",
)
SHELF = (DAV.displayname, CALDAV.calendar_description, APPLE.calendar_color)


def shelf(asker: Dav, path: str) -> list[str | None]:
    row = asker.propfind(path, *SHELF).multistatus()[path]
    return [row.text(name) for name in SHELF]


@pytest.mark.rfc("7986", "5.9")
@pytest.mark.rfc("7986", "5.10")
@pytest.mark.rfc("7986", "5.11")
def test_colour_image_and_conference_of_an_object_stay_byte_for_byte(mine: Dav, calendar: str) -> None:
    about = ("NAME:Trips", "REFRESH-INTERVAL;VALUE=DURATION:P1W", "SOURCE;VALUE=URI:https://example.org/t.ics")
    whole = event("u", "x", *NEW).replace("BEGIN:VEVENT", "\r\n".join([*about, "BEGIN:VEVENT"]))
    assert mine.put(calendar + "u.ics", whole).headers.get("etag")
    assert mine.get(calendar + "u.ics").text == whole
    rows = mine.report(calendar, multiget(calendar + "u.ics")).multistatus()
    assert rows[calendar + "u.ics"].text(CALDAV.calendar_data) == whole


@pytest.mark.rfc("7986", "5.1")
@pytest.mark.rfc("7986", "5.2")
@pytest.mark.rfc("7986", "5.9")
@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("NAME:Trips\\, far", "DESCRIPTION:By van", "COLOR:Turquoise"), ["Trips, far", "By van", "#40E0D0"]),
        (
            ("X-WR-CALNAME:Trips", "X-WR-CALDESC:By van", "X-APPLE-CALENDAR-COLOR:#0e61b9ff"),
            ["Trips", "By van", "#0E61B9FF"],
        ),
        (("X-WR-CALNAME:Old", "NAME;LANGUAGE=de:Reisen", "COLOR:no such"), ["Reisen", None, None]),
        (("METHOD:PUBLISH",), ["", None, None]),
    ],
)
def test_a_calendar_that_is_made_of_a_file_is_called_as_the_file_calls_itself(
    mine: Dav, calendar: str, lines: tuple[str, ...], found: list[str | None]
) -> None:
    path = calendar.rstrip("/") + "-new/"
    body = in_calendar(*lines, *event("u").split("\r\n")[3:-2])
    assert mine.put(path, body).status == 201
    expected = [found[0] or path.split("/")[3], *found[1:]]
    assert shelf(mine, path) == expected
    assert mine.put(path, in_calendar("NAME:Other", *event("v").split("\r\n")[3:-2])).status == 200
    assert shelf(mine, path) == expected


@pytest.mark.rfc("7986", "5.4")
def test_a_calendar_as_one_file_says_what_it_is_called_and_comes_back_so(mine: Dav) -> None:
    path = "/dav/alice/named-out/"
    inner = (
        "<D:displayname>Fahrten; weit</D:displayname>"
        "<C:calendar-description>Zeile\nund noch eine</C:calendar-description>"
        "<ICAL:calendar-color>#41E0D0FF</ICAL:calendar-color>"
    )
    assert mine.mkcalendar(path, mkcalendar(inner)).status == 201
    mine.put(path + "u.ics", event("u"))
    text = mine.get(path).text
    head = text.partition("BEGIN:VEVENT")[0].split("\r\n")
    assert {"NAME:Fahrten\\; weit", "X-WR-CALNAME:Fahrten\\; weit", "COLOR:turquoise"} <= set(head)
    assert "X-APPLE-CALENDAR-COLOR:#41E0D0" in head
    assert "DESCRIPTION:Zeile\\nund noch eine" in head
    assert any(line.startswith("LAST-MODIFIED:20") for line in head)
    again = "/dav/alice/named-again/"
    assert mine.put(again, text).status == 201
    assert shelf(mine, again) == ["Fahrten; weit", "Zeile\nund noch eine", "#41E0D0"]


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200).filter(
    lambda text: text == text.strip() and "\\" not in text
)


@given(TEXT, TEXT, st.integers(0, 0xFFFFFF))
def test_what_is_written_of_a_calendar_is_read_again(name: str, description: str, color: int) -> None:
    meta = {NAME_KEY: name, DESCRIPTION_KEY: description, COLOR_KEY: f"#{color:06X}"}
    text = b"BEGIN:VCALENDAR\r\n" + render_names(meta, 0) + b"BEGIN:VEVENT\r\n"
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert read_names(text) == meta
    assert find_color(nearest_name(meta[COLOR_KEY])) is not None


@given(st.binary(max_size=200))
def test_whatever_a_file_is_its_names_are_texts_or_nothing(data: bytes) -> None:
    assert all(text for text in read_names(b"BEGIN:VCALENDAR\r\n" + data).values())
