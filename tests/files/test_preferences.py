"""What clients of files prefer to get back: little (RFC 8144), as from calendars and address books."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.files.test_search import TYPES, body, compare
from tests.harness import Dav, Server
from tests.pim.samples import sync
from tests.pim.test_preferences import MINIMAL, NOTE, applied, varies

SELECT = '<D:prop><D:getcontentlength/><x:note xmlns:x="urn:example:x"/></D:prop>'
NAMED = compare("like", "<D:displayname/>", "%.txt")


@pytest.fixture
def folder(alice: Dav, home: str) -> str:
    """A folder with one file that has nothing but its bytes, and one with a property and a lock."""
    for name in ("a.txt", "b.txt"):
        assert alice.put(f"{home}/{name}", "x").status == 201
    assert alice.proppatch(f"{home}/b.txt", {"{urn:example:x}other": "1"}).status == 207
    return f"{home}/"


@pytest.mark.rfc("8144", "2.1")
@pytest.mark.parametrize("headers", MINIMAL)
@pytest.mark.parametrize("is_locked", [False, True])
def test_missing_properties_are_left_out_of_a_minimal_propfind(
    alice: Dav, folder: str, headers: dict[str, str], is_locked: bool
) -> None:
    if is_locked:
        assert alice.lock(f"{folder}b.txt").status == 200
    reply = alice.propfind(folder, DAV.resourcetype, NOTE, depth="1", headers=headers)
    assert [row.statuses for row in reply.multistatus().values()] == [{DAV.resourcetype: 200}] * 3
    assert applied(reply) == ["return=minimal"]
    assert {"Brief", "Prefer"} <= varies(reply)
    whole = alice.propfind(folder, DAV.resourcetype, NOTE, depth="1")
    assert [row.statuses for row in whole.multistatus().values()] == [{DAV.resourcetype: 200, NOTE: 404}] * 3
    assert applied(whole) == []
    assert {"Brief", "Prefer"} <= varies(whole)


@pytest.mark.rfc("8144", "2.1")
def test_a_row_of_which_nothing_is_left_has_one_empty_propstat(alice: Dav, folder: str) -> None:
    reply = alice.propfind(folder, NOTE, depth="1", headers=MINIMAL[0])
    responses = reply.xml.findall(DAV.response)
    assert len(responses) == 3
    for response in responses:
        [propstat] = response.findall(DAV.propstat)
        prop = propstat.find(DAV.prop)
        assert prop is not None
        assert (propstat.findtext(DAV.status), len(prop)) == ("HTTP/1.1 200 OK", 0)


@pytest.mark.rfc("8144", "2.1")
def test_missing_properties_are_left_out_of_minimal_searches_and_reports(alice: Dav, folder: str) -> None:
    found = alice.request("SEARCH", folder, body(NAMED, scope=folder, select=SELECT), TYPES | MINIMAL[0])
    synced = alice.report(folder, sync(props="<D:getcontentlength/><x:note xmlns:x='urn:example:x'/>"), "0", MINIMAL[0])
    for reply in (found, synced):
        assert {href: row.statuses for href, row in reply.multistatus().items()} == {
            f"{folder}{name}": {DAV.getcontentlength: 200} for name in ("a.txt", "b.txt")
        }
        assert applied(reply) == ["return=minimal"]


@pytest.mark.rfc("8144", "2.2")
@pytest.mark.parametrize("headers", MINIMAL)
def test_a_minimal_proppatch_is_answered_without_a_body_unless_it_failed(
    alice: Dav, cloud: Server, folder: str, headers: dict[str, str]
) -> None:
    done = alice.proppatch(f"{folder}a.txt", {NOTE: "new"}, headers=headers)
    assert (done.status, done.body, applied(done)) == (200, b"", ["return=minimal"])
    assert alice.propfind(f"{folder}a.txt", NOTE).multistatus()[f"{folder}a.txt"].text(NOTE) == "new"
    before = cloud.tree()
    failed = alice.proppatch(f"{folder}a.txt", {NOTE: "newer", DAV.getetag: "x"}, headers=headers)
    assert failed.multistatus()[f"{folder}a.txt"].statuses == {NOTE: 424, DAV.getetag: 403}
    assert applied(failed) == []
    assert cloud.tree() == before


@pytest.mark.rfc("8144", "4")
@pytest.mark.parametrize("headers", [{"Prefer": "depth-noroot"}, {"Depth": "1,noroot"}, {"Depth": "1, noroot"}])
def test_a_listing_leaves_its_own_resource_out_where_that_is_preferred(
    alice: Dav, folder: str, headers: dict[str, str]
) -> None:
    reply = alice.propfind(folder, DAV.getetag, depth="1", headers=headers)
    assert list(reply.multistatus()) == [f"{folder}a.txt", f"{folder}b.txt"]
    assert applied(reply) == (["depth-noroot"] if "Prefer" in headers else [])


@pytest.mark.rfc("8144", "4")
def test_both_preferences_are_followed_together_in_a_whole_tree(alice: Dav, folder: str) -> None:
    headers = {"Prefer": "depth-noroot, return=minimal"}
    reply = alice.propfind(folder, DAV.getcontentlength, NOTE, depth="infinity", headers=headers)
    rows = {href: row.statuses for href, row in reply.multistatus().items()}
    assert rows == {f"{folder}{name}": {DAV.getcontentlength: 200} for name in ("a.txt", "b.txt")}
    assert set(applied(reply)) == {"return=minimal", "depth-noroot"}


@pytest.mark.rfc("8144", "4")
def test_a_resource_that_is_asked_for_alone_is_not_left_out(alice: Dav, folder: str) -> None:
    reply = alice.propfind(folder, DAV.resourcetype, depth="0", headers={"Prefer": "depth-noroot"})
    assert list(reply.multistatus()) == [folder]
    assert applied(reply) == []
