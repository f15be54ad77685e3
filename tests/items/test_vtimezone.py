"""Zones of the system written as a VTIMEZONE (RFC 5545 §3.6.5)."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.contentlines import parse_components
from storage.vtimezone import render_vtimezone
from storage.zones import read_zone

ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "posixrules"})
# Those whose clocks are, or were, changed in an odd way.
ODD = (
    *("Africa/Cairo", "Africa/Casablanca", "America/Nuuk", "America/Sao_Paulo", "America/St_Johns", "Asia/Gaza"),
    *("Asia/Jerusalem", "Asia/Tehran", "Antarctica/Troll", "Australia/Lord_Howe", "Europe/Dublin", "Europe/London"),
    *("Pacific/Apia", "Pacific/Norfolk", "America/Anchorage", "Europe/Berlin", "America/Santiago", "Etc/GMT+5", "UTC"),
)


@cache
def described(name: str, since_year: int) -> tzinfo:
    """The zone that the text describes, as a client reads it."""
    found = read_zone(render_vtimezone(name, zoneinfo.ZoneInfo(name), since_year))
    assert found is not None
    return found


def offsets(name: str, since_year: int, at: datetime) -> tuple[timedelta | None, timedelta | None]:
    """The offset that is told at an instant and the right one."""
    local = at.astimezone(zoneinfo.ZoneInfo(name))
    return local.replace(tzinfo=described(name, since_year)).utcoffset(), local.utcoffset()


@pytest.mark.rfc("5545", "3.6.5")
@given(
    st.one_of(st.sampled_from(ODD), st.sampled_from(ZONES)),
    st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from((0, 1, 10)),
)
@settings(max_examples=50)
def test_what_is_written_tells_the_offset_of_every_time_from_its_first_year_on(
    name: str, at: datetime, years: int
) -> None:
    at = at.replace(tzinfo=UTC)
    told, right = offsets(name, at.year - years, at)
    assert told == right


@pytest.mark.parametrize("name", ODD)
def test_the_hours_around_each_change_are_told_right(name: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    days = [datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(366 * 15)]
    for day, next_day in pairwise(days):
        if day.astimezone(zone).utcoffset() != next_day.astimezone(zone).utcoffset():
            for hours in range(-1, 26):
                told, right = offsets(name, 2014, day + timedelta(hours=hours))
                assert told == right, day + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("Europe/Berlin", ["FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"]),
        ("America/New_York", ["FREQ=YEARLY;BYMONTH=11;BYDAY=1SU", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"]),
        ("Asia/Tokyo", []),
        ("UTC", []),
        (
            "Asia/Jerusalem",
            ["FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=23,24,25,26,27,28,29;BYDAY=FR"],
        ),
    ],
)
def test_what_goes_on_by_a_rule_is_written_as_one(name: str, rules: list[str]) -> None:
    text = render_vtimezone(name, zoneinfo.ZoneInfo(name), 2026)
    found = sorted(line.partition(":")[2] for line in text.split("\r\n") if line.startswith("RRULE"))
    assert found == sorted(rules)
    assert "RDATE" not in text
    parts = parse_components(text.encode(), longest_head=100)[0]
    assert len(parts.children) == max(1, len(rules))
    assert all(len(line) <= 75 for line in text.split("\r\n") if not line.startswith("RRULE"))


def test_a_time_before_there_were_zones_is_told_by_the_sun() -> None:
    told, right = offsets("Europe/Paris", 1700, datetime(1789, 7, 14, 12, tzinfo=UTC))
    assert told == right == timedelta(minutes=9, seconds=21)
