"""What strangers send through a folder's link: stored once, in nobody's place, and read by members alone."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.files.treemirror import TreeMirror
from tests.harness import ROOT, Dav, Reply, Server
from tests.links.conftest import CLOSED, SPORT, Stand

DROP = '[[link]]\nright = "drop"\n'
READ_DROP = '[[link]]\nright = "read-drop"\n'
OFTEN = "[links]\nuploads_per_minute_of_address = 100000\nuploads_per_minute = 100000\n"
BOUNDARY = "XX"
FORM_TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
File = tuple[str, bytes]


@pytest.fixture(scope="session")
def depot(start_server: MakeServer) -> Server:
    """One server for tests that neither stop it nor come too often."""
    return start_server(access=SPORT, settings=OFTEN)


@pytest.fixture
def stand(depot: Server) -> Stand:
    """A fresh folder."""
    return Stand(depot)


def form(*files: File, more: bytes = b"") -> bytes:
    """A form with files; ``more`` is parts as they are."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files
    ]
    return b"".join(parts) + more + f"--{BOUNDARY}--\r\n".encode()


def send(stand: Stand, url: str, body: bytes, headers: dict[str, str] | None = None) -> Reply:
    return stand.visitor.request("POST", url, body, {**FORM_TYPE, **(headers or {})})


def stored(stand: Stand, inner: str = "") -> dict[str, bytes]:
    """The files of the folder on disk by name, less the server's own and the rules."""
    folder = stand.server.data / stand.disk / inner
    kept = (".state.jsonl", "access.toml")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name not in kept}


def location(reply: Reply, url: str) -> str:
    """The name under which something is stored, as the answer tells it."""
    assert reply.status == 201, (reply.status, reply.body)
    where = unquote(reply.headers["location"])
    assert where.startswith(url)
    return where.removeprefix(url)


def on_disk(stand: Stand) -> dict[str, bytes | None]:
    """Everything that the server keeps; what was read in part is gone too."""
    return stand.server.tree()


@pytest.mark.rfc("9110", "9.3.4")
@pytest.mark.parametrize("rules", [DROP, READ_DROP])
def test_a_file_that_is_sent_lies_in_the_folder_and_members_find_it(stand: Stand, rules: str) -> None:
    url = stand.publish(rules)
    mirror = TreeMirror(stand.alice, f"{stand.folder}/", infinite=True)
    mirror.synchronise()
    reply = stand.visitor.put(f"{url}plan 1é.txt", b"from outside", {"X-OC-Mtime": "1700000000"})
    assert location(reply, url) == "plan 1é.txt"
    assert stored(stand) == {"plan 1é.txt": b"from outside"}
    seen = stand.alice.get(f"{stand.folder}/plan 1é.txt")
    assert (seen.body, seen.etag) == (b"from outside", reply.etag)
    assert reply.headers["x-oc-mtime"] == "accepted"
    assert (stand.server.data / stand.disk / "plan 1é.txt").stat().st_mtime == 1_700_000_000
    assert f"{stand.folder}/plan 1é.txt" in mirror.synchronise()
    owner = stand.alice.propfind(f"{stand.folder}/plan 1é.txt", DAV.owner).multistatus()
    assert "bob" not in str(owner)
    assert reply.headers["x-robots-tag"] == "noindex"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_nothing_that_is_there_is_ever_replaced(stand: Stand) -> None:
    stand.put("plan.txt", "the members' own")
    url = stand.publish(DROP)
    names = [location(stand.visitor.put(f"{url}plan.txt", f"{number}"), url) for number in range(4)]
    assert names == ["plan (2).txt", "plan (3).txt", "plan (4).txt", "plan (5).txt"]
    assert stand.alice.delete(f"{stand.folder}/plan (4).txt").status == 204
    assert location(stand.visitor.put(f"{url}plan.txt", "again"), url) == "plan (4).txt"
    assert stored(stand)["plan.txt"] == b"the members' own"
    assert stored(stand)["plan (5).txt"] == b"3"


@pytest.mark.parametrize(
    ("there", "sent", "name"),
    [
        ("Café.txt", unicodedata.normalize("NFD", "Café.txt"), "Café (2).txt"),
        ("README", "README", "README (2)"),
        ("a.tar.gz", "a.tar.gz", "a.tar (2).gz"),
        ("a" * 255, "a" * 255, "a" * 251 + " (2)"),
        ("é" * 125 + ".txt", "é" * 125 + ".txt", "é" * 123 + " (2).txt"),
        ("x." + "y" * 253, "x." + "y" * 253, "x." + "y" * 249 + " (2)"),
        ("plan (2).txt", "plan (2).txt", "plan (2) (2).txt"),
    ],
)
def test_a_taken_name_gets_a_number_before_its_suffix(stand: Stand, there: str, sent: str, name: str) -> None:
    stand.put(there, "there")
    url = stand.publish(DROP)
    assert location(stand.visitor.put(url + sent, "new"), url) == name
    assert stored(stand) == {there: b"there", name: b"new"}


def test_what_the_link_may_not_see_is_in_nobodys_way_and_stays(stand: Stand) -> None:
    stand.mkcol("board")
    stand.put("board/access.toml", CLOSED)
    stand.mkcol("photos")
    folder = stand.server.data / stand.disk
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / unicodedata.normalize("NFD", "Böse.txt")).write_text("decomposed")
    url = stand.publish(DROP)
    for name in ("board", "photos", "pipe", "link"):
        assert location(stand.visitor.put(url + name, "new"), url) == f"{name} (2)"
    assert location(stand.visitor.put(f"{url}Böse.txt", "new"), url) == "Böse (2).txt"
    assert (folder / "pipe").is_fifo()
    assert (folder / "link").is_symlink()
    assert (folder / unicodedata.normalize("NFD", "Böse.txt")).read_text() == "decomposed"


def test_no_visitor_puts_a_page_in_the_place_of_the_folders_own(stand: Stand) -> None:
    url = stand.publish(DROP + 'public = ["logo.png", "css/style.css"]\n')
    stand.mkcol("css")
    sent = ("index.html", "Index.HTML", "thanks.html", "logo.png", "css/style.css", f"{stand.name}.zip")
    names = [location(stand.visitor.put(url + name, "evil"), url) for name in sent]
    assert names == [
        "index (2).html",
        "Index (2).HTML",
        "thanks (2).html",
        "logo (2).png",
        "css/style (2).css",
        f"{stand.name} (2).zip",
    ]
    assert stand.visitor.get(url).status == 403


def test_where_names_are_portable_a_number_keeps_those_apart_that_windows_takes_for_one(stand: Stand) -> None:
    stand.put("Plan.txt", "there")
    url = stand.publish('names = "portable"\n' + DROP)
    assert location(stand.visitor.put(f"{url}PLAN.TXT", "new"), url) == "PLAN (2).TXT"
    reply = send(stand, url, form(("a.txt", b"1"), ("A.txt", b"2")))
    assert reply.text.endswith("\na.txt\nA (2).txt\n")
    before = on_disk(stand)
    assert stand.visitor.put(f"{url}aux.txt", "new").status == 403
    assert stand.visitor.put(f"{url}what?.txt", "new").status == 403
    assert on_disk(stand) == before


REFUSED = (
    "access.toml",
    "Access.TOML",
    "form.toml",
    "links.txt",
    "LINKS.TXT",
    "my-link.txt",
    ".hidden",
    "._plan.txt",
    ".DS_Store",
    ".state.jsonl",
    ".access.toml",
    ".davserver-scratch-1",
    "ａccess.toml",
    "x" * 256,
)


@pytest.mark.parametrize("name", REFUSED)
def test_no_link_takes_names_of_rules_tokens_and_hidden_files(stand: Stand, name: str) -> None:
    url = stand.publish(READ_DROP)
    before = on_disk(stand)
    assert stand.visitor.put(url + name, "evil").status == 403
    assert send(stand, url, form(("good.txt", b"good"), (name, b"evil"))).status == 403
    assert on_disk(stand) == before


def test_without_a_name_nothing_is_stored(stand: Stand) -> None:
    stand.mkcol("photos")
    url = stand.publish(DROP)
    before = on_disk(stand)
    for path in (url, url.rstrip("/"), f"{url}photos/", f"{url}new/"):
        assert stand.visitor.put(path, "x").status == 403
    assert on_disk(stand) == before


def test_files_go_into_folders_that_the_link_shows_and_make_none(stand: Stand) -> None:
    for name in ("photos", "board", ".git"):
        stand.mkcol(name)
    stand.put("board/access.toml", CLOSED)
    stand.put("plan.txt", "a file")
    url = stand.publish(DROP)
    assert location(stand.visitor.put(f"{url}photos/a.jpg", "a"), url) == "photos/a.jpg"
    assert stored(stand, "photos") == {"a.jpg": b"a"}
    assert send(stand, f"{url}photos/", form(("a.jpg", b"b"))).headers["location"] == f"{url}photos/a%20(2).jpg"
    before = on_disk(stand)
    for folder in ("board", ".git", "plan.txt", "missing"):
        reply = stand.visitor.put(f"{url}{folder}/a.jpg", "a")
        assert reply.status == 409
        assert "/files" not in reply.text
        assert send(stand, f"{url}{folder}/", form(("a.jpg", b"a"))).status == 404
    assert on_disk(stand) == before


@pytest.mark.parametrize("body", [b"", b"x" * 1_000_000])
def test_an_upload_may_be_empty_or_chunked(stand: Stand, body: bytes) -> None:
    url = stand.publish(DROP)
    assert location(stand.visitor.put(f"{url}whole", body), url) == "whole"
    pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
    assert location(stand.visitor.put(f"{url}chunked", iter(pieces)), url) == "chunked"
    assert stored(stand) == {"whole": body, "chunked": body}


def head(method: str, url: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {url} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


@pytest.mark.rfc("9112", "8")
def test_an_upload_that_ends_early_stores_nothing(stand: Stand) -> None:
    url = stand.publish(DROP)
    before = on_disk(stand)
    short = head("PUT", f"{url}a.txt", "Content-Length: 10") + b"123"
    assert b" 400 " in stand.visitor.raw(short, half_close=True).splitlines()[0]
    whole = form(("a.txt", b"data"))
    for cut in (len(whole) - 8, len(whole) // 2, 5):
        sent = head("POST", url, f"Content-Length: {len(whole)}", f"Content-Type: {FORM_TYPE['Content-Type']}")
        assert b" 400 " in stand.visitor.raw(sent + whole[:cut], half_close=True).splitlines()[0]
        assert send(stand, url, whole[:cut]).status == 400
    assert on_disk(stand) == before


@pytest.mark.rfc("9110", "14.5")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Range": "bytes 0-3/10"}, 400),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Digest": "sha-256=:AAAA:"}, 400),
        ({"X-OC-Mtime": "yesterday"}, 400),
        ({"If-Match": '"known"'}, 412),
        ({"If-Match": "*"}, 412),
        ({"If": '(["known"])'}, 412),
        ({"If": '(Not ["known"])'}, 412),
    ],
)
def test_a_part_a_coded_or_another_body_than_announced_is_not_stored(
    stand: Stand, headers: dict[str, str], status: int
) -> None:
    stand.put("there.txt", "there")
    url = stand.publish(DROP)
    before = on_disk(stand)
    for name in ("there.txt", "new.txt"):  # and nothing is learned of what is there
        assert stand.visitor.put(url + name, "data", headers).status == status
    assert on_disk(stand) == before


@pytest.mark.rfc("9530", "2")
def test_the_digest_of_a_form_is_compared(stand: Stand) -> None:
    url, body = stand.publish(DROP), form(("a.txt", b"data"))
    before = on_disk(stand)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert send(stand, url, body, {"Content-Digest": f"sha-256=:{'A' * 43}=:"}).status == 400
    assert on_disk(stand) == before
    assert send(stand, url, body, {"Content-Digest": f"sha-256=:{digest}:"}).status == 201


def test_fifty_at_once_with_one_name_are_all_stored(stand: Stand) -> None:
    url = stand.publish(DROP)

    def one(number: int) -> str:
        visitor = Dav(stand.server.port)
        try:
            return location(visitor.put(f"{url}photo.jpg", f"photo {number}"), url)
        finally:
            visitor.close()

    with ThreadPoolExecutor(50) as pool:
        names = list(pool.map(one, range(50)))
    assert set(names) == {"photo.jpg", *(f"photo ({number}).jpg" for number in range(2, 51))}
    assert stored(stand) == {name: f"photo {number}".encode() for number, name in enumerate(names)}


# forms


@pytest.mark.rfc("7578", "4")
def test_all_files_of_a_form_are_stored_and_named(stand: Stand) -> None:
    url = stand.publish(DROP)
    field = b'--XX\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    reply = send(stand, url, form(("C:\\folder\\a.txt", b"one"), ("a.txt", b"two"), ("", b""), more=field))
    assert (reply.status, reply.headers["content-type"]) == (201, "text/plain; charset=utf-8")
    assert reply.text == "Thank you. This was stored:\na.txt\na (2).txt\n"
    assert "location" not in reply.headers
    assert stored(stand) == {"a.txt": b"one", "a (2).txt": b"two"}
    assert send(stand, url.rstrip("/"), form(("b.txt", b"b"))).headers["location"] == f"{url}b.txt"


@pytest.mark.rfc("9110", "15.4.4")
@pytest.mark.parametrize("rules", [DROP, READ_DROP])
def test_a_browser_is_led_to_the_folders_thanks(stand: Stand, rules: str) -> None:
    stand.put("thanks.html", "<p>Thank you")
    url = stand.publish(rules)
    reply = send(stand, url, form(("a.txt", b"one")))
    assert (reply.status, reply.headers["location"]) == (303, f"{url}thanks.html")
    assert stand.visitor.get(reply.headers["location"]).text == "<p>Thank you"
    assert stored(stand)["a.txt"] == b"one"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_sandboxed_page_may_send_to_a_link_and_to_nothing_else(stand: Stand, headers: dict[str, str]) -> None:
    url, body = stand.publish(DROP), form(("a.txt", b"one"))
    assert send(stand, url, body, headers).status == 201
    before = on_disk(stand)
    for path in (f"{stand.folder}/", "/files/", "/dav/alice/"):
        assert stand.alice.request("POST", path, body, {**FORM_TYPE, **headers}).status == 403
    assert on_disk(stand) == before


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 415),
        ({"Content-Type": "text/plain"}, form(("a.txt", b"a")), 415),
        ({"Content-Type": "multipart/form-data"}, form(("a.txt", b"a")), 400),
        ({"Content-Encoding": "gzip"}, form(("a.txt", b"a")), 415),
        ({}, b"", 400),
        ({}, b"no form", 400),
        ({}, form(), 400),
        ({}, form(("", b"")), 400),
        ({}, form(("a.txt", b"a"), ("..", b"b")), 403),
        ({}, form(("a.txt", b"a"), ("a\tb", b"b")), 403),
        ({}, form(("a.txt", b"a"), more=b"--XX\r\nbroken\r\n\r\n\r\n"), 400),
        ({}, form(*[("a.txt", b"a")] * 101), 413),
        ({}, form(("a.txt", b"a"))[:-4] + b"Y\r\n", 400),
    ],
)
def test_a_form_that_cannot_be_taken_whole_is_not_taken(
    stand: Stand, headers: dict[str, str], body: bytes, status: int
) -> None:
    url = stand.publish(DROP)
    before = on_disk(stand)
    reply = send(stand, url, body, headers)
    assert reply.status == status, reply.body
    assert reply.text
    assert on_disk(stand) == before


# what a link for sending does not tell and do


def test_what_was_sent_is_not_read_through_the_link(stand: Stand) -> None:
    url = stand.publish(DROP)
    sent = location(stand.visitor.put(f"{url}secret.txt", "mine"), url)
    nothing = stand.visitor.get(f"{url}nothing.txt")
    assert nothing.status == 403
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": "*"}, {"If-Match": '"x"'}):
        reply = stand.visitor.get(url + sent, headers)
        assert (reply.status, reply.body) == (403, nothing.body)
        assert reply.headers.keys() == nothing.headers.keys()
    assert stand.visitor.head(url + sent).status == 403
    assert stand.visitor.get(url).status == 403


@pytest.mark.parametrize("rules", [DROP, READ_DROP])
def test_a_link_for_sending_changes_nothing_that_is_there(stand: Stand, rules: str) -> None:
    stand.put("there.txt", "there")
    stand.mkcol("photos")
    url = stand.publish(rules)
    before = on_disk(stand)
    for name in ("there.txt", "missing.txt"):
        replies = [
            stand.visitor.delete(url + name),
            stand.visitor.move(url + name, f"{url}other.txt"),
            stand.visitor.copy(url + name, f"{url}other.txt"),
            stand.visitor.mkcol(f"{url}new"),
            stand.visitor.lock(url + name),
            stand.visitor.proppatch(url + name, {"{urn:x}y": "z"}),
            stand.visitor.request("PATCH", url + name, b"data", {"X-Update-Range": "append"}),
        ]
        assert {reply.status for reply in replies} == {405}
        replies.append(stand.visitor.options(url + name))
        assert all("PUT, POST" in reply.headers["allow"] for reply in replies)
    assert on_disk(stand) == before
    listed = stand.visitor.propfind(url, depth="1").status
    assert listed == (405 if rules == DROP else 207)


def test_a_link_for_reading_takes_nothing(stand: Stand) -> None:
    url = stand.publish('[[link]]\nright = "read"\n')
    before = on_disk(stand)
    for reply in (stand.visitor.put(f"{url}a.txt", "a"), send(stand, url, form(("a.txt", b"a")))):
        assert (reply.status, "PUT" in reply.headers["allow"]) == (405, False)
    assert on_disk(stand) == before


def test_by_a_link_for_both_what_was_sent_is_read(stand: Stand) -> None:
    url = stand.publish(READ_DROP)
    assert location(stand.visitor.put(f"{url}page.html", "<script>"), url) == "page.html"
    reply = stand.visitor.get(f"{url}page.html")
    assert reply.body == b"<script>"
    assert reply.headers["content-security-policy"].startswith("sandbox")


def test_a_link_with_a_password_takes_nothing_without(stand: Stand) -> None:
    url = stand.publish(DROP + 'password = "rosebud-12"\n')
    before = on_disk(stand)
    assert stand.visitor.put(f"{url}a.txt", "a").status == 401
    assert send(stand, url, form(("a.txt", b"a"))).status == 401
    assert on_disk(stand) == before
    secret = base64.b64encode(b"any:rosebud-12").decode()
    assert stand.visitor.put(f"{url}a.txt", "a", {"Authorization": f"Basic {secret}"}).status == 201


def test_a_folder_that_a_member_has_locked_takes_nothing(stand: Stand) -> None:
    url = stand.publish(DROP)
    token = stand.alice.lock(f"{stand.folder}/", depth="infinity").lock_token
    before = on_disk(stand)
    for reply in (stand.visitor.put(f"{url}a.txt", "a"), send(stand, url, form(("a.txt", b"a")))):
        assert (reply.status, reply.condition) == (423, DAV.lock_token_submitted)
        assert all(href.startswith(url.rstrip("/")) for href in reply.hrefs)
        assert "/files" not in reply.text
    assert on_disk(stand) == before
    assert stand.alice.unlock(f"{stand.folder}/", token).status == 204
    assert stand.visitor.put(f"{url}a.txt", "a").status == 201


def test_a_link_that_ends_while_something_is_sent_takes_nothing(stand: Stand) -> None:
    url = stand.publish(DROP)
    with socket.create_connection(("127.0.0.1", stand.server.port), timeout=10) as sock:
        sock.sendall(head("PUT", f"{url}a.txt", "Content-Length: 10", "Connection: close", "Expect: 100-continue"))
        assert b"100 Continue" in sock.recv(1000)
        assert stand.alice.delete(f"{stand.folder}/access.toml").status == 204
        sock.sendall(b"0123456789")
        assert b" 404 " in sock.recv(1000).splitlines()[0]
    assert "a.txt" not in stored(stand)


# how much and how often


@pytest.mark.rfc("4331", "6")
def test_a_link_takes_as_much_as_its_quota_says_and_no_more_after_a_restart(make_server: MakeServer) -> None:
    stand = Stand(make_server(access=SPORT).start())
    url = stand.publish(DROP + "quota_bytes = 100\n")
    assert stand.visitor.put(f"{url}a", b"x" * 60).status == 201
    assert stand.alice.delete(f"{stand.folder}/a").status == 204  # what members do with it gives no room back
    assert stand.server.restart()
    stand.visitor = stand.server.client()
    before = on_disk(stand)
    replies = [
        stand.visitor.put(f"{url}b", b"x" * 41),
        stand.visitor.put(f"{url}b", iter([b"x" * 41])),
        send(stand, url, form(("b", b"x" * 20), ("c", b"x" * 21))),
        send(stand, url, form(("b", b"x" * 2_000_000))),
    ]
    for reply in replies:
        assert (reply.status, reply.condition) == (507, DAV.quota_not_exceeded)
        assert stand.name not in reply.text
    assert on_disk(stand) == before
    assert "40 of 100 bytes left" in stand.server.client("alice").get(f"{stand.folder}/links.txt").text
    assert stand.visitor.put(f"{url}b", b"x" * 40).status == 201
    assert stand.visitor.put(f"{url}c", b"").status == 201
    assert stand.visitor.put(f"{url}d", b"x").status == 507
    assert stand.server.client("alice").put(f"{stand.folder}/members", b"x").status == 201


@pytest.mark.rfc("9110", "10.1.1")
def test_what_does_not_fit_is_refused_before_it_is_sent(stand: Stand) -> None:
    url = stand.publish(DROP + "quota_bytes = 100\n")
    before = on_disk(stand)
    for method, path, more in (
        ("PUT", f"{url}a", ()),
        ("POST", url, (f"Content-Type: {FORM_TYPE['Content-Type']}",)),
    ):
        asked = head(method, path, "Content-Length: 2000000", "Expect: 100-continue", *more)
        answer = stand.visitor.raw(asked, timeout_s=5, half_close=True)
        assert answer.startswith(b"HTTP/1.1 507 ")
    assert on_disk(stand) == before


def test_the_quota_of_the_folder_holds_as_well(make_server: MakeServer) -> None:
    small = '\n[[folder]]\npath = "/files/Sport"\nquota_bytes = 1000\n'
    stand = Stand(make_server(access=SPORT + small).start())
    url = stand.publish(DROP)
    before = on_disk(stand)
    for reply in (
        stand.visitor.put(f"{url}b", b"x" * 1000),
        stand.visitor.put(f"{url}b", iter([b"x" * 1000])),
        send(stand, url, form(("b", b"x" * 500), ("c", b"x" * 500))),
    ):
        assert (reply.status, reply.condition) == (507, DAV.quota_not_exceeded)
        assert "Sport" not in reply.text
    assert on_disk(stand) == before


@pytest.mark.rfc("6585", "4")
def test_who_sends_too_often_is_told_when_to_go_on(make_server: MakeServer) -> None:
    settings = "[links]\nuploads_per_minute_of_address = 5\n"
    stand = Stand(make_server(access=SPORT, settings=settings).start())
    stand.put("access.toml", DROP + 'name = "a"\nuploads_per_minute = 2\n' + DROP + 'name = "b"\n')
    first, second = stand.urls()
    assert send(stand, first, form(("a", b"1"), ("b", b"2"))).status == 201
    before = on_disk(stand)
    for reply in (stand.visitor.put(f"{first}c", "c"), send(stand, first, form(("c", b"c")))):
        assert (reply.status, reply.headers["retry-after"]) == (429, "30")
    assert on_disk(stand) == before
    assert stand.visitor.put(f"{second}c", "c").status == 201
    before = on_disk(stand)
    assert send(stand, second, form(("d", b"1"), ("e", b"2"), ("f", b"3"))).status == 429
    assert on_disk(stand) == before
    assert 1 <= int(stand.visitor.put(f"{second}g", "g").headers["retry-after"]) <= 60


@pytest.mark.rfc("9110", "15.5.14")
def test_a_file_or_form_that_is_too_large_is_refused(make_server: MakeServer) -> None:
    most = 1 << 20
    stand = Stand(make_server(access=SPORT, settings=f"[limits]\nupload_bytes = {most}\n").start())
    url = stand.publish(DROP)
    before = on_disk(stand)
    replies = [
        stand.visitor.put(f"{url}a", bytes(most + 1)),
        stand.visitor.put(f"{url}a", iter([bytes(most), b"x"])),
        send(stand, url, form(("a", b"small"), ("b", bytes(most + 1)))),
    ]
    assert [reply.status for reply in replies] == [413] * 3
    assert on_disk(stand) == before
    assert send(stand, url, form(("a", bytes(most - 1000)), ("b", b"small"))).status == 201


# programs


def curl(*arguments: str) -> list[str]:
    """Status and Location that curl got."""
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code} %header{location}",
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split(" ", 1)


def test_curl_sends_files_and_forms(stand: Stand, tmp_path: Path) -> None:
    large, small = tmp_path / "large é.bin", tmp_path / "small.txt"
    large.write_bytes(os.urandom(3_000_000))
    small.write_text("small")
    url = stand.publish(DROP)
    target = stand.server.url + url
    assert curl("-T", str(small), target) == ["201", f"{url}small.txt"]
    assert curl("-T", str(small), target) == ["201", f"{url}small%20(2).txt"]
    assert curl("-F", f"f=@{large}", "-F", f"f=@{small}", "-F", "note=hello", target)[0] == "201"
    assert stored(stand) == {
        "small.txt": b"small",
        "small (2).txt": b"small",
        "small (3).txt": b"small",
        "large é.bin": large.read_bytes(),
    }
    assert curl("-F", f"f=@{small}", "-H", "Transfer-Encoding: chunked", target) == ["201", f"{url}small%20(4).txt"]
    stand.put("thanks.html", "<p>Thanks")
    assert curl("-F", f"f=@{small}", target) == ["303", f"{url}thanks.html"]


def test_rclone_adds_what_is_new_and_is_told_that_it_replaced_nothing(stand: Stand, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("a.txt", "b é.txt"):
        (source / name).write_text(name)
    url = stand.publish(READ_DROP)

    def copy(*more: str) -> subprocess.CompletedProcess[str]:
        remote = (
            "--webdav-url",
            stand.server.url + url,
            "--webdav-vendor",
            "other",
            "--config",
            str(tmp_path / "none"),
        )
        command = ["rclone", *remote, "--retries", "1", "copy", str(source), ":webdav:", *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert copy().returncode == 0
    assert copy().returncode == 0  # nothing has changed, and nothing is sent
    assert stored(stand) == {"a.txt": b"a.txt", "b \u00e9.txt": "b é.txt".encode()}
    (source / "a.txt").write_text("changed")
    assert copy("--ignore-existing").returncode == 0
    assert copy().returncode == 1
    assert stored(stand)["a.txt"] == b"a.txt"


# the example


class Form(HTMLParser):
    """The one form of a page: what a browser does with it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.form: dict[str, str | None] = {}
        self.field: dict[str, str | None] = {}
        self.loaded: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self.form = dict(attrs)
        elif tag == "input":
            self.field = dict(attrs)
        elif tag == "link":
            self.loaded.append(dict(attrs)["href"] or "")


def test_the_page_of_the_example_sends_what_a_browser_was_given(stand: Stand) -> None:
    for file in (ROOT / "examples/upload-page").iterdir():
        stand.put(file.name, file.read_bytes())
    (url,) = stand.urls()
    before = set(stored(stand))
    page = stand.visitor.get(url)
    form_of = Form(page.text)
    assert [stand.visitor.get(url + name).status for name in form_of.loaded] == [200]
    assert (form_of.form["method"], form_of.form["enctype"]) == ("post", "multipart/form-data")
    policy = page.headers["content-security-policy"]
    assert "allow-forms" in policy
    assert f"form-action {stand.server.url}" in policy
    target = url + (form_of.form.get("action") or "")
    body = form(("party.jpg", b"jpeg"), ("index.html", b"evil")).replace(
        b'"file"', f'"{form_of.field["name"]}"'.encode()
    )
    reply = send(stand, target, body, {"Origin": "null", "Sec-Fetch-Site": "cross-site"})
    assert reply.status == 303
    assert "have arrived" in stand.visitor.get(reply.headers["location"]).text
    assert set(stored(stand)) - before == {"party.jpg", "index (2).html"}
    assert stand.visitor.get(url).body == page.body
    assert stand.visitor.get(f"{url}party.jpg").status == 403


def test_the_example_of_the_documentation_can_be_stored(stand: Stand) -> None:
    guide = (ROOT / "docs/administration.md").read_text(encoding="utf-8")
    section = guide[guide.index("## Collecting files from strangers") :]
    rules, page = (
        section[section.index(f"```{kind}\n") :].split("```")[1].partition("\n")[2] for kind in ("toml", "html")
    )
    stand.put("index.html", page)
    url = stand.publish(rules)
    headers = {"Authorization": "Basic " + base64.b64encode(b"any:rosebud-12").decode()}
    found = stand.visitor.get(url, headers)
    assert Form(found.text).form["enctype"] == "multipart/form-data"
    assert send(stand, url, form(("a.jpg", b"a")), headers).status == 201
    assert f"{5_000_000_000 - 1} of 5000000000 bytes left" in stand.alice.get(f"{stand.folder}/links.txt").text
