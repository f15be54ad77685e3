"""The head of a request: one reading or a refusal."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.head import Head, HeadRefused, parse_head

HOST = b"\r\nHost: h"


def head(*lines: bytes, start: bytes = b"PUT /a HTTP/1.1") -> Head:
    return parse_head(b"\r\n".join([start, b"Host: h", *lines]), max_fields=20)


def refusal(data: bytes) -> int:
    with pytest.raises(HeadRefused) as caught:
        parse_head(data, max_fields=20)
    return caught.value.status


@pytest.mark.rfc("9112", "6.3")
@pytest.mark.parametrize(
    ("line", "length"), [(b"Content-Length: 12", 12), (b"Transfer-Encoding: Chunked", None), (b"X: y", 0)]
)
def test_the_length_of_a_body_is_announced_chunked_or_nothing(line: bytes, length: int | None) -> None:
    assert head(line).content_length == length


@pytest.mark.rfc("9112", "11.2")
@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 5",
        b"Content-Length: -5",
        b"Content-Length: +5",
        b"Content-Length: 5_0",
        b"Content-Length: \xb2",
        b"Content-Length: " + b"9" * 30,
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding : chunked",
        b"Host: other",
        b": x",
        b"nothing",
        b"X: a\x00b",
        b"X: a\rb",
        b"X: a\nY: b",
    ],
)
def test_a_head_that_has_two_readings_is_refused(lines: bytes) -> None:
    assert refusal(b"PUT /a HTTP/1.1" + HOST + b"\r\n" + lines) == 400


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"GET /a", 400),
        (b"GET  /a HTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"G(T /a HTTP/1.1", 400),
        (b"GET /a\x00 HTTP/1.1", 400),
        (b"GET /a HTTP/2.0", 505),
        (b"GET /a FTP/1.1", 400),
        (b"", 400),
    ],
)
def test_a_request_line_that_is_none_is_refused(start: bytes, status: int) -> None:
    assert refusal(start + HOST) == status


@pytest.mark.rfc("9112", "3.2")
def test_http_1_1_without_host_is_refused_and_1_0_is_not() -> None:
    assert refusal(b"GET / HTTP/1.1") == 400
    assert parse_head(b"GET / HTTP/1.0", max_fields=20).minor == 0


def test_an_unknown_transfer_coding_is_501_and_an_unknown_expectation_417() -> None:
    assert refusal(b"PUT / HTTP/1.1" + HOST + b"\r\nTransfer-Encoding: gzip, chunked") == 501
    assert refusal(b"PUT / HTTP/1.1" + HOST + b"\r\nExpect: a miracle") == 417


def test_too_many_fields_are_431() -> None:
    assert refusal(b"GET / HTTP/1.1" + HOST + b"\r\nA: b" * 20) == 431


def test_repeated_fields_are_joined_and_folded_ones_unfolded() -> None:
    fields = head(b"If: (<a>)", b"  (<b>)", b"Accept: x", b"accept: y").fields
    assert fields["if"] == "(<a>) (<b>)"
    assert fields["accept"] == "x, y"


def test_a_field_with_an_underscore_is_dropped_because_it_would_stand_for_another() -> None:
    assert "x-forwarded-for" not in head(b"X_Forwarded_For: 127.0.0.1").fields
    assert "x_forwarded_for" not in head(b"X_Forwarded_For: 127.0.0.1").fields


@pytest.mark.parametrize(
    ("start", "lines", "keep"),
    [
        (b"GET / HTTP/1.1", b"X: y", True),
        (b"GET / HTTP/1.1", b"Connection: TE, Close", False),
        (b"GET / HTTP/1.0", b"X: y", False),
        (b"GET / HTTP/1.0", b"Connection: Keep-Alive", True),
    ],
)
def test_a_connection_stays_as_its_version_and_fields_say(start: bytes, lines: bytes, keep: bool) -> None:
    assert head(lines, start=start).keep_alive is keep


@pytest.mark.parametrize("start", [b"GET /b HTTP/1.1", b"PUT /b HTTP/1.0", b"GET /b HTTP/1.1\0", b"GET /b"])
@pytest.mark.parametrize("lines", [[b"X: y"], [b"X: z"], [b"X: y", b"X: y"], [b"Content-Length: 1"], [b"X: y\0"], []])
def test_a_head_is_read_after_another_one_as_it_would_be_alone(start: bytes, lines: list[bytes]) -> None:
    data = b"\r\n".join([start, b"Host: h", *lines])

    def outcome(previous: Head | None) -> object:
        try:
            return parse_head(data, max_fields=20, previous=previous)
        except HeadRefused as refused:
            return refused.status, str(refused)

    assert outcome(head(b"X: y")) == outcome(None)


@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [b"GET / HTTP/1.1", b"\r\n", b"Host: h", b":", b" ", b"\n", b"Content-Length: 1", b"\x00", b"x"]
        ),
        max_size=12,
    ).map(b"".join)
)
def test_any_bytes_are_a_head_or_refused(data: bytes) -> None:
    with suppress(HeadRefused):
        assert parse_head(data, max_fields=20).method
