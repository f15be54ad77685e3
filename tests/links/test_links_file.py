"""``links.txt`` and who may see it, and that a link gives no more than its author holds."""

from __future__ import annotations

import re

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import ROOT, Dav, Server
from tests.links.conftest import READ, Desk, urls_in
from tests.pim.conftest import ACCESS
from tests.pim.samples import event

SHARED = '[[rule]]\nwho = ["bob"]\nmay = ["read", "create", "write", "delete"]\n'
LED = """
[[rule]]
path = "/dav/sport"
who = ["dora"]
may = ["admin"]
"""


def test_it_tells_right_url_end_and_downloads_of_each_link(desk: Desk) -> None:
    rules = (
        '[[link]]\nname = "press"\nright = "read"\nuntil = 2199-01-01T00:00:00Z\ndownloads = 5\n'
        '[[link]]\nname = "team"\nright = "read"\npassword = "rosebud-12"\n'
    )
    press = desk.publish(rules)
    text = desk.alice.get(desk.links).text
    first, second = text.index("press\n"), text.index("team\n")
    assert first < second
    name = desk.path.strip("/").rpartition("/")[2]
    for line in (
        "right:     read",
        f"URL:       {desk.server.url}{press}{name}.ics",
        f"subscribe: webcal://127.0.0.1:{desk.server.port}{press}{name}.ics",
        "until:     2199-01-01 00:00+00:00",
        "downloads: 5 of 5 left",
    ):
        assert f"  {line}\n" in text[first:second]
    assert "  password:  asked for\n" in text[second:]
    assert "rosebud-12" not in text
    assert desk.visitor.get(f"{press}{name}.ics").status == 200


def test_the_url_is_the_configured_one_where_there_is_one(make_server: MakeServer) -> None:
    server = make_server(settings='[server]\npublic_url = "https://cloud.example.org/"\n').start()
    alice = server.client("alice")
    alice.options("/dav/")
    alice.put("/files/Collections/alice/calendar/access.toml", READ)
    text = alice.get("/files/Collections/alice/calendar/links.txt").text
    assert "https://cloud.example.org/p/" in text
    assert "webcal://cloud.example.org/p/" in text


@pytest.mark.rfc("4918", "15.4")
def test_its_length_and_etag_are_those_of_what_is_read(desk: Desk) -> None:
    desk.publish()
    reply = desk.alice.get(desk.links)
    rows = desk.alice.propfind(desk.folder, DAV.getetag, DAV.getcontentlength, depth="1").multistatus()
    row = rows[desk.links]
    assert row.text(DAV.getetag) == reply.etag
    assert row.text(DAV.getcontentlength) == str(len(reply.body)) == reply.headers["content-length"]
    assert desk.alice.get(desk.links, {"If-None-Match": reply.etag}).status == 304
    assert desk.alice.head(desk.links).headers["content-length"] == str(len(reply.body))
    assert desk.alice.get(desk.links, {"Range": "bytes=0-5"}).body == reply.body[:6]
    desk.publish(READ + "downloads = 7\n")
    assert desk.alice.get(desk.links).etag != reply.etag


@pytest.mark.rfc("9110", "15.5.6")
def test_nobody_writes_it(desk: Desk) -> None:
    url = desk.publish()
    elsewhere = "/files/Home/links-copy.txt"
    assert desk.alice.put("/files/Home/other.txt", "https://evil.example").status in (201, 204)
    before, ruled = desk.alice.get(desk.links).body, desk.alice.get(desk.rules).body
    replies = {
        "PUT": desk.alice.put(desk.links, "https://evil.example"),
        "DELETE": desk.alice.delete(desk.links),
        "MOVE": desk.alice.move(desk.links, elsewhere),
        "COPY": desk.alice.copy(desk.links, elsewhere),
        "LOCK": desk.alice.lock(desk.links),
        "over it": desk.alice.copy("/files/Home/other.txt", desk.links),
    }
    for way, reply in replies.items():
        assert (reply.status, "PUT" in reply.headers["allow"]) == (405, False), way
    assert desk.alice.get(elsewhere).status == 404
    assert (desk.alice.get(desk.links).body, desk.alice.get(desk.rules).body) == (before, ruled)
    assert "PUT" not in desk.alice.options(desk.links).headers["allow"]
    privileges = desk.alice.propfind(desk.links, DAV.current_user_privilege_set).multistatus()[desk.links]
    names = {each[0].tag for each in privileges.props[DAV.current_user_privilege_set]}
    assert names & {DAV.write, DAV.write_content} == set()
    assert desk.visitor.get(url).status == 200


def test_a_file_of_its_name_may_be_put_there_before_there_is_a_link_by_nobody(desk: Desk) -> None:
    assert desk.alice.put(desk.links, "https://evil.example").status == 405
    assert desk.alice.get(desk.links).status == 404


def test_only_who_has_admin_there_sees_it(desk: Desk) -> None:
    desk.put("a.ics", event())
    desk.publish(SHARED + READ)
    bob = desk.server.client("bob")
    assert bob.get(desk.path + "a.ics").status == 200
    for path in (desk.links, desk.rules, desk.folder):
        assert bob.get(path).status == 404
        assert bob.propfind(path).status == 404
        assert bob.head(path).status == 404
    assert desk.visitor.get(desk.links).status == 401


@pytest.fixture
def led(make_server: MakeServer) -> Server:
    """The sports section's calendar ``season``, which dora leads and alice and bob write."""
    server = make_server(access=ACCESS + LED).start()
    assert server.client("dora").mkcalendar("/dav/sport/season/").status == 201
    return server


RULES = "/files/Collections/sport/season/access.toml"


def test_without_admin_no_link_is_made(led: Server) -> None:
    before = led.tree()
    bob = led.client("bob")
    assert bob.put(RULES, SHARED + READ).status == 403
    assert bob.lock(RULES).status == 403
    assert bob.put("/files/Home/mine.toml", READ).status == 201
    for transfer in (bob.copy, bob.move):
        assert transfer("/files/Home/mine.toml", RULES).status == 404
    assert bob.delete("/files/Home/mine.toml").status == 204
    after = {path: data for path, data in led.tree().items() if path.startswith("collections/")}
    assert {path for path in after if "sport" in path} == {path for path in before if "sport" in path}


def test_who_leads_publishes_and_a_link_gives_no_more_than_its_author_holds(led: Server) -> None:
    dora, visitor = led.client("dora"), led.client()
    dora.put("/dav/sport/season/a.ics", event(summary="Match"))
    given = '[[rule]]\nwho = ["bob"]\nmay = ["admin", "read"]\n'
    assert dora.put(RULES, given + READ).status == 201
    (first,) = urls(dora)
    assert "Match" in visitor.get(first).text
    bob = led.client("bob")  # reads as one of the section, without this file
    assert bob.put(RULES, given + READ + '[[link]]\nname = "bob"\nright = "read"\n').status == 204
    assert urls(bob)[0] == first
    assert "Match" in visitor.get(urls(bob)[1]).text


def test_who_could_not_read_without_the_file_publishes_nothing(make_server: MakeServer) -> None:
    server = make_server(access=ACCESS).start()
    alice, dora = server.client("alice"), server.client("dora")
    assert alice.mkcalendar("/dav/alice/own/").status == 201
    rules = "/files/Collections/alice/own/access.toml"
    given = '[[rule]]\nwho = ["dora"]\nmay = ["admin"]\n'
    assert alice.put(rules, given).status == 201
    before = server.tree()
    reply = dora.put(rules, given + READ)
    assert (reply.status, "this gives read" in reply.text) == (422, True)
    assert server.tree() == before
    assert dora.get(rules.replace("access.toml", "links.txt")).status == 404


def urls(client: Dav) -> list[str]:
    return urls_in(client.get(RULES.replace("access.toml", "links.txt")).text)


def test_the_example_of_the_documentation_can_be_stored(desk: Desk) -> None:
    page = (ROOT / "docs/administration.md").read_text(encoding="utf-8")
    section = page[page.index("## Publishing a calendar") :]
    example = section[section.index("```toml\n") + 8 :].partition("```")[0]
    (token,) = re.findall('token = "(.*?)"', example)
    url = desk.publish(example)
    assert url == f"/p/{token}/"
    assert desk.visitor.get(url).status == 401
