"""Hashes that are made, hashes that are brought along, and passwords of devices."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.passwords import (
    hash_app_password,
    hash_password,
    is_app_password_hash,
    is_known_hash,
    new_app_password,
    verify_password,
)

# "Grüße 1" as `openssl passwd` and `htpasswd -B` store it.
BROUGHT_ALONG = [
    "$apr1$J4SoX9zu$/E9TeA9DvJzyKC8RUtydH.",
    "$6$J4SoX9zu$i5Rl2NWV/9W0xkUu81sDoBH6udOd6BVS4SmXsvxs9HbjLIMy86nd1Mx98GWj3OcOt4113X0p0eNESgKy/pEng1",
    "$5$J4SoX9zu$ikdO4D5YPY/Wr/PisJ7GDzq/lNK.T5LMl6UrOw02HQ3",
    "$2y$05$4mCyTpUMY6TE8a9akSpp1ebV.UXnFOAPgaRV9.RW8zkuY68lIJlTq",
]


def test_a_chosen_password_is_stored_as_argon2id():
    stored = hash_password("Grüße 1")
    assert stored.startswith("$argon2id$")
    assert verify_password("Grüße 1", stored)
    assert not verify_password("Grüsse 1", stored)


def test_two_hashes_of_one_password_differ():
    assert hash_password("x") != hash_password("x")


@pytest.mark.parametrize("stored", BROUGHT_ALONG)
def test_a_hash_that_was_brought_along_is_verified(stored):
    assert is_known_hash(stored)
    assert verify_password("Grüße 1", stored)
    assert not verify_password("Grüße 2", stored)


def test_a_password_longer_than_bcrypt_looks_at_is_verified_as_bcrypt_does():
    of_72_x = "$2b$04$hRmu9GkLNf9RTfAtZ.lIe.36rbQnwr6R2AtRT.ltrbMN2KCR9pwkK"
    assert verify_password("x" * 100, of_72_x)
    assert not verify_password("x" * 71, of_72_x)


def test_a_password_of_a_megabyte_is_wrong_at_once():
    assert not verify_password("x" * 1_000_000, BROUGHT_ALONG[0])


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "secret",
        "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=",
        "$argon2id$broken",
        "$2y$05$x",
        "$apr1$x",
        "rl0uE8cLDlGwk",
        "!",
        "$1$",
    ],
)
def test_what_is_no_hash_of_a_known_kind_is_not_taken_for_one(stored):
    assert not is_known_hash(stored)
    assert not verify_password("secret", stored)


@given(st.text(), st.sampled_from([*BROUGHT_ALONG[:1], "$argon2id$broken", "$2y$05$x"]))
def test_any_text_is_a_right_or_a_wrong_password(password, stored):
    assert verify_password(password, stored) is (password == "Grüße 1" and stored in BROUGHT_ALONG)


def test_an_application_password_has_at_least_96_random_bits():
    password = new_app_password()
    letters = password.replace("-", "")
    assert len(letters) * math.log2(32) >= 96
    assert len({new_app_password() for _ in range(100)}) == 100


def test_an_application_password_is_found_however_a_phone_writes_it():
    password = new_app_password()
    digest = hash_app_password(password)
    assert is_app_password_hash(digest)
    assert digest == hash_app_password(password.upper().replace("-", " ") + "\n")
    assert digest != hash_app_password(password[:-1])
