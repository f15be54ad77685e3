"""
The marks of double bookings against a referee that knows nothing of rules, zones and the index.

Random bookings come, change and go in a calendar of the van; the referee lists every instance of each and compares all
with all. Who came first is known by the order in which they were put.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import MakeServer
from tests.harness import Server
from tests.pim.bookings import RESOURCES, RIGHTS, marks
from tests.pim.samples import calendar

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BEGIN = datetime(2040, 3, 23)  # noqa: DTZ001 - a clock; two days later clocks in Paris are changed
PARIS = ZoneInfo("Europe/Paris")
UIDS = ("a", "b", "c", "d", "e")
_numbers = itertools.count(1)

Instance = tuple[datetime, datetime, str]  # start, end, key of the event


@dataclass(frozen=True)
class Override:
    """What becomes of one day of a series: ``moved`` by hours, or its state."""

    day: int
    moved_h: int
    state: str


@dataclass(frozen=True)
class Wanted:
    """
    A booking.

    Attributes:
        clock: "utc", "floating", "zoned" or "date".
        start_h, length_h: hours after BEGIN, and how long; of a date whole days.
        days: it recurs on as many days, ``every`` so many.
        state: a line that says that it is no booking after all, or "".
    """

    clock: str
    start_h: int
    length_h: int
    days: int
    every: int
    state: str
    left_out: frozenset[int]
    overrides: tuple[Override, ...]

    def text(self, uid: str) -> str:
        lines = [
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260101T000000Z",
            *self._dates(self.start),
            *self._state(self.state),
        ]
        if self.days > 1:
            lines.append(f"RRULE:FREQ=DAILY;INTERVAL={self.every};COUNT={self.days}")
            lines += [self._line("EXDATE", self.at(day)) for day in sorted(self.left_out)]
        lines.append("END:VEVENT")
        for each in self._present_overrides():
            moved = self.at(each.day) + each.moved_h * (DAY if self.clock == "date" else HOUR)
            lines += ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z"]
            lines += [self._line("RECURRENCE-ID", self.at(each.day)), *self._dates(moved), *self._state(each.state)]
            lines.append("END:VEVENT")
        return calendar(*lines)

    def instances(self) -> Iterator[Instance]:
        overrides = {each.day: each for each in self._present_overrides()}
        for day in range(self.days):
            if day in overrides:
                each = overrides[day]
                moved = self.at(day) + each.moved_h * (DAY if self.clock == "date" else HOUR)
                yield from self._instance(moved, each.state, self._value(self.at(day)))
            elif day not in self.left_out:
                yield from self._instance(self.at(day), self.state, "")

    @property
    def start(self) -> datetime:
        # at two there is an hour that clocks in Paris skip on one of the days: a rule has no instance then
        is_skipped = self.clock in ("floating", "zoned") and self.start_h % 24 == 2
        return BEGIN + (self.start_h // 24 * DAY if self.clock == "date" else (self.start_h + is_skipped) * HOUR)

    @property
    def length(self) -> timedelta:
        return self.length_h * HOUR if self.clock != "date" else max(1, self.length_h // 24) * DAY

    def at(self, day: int) -> datetime:
        """What the clock shows when the instance of a day begins."""
        return self.start + day * self.every * DAY

    def _present_overrides(self) -> list[Override]:
        found = {each.day: each for each in self.overrides if each.day < self.days and each.day not in self.left_out}
        return list(found.values()) if self.days > 1 else []

    def _instance(self, start: datetime, state: str, key: str) -> Iterator[Instance]:
        if state or not self.length:
            return
        zone = UTC if self.clock == "utc" else PARIS
        first = start.replace(tzinfo=zone).astimezone(UTC)
        if self.clock == "date":
            yield first, (start + self.length).replace(tzinfo=zone).astimezone(UTC), key
        else:
            yield first, first + self.length, key

    def _dates(self, start: datetime) -> list[str]:
        if self.clock == "date":
            return [self._line("DTSTART", start), self._line("DTEND", start + self.length)]
        return [self._line("DTSTART", start), f"DURATION:PT{self.length_h}H"]

    def _line(self, name: str, at: datetime) -> str:
        parameters = {"date": ";VALUE=DATE", "zoned": ";TZID=Europe/Paris"}.get(self.clock, "")
        return f"{name}{parameters}:{self._value(at)}"

    def _value(self, at: datetime) -> str:
        return at.strftime("%Y%m%d" if self.clock == "date" else "%Y%m%dT%H%M%S") + ("Z" if self.clock == "utc" else "")

    @staticmethod
    def _state(state: str) -> list[str]:
        return [state] if state else []


@dataclass
class Referee:
    """Who booked what in which order, and who is marked for it."""

    order: list[str] = field(default_factory=list)
    booked: dict[str, Wanted] = field(default_factory=dict)

    def put(self, uid: str, wanted: Wanted) -> None:
        before = self.overlapped(uid) if uid in self.booked else None
        self.booked[uid] = wanted
        if before is None or not self.overlapped(uid) <= before:
            self.order = [each for each in self.order if each != uid] + [uid]

    def delete(self, uid: str) -> None:
        self.booked.pop(uid, None)
        self.order = [each for each in self.order if each != uid]

    def overlapped(self, uid: str) -> set[str]:
        return {other for other in self.booked if other != uid and self.hit(uid, other)}

    def hit(self, uid: str, other: str) -> set[str]:
        """The events of a booking of which an instance overlaps one of another booking."""
        return {
            key
            for start, end, key in self.booked[uid].instances()
            for first, last, _ in self.booked[other].instances()
            if start < last and first < end
        }

    def marks(self, uid: str) -> set[str]:
        earlier = self.order[: self.order.index(uid)]
        return set().union(*(self.hit(uid, other) for other in earlier))


STATES = st.sampled_from(["", "", "", "", "TRANSP:TRANSPARENT", "STATUS:CANCELLED"])
BOOKINGS = st.builds(
    Wanted,
    clock=st.sampled_from(["utc", "floating", "zoned", "date"]),
    start_h=st.integers(0, 60),
    length_h=st.integers(0, 30),
    days=st.sampled_from([1, 1, 2, 4]),
    every=st.integers(1, 2),
    state=STATES,
    left_out=st.frozensets(st.integers(1, 3), max_size=1),
    overrides=st.lists(st.builds(Override, st.integers(0, 3), st.integers(-5, 40), STATES), max_size=2).map(tuple),
)
STEPS = st.lists(st.tuples(st.sampled_from(UIDS), st.none() | BOOKINGS | BOOKINGS | BOOKINGS), min_size=2, max_size=9)


@pytest.fixture(scope="module")
def association(start_server: MakeServer) -> Server:
    return start_server(groups=RESOURCES, access=RIGHTS)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_after_every_step_the_marks_are_those_that_the_referee_gives(association: Server, steps: list) -> None:
    alice, referee = association.client("alice"), Referee()
    van = f"/dav/van/calendar{next(_numbers)}/"
    assert alice.mkcalendar(van).status == 201
    for uid, wanted in steps:
        if wanted is None:
            assert alice.delete(f"{van}{uid}.ics").status == (204 if uid in referee.booked else 404)
            referee.delete(uid)
        else:
            assert alice.put(f"{van}{uid}.ics", wanted.text(uid)).status in (201, 204)
            referee.put(uid, wanted)
        texts = {each: alice.get(f"{van}{each}.ics").text for each in referee.order}
        assert {each: marks(text) for each, text in texts.items()} == {each: referee.marks(each) for each in texts}
        for each, text in texts.items():
            if not referee.marks(each):
                assert text == referee.booked[each].text(each)
    alice.close()
