"""PROPFIND and PROPPATCH."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.harness import Dav, Server

WIN = "{urn:schemas-microsoft-com:}"


@pytest.mark.rfc("4918", "9.1")
@pytest.mark.parametrize("body", ["", '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>'])
def test_allprop_answers_what_explorer_and_rclone_read(alice: Dav, home: str, body: str) -> None:
    etag = alice.put(f"{home}/a.txt", "abc").etag
    rows = alice.propfind(home, depth="1", body=body).multistatus()
    file = rows[f"{home}/a.txt"]
    assert file.text(DAV.getcontentlength) == "3"
    assert file.text(DAV.getetag) == etag
    assert file.text(DAV.displayname) == "a.txt"
    assert (file.text(DAV.getlastmodified) or "").endswith(" GMT")
    assert (file.text(DAV.creationdate) or "").endswith("Z")
    assert len(rows[f"{home}/"].props[DAV.resourcetype]) == 1
    assert len(file.props[DAV.resourcetype]) == 0
    assert DAV.quota_used_bytes not in file.statuses


@pytest.mark.rfc("4918", "9.1.3")
def test_unknown_properties_are_404_beside_the_known_ones(alice: Dav, home: str) -> None:
    alice.put(f"{home}/a.txt", "abc")
    names = (
        DAV.getetag,
        "{http://apache.org/dav/props/}executable",
        "{http://ucb.openoffice.org/dav/props/}IsReadOnly",
    )
    row = alice.propfind(f"{home}/a.txt", *names).multistatus()[f"{home}/a.txt"]
    assert [row.statuses[name] for name in names] == [200, 404, 404]


@pytest.mark.parametrize(
    "names", [(), (DAV.getetag, "{urn:x}unknown"), (DAV.displayname, DAV.quota_used_bytes), ("{urn:x}u",)]
)
def test_a_row_by_template_is_the_row_by_table(alice: Dav, home: str, names: tuple[str, ...]) -> None:
    alice.put(f"{home}/<&> ü.txt", "abc")
    by_template = alice.propfind(home, *names, depth="1").multistatus()[f"{home}/<&> ü.txt"]
    alice.lock(f"{home}/<&> ü.txt")  # with a lock in sight every row takes the longer way
    by_table = alice.propfind(home, *names, depth="1").multistatus()[f"{home}/<&> ü.txt"]
    assert list(by_template.statuses.items()) == list(by_table.statuses.items())
    for name in by_template.props.keys() - {DAV.lockdiscovery}:
        assert by_template.text(name) == by_table.text(name)


@pytest.mark.rfc("4918", "9.1.4")
def test_propname_lists_names_without_values(alice: Dav, home: str) -> None:
    alice.proppatch(home, {"{urn:x}p": "value"})
    body = '<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>'
    row = alice.propfind(home, body=body).multistatus()[f"{home}/"]
    assert row.text("{urn:x}p") == ""
    assert DAV.resourcetype in row.props


@pytest.mark.rfc("4918", "17")
def test_stray_text_and_unknown_elements_in_a_propfind_are_passed_over(alice: Dav, home: str) -> None:
    body = "<d:propfind xmlns:d='DAV:'><x/><d:prop><d:resourcetype/></d:prop>M</d:propfind>"
    assert alice.propfind(home, body=body).multistatus()[f"{home}/"].statuses == {DAV.resourcetype: 200}


@pytest.mark.parametrize(
    "body",
    [
        "<D:propfind xmlns:D='DAV:'/>",
        "<D:propfind xmlns:D='DAV:'><D:allprop/><D:propname/></D:propfind>",
        "<D:other xmlns:D='DAV:'/>",
        "<D:propfind",
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><D:propfind xmlns:D="DAV:">&a;</D:propfind>',
    ],
)
def test_a_propfind_that_cannot_be_understood_is_a_bad_request(alice: Dav, home: str, body: str) -> None:
    assert alice.propfind(home, body=body).status == 400
    assert alice.propfind(home, depth="2").status == 400


@pytest.mark.rfc("4918", "9.1.1")
def test_depth_infinity_is_answered_up_to_the_limit_and_refused_above(make_server) -> None:  # type: ignore[no-untyped-def]
    server: Server = make_server(settings="[limits]\ndepth_infinity_resources = 4\n").start()
    alice = server.client("alice")
    alice.mkcol("/files/Home/a")
    for name in ("1", "2"):
        alice.put(f"/files/Home/a/{name}", "x")
    assert len(alice.propfind("/files/Home", DAV.getetag, depth=None).multistatus()) == 4
    alice.put("/files/Home/a/3", "x")
    reply = alice.propfind("/files/Home", DAV.getetag, depth="infinity")
    assert (reply.status, reply.condition) == (403, DAV.propfind_finite_depth)
    assert alice.propfind("/files/Home/a", DAV.getetag, depth="1").status == 207


@pytest.mark.rfc("4918", "9.2")
def test_what_explorer_sets_is_kept_with_its_namespace(alice: Dav, home: str) -> None:
    alice.put(f"{home}/a.txt", "abc")
    values = {f"{WIN}Win32FileAttributes": "00000020", f"{WIN}Win32CreationTime": "Mon, 01 Jan 2024 00:00:00 GMT"}
    row = alice.proppatch(f"{home}/a.txt", values).multistatus()[f"{home}/a.txt"]
    assert row.statuses == dict.fromkeys(values, 200)
    again = alice.propfind(f"{home}/a.txt", *values).multistatus()[f"{home}/a.txt"]
    assert {name: again.text(name) for name in values} == values
    alice.proppatch(f"{home}/a.txt", remove=values)
    gone = alice.propfind(f"{home}/a.txt", *values).multistatus()[f"{home}/a.txt"]
    assert gone.statuses == dict.fromkeys(values, 404)


def test_the_time_that_explorer_sets_is_the_time_of_the_file_and_its_etag_stays(alice: Dav, home: str) -> None:
    etag = alice.put(f"{home}/a.txt", "abc").etag
    alice.proppatch(f"{home}/a.txt", {f"{WIN}Win32LastModifiedTime": "Sat, 06 Jul 2019 10:00:00 GMT"})
    got = alice.get(f"{home}/a.txt")
    assert (got.headers["last-modified"], got.etag, got.text) == ("Sat, 06 Jul 2019 10:00:00 GMT", etag, "abc")
    assert alice.proppatch(f"{home}/a.txt", {f"{WIN}Win32LastModifiedTime": "soon"}).status == 207


@pytest.mark.rfc("4918", "9.2.1")
def test_with_one_property_that_is_protected_none_is_set(alice: Dav, home: str, cloud: Server) -> None:
    alice.put(f"{home}/a.txt", "abc")
    before = cloud.tree()
    row = alice.proppatch(f"{home}/a.txt", {"{urn:x}p": "1", DAV.getetag: "x"}).multistatus()[f"{home}/a.txt"]
    assert row.statuses == {"{urn:x}p": 424, DAV.getetag: 403}
    assert cloud.tree() == before


def test_a_property_that_is_too_large_and_one_too_many_are_refused(make_server) -> None:  # type: ignore[no-untyped-def]
    server: Server = make_server(settings="[limits]\ndead_property_bytes = 1024\ndead_properties = 10\n").start()
    alice = server.client("alice")
    alice.put("/files/Home/a.txt", "x")
    before = server.tree()
    row = alice.proppatch("/files/Home/a.txt", {"{urn:x}p": "x" * 1100}).multistatus()["/files/Home/a.txt"]
    assert row.statuses == {"{urn:x}p": 507}
    assert alice.proppatch("/files/Home/a.txt", {f"{{urn:x}}p{number}": "" for number in range(11)}).status == 403
    assert server.tree() == before


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<D:propertyupdate xmlns:D='DAV:'/>",
        "<D:other xmlns:D='DAV:'/>",
        "<D:propertyupdate xmlns:D='DAV:'><D:set>",
        "<D:propertyupdate xmlns:D='DAV:'>" + "<a>" * 70 + "</a>" * 70 + "</D:propertyupdate>",
    ],
)
def test_a_proppatch_that_cannot_be_understood_changes_nothing(alice: Dav, home: str, cloud: Server, body: str) -> None:
    before = cloud.tree()
    assert alice.request("PROPPATCH", home, body).status in (400, 413)
    assert cloud.tree() == before


@pytest.mark.rfc("4331", "3")
def test_quota_properties_say_what_is_used_and_left(make_server) -> None:  # type: ignore[no-untyped-def]
    server: Server = make_server(settings='[storage]\ndata = "data"\nquota_bytes = 1000\n').start()
    alice = server.client("alice")
    alice.put("/files/Home/a.bin", "x" * 400)
    row = alice.propfind("/files/Home", DAV.quota_used_bytes, DAV.quota_available_bytes).multistatus()["/files/Home/"]
    assert (row.text(DAV.quota_used_bytes), row.text(DAV.quota_available_bytes)) == ("400", "600")


@pytest.mark.rfc("4331", "6")
def test_a_write_above_the_quota_is_refused_before_and_while_it_arrives(make_server) -> None:  # type: ignore[no-untyped-def]
    server: Server = make_server(settings='[storage]\ndata = "data"\nquota_bytes = 1000\n').start()
    alice = server.client("alice")
    alice.put("/files/Home/a.bin", "x" * 600)
    before = server.tree()
    for reply in (
        alice.put("/files/Home/b.bin", "x" * 600),
        alice.put("/files/Home/b.bin", iter([b"x" * 600])),
        alice.copy("/files/Home/a.bin", "/files/Home/b.bin"),
    ):
        assert (reply.status, reply.condition) == (507, DAV.quota_not_exceeded)
    assert server.tree() == before
    assert alice.put("/files/Home/a.bin", "x" * 1000).status == 204


@pytest.mark.rfc("3744", "5.4")
def test_privileges_say_what_one_may_do(alice: Dav, carol: Dav, sport: str) -> None:
    def held(client: Dav, path: str) -> set[str]:
        row = client.propfind(path, DAV.current_user_privilege_set).multistatus()[f"{path}/"]
        return {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}

    assert {DAV.read, DAV.bind, DAV.write_content, DAV.unbind, DAV.write} <= held(alice, sport)
    assert DAV.bind not in held(carol, sport)
    assert {DAV.bind, DAV.write_content, DAV.unbind} <= held(alice, "/files/Dropbox")
    assert DAV.read not in held(alice, "/files/Dropbox")
    assert DAV.write_acl in held(alice, "/files/Home")


@pytest.mark.rfc("5397", "3")
def test_the_current_principal_is_named(alice: Dav) -> None:
    row = alice.propfind("/files/", DAV.current_user_principal).multistatus()["/files/"]
    assert row.props[DAV.current_user_principal][0].text == "/dav/alice/"
