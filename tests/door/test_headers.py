"""Depth, If, Lock-Token, conditional headers, ranges, targets and Destination: values or BadRequest."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.conditional import (
    Outcome,
    parse_entity_tags,
    parse_http_date,
    render_http_date,
    require_preconditions,
)
from davserver.dav.depth import Depth, parse_depth
from davserver.dav.errors import BadRequest, OtherServer, RangeNotSatisfiable
from davserver.dav.if_header import Condition, parse_if, parse_lock_token
from davserver.dav.message import FileBody, Response
from davserver.dav.ranges import Multipart, apply_ranges, parse_ranges
from davserver.dav.target import decode_path, parse_destination, parse_target
from storage.errors import PreconditionFailed

ANY_TEXT = st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=60)
IF_TEXT = st.lists(
    st.sampled_from(["(", ")", "<", ">", "[", "]", '"', "Not", "W/", " ", "urn:x", "/a", "\\", "%41", "%"]), max_size=30
).map("".join)


# -- Depth


@pytest.mark.rfc("4918", "10.2")
@pytest.mark.parametrize(
    ("value", "depth"),
    [("0", Depth.ZERO), (" 1 ", Depth.ONE), ("Infinity", Depth.INFINITY), (None, Depth.ONE), ("", Depth.ONE)],
)
def test_a_depth_is_read_in_any_case_and_a_missing_one_is_the_default(value: str | None, depth: Depth) -> None:
    assert parse_depth(value, default=Depth.ONE) is depth


def test_a_depth_that_the_method_does_not_take_is_refused_with_those_it_takes() -> None:
    with pytest.raises(BadRequest, match="Depth is '1'; it can be 0 or infinity"):
        parse_depth("1", default=Depth.ZERO, allowed=(Depth.ZERO, Depth.INFINITY))


@given(st.text())
def test_a_depth_header_is_one_of_three_values_or_a_bad_request(value: str) -> None:
    with suppress(BadRequest):
        assert parse_depth(value, default=Depth.ZERO) in Depth


# -- If


def state(etag: str | None = None, *tokens: str):  # a resource as ``holds`` asks about it
    def matches(path: str, condition: Condition) -> bool:
        if condition.etag is not None:
            return condition.etag == etag
        return condition.lock_token in tokens

    return matches


@pytest.mark.rfc("4918", "10.4.6")
def test_any_list_of_an_untagged_if_header_is_enough() -> None:
    header = parse_if('(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2> ["I am an ETag"]) (["I am another ETag"])')
    token = "urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2"
    assert header.lock_tokens == {token}
    assert header.holds("/x", state("I am an ETag", token))
    assert header.holds("/x", state("I am another ETag"))
    assert not header.holds("/x", state("I am an ETag"))


@pytest.mark.rfc("4918", "10.4.7")
def test_not_negates_the_next_condition_only() -> None:
    header = parse_if("(Not <urn:a> <urn:b>)")
    assert header.holds("/x", state(None, "urn:b"))
    assert not header.holds("/x", state(None, "urn:a", "urn:b"))
    assert not header.holds("/x", state())


@pytest.mark.rfc("4918", "10.4.8")
def test_not_no_lock_always_holds_and_the_token_counts_as_submitted() -> None:
    header = parse_if("(<urn:a>)\t(Not <DAV:no-lock>)")
    assert header.holds("/x", state())
    assert "urn:a" in header.lock_tokens


@pytest.mark.rfc("4918", "10.4.9")
def test_a_tag_counts_for_all_lists_up_to_the_next_one() -> None:
    header = parse_if('</resource1> (<urn:a> [W/"A weak ETag"]) (["strong ETag"]) <http://h/%C3%BC> (["x"])')
    assert [part.path for part in header.lists] == ["/resource1", "/resource1", "/ü"]
    assert header.lists[0].conditions[1] == Condition(False, etag="A weak ETag")


@pytest.mark.rfc("4918", "10.4.11")
def test_a_negated_etag_holds_for_what_does_not_exist() -> None:
    assert not parse_if('</specs/rfc2518.doc> (["4217"])').holds("/", state())
    assert parse_if('</specs/rfc2518.doc> (Not ["4217"])').holds("/", state())


def test_an_etag_may_hold_a_bracket() -> None:
    assert parse_if('(["a]b"])').lists[0].conditions == (Condition(False, etag="a]b"),)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "()",
        "(<urn:a>",
        "<urn:a>",
        "</a>(<urn:a>) </b>",
        "(<urn:a>) </a> (<urn:b>)",
        "(Not)",
        "(Not Not <urn:a>)",
        "(urn:a)",
        "(<>)",
        "([])",
        "x",
        "(<urn:a>))",
        '(["a)',
        "(<urn:a",
    ],
)
def test_an_if_header_outside_the_grammar_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        parse_if(value)


@given(st.one_of(ANY_TEXT, IF_TEXT))
def test_an_if_header_is_lists_or_a_bad_request(value: str) -> None:
    with suppress(BadRequest):
        assert parse_if(value).lists


def test_a_missing_if_header_has_no_lists() -> None:
    assert parse_if(None).lists == ()


@pytest.mark.rfc("4918", "10.5")
@pytest.mark.parametrize("value", ["<urn:uuid:1>", "urn:uuid:1", " <urn:uuid:1> "])
def test_a_lock_token_is_read_with_and_without_brackets(value: str) -> None:
    assert parse_lock_token(value) == "urn:uuid:1"


@given(st.one_of(st.none(), ANY_TEXT))
def test_a_lock_token_is_a_token_or_a_bad_request(value: str | None) -> None:
    with suppress(BadRequest):
        assert parse_lock_token(value)


# -- If-Match and the others


@pytest.mark.rfc("9110", "13.1.1")
@pytest.mark.parametrize(
    ("value", "etag", "holds"),
    [
        ('"a"', "a", True),
        ('"b", "a"', "a", True),
        ('"b"', "a", False),
        ('W/"a"', "a", False),  # strong comparison
        ("*", "a", True),
        ("*", None, False),
        ('"a,b"', "a,b", True),
        ('\\"a\\"', "a", True),  # as old Evolution sends it
        ("nothing", "a", False),  # as Thunderbird asks whether it could write
        ("a", "a", True),
    ],
)
def test_if_match_holds_for_the_same_strong_etag_only(value: str, etag: str | None, holds: bool) -> None:
    try:
        assert require_preconditions({"if-match": value}, "PUT", etag=etag) is Outcome.PROCEED
        passed = True
    except PreconditionFailed:
        passed = False
    assert passed is holds


@pytest.mark.rfc("9110", "13.1.2")
def test_if_none_match_is_304_to_a_read_and_412_to_a_write() -> None:
    headers = {"if-none-match": 'W/"a"'}  # weak comparison
    assert require_preconditions(headers, "GET", etag="a") is Outcome.NOT_MODIFIED
    with pytest.raises(PreconditionFailed):
        require_preconditions(headers, "PUT", etag="a")
    assert require_preconditions({"if-none-match": "*"}, "PUT", etag=None) is Outcome.PROCEED
    with pytest.raises(PreconditionFailed):
        require_preconditions({"if-none-match": "*"}, "MKCOL", etag=None, exists=True)


@pytest.mark.rfc("9110", "13.2.2")
def test_dates_count_only_without_etags() -> None:
    old, new = render_http_date(1000), render_http_date(2000)
    assert require_preconditions({"if-modified-since": new}, "GET", etag="a", modified_s=1500) is Outcome.NOT_MODIFIED
    both = {"if-modified-since": new, "if-none-match": '"b"'}
    assert require_preconditions(both, "GET", etag="a", modified_s=1500) is Outcome.PROCEED
    with pytest.raises(PreconditionFailed):
        require_preconditions({"if-unmodified-since": old}, "PUT", etag="a", modified_s=1500)
    both = {"if-unmodified-since": old, "if-match": '"a"'}
    assert require_preconditions(both, "PUT", etag="a", modified_s=1500) is Outcome.PROCEED


@given(ANY_TEXT)
def test_entity_tags_are_read_or_a_bad_request(value: str) -> None:
    with suppress(BadRequest):
        tags = parse_entity_tags(value)
        assert tags.any or tags.tags


@given(ANY_TEXT)
def test_a_date_is_a_number_or_none(value: str) -> None:
    assert parse_http_date(value) is None or isinstance(parse_http_date(value), int)


# -- Range


@pytest.mark.rfc("9110", "14.1.2")
@pytest.mark.parametrize(
    ("value", "slices"),
    [
        ("bytes=0-499", [(0, 500)]),
        ("bytes=500-999", [(500, 500)]),
        ("bytes=-500", [(9500, 500)]),
        ("bytes=9500-", [(9500, 500)]),
        ("bytes=0-0, -1", [(0, 1), (9999, 1)]),
        ("bytes=0-20000", [(0, 10000)]),
        ("bytes=-20000", [(0, 10000)]),
        ("bytes=0-1,20000-", [(0, 2)]),
        ("bytes=5-3", None),
        ("bytes=a-b", None),
        ("bytes=", None),
        ("lines=0-1", None),
        ("bytes=-", None),
        ("bytes=0-9999,0-9999", None),  # more than the file together
        ("bytes=" + ",".join(["0-0"] * 11), None),
    ],
)
def test_ranges_are_read_as_the_rfc_shows_them(value: str, slices: list[tuple[int, int]] | None) -> None:
    assert parse_ranges(value, 10_000) == slices


@pytest.mark.rfc("9110", "15.5.17")
@pytest.mark.parametrize(("value", "size"), [("bytes=10000-", 10_000), ("bytes=-0", 10_000), ("bytes=0-", 0)])
def test_ranges_outside_the_file_are_refused(value: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_ranges(value, size)


@given(ANY_TEXT | st.from_regex(r"bytes=[0-9,\- ]{0,30}", fullmatch=True), st.integers(0, 100))
def test_a_range_lies_within_the_file(value: str, size: int) -> None:
    with suppress(RangeNotSatisfiable):
        for first, length in parse_ranges(value, size) or ():
            assert 0 <= first < first + length <= size


@pytest.fixture
def whole(tmp_path: Path) -> Response:
    (tmp_path / "f").write_bytes(b"0123456789")
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    return Response(200, [("Content-Type", "text/plain")], FileBody(fd, 0, 10))


@pytest.mark.rfc("9110", "14.6")
def test_several_ranges_come_as_parts_with_the_length_that_is_announced(whole: Response) -> None:
    answer = apply_ranges(whole, {"range": "bytes=0-1,-2"}, size=10, etag="a", modified_s=0)
    assert isinstance(answer.body, Multipart)
    data = b"".join(answer.body)
    answer.body.close()
    headers = dict(answer.headers)
    assert answer.status == 206
    assert headers["Content-Length"] == str(len(data))
    assert headers["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert b"Content-Range: bytes 0-1/10\r\n\r\n01\r\n" in data
    assert b"Content-Range: bytes 8-9/10\r\n\r\n89\r\n" in data


@pytest.mark.rfc("9110", "13.1.5")
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ('"a"', 206),
        ('W/"a"', 200),
        ('"b"', 200),
        (render_http_date(1000), 206),
        (render_http_date(2000), 200),
        ('"', 200),
    ],
)
def test_a_range_counts_only_for_the_file_that_if_range_means(whole: Response, condition: str, status: int) -> None:
    headers = {"range": "bytes=0-1", "if-range": condition}
    answer = apply_ranges(whole, headers, size=10, etag="a", modified_s=1000.5)
    assert answer.status == status
    assert isinstance(answer.body, FileBody)
    os.close(answer.body.fd)


# -- targets and Destination


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/files/Sport/", "/files/Sport/"),
        ("//files///a", "/files/a"),
        ("/a?b=c", "/a"),
        ("http://u:p@host:1/a%20b?x", "/a b"),
        ("http://host", "/"),
        ("*", "*"),
        ("/%c3%bc", "/ü"),
        ("/u%CC%88", "/ü"),  # decomposed, as macOS sends it
        ("/\u00c3\u00bc", "/ü"),  # raw UTF-8, as servers hand it over
        ("/.well-known/caldav", "/.well-known/caldav"),
        ("/a%25b", "/a%b"),
        ("/a%3Fb%23c", "/a?b#c"),
    ],
)
def test_a_target_is_one_path_however_it_is_written(target: str, path: str) -> None:
    assert parse_target(target) == path


@pytest.mark.parametrize(
    "target",
    [
        "/a/../b",
        "/a/%2e%2e/b",
        "/./a",
        "/a/..",
        "/a%2Fb",
        "/a%00b",
        "/a%0Ab",
        "/%ff",
        "/a#b",
        "a",
        "/a\x7f",
        "http://[",
    ],
)
def test_a_target_that_cannot_be_a_path_is_refused(target: str) -> None:
    with pytest.raises(BadRequest):
        parse_target(target)


@given(ANY_TEXT.map(lambda text: "/" + text))
def test_a_path_is_decoded_or_a_bad_request(raw: str) -> None:
    with suppress(BadRequest):
        path = decode_path(raw)
        assert path.startswith("/")
        assert not {".", ".."} & set(path.split("/"))


@pytest.mark.rfc("4918", "10.3")
@pytest.mark.parametrize(
    "value",
    [
        "http://cloud.example.org/files/a%20b",
        "https://cloud.example.org:8443/files/a b",
        "http://alice:secret@CLOUD.example.org:80/files/a%20b",
        "/files/a%20b",
    ],
)
def test_a_destination_is_taken_from_every_form_that_clients_send(value: str) -> None:
    assert parse_destination(value, ["cloud.example.org:80"]) == "/files/a b"


@pytest.mark.rfc("4918", "9.8.5")
def test_a_destination_on_another_host_is_refused() -> None:
    with pytest.raises(OtherServer):
        parse_destination("http://elsewhere.example.org/files/a", ["cloud.example.org"])


@given(st.one_of(st.none(), ANY_TEXT, ANY_TEXT.map(lambda text: "http://h/" + text)))
def test_a_destination_is_a_path_or_refused(value: str | None) -> None:
    with suppress(BadRequest, OtherServer):
        assert parse_destination(value, ["h"]).startswith("/")
