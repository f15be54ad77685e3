"""The trash at ``/files/Trash/``: what is deleted can be had back, by those who could read it and still could."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.former.conftest import seen
from tests.harness import Dav, Server
from tests.pim.samples import event

NOTE = "{urn:x}note"
LOCKINFO = (
    b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    b"<D:locktype><D:write/></D:locktype></D:lockinfo>"
)
CHANGE = b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">1</x></D:prop></D:set></D:propertyupdate>'
CLOSED = '[[rule]]\nwho = ["carol"]\nmay = ["read"]\n'


def test_a_deleted_file_lies_in_the_trash_under_its_path_and_comes_back_as_it_was(alice: Dav, folder: str) -> None:
    assert alice.put(f"/files/{folder}/plan.txt", "words").status == 201
    assert alice.proppatch(f"/files/{folder}/plan.txt", {NOTE: "kept"}).status == 207
    assert alice.delete(f"/files/{folder}/plan.txt").status == 204
    trashed = f"/files/Trash/{folder}/plan.txt"
    assert seen(alice, f"/files/Trash/{folder}/") == [f"/files/Trash/{folder}/", trashed]
    assert alice.get(trashed).text == "words"
    assert "/files/Trash/" in alice.propfind("/files/", depth="1").multistatus()
    assert alice.move(trashed, f"/files/{folder}/plan.txt").status == 201
    assert alice.get(f"/files/{folder}/plan.txt").text == "words"
    assert (
        alice.propfind(f"/files/{folder}/plan.txt", NOTE).multistatus()[f"/files/{folder}/plan.txt"].text(NOTE)
        == "kept"
    )
    assert alice.get(trashed).status == 404


def test_a_deleted_folder_comes_back_whole_or_one_of_its_files_alone(alice: Dav, folder: str) -> None:
    alice.mkcol(f"/files/{folder}/a")
    for name in ("one.txt", "two.txt"):
        alice.put(f"/files/{folder}/a/{name}", name)
    assert alice.delete(f"/files/{folder}/a").status == 204
    assert alice.move(f"/files/Trash/{folder}/a/one.txt", f"/files/{folder}/one.txt").status == 201
    assert alice.move(f"/files/Trash/{folder}/a", f"/files/{folder}/b").status == 201
    assert alice.get(f"/files/{folder}/one.txt").text == "one.txt"
    assert seen(alice, f"/files/{folder}/b/") == [f"/files/{folder}/b/", f"/files/{folder}/b/two.txt"]
    assert seen(alice, f"/files/Trash/{folder}/a/") == []


def test_what_is_deleted_again_stands_beside_the_earlier_one(alice: Dav, folder: str) -> None:
    for words in ("one", "two", "three"):
        alice.put(f"/files/{folder}/plan.txt", words)
        assert alice.delete(f"/files/{folder}/plan.txt").status == 204
    names = seen(alice, f"/files/Trash/{folder}/")[1:]
    assert f"/files/Trash/{folder}/plan.txt" in names
    assert sorted(alice.get(name).text for name in names) == ["one", "three", "two"]
    assert all(name.endswith(".txt") for name in names)


def test_a_deleted_folder_and_what_is_deleted_at_its_place_later_are_kept_apart(alice: Dav, folder: str) -> None:
    for words in ("one", "two"):
        alice.mkcol(f"/files/{folder}/a")
        alice.put(f"/files/{folder}/a/plan.txt", words)
        assert alice.delete(f"/files/{folder}/a{'' if words == 'one' else '/plan.txt'}").status == 204
    assert alice.get(f"/files/Trash/{folder}/a/plan.txt").text == "one"
    others = [path for path in seen(alice, f"/files/Trash/{folder}/") if path.endswith(")/plan.txt")]
    assert [alice.get(path).text for path in others] == ["two"]


def test_others_see_what_they_could_read_and_nobody_else_does(
    alice: Dav, bob: Dav, carol: Dav, dora: Dav, folder: str
) -> None:
    alice.put(f"/files/{folder}/plan.txt", "words")
    alice.delete(f"/files/{folder}/plan.txt")
    for client in (bob, carol):
        assert client.get(f"/files/Trash/{folder}/plan.txt").text == "words"
    assert dora.get(f"/files/Trash/{folder}/plan.txt").status == 404
    assert seen(dora, f"/files/Trash/{folder}/") == []
    assert dora.delete(f"/files/Trash/{folder}/plan.txt").status == 404


def test_deleting_the_rules_of_a_folder_opens_nothing_that_was_deleted_under_them(
    bob: Dav, carol: Dav, folder: str
) -> None:
    carol.put(f"/files/{folder}/secret.txt", "secret")
    assert carol.put(f"/files/{folder}/access.toml", CLOSED).status == 201
    assert bob.get(f"/files/{folder}/secret.txt").status == 404
    assert carol.delete(f"/files/{folder}/secret.txt").status == 204
    assert carol.delete(f"/files/{folder}/access.toml").status == 204
    assert bob.propfind(f"/files/{folder}/", depth="1").status == 207
    trashed = f"/files/Trash/{folder}"
    assert bob.get(f"{trashed}/secret.txt").status == 404
    assert bob.get(f"{trashed}/access.toml").status == 404
    assert seen(bob, f"{trashed}/") == []
    assert carol.get(f"{trashed}/secret.txt").text == "secret"
    assert carol.get(f"{trashed}/access.toml").text == CLOSED


def test_deleting_a_folder_with_its_rules_opens_nothing_in_it(bob: Dav, carol: Dav, folder: str) -> None:
    carol.mkcol(f"/files/{folder}/closed")
    carol.put(f"/files/{folder}/closed/access.toml", CLOSED)
    carol.put(f"/files/{folder}/closed/secret.txt", "secret")
    assert carol.delete(f"/files/{folder}/closed").status == 204
    assert bob.get(f"/files/Trash/{folder}/closed/secret.txt").status == 404
    assert seen(bob, f"/files/Trash/{folder}/") == []
    assert carol.get(f"/files/Trash/{folder}/closed/secret.txt").text == "secret"


def test_who_may_not_read_the_former_place_today_does_not_see_it_in_the_trash(
    bob: Dav, carol: Dav, folder: str
) -> None:
    carol.put(f"/files/{folder}/plan.txt", "words")
    carol.delete(f"/files/{folder}/plan.txt")
    assert bob.get(f"/files/Trash/{folder}/plan.txt").status == 200
    carol.put(f"/files/{folder}/access.toml", CLOSED)
    assert bob.get(f"/files/Trash/{folder}/plan.txt").status == 404


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("PUT", {}, b"new"),
        ("LOCK", {}, LOCKINFO),
        ("PROPPATCH", {}, CHANGE),
        ("MOVE", {"Destination": "{trash}/other.txt"}, b""),
        ("COPY", {"Destination": "{trash}/other.txt"}, b""),
    ],
)
def test_nothing_in_the_trash_is_changed(
    alice: Dav, cloud: Server, folder: str, method: str, headers: dict[str, str], body: bytes
) -> None:
    alice.put(f"/files/{folder}/plan.txt", "words")
    alice.delete(f"/files/{folder}/plan.txt")
    before, trash = cloud.tree(), f"/files/Trash/{folder}"
    sent = {name: value.format(trash=trash) for name, value in headers.items()}
    assert alice.request(method, f"{trash}/plan.txt", body, sent).status == 403
    assert cloud.tree() == before


def test_nothing_is_made_in_the_trash_or_moved_into_it(alice: Dav, carol: Dav, cloud: Server, folder: str) -> None:
    alice.put(f"/files/{folder}/kept.txt", "kept")
    alice.put(f"/files/{folder}/plan.txt", "words")
    alice.delete(f"/files/{folder}/plan.txt")
    before, trash = cloud.tree(), f"/files/Trash/{folder}"
    assert alice.mkcol(f"{trash}/new").status == 403
    assert alice.put(f"{trash}/new.txt", "x").status == 403
    assert carol.put(f"{trash}/access.toml", CLOSED).status == 403
    assert alice.move(f"/files/{folder}/kept.txt", f"{trash}/kept.txt").status == 403
    assert alice.copy(f"/files/{folder}/kept.txt", f"{trash}/kept.txt").status == 403
    assert alice.move("/files/Trash/Led", f"/files/{folder}/all").status in (403, 404)
    assert cloud.tree() == before


def test_for_good_it_is_deleted_by_who_deleted_it_or_leads_the_folder(
    alice: Dav, bob: Dav, carol: Dav, cloud: Server, folder: str
) -> None:
    for name in ("one.txt", "two.txt"):
        alice.put(f"/files/{folder}/{name}", "words")
        alice.delete(f"/files/{folder}/{name}")
    before = cloud.tree()
    refused = bob.delete(f"/files/Trash/{folder}/one.txt")
    assert (refused.status, refused.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before
    assert alice.delete(f"/files/Trash/{folder}/one.txt").status == 204
    assert carol.delete(f"/files/Trash/{folder}/two.txt").status == 204
    assert seen(alice, f"/files/Trash/{folder}/") == []
    assert not [path for path, data in cloud.tree().items() if folder in path and data == b"words"]


def test_it_comes_back_only_where_one_may_create(alice: Dav, carol: Dav, cloud: Server, folder: str) -> None:
    alice.put(f"/files/{folder}/plan.txt", "words")
    alice.delete(f"/files/{folder}/plan.txt")
    before = cloud.tree()
    refused = carol.move(f"/files/Trash/{folder}/plan.txt", "/files/Sport/plan.txt")
    assert (refused.status, refused.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before
    assert carol.move(f"/files/Trash/{folder}/plan.txt", "/files/Home/plan.txt").status == 201
    assert carol.delete("/files/Home/plan.txt").status == 204


def test_rules_come_back_only_to_who_gives_rights_and_may_give_these(
    bob: Dav, carol: Dav, cloud: Server, folder: str
) -> None:
    carol.put(f"/files/{folder}/access.toml", 'inherit = true\n[[rule]]\nwho = ["dora"]\nmay = ["read"]\n')
    carol.delete(f"/files/{folder}/access.toml")
    before = cloud.tree()
    assert bob.move(f"/files/Trash/{folder}/access.toml", f"/files/{folder}/access.toml").status == 404
    assert carol.move(f"/files/Trash/{folder}/access.toml", "/files/Sport/access.toml").status == 403
    assert cloud.tree() == before
    assert carol.move(f"/files/Trash/{folder}/access.toml", f"/files/{folder}/access.toml").status == 201


def test_one_s_own_is_in_the_trash_of_home(alice: Dav, bob: Dav) -> None:
    alice.put("/files/Home/own.txt", "mine")
    assert alice.delete("/files/Home/own.txt").status == 204
    assert alice.get("/files/Trash/Home/own.txt").text == "mine"
    assert alice.get("/files/Trash/Members/alice/own.txt").text == "mine"
    assert bob.get("/files/Trash/Members/alice/own.txt").status == 404
    assert alice.move("/files/Trash/Home/own.txt", "/files/Home/own.txt").status == 201


def test_of_a_folder_that_keeps_no_trash_it_is_gone_at_once(alice: Dav, cloud: Server) -> None:
    alice.put("/files/Passing/one.txt", "passing words")
    alice.mkcol("/files/Passing/a")
    alice.put("/files/Passing/a/two.txt", "passing words")
    assert alice.delete("/files/Passing/one.txt").status == 204
    assert alice.delete("/files/Passing/a").status == 204
    assert b"passing words" not in cloud.tree().values()
    assert seen(alice, "/files/Trash/Passing/") == []


def test_an_event_and_a_calendar_come_back_by_move(alice: Dav, bob: Dav) -> None:
    alice.mkcalendar("/dav/alice/gone/")
    alice.put("/dav/alice/gone/a.ics", event("a"))
    alice.put("/dav/alice/gone/b.ics", event("b"))
    assert alice.proppatch("/dav/alice/gone/a.ics", {"{urn:x}colour": "red"}).status == 207
    assert alice.delete("/dav/alice/gone/a.ics").status == 204
    trashed = "/files/Trash/Collections/alice/gone"
    assert alice.get(f"{trashed}/a.ics").text == event("a")
    assert bob.get(f"{trashed}/a.ics").status == 404
    assert alice.move(f"{trashed}/a.ics", "/dav/alice/gone/a.ics").status == 201
    back = alice.propfind("/dav/alice/gone/a.ics", "{urn:x}colour", depth="0").multistatus()["/dav/alice/gone/a.ics"]
    assert back.text("{urn:x}colour") == "red"
    assert alice.delete("/dav/alice/gone/").status == 204
    (calendar,) = [path for path in seen(alice, "/files/Trash/Collections/alice/") if path.endswith("b.ics")]
    assert alice.move(calendar.rpartition("/")[0], "/dav/alice/back/").status == 201
    assert alice.get("/dav/alice/back/a.ics").text == event("a")
    assert alice.propfind("/dav/alice/back/", DAV.resourcetype).status == 207
    assert calendar not in seen(alice, "/files/Trash/")


def test_an_event_comes_back_as_a_put_would_store_it(alice: Dav, cloud: Server) -> None:
    alice.mkcalendar("/dav/alice/taken/")
    alice.put("/dav/alice/taken/a.ics", event("taken"))
    alice.delete("/dav/alice/taken/a.ics")
    alice.put("/dav/alice/taken/b.ics", event("taken"))
    before = cloud.tree()
    refused = alice.move("/files/Trash/Collections/alice/taken/a.ics", "/dav/alice/taken/a.ics")
    assert refused.status == 403
    assert refused.condition == "{urn:ietf:params:xml:ns:caldav}no-uid-conflict"
    assert alice.move("/files/Trash/Collections/alice/taken/a.ics", "/dav/alice/a.ics").status == 403
    assert cloud.tree() == before


def test_it_is_not_synchronised_nor_counted(alice: Dav, folder: str) -> None:
    alice.put(f"/files/{folder}/plan.txt", "x" * 5000)
    alice.delete(f"/files/{folder}/plan.txt")
    used = alice.propfind("/files/Led/", DAV.quota_used_bytes).multistatus()["/files/Led/"].text(DAV.quota_used_bytes)
    assert int(used or 0) < 5000
    body = (
        '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>infinite</D:sync-level>'
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    assert not [href for href in alice.report("/files/", body).hrefs if href.startswith("/files/Trash/")]


def test_it_says_what_can_be_done_with_it(alice: Dav, bob: Dav, carol: Dav, folder: str) -> None:
    alice.put(f"/files/{folder}/plan.txt", "words")
    alice.delete(f"/files/{folder}/plan.txt")
    trashed = f"/files/Trash/{folder}/plan.txt"
    allow = "OPTIONS, GET, HEAD, PROPFIND, SEARCH, REPORT, COPY, MOVE, DELETE"
    assert alice.options(trashed).headers["allow"] == allow
    held = {client: privileges(client, trashed) for client in (alice, bob, carol)}
    assert {DAV.read, DAV.unbind} <= held[alice]
    assert DAV.read in held[bob]
    assert DAV.unbind not in held[bob]
    assert all(held[client].isdisjoint({DAV.write, DAV.write_content, DAV.bind, DAV.all}) for client in held)


def privileges(client: Dav, path: str) -> set[str]:
    row = client.propfind(path, DAV.current_user_privilege_set).multistatus()[path]
    return {privilege[0].tag for privilege in row.props[DAV.current_user_privilege_set]}


def test_a_copy_of_it_is_a_file_like_any_other(alice: Dav, folder: str) -> None:
    alice.put(f"/files/{folder}/plan.txt", "words")
    alice.delete(f"/files/{folder}/plan.txt")
    assert alice.copy(f"/files/Trash/{folder}/plan.txt", f"/files/{folder}/copy.txt").status == 201
    assert alice.get(f"/files/Trash/{folder}/plan.txt").text == "words"
    assert alice.delete(f"/files/{folder}/copy.txt").status == 204
    assert alice.get(f"/files/Trash/{folder}/copy.txt").text == "words"
    assert alice.move(f"/files/Trash/{folder}/copy.txt", f"/files/{folder}/copy.txt").status == 201


def test_what_macos_writes_for_itself_goes_to_neither(alice: Dav, cloud: Server, folder: str) -> None:
    for words in (b"of the finder", b"of the finder too"):
        alice.put(f"/files/{folder}/._plan.txt", words)
    assert alice.delete(f"/files/{folder}/._plan.txt").status == 204
    assert not [data for data in cloud.tree().values() if data and data.startswith(b"of the finder")]


def test_what_was_published_is_taken_back_by_deleting_it(cloud: Server, carol: Dav) -> None:
    carol.put("/files/Public/news.txt", "first")
    carol.put("/files/Public/news.txt", "second")
    assert cloud.client().get("/files/Public/news.txt").text == "second"
    assert carol.delete("/files/Public/news.txt").status == 204
    (version,) = seen(carol, "/files/History/Public/news.txt/")[1:]
    for path in ("/files/Trash/Public/news.txt", version):
        assert cloud.client("dora").get(path).status == 200
        assert cloud.client().get(path).status == 401


def test_an_event_that_another_is_moved_over_lies_in_the_history(alice: Dav) -> None:
    alice.mkcalendar("/dav/alice/over/")
    alice.put("/dav/alice/over/a.ics", event("same", "first"))
    alice.mkcalendar("/dav/alice/under/")
    alice.put("/dav/alice/under/b.ics", event("same", "second"))
    assert alice.move("/dav/alice/over/a.ics", "/dav/alice/under/b.ics").status == 204
    (version,) = seen(alice, "/files/History/Collections/alice/under/b.ics/")[1:]
    assert alice.get(version).text == event("same", "second")


@pytest.mark.rfc("4918", "9.6.1")
def test_emptying_it_takes_what_is_one_s_own_to_delete_and_names_the_rest(
    alice: Dav, bob: Dav, carol: Dav, cloud: Server, folder: str
) -> None:
    mirror, folder = f"/files/Trash/{folder}", f"/files/{folder}"
    for client, name in ((alice, "a.txt"), (alice, "sub/b.txt"), (bob, "bobs.txt")):
        if "/" in name:
            assert client.mkcol(f"{folder}/sub").status == 201
        assert client.put(f"{folder}/{name}", name).status == 201
        assert client.delete(f"{folder}/{name}").status == 204
    kept = f"{mirror}/bobs.txt"
    assert bob.get(kept).text == alice.get(kept).text == "bobs.txt"
    reply = alice.delete(mirror)
    assert reply.status == 207
    assert {path: (row.status, row.condition) for path, row in reply.multistatus().items()} == {
        kept: (403, DAV.need_privileges)
    }
    assert bob.get(kept).text == "bobs.txt"
    for name in ("a.txt", "sub/b.txt"):
        assert alice.get(f"{mirror}/{name}").status == 404
        assert not (cloud.data / f"trash{mirror.removeprefix('/files/Trash')}/{name}").exists()
    assert bob.delete(mirror).status == 204
    assert bob.get(kept).status == 404
    assert alice.put(f"{folder}/a.txt", "again").status == 201


def test_all_of_it_is_emptied_at_once_and_others_keep_theirs(alice: Dav, carol: Dav, cloud: Server) -> None:
    for client in (alice, carol):
        assert client.put("/files/Home/emptied.txt", "x").status == 201
        assert client.delete("/files/Home/emptied.txt").status == 204
    assert "DELETE" in alice.options("/files/Trash/").headers["allow"]
    assert alice.delete("/files/Trash/Home").status == 204
    assert alice.get("/files/Trash/Home/emptied.txt").status == 404
    assert carol.get("/files/Trash/Home/emptied.txt").text == "x"
    assert carol.delete("/files/Trash/").status in (204, 207)
    assert carol.get("/files/Trash/Home/emptied.txt").status == 404
    assert alice.request("MOVE", "/files/Trash/", headers={"Destination": "/files/Home/trash"}).status == 403


def test_what_was_taken_out_of_it_by_hand_leaves_nothing_to_a_namesake(alice: Dav, cloud: Server, folder: str) -> None:
    path, trashed = f"/files/{folder}/plan.txt", f"/files/Trash/{folder}/plan.txt"
    alice.put(path, "first")
    assert alice.proppatch(path, {NOTE: "of the first"}).status == 207
    assert alice.delete(path).status == 204
    (cloud.data / "trash" / folder / "plan.txt").unlink()
    alice.put(path, "second")
    assert alice.delete(path).status == 204
    assert alice.get(trashed).text == "second"
    assert alice.propfind(trashed, NOTE).multistatus()[trashed].text(NOTE) is None
    assert alice.move(trashed, path).status == 201
    assert alice.propfind(path, NOTE).multistatus()[path].text(NOTE) is None


def test_a_folder_made_anew_at_its_place_closes_it_to_whom_that_one_is_closed(
    alice: Dav, bob: Dav, carol: Dav, cloud: Server, folder: str
) -> None:
    place, trashed = f"/files/{folder}/a", f"/files/Trash/{folder}/a"
    for path in (place, f"{place}/inner"):
        assert alice.mkcol(path).status == 201
        assert alice.put(f"{path}/plan.txt", "words").status == 201
    assert alice.delete(place).status == 204
    assert bob.get(f"{trashed}/inner/plan.txt").text == "words"
    assert carol.mkcol(place).status == 201
    assert bob.get(f"{trashed}/plan.txt").text == "words"
    assert carol.put(f"{place}/access.toml", CLOSED).status == 201
    before = cloud.tree()
    for path in (f"{trashed}/plan.txt", f"{trashed}/inner/plan.txt"):
        assert bob.get(path).status == 404
        assert bob.copy(path, "/files/Home/taken.txt").status == 404
        assert alice.delete(path).status == 404
    assert seen(bob, f"/files/Trash/{folder}/") == []
    assert cloud.tree() == before
    assert carol.get(f"{trashed}/plan.txt").text == "words"
    assert carol.delete(f"{place}/access.toml").status == 204
    assert bob.get(f"{trashed}/plan.txt").text == "words"


def test_nobody_loses_what_they_own_in_it_to_who_takes_its_name(alice: Dav, bob: Dav, cloud: Server) -> None:
    board, trashed = "/files/Boards/squatted", "/files/Trash/Boards/squatted"
    assert alice.mkcol(board).status == 201
    assert alice.put(f"{board}/access.toml", '[[rule]]\nwho = ["bob"]\nmay = ["admin"]\n').status == 201
    assert alice.put(f"{board}/plan.txt", "words").status == 201
    assert alice.delete(board).status == 204
    assert bob.get(f"{trashed}/plan.txt").text == "words"
    assert cloud.client("dora").mkcol(board).status == 201
    before = cloud.tree()
    assert bob.get(f"{trashed}/plan.txt").status == 404
    assert bob.move(trashed, "/files/Home/taken").status == 404
    assert cloud.tree() == before
    assert alice.move(trashed, "/files/Boards/again").status == 201
    assert alice.get("/files/Boards/again/plan.txt").text == "words"


@pytest.mark.parametrize("within", ["", "/sub"])
def test_what_a_folder_closed_stays_closed_when_the_folder_is_deleted_too(
    alice: Dav, bob: Dav, carol: Dav, folder: str, within: str
) -> None:
    inner, removed = f"/files/{folder}/a{within}", f"/files/Trash/{folder}/a{within}/secret.txt"
    for path in dict.fromkeys((f"/files/{folder}/a", inner)):
        assert alice.mkcol(path).status == 201
    assert alice.put(f"{inner}/secret.txt", "first").status == 201
    assert alice.put(f"{inner}/secret.txt", "second").status == 204
    assert alice.delete(f"{inner}/secret.txt").status == 204
    (version,) = seen(bob, f"/files/History/{folder}/a{within}/secret.txt/")[1:]
    assert carol.put(f"{inner}/access.toml", CLOSED).status == 201
    for path in dict.fromkeys((inner, f"/files/{folder}/a")):
        assert (bob.get(removed).status, bob.get(version).status) == (404, 404)
        assert carol.delete(path).status == 204
    for path in (removed, version):
        assert bob.get(path).status == 404
        assert alice.get(path).status == 404
        assert carol.get(path).status == 200


def test_what_lay_in_a_folder_that_is_deleted_too_is_seen_as_before(alice: Dav, bob: Dav, folder: str) -> None:
    assert alice.mkcol(f"/files/{folder}/a").status == 201
    assert alice.put(f"/files/{folder}/a/plan.txt", "plan").status == 201
    assert alice.delete(f"/files/{folder}/a/plan.txt").status == 204
    assert alice.delete(f"/files/{folder}/a").status == 204
    assert bob.get(f"/files/Trash/{folder}/a/plan.txt").text == "plan"


def test_of_a_folder_that_got_another_name_administrators_see_what_was_removed(
    alice: Dav, bob: Dav, carol: Dav, folder: str
) -> None:
    """Its rules are no longer found under the old name, so nobody is given anything by them."""
    assert alice.mkcol(f"/files/{folder}/a").status == 201
    assert alice.put(f"/files/{folder}/a/plan.txt", "plan").status == 201
    assert alice.delete(f"/files/{folder}/a/plan.txt").status == 204
    assert carol.put(f"/files/{folder}/a/access.toml", CLOSED).status == 201
    assert carol.move(f"/files/{folder}/a", f"/files/{folder}/b").status == 201
    assert bob.get(f"/files/Trash/{folder}/a/plan.txt").status == 404
    assert carol.get(f"/files/Trash/{folder}/a/plan.txt").text == "plan"


def test_who_did_not_delete_it_puts_it_back_and_nowhere_else(
    alice: Dav, bob: Dav, carol: Dav, cloud: Server, folder: str
) -> None:
    removed = f"/files/Trash/{folder}/plan.txt"
    assert alice.put(f"/files/{folder}/plan.txt", "plan").status == 201
    assert alice.delete(f"/files/{folder}/plan.txt").status == 204
    before = cloud.tree()
    for target in ("/files/Home/plan.txt", "/files/Sport/plan.txt"):
        refused = bob.move(removed, target)
        assert (refused.status, refused.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before
    assert bob.copy(removed, "/files/Home/plan.txt").status == 201
    assert bob.move(removed, f"/files/{folder}/as it was.txt").status == 201
    assert bob.get(f"/files/{folder}/as it was.txt").text == "plan"
    assert bob.delete("/files/Home/plan.txt").status == 204
