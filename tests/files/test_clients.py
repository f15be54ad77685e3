"""What file clients send, in the order they send it (docs/clients.md), and what each needs back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from davserver.dav.names import DAV
from tests.harness import Dav, Server

APACHE = "{http://apache.org/dav/props/}executable"


def test_davfs2_makes_and_edits_a_file(alice: Dav, home: str, cloud: Server) -> None:
    path = f"{home}/ü.txt"
    url = f"http://127.0.0.1:{cloud.port}{home}/%c3%bc.txt"
    assert "2" in alice.options(home).headers["dav"]
    names = (DAV.resourcetype, DAV.getcontentlength, DAV.getetag, DAV.getlastmodified, APACHE)
    assert alice.propfind(home, *names, depth="1").status == 207
    new = alice.lock(path, timeout="Second-60")
    assert new.status == 201
    etag = alice.head(path).etag
    stored = alice.put(path, "one", {"If-Match": etag, "If": f"<{url}> (<{new.lock_token}>)"})
    assert stored.status == 204
    assert alice.lock(path, refresh=new.lock_token, timeout="Second-60").status == 200
    assert alice.unlock(path, new.lock_token).status == 204
    stale = alice.put(path, "two", {"If-Match": etag})
    assert stale.status == 412
    assert alice.get(path).text == "one"


def test_kio_uploads_and_renames(alice: Dav, home: str, cloud: Server) -> None:
    names = ("getcontentlength", "source", "getcontentlanguage", "supportedlock", "quota-used-bytes", "displayname")
    body = f'<D:propfind xmlns:D="DAV:"><D:prop>{"".join(f"<D:{name}/>" for name in names)}</D:prop></D:propfind>'
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    assert alice.propfind(home, depth="1", body=body, headers=headers).status == 207
    assert alice.propfind(f"{home}/a.txt").status == 404
    assert alice.put(f"{home}/a.txt", "x").status == 201
    target = f"http://alice:alice@127.0.0.1:{cloud.port}{home}/b.txt"
    sent = {"Destination": target, "Overwrite": "F", "Depth": "infinity"}
    assert alice.request("MOVE", f"{home}/a.txt", headers=sent).status == 201
    assert alice.request("COPY", f"{home}/b.txt", headers=sent).status == 403


def test_libreoffice_saves_a_new_document_and_a_second_writer_sees_who_has_it(alice: Dav, bob: Dav, sport: str) -> None:
    path = f"{sport}/letter.odt"
    assert "LOCK" in alice.options(path).headers["allow"]
    assert alice.head(sport).status == 200
    new = alice.lock(path, timeout="Second-180", owner="LibreOffice - Alice")
    assert new.status == 201
    assert alice.put(path, "document", {"If": f"(<{new.lock_token}>)"}).status == 204
    refused = bob.lock(path, timeout="Second-180", owner="LibreOffice - Bob")
    assert (refused.status, refused.condition) == (423, DAV.no_conflicting_lock)
    owner = bob.propfind(path, DAV.lockdiscovery).multistatus()[path].props[DAV.lockdiscovery].find(f".//{DAV.owner}")
    assert owner is not None
    assert owner.text == "LibreOffice - Alice"
    assert alice.unlock(path, new.lock_token).status == 204


def test_nautilus_notices_that_somebody_else_saved(alice: Dav, bob: Dav, sport: str) -> None:
    path = f"{sport}/a.txt"
    alice.put(path, "one")
    known = alice.propfind(path, DAV.getetag).multistatus()[path].text(DAV.getetag) or ""
    assert alice.head(path, {"If-Match": known}).status == 200
    bob.put(path, "two")
    assert alice.head(path, {"If-Match": known}).status == 412


def test_an_editor_that_saves_by_rename_replaces_the_file(alice: Dav, home: str) -> None:
    alice.put(f"{home}/a.txt", "old")
    alice.put(f"{home}/.a.txt.swp", "new")
    assert alice.move(f"{home}/.a.txt.swp", f"{home}/a.txt", overwrite=True).status == 204
    assert alice.get(f"{home}/a.txt").text == "new"
    assert alice.get(f"{home}/.a.txt.swp").status == 404


def test_of_many_writers_with_one_etag_exactly_one_wins(alice: Dav, sport: str, cloud: Server) -> None:
    path = f"{sport}/counter.txt"
    etag = alice.put(path, "0").etag

    def write(number: int) -> int:
        return cloud.client("bob").put(path, str(number), {"If-Match": etag}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(write, range(8)))
    assert sorted(statuses) == [204] + [412] * 7
    assert alice.get(path).text == str(statuses.index(204))


def test_of_many_who_make_one_file_exactly_one_creates_it(alice: Dav, sport: str, cloud: Server) -> None:
    def make(number: int) -> int:
        return cloud.client("bob").put(f"{sport}/new.txt", str(number), {"If-None-Match": "*"}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(make, range(8)))
    assert sorted(statuses) == [201] + [412] * 7


def test_a_reader_never_sees_half_a_file_while_it_is_replaced(alice: Dav, home: str, cloud: Server) -> None:
    path = f"{home}/page.bin"
    alice.put(path, b"a" * 300_000)

    def read(_: int) -> bool:
        reply = cloud.client("alice").get(path)
        return len(set(reply.body)) == 1 and len(reply.body) == 300_000

    with ThreadPoolExecutor(4) as pool:
        reads = pool.map(read, range(12))
        for letter in (b"b", b"c", b"d", b"e"):
            alice.put(path, letter * 300_000)
        assert all(reads)
