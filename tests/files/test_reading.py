"""GET, HEAD, OPTIONS and what a listing shows."""

from __future__ import annotations

import os

import pytest

from davserver.dav.names import DAV
from tests.harness import Dav, Server


@pytest.mark.rfc("9110", "8.8.3")
def test_a_file_comes_back_with_the_etag_that_its_put_answered(alice: Dav, home: str) -> None:
    stored = alice.put(f"{home}/a.txt", "one")
    got = alice.get(f"{home}/a.txt")
    assert (got.status, got.text, got.etag) == (200, "one", stored.etag)
    assert got.etag.startswith('"')


def test_an_etag_is_never_used_again_even_for_equal_bytes(alice: Dav, home: str) -> None:
    etags = {alice.put(f"{home}/a.txt", body).etag for body in ("one", "two", "one")}
    alice.delete(f"{home}/a.txt")
    etags.add(alice.put(f"{home}/a.txt", "one").etag)
    assert len(etags) == 4


@pytest.mark.rfc("9110", "13.1.2")
def test_a_good_copy_is_not_sent_again(alice: Dav, home: str) -> None:
    etag = alice.put(f"{home}/a.txt", "one").etag
    reply = alice.get(f"{home}/a.txt", {"If-None-Match": etag})
    assert (reply.status, reply.body, reply.etag) == (304, b"", etag)
    assert alice.head(f"{home}/a.txt", {"If-Match": '"other"'}).status == 412


@pytest.mark.rfc("9110", "14.2")
@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=x", 200, b"0123456789", None),
    ],
)
def test_a_range_is_what_was_asked_for(
    alice: Dav, home: str, asked: str, status: int, body: bytes | None, content_range: str | None
) -> None:
    alice.put(f"{home}/a.bin", "0123456789")
    reply = alice.get(f"{home}/a.bin", {"Range": asked})
    assert (reply.status, reply.headers.get("content-range")) == (status, content_range)
    assert body is None or reply.body == body


@pytest.mark.rfc("9110", "13.1.5")
def test_a_range_of_a_file_that_has_changed_is_the_whole_file(alice: Dav, home: str) -> None:
    old = alice.put(f"{home}/a.bin", "0123456789").etag
    new = alice.put(f"{home}/a.bin", "abcdefghij").etag
    assert alice.get(f"{home}/a.bin", {"Range": "bytes=0-1", "If-Range": old}).body == b"abcdefghij"
    assert alice.get(f"{home}/a.bin", {"Range": "bytes=0-1", "If-Range": new}).body == b"ab"


def test_a_folder_is_read_as_a_plain_list_of_names_and_never_as_html(alice: Dav, home: str) -> None:
    alice.put(f"{home}/<b>.txt", "x")
    alice.mkcol(f"{home}/sub")
    reply = alice.get(f"{home}/")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert reply.text.splitlines() == ["sub/", "<b>.txt"]
    assert alice.head(home).status == 200


def test_what_members_store_cannot_run_scripts_with_the_servers_credentials(alice: Dav, home: str) -> None:
    alice.put(f"{home}/page.html", "<script>1</script>")
    reply = alice.get(f"{home}/page.html")
    assert reply.headers["content-security-policy"] == "sandbox"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_head_says_what_get_would_say_without_the_bytes(alice: Dav, home: str) -> None:
    alice.put(f"{home}/a.md", "one")
    head, got = alice.head(f"{home}/a.md"), alice.get(f"{home}/a.md")
    assert head.body == b""
    for name in ("etag", "content-length", "content-type", "last-modified", "accept-ranges"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.rfc("4918", "10.1")
@pytest.mark.parametrize("name", ["", "a.txt", "not-there.odt"])
def test_options_offers_locks_also_for_a_document_that_is_not_there_yet(alice: Dav, home: str, name: str) -> None:
    alice.put(f"{home}/a.txt", "one")
    reply = alice.options(f"{home}/{name}")
    assert reply.status == 200
    assert reply.headers["dav"] == "1, 2, 3, access-control, extended-mkcol"
    assert reply.headers["ms-author-via"] == "DAV"
    assert "LOCK" in reply.headers["allow"]


def test_the_top_lists_what_the_member_may_see(alice: Dav, dora: Dav, cloud: Server) -> None:
    seen = set(alice.propfind("/files/", DAV.resourcetype, depth="1").multistatus())
    assert {"/files/", "/files/Home/", "/files/Sport/", "/files/Public/", "/files/Dropbox/"} <= seen
    others = set(dora.propfind("/files/", DAV.resourcetype, depth="1").multistatus())
    assert "/files/Sport/" not in others
    assert {"/files/Home/", "/files/Public/"} <= others


def test_the_world_reads_what_is_given_to_it_by_get_alone(carol: Dav, cloud: Server) -> None:
    carol.put("/files/Public/news.txt", "news")
    world = cloud.client()
    assert world.get("/files/Public/news.txt").text == "news"
    assert "news.txt" in world.get("/files/Public/").text
    for reply in (world.propfind("/files/Public"), world.put("/files/Public/news.txt", "x"), world.get("/files/Sport")):
        assert reply.status == 401
    assert carol.get("/files/Public/news.txt").text == "news"


@pytest.mark.parametrize("path", ["/files/Sport/", "/files/Sport/plan.txt", "/files/Members/alice/", "/files/None/"])
def test_what_one_may_not_read_is_not_there(dora: Dav, alice: Dav, path: str) -> None:
    alice.put("/files/Sport/plan.txt", "x")
    for reply in (dora.get(path), dora.propfind(path), dora.head(path)):
        assert reply.status == 404


def test_symlinks_and_pipes_are_neither_listed_nor_followed(alice: Dav, home: str, cloud: Server) -> None:
    folder = cloud.data / "homes/alice" / home.rpartition("/")[2]
    (folder / "link.txt").symlink_to("/etc/hostname")
    (folder / "linked").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    assert set(alice.propfind(home, DAV.getetag, depth="1").multistatus()) == {f"{home}/"}
    for name in ("link.txt", "linked/", "linked/hostname", "pipe"):
        assert alice.get(f"{home}/{name}").status == 404
    assert alice.put(f"{home}/pipe", "x").status == 403
    assert alice.put(f"{home}/link.txt", "x").status == 403
    assert (folder / "link.txt").is_symlink()
    for name in ("link.txt", "linked", "pipe"):
        (folder / name).unlink()


@pytest.mark.parametrize(
    "name", [".state.jsonl", ".STATE.jsonl", ".access.toml", ".Radicale.props", ".davserver-scratch-1", ".ﬆate.jsonl"]
)
def test_names_of_the_server_cannot_be_read_written_or_listed(alice: Dav, home: str, name: str, cloud: Server) -> None:
    alice.proppatch(home, {"{urn:x}a": "1"})  # makes the state file
    before = cloud.tree()
    assert alice.get(f"{home}/{name}").status == 404
    assert alice.put(f"{home}/{name}", "x").status == 403
    assert alice.mkcol(f"{home}/{name}").status == 403
    assert alice.delete(f"{home}/{name}").status == 404
    assert alice.propfind(home, DAV.getetag, depth="1").multistatus().keys() == {f"{home}/"}
    assert cloud.tree() == before


@pytest.mark.rfc("3986", "2.1")
def test_a_name_in_nfd_or_with_lower_case_escapes_is_the_same_file(alice: Dav, home: str) -> None:
    alice.put(f"{home}/Müll.txt", "x")
    for target in ("M%c3%bcll.txt", "M%C3%BCll.txt", "Mu%CC%88ll.txt"):
        assert alice.request("GET", target=f"{home}/{target}").status == 200
    assert alice.put(f"{home}/Mu\u0308ll.txt", "y").status == 204
    assert list(alice.propfind(home, DAV.getetag, depth="1").multistatus()) == [f"{home}/", f"{home}/Müll.txt"]


@pytest.mark.parametrize("name", ["a b.txt", "100% #1?.txt", "a;b&c=d+e.txt", "it's (1).txt", "日本.txt", "~$x.docx"])
def test_any_name_comes_back_as_it_was_stored(alice: Dav, home: str, name: str) -> None:
    assert alice.put(f"{home}/{name}", "x").status == 201
    assert f"{home}/{name}" in alice.propfind(home, DAV.getetag, depth="1").multistatus()
    assert alice.move(f"{home}/{name}", f"{home}/2{name}").status == 201
    assert alice.get(f"{home}/2{name}").text == "x"
