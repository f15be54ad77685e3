"""Rules are followed as RFC 5545 §3.3.10 says, from any point, and for a bounded number of steps."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.itemvalues import WEEKDAYS, Moment, parse_recurrence
from storage.rrule import MOST_STEPS, TooCostly, rule_starts

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - clocks
FAR_S = 1 << 60


def clock_s(local: datetime) -> int:
    return int((local - EPOCH).total_seconds())


def starts(
    rule: str, first: datetime, after_s: int = -FAR_S, before_s: int = FAR_S, *, is_date: bool = False
) -> list[str]:
    """At most thirty of a rule's occurrences, COUNT observed."""
    parsed, begin = parse_recurrence(rule), Moment(clock_s(first), False, is_date)
    found = islice(rule_starts(parsed, begin, after_s, before_s), min(parsed.count or 30, 30))
    return [(EPOCH + timedelta(seconds=at)).isoformat() for at in found]


def numbers(least: int, most: int, *, negative: bool = False) -> st.SearchStrategy[str]:
    """One to three numbers, as a BY… part has them."""
    values = st.integers(least, most)
    if negative:
        values = st.one_of(values, values.map(lambda number: -number))
    return st.lists(values, min_size=1, max_size=3, unique=True).map(lambda found: ",".join(map(str, found)))


weekdays = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True).map(",".join)
nth_weekdays = st.lists(
    st.builds(lambda number, day: f"{number}{day}", st.sampled_from([1, 2, -1, -2, 5]), st.sampled_from(WEEKDAYS)),
    min_size=1,
    max_size=2,
    unique=True,
).map(",".join)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule with parts that may stand together (the table of RFC 5545 §3.3.10)."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]
    has_week = False
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"BYMONTH={draw(numbers(1, 12))}")
    if frequency == "YEARLY" and draw(st.integers(0, 4)) == 0:
        has_week = True
        parts.append(f"BYWEEKNO={draw(numbers(1, 53))};BYDAY={draw(weekdays)}")
    elif frequency != "WEEKLY" and draw(st.integers(0, 3)) == 0:
        parts.append(f"BYMONTHDAY={draw(numbers(1, 28, negative=True))}")
    elif frequency == "YEARLY" and draw(st.integers(0, 3)) == 0:
        parts.append(f"BYYEARDAY={draw(numbers(1, 366, negative=True))}")
    if not has_week and draw(st.booleans()):
        nth = frequency in ("YEARLY", "MONTHLY") and draw(st.booleans())
        parts.append(f"BYDAY={draw(nth_weekdays if nth else weekdays)}")
    if frequency not in ("HOURLY", "MINUTELY") and draw(st.integers(0, 4)) == 0:
        parts.append(f"BYHOUR={draw(numbers(0, 23))};BYMINUTE={draw(numbers(0, 59))}")
    if frequency in ("MONTHLY", "YEARLY") and len(parts) > 2 and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', '1,-1']))}")
    return ";".join([*parts, f"WKST={draw(st.sampled_from(WEEKDAYS))}"])


begins = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001 - clocks
    lambda at: at.replace(second=0, microsecond=0)
)


@pytest.mark.rfc("5545", "3.3.10")
@settings(derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(rules(), begins, st.integers(0, 2000))
def test_a_rule_is_followed_as_dateutil_does(rule: str, first: datetime, hours: int) -> None:
    end = first + timedelta(days=900 if "YEARLY" in rule or "MONTHLY" in rule else 60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = rrulestr(rule, dtstart=first).replace(until=end + timedelta(days=4000))
        wanted = [at.isoformat() for at in islice(takewhile(lambda at: at <= end, known), 30)]
    assert starts(rule, first, before_s=clock_s(end)) == wanted
    after = first + timedelta(hours=hours)
    later = [at for at in wanted if at >= after.isoformat()]
    jumped = [at for at in starts(rule, first, clock_s(after), clock_s(end)) if at >= after.isoformat()]
    assert jumped[: len(later)][:20] == later[: len(jumped)][:20]


EXAMPLES = {
    # from RFC 5545 §3.8.5.3, and what is left to DTSTART
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO": ("19970512", ["19970512", "19980511", "19990517"]),
    "FREQ=YEARLY;BYWEEKNO=20": ("19970513", ["19970513", "19980512", "19990518"]),
    "FREQ=YEARLY;BYDAY=20MO": ("19970519", ["19970519", "19980518", "19990517"]),
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13": ("19970902", ["19980213", "19980313", "19981113"]),
    "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8": (
        "19961105",
        ["19961105", "20001107", "20041102"],
    ),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2": ("19970929", ["19970929", "19971030", "19971127"]),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO": ("19970805", ["19970805", "19970810", "19970819"]),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU": ("19970805", ["19970805", "19970817", "19970819"]),
    "FREQ=MONTHLY;BYMONTHDAY=15,30": ("20070115", ["20070115", "20070130", "20070215"]),
    "FREQ=YEARLY": ("20240229", ["20240229", "20280229", "20320229"]),
}


@pytest.mark.rfc("5545", "3.8.5.3")
@pytest.mark.parametrize(("rule", "expected"), EXAMPLES.items(), ids=EXAMPLES.keys())
def test_examples_of_the_rfc(rule: str, expected: tuple[str, list[str]]) -> None:
    first = datetime.strptime(expected[0], "%Y%m%d")  # noqa: DTZ007 - a clock
    found = starts(rule, first, before_s=clock_s(first + timedelta(days=3700)))
    assert [at[:10].replace("-", "") for at in found[:3]] == expected[1]


MONDAY = datetime(2027, 3, 1, 10)  # noqa: DTZ001 - a clock


@pytest.mark.rfc("5545", "3.3.10")
def test_the_first_week_is_a_whole_one_to_bysetpos() -> None:
    found = starts("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2", MONDAY + timedelta(days=2))
    assert found[:2] == ["2027-03-03T10:00:00", "2027-03-10T10:00:00"]


@pytest.mark.rfc("5545", "3.3.10")
def test_a_day_has_no_hours_whatever_its_rule_says() -> None:
    found = starts("FREQ=DAILY;BYHOUR=9,10;COUNT=2", MONDAY.replace(hour=0), is_date=True)
    assert found == ["2027-03-01T00:00:00", "2027-03-02T00:00:00"]


@pytest.mark.rfc("5545", "3.3.10")
def test_each_and_nth_weekdays_stand_together() -> None:
    found = starts("FREQ=MONTHLY;BYDAY=MO,1TU", MONDAY)
    assert [at[:10] for at in found[:6]] == [
        *("2027-03-01", "2027-03-02", "2027-03-08", "2027-03-15", "2027-03-22", "2027-03-29"),
    ]


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=SECONDLY;BYSETPOS=2", "FREQ=DAILY;BYSETPOS=2", "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"),
        *("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=9", "FREQ=YEARLY;BYMONTH=13"),
        "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2,4,6,9,11",
    ],
)
def test_a_rule_that_gives_nothing_ends_or_is_too_costly(rule: str) -> None:
    try:
        assert starts(rule, MONDAY) == []
    except TooCostly:
        assert MOST_STEPS < 100_000


def test_a_rule_is_followed_from_where_it_is_asked_for() -> None:
    year_9000 = clock_s(datetime(9000, 1, 1))  # noqa: DTZ001 - a clock
    found = starts("FREQ=SECONDLY;INTERVAL=7", MONDAY, year_9000, year_9000 + 60)
    assert [at for at in found if at >= "9000"][:2] == ["9000-01-01T00:00:01", "9000-01-01T00:00:08"]
    assert len(found) <= 10
    assert starts("FREQ=DAILY", MONDAY, year_9000, year_9000 + 86_400) == ["9000-01-01T10:00:00"]


@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "SECONDLY"])
def test_a_rule_ends_with_the_last_year(frequency: str) -> None:
    last = datetime(9999, 12, 31, 23, 59, 50)  # noqa: DTZ001 - a clock
    assert starts(f"FREQ={frequency}", last)[0] == last.isoformat()
