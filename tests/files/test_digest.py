"""Digests of files (RFC 9530): what is uploaded is verified, and what is stored told to who asks."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.harness import Dav, Server

DATA = b"words that arrive whole"


def digest(algorithm: str, data: bytes = DATA) -> str:
    hashed = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{base64.b64encode(hashed).decode()}:"


@pytest.mark.rfc("9530", "2")
@pytest.mark.rfc("9530", "3")
@pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])
@pytest.mark.parametrize(
    "value",
    [
        digest("sha-256"),
        digest("sha-512"),
        f"{digest('sha-256')}, {digest('sha-512')}",
        f"md5=:AAAA:, {digest('sha-256')};x=1",
        "unixsum=:AAAA:",
    ],
)
def test_a_body_that_is_what_its_digest_says_is_stored(alice: Dav, home: str, field: str, value: str) -> None:
    assert alice.put(f"{home}/a.txt", DATA, {field: value}).status == 201
    assert alice.get(f"{home}/a.txt").body == DATA
    assert alice.put(f"{home}/a.txt", iter([DATA[:5], DATA[5:]]), {field: value}).status == 204


@pytest.mark.rfc("9530", "3")
@pytest.mark.parametrize("field", ["Content-Digest", "Repr-Digest"])
@pytest.mark.parametrize(
    "value",
    [
        digest("sha-256", b"other words"),
        f"{digest('sha-256')}, {digest('sha-512', b'other words')}",
        "sha-256=abc",
        "sha-256=:!!!:",
        "sha-256=:YWJj",
        "sha-256=:YWJ:",
        "words",
    ],
)
def test_any_other_body_is_refused_and_the_old_file_stays(
    alice: Dav, home: str, cloud: Server, field: str, value: str
) -> None:
    alice.put(f"{home}/old.txt", "old")
    before = cloud.tree()
    for name in ("old.txt", "new.txt"):
        assert alice.put(f"{home}/{name}", DATA, {field: value}).status == 400
        assert alice.put(f"{home}/{name}", iter([DATA]), {field: value}).status == 400
    assert cloud.tree() == before


@pytest.mark.rfc("9530", "4")
def test_who_asks_is_told_the_digest_of_the_whole_file(alice: Dav, home: str) -> None:
    path = f"{home}/a.txt"
    alice.put(path, DATA)
    assert "repr-digest" not in alice.get(path).headers
    for wish, algorithm in (
        ("sha-256=1", "sha-256"),
        ("sha-512=3, sha-256=10", "sha-256"),
        ("sha-512=3, sha-256=0", "sha-512"),
        ("md5=10, sha-512=1", "sha-512"),
    ):
        for reply in (alice.get(path, {"Want-Repr-Digest": wish}), alice.head(path, {"Want-Repr-Digest": wish})):
            assert reply.headers["repr-digest"] == digest(algorithm)
    part = alice.get(path, {"Want-Repr-Digest": "sha-256=1", "Range": "bytes=0-4"})
    assert (part.status, part.headers["repr-digest"]) == (206, digest("sha-256"))
    for wish in ("sha-256=0", "md5=5", "nonsense", ""):
        assert "repr-digest" not in alice.get(path, {"Want-Repr-Digest": wish}).headers


def test_the_digest_is_of_the_version_that_is_sent(alice: Dav, home: str) -> None:
    path = f"{home}/a.txt"
    for words in (b"one", b"two", b"one"):
        alice.put(path, words)
        assert alice.get(path, {"Want-Repr-Digest": "sha-256=1"}).headers["repr-digest"] == digest("sha-256", words)
