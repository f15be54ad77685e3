"""Files whose name the server gives (RFC 5995), and folders that have properties from the beginning (RFC 5689)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote

import pytest

from davserver.dav.names import DAV
from tests.harness import Dav, Reply, Server

XML = {"Content-Type": "application/xml"}


def add(client: Dav, folder: str, body: str, slug: str | None = None, **headers: str) -> Reply:
    named = {} if slug is None else {"Slug": quote(slug)}
    return client.request(
        "POST", f"{folder}/", body, named | {name.replace("_", "-"): v for name, v in headers.items()}
    )


@pytest.mark.rfc("5995", "3.2.1")
def test_a_folder_names_itself_as_the_place_to_add_to(alice: Dav, home: str) -> None:
    row = alice.propfind(home, DAV.add_member, depth="0").multistatus()[f"{home}/"]
    element = row.props[DAV.add_member].find(DAV.href)
    assert element is not None
    assert element.text == f"{home}/"
    assert "POST" in alice.options(home).headers["allow"].split(", ")
    assert "POST" not in alice.options("/files/").headers["allow"].split(", ")


@pytest.mark.rfc("5995", "3.1")
@pytest.mark.parametrize(
    ("slug", "media_type", "name"),
    [
        ("plan.txt", "text/plain", "plan.txt"),
        ("Größe ä.txt", "text/plain", "Größe ä.txt"),
        ("plan", "application/pdf", "plan.pdf"),
        ("../../up/x.txt", "text/plain", "x.txt"),
        ("a:b*c?.txt", "text/plain", "a-b-c-.txt"),
        (".hidden", "text/plain", "hidden.txt"),
        ("con", "", "con_"),
        ("aux.txt", "text/plain", "aux_.txt"),
        ("tab\tname\n", "", "tab-name-"),
        (" . ", "application/pdf", "Untitled.pdf"),
        (None, "application/pdf", "Untitled.pdf"),
        ("x" * 300 + ".txt", "", "x" * 196 + ".txt"),
        ("%zz%00", "", "%zz%00"),
        (None, "", "Untitled"),
    ],
)
def test_the_name_is_the_wished_one_made_safe(
    alice: Dav, home: str, slug: str | None, media_type: str, name: str
) -> None:
    headers = {"Content_Type": media_type} if media_type else {}
    reply = add(alice, home, "words", slug, **headers)
    assert (reply.status, reply.headers["location"]) == (201, quote(f"{home}/{name}"))
    assert alice.get(f"{home}/{name}").text == "words"
    assert alice.head(f"{home}/{name}").etag == reply.etag


@pytest.mark.rfc("5995", "3.1")
def test_nothing_is_replaced_and_nothing_is_lost(alice: Dav, sport: str, cloud: Server) -> None:
    names = [add(alice, sport, str(number), "plan.txt").headers["location"] for number in range(3)]
    assert names == [f"{sport}/{name}" for name in ("plan.txt", "plan%20(2).txt", "plan%20(3).txt")]
    clients = [cloud.client("alice") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda number: add(clients[number], sport, str(number), "p"), range(8)))
    assert [reply.status for reply in replies] == [201] * 8
    stored = {unquote(reply.headers["location"]) for reply in replies}
    assert {alice.get(location).text for location in stored} == set(map(str, range(8)))


@pytest.mark.rfc("5995", "3.1")
def test_what_a_put_refuses_a_post_refuses(alice: Dav, bob: Dav, carol: Dav, led: str, cloud: Server) -> None:
    token = carol.lock(led, depth="0").lock_token
    before = cloud.tree()
    refusals = {
        "locked": (add(bob, led, "x", "a.txt"), 423),
        "condition": (add(carol, led, "x", "a.txt", If=f"(<{token}>)", If_Match="*"), 412),
        "part": (add(carol, led, "x", "a.txt", If=f"(<{token}>)", Content_Range="bytes 0-0/9"), 400),
        "coded": (add(carol, led, "x", "a.txt", If=f"(<{token}>)", Content_Encoding="gzip"), 415),
        "digest": (add(carol, led, "x", "a.txt", If=f"(<{token}>)", Repr_Digest="sha-256=:AAAA:"), 400),
        "form": (add(carol, led, "a=b", If=f"(<{token}>)", Content_Type="application/x-www-form-urlencoded"), 415),
        "rules": (add(carol, led, "x", "access.toml", If=f"(<{token}>)"), 403),
        "nobody": (add(alice, "/files/Members", "x", "a.txt"), 405),
        "nothing": (add(alice, f"{led}/nowhere", "x", "a.txt"), 404),
    }
    for why, (reply, status) in refusals.items():
        assert reply.status == status, (why, reply.body)
    assert cloud.tree() == before
    assert add(carol, led, "x", "a.txt", If=f"(<{token}>)").status == 201


def mkcol(client: Dav, path: str, props: str) -> Reply:
    body = f'<D:mkcol xmlns:D="DAV:" xmlns:x="urn:x"><D:set><D:prop>{props}</D:prop></D:set></D:mkcol>'
    return client.request("MKCOL", path, body, XML)


@pytest.mark.rfc("5689", "3")
def test_a_folder_is_made_with_its_properties(alice: Dav, home: str) -> None:
    kind = "<D:resourcetype><D:collection/></D:resourcetype>"
    named = "<D:displayname>Die Fotos</D:displayname><x:colour>red</x:colour>"
    assert mkcol(alice, f"{home}/photos", kind + named).status == 201
    assert "extended-mkcol" in alice.options(home).headers["dav"].split(", ")
    asked = alice.propfind(f"{home}/photos", DAV.displayname, "{urn:x}colour", DAV.resourcetype, depth="0")
    row = asked.multistatus()[f"{home}/photos/"]
    assert (row.text(DAV.displayname), row.text("{urn:x}colour")) == ("Die Fotos", "red")
    assert row.props[DAV.resourcetype].find(DAV.collection) is not None
    assert alice.request("MKCOL", f"{home}/empty", '<D:mkcol xmlns:D="DAV:"/>', XML).status == 201


@pytest.mark.rfc("5689", "3.1")
@pytest.mark.parametrize(
    ("props", "name", "status", "condition"),
    [
        ('<D:resourcetype><D:collection/><C:calendar xmlns:C="urn:ietf:params:xml:ns:caldav"/></D:resourcetype>',
         DAV.resourcetype, 403, DAV.valid_resourcetype),
        ("<D:resourcetype/>", DAV.resourcetype, 403, DAV.valid_resourcetype),
        ("<D:getetag>x</D:getetag>", DAV.getetag, 403, DAV.cannot_modify_protected_property),
        ("<D:creationdate>yesterday</D:creationdate>", DAV.creationdate, 409, None),
        (f"<x:long>{'x' * 20_000}</x:long>", "{urn:x}long", 507, None),
    ],
)  # fmt: skip
def test_a_folder_with_a_property_that_cannot_be_is_not_made(
    alice: Dav, home: str, cloud: Server, props: str, name: str, status: int, condition: str | None
) -> None:
    before = cloud.tree()
    reply = mkcol(alice, f"{home}/photos", f"{props}<x:colour>red</x:colour>")
    assert reply.status == 403
    assert reply.xml.tag == DAV.mkcol_response
    told = {
        element.tag: (propstat.findtext(DAV.status), propstat.find(f"{DAV.error}/*"))
        for propstat in reply.xml.findall(DAV.propstat)
        for element in propstat.findall(f"{DAV.prop}/*")
    }
    assert (told[name][0] or "").split()[1] == str(status)
    failed = told[name][1]
    assert (None if failed is None else failed.tag) == condition
    assert (told["{urn:x}colour"][0] or "").split()[1] == "424"
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.3")
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("words", {"Content-Type": "text/plain"}, 400),
        ("words", {"Content-Type": "image/png"}, 415),
        ("<x/>", XML, 415),
        ('<D:mkcalendar xmlns:D="DAV:"/>', XML, 415),
        ("<D:mkcol", XML, 400),
    ],
)
def test_another_body_makes_no_folder(
    alice: Dav, home: str, cloud: Server, body: str, headers: dict[str, str], status: int
) -> None:
    before = cloud.tree()
    assert alice.request("MKCOL", f"{home}/photos", body, headers).status == status
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.3.1")
def test_a_folder_is_made_once_and_below_a_folder(alice: Dav, bob: Dav, home: str, cloud: Server) -> None:
    assert alice.mkcol(f"{home}/photos").status == 201
    assert alice.put(f"{home}/file", "x").status == 201
    before = cloud.tree()
    for path, status in ((f"{home}/photos", 405), (f"{home}/file", 405), (f"{home}/a/b", 409), (f"{home}/file/b", 409)):
        assert alice.mkcol(path).status == status
    assert bob.mkcol(f"/files/Members/alice/{home.rpartition('/')[2]}/photos/x").status in (403, 409)
    assert cloud.tree() == before
