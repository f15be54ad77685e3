"""Items as clients send them, and the judge with the limits that the server starts with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from config.schema import Limits
from storage.errors import ItemRefused
from storage.icalendar import Judged, judge

Judge = Callable[[bytes], Judged]
Refusal = Callable[[bytes], str]


def calendar(*lines: str, newline: str = "\r\n") -> bytes:
    """A VCALENDAR around these lines."""
    return newline.join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example Corp.//CalDAV Client//EN", *lines, "END:VCALENDAR", ""]
    ).encode()


def component(name: str, *lines: str, uid: str = "1@example.com") -> tuple[str, ...]:
    """The lines of one component."""
    return (f"BEGIN:{name}", f"UID:{uid}", "DTSTAMP:20041210T183904Z", *lines, f"END:{name}")


def event(*lines: str, start: str = "DTSTART:20041207T120000Z") -> bytes:
    """A VEVENT alone in its calendar."""
    return calendar(*component("VEVENT", *([start] if start else []), *lines))


def card(*lines: str, version: str = "3.0") -> bytes:
    """A VCARD with these lines."""
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""]).encode()


def _judge(data: bytes, tag: str) -> Judged:
    limits = Limits()
    most = limits.calendar_item_bytes if tag == "VCALENDAR" else limits.card_bytes
    return judge(data, tag, max_bytes=most, max_line_bytes=limits.content_line_bytes)


@pytest.fixture
def judge_calendar() -> Judge:
    """Judge a calendar object."""
    return lambda data: _judge(data, "VCALENDAR")


@pytest.fixture
def judge_card() -> Judge:
    """Judge a card."""
    return lambda data: _judge(data, "VADDRESSBOOK")


@pytest.fixture
def calendar_refusal() -> Refusal:
    """The condition that a calendar object fails."""

    def refusal(data: bytes) -> str:
        with pytest.raises(ItemRefused) as refused:
            _judge(data, "VCALENDAR")
        assert str(refused.value)
        return refused.value.condition

    return refusal


@pytest.fixture
def card_refusal() -> Refusal:
    """The condition that a card fails."""

    def refusal(data: bytes) -> str:
        with pytest.raises(ItemRefused) as refused:
            _judge(data, "VADDRESSBOOK")
        assert str(refused.value)
        return refused.value.condition

    return refusal
