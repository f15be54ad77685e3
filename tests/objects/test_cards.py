"""Cards as files and as tasks: what is done in one view is seen in the other."""

from __future__ import annotations

import time

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.harness import Dav, Server
from tests.objects.conftest import calendar_of, changed, files_of, items_of, said
from tests.pim.samples import event, multiget, sync, task

TASKS_ORG = "+//IDN tasks.org//android"
DONE = {"STATUS": "COMPLETED", "COMPLETED": "20261127T100000Z", "PERCENT_COMPLETE": "100"}
OPEN_AGAIN: dict[str, str | None] = {"COMPLETED": None, "PERCENT_COMPLETE": None}
EDITS: list[tuple[str, str, dict[str, str | None], str]] = [
    ("jtx by status", "To do", {"STATUS": "IN-PROCESS", "X_STATUS": None, "PERCENT_COMPLETE": "1"}, "Doing"),
    ("jtx by status", "Doing", {"STATUS": "COMPLETED", "X_STATUS": None}, "Done"),
    ("jtx by extended status", "Doing", {"X_STATUS": "Review", "STATUS": "IN-PROCESS"}, "Review"),
    ("jtx by category", "To do", {"CATEGORIES": "Review,urgent"}, "Review"),
    ("jtx by category", "Doing", {"CATEGORIES": "Done,urgent"}, "Done"),
    ("jtx by category", "Review", {"CATEGORIES": "To do,urgent"}, "To do"),
    ("Tasks.org sorts", "Review", {"CATEGORIES": "urgent,Review"}, "Review"),
    ("Tasks.org adds a tag", "Doing", {"CATEGORIES": "Doing,Done,urgent"}, "Done"),
    ("Tasks.org completes", "Review", {**DONE}, "Done"),
    ("Apple completes", "Doing", {**DONE, "CATEGORIES": None, "X_STATUS": None}, "Done"),
    ("Thunderbird by status", "To do", {"STATUS": "IN-PROCESS"}, "Doing"),
    ("Thunderbird by percent", "To do", {"PERCENT_COMPLETE": "30"}, "Doing"),
    ("a title", "Review", {"SUMMARY": "Another title"}, "Review"),
    ("percent dropped", "Done", {"PERCENT_COMPLETE": None}, "Done"),
    ("cancelled", "Doing", {"STATUS": "CANCELLED"}, "Doing"),
    ("an unknown extended status", "Doing", {"X_STATUS": "Blocked"}, "Doing"),
]


def put_card(client: Dav, board: str, column: str, title: str, text: str = "---\ntags: [urgent]\n---\nWords.\n") -> str:
    """A card by the file view; its calendar object's URL."""
    assert client.put(f"{board}/{column}/{title}.md", text).status == 201
    return items_of(client, calendar_of(client, board))[title]


def column_of(client: Dav, board: str, title: str) -> str:
    (spot,) = [name for name in files_of(client, board) if name.endswith(f"/{title}.md")]
    return spot.partition("/")[0]


@pytest.mark.parametrize(("edit", "column", "change", "expected"), EDITS)
def test_an_edit_of_a_client_moves_the_card_where_a_person_expects(
    alice: Dav, board: str, edit: str, column: str, change: dict[str, str | None], expected: str
) -> None:
    item = put_card(alice, board, column, "Posters")
    served = alice.get(item)
    assert said(served.text, "X-STATUS") == column
    assert said(served.text, "CATEGORIES") == f"{column},urgent"
    reply = alice.put(item, changed(served.text, **change), {"If-Match": served.headers["etag"]})
    assert reply.status == 204, edit
    title = change.get("SUMMARY") or "Posters"
    assert column_of(alice, board, title) == expected
    after = alice.get(item).text
    assert said(after, "X-STATUS") == expected
    assert said(after, "CATEGORIES") == (expected if change.get("CATEGORIES", "") is None else f"{expected},urgent")
    assert said(after, "UID") == said(served.text, "UID")


@pytest.mark.parametrize(
    ("origin", "change", "expected"),
    [
        ("Review", {"STATUS": None, **OPEN_AGAIN}, "Review"),
        ("Doing", {"STATUS": "NEEDS-ACTION", **OPEN_AGAIN}, "Doing"),
        ("Review", {"STATUS": "IN-PROCESS", "COMPLETED": None, "PERCENT_COMPLETE": "99"}, "Review"),
        ("To do", {"STATUS": "IN-PROCESS", "COMPLETED": None, "PERCENT_COMPLETE": "99"}, "Doing"),
    ],
)
def test_what_is_reopened_goes_back_where_it_came_from(
    alice: Dav, board: str, origin: str, change: dict[str, str | None], expected: str
) -> None:
    item = put_card(alice, board, origin, "Posters")
    assert alice.put(item, changed(alice.get(item).text, **DONE)).status == 204
    done = alice.get(item).text
    assert (said(done, "STATUS"), said(done, "COMPLETED")) == ("COMPLETED", "20261127T100000Z")
    assert alice.put(item, changed(done, **change)).status == 204
    after = alice.get(item).text
    assert column_of(alice, board, "Posters") == expected
    assert said(after, "COMPLETED") == ""
    assert said(after, "PERCENT-COMPLETE") in ("", "99")


def test_a_status_that_no_column_has_stands_in_the_file(alice: Dav, board: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    assert alice.put(item, changed(alice.get(item).text, STATUS="CANCELLED")).status == 204
    assert "status: CANCELLED\n" in alice.get(f"{board}/Doing/Posters.md").text
    assert said(alice.get(item).text, "STATUS") == "CANCELLED"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), "To do"),
        (("X-STATUS:review",), "Review"),
        (("STATUS:COMPLETED",), "Done"),
        (("CATEGORIES:urgent,Doing",), "Doing"),
    ],
)
def test_a_new_task_is_a_new_card(alice: Dav, board: str, url: str, lines: tuple[str, ...], expected: str) -> None:
    assert alice.put(f"{url}from-a-phone.ics", task("u-1", "Ring: the *printer*", *lines)).status == 201
    assert files_of(alice, board) == {"board.toml", f"{expected}/Ring- the -printer-.md"}
    text = alice.get(f"{board}/{expected}/Ring- the -printer-.md").text
    assert 'title: "Ring: the *printer*"\n' in text
    assert "uid: u-1\n" in text
    assert said(alice.get(f"{url}from-a-phone.ics").text, "SUMMARY") == "Ring: the *printer*"


def test_only_the_changed_lines_of_a_file_are_touched(alice: Dav, board: str) -> None:
    lines = ("\ufeff---", "# of the printer's", "due: 2026-12-01   # a Tuesday", "x-own: kept", "tags: [urgent]", "---")
    text = "\r\n".join((*lines, "", "Print **200**.", "", "- [x] ask", ""))
    item = put_card(alice, board, "Doing", "Posters", text)
    served = alice.get(item).text
    assert said(served, "DESCRIPTION") == "Print **200**.\\n\\n- [x] ask"
    assert alice.put(item, changed(served, PRIORITY="1", DUE=";VALUE=DATE:20261224")).status == 204
    expected = text.replace("due: 2026-12-01   # a Tuesday", "due: 2026-12-24")
    expected = expected.replace(
        "tags: [urgent]\r\n", f"tags: [urgent]\r\nuid: {said(served, 'UID')}\r\npriority: 1\r\n"
    )
    assert alice.get(f"{board}/Doing/Posters.md").body.decode() == expected


def test_a_file_is_stored_as_it_was_sent_and_one_that_cannot_be_read_is_told(alice: Dav, board: str) -> None:
    text = b"---\npriority: 2\nnot: [closed\n: : :\n---\nWords\xff\n\n\n"
    assert alice.put(f"{board}/Doing/a.md", text).status == 201
    (item,) = items_of(alice, calendar_of(alice, board)).values()
    assert alice.get(f"{board}/Doing/a.md").body == text
    served = alice.get(item).text
    assert said(served, "DESCRIPTION").startswith("[file cannot be read: line ")
    assert said(served, "PRIORITY") == "2"
    assert alice.put(item, changed(served, LOCATION="here")).status == 204
    after = alice.get(f"{board}/Doing/a.md").text
    assert "priority: 2\n" in after
    assert "location: here\n" in after
    assert "cannot be read" not in after
    assert "cannot be read" not in alice.get(item).text


def test_a_card_that_breaks_shows_what_it_said_before_and_a_phone_mends_it(alice: Dav, board: str) -> None:
    item = put_card(alice, board, "Doing", "Posters", "---\ndue: 2026-12-01\ntags: [urgent]\n---\nWords\n")
    good, path = alice.get(item).text, f"{board}/Doing/Posters.md"
    broken = "---\ndue: 2026-12-24\ntags: [urgent\n---\nOther words\n"
    for text in (broken, broken + "more\n"):
        assert alice.put(path, text).status == 204
        served = alice.get(item).text
        assert said(served, "DESCRIPTION").startswith("[file cannot be read: line 3: ")
        assert said(served, "DESCRIPTION").endswith("]\\nWords")
        for name in ("UID", "SUMMARY", "DUE", "CATEGORIES", "X-STATUS", "CREATED"):
            assert said(served, name) == said(good, name)
    assert alice.put(item, changed(served, PRIORITY="1")).status == 204
    after = alice.get(path).text
    assert after.endswith("---\nWords\n")
    for line in ("due: 2026-12-01", "tags: [urgent]", "priority: 1", f"uid: {said(good, 'UID')}"):
        assert f"{line}\n" in after
    versions = alice.propfind(f"/files/History{path[6:]}", depth="1").multistatus()
    assert broken + "more\n" in [alice.get(version).text for version in versions if version.endswith(".md")]
    assert "cannot be read" not in alice.get(item).text


def test_what_a_client_knows_and_the_file_does_not_is_kept(alice: Dav, board: str, url: str) -> None:
    lines = (
        'X-CUSTOM;A="b,c":d\\,e',
        "COMMENT:first",
        "COMMENT:second",
        "LINK;LINKREL=SOURCE;VALUE=URI:https://example.org/",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "END:VALARM",
    )
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", *lines)).status == 201
    served = alice.get(f"{url}a.ics").text
    for line in lines:
        assert line in served.replace("\r\n ", "")
    assert alice.put(f"{board}/To do/Posters.md", alice.get(f"{board}/To do/Posters.md").text + "more\n").status == 204
    assert "TRIGGER:-PT15M" in alice.get(f"{url}a.ics").text
    without = [line for line in served.split("\r\n") if not line.startswith(("LINK", "COMMENT:first", "X-CUSTOM"))]
    body = "\r\n".join(without).replace("PRODID:-//davserver//EN", f"PRODID:{TASKS_ORG}")
    assert alice.put(f"{url}a.ics", body).status == 204
    after = alice.get(f"{url}a.ics").text
    assert "LINK;" in after
    assert "COMMENT:first" in after
    assert "X-CUSTOM" not in after


def test_an_edit_of_one_view_defeats_a_stale_one_of_the_other(alice: Dav, bob: Dav, board: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    task_tag = alice.get(item).headers["etag"]
    file_tag = alice.get(f"{board}/Doing/Posters.md").headers["etag"]
    assert bob.put(f"{board}/Doing/Posters.md", "Bob's words\n", {"If-Match": file_tag}).status == 204
    stale = alice.put(item, changed(alice.get(item).text, PRIORITY="1"), {"If-Match": task_tag})
    assert stale.status == 412
    assert alice.get(f"{board}/Doing/Posters.md").text == "Bob's words\n"
    served = alice.get(item)
    assert alice.put(item, changed(served.text, PRIORITY="1"), {"If-Match": served.headers["etag"]}).status == 204
    assert bob.put(f"{board}/Doing/Posters.md", "stale\n", {"If-Match": file_tag}).status == 412
    kept = [
        bob.get(path).text
        for path in bob.propfind(f"/files/History{board[6:]}/Doing/Posters.md", depth="1").multistatus()
        if path.endswith(".md")
    ]
    assert "Bob's words\n" in kept


def test_storing_what_was_served_changes_nothing(alice: Dav, board: str, url: str) -> None:
    item = put_card(alice, board, "Doing", "Posters", "---\ndue: 2026-11-24T09:00:00 Europe/Paris\n---\nWords\n")
    served = alice.get(item)
    token = alice.report(url, sync()).xml.findtext(DAV.sync_token) or ""
    tag = alice.get(f"{board}/Doing/Posters.md").headers["etag"]
    reply = alice.put(item, served.body, {"If-Match": served.headers["etag"]})
    assert (reply.status, reply.headers["etag"]) == (204, served.headers["etag"])
    again = changed(served.text, SEQUENCE="4").replace("PRODID:-//davserver//EN", f"PRODID:{TASKS_ORG}")
    assert alice.put(item, again).status == 204
    assert alice.get(f"{board}/Doing/Posters.md").headers["etag"] == tag
    assert alice.report(url, sync(token)).multistatus() == {}


@pytest.mark.rfc("6578", "3.5")
def test_a_sync_tells_of_what_either_view_changed(alice: Dav, board: str, url: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    token = alice.report(url, sync()).xml.findtext(DAV.sync_token) or ""
    assert alice.move(f"{board}/Doing/Posters.md", f"{board}/Review/Posters.md").status == 201
    reply = alice.report(url, sync(token))
    assert list(reply.multistatus()) == [item]
    assert said(alice.get(item).text, "X-STATUS") == "Review"
    token = reply.xml.findtext(DAV.sync_token) or ""
    assert alice.delete(f"{board}/Review/Posters.md").status == 204
    assert {path: row.status for path, row in alice.report(url, sync(token)).multistatus().items()} == {item: 404}
    token = alice.report(url, sync(token)).xml.findtext(DAV.sync_token) or ""
    trashed = f"/files/Trash{board[6:]}/Review/Posters.md"
    assert alice.move(trashed, f"{board}/Review/Posters.md").status == 201
    assert list(alice.report(url, sync(token)).multistatus()) == [item]


def test_deleting_a_task_puts_its_card_into_the_trash(alice: Dav, board: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    assert alice.delete(item, {"If-Match": '"stale"'}).status == 412
    assert alice.delete(item).status == 204
    assert files_of(alice, board) == {"board.toml"}
    assert alice.get(f"/files/Trash{board[6:]}/Doing/Posters.md").status == 200


def test_two_cards_never_have_one_name(alice: Dav, board: str, url: str) -> None:
    for uid in ("u-1", "u-2", "u-3"):
        assert alice.put(f"{url}{uid}.ics", task(uid, "Same")).status == 201
    assert files_of(alice, board) == {"board.toml", "To do/Same.md", "To do/Same (2).md", "To do/Same (3).md"}
    titles = [said(alice.get(f"{url}{uid}.ics").text, "SUMMARY") for uid in ("u-1", "u-2", "u-3")]
    assert titles == ["Same"] * 3


@pytest.mark.rfc("4791", "5.3.2.1")
def test_a_board_takes_tasks_and_each_uid_once(alice: Dav, cloud: Server, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "One")).status == 201
    before = cloud.tree()
    wrong = alice.put(f"{url}b.ics", event("u-2"))
    assert (wrong.status, wrong.condition) == (403, CALDAV.supported_calendar_component)
    twice = alice.put(f"{url}b.ics", task("u-1", "Two"))
    assert (twice.status, twice.condition, twice.hrefs) == (403, CALDAV.no_uid_conflict, [f"{url}a.ics"])
    other = alice.put(f"{url}a.ics", task("u-9", "Other"))
    assert (other.status, other.condition) == (403, CALDAV.no_uid_conflict)
    assert cloud.tree() == before


def test_reports_answer_as_for_any_task_list(alice: Dav, board: str, url: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    assert "SUMMARY:Posters" in alice.report(url, multiget(item)).text
    found = alice.propfind(url, DAV.displayname, CALDAV.supported_calendar_component_set, DAV.sync_token).multistatus()[
        url
    ]
    assert found.text(DAV.displayname) == board.rpartition("/")[2]
    export = alice.get(url)
    assert export.text.count("BEGIN:VTODO") == 1


def test_who_may_not_read_a_board_finds_none(alice: Dav, dora: Dav, url: str) -> None:
    theirs = url.replace("alice", "dora")
    assert dora.propfind(theirs).status == 404
    assert url not in str(dora.propfind("/dav/dora/", depth="1").text)
    assert dora.get(url).status == 404


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        (".hidden", "hidden"),
        ("~draft", "draft"),
        (".~lock.a#", "lock.a#"),
        ("~", "Untitled"),
        ("con", "con_"),
        ("a/b\\\\c", "a-b-c"),
        ("../../x", "-..-x"),
        ("ends. ", "ends"),
        ("ends with dot.", "ends with dot"),
        ("x" * 300, "x" * 120),
        ("\u65e5\u672c" * 80, "\u65e5\u672c" * 20),
        ("caf\u0065\u0301", "caf\u00e9"),
        ("board.toml", "board.toml"),
        ("a\u202eb", "a-b"),
        ("\U0001f389 fair", "\U0001f389 fair"),
        ("README", "README"),
    ],
)
def test_any_title_has_a_file_and_comes_back(alice: Dav, board: str, url: str, title: str, stem: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", title)).status == 201
    assert files_of(alice, board) == {"board.toml", f"To do/{stem}.md"}
    served = alice.get(f"{url}a.ics").text
    assert said(served, "SUMMARY") == title.strip()
    assert alice.put(f"{url}a.ics", changed(served, SUMMARY="plain")).status == 204
    assert files_of(alice, board) == {"board.toml", "To do/plain.md"}
    assert "title" not in alice.get(f"{board}/To do/plain.md").text


@pytest.mark.rfc("4791", "5.3.2.1")
def test_what_no_file_has_room_for_is_refused(alice: Dav, cloud: Server, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Many", "X-OWN:1")).status == 201
    served, before = alice.get(f"{url}a.ics").text, cloud.tree()
    lines = [f"X-OWN-{number}:{number}" for number in range(6000)]
    for name, body in (("b", task("u-2", "New", *lines)), ("a", served.replace("X-OWN:1", "\r\n".join(lines)))):
        reply = alice.put(f"{url}{name}.ics", body)
        assert (reply.status, reply.condition) == (403, CALDAV.max_resource_size)
    assert cloud.tree() == before


def test_a_task_without_title_is_untitled(alice: Dav, board: str, url: str) -> None:
    body = task("u-1", "x").replace("SUMMARY:x\r\n", "")
    assert alice.put(f"{url}a.ics", body).status == 201
    assert files_of(alice, board) == {"board.toml", "To do/Untitled.md"}


def test_an_edit_in_place_on_the_disk_is_seen_and_defeats_a_stale_one(alice: Dav, cloud: Server, board: str) -> None:
    item = put_card(alice, board, "Doing", "Posters", "words one\n")
    time.sleep(0.01)  # a stamp of the kernel
    before = alice.get(item)
    with (cloud.data / "files" / board.removeprefix("/files/") / "Doing" / "Posters.md").open("r+") as file:
        file.write("words two\n")
    assert alice.put(item, changed(before.text, PRIORITY="1"), {"If-Match": before.headers["etag"]}).status == 412
    assert said(alice.get(item).text, "DESCRIPTION") == "words two"


@pytest.mark.rfc("4791", "4.1")
def test_a_copy_of_a_recurring_card_is_one_object_with_one_uid(alice: Dav, board: str, url: str) -> None:
    override = ("END:VTODO", "BEGIN:VTODO", "UID:u-1", "DTSTAMP:20260101T000000Z")
    override += ("RECURRENCE-ID:20260119T090000Z", "SUMMARY:Later", "BEGIN:VALARM", "UID:of-the-alarm")
    override += ("ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT5M", "END:VALARM")
    body = task("u-1", "Water", "DTSTART:20260105T090000Z", "RRULE:FREQ=WEEKLY;COUNT=5", *override)
    assert alice.put(f"{url}a.ics", body).status == 201
    assert alice.copy(f"{board}/To do/Water.md", f"{board}/Doing/Plants.md").status == 201
    item = items_of(alice, url)["Plants"]
    served = alice.get(item).text
    uid = said(served, "UID")
    assert uid != "u-1"
    assert (served.count(f"UID:{uid}\r\n"), served.count("UID:of-the-alarm\r\n"), served.count("UID:")) == (2, 1, 3)
    assert alice.put(item, served.replace("SUMMARY:Plants", "SUMMARY:Flowers")).status == 204
    assert (said(alice.get(item).text, "SUMMARY"), alice.get(item).text.count(f"UID:{uid}\r\n")) == ("Flowers", 2)


@pytest.mark.parametrize(
    "block",
    [
        'ical: ["X-A:1\\nEND:VTODO"]',
        'ical: ["X-A:1\\rEND:VTODO"]',
        'due: 2026-12-01\nical: ["DUE:20261202T000000Z"]',
        'start: 2026-12-01\nrrule: ["FREQ=DAILY;COUNT=2", "UID:other"]',
        'rrule: ["BEGIN:VALARM"]',
        'ical-parts: ["BEGIN:VTODO", "SUMMARY:no occurrence", "END:VTODO"]',
        'ical-parts: ["BEGIN:VALARM\\nX-A:1", "END:VALARM"]',
    ],
)
def test_whatever_a_file_says_is_served_as_an_object_that_can_be_stored(
    alice: Dav, board: str, url: str, block: str
) -> None:
    item = put_card(alice, board, "Doing", "Posters", f"---\n{block}\n---\nwords\n")
    served = alice.get(item)
    assert alice.put(item, served.text).status == 204
    assert alice.get(item).headers["etag"] == served.headers["etag"]
    assert alice.put(item, changed(served.text, PRIORITY="1")).status == 204
    assert said(alice.get(item).text, "DESCRIPTION") == "words"
