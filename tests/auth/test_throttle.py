"""Guessing is slow for who guesses, and nobody else is held up."""

from __future__ import annotations

import pytest

from auth.errors import TooManyTries
from auth.throttle import FREE_FAILURES, MemoryCounters, Throttle

HOME, AWAY = "192.0.2.1", "192.0.2.2"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock) -> Throttle:
    return Throttle(clock=clock)


def fail(throttle: Throttle, times: int = FREE_FAILURES, address: str = AWAY, name: str = "alice") -> None:
    for _ in range(times):
        throttle.require(address, name)
        throttle.failed(address, name)


def test_ten_failures_are_free_and_the_next_try_waits(throttle):
    fail(throttle)
    with pytest.raises(TooManyTries) as refused:
        throttle.require(AWAY, "alice")
    assert refused.value.retry_after_s == 1


def test_after_that_one_try_a_second_goes_through(throttle, clock):
    fail(throttle)
    clock.now += 1.0
    throttle.require(AWAY, "alice")
    with pytest.raises(TooManyTries):
        throttle.require(AWAY, "alice")
    clock.now += 1.0
    throttle.require(AWAY, "alice")


def test_the_real_member_at_another_address_is_not_held_up(throttle):
    fail(throttle)
    throttle.require(HOME, "alice")


def test_another_account_from_the_same_address_is_not_held_up(throttle):
    fail(throttle)
    throttle.require(AWAY, "bob")


def test_the_name_counts_in_any_case(throttle):
    fail(throttle, name="Alice")
    with pytest.raises(TooManyTries):
        throttle.require(AWAY, "ALICE")


def test_a_success_forgets_the_failures(throttle):
    fail(throttle, FREE_FAILURES - 1)
    throttle.succeeded(AWAY, "alice")
    fail(throttle, FREE_FAILURES - 1)
    throttle.require(AWAY, "alice")


def test_failures_are_forgotten_after_an_hour(throttle, clock):
    fail(throttle)
    clock.now += 3601
    throttle.failed(AWAY, "alice")
    throttle.require(AWAY, "alice")


def test_addresses_of_one_ipv6_network_are_one(throttle):
    fail(throttle, address="2001:db8::1")
    with pytest.raises(TooManyTries):
        throttle.require("2001:db8::ffff", "alice")
    throttle.require("2001:db8:0:1::1", "alice")


def test_a_mapped_ipv4_address_is_the_ipv4_address(throttle):
    fail(throttle, address=f"::ffff:{AWAY}")
    with pytest.raises(TooManyTries):
        throttle.require(AWAY, "alice")
    throttle.require(f"::ffff:{HOME}", "alice")


def test_a_clock_that_was_set_back_locks_nobody_out_for_long(throttle, clock):
    fail(throttle)
    clock.now -= 10_000
    with pytest.raises(TooManyTries) as refused:
        throttle.require(AWAY, "alice")
    assert refused.value.retry_after_s == 1


def test_the_counters_are_bounded(clock):
    counters = MemoryCounters(entries=3)
    throttle = Throttle(counters, clock=clock)
    for number in range(10):
        throttle.failed(f"192.0.2.{number}", "alice")
    assert len(counters._tallies) == 3
