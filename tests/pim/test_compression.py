"""Large XML and text goes out compressed where the client takes it so; what has a strong ETag never does."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.compression import LEAST_BYTES
from davserver.dav.coding import accepts_gzip
from davserver.dav.names import DAV
from tests.harness import Dav, Reply
from tests.pim.samples import event, multiget

GZIP = {"Accept-Encoding": "gzip"}


def is_gzipped(reply: Reply) -> bool:
    return reply.headers.get("content-encoding") == "gzip"


@pytest.fixture
def large(mine: Dav, calendar: str) -> str:
    """A calendar whose listing is larger than what is left alone."""
    for number in range(30):
        assert mine.put(f"{calendar}{number}.ics", event(f"u{number}", "A meeting of the whole board")).status == 201
    return calendar


@pytest.mark.rfc("9110", "12.5.3")
@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("GZip;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("gzip;q=0.001", True),
        ("deflate, *;q=0.1", True),
        ("identity;q=0.5, gzip;q=1.0", True),
        ("", False),
        ("deflate, br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("gzip;q=much", False),
        ("gzip;q=-1", False),
        ("gzip;q=nan", False),
        (";;,=;q", False),
    ],
)
def test_gzip_is_taken_where_it_is_liked_as_well_as_plain_bytes(value: str, taken: bool) -> None:
    assert accepts_gzip(value) is taken


@given(st.text(max_size=60) | st.text(alphabet="gzip;q=01.,* ", max_size=60))
def test_any_accept_encoding_is_a_yes_or_a_no(value: str) -> None:
    assert accepts_gzip(value) in (True, False)


@pytest.mark.rfc("9110", "8.4.1")
@pytest.mark.parametrize("kind", ["propfind", "report"])
def test_a_large_answer_is_compressed_and_says_the_same(mine: Dav, large: str, kind: str) -> None:
    def ask(headers: dict[str, str]) -> Reply:
        if kind == "propfind":
            return mine.propfind(large, DAV.getetag, DAV.resourcetype, depth="1", headers=headers)
        return mine.report(large, multiget(*(f"{large}{number}.ics" for number in range(30))), headers=headers)

    plain, packed = ask({}), ask(GZIP)
    assert len(plain.body) > LEAST_BYTES
    assert (is_gzipped(plain), is_gzipped(packed)) == (False, True)
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert all("Accept-Encoding" in reply.headers["vary"] for reply in (plain, packed))
    assert packed.headers["content-length"] == str(len(packed.body))


def test_a_client_that_refuses_gzip_gets_plain_bytes(mine: Dav, large: str) -> None:
    reply = mine.propfind(large, DAV.getetag, depth="1", headers={"Accept-Encoding": "gzip;q=0, deflate"})
    assert not is_gzipped(reply)
    assert len(reply.multistatus()) == 31


def test_an_answer_of_many_pieces_is_compressed_as_it_goes_out(mine: Dav, calendar: str) -> None:
    text = "x" * 30_000
    for number in range(8):
        assert mine.put(f"{calendar}{number}.ics", event(f"u{number}", text)).status == 201
    hrefs = [f"{calendar}{number}.ics" for number in range(8)]
    plain, packed = mine.report(calendar, multiget(*hrefs)), mine.report(calendar, multiget(*hrefs), headers=GZIP)
    assert plain.headers["transfer-encoding"] == packed.headers["transfer-encoding"] == "chunked"
    assert is_gzipped(packed)
    assert gzip.decompress(packed.body) == plain.body


def test_what_a_client_polls_with_is_left_alone(mine: Dav, large: str) -> None:
    reply = mine.propfind(large, DAV.sync_token, headers=GZIP)
    assert len(reply.body) < LEAST_BYTES
    assert not is_gzipped(reply)
    assert "Accept-Encoding" not in reply.headers.get("vary", "")


@pytest.mark.rfc("9110", "8.8.1")
def test_an_item_is_sent_as_its_etag_says(mine: Dav, calendar: str) -> None:
    body = event("large", "x" * 50_000)
    stored = mine.put(calendar + "a.ics", body)
    for reply in (mine.get(calendar + "a.ics", GZIP), mine.head(calendar + "a.ics", GZIP)):
        assert not is_gzipped(reply)
        assert reply.etag == stored.etag
        assert reply.headers["content-length"] == str(len(body))
    assert mine.put(calendar + "a.ics", body, {**GZIP, "Prefer": "return=representation"}).body == body.encode()


def test_a_whole_calendar_as_a_file_is_compressed(mine: Dav, large: str) -> None:
    plain, packed = mine.get(large), mine.get(large, GZIP)
    assert is_gzipped(packed)
    assert zlib.decompress(packed.body, 31) == plain.body
    head = mine.head(large, GZIP)
    assert (head.body, head.headers.get("content-encoding")) == (b"", "gzip")


def test_the_same_connection_serves_on_after_a_compressed_answer(mine: Dav, large: str) -> None:
    for _ in range(3):
        assert is_gzipped(mine.propfind(large, DAV.getetag, depth="1", headers=GZIP))
        assert mine.get(large + "0.ics").status == 200
