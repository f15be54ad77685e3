"""So many uploads a minute, and who comes too often learns when to come again."""

from __future__ import annotations

import pytest

from auth.rates import Rates, TooManyUploads


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_all_of_a_minute_may_come_at_once_and_the_next_waits_for_its_share(clock):
    rates = Rates(clock=clock)
    for _ in range(6):
        rates.take({"a": 6})
    with pytest.raises(TooManyUploads) as refused:
        rates.take({"a": 6})
    assert refused.value.retry_after_s == 10
    clock.now += 10
    rates.take({"a": 6})
    with pytest.raises(TooManyUploads):
        rates.take({"a": 6})


def test_more_than_a_minutes_share_is_never_saved_up(clock):
    rates = Rates(clock=clock)
    rates.take({"a": 2})
    clock.now += 3600
    rates.take({"a": 2})
    rates.take({"a": 2})
    with pytest.raises(TooManyUploads):
        rates.take({"a": 2})


def test_where_one_key_has_no_more_nothing_is_counted_for_the_other(clock):
    rates = Rates(clock=clock)
    rates.take({"address": 1, "link": 2})
    for _ in range(5):
        with pytest.raises(TooManyUploads):
            rates.take({"address": 1, "link": 2})
    rates.take({"other": 1, "link": 2})


def test_a_clock_that_is_set_back_keeps_nobody_out_for_longer(clock):
    rates = Rates(clock=clock)
    rates.take({"a": 1})
    clock.now -= 10_000
    with pytest.raises(TooManyUploads) as refused:
        rates.take({"a": 1})
    assert refused.value.retry_after_s == 60


def test_the_counters_are_bounded(clock):
    rates = Rates(2, clock=clock)
    for key in ("a", "b", "c"):
        rates.take({key: 1})
    rates.take({"a": 1})
    with pytest.raises(TooManyUploads):
        rates.take({"c": 1})
