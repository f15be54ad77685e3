"""A published folder of files as its visitors see it."""

from __future__ import annotations

import base64
import gzip
import hashlib
from urllib.parse import unquote

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import password_of
from tests.links.conftest import CLOSED, READ, SPORT, Stand, basic, listed, urls_in, zip_of


def test_a_folder_without_a_page_is_a_list_of_urls(stand: Stand) -> None:
    stand.put("plan b.txt", "b")
    stand.put("a.txt", "a")
    stand.mkcol("photos")
    url = stand.publish()
    assert listed(stand.visitor, url) == ["photos/", "a.txt", "plan%20b.txt"]
    assert stand.visitor.get(f"{url}plan b.txt").body == b"b"
    whole = stand.visitor.get(url).text.split("\r\n")[0]
    assert whole == f"# all of it: {stand.server.url}{url}{stand.name}.zip"


def test_a_folder_with_a_page_is_that_page(stand: Stand) -> None:
    stand.put("index.html", "<p>Welcome")
    stand.mkcol("photos")
    stand.put("photos/index.html", "<p>Photos")
    url = stand.publish()
    reply = stand.visitor.get(url)
    assert (reply.status, reply.body) == (200, b"<p>Welcome")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert stand.visitor.get(f"{url}photos/").body == b"<p>Photos"
    assert stand.visitor.get(url, {"If-None-Match": reply.etag}).status == 304


def test_a_folder_that_is_called_like_a_page_is_none(stand: Stand) -> None:
    stand.mkcol("index.html")
    assert listed(stand.visitor, stand.publish()) == ["index.html/"]


@pytest.mark.rfc("9110", "15.4.2")
def test_without_its_slash_a_folder_leads_to_itself_so_that_its_page_finds_what_it_names(stand: Stand) -> None:
    stand.mkcol("photos")
    url = stand.publish()
    for path in (url, f"{url}photos/"):
        reply = stand.visitor.get(path.rstrip("/"))
        assert (reply.status, reply.headers["location"]) == (301, path)


@pytest.mark.rfc("9110", "14.2")
def test_files_are_read_as_members_read_them(stand: Stand) -> None:
    stand.put("plan.txt", "0123456789")
    url = stand.publish() + "plan.txt"
    reply = stand.visitor.get(url)
    assert reply.etag == stand.alice.get(f"{stand.folder}/plan.txt").etag
    part = stand.visitor.get(url, {"Range": "bytes=2-4"})
    assert (part.status, part.body) == (206, b"234")
    assert stand.visitor.get(url, {"If-None-Match": reply.etag}).status == 304
    assert stand.visitor.get(url, {"If-Match": '"other"'}).status == 412
    assert stand.visitor.head(url).headers["content-length"] == "10"
    wanted = {"Want-Repr-Digest": "sha-256=1"}
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(b'0123456789').digest()).decode()}:"
    assert stand.visitor.get(url, wanted).headers["repr-digest"] == digest


HIDDEN = (
    *("access.toml", "access.toml~", "#access.toml#", "links.txt", "links.txt~", "my-link.txt", "Form.TOML"),
    *(".hidden", "._plan.txt", ".DS_Store", "~.hidden"),
)


@pytest.mark.parametrize("name", HIDDEN)
def test_no_link_shows_rules_tokens_and_hidden_names(stand: Stand, name: str) -> None:
    if name not in ("access.toml", "links.txt"):
        stand.put(name, "secret")
    url = stand.publish()
    nothing = stand.visitor.get(f"{url}nothing")
    for reply in (stand.visitor.get(url + name), stand.visitor.get(f"{url}{name}/")):
        assert (reply.status, reply.body) == (404, nothing.body)
    assert listed(stand.visitor, url) == []
    assert stand.visitor.propfind(url + name, DAV.getetag, depth="0").status == 404
    assert zip_of(stand, url).namelist() == []


def test_a_subfolder_with_rules_of_its_own_is_closed(stand: Stand) -> None:
    for name in ("open", "closed"):
        stand.mkcol(name)
        stand.put(f"{name}/a.txt", name)
    stand.put("closed/access.toml", CLOSED)
    url = stand.publish()
    assert listed(stand.visitor, url) == ["open/"]
    assert stand.visitor.get(f"{url}open/a.txt").body == b"open"
    for path in ("closed/", "closed", "closed/a.txt", "closed/closed.zip"):
        reply = stand.visitor.get(url + path)
        assert (reply.status, reply.body) == (404, stand.visitor.get(f"{url}nothing").body)
    assert zip_of(stand, url).namelist() == ["open/", "open/a.txt"]


def test_a_link_of_the_whole_drive_leads_into_no_home_and_no_trash(make_server: MakeServer) -> None:
    server = make_server(access='[[rule]]\npath = "/files"\nwho = ["alice"]\nmay = ["admin"]\n').start()
    alice, bob, visitor = server.client("alice"), server.client("bob"), server.client()
    for client, folder in ((alice, "/files/Open"), (alice, "/files/Home/own"), (bob, "/files/Home/own")):
        assert client.mkcol(folder).status == 201
        assert client.put(f"{folder}/a.txt", "a").status == 201
    assert alice.put("/files/Open/old.txt", "old").status == 201
    assert alice.delete("/files/Open/old.txt").status == 204
    assert alice.put("/files/access.toml", READ).status == 201
    (url,) = urls_in(alice.get("/files/links.txt").text)
    assert visitor.get(f"{url}Open/a.txt").text == "a"
    homes = (f"Members/{name}/{inner}" for name in ("alice", "bob") for inner in ("", "own/", "own/a.txt"))
    for path in (*homes, "Members/", "Home/own/a.txt", "Trash/Open/old.txt", "Trash/", "History/", "Collections/"):
        assert visitor.get(url + path).status == 404
        assert visitor.propfind(url + path, depth="1").status == 404
    assert "Open/" in listed(visitor, url)
    assert not {"Members/", "Home/", "Trash/", "History/", "Collections/"} & set(listed(visitor, url))


def test_nothing_above_or_beside_the_folder_is_reached(stand: Stand) -> None:
    stand.alice.put("/files/Sport/beside.txt", "beside")
    url = stand.publish()
    for path in (
        "../beside.txt",
        "%2e%2e/beside.txt",
        "..%2fbeside.txt",
        "x/../../beside.txt",
        "%252e%252e/beside.txt",
    ):
        reply = stand.visitor.request("GET", url + path)
        assert reply.status in (400, 403, 404)
        assert b"beside" not in reply.body.replace(b"beside.txt", b"")


@pytest.mark.rfc("4918", "9.1")
def test_a_link_can_be_mounted(stand: Stand) -> None:
    stand.put("plan.txt", "0123456789")
    stand.mkcol("photos")
    url = stand.publish()
    names = (DAV.resourcetype, DAV.getcontentlength, DAV.getetag, DAV.owner, DAV.acl, DAV.lockdiscovery)
    rows = stand.visitor.propfind(url, *names, depth="1").multistatus()
    assert list(rows) == [url, f"{url}photos/", f"{url}plan.txt"]
    row = rows[f"{url}plan.txt"]
    assert row.text(DAV.getcontentlength) == "10"
    assert row.text(DAV.getetag) == stand.visitor.get(f"{url}plan.txt").etag
    assert list(stand.visitor.propfind(f"{url}plan.txt", depth="0").multistatus()) == [f"{url}plan.txt"]
    answer = stand.visitor.propfind(url, *names, depth="1").text
    assert "alice" not in answer
    allprop = stand.visitor.propfind(url, depth="1").text
    assert "alice" not in allprop
    assert "/files/" not in answer + allprop
    rows = stand.visitor.propfind(url, DAV.displayname, depth="1").multistatus()
    assert [row.text(DAV.displayname) for row in rows.values()] == [stand.name, "photos", "plan.txt"]


@pytest.mark.rfc("4918", "9.1.1")
def test_a_link_is_not_listed_in_depth(stand: Stand) -> None:
    url = stand.publish()
    reply = stand.visitor.propfind(url, DAV.getetag, depth="infinity")
    assert reply.status == 403
    assert "propfind-finite-depth" in reply.text
    assert "/files/" not in reply.text


WRITES = ("PUT", "POST", "DELETE", "MKCOL", "MOVE", "COPY", "PROPPATCH", "LOCK", "UNLOCK", "PATCH", "ACL", "REPORT")


@pytest.mark.rfc("9110", "15.5.6")
@pytest.mark.parametrize("method", WRITES)
def test_a_link_for_reading_changes_nothing(stand: Stand, method: str) -> None:
    stand.put("plan.txt", "before")
    url = stand.publish()
    reply = stand.visitor.request(method, f"{url}plan.txt", b"after", {"Destination": f"{url}other.txt"})
    assert (reply.status, reply.headers["allow"]) == (405, "OPTIONS, GET, HEAD, PROPFIND")
    assert stand.alice.get(f"{stand.folder}/plan.txt").body == b"before"
    assert listed(stand.visitor, url) == ["plan.txt"]


POLICY = (
    "sandbox allow-forms; default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "form-action {origin}"
)


def test_pages_are_shown_without_scripts_and_other_active_content_is_saved(stand: Stand) -> None:
    for name in ("index.html", "other.html", "drawing.svg", "data.xml", "plan.txt", "minutes.pdf"):
        stand.put(name, "x")
    url = stand.publish()
    policy = POLICY.format(origin=stand.server.url)
    for name in ("", "index.html", "other.html"):
        reply = stand.visitor.get(url + name)
        assert reply.headers["content-security-policy"] == policy
        assert "content-disposition" not in reply.headers
    for client, folder in ((stand.visitor, url), (stand.alice, f"{stand.folder}/")):
        for name in ("drawing.svg", "data.xml", *(("other.html",) if client is stand.alice else ())):
            reply = client.get(folder + name)
            assert reply.headers["content-security-policy"] == "sandbox"
            assert reply.headers["content-disposition"].startswith(f'attachment; filename="{name}"')
        assert client.get(f"{folder}plan.txt").headers["content-security-policy"] == "sandbox"
        assert "content-disposition" not in client.get(f"{folder}plan.txt").headers
        assert "content-security-policy" not in client.get(f"{folder}minutes.pdf").headers


def test_where_strangers_add_files_their_pages_are_saved_and_not_shown(stand: Stand) -> None:
    own = ("index.html", "thanks.html", "about.html")
    for name in own:
        stand.put(name, "ours")
    url = stand.publish('[[link]]\nright = "read-drop"\npublic = ["about.html"]\n')
    sent = [stand.visitor.put(url + name, "theirs").headers["location"] for name in ("evil.html", *own)]
    for path in sent:
        reply = stand.visitor.get(unquote(path))
        assert reply.text == "theirs"
        assert reply.headers["content-security-policy"] == "sandbox"
        assert reply.headers["content-disposition"].startswith("attachment;")
    for name in ("", *own):
        assert stand.visitor.get(url + name).text == "ours"
        assert "content-disposition" not in stand.visitor.get(url + name).headers


def test_pages_that_came_through_another_link_are_saved_and_not_shown(stand: Stand) -> None:
    stand.mkcol("box")
    stand.put("box/access.toml", '[[link]]\nright = "read"\n')
    stand.publish(READ + 'name = "look"\n[[link]]\nname = "send"\nright = "read-drop"\n')
    url, sending = stand.urls()
    inner = urls_in(stand.alice.get(f"{stand.folder}/box/links.txt").text)[0]
    for name, seen_at in (("evil.html", f"{url}evil.html"), ("box/evil.html", f"{inner}evil.html")):
        assert stand.visitor.put(sending + name, "theirs").status == 201
        reply = stand.visitor.get(seen_at)
        assert (reply.text, reply.headers["content-security-policy"]) == ("theirs", "sandbox")
        assert reply.headers["content-disposition"].startswith("attachment;")


def test_pages_of_other_sites_may_read_it_unless_it_has_a_password(stand: Stand) -> None:
    stand.put("a.txt", "a")
    url = stand.publish()
    paths = (url, f"{url}a.txt", f"{url}{stand.name}.zip")
    for path in paths:
        assert stand.visitor.get(path).headers["access-control-allow-origin"] == "*"
        assert stand.visitor.get(path).headers["cache-control"] == "no-cache"
    tag = stand.visitor.get(f"{url}a.txt").etag
    assert stand.visitor.get(f"{url}a.txt", {"If-None-Match": tag}).headers["access-control-allow-origin"] == "*"
    stand.publish(READ + 'password = "rosebud-12"\n')
    for path in paths:
        reply = stand.visitor.get(path, basic("any", "rosebud-12"))
        assert (reply.status, reply.headers["cache-control"]) == (200, "private, no-cache")
        assert "access-control-allow-origin" not in reply.headers


def test_every_answer_is_unlisted_and_names_no_page_to_others(stand: Stand) -> None:
    stand.put("a.txt", "a")
    url = stand.publish()
    for path in (url, f"{url}a.txt", f"{url}nothing", f"{url}{stand.name}.zip", "/p/AAAAAAAAAAAAAAAAAAAAAA/"):
        headers = stand.visitor.get(path).headers
        assert headers["x-robots-tag"] == "noindex"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
    assert stand.visitor.propfind(url, depth="1").headers["referrer-policy"] == "no-referrer"
    for target in (f"{url}%2e%2e/a.txt", f"{url}a%00b", f"{url}%ff", f"{url}{'x' * 5000}"):
        reply = stand.visitor.request("GET", target=target)
        assert reply.status in (400, 414)
        assert (reply.headers["referrer-policy"], reply.headers["x-robots-tag"]) == ("no-referrer", "noindex")


@pytest.mark.rfc("9110", "15.5.11")
def test_files_and_archives_count_as_downloads_and_lists_and_pages_do_not(stand: Stand) -> None:
    stand.put("a.txt", "0123456789")
    url = stand.publish(READ + "downloads = 3\n")
    for _ in range(5):
        assert stand.visitor.get(url).status == 200
        assert stand.visitor.head(f"{url}a.txt").status == 200
        assert stand.visitor.propfind(url, depth="1").status == 207
    assert stand.visitor.get(f"{url}nothing").status == 404
    whole = stand.visitor.get(f"{url}a.txt", {"Range": "bytes=1-"})
    assert (whole.status, whole.body) == (200, b"0123456789")
    assert stand.visitor.get(f"{url}a.txt").status == 200
    assert "downloads: 1 of 3 left" in stand.alice.get(f"{stand.folder}/links.txt").text
    assert stand.visitor.get(f"{url}{stand.name}.zip").status == 200
    for path in (url, f"{url}a.txt", f"{url}{stand.name}.zip"):
        assert stand.visitor.get(path).status == 410


def test_a_link_ends_with_its_rule_and_the_other_keeps_its_url(stand: Stand) -> None:
    stand.put("a.txt", "a")
    press, team = '[[link]]\nname = "press"\nright = "read"\n', '[[link]]\nname = "team"\nright = "read"\n'
    stand.publish(press + team)
    first, second = stand.urls()
    assert stand.visitor.get(f"{first}a.txt").status == 200
    stand.publish(team)
    gone = stand.visitor.get(f"{first}a.txt")
    assert (gone.status, gone.body) == (404, stand.visitor.get("/p/AAAAAAAAAAAAAAAAAAAAAA/a.txt").body)
    assert stand.urls() == [second]
    assert stand.visitor.get(f"{second}a.txt").body == b"a"
    stand.publish(team + "until = 2020-01-01T00:00:00Z\n")
    assert stand.visitor.get(f"{second}a.txt").status == 410


def test_a_password_is_asked_for_before_anything_is_shown(stand: Stand) -> None:
    stand.put("a.txt", "secret")
    url = stand.publish(READ + 'password = "rosebud-12"\n')
    for headers in (None, basic("any", "rosebud-13"), basic("alice", password_of("alice"))):
        for method, path in (("GET", url), ("GET", f"{url}a.txt"), ("GET", f"{url}nothing"), ("PROPFIND", url)):
            reply = stand.visitor.request(method, path, None, {"Depth": "1", **(headers or {})})
            assert (reply.status, reply.headers["www-authenticate"][:5]) == (401, "Basic")
            assert b"secret" not in reply.body
            assert b"a.txt" not in reply.body
    assert stand.visitor.get(f"{url}a.txt", basic("any", "rosebud-12")).text == "secret"
    assert stand.visitor.propfind(url, depth="1", headers=basic("any", "rosebud-12")).status == 207


def test_wrong_passwords_are_counted(make_server: MakeServer) -> None:
    stand = Stand(make_server(access=SPORT).start())
    url = stand.publish(READ + 'password = "rosebud-12"\n')
    statuses = [stand.visitor.get(f"{url}a", basic("x", f"guess{number}")).status for number in range(11)]
    assert statuses == [401] * 10 + [429]


def test_a_folders_url_moves_with_it_ends_in_the_trash_and_is_back_with_it(stand: Stand) -> None:
    stand.put("a.txt", "a")
    url = stand.publish() + "a.txt"
    moved, trash = f"{stand.folder}-moved", f"/files/Trash{stand.folder.removeprefix('/files')}-moved"
    assert stand.alice.move(stand.folder, moved).status == 201
    assert stand.visitor.get(url).text == "a"
    assert stand.alice.delete(moved).status == 204
    assert stand.alice.get(f"{trash}/a.txt").text == "a"
    for path in (url, f"{url.rpartition('/')[0]}/"):
        reply = stand.visitor.get(path)
        assert (reply.status, reply.body) == (404, stand.visitor.get("/p/AAAAAAAAAAAAAAAAAAAAAA/").body)
    assert stand.alice.move(trash, stand.folder).status == 201
    assert stand.visitor.get(url).text == "a"


def test_a_folder_in_a_members_home_is_published_without_the_members_name(stand: Stand) -> None:
    folder = f"/files/Home/{stand.name}"
    assert stand.alice.mkcol(folder).status == 201
    for name, body in (("a.txt", "a"), ("access.toml", READ)):
        assert stand.alice.put(f"{folder}/{name}", body).status == 201
    (url,) = urls_in(stand.alice.get(f"{folder}/links.txt").text)
    assert listed(stand.visitor, url) == ["a.txt"]
    answers = [
        stand.visitor.get(url),
        stand.visitor.propfind(url, depth="1"),
        stand.visitor.get(f"{url}{stand.name}.zip"),
    ]
    for answer in answers:
        for word in (b"alice", b"Members", b"Home"):
            assert word not in answer.body
            assert word.decode() not in str(answer.headers)


@pytest.mark.rfc("9110", "8.4.1.3")
def test_long_lists_are_sent_compressed(stand: Stand) -> None:
    for number in range(60):
        stand.put(f"a file with quite a long name {number}.txt", "a")
    url = stand.publish()
    for method, headers in (("GET", {}), ("PROPFIND", {"Depth": "1"})):
        plain = stand.visitor.request(method, url, None, headers)
        packed = stand.visitor.request(method, url, None, {**headers, "Accept-Encoding": "gzip"})
        assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
        assert len(packed.body) < len(plain.body) / 4
        assert gzip.decompress(packed.body) == plain.body


def test_no_token_stands_in_the_log(make_server: MakeServer) -> None:
    stand = Stand(make_server(access=SPORT).start())
    stand.put("a.txt", "a")
    url = stand.publish()
    for method in ("GET", "PROPFIND", "DELETE", "FOO"):
        for path in (url, f"{url}a.txt", f"{url}nothing", f"{url}{stand.name}.zip"):
            stand.visitor.request(method, path, None, {"Depth": "1"})
    stand.visitor.request("GET", target=f"/{url}a%00b")
    stand.visitor.request("GET", target=f"/files/..{url}a.txt")
    stand.visitor.request("GET", target=f"/drive{url}a.txt")
    stand.visitor.request("GET", target=f"{url}{'x' * 5000}")
    stand.visitor.raw(f"GET {url}a.txt HTTP/1.1\r\nHost: a b\r\n\r\n".encode(), half_close=True)
    stand.visitor.raw(f"GET {url}a b HTTP/1.1\r\n\r\n".encode(), half_close=True)
    stand.server.stop()
    assert "GET /p/***/a.txt 200" in stand.server.log
    assert url.split("/")[2] not in stand.server.log


NAMED = (
    '[[link]]\nright = "drop"\npublic = ["css/style.css", "access.toml", "links.txt", ".hidden", "css", "/logo.png"]\n'
)


def test_a_link_for_sending_shows_what_public_names_and_no_folder_rule_or_hidden_name(stand: Stand) -> None:
    stand.mkcol("css")
    for name in ("css/style.css", "css/other.css", ".hidden", "logo.png", "plan.txt"):
        stand.put(name, name)
    url = stand.publish(NAMED)
    for name in ("css/style.css", "logo.png"):
        assert stand.visitor.get(url + name).text == name
        assert stand.visitor.head(url + name).status == 200
    closed = (
        "css/other.css",
        "css/",
        "css",
        "access.toml",
        "links.txt",
        ".hidden",
        "plan.txt",
        f"{stand.name}.zip",
        "",
    )
    for name in closed:
        reply = stand.visitor.get(url + name)
        assert (reply.status, reply.body) == (403, stand.visitor.get(f"{url}nothing").body)
    assert stand.visitor.propfind(url, depth="0").status == 405


def test_links_txt_of_a_folder_is_for_its_administrators_and_nobody_writes_it(stand: Stand) -> None:
    path = f"{stand.folder}/links.txt"
    assert stand.alice.get(path).status == 404
    stand.publish()
    bob = stand.server.client("bob")
    assert bob.get(path).status == 404
    assert path not in bob.propfind(stand.folder, DAV.getetag, depth="1").multistatus()
    before = stand.alice.get(path)
    row = stand.alice.propfind(stand.folder, DAV.getetag, DAV.getcontentlength, depth="1").multistatus()[path]
    assert row.text(DAV.getetag) == before.etag
    assert row.text(DAV.getcontentlength) == str(len(before.body))
    replies = [
        stand.alice.put(path, "https://evil.example"),
        stand.alice.delete(path),
        stand.alice.request("MOVE", path, None, {"Destination": f"{stand.folder}/other.txt"}),
        stand.alice.proppatch(path, {DAV.displayname: "mine"}),
        stand.alice.request("LOCK", path),
    ]
    assert [reply.status for reply in replies[:4]] == [405, 405, 405, 405]
    assert replies[4].status in (400, 405)
    assert stand.alice.get(path).body == before.body
    assert not (stand.server.data / stand.disk / "links.txt").exists()
    assert stand.alice.delete(stand.folder).status == 204


def test_a_file_of_that_name_is_hidden_only_where_there_are_links(stand: Stand) -> None:
    path, bob = f"{stand.folder}/links.txt", stand.server.client("bob")
    assert stand.alice.put(path, "a list of links of our own").status == 201
    assert stand.alice.get(path).text == "a list of links of our own"
    assert bob.get(path).status == 404  # as any file of a folder's rules it is for those who give rights
    stand.publish()
    assert "URL:" in stand.alice.get(path).text
    assert stand.alice.put(path, "x").status == 405
    listing = list(stand.alice.propfind(stand.folder, DAV.getetag, depth="1").multistatus())
    assert listing.count(path) == 1
    assert stand.alice.delete(f"{stand.folder}/access.toml").status == 204
    assert stand.alice.get(path).text == "a list of links of our own"
    assert stand.alice.delete(path).status == 204
