"""What a member names is fetched from the public network alone, and from the address that was judged."""

from __future__ import annotations

import gzip
import ipaddress
import ssl
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from davserver.fetch import FetchFailed, Terms, fetch, parse_source, public_addresses
from tests.feeds import Site, site

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
TERMS = Terms(most_bytes=100_000, timeout_s=10, allowed=HERE)


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as found:
        yield found


def test_a_document_comes_with_its_validators(web: Site) -> None:
    url = web.give("/a.ics", b"BEGIN:VCALENDAR", etag='"1"', Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")
    found = fetch(url, TERMS)
    assert (found.data, found.etag, found.modified) == (b"BEGIN:VCALENDAR", '"1"', "Thu, 01 Jan 2026 00:00:00 GMT")
    assert fetch(url, TERMS, etag='"1"').data is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:192.168.1.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "fec0::1",
    ],
)
def test_what_is_not_public_is_not_reached(address: str) -> None:
    with pytest.raises(FetchFailed, match="public"):
        public_addresses([address], ())
    with pytest.raises(FetchFailed, match="public"):
        public_addresses(["93.184.215.14", address], ())


def test_a_host_on_this_machine_is_not_even_connected_to(web: Site) -> None:
    url = web.give("/a.ics", b"x")
    with pytest.raises(FetchFailed, match="public"):
        fetch(url, Terms(100, 10))
    for host in (f"localhost:{web.port}", f"2130706433:{web.port}", f"0x7f.1:{web.port}", f"[::1]:{web.port}"):
        with pytest.raises(FetchFailed):
            fetch(f"http://{host}/a.ics", Terms(100, 10))
    assert not web.asked


def test_a_name_is_looked_up_once_and_the_judged_address_is_used(web: Site) -> None:
    web.give("/a.ics", b"x")
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    assert fetch(f"http://calendar.example:{web.port}/a.ics", TERMS, resolve=resolve).data == b"x"
    assert asked == ["calendar.example"]
    assert web.asked[0][1]["host"] == f"calendar.example:{web.port}"


def test_each_redirect_is_judged_again(web: Site) -> None:
    names = {"one.example": "127.0.0.1", "two.example": "127.0.0.1", "inner.example": "10.0.0.1"}
    web.give("/a.ics", b"", 302, Location=f"http://two.example:{web.port}/b.ics")
    web.give("/b.ics", b"here")
    web.give("/c.ics", b"", 301, Location=f"http://inner.example:{web.port}/b.ics")
    web.give("/d.ics", b"", 302, Location="file:///etc/passwd")
    web.give("/e.ics", b"", 307, Location="/b.ics")
    web.give("/f.ics", b"", 307, Location="/f.ics")
    web.give("/g.ics", b"", 302)

    def get(path: str) -> bytes | None:
        return fetch(f"http://one.example:{web.port}{path}", TERMS, resolve=lambda host, port: [names[host]]).data

    assert get("/a.ics") == b"here"
    assert get("/e.ics") == b"here"
    for path, said in {"/c.ics": "public", "/d.ics": "https://", "/f.ics": "more than", "/g.ics": "where"}.items():
        with pytest.raises(FetchFailed, match=said):
            get(path)


def test_credentials_of_the_url_go_to_its_own_host_alone(web: Site) -> None:
    web.give("/a.ics", b"", 302, Location=f"http://two.example:{web.port}/b.ics")
    web.give("/b.ics", b"here")
    fetch(f"http://ada:s%C3%A9cret@one.example:{web.port}/a.ics", TERMS, resolve=lambda host, port: ["127.0.0.1"])
    assert web.asked[0][1]["authorization"] == "Basic YWRhOnPDqWNyZXQ="
    assert "authorization" not in web.asked[1][1]


def test_what_is_too_large_too_slow_or_no_document_fails(web: Site) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(200):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    web.answers.update({"/drip": drip, "/cut": cut})
    web.give("/large", b"x" * 200_000)
    web.give("/bomb", gzip.compress(b"x" * 50_000_000), Content_Encoding="gzip")
    web.give("/torn", gzip.compress(b"BEGIN")[:-3], Content_Encoding="gzip")
    web.give("/br", b"x", Content_Encoding="br")
    web.give("/gone", b"", 410)
    failures = {
        "/large": "larger",
        "/bomb": "larger",
        "/torn": "middle",
        "/cut": "middle",
        "/br": "packed",
        "/gone": "410",
        "/none": "404",
        "/drip": "within 1 s",
    }
    for path, said in failures.items():
        with pytest.raises(FetchFailed, match=said):
            fetch(web.url(path), Terms(100_000, 1, HERE))


def test_a_packed_document_is_unpacked(web: Site) -> None:
    url = web.give("/a.ics", gzip.compress(b"BEGIN:VCALENDAR" * 1000), Content_Encoding="gzip")
    assert fetch(url, TERMS).data == b"BEGIN:VCALENDAR" * 1000


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org/a.ics",
        "file:///etc/passwd",
        "https://",
        "https:///a.ics",
        "example.org/a.ics",
        "https://example.org:25/a.ics",
        "https://example.org:99999/a.ics",
        "https://example.org/a b.ics",
        "https://example.org/a\r\nX: y",
        "https://[::1/a.ics",
        "https://example.org/" + "a" * 3000,
        "https://exämple.org/",
    ],
)
def test_what_is_no_address_of_a_calendar_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        parse_source(url)


def test_webcal_is_fetched_by_https() -> None:
    assert parse_source("webcal://example.org/a.ics#x").geturl() == "https://example.org/a.ics"


def test_a_host_with_a_certificate_of_nobody_is_not_believed(tmp_path: Path) -> None:
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", pem], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    with site(context) as web:
        web.give("/a.ics", b"x")
        with pytest.raises(FetchFailed, match="certificate"):
            fetch(f"https://localhost:{web.port}/a.ics", TERMS, resolve=lambda host, port: ["127.0.0.1"])
        assert not web.asked
