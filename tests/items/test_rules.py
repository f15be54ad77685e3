"""Recurrence rules give what an independent implementation gives, and never cost more than their budget."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.itemvalues import Moment, parse_recurrence
from storage.rules import TooCostly, starts

DAY_S = 86_400
LAST_S = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


def moment(text: str) -> Moment:
    return Moment(int(datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()), True, False)


def numbers(most: int, *, signed: bool = True) -> st.SearchStrategy[str]:
    low = -most if signed else 1
    one = st.integers(low, most).filter(bool)
    return st.lists(one, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found)))


DAYS = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=3)
# dateutil takes "1MO,SU" as both at once, where RFC 5545 means either: one kind at a time
NTH_DAYS = DAYS | st.lists(st.sampled_from(["1MO", "-1FR", "2TU", "5SA", "-2WE"]), min_size=1, max_size=3)
PARTS = {
    # the parts that a frequency can have (the table of RFC 5545 §3.3.10)
    "DAILY": {"BYMONTH": numbers(12, signed=False), "BYMONTHDAY": numbers(28), "BYDAY": DAYS.map(",".join)},
    "WEEKLY": {"BYMONTH": numbers(12, signed=False), "BYDAY": DAYS.map(",".join)},
    "MONTHLY": {"BYMONTH": numbers(12, signed=False), "BYMONTHDAY": numbers(28), "BYDAY": NTH_DAYS.map(",".join)},
    "YEARLY": {
        "BYMONTH": numbers(12, signed=False),
        "BYMONTHDAY": numbers(28),
        "BYDAY": NTH_DAYS.map(",".join),
        "BYYEARDAY": numbers(366),
    },
}
CLOCK = {
    "BYHOUR": st.sampled_from(["6", "6,18"]),
    "BYMINUTE": st.just("0,30"),
    "BYSETPOS": st.sampled_from(["1", "-1"]),
}


@st.composite
def rules(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 9)) == 0:
        return f"FREQ={draw(st.sampled_from(['HOURLY', 'MINUTELY', 'SECONDLY']))};INTERVAL={draw(st.integers(1, 99))}"
    frequency = draw(st.sampled_from(list(PARTS)))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}", f"WKST={draw(st.sampled_from(['MO', 'SU']))}"]
    offered = PARTS[frequency] | CLOCK
    names = draw(st.lists(st.sampled_from(sorted(offered)), unique=True, max_size=3))
    if "BYYEARDAY" in names:  # with another part it may never come, and dateutil looks until the year 9999
        names = ["BYYEARDAY"]
    if frequency == "WEEKLY" and "BYSETPOS" in names:  # dateutil begins to count at DTSTART, not with the week
        names.remove("BYSETPOS")
    if "BYMONTHDAY" in names:
        offered = offered | {"BYDAY": DAYS.map(",".join)}
    parts += [f"{name}={draw(offered[name])}" for name in names]
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    return ";".join(parts)


def by_dateutil(rule: str, first: Moment, most: int) -> list[int]:
    start = datetime.fromtimestamp(first.clock_s, UTC).replace(tzinfo=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        until = datetime.fromtimestamp(LAST_S, UTC).replace(tzinfo=None)
        found = islice(rrulestr(rule, dtstart=start).between(start, until, inc=True, count=most), most)
        return [int(each.replace(tzinfo=UTC).timestamp()) for each in found]


def by_us(rule: str, first: Moment, most: int) -> list[int]:
    found = []
    try:
        for start_s in starts(parse_recurrence(rule), first):
            if start_s > LAST_S or len(found) == most:
                break
            found.append(start_s)
    except TooCostly:
        pass
    return found


@pytest.mark.rfc("5545", "3.3.10")
@settings(deadline=None)
@given(rules(), st.integers(1_546_300_800, 1_735_689_600))
def test_a_rule_gives_what_dateutil_gives(rule: str, start_s: int) -> None:
    first = Moment(start_s, True, False)
    assert by_us(rule, first, 60) == by_dateutil(rule, first, 60)


@pytest.mark.rfc("5545", "3.3.10")
@given(rules(), st.integers(1_546_300_800, 1_735_689_600), st.integers(0, 3000))
def test_beginning_later_leaves_nothing_out(rule: str, start_s: int, days: int) -> None:
    first, from_s = Moment(start_s, True, False), start_s + days * DAY_S
    end_s = from_s + 400 * DAY_S
    try:
        whole = _between(starts(parse_recurrence(rule), first), from_s, end_s)
    except TooCostly:
        return
    assert _between(starts(parse_recurrence(rule), first, from_s=from_s), from_s, end_s) == whole


def _between(found: Iterator[int], from_s: int, end_s: int) -> list[int]:
    kept = []
    for each in found:
        if each >= end_s:
            break
        if each >= from_s:
            kept.append(each)
    return kept


EXAMPLES = {
    "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1": ("20190101T090000", ["20190107", "20190114", "20190121"]),
    "FREQ=MONTHLY;BYDAY=1MO,SU": ("20260105T090000", ["20260105", "20260111", "20260118"]),
    # from RFC 5545 §3.8.5.3, and what that section's grammar leaves to DTSTART
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO": ("19970512T090000", ["19970512", "19980511", "19990517"]),
    "FREQ=YEARLY;BYWEEKNO=20": ("19970513T090000", ["19970513", "19980512", "19990518"]),
    "FREQ=YEARLY;BYDAY=20MO": ("19970519T090000", ["19970519", "19980518", "19990517"]),
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13": ("19970902T090000", ["19980213", "19980313", "19981113"]),
    "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8": (
        "19961105T090000",
        ["19961105", "20001107", "20041102"],
    ),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2": ("19970929T090000", ["19970929", "19971030", "19971127"]),
    "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO": ("19970805T090000", ["19970805", "19970810", "19970819"]),
    "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU": ("19970805T090000", ["19970805", "19970817", "19970819"]),
    "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5": ("20070115T090000", ["20070115", "20070130", "20070215"]),
    "FREQ=YEARLY": ("20240229T090000", ["20240229", "20280229", "20320229"]),
}


@pytest.mark.rfc("5545", "3.8.5.3")
@pytest.mark.parametrize(("rule", "expected"), EXAMPLES.items(), ids=EXAMPLES.keys())
def test_examples_of_the_rfc(rule: str, expected: tuple[str, list[str]]) -> None:
    found = by_us(rule, moment(expected[0]), 3)
    assert [datetime.fromtimestamp(each, UTC).strftime("%Y%m%d") for each in found] == expected[1]


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=DAILY;BYMONTH=2;BYSETPOS=366", "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYDAY=53MO,-53TU"),
        *("FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", "FREQ=SECONDLY;BYMONTH=13", "FREQ=DAILY;RSCALE=HEBREW"),
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=" + ",".join(map(str, range(24))),
    ],
)
@pytest.mark.timeout(10)
def test_a_rule_without_occurrences_ends_with_the_budget(rule: str) -> None:
    found = []
    with suppress(TooCostly):
        found = list(starts(parse_recurrence(rule), moment("20260102T100000")))
    assert found == []
