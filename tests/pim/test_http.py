"""HTTP itself below ``/dav/``: HEAD, conditional reading, and bodies that are sent after a ``100 Continue``."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.harness import Dav, Server
from tests.pim.samples import event

FUTURE, PAST = "Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:01 GMT"


@pytest.mark.rfc("9110", "9.3.2")
@pytest.mark.parametrize("kind", ["root", "home", "calendar", "item", "missing"])
def test_head_answers_as_get_does_without_the_body(mine: Dav, calendar: str, kind: str) -> None:
    mine.put(calendar + "a.ics", event())
    path = {
        "root": "/dav/",
        "home": "/dav/alice/",
        "calendar": calendar,
        "item": calendar + "a.ics",
        "missing": calendar + "none.ics",
    }[kind]
    read, head = mine.get(path), mine.head(path)
    assert (head.status, head.body) == (read.status, b"")
    varying = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in varying} == {
        k: v for k, v in read.headers.items() if k not in varying
    }


@pytest.mark.rfc("9110", "13.2.2")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "W/{etag}"}, 304),
        ({"If-None-Match": '"other", {etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": FUTURE}, 200),
        ({"If-Match": "{etag}"}, 200),
        ({"If-Match": "W/{etag}"}, 412),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": "{etag}", "If-Unmodified-Since": PAST}, 200),
        ({"If-Modified-Since": FUTURE}, 304),
        ({"If-Modified-Since": PAST}, 200),
        ({"If-Modified-Since": "soon"}, 200),
        ({"If-Unmodified-Since": PAST}, 412),
        ({"If-Unmodified-Since": FUTURE}, 200),
    ],
)
def test_an_item_is_read_under_the_conditions_of_the_request(
    mine: Dav, calendar: str, method: str, headers: dict[str, str], status: int
) -> None:
    etag = mine.put(calendar + "a.ics", event()).etag
    sent = {name: value.replace("{etag}", etag) for name, value in headers.items()}
    reply = mine.request(method, calendar + "a.ics", headers=sent)
    assert reply.status == status
    if status != 412:
        assert reply.etag == etag
    assert reply.body == (event().encode() if (method, status) == ("GET", 200) else reply.body)
    if status == 304:
        assert reply.body == b""


@pytest.mark.rfc("9110", "10.1.1")
@pytest.mark.parametrize(
    ("method", "name", "field", "status"),
    [
        ("PUT", "a.ics", 'If-Match: "stale"', b"412"),
        ("PUT", "a.ics", "If-None-Match: *", b"412"),
        ("PUT", "new.ics", "If-Match: *", b"412"),
        ("PUT", ".state.jsonl", "X-Nothing: x", b"403"),
        ("POST", "", "If-Match: *", b"412"),
        ("PUT", "a.ics", "Content-Type: application/json", b"403"),
        ("PUT", "a.ics", "Content-Encoding: gzip", b"415"),
        ("POST", "a.ics", "X-Nothing: x", b"405"),
        ("LOCK", "a.ics", "X-Nothing: x", b"405"),
        ("PUT", "a.ics", "X-Large: x", b"403"),
    ],
)
def test_a_body_that_would_be_refused_is_not_asked_for(
    mine: Dav, shared: Server, calendar: str, method: str, name: str, field: str, status: bytes
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    length = 9_000_000 if "Large" in field else 1000
    head = f"{method} {calendar}{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {mine.authorization}\r\n"
    answer = mine.raw(f"{head}{field}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] == status
    assert b"100 Continue" not in answer
    assert shared.tree() == before


@pytest.mark.rfc("9110", "10.1.1")
def test_who_may_not_write_is_not_asked_for_the_body(mine: Dav, shared: Server) -> None:
    mine.mkcalendar("/dav/alice/open/")
    carol = shared.client("carol")
    carol.options("/dav/")
    before = shared.tree()
    for target in ("PUT /dav/alice/open/new.ics", "POST /dav/alice/open/"):
        head = f"{target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {carol.authorization}\r\n"
        answer = carol.raw(f"{head}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 403 ")
    assert shared.tree() == before


@pytest.mark.rfc("9110", "10.1.1")
@pytest.mark.parametrize("method", ["PUT", "POST", "PROPFIND"])
def test_a_body_that_is_wanted_is_asked_for_before_it_is_sent(mine: Dav, calendar: str, method: str) -> None:
    body = event().encode() if method != "PROPFIND" else b'<propfind xmlns="DAV:"><propname/></propfind>'
    path = calendar + "a.ics" if method == "PUT" else calendar
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {mine.authorization}\r\nDepth: 0\r\n"
    head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    answer = mine.raw(head.encode() + body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20")


@pytest.mark.rfc("4918", "9.1")
def test_properties_that_nobody_knows_are_told_one_by_one_for_every_row(mine: Dav, calendar: str) -> None:
    mine.put(calendar + "a.ics", event())
    names = [f"{{urn:example:x}}n{number}" for number in range(5)] + ["noname"]
    rows = mine.propfind(calendar, DAV.resourcetype, *names, depth="1").multistatus()
    for row in rows.values():
        assert row.statuses == {DAV.resourcetype: 200, **dict.fromkeys(names, 404)}


@pytest.mark.rfc("4918", "14.8")
def test_an_include_adds_live_and_dead_properties_to_an_allprop(mine: Dav, calendar: str) -> None:
    note = "{urn:example:x}note"
    mine.put(calendar + "a.ics", event())
    mine.proppatch(calendar + "a.ics", {note: "dead"})
    body = (
        '<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:supported-report-set/><D:supported-method-set/>'
        "<D:getetag/></D:include></D:propfind>"
    )
    row = mine.propfind(calendar + "a.ics", body=body).multistatus()[calendar + "a.ics"]
    assert {DAV.supported_report_set, DAV.supported_method_set, DAV.getetag, DAV.getcontentlength, note} <= set(
        row.props
    )


@pytest.mark.rfc("4918", "9.2")
def test_instructions_are_carried_out_in_their_order(mine: Dav, calendar: str) -> None:
    def update(*steps: tuple[str, str]) -> None:
        parts = (f'<D:{do}><D:prop><n xmlns="urn:x">{text}</n></D:prop></D:{do}>' for do, text in steps)
        body = f'<D:propertyupdate xmlns:D="DAV:">{"".join(parts)}</D:propertyupdate>'
        assert mine.request("PROPPATCH", calendar, body).multistatus()[calendar].statuses == {"{urn:x}n": 200}

    update(("set", "one"), ("remove", ""), ("set", "two"))
    assert mine.propfind(calendar, "{urn:x}n").multistatus()[calendar].text("{urn:x}n") == "two"
    update(("set", "three"), ("remove", ""))
    assert mine.propfind(calendar, "{urn:x}n").multistatus()[calendar].statuses == {"{urn:x}n": 404}


@pytest.mark.rfc("4918", "9.2")
@pytest.mark.parametrize("kind", ["home", "calendar", "item"])
def test_removing_what_is_not_there_is_no_failure(mine: Dav, calendar: str, kind: str) -> None:
    mine.put(calendar + "a.ics", event())
    path = {"home": "/dav/alice/", "calendar": calendar, "item": calendar + "a.ics"}[kind]
    assert mine.proppatch(path, {}, ["{urn:x}none"]).multistatus()[path].statuses == {"{urn:x}none": 200}


@pytest.mark.rfc("4918", "9.2.1")
@pytest.mark.parametrize("kind", ["home", "calendar", "item"])
def test_an_update_fails_as_a_whole_on_every_kind_of_resource(
    mine: Dav, shared: Server, calendar: str, kind: str
) -> None:
    mine.put(calendar + "a.ics", event())
    path = {"home": "/dav/alice/", "calendar": calendar, "item": calendar + "a.ics"}[kind]
    before = shared.tree()
    reply = mine.proppatch(path, {"{urn:x}a": "1", DAV.owner: "x", "{urn:x}b": "2"}, ["{urn:x}c"])
    assert reply.multistatus()[path].statuses == {
        "{urn:x}a": 424,
        DAV.owner: 403,
        "{urn:x}b": 424,
        "{urn:x}c": 424,
    }
    assert shared.tree() == before
