"""Boards as folders: how they are made, what may stand in them, and what a file manager does to cards."""

from __future__ import annotations

import subprocess

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.harness import Dav, Server
from tests.objects.conftest import BOARD, calendar_of, changed, files_of, items_of, said
from tests.objects.test_attachments import inline
from tests.objects.test_cards import column_of, put_card
from tests.pim.samples import multiget, sync, task

LOCK = (
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype></D:lockinfo>"
)


def test_a_folder_made_in_boards_is_a_board_with_columns_and_a_list_in_every_home(alice: Dav, bob: Dav) -> None:
    assert alice.mkcol("/files/Boards/Summer fair").status == 201
    names = {
        path.rstrip("/").rpartition("/")[2]
        for path in alice.propfind("/files/Boards/Summer fair", depth="1").multistatus()
    }
    assert names == {"Summer fair", "board.toml", "To do", "Doing", "Done"}
    url = calendar_of(alice, "/files/Boards/Summer fair")
    assert f'id = "{url[-9:-1]}"' in alice.get("/files/Boards/Summer fair/board.toml").text
    assert calendar_of(bob, "/files/Boards/Summer fair") == url.replace("alice", "bob")
    assert alice.move("/files/Boards/Summer fair", "/files/Boards/Winter fair").status == 201
    assert calendar_of(alice, "/files/Boards/Winter fair") == url


def test_who_may_make_boards_needs_nothing_else(dora: Dav) -> None:
    assert dora.mkcol("/files/Boards/Mine").status == 201
    url = calendar_of(dora, "/files/Boards/Mine")
    assert dora.put(f"{url}a.ics", task("mine", "Posters")).status == 201
    assert "To do/Posters.md" in files_of(dora, "/files/Boards/Mine")
    assert "/dav/dora/" in dora.propfind(url, DAV.owner).text


@pytest.mark.parametrize("way", ["PUT", "COPY", "MOVE"])
def test_a_broken_board_file_is_refused_and_the_old_one_stays(alice: Dav, board: str, cloud: Server, way: str) -> None:
    broken = "[[column]]\nname = 3\n"
    assert alice.put(f"{board}/notes.txt", broken).status == 201
    before = cloud.tree()
    headers = {"Destination": f"{board}/board.toml"}
    if way == "PUT":
        reply = alice.put(f"{board}/board.toml", broken)
    else:
        reply = alice.request(way, f"{board}/notes.txt", headers=headers)
    assert reply.status == 422
    assert "board.toml:2: name is the number 3" in reply.text
    assert cloud.tree() == before


def test_a_column_holds_cards_and_attachments_only(alice: Dav, board: str, cloud: Server) -> None:
    assert alice.mkcol(f"{board}/Doing/Posters.files").status == 201
    assert alice.mkcol(f"{board}/Doing/Posters.files/deep").status == 201
    assert alice.mkcol("/files/Home/nested").status == 201
    assert alice.mkcol("/files/Home/nested/inner").status == 201
    before = cloud.tree()
    assert alice.mkcol(f"{board}/Doing/sub").status == 403
    for transfer in (alice.copy, alice.move):
        assert transfer("/files/Home/nested", f"{board}/Doing/sub").status == 403
        assert transfer("/files/Home/nested", f"{board}/nested").status == 403
    assert cloud.tree() == before
    assert alice.delete("/files/Home/nested").status == 204


def test_a_card_that_is_dragged_is_the_same_task(alice: Dav, board: str) -> None:
    assert alice.put(f"{board}/Doing/Posters.md", "---\ntitle: Print: posters\nstatus: CANCELLED\n---\n").status == 201
    item = items_of(alice, calendar_of(alice, board))["Print: posters"]
    uid = said(alice.get(item).text, "UID")
    assert alice.move(f"{board}/Doing/Posters.md", f"{board}/Done/Posters.md").status == 201
    after = alice.get(item).text
    assert (said(after, "UID"), said(after, "STATUS"), said(after, "PERCENT-COMPLETE")) == (uid, "COMPLETED", "100")
    assert "completed: 20" in alice.get(f"{board}/Done/Posters.md").text
    assert alice.put(item, changed(after, STATUS="NEEDS-ACTION", COMPLETED=None, PERCENT_COMPLETE=None)).status == 204
    assert column_of(alice, board, "Posters") == "Doing"
    assert alice.move(f"{board}/Doing/Posters.md", f"{board}/Doing/Flyers.md").status == 201
    assert said(alice.get(item).text, "SUMMARY") == "Flyers"
    assert "title:" not in alice.get(f"{board}/Doing/Flyers.md").text


def test_saving_by_another_file_that_is_renamed_changes_no_byte_and_no_task(alice: Dav, board: str) -> None:
    assert alice.put(f"{board}/Doing/Posters.md", "---\ntitle: Something: else\n---\nold\n").status == 201
    item = items_of(alice, calendar_of(alice, board))["Something: else"]
    uid = said(alice.get(item).text, "UID")
    text = "---\ntitle: Something: else\n---\nnew\n"
    assert alice.put(f"{board}/Doing/Posters.md.tmp", text).status == 201
    assert alice.move(f"{board}/Doing/Posters.md.tmp", f"{board}/Doing/Posters.md").status == 204
    assert alice.get(f"{board}/Doing/Posters.md").text == text
    after = alice.get(item)
    assert (after.status, said(after.text, "UID"), said(after.text, "DESCRIPTION")) == (200, uid, "new")


def test_a_copy_is_another_task(alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters")).status == 201
    text = alice.get(f"{board}/To do/Posters.md").body
    assert alice.copy(f"{board}/To do/Posters.md", f"{board}/Doing/Posters.md").status == 201
    assert alice.get(f"{board}/Doing/Posters.md").body == text
    uids = [said(alice.get(item).text, "UID") for item in alice.propfind(url, depth="1").multistatus() if item != url]
    assert len(uids) == len(set(uids)) == 2
    assert "u-1" in uids


def test_a_copy_of_a_board_is_a_board(alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters")).status == 201
    assert alice.copy(board, f"{board} again").status == 201
    assert alice.get(f"{board} again/To do/Posters.md").body == alice.get(f"{board}/To do/Posters.md").body
    other = calendar_of(alice, f"{board} again")
    assert other != url
    (item,) = items_of(alice, other).values()
    assert said(alice.get(item).text, "UID") != "u-1"
    assert said(alice.get(f"{url}a.ics").text, "UID") == "u-1"


def test_a_card_on_another_board_is_the_same_task_there(alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters")).status == 201
    assert alice.mkcol(f"{board} other").status == 201
    assert alice.move(f"{board}/To do/Posters.md", f"{board} other/Doing/Posters.md").status == 201
    (item,) = items_of(alice, calendar_of(alice, f"{board} other")).values()
    assert said(alice.get(item).text, "UID") == "u-1"
    assert items_of(alice, url) == {}


def test_an_editor_that_saves_a_card_which_was_moved_meanwhile_saves_that_card(alice: Dav, board: str) -> None:
    item = put_card(alice, board, "Doing", "Posters", "old\n")
    assert alice.put(item, changed(alice.get(item).text, X_STATUS="Review")).status == 204
    assert alice.get(f"{board}/Doing/Posters.md").status == 404
    assert alice.put(f"{board}/Doing/Posters.md", "new\n").status == 204
    assert files_of(alice, board) == {"board.toml", "Doing/Posters.md"}
    assert said(alice.get(item).text, "DESCRIPTION") == "new"
    assert alice.move(f"{board}/Doing/Posters.md", f"{board}/Review/Posters.md").status == 201
    assert alice.put(f"{board}/Doing/Posters.md", "another\n", {"If-None-Match": "*"}).status == 201
    assert files_of(alice, board) == {"board.toml", "Doing/Posters.md", "Review/Posters.md"}


def test_a_column_that_is_renamed_or_deleted_is_so_in_the_board_s_file(alice: Dav, board: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    assert alice.move(f"{board}/Doing", f"{board}/In hand").status == 201
    assert 'name = "In hand"\nstatus = "IN-PROCESS"' in alice.get(f"{board}/board.toml").text
    assert said(alice.get(item).text, "X-STATUS") == "In hand"
    assert alice.delete(f"{board}/Review").status == 204
    assert "Review" not in alice.get(f"{board}/board.toml").text
    assert alice.put(item, changed(alice.get(item).text, X_STATUS="Review")).status == 204
    assert column_of(alice, board, "Posters") == "In hand"


def test_what_is_archived_leaves_the_list(alice: Dav, board: str, url: str) -> None:
    put_card(alice, board, "Doing", "Posters")
    assert alice.mkcol(f"{board}/Archive").status == 201
    assert alice.move(f"{board}/Doing/Posters.md", f"{board}/Archive/Posters.md").status == 201
    assert items_of(alice, url) == {}


@pytest.mark.rfc("4918", "9.10")
def test_who_has_a_card_locked_keeps_phones_waiting_for_ten_minutes_at_most(
    alice: Dav, bob: Dav, board: str, cloud: Server
) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    theirs, path = item.replace("alice", "bob"), f"{board}/Doing/Posters.md"
    locked = alice.request("LOCK", path, LOCK, {"Timeout": "Second-3600", "Depth": "0"})
    assert locked.status == 200
    assert int(locked.xml.findtext(f".//{DAV.timeout}", "").removeprefix("Second-")) <= 600
    before, text = cloud.tree(), changed(bob.get(theirs).text, PRIORITY="1")
    for reply in (bob.put(theirs, text), bob.delete(theirs)):
        assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    assert bob.put(path, "x").status == 423
    assert cloud.tree() == before
    assert alice.request("UNLOCK", path, headers={"Lock-Token": f"<{locked.lock_token}>"}).status == 204
    assert bob.put(theirs, text).status == 204


def test_a_card_directly_in_the_board_is_in_the_first_column_until_it_is_moved(
    alice: Dav, board: str, url: str
) -> None:
    assert alice.put(f"{board}/Loose.md", "words\n").status == 201
    item = items_of(alice, url)["Loose"]
    assert said(alice.get(item).text, "X-STATUS") == "To do"
    assert alice.put(item, changed(alice.get(item).text, PRIORITY="3")).status == 204
    assert "Loose.md" in files_of(alice, board)
    assert alice.put(item, changed(alice.get(item).text, X_STATUS="Done")).status == 204
    assert "Done/Loose.md" in files_of(alice, board)


@pytest.mark.parametrize("name", ["~a.md", ".a.md", "a.md~", "a.tmp", "._a.md", "a.txt"])
def test_what_programs_leave_behind_is_no_card(alice: Dav, board: str, url: str, name: str) -> None:
    assert alice.put(f"{board}/Doing/{name}", "x").status == 201
    assert items_of(alice, url) == {}


def test_a_board_copied_on_the_disk_has_an_id_and_uids_of_its_own(
    cloud: Server, alice: Dav, board: str, url: str
) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters")).status == 201
    disk = cloud.data / "files/Boards"
    name = board.rpartition("/")[2]
    subprocess.run(["cp", "-a", disk / name, disk / f"{name} copied"], check=True)
    other = calendar_of(alice, f"{board} copied")
    assert other != url
    (item,) = items_of(alice, other).values()
    uid = said(alice.get(item).text, "UID")
    assert uid != "u-1"
    assert said(alice.get(f"{url}a.ics").text, "UID") == "u-1"
    copied = f"{board} copied/To do/Posters.md"
    assert alice.put(copied, alice.get(copied).text + "more\n").status == 204
    assert said(alice.get(item).text, "UID") == uid


def test_writing_in_a_board_needs_the_right_that_the_file_needs(
    cloud: Server, alice: Dav, board: str, url: str
) -> None:
    carol = cloud.client("carol")
    item = put_card(alice, board, "Doing", "Posters")
    rules = '[[rule]]\nwho = ["carol"]\nmay = ["read"]\n'
    assert alice.put(f"{board}/access.toml", rules).status == 201
    theirs = item.replace("alice", "carol")
    served = carol.get(theirs)
    assert served.status == 200
    before = cloud.tree()
    for reply in (carol.put(theirs, changed(served.text, PRIORITY="1")), carol.delete(theirs)):
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    new = carol.put(f"{url.replace('alice', 'carol')}n.ics", task("u-9", "New"))
    assert (new.status, new.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before
    privileges = carol.propfind(url.replace("alice", "carol"), DAV.current_user_privilege_set).text
    assert "write-content" not in privileges


@pytest.mark.parametrize("looked", [True, False], ids=["seen between", "unseen"])
def test_saving_under_another_name_and_deleting_the_old_file_is_one_task(
    alice: Dav, board: str, url: str, *, looked: bool
) -> None:
    assert alice.put(f"{url}from-a-phone.ics", task("u-1", "Posters")).status == 201
    text = alice.get(f"{board}/To do/Posters.md").text
    assert alice.put(f"{board}/To do/Flyers.md", f"{text}more\n").status == 201
    if looked:
        assert len(items_of(alice, url)) == 2
    assert alice.delete(f"{board}/To do/Posters.md").status == 204
    assert items_of(alice, url) == {"Flyers": f"{url}from-a-phone.ics"}
    assert said(alice.get(f"{url}from-a-phone.ics").text, "UID") == "u-1"


def test_a_duplicate_of_a_card_gets_its_own_uid_at_the_next_write(alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters")).status == 201
    text = alice.get(f"{board}/To do/Posters.md").body
    assert alice.put(f"{board}/To do/Duplicate.md", text).status == 201
    item = items_of(alice, url)["Duplicate"]
    served = alice.get(item).text
    assert said(served, "UID") != "u-1"
    assert alice.get(f"{board}/To do/Duplicate.md").body == text
    assert alice.put(item, changed(served, PRIORITY="1")).status == 204
    assert f"uid: {said(served, 'UID')}\n" in alice.get(f"{board}/To do/Duplicate.md").text


def test_a_tag_that_is_a_column_goes_with_the_next_write(alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{board}/Doing/Posters.md", "---\ntags: [done, urgent]\n---\n").status == 201
    item = items_of(alice, url)["Posters"]
    served = alice.get(item).text
    assert said(served, "CATEGORIES") == "Doing,urgent"
    assert alice.put(item, served).status == 204
    assert "[done, urgent]" in alice.get(f"{board}/Doing/Posters.md").text
    assert alice.put(item, changed(served, PRIORITY="1")).status == 204
    assert "tags: [urgent]\n" in alice.get(f"{board}/Doing/Posters.md").text


def test_what_the_board_s_file_changes_is_news_to_every_client(alice: Dav, board: str, url: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    reply = alice.report(url, sync())
    token, before = reply.xml.findtext(DAV.sync_token) or "", alice.get(item)
    text = alice.get(f"{board}/board.toml").text
    assert alice.put(f"{board}/board.toml", f'serve = ["status"]\ncolor = "#112233"\n{text}').status == 204
    assert list(alice.report(url, sync(token)).multistatus()) == [item]
    after = alice.get(item)
    assert after.headers["etag"] != before.headers["etag"]
    assert (said(after.text, "X-STATUS"), said(after.text, "CATEGORIES")) == ("", "urgent")
    assert "#112233" in alice.propfind(url, "{http://apple.com/ns/ical/}calendar-color").text
    stale = changed(after.text, CATEGORIES="Done,urgent")  # of a phone that does not take categories back
    assert alice.put(item, stale).status == 204
    assert column_of(alice, board, "Posters") == "Doing"


def test_a_member_takes_a_board_off_its_home_and_names_it_as_it_likes(
    alice: Dav, bob: Dav, board: str, url: str
) -> None:
    name = url.strip("/").rpartition("/")[2]
    assert alice.proppatch(url, {DAV.displayname: "Mine"}).multistatus()[url].props
    assert "<D:displayname>Mine</D:displayname>" in alice.propfind(url, DAV.displayname).text
    assert "Mine" not in bob.propfind(url.replace("alice", "bob"), DAV.displayname).text
    assert alice.delete(url).status == 204
    assert alice.propfind(url).status == 404
    assert url not in alice.propfind("/dav/alice/", depth="1").multistatus()
    assert alice.propfind(board).status == 207
    text = alice.get("/files/Home/collections.toml").text
    assert alice.put("/files/Home/collections.toml", text.replace(f"[{name}]", "[other]")).status == 204
    assert alice.propfind(url).status == 207


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
def test_a_board_s_list_is_copied_and_moved_as_a_folder_only(
    alice: Dav, board: str, url: str, cloud: Server, method: str
) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    before = cloud.tree()
    whole = alice.request(method, url, headers={"Destination": "/dav/alice/taken/"})
    assert (whole.status, whole.condition) == (403, CALDAV.calendar_collection_location_ok)
    assert alice.request(method, item, headers={"Destination": "/dav/alice/tasks/x.ics"}).status == 403
    assert alice.put(url, task("u-5")).status == 403
    assert cloud.tree() == before


def test_who_is_assigned_is_an_attendee_where_the_board_says_so(
    cloud: Server, alice: Dav, board: str, url: str
) -> None:
    assert alice.put(f"{board}/Doing/Posters.md", "---\nassign: [bob, nobody]\n---\n").status == 201
    item = items_of(alice, url)["Posters"]
    assert said(alice.get(item).text, "CATEGORIES") == "Doing,@bob,@nobody"
    assert "ATTENDEE" not in alice.get(item).text
    text = alice.get(f"{board}/board.toml").text
    assert alice.put(f"{board}/board.toml", f"attendees = true\n{text}").status == 204
    served = alice.get(item).text
    lines = [line for line in served.replace("\r\n ", "").split("\r\n") if line.startswith("ATTENDEE")]
    assert len(lines) == 1
    assert ";PARTSTAT=ACCEPTED;SCHEDULE-AGENT=NONE:mailto:bob@" in lines[0]
    assert alice.put(item, changed(served, ATTENDEE=None, CATEGORIES="Doing,@alice")).status == 204
    after = alice.get(f"{board}/Doing/Posters.md").text
    assert "assign: [alice]\n" in after
    assert "ATTENDEE" not in after
    assert "mailto:alice@" in alice.get(item).text.replace("\r\n ", "")


@pytest.mark.parametrize("way", ["PUT", "DELETE", "MOVE away", "COPY over"])
def test_what_a_board_is_says_who_administers_it(bob: Dav, board: str, cloud: Server, way: str) -> None:
    assert bob.put(f"{board}/other.txt", BOARD).status == 201
    before, path = cloud.tree(), f"{board}/board.toml"
    reply = {
        "PUT": lambda: bob.put(path, BOARD),
        "DELETE": lambda: bob.delete(path),
        "MOVE away": lambda: bob.move(path, f"{board}/away.toml"),
        "COPY over": lambda: bob.copy(f"{board}/other.txt", path),
    }[way]()
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before
    assert bob.get(path).status == 200
    assert bob.move(f"{board}/Review", f"{board}/Checked").status == 201
    assert 'name = "Checked"' in bob.get(path).text


def test_who_loses_the_right_to_read_a_board_loses_its_list(alice: Dav, bob: Dav, board: str, url: str) -> None:
    theirs = url.replace("alice", "bob")
    reply = bob.report("/dav/bob/", sync())
    assert theirs in reply.multistatus()
    token = reply.xml.findtext(DAV.sync_token) or ""
    assert alice.put(f"{board}/access.toml", '[[rule]]\nwho = ["carol"]\nmay = ["read"]\n').status == 201
    assert bob.propfind(theirs).status == 404
    assert {path: row.status for path, row in bob.report("/dav/bob/", sync(token)).multistatus().items()} == {
        theirs: 404
    }
    assert alice.delete(f"{board}/access.toml").status == 204
    assert bob.propfind(theirs).status == 207


def test_without_its_file_a_board_has_its_folders_as_columns_and_done_is_the_card_s_own(
    alice: Dav, board: str, url: str
) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    assert alice.delete(f"{board}/board.toml").status == 204
    served = alice.get(item).text
    assert (said(served, "STATUS"), said(served, "X-STATUS")) == ("NEEDS-ACTION", "Doing")
    assert alice.put(item, changed(served, STATUS="COMPLETED", COMPLETED="20261127T100000Z")).status == 204
    assert column_of(alice, board, "Posters") == "Doing"
    text = alice.get(f"{board}/Doing/Posters.md").text
    assert "status: COMPLETED\n" in text
    assert "completed: 2026-11-27T10:00:00Z\n" in text
    after = alice.get(item).text
    assert (said(after, "STATUS"), said(after, "COMPLETED"), said(after, "PERCENT-COMPLETE")) == (
        "COMPLETED",
        "20261127T100000Z",
        "100",
    )
    assert alice.put(item, changed(after, STATUS="NEEDS-ACTION", COMPLETED=None, PERCENT_COMPLETE=None)).status == 204
    text = alice.get(f"{board}/Doing/Posters.md").text
    assert "completed" not in text
    assert "COMPLETED" not in text
    assert calendar_of(alice, board) == url


def test_a_column_without_a_folder_is_made_when_it_is_used(alice: Dav, board: str, url: str) -> None:
    assert alice.delete(f"{board}/Review").status == 204
    assert alice.put(f"{board}/board.toml", BOARD).status == 204
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", "X-STATUS:Review")).status == 201
    assert "Review/Posters.md" in files_of(alice, board)


def test_who_may_create_alone_sees_and_edits_its_own_cards_in_both_views(
    cloud: Server, alice: Dav, board: str, url: str
) -> None:
    carol, theirs = cloud.client("carol"), url.replace("alice", "carol")
    assert alice.put(f"{board}/access.toml", '[[rule]]\nwho = ["carol"]\nmay = ["create"]\n').status == 201
    hidden = put_card(alice, board, "Doing", "Hidden").replace("alice", "carol")
    assert carol.put(f"{theirs}own.ics", task("u-1", "Own")).status == 201
    assert set(carol.propfind(theirs, depth="1").multistatus()) == {theirs, f"{theirs}own.ics"}
    served = carol.get(f"{theirs}own.ics").text
    assert carol.put(f"{theirs}own.ics", changed(served, PRIORITY="1")).status == 204
    told = carol.report(theirs, multiget(hidden, f"{theirs}own.ics")).multistatus()
    assert {path: row.status for path, row in told.items()} == {hidden: 404, f"{theirs}own.ics": None}
    before = cloud.tree()
    assert carol.get(hidden).status == 404
    assert carol.put(hidden, task("u-2", "x")).status == 403
    assert carol.report(theirs, sync()).condition == DAV.need_privileges
    assert cloud.tree() == before
    assert carol.delete(f"{theirs}own.ics").status == 204


@pytest.mark.rfc("4331", "6")
def test_the_quota_of_a_board_holds_for_what_comes_through_its_calendar(alice: Dav, cloud: Server) -> None:
    assert alice.mkcol("/files/Boards/Full").status == 201
    url = calendar_of(alice, "/files/Boards/Full")
    assert alice.put(f"{url}a.ics", task("u-1", "Posters")).status == 201
    before, large = cloud.tree(), "DESCRIPTION:" + "x" * 600
    served = alice.get(f"{url}a.ics").text
    file = inline("a.png", b"x" * 600)  # a card does not come without what is attached to it
    attached = changed(served, PRIORITY="1").replace("END:VTODO", f"{file}\r\nEND:VTODO")
    edits = [("b", task("u-2", "Flyers", large)), ("a", changed(served, DESCRIPTION="x" * 600))]
    for name, body in (*edits, ("b", task("u-2", "Flyers", file)), ("a", attached)):
        reply = alice.put(f"{url}{name}.ics", body)
        assert (reply.status, reply.condition) == (507, DAV.quota_not_exceeded)
    assert cloud.tree() == before
