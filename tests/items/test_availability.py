"""Several VAVAILABILITYs laid over each other, compared with a strip of seconds that is painted one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.availability import Availability, read_availability, unavailable
from storage.recurrence import TimeRange
from tests.pim.samples import calendar

LENGTH = 40
PERIODS = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 15)).map(lambda pair: (pair[0], min(sum(pair), LENGTH)))
FOUND = st.lists(
    st.builds(
        Availability,
        priority=st.integers(1, 3),
        covered=PERIODS,
        busy=st.integers(1, 3),
        available=st.lists(PERIODS, max_size=4).map(tuple),
    ),
    max_size=5,
)


@pytest.mark.rfc("7953", "5")
@given(FOUND)
def test_what_is_left_is_what_the_steps_of_the_rfc_leave(found: list[Availability]) -> None:
    strip = [0] * LENGTH
    for priority in (3, 2, 1):
        level = [each for each in found if each.priority == priority]
        for each in level:
            strip[slice(*each.covered)] = [each.busy] * (each.covered[1] - each.covered[0])
        for each in level:
            for start, end in each.available:
                for second in range(max(start, each.covered[0]), min(end, each.covered[1])):
                    strip[second] = 0
    told = [0] * LENGTH
    for start, end, busy in unavailable(found):
        assert not any(told[start:end]), "two periods overlap"
        told[start:end] = [busy] * (end - start)
    assert told == strip


@pytest.mark.rfc("7953", "3.1")
def test_two_series_of_one_object_do_not_override_each_other() -> None:
    def part(uid: str, start: str, end: str, *more: str) -> tuple[str, ...]:
        return ("BEGIN:AVAILABLE", f"UID:{uid}", f"DTSTART:{start}", f"DTEND:{end}", *more, "END:AVAILABLE")

    text = calendar(
        *("BEGIN:VAVAILABILITY", "UID:v", "DTSTAMP:20260101T000000Z"),
        *part("a", "20270104T080000Z", "20270104T100000Z", "RRULE:FREQ=DAILY"),
        *part("b", "20270104T080000Z", "20270104T120000Z", "RRULE:FREQ=DAILY"),
        *part("b", "20270105T130000Z", "20270105T140000Z", "RECURRENCE-ID:20270105T080000Z"),
        "END:VAVAILABILITY",
    )
    day = TimeRange(1_799_107_200, 1_799_193_600)  # 2027-01-05
    hours = [
        ((start - day.start_s) // 3600, (end - day.start_s) // 3600)
        for start, end, _ in unavailable(read_availability(text.encode(), day))
    ]
    assert sorted(hours) == [(0, 8), (10, 13), (14, 24)]
