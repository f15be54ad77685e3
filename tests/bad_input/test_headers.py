"""Header fields that cannot be read or would store something else than meant: refused, and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.pim.samples import event

FILE, ITEM, NOWHERE = "/files/Home/plan.txt", "/dav/alice/calendar/a.ics", {"Destination": "/files/Home/copy.txt"}
CASES = [
    # both views
    *(
        (method, path, headers, status)
        for path, away in ((FILE, "/files/Home/copy.txt"), (ITEM, "/dav/alice/calendar/copy.ics"))
        for method, headers, status in (
            ("PROPFIND", {"Depth": "2"}, 400),
            ("PUT", {"If": "("}, 400),
            ("PUT", {"If": "(<urn:uuid:1>"}, 400),
            ("PUT", {"If-None-Match": 'W/"open'}, 400),
            ("PUT", {"Content-Range": "bytes 0-4/10"}, 400),
            ("PUT", {"Content-Encoding": "gzip"}, 415),
            ("DELETE", {"If-Match": '"another"'}, 412),
            ("DELETE", {"If": "(<urn:uuid:1>)"}, 412),
            ("COPY", {}, 400),
            ("COPY", {"Destination": ""}, 400),
            ("COPY", {"Destination": "ftp://127.0.0.1/x"}, 400),
            ("COPY", {"Destination": "http://other.example.org/files/Home/x"}, 502),
            ("COPY", {"Destination": "/files/Home/%ff"}, 400),
            ("COPY", {"Destination": f"{away}/../x"}, 400),
            ("COPY", {"Destination": away, "Overwrite": "maybe"}, 400),
            ("MOVE", {"Destination": path}, 403),
        )
    ),
    ("MOVE", FILE, {**NOWHERE, "Depth": "1"}, 400),
    ("COPY", FILE, {**NOWHERE, "Depth": "1"}, 400),
    ("LOCK", FILE, {"Depth": "1"}, 400),
    ("LOCK", FILE, {"Timeout": "Tomorrow"}, 400),
    ("UNLOCK", FILE, {}, 400),
    ("UNLOCK", FILE, {"Lock-Token": "<urn:uuid:1>"}, 409),
    *(("PUT", FILE, {"X-OC-Mtime": value}, 400) for value in ("yesterday", "-1", "nan", "1e400", "9" * 20)),
]
LOCKINFO = (
    b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    b"<D:locktype><D:write/></D:locktype></D:lockinfo>"
)


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer) -> Server:
    server = start_server()
    alice = server.client("alice")
    assert alice.put(FILE, b"first").status == 201
    assert alice.put(ITEM, event("a")).status == 201
    return server


@pytest.fixture
def alice(cloud: Server) -> Iterator[Dav]:
    alice = cloud.client("alice")
    yield alice
    alice.close()


@pytest.mark.rfc("4918", "10")
@pytest.mark.parametrize(("method", "path", "headers", "status"), CASES)
def test_a_header_that_cannot_be_taken_is_refused_in_a_sentence_and_nothing_changes(
    cloud: Server, alice: Dav, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    before = cloud.tree()
    body = {"PUT": event("a", "Changed").encode() if path == ITEM else b"second", "LOCK": LOCKINFO}.get(method)
    reply = alice.request(method, path, body, headers)
    assert reply.status == status, reply.text
    assert len(reply.text.strip()) > 10
    assert cloud.tree() == before
    assert alice.put(FILE, b"first", {"If-Match": "*"}).status == 204  # no lock is left, and the server goes on


@pytest.mark.parametrize(
    "field",
    [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Transfer-Encoding: gzip",
        "Bad Field: 1",
        "Host: b",
    ],
)
def test_a_head_with_two_readings_stores_nothing(cloud: Server, alice: Dav, field: str) -> None:
    before = cloud.tree()
    answer = alice.raw(
        f"PUT {FILE} HTTP/1.1\r\nHost: a\r\nAuthorization: {alice.authorization}\r\n{field}\r\n\r\nwrong".encode()
    )
    assert answer.split(b" ", 2)[1] in (b"400", b"501")
    assert cloud.tree() == before


def test_no_refusal_was_a_failure_of_the_server(cloud: Server) -> None:
    assert " 500 " not in cloud.log
    assert "Traceback" not in cloud.log
