"""What is used of Radicale: its names, its arguments and what it gives back."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from importlib.metadata import version
from xml.etree.ElementTree import Element

import pytest
import radicale.app.report
import radicale.item

from davserver.dav.names import CALDAV
from davserver.mounts.pim_guest import EMPTY, expand
from storage.recurrence import TimeRange
from tests.pim.samples import event, task

JANUARY = TimeRange(1798761600, 1801440000)  # 2027


def test_the_guest_is_of_the_minor_version_that_the_adapter_was_written_for() -> None:
    assert version("radicale").split(".")[:2] == ["3", "9"]


def test_the_hooks_have_the_arguments_that_the_adapter_passes() -> None:
    arguments = inspect.signature(radicale.app.report._expand).parameters
    assert list(arguments) == [
        "element",
        "item",
        "start",
        "end",
        "time_range_start",
        "time_range_end",
        "max_occurrence",
    ]
    assert {"collection_path", "text"} <= set(inspect.signature(radicale.item.Item).parameters)


def test_expansion_gives_the_element_and_the_number_of_occurrences() -> None:
    item = radicale.item.Item(collection_path="", text=event("u", "x", "RRULE:FREQ=WEEKLY;COUNT=3"))
    start, end = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
    element, count = radicale.app.report._expand(Element(CALDAV.calendar_data), item, start, end, start, end, 100)
    assert count == 3
    assert (element.text or "").count("BEGIN:VEVENT") == 3


@pytest.mark.parametrize("body", [task(), "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", ""])
def test_what_the_guest_cannot_model_comes_back_as_it_is(body: str) -> None:
    assert expand(body.encode(), JANUARY, kind="VTODO") == (body.encode(), -1)


def test_an_event_without_an_occurrence_in_the_range_is_an_empty_calendar() -> None:
    assert expand(event(start="20300101T000000Z").encode(), JANUARY) == (EMPTY, 0)
