"""Ballots as programs store them again: what each writes when somebody answers."""

from __future__ import annotations

import re
from collections.abc import Callable

import caldav
import pytest
from caldav.lib.error import PutError

from tests.harness import Dav, password_of
from tests.objects.conftest import said
from tests.pim.samples import query
from tests.pim.test_clients import events_between
from tests.polls.conftest import Poll
from tests.polls.test_ballots import ballot, url_of

OWN = "mailto:bob@example.org"


def davx5(text: str, partstat: str) -> str:
    """DAVx5 writes RSVP, CN, CUTYPE, ROLE and PARTSTAT of an attendee alone, and stamps of its own."""
    head = re.search(r"(?ms)^BEGIN:VTIMEZONE.*?^END:VTIMEZONE\r\n", text)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:DAVx5/4.5.1-ose ical4j/4.1.1 (com.google.android.calendar)",
        "BEGIN:VEVENT",
        "DTSTAMP:20270101T120000Z",
        f"UID:{said(text, 'UID')}",
        "SEQUENCE:1",
        f"SUMMARY:{said(text, 'SUMMARY')}",
        f"DESCRIPTION:{said(text, 'DESCRIPTION')}",
        *re.findall(r"(?m)^(DT(?:START|END)[^\r\n]+)", text[text.index("BEGIN:VEVENT") :]),
        f"STATUS:{said(text, 'STATUS')}",
        "TRANSP:TRANSPARENT",
        "CATEGORIES:Poll: Assembly",
        "ORGANIZER:mailto:noreply@localhost",
        f"ATTENDEE;RSVP=TRUE;CN=Bob;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={partstat}:{OWN}",
        "BEGIN:VALARM",
        "TRIGGER:-PT30M",
        "ACTION:DISPLAY",
        "DESCRIPTION:Assembly?",
        "END:VALARM",
        "END:VEVENT",
    ]
    zone = head[0] if head else ""
    return "\r\n".join(lines) + f"\r\n{zone}END:VCALENDAR\r\n"


def thunderbird(text: str, partstat: str) -> str:
    """Thunderbird keeps the attendee's parameters and adds stamps of its own; who declines has the event cancelled."""
    text = re.sub("PARTSTAT=[A-Z-]+", f"PARTSTAT={partstat}", text.replace("\r\n ", ""))
    own = "X-MOZ-GENERATION:1\r\nX-MOZ-RECEIVED-DTSTAMP:20270101T120000Z\r\nLAST-MODIFIED:20270101T120000Z\r\n"
    text = re.sub(r"LAST-MODIFIED:[^\r]+\r\n", "", text)
    return text.replace("END:VEVENT", f"{own}END:VEVENT")


def apple(text: str, partstat: str) -> str:
    """Apple Calendar writes CN and EMAIL in quotes and RSVP no more once somebody has answered."""
    attendee = f'ATTENDEE;CN="Bob";CUTYPE=INDIVIDUAL;EMAIL="bob@example.org";PARTSTAT="{partstat}":{OWN}'
    return re.sub(r"(?m)^ATTENDEE[^\r\n]+", attendee, text.replace("\r\n ", ""))


Program = Callable[[str, str], str]


@pytest.mark.parametrize("program", [davx5, thunderbird, apple])
@pytest.mark.parametrize(("partstat", "answer"), [("ACCEPTED", "yes"), ("DECLINED", "no"), ("TENTATIVE", "maybe")])
def test_an_answer_in_a_program_is_a_vote(poll: Poll, bob: Dav, program: Program, partstat: str, answer: str) -> None:
    href = ballot(bob, poll, "a")
    served = bob.get(href)
    assert bob.put(href, program(served.text, partstat), {"If-Match": served.etag}).status == 204
    assert bob.get(f"{poll.votes}/bob.toml").text == f'a = "{answer}"\n'
    again = bob.get(href)
    assert bob.put(href, program(again.text, partstat), {"If-Match": again.etag}).status == 204
    assert bob.get(href).etag == again.etag  # what it stores again changes nothing
    assert "SCHEDULE-AGENT=NONE" in again.text.replace("\r\n ", "")


def test_a_program_that_touches_nothing_but_the_alarm_votes_for_nothing(poll: Poll, bob: Dav) -> None:
    href = ballot(bob, poll, "a")
    served = bob.get(href)
    assert bob.put(href, davx5(served.text, "NEEDS-ACTION"), {"If-Match": served.etag}).status == 204
    assert bob.get(f"{poll.votes}/bob.toml").status == 404
    assert "TRIGGER:-PT30M" in bob.get(href).text


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ("STATUS:COMPLETED\r\nCOMPLETED:20270101T120000Z\r\nPERCENT-COMPLETE:100", "yes"),
        ("STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:50", "maybe"),
        ("STATUS:CANCELLED", "no"),
    ],
)
def test_tasks_org_and_reminders_vote_by_ticking(poll: Poll, bob: Dav, lines: str, answer: str) -> None:
    href = ballot(bob, poll, "b", tasks=True)
    served = bob.get(href)
    body = re.sub(r"(?m)^STATUS:[^\r\n]+", lines, served.text)
    body = body.replace("-//davserver//EN", "+//IDN tasks.org//android-140700//EN")
    body = body.replace("END:VTODO", "X-APPLE-SORT-ORDER:700000000\r\nEND:VTODO")
    assert bob.put(href, body, {"If-Match": served.etag}).status == 204
    assert bob.get(f"{poll.votes}/bob.toml").text == f'b = "{answer}"\n'
    again = bob.get(href)
    unticked = re.sub(r"(?m)^STATUS:[^\r\n]+\r\n", "", again.text)  # as Tasks.org does
    assert bob.put(href, unticked, {"If-Match": again.etag}).status == 204
    assert bob.get(f"{poll.votes}/bob.toml").text == ""


def test_the_caldav_library_finds_ballots_and_votes(poll: Poll, bob: Dav) -> None:
    with caldav.DAVClient(url=poll.server.url, username="bob", password=password_of("bob")) as client:
        principal = client.principal()
        named = {calendar.get_display_name(): calendar for calendar in principal.calendars()}
        event = named["Polls"].event_by_uid(f"{poll.id}-a")
        attendee = event.icalendar_component["attendee"]
        assert str(attendee) == OWN
        attendee.params["PARTSTAT"] = "ACCEPTED"
        event.save()
        assert bob.get(f"{poll.votes}/bob.toml").text == 'a = "yes"\n'
        event.load()
        assert event.icalendar_component["status"] == "CONFIRMED"
        task = named["Polls (tasks)"].todo_by_uid(f"{poll.id}-b")
        task.icalendar_component["status"] = "COMPLETED"
        task.save()
        assert bob.get(f"{poll.votes}/bob.toml").text == 'a = "yes"\nb = "yes"\n'
        named["Polls"].event_by_uid(f"{poll.id}-c").delete()
        assert bob.get(f"{poll.votes}/bob.toml").text == 'a = "yes"\nb = "yes"\nc = "no"\n'
        poll.close()
        results, late = poll.results(), named["Polls"].event_by_uid(f"{poll.id}-a")
        late.icalendar_component["attendee"].params["PARTSTAT"] = "DECLINED"
        with pytest.raises(PutError):
            late.save()
        assert poll.results() == results


def test_a_query_for_a_week_finds_the_ballots_in_it(poll: Poll, bob: Dav) -> None:
    asked = query(events_between("20270111T000000Z", "20270114T000000Z"))
    found = set(bob.report(url_of(bob), asked, depth="1").multistatus())
    assert {ballot(bob, poll, "a"), ballot(bob, poll, "b")} <= found
    assert ballot(bob, poll, "c") not in found
