"""A published calendar or book as a program that subscribes to it sees it."""

from __future__ import annotations

import re
import time
from urllib.parse import unquote

import pytest

from davserver.dav.names import APPLE, CALDAV, DAV
from tests.harness import hash_of, password_of
from tests.links.conftest import READ, Desk, basic
from tests.pim.samples import card, event, task


@pytest.mark.rfc("5545", "8.1")
def test_a_published_calendar_is_one_file_for_whoever_has_the_link(desk: Desk) -> None:
    desk.put("a.ics", event("a", "Match"))
    desk.put("b.ics", task("b", "Paint"))
    url = desk.publish()
    token = url.split("/")[2]
    assert re.fullmatch("[A-Za-z0-9_-]{22}", token)
    for path in (url, url.rstrip("/"), url + "anything.ics"):
        reply = desk.visitor.get(path)
        assert (reply.status, reply.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert reply.text.count("BEGIN:VCALENDAR") == 1
        assert "SUMMARY:Match" in reply.text
        assert "SUMMARY:Paint" in reply.text
        assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.rfc("6350", "10.1")
def test_a_published_book_is_one_file_of_cards(book: Desk) -> None:
    book.put("a.vcf", card("a", "Ada Lovelace"))
    book.put("b.vcf", card("b", "Grace Hopper"))
    url = book.publish()
    reply = book.visitor.get(url)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/vcard; charset=utf-8")
    assert reply.text.count("BEGIN:VCARD") == 2
    assert book.visitor.get(url + "x.vcf").status == 200
    assert book.visitor.get(url + "x.ics").status == 404
    assert "webcal" not in book.alice.get(book.links).text


def test_an_empty_calendar_is_a_calendar(desk: Desk) -> None:
    reply = desk.visitor.get(desk.publish())
    assert reply.text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert reply.text.endswith("END:VCALENDAR\r\n")


def test_name_description_and_colour_of_the_calendar_go_along(desk: Desk) -> None:
    name = "Äußerst; long, " + "ü" * 60
    props = {DAV.displayname: name, APPLE.calendar_color: "#FF2968FF", CALDAV.calendar_description: "One\nTwo"}
    assert desk.alice.proppatch(desk.path, props).status == 207
    reply = desk.visitor.get(desk.publish())
    lines = re.sub("\r\n[ \t]", "", reply.text).split("\r\n")
    escaped = name.replace(";", "\\;").replace(",", "\\,")
    for line in (
        f"NAME:{escaped}",
        f"X-WR-CALNAME:{escaped}",
        "X-APPLE-CALENDAR-COLOR:#FF2968",
        "DESCRIPTION:One\\nTwo",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ):
        assert line in lines
    kept_as = reply.headers["content-disposition"]
    assert unquote(kept_as.partition("filename*=UTF-8''")[2]) == f"{name}.ics"
    assert kept_as.startswith('attachment; filename="_u_erst__long__')
    assert max(len(line) for line in reply.body.split(b"\r\n")) <= 75


@pytest.mark.rfc("9110", "13.1.2")
def test_the_etag_changes_exactly_when_content_or_name_do(desk: Desk) -> None:
    desk.put("a.ics", event("a", "Match"))
    url = desk.publish()
    tags = [desk.visitor.get(url).etag]
    assert tags[0].startswith('"')

    def poll() -> int:
        return desk.visitor.get(url, {"If-None-Match": tags[-1]}).status

    assert poll() == 304
    assert desk.alice.put(desk.rules, READ + 'until = 2199-01-01T00:00:00Z\n[[rule]]\nwho = ["bob"]\nmay = ["read"]\n')
    assert poll() == 304
    assert desk.alice.get(desk.path + "a.ics").status == 200
    assert poll() == 304
    changes = (
        lambda: desk.put("a.ics", event("a", "Other")),
        lambda: desk.put("b.ics", event("b")),
        lambda: desk.alice.delete(desk.path + "a.ics"),
        lambda: desk.alice.proppatch(desk.path, {DAV.displayname: "Season"}),
        lambda: desk.alice.proppatch(desk.path, {APPLE.calendar_color: "#112233"}),
    )
    for change in changes:
        change()
        reply = desk.visitor.get(url, {"If-None-Match": tags[-1]})
        assert reply.status == 200
        assert reply.etag not in tags
        tags.append(reply.etag)
        assert poll() == 304


@pytest.mark.rfc("9110", "15.4.5")
def test_a_304_has_the_tag_and_no_body(desk: Desk) -> None:
    url = desk.publish()
    tag = desk.visitor.get(url).etag
    reply = desk.visitor.get(url, {"If-None-Match": f'"other", {tag}'})
    assert (reply.status, reply.body, reply.etag) == (304, b"", tag)
    assert desk.visitor.get(url, {"If-None-Match": '"other"'}).status == 200
    assert desk.visitor.get(url, {"If-Match": '"other"'}).status == 412


@pytest.mark.rfc("9110", "8.8.2")
def test_a_change_is_dated_once_a_second_can_tell_it_from_the_next(club: Desk) -> None:
    club.put("a.ics", event())
    url = club.publish()
    reply = club.visitor.get(url)
    assert "last-modified" not in reply.headers
    until = time.monotonic() + 30
    while "last-modified" not in reply.headers and time.monotonic() < until:
        time.sleep(0.05)  # the change becomes two seconds old
        reply = club.visitor.get(url)
    dated = {"If-Modified-Since": reply.headers["last-modified"]}
    assert club.visitor.get(url, dated).status == 304
    club.put("a.ics", event(summary="Other"))
    assert club.visitor.get(url, dated).status == 200


@pytest.mark.rfc("9110", "9.3.2")
def test_head_says_what_get_would(desk: Desk) -> None:
    url = desk.publish()
    got, head = desk.visitor.get(url), desk.visitor.head(url)
    assert (head.status, head.body) == (200, b"")
    assert head.etag == got.etag
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.rfc("9110", "15.5.6")
@pytest.mark.parametrize(
    "method", ["PUT", "POST", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MOVE", "LOCK", "MKCOL"]
)
def test_a_published_calendar_is_for_reading_alone(desk: Desk, method: str) -> None:
    desk.put("a.ics", event())
    url = desk.publish()
    before = desk.alice.get(desk.path).body
    reply = desk.visitor.request(method, url, event("b") if method in ("PUT", "POST") else None)
    assert (reply.status, reply.headers["allow"]) == (405, "OPTIONS, GET, HEAD")
    assert desk.alice.get(desk.path).body == before
    options = desk.visitor.options(url)
    assert (options.status, options.headers["allow"]) == (200, "OPTIONS, GET, HEAD")


def test_pages_of_other_sites_may_read_it_unless_it_has_a_password(desk: Desk) -> None:
    url = desk.publish()
    reply = desk.visitor.get(url, {"Origin": "https://club.example"})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in reply.headers
    desk.publish(READ + 'password = "rosebud-12"\n')
    reply = desk.visitor.get(url, basic("", "rosebud-12"))
    assert reply.status == 200
    assert "access-control-allow-origin" not in reply.headers
    assert "access-control-allow-origin" not in desk.alice.get(desk.path).headers


@pytest.mark.rfc("7617", "2")
@pytest.mark.parametrize("stored", ["rosebud-é", hash_of("rosebud-é")], ids=["text", "hash"])
def test_a_password_is_asked_for_with_any_name(desk: Desk, stored: str) -> None:
    url = desk.publish(READ + f'password = "{stored}"\n')
    refused = desk.visitor.get(url)
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert b"VCALENDAR" not in refused.body
    for headers in (basic("alice", password_of("alice")), basic("x", "rosebud"), {"Authorization": "Bearer x"}):
        assert desk.visitor.get(url, headers).status == 401
    if stored != "rosebud-é":
        assert desk.visitor.get(url, basic("x", stored)).status == 401
    for name in ("", "anybody", "alice"):
        reply = desk.visitor.get(url, basic(name, "rosebud-é"))
        assert (reply.status, reply.headers["cache-control"]) == (200, "private, no-cache")


def test_wrong_passwords_are_counted(club: Desk) -> None:
    url = club.publish(READ + 'password = "rosebud-12"\n')
    statuses = [club.visitor.get(url, basic("x", f"guess{number}")).status for number in range(11)]
    assert statuses == [401] * 10 + [429]


def test_a_members_credentials_change_nothing(desk: Desk) -> None:
    desk.put("a.ics", event())
    url = desk.publish()
    for headers in (basic("alice", password_of("alice")), basic("alice", "wrong"), {"Authorization": "nonsense"}):
        assert desk.visitor.get(url, headers).status == 200
    assert desk.alice.put(url + "b.ics", event("b")).status == 405


def test_a_link_leads_to_its_calendar_and_nowhere_else(desk: Desk) -> None:
    desk.put("a.ics", event())
    url = desk.publish()
    for path in (url + "a.ics/", url + "x/a.ics", url + "access.toml", url + ".access.toml", url + "a.txt"):
        assert desk.visitor.get(path).status == 404
    assert desk.visitor.request("GET", target=f"{url}../").status in (400, 404)


def test_the_world_still_needs_the_link(desk: Desk) -> None:
    desk.put("a.ics", event())
    desk.publish()
    assert desk.visitor.get(desk.path).status == 401
    assert desk.visitor.get(desk.path + "a.ics").status == 401


def test_a_link_reads_where_the_rules_close_the_calendar_to_all(desk: Desk) -> None:
    url = desk.publish("[[rule]]\nwho = []\n" + READ)
    assert desk.visitor.get(url).status == 200
