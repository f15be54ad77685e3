"""Cards and notes as seven programs write them: what each sends, keeps and drops."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.harness import Dav
from tests.objects.conftest import calendar_of, changed, files_of, said
from tests.objects.test_notes import note

ZONE = (
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Paris",
    "BEGIN:DAYLIGHT",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "TZNAME:CEST",
    "DTSTART:19810329T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "TZNAME:CET",
    "DTSTART:19961027T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "END:VTIMEZONE",
)
PARENT = "RELATED-TO;RELTYPE=PARENT:parent-uid"
ALARM = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Posters", "TRIGGER:-PT15M", "END:VALARM")


def drops(*names: str) -> Callable[[str], str]:
    """What a program leaves out of an object that it stores again."""

    def without(text: str) -> str:
        lines = text.replace("\r\n ", "").split("\r\n")
        return "\r\n".join(line for line in lines if re.split("[;:]", line)[0] not in names)

    return without


def as_it_is(text: str) -> str:
    return text


def sorted_tags(text: str) -> str:
    """Tasks.org clears the categories and writes them in alphabetical order."""
    return changed(text, CATEGORIES=",".join(sorted(said(text, "CATEGORIES").split(","), key=str.upper)))


def without_reltype(text: str) -> str:
    """KOrganizer knows one relation, and no type of it."""
    return text.replace("RELATED-TO;RELTYPE=PARENT:", "RELATED-TO:")


@dataclass(frozen=True)
class Program:
    """
    One that edits tasks.

    Attributes:
        lines: of a task as it makes it, beside UID and SUMMARY.
        again: how it writes back what it has read.
        kept: lines that are served as they came.
        in_file: what stands in the file of the card.
    """

    product: str
    lines: tuple[str, ...]
    kept: tuple[str, ...]
    in_file: tuple[str, ...]
    again: Callable[[str], str] = as_it_is
    zone_after: bool = False


PROGRAMS = {
    "jtx Board": Program(
        "+//IDN techbee.at//jtxBoard 2.9",
        (
            *("DTSTART;TZID=Europe/Paris:20261124T090000", "DUE:20261201T180000", "PERCENT-COMPLETE:10"),
            *("PRIORITY:1", "CATEGORIES:urgent,printing", "COMMENT:one", "COMMENT:two", "X-GEOFENCE-RADIUS:200"),
            *("CONTACT:Alice", PARENT, *ALARM),
        ),
        (
            "COMMENT:one",
            "COMMENT:two",
            "X-GEOFENCE-RADIUS:200",
            "TRIGGER:-PT15M",
            "RELATED-TO;RELTYPE=PARENT:parent-uid",
        ),
        ("start: 2026-11-24T09:00:00 Europe/Paris", "due: 2026-12-01T18:00:00", "parent: parent-uid", "progress: 10"),
    ),
    "Tasks.org": Program(
        "+//IDN tasks.org//android-140302//EN",
        (
            *("CREATED:20261101T100000Z", "PRIORITY:5", "DUE;TZID=Europe/Paris:20261201T180000", "GEO:48.85;2.35"),
            *("CATEGORIES:printing,urgent", "X-APPLE-SORT-ORDER:785000000", "X-OC-HIDESUBTASKS:1"),
            *("X-MOZ-LASTACK:20261101T100000Z", PARENT),
        ),
        ("X-APPLE-SORT-ORDER:785000000", "X-OC-HIDESUBTASKS:1", "GEO:48.85;2.35", "X-MOZ-LASTACK:20261101T100000Z"),
        ("due: 2026-12-01T18:00:00 Europe/Paris", "order: 785000000", "created: 2026-11-01T10:00:00Z"),
        again=sorted_tags,
    ),
    "Apple Reminders": Program(
        "-//Apple Inc.//iOS 17.1//EN",
        (
            *("CREATED:20261101T100000Z", "DTSTART;TZID=Europe/Paris:20261201T180000"),
            *("DUE;TZID=Europe/Paris:20261201T180000", "PRIORITY:9", "STATUS:NEEDS-ACTION", "X-APPLE-SORT-ORDER:3072"),
            *("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Reminder", "TRIGGER;VALUE=DATE-TIME:20261201T170000Z"),
            *("UID:ALARM-1", "X-WR-ALARMUID:ALARM-1", "END:VALARM"),
        ),
        ("X-WR-ALARMUID:ALARM-1", "X-APPLE-SORT-ORDER:3072", "PRIORITY:9"),
        ("due: 2026-12-01T18:00:00 Europe/Paris", "start: 2026-12-01T18:00:00 Europe/Paris", "order: 3072"),
        zone_after=True,
    ),
    "Thunderbird": Program(
        "-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN",
        (
            *("CREATED:20261101T100000Z", "DUE;TZID=Europe/Paris:20261201T180000", "PERCENT-COMPLETE:30"),
            *("STATUS:IN-PROCESS", "CATEGORIES:urgent", "CLASS:PRIVATE", "LOCATION:print shop\\, upstairs"),
            *("X-MOZ-GENERATION:2", "ATTACH:https://example.org/plan.pdf"),
        ),
        (
            "X-MOZ-GENERATION:2",
            "CLASS:PRIVATE",
            "LOCATION:print shop\\, upstairs",
            "ATTACH:https://example.org/plan.pdf",
        ),
        ("progress: 30", "location: print shop, upstairs", "class: PRIVATE"),
    ),
    "Nextcloud Tasks": Program(
        "-//Nextcloud Tasks v0.16.1",
        (
            *(
                "CREATED:20261101T100000",
                "DUE:20261201T180000",
                "PRIORITY:1",
                "PERCENT-COMPLETE:20",
                "STATUS:IN-PROCESS",
            ),
            *("CATEGORIES:urgent", "X-PINNED:true", "X-OC-HIDESUBTASKS:0", "X-ALT-DESC;FMTTYPE=text/html:<p>old</p>"),
        ),
        ("X-PINNED:true", "X-OC-HIDESUBTASKS:0", "PRIORITY:1"),
        ("due: 2026-12-01T18:00:00", "progress: 20"),
    ),
    "Evolution": Program(
        "-//Ximian//NONSGML Evolution Calendar//EN",
        (
            *("DTSTART;VALUE=DATE:20261124", "DUE;VALUE=DATE:20261201", "CATEGORIES:urgent", "CLASS:PUBLIC"),
            *("STATUS:NEEDS-ACTION", "X-EVOLUTION-CALDAV-HREF:/x/y.ics", *ALARM),
        ),
        ("X-EVOLUTION-CALDAV-HREF:/x/y.ics", "DUE;VALUE=DATE:20261201", "TRIGGER:-PT15M"),
        ("start: 2026-11-24", "due: 2026-12-01"),
    ),
    "KOrganizer": Program(
        "-//K Desktop Environment//NONSGML libkcal 4.3//EN",
        (
            *("CREATED:20261101T100000Z", "DTSTART;VALUE=DATE:20261124", "DUE;TZID=Europe/Paris:20261201T180000"),
            *(
                "PERCENT-COMPLETE:0",
                "X-KDE-UID-ALARM:7",
                "CATEGORIES:urgent",
                "CATEGORIES:printing",
                "RELATED-TO:parent-uid",
            ),
        ),
        ("X-KDE-UID-ALARM:7", PARENT, "DTSTART;VALUE=DATE:20261124"),
        ("start: 2026-11-24", "tags: [urgent, printing]", "parent: parent-uid"),
        again=without_reltype,
    ),
}


def new_task(program: Program) -> str:
    """A task as a program makes it."""
    zone = ZONE if any("TZID=Europe/Paris" in line for line in program.lines) else ()
    body = ("BEGIN:VTODO", "UID:made-there", "DTSTAMP:20261101T100000Z", "SUMMARY:Posters", *program.lines, "END:VTODO")
    inner = (*body, *zone) if program.zone_after else (*zone, *body)
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{program.product}", *inner, "END:VCALENDAR", ""))


@pytest.fixture(params=list(PROGRAMS))
def program(request: pytest.FixtureRequest) -> Program:
    return PROGRAMS[request.param]


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_what_a_program_makes_is_a_card_that_loses_nothing(alice: Dav, board: str, program: Program) -> None:
    url = f"{calendar_of(alice, board)}made-there.ics"
    assert alice.put(url, new_task(program), {"If-None-Match": "*"}).status == 201
    (name,) = files_of(alice, board) - {"board.toml"}
    lines = alice.get(f"{board}/{name}").text.split("\n")
    assert set(program.in_file) <= set(lines)
    served = alice.get(url)
    assert set(program.kept) <= set(unfolded(served.text))
    assert served.text.count("BEGIN:VTIMEZONE") == int("TZID=Europe/Paris" in "".join(program.lines))
    assert alice.put(url, program.again(served.text), {"If-Match": served.headers["etag"]}).status == 204
    assert alice.get(url).headers["etag"] == served.headers["etag"]


def test_edits_of_both_views_are_seen_in_the_other_and_a_stale_one_loses(
    alice: Dav, bob: Dav, board: str, program: Program
) -> None:
    url = f"{calendar_of(alice, board)}made-there.ics"
    assert alice.put(url, new_task(program)).status == 201
    (name,) = files_of(alice, board) - {"board.toml"}
    path, stale = f"{board}/{name}", alice.get(url)
    assert bob.put(path, bob.get(path).text.rstrip("\n") + "\nBob's line\n").status == 204
    served = alice.get(url)
    assert said(served.text, "DESCRIPTION").endswith("Bob's line")
    lost = alice.put(url, program.again(changed(stale.text, SUMMARY="Stale")), {"If-Match": stale.headers["etag"]})
    assert lost.status == 412
    assert "Bob's line" in bob.get(path).text
    words = changed(served.text, DESCRIPTION="Words of the program", SUMMARY="Flyers")
    assert alice.put(url, program.again(words), {"If-Match": served.headers["etag"]}).status == 204
    after = bob.get(path.replace("Posters", "Flyers")).text
    assert after.endswith("Words of the program\n")
    assert set(program.in_file) <= set(after.split("\n"))
    kept = [line for line in program.kept if not line.startswith("X-ALT-DESC")]
    assert set(kept) <= set(unfolded(alice.get(url).text))
    versions = bob.propfind(f"/files/History{path[6:]}", depth="1").multistatus()
    assert any("Bob's line" in bob.get(version).text for version in versions if version.endswith(".md"))


def test_a_formatted_text_goes_with_the_text_that_it_was_of(alice: Dav, board: str) -> None:
    url = f"{calendar_of(alice, board)}made-there.ics"
    assert alice.put(url, new_task(PROGRAMS["Nextcloud Tasks"])).status == 201
    served = alice.get(url).text
    assert said(served, "X-ALT-DESC") == "<p>old</p>"
    assert alice.put(url, changed(served, DESCRIPTION="new")).status == 204
    assert said(alice.get(url).text, "X-ALT-DESC") == ""


def test_what_a_task_waits_for_stays_in_the_file_and_is_not_sent(alice: Dav, board: str) -> None:
    """KOrganizer would take any other relation for the parent."""
    url = f"{calendar_of(alice, board)}made-there.ics"
    body = new_task(PROGRAMS["jtx Board"]).replace("END:VTODO", "RELATED-TO;RELTYPE=DEPENDS-ON:first\r\nEND:VTODO")
    assert alice.put(url, body).status == 201
    (name,) = files_of(alice, board) - {"board.toml"}
    assert "depends: [first]" in alice.get(f"{board}/{name}").text
    served = alice.get(url).text
    assert "first" not in served
    more = served.replace("END:VTODO", "RELATED-TO;RELTYPE=DEPENDS-ON:second\r\nEND:VTODO")
    assert alice.put(url, more).status == 204
    assert "depends: [first, second]" in alice.get(f"{board}/{name}").text


def test_a_recurring_task_keeps_its_rule_and_its_changed_occurrences(alice: Dav, board: str) -> None:
    url = f"{calendar_of(alice, board)}weekly.ics"
    master = (
        "DTSTART;TZID=Europe/Paris:20261201T090000",
        "RRULE:FREQ=WEEKLY;COUNT=5",
        "EXDATE;TZID=Europe/Paris:20261208T090000",
    )
    override = (
        *("BEGIN:VTODO", "UID:weekly", "DTSTAMP:20261101T100000Z", "RECURRENCE-ID;TZID=Europe/Paris:20261215T090000"),
        *("DTSTART;TZID=Europe/Paris:20261215T100000", "SUMMARY:Later", "END:VTODO"),
    )
    body = ("BEGIN:VTODO", "UID:weekly", "DTSTAMP:20261101T100000Z", "SUMMARY:Water", *master, "END:VTODO", *override)
    text = "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", *ZONE, *body, "END:VCALENDAR", ""))
    assert alice.put(url, text).status == 201
    served = alice.get(url)
    assert served.text.count("BEGIN:VTODO") == 2
    for line in (*master, *override[3:6]):
        assert line in unfolded(served.text)
    assert alice.put(url, served.body, {"If-Match": served.headers["etag"]}).headers["etag"] == served.headers["etag"]
    assert alice.put(url, served.text.replace("SUMMARY:Water", "SUMMARY:Water plants")).status == 204
    assert alice.get(url).text.count("BEGIN:VTODO") == 2


NOTE_PROGRAMS = {
    "jtx Board": (
        "+//IDN techbee.at//jtxBoard 2.9",
        ("DTSTART;VALUE=DATE:20261124", "CATEGORIES:idea,/Minutes", "STATUS:DRAFT", "COLOR:red"),
    ),
    "Evolution": (
        "-//Ximian//NONSGML Evolution Calendar//EN",
        ("DTSTART;VALUE=DATE:20261124", "CLASS:PUBLIC", "CATEGORIES:idea"),
    ),
    "KOrganizer": (
        "-//K Desktop Environment//NONSGML libkcal 4.3//EN",
        ("DTSTART:20261124T090000Z", "CATEGORIES:idea", "X-KDE-X:1"),
    ),
}


@pytest.mark.parametrize("name", list(NOTE_PROGRAMS))
def test_a_journal_of_a_program_is_a_note_that_loses_nothing(alice: Dav, notebook: str, name: str) -> None:
    product, lines = NOTE_PROGRAMS[name]
    url = f"{calendar_of(alice, notebook)}j.ics"
    body = note("j-1", "Meeting", "DESCRIPTION:# Present\\n\\nall", *lines).replace("-//tests//EN", product)
    assert alice.put(url, body).status == 201
    (path,) = files_of(alice, notebook) - {"notebook.toml"}
    text = alice.get(f"{notebook}/{path}").text
    assert text.endswith("# Present\n\nall\n")
    assert "date: 2026-11-24" in text
    served = alice.get(url)
    for line in lines:
        if not line.startswith("CATEGORIES"):
            assert line in unfolded(served.text)
    assert "idea" in said(served.text, "CATEGORIES").split(",")
    assert alice.put(url, served.body, {"If-Match": served.headers["etag"]}).headers["etag"] == served.headers["etag"]
    assert alice.put(f"{notebook}/{path}", text.replace("all", "nobody")).status == 204
    assert said(alice.get(url).text, "DESCRIPTION") == "# Present\\n\\nnobody"
    assert alice.put(url, changed(served.text, STATUS="FINAL"), {"If-Match": served.headers["etag"]}).status == 412
    assert alice.put(url, changed(alice.get(url).text, DTSTART=None)).status == 204
    assert "date:" not in alice.get(f"{notebook}/{path}").text
