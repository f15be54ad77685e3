"""The ``caldav`` library: finding, making, searching, changing and deleting events, tasks and journals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import caldav
import pytest
from caldav.elements import dav
from caldav.lib.error import NotFoundError

from tests.conftest import MakeServer
from tests.harness import Server, password_of
from tests.pim.bookings import RESOURCES, RIGHTS

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def principal(server: Server) -> Iterator[caldav.Principal]:
    """Alice, found from the server's root."""
    with caldav.DAVClient(url=server.url, username="alice", password=password_of("alice")) as client:
        yield client.principal()


@pytest.fixture
def calendar(principal: caldav.Principal) -> caldav.Calendar:
    return principal.make_calendar(name="Library", cal_id="library")


def test_the_library_finds_the_calendars_from_the_root(principal: caldav.Principal) -> None:
    assert {calendar.get_display_name() for calendar in principal.calendars()} == {"Calendar", "Tasks"}
    assert "mailto:alice@example.org" in principal.calendar_user_address_set()


def test_an_event_is_made_found_changed_and_deleted(calendar: caldav.Calendar) -> None:
    made = calendar.save_event(dtstart=START, dtend=START + timedelta(hours=1), summary="Spring cleaning")
    found = calendar.search(start=START - timedelta(days=1), end=START + timedelta(days=1), event=True)
    assert [event.id for event in found] == [made.id]
    event = calendar.event_by_uid(made.id)
    event.icalendar_component["summary"] = "Autumn cleaning"
    event.save()
    assert "Autumn cleaning" in calendar.event_by_uid(made.id).data
    event.delete()
    with pytest.raises(NotFoundError):
        calendar.event_by_uid(made.id)


def test_a_recurring_event_is_expanded_by_the_server(calendar: caldav.Calendar) -> None:
    calendar.save_event(
        dtstart=START, dtend=START + timedelta(hours=1), summary="Weekly", rrule={"FREQ": "WEEKLY", "COUNT": 10}
    )
    found = calendar.search(start=START, end=START + timedelta(days=15), event=True, server_expand=True)
    starts = sorted(part["dtstart"].dt for each in found for part in each.icalendar_instance.walk("VEVENT"))
    assert [moment.astimezone(UTC) for moment in starts] == [START + timedelta(weeks=week) for week in range(3)]


def test_a_task_is_pending_until_it_is_completed(calendar: caldav.Calendar) -> None:
    task = calendar.save_todo(summary="Pay the rent", due=START)
    child = calendar.save_todo(summary="Find the account number", parent=[task.id])
    assert {todo.id for todo in calendar.todos()} == {task.id, child.id}
    calendar.todo_by_uid(task.id).complete()  # the task was changed when its child was made
    assert {todo.id for todo in calendar.todos()} == {child.id}
    assert {todo.id for todo in calendar.todos(include_completed=True)} == {task.id, child.id}


def test_a_journal_is_kept(calendar: caldav.Calendar) -> None:
    calendar.save_journal(summary="Minutes", description="Nobody objected", dtstart=START.date())
    assert ["Nobody objected" in journal.data for journal in calendar.journals()] == [True]


def test_text_is_found_in_summaries_and_categories(calendar: caldav.Calendar) -> None:
    calendar.save_event(dtstart=START, dtend=START + timedelta(hours=1), summary="Board meeting", categories=["board"])
    calendar.save_event(dtstart=START, dtend=START + timedelta(hours=1), summary="Training", categories=["sport"])
    assert len(calendar.search(event=True, summary="meeting")) == 1
    assert len(calendar.search(event=True, category="sport")) == 1
    assert len(calendar.search(event=True)) == 2


def test_changes_are_told_by_the_sync_token(calendar: caldav.Calendar) -> None:
    first = calendar.save_event(dtstart=START, dtend=START + timedelta(hours=1), summary="One")
    known = calendar.objects_by_sync_token(load_objects=True)
    assert len(list(known)) == 1
    calendar.save_event(dtstart=START, dtend=START + timedelta(hours=1), summary="Two")
    first.delete()
    changed, gone = known.sync()
    assert (len(list(changed)), len(list(gone))) == (1, 1)


def test_busy_time_is_told(calendar: caldav.Calendar) -> None:
    calendar.save_event(dtstart=START, dtend=START + timedelta(hours=1), summary="Secret")
    busy = calendar.freebusy_request(START - timedelta(days=1), START + timedelta(days=1))
    assert "FREEBUSY" in busy.data
    assert "Secret" not in busy.data


def test_a_calendar_is_renamed_and_deleted(principal: caldav.Principal, calendar: caldav.Calendar) -> None:
    calendar.set_properties([dav.DisplayName("Renamed")])
    assert "Renamed" in {found.get_display_name() for found in principal.calendars()}
    calendar.delete()
    assert "Renamed" not in {found.get_display_name() for found in principal.calendars()}


def test_a_van_is_booked_and_the_double_booking_is_seen(make_server: MakeServer) -> None:
    server = make_server(groups=RESOURCES, access=RIGHTS).start()
    found = {}
    for name, hours in (("alice", 0), ("bob", 1)):
        with caldav.DAVClient(url=server.url, username=name, password=password_of(name)) as client:
            [van] = [each for each in client.principal().calendars() if each.get_display_name() == "Van"]
            start = START + timedelta(hours=hours)
            made = van.save_event(dtstart=start, dtend=start + timedelta(hours=2), summary=f"Trip of {name}")
            data = van.event_by_uid(made.id).data
            found[name] = "STATUS:TENTATIVE" in data, "CATEGORIES:double booking" in data
    assert found == {"alice": (False, False), "bob": (True, True)}
