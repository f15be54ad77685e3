"""What was verified is remembered for a while; what failed never is."""

from __future__ import annotations

import threading
import time

import pytest

import auth.credentials
from auth.credentials import VerifiedCredentials
from auth.passwords import hash_password

STORED = hash_password("secret")


@pytest.fixture
def verified(monkeypatch) -> list[str]:
    """Every password that was really verified, slowly enough that threads meet."""
    calls: list[str] = []
    real = auth.credentials.verify_password

    def slow(password: str, stored: str) -> bool:
        calls.append(password)
        time.sleep(0.05)
        return real(password, stored)

    monkeypatch.setattr(auth.credentials, "verify_password", slow)
    return calls


def test_a_right_password_is_verified_once_until_its_time_is_over(verified):
    now = [1000.0]
    credentials = VerifiedCredentials(lifetime_s=300, entries=10, clock=lambda: now[0])
    assert credentials.verify("alice", "secret", STORED)
    now[0] += 299
    assert credentials.verify("alice", "secret", STORED)
    assert len(verified) == 1
    now[0] += 2
    assert credentials.verify("alice", "secret", STORED)
    assert len(verified) == 2


def test_a_wrong_password_is_never_remembered(verified):
    credentials = VerifiedCredentials(lifetime_s=300, entries=10)
    assert not credentials.verify("alice", "wrong", STORED)
    assert not credentials.verify("alice", "wrong", STORED)
    assert len(verified) == 2
    assert len(credentials) == 0


def test_what_is_remembered_counts_for_one_name_one_password_and_one_hash(verified):
    credentials = VerifiedCredentials(lifetime_s=300, entries=10)
    assert credentials.verify("alice", "secret", STORED)
    assert not credentials.verify("alice", "secre", STORED)
    assert not credentials.verify("alice", "secret", hash_password("other"))
    assert credentials.verify("bob", "secret", STORED)
    assert len(verified) == 4


def test_the_memory_is_bounded_and_forgets_the_oldest(verified):
    credentials = VerifiedCredentials(lifetime_s=300, entries=2)
    for name in ("a", "b", "c"):
        assert credentials.verify(name, "secret", STORED)
    assert len(credentials) == 2
    credentials.verify("c", "secret", STORED)
    assert len(verified) == 3
    credentials.verify("a", "secret", STORED)
    assert len(verified) == 4


def test_with_a_lifetime_of_zero_nothing_is_remembered(verified):
    credentials = VerifiedCredentials(lifetime_s=0, entries=10)
    assert credentials.verify("alice", "secret", STORED)
    assert len(credentials) == 0


def test_many_requests_with_one_credential_verify_it_once(verified):
    credentials = VerifiedCredentials(lifetime_s=300, entries=10)
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(credentials.verify("alice", "secret", STORED)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 20
    assert len(verified) == 1


def test_the_password_itself_is_not_kept():
    credentials = VerifiedCredentials(lifetime_s=300, entries=10)
    credentials.verify("alice", "secret", STORED)
    assert all(b"secret" not in key and len(key) == 32 for key in credentials._until)
