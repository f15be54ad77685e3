"""Digests of files (RFC 9530): what is uploaded is verified, and what is stored told to who asks."""

from __future__ import annotations

import base64
import hashlib
import zlib

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


@pytest.mark.rfc("9530", "4")
@pytest.mark.parametrize(
    ("ranged", "status", "sent"),
    [(None, 200, DATA), ("bytes=0-4", 206, DATA[:5]), ("bytes=6-", 206, DATA[6:]), ("bytes=-3", 206, DATA[-3:])],
)
def test_who_asks_is_told_the_digest_of_what_is_sent(
    alice: Dav, home: str, ranged: str | None, status: int, sent: bytes
) -> None:
    path = f"{home}/a.txt"
    alice.put(path, DATA)
    wish = {"Want-Content-Digest": "sha-256=1", "Want-Repr-Digest": "sha-512=1"}
    for _ in range(2):
        reply = alice.get(path, wish | ({} if ranged is None else {"Range": ranged}))
        assert (reply.status, reply.body) == (status, sent)
        assert reply.headers["content-digest"] == digest("sha-256", sent)
        assert reply.headers["repr-digest"] == digest("sha-512")
    assert alice.head(path, wish).headers["content-digest"] == digest("sha-256")
    assert "content-digest" not in alice.get(path).headers
    assert "content-digest" not in alice.get(path, {"Want-Content-Digest": "md5=1"}).headers
    several = alice.get(path, wish | {"Range": "bytes=0-1,3-4"})
    assert (several.status, "content-digest" in several.headers) == (206, False)


@pytest.mark.rfc("9530", "3.1")
def test_a_part_of_a_file_is_verified_too(alice: Dav, home: str, cloud: Server) -> None:
    path = f"{home}/a.txt"
    alice.put(path, b"0123456789")
    before = cloud.tree()
    for where, part in (("append", b"more"), ("bytes=2-5", b"more"), ("bytes=0-", b"more")):
        sent = {"Content-Type": "application/x-sabredav-partialupdate", "X-Update-Range": where}
        wrong = {"Content-Digest": digest("sha-256", b"less")}
        assert alice.request("PATCH", path, part, sent | wrong).status == 400
        assert alice.request("PATCH", path, part, sent | {"OC-Checksum": "MD5:" + "0" * 32}).status == 400
    assert cloud.tree() == before
    right = {"Content-Digest": digest("sha-256", b"more")}
    assert alice.request("PATCH", path, b"more", sent | right).status == 204
    assert alice.get(path).body == b"more456789"


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        ("SHA1", hashlib.sha1(DATA).hexdigest()),
        ("sha1", hashlib.sha1(DATA).hexdigest().upper()),
        ("MD5", hashlib.md5(DATA).hexdigest()),
        ("SHA256", hashlib.sha256(DATA).hexdigest()),
        ("SHA3-256", hashlib.sha3_256(DATA).hexdigest()),
        ("ADLER32", f"{zlib.adler32(DATA):08x}"),
    ],
)
def test_the_checksum_of_a_sync_program_is_verified(
    alice: Dav, home: str, cloud: Server, kind: str, right: str
) -> None:
    """ownCloud's clients and rclone send ``OC-Checksum``."""
    assert alice.put(f"{home}/a.txt", DATA, {"OC-Checksum": f"{kind}:{right}"}).status == 201
    assert alice.put(f"{home}/a.txt", iter([DATA[:5], DATA[5:]]), {"OC-Checksum": f"{kind}:{right}"}).status == 204
    assert alice.put(f"{home}/empty", b"", {"OC-Checksum": "MD5:d41d8cd98f00b204e9800998ecf8427e"}).status == 201
    before = cloud.tree()
    wrong = "0" * len(right)
    for value in (
        f"{kind}:{wrong}",
        f"{kind}:{right[:-2]}",
        f"{kind}:",
        f"{kind}:words",
        f"MD5:{'0' * 32} {kind}:{right}",
    ):
        for name in ("a.txt", "new.txt"):
            assert alice.put(f"{home}/{name}", DATA + b"!", {"OC-Checksum": f"{kind}:{right}"}).status == 400
            assert alice.put(f"{home}/{name}", DATA, {"OC-Checksum": value}).status == 400, value
    assert cloud.tree() == before


def test_a_checksum_of_an_unknown_kind_says_nothing(alice: Dav, home: str) -> None:
    assert alice.put(f"{home}/a.txt", DATA, {"OC-Checksum": "CRC9:00"}).status == 201
    assert alice.put(f"{home}/b.txt", DATA, {"OC-Checksum": ""}).status == 201
