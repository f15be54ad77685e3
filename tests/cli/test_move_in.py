"""``davserver import`` of boards and notes from elsewhere, beside a running server and without one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.cli.command import Result, davserver
from tests.conftest import MakeServer
from tests.harness import ACCESS, FOLDERS, Dav, Server
from tests.movein.exports import deck, deck_board, deck_card, deck_stack, trello, write_joplin_raw

Import = Callable[..., Result]
RULES = (
    ACCESS
    + """
[[rule]]
path = "/files/Boards"
who = ["all-users"]
may = ["read"]
scope = "here"

[[rule]]
path = "/files/Polls"
who = ["all-users"]
may = ["read"]
scope = "here"

[[rule]]
path = "/files/Notes"
who = ["sport"]
may = ["read", "create", "write", "delete"]
"""
)
WAYS = ["beside the server", "without a server"]


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server(access=RULES, folders=(*FOLDERS, "Boards", "Notes", "Polls")).start()


@pytest.fixture(params=WAYS)
def run(request: pytest.FixtureRequest, server: Server) -> Import:
    """Import a file or folder, with the server running or stopped meanwhile."""

    def run(what: bytes | Path, *arguments: str) -> Result:
        file = what if isinstance(what, Path) else server.folder / "export"
        if isinstance(what, bytes):
            file.write_bytes(what)
        if request.param == "without a server":
            server.stop()
        result = davserver("import", str(file), *arguments, "-c", str(server.config))
        if request.param == "without a server":
            server.start()
        return result

    return run


def members(client: Dav, path: str) -> set[str]:
    rows = client.propfind(path, DAV.getetag, depth="1").multistatus()
    return {href.removeprefix(path) for href in rows} - {""}


def drive(server: Server) -> dict[str, bytes | None]:
    return {path: data for path, data in server.tree().items() if path.startswith(("files", "homes", "scratch/"))}


def test_a_board_of_deck_is_read_by_its_owner_and_nobody_else(run: Import, alice: Dav, bob: Dav) -> None:
    result = run(deck(), "--owner", "Alice")
    assert result.code == 0
    assert "/files/Boards/Summer camp: 4 files in 3 folders" in result.out
    assert members(alice, "/files/Boards/Summer camp/") == {"board.toml", "To do - later/", "Done/", "Archive/"}
    assert members(alice, "/files/Boards/Summer camp/To do - later/") == {"Posters.md", "Tents- how many-.md"}
    reply = alice.get("/files/Boards/Summer camp/To do - later/Posters.md")
    assert "assign: [alice, zoe]\n" in reply.text
    assert "\n- [x] ask for a price\n" in reply.text
    assert reply.headers["last-modified"] == "Tue, 18 Jul 2023 08:09:39 GMT"
    assert bob.propfind("/files/Boards/Summer camp/").status == 404
    card = "/files/Boards/Summer camp/Done/new.md"
    assert (alice.put(card, b"x").status, bob.put(card, b"x").status) == (201, 404)


def test_cards_are_tasks_of_whoever_may_read_the_board(run: Import, alice: Dav) -> None:
    alice.propfind("/dav/alice/")  # made when it is used first
    assert run(trello(), "--owner", "alice").code == 0
    [url] = [href for href in members(alice, "/dav/alice/") if href.startswith("board-")]
    tasks = [alice.get(f"/dav/alice/{url}{name}").text for name in members(alice, f"/dav/alice/{url}")]
    [posters] = [text for text in tasks if "\r\nSUMMARY:Posters\r\n" in text]
    [tents] = [text for text in tasks if "\r\nSUMMARY:Tents\r\n" in text]
    assert len(tasks) == 2
    for line in (
        "DTSTART:20261124T090000Z",
        "DUE:20261201T170000Z",
        "CREATED:20170915T161403Z",
        "STATUS:NEEDS-ACTION",
        "X-STATUS:To do",
        "CATEGORIES:To do,urgent,green,@alice",
        "X-APPLE-SORT-ORDER:2048",
        "LOCATION:Town hall",
        "GEO:48.85;2.35",
    ):
        assert f"\r\n{line}\r\n" in posters, line
    assert "\r\nCOMPLETED:20260710T170158Z\r\n" in tents
    assert "\r\nSTATUS:COMPLETED\r\n" in tents


def test_what_had_no_place_is_told_and_who_is_no_member(run: Import) -> None:
    result = run(deck())
    assert "without --owner nobody owns it" in result.out
    said = result.err.splitlines()
    assert said[0] == "/files/Boards/Summer camp: what had no place there, or has another one"
    assert "  comments, whose text is not in the export: 3 ('Posters')" in said
    assert "  attachments, whose bytes are not in the export: 1 ('Posters: offer.pdf')" in said
    assert said[-1] == "assigned, but no members here (their names stay with the cards): zoe"


def test_a_board_of_trello_can_be_called_otherwise(run: Import, alice: Dav) -> None:
    result = run(trello(), "Boards/July", "--owner", "alice")
    assert result.code == 0
    assert "  votes: 2 ('Posters')" in result.err.splitlines()
    assert members(alice, "/files/Boards/July/") == {"board.toml", "To do/", "Done/", "Archive/"}
    assert "- [x] ask for a price (@zoe)\n" in alice.get("/files/Boards/July/To do/Posters.md").text
    assert "Hello" in alice.get("/files/Boards/July/To do/Posters.files/Comments.md").text


def test_nothing_that_is_there_is_replaced(run: Import, server: Server, alice: Dav) -> None:
    assert run(deck(), "--owner", "alice") == Result(0)
    assert alice.put("/files/Boards/Summer camp/Done/mine.md", b"mine").status == 201
    before = drive(server)
    result = run(deck(), "/files/Boards/summer CAMP", "--owner", "alice")
    assert result.code == 1
    assert "something has this name already" in result.err or "a board of this name already" in result.err
    assert drive(server) == before
    assert "/files/Boards/Summer camp (2): 4 files" in run(deck(), "--owner", "alice").out
    assert members(alice, "/files/Boards/") == {"Summer camp/", "Summer camp (2)/"}
    assert {path: data for path, data in drive(server).items() if path in before} == before


def test_all_boards_of_a_file_come_or_none(run: Import, server: Server, alice: Dav) -> None:
    boards = [deck_board([deck_stack(64, "A", 0, deck_card(1, "x"))], title=title) for title in ("One", "One", "Two")]
    data = json.dumps({"boards": boards}).encode()
    before = drive(server)
    refused = run(data, "Boards/All")
    assert (refused.code, drive(server)) == (1, before)
    assert "the file holds 3 boards, which cannot all have this name" in refused.err
    assert run(data, "Boards", "--owner", "alice") == Result(0)
    assert members(alice, "/files/Boards/") == {"One/", "One (2)/", "Two/"}
    assert alice.get("/files/Boards/One (2)/A/x.md").status == 200


def test_a_dry_run_says_the_same_and_stores_nothing(run: Import, server: Server, tmp_path: Path) -> None:
    before = drive(server)
    result = run(deck(), "--owner", "alice", "--dry-run")
    assert result.code == 0
    assert "/files/Boards/Summer camp: would be: 4 files in 3 folders" in result.out
    assert "  comments, whose text is not in the export: 3 ('Posters')" in result.err
    assert run(notes_in(tmp_path), "--dry-run").code == 0
    assert drive(server) == before


SYNC = (
    '<D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level>'
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)


def test_a_client_that_synchronises_is_told_of_the_new_folder(run: Import, alice: Dav, tmp_path: Path) -> None:
    token = alice.report("/files/Notes/", SYNC.format("")).xml.findtext("{DAV:}sync-token")
    assert run(notes_in(tmp_path)).code == 0
    assert set(alice.report("/files/Notes/", SYNC.format(token)).multistatus()) == {"/files/Notes/From Nextcloud/"}


def notes_in(folder: Path) -> Path:
    notes = folder / "From Nextcloud"
    (notes / "Minutes" / ".attachments.17").mkdir(parents=True)
    (notes / "Minutes" / "March.md").write_bytes(b"# March\r\n![](.attachments.17/plan.png)")
    (notes / "Minutes" / ".attachments.17" / "plan.png").write_bytes(bytes(range(256)) * 4096)
    (notes / "Shopping.txt").write_bytes(b"milk")
    os.utime(notes / "Shopping.txt", (1 << 34, 1 << 34))  # by a clock that is wrong
    (notes / "access.toml").write_bytes(b'[[rule]]\npath = "/files"\nwho = ["world"]\nmay = ["admin"]\n')
    (notes / "passwd.md").symlink_to("/etc/passwd")
    return notes


def test_notes_come_into_a_folder_of_their_own(run: Import, alice: Dav, anonymous: Dav, tmp_path: Path) -> None:
    result = run(notes_in(tmp_path))
    assert result.code == 0
    assert "/files/Notes/From Nextcloud: 3 files in 2 folders" in result.out
    assert "  symbolic links, which are not followed: 1 ('passwd.md')" in result.err
    assert "  files that are this server's own by their names: 1 ('access.toml')" in result.err
    top = "/files/Notes/From Nextcloud/"
    assert members(alice, top) == {"Minutes/", "Shopping.txt"}
    assert alice.get(top + "Minutes/March.md").body == b"# March\r\n![](.attachments.17/plan.png)"
    assert alice.get(top + "Minutes/.attachments.17/plan.png").body == bytes(range(256)) * 4096
    assert anonymous.propfind(top).status == 401
    again = run(tmp_path / "From Nextcloud", "Notes/From Nextcloud")
    assert "/files/Notes/From Nextcloud/From Nextcloud: 3 files" in again.out


def test_notes_can_go_to_any_folder_that_is_made_where_that_is_asked_for(
    run: Import, server: Server, alice: Dav, tmp_path: Path
) -> None:
    notes, before = notes_in(tmp_path), drive(server)
    result = run(notes, "Sport/Know-how/Old")
    assert (result.code, drive(server)) == (1, before)
    assert "/files/Sport/Know-how: there is no such folder; --create makes it" in result.err
    assert run(notes, "Sport/Know-how/Old", "--create") == Result(0)
    assert members(alice, "/files/Sport/Know-how/Old/") == {"Minutes/", "Shopping.txt"}
    assert run(notes, "Home/Old", "--owner", "alice") == Result(0)
    assert alice.get("/files/Home/Old/Shopping.txt").body == b"milk"


def test_a_raw_export_of_joplin_comes_with_pictures_and_links(run: Import, alice: Dav, tmp_path: Path) -> None:
    write_joplin_raw(tmp_path / "Joplin")
    assert run(tmp_path / "Joplin", "Notes/Joplin") == Result(0)
    top = "/files/Notes/Joplin/Minutes/2026- spring/"
    assert "![plan](Board%20meeting.files/plan%20of%20the%20hall.png)" in alice.get(top + "Board meeting.md").text
    assert alice.get(top + "Board meeting.files/plan of the hall.png").body == b"\x89PNG"


def test_notes_are_journals_that_know_when_they_were_made(run: Import, alice: Dav, tmp_path: Path) -> None:
    alice.propfind("/dav/alice/")
    write_joplin_raw(tmp_path / "Joplin")
    assert run(tmp_path / "Joplin").code == 0
    [url] = [href for href in members(alice, "/dav/alice/") if href.startswith("notes-")]
    notes = [alice.get(f"/dav/alice/{url}{name}").text for name in members(alice, f"/dav/alice/{url}")]
    [note] = [text for text in notes if "\r\nSUMMARY:Board meeting\r\n" in text]
    [other] = [text for text in notes if "\r\nSUMMARY:A/B\r\n" in text]
    assert "\r\nCREATED:20230105T000000Z\r\n" in note
    assert "\r\nLAST-MODIFIED:20230106T000000Z\r\n" in note
    assert "\r\nCATEGORIES:/Joplin/Minutes/2026- spring,minutes\r\n" in note
    assert "\r\nDESCRIPTION:- [x] A/B\\n\\n---\\n\\nbelow\r\n" in other


def test_the_tops_are_made_where_they_are_missing(make_server: MakeServer) -> None:
    server = make_server(access=RULES).start()
    file = server.folder / "export"
    file.write_bytes(deck())
    arguments = ("import", str(file), "--owner", "alice", "-c", str(server.config))
    assert "/files/Boards: there is no such folder; --create makes it" in davserver(*arguments).err
    assert davserver(*arguments, "--create") == Result(0)
    alice = server.client("alice")
    assert members(alice, "/files/Boards/") == {"Summer camp/"}
    assert server.client("bob").put("/files/Boards/x.md", b"x").status == 403


REFUSED = {
    # file, arguments: what is said
    "no export": (b'{"a": 1}', (), "neither an export of Deck"),
    "broken JSON": (b'{"a": ', (), "the file is not JSON"),
    "deep": (b"[" * 100_000, (), "the file is"),
    "elsewhere": (deck(), ("Sport/board",), "boards lie in /files/Boards and nowhere else"),
    "below a board": (deck(), ("Boards/a/b",), "boards lie in /files/Boards and nowhere else"),
    "upwards": (deck(), ("Boards/../../x",), "'..' is not a name"),
    "a calendar": (deck(), ("/dav/alice/cal",), "notes and polls are files"),
    "the trash": (deck(), ("Trash/x",), "boards lie in"),
    "a reserved name": (deck(), ("Boards/.state.jsonl",), "is reserved for the server"),
    "no such member": (deck(), ("--owner", "zoe"), "there is no member of this name"),
    "a group": (deck(), ("--owner", "sport"), "there is no member of this name"),
    "skipping": (deck(), ("--skip-refused",), "--skip-refused is for events and contacts"),
    "no place for a calendar": (b"BEGIN:VCALENDAR\r\n", (), "where to?"),
    "a zip": (b"PK\x03\x04abc", (), "is an archive; unpack it"),
    "a .jex": (b"\0" * 257 + b"ustar\x0000" + b"\0" * 248, ("Notes/Joplin",), "is an archive; unpack it"),
    "an owner of a calendar": (b"BEGIN:VCALENDAR\r\n", ("alice/cal", "--owner", "bob"), "--owner is for boards"),
}


@pytest.fixture(scope="module", params=WAYS)
def untouched(request: pytest.FixtureRequest, start_server: MakeServer) -> Server:
    """A server, running or stopped, in which nothing changes."""
    server = start_server(access=RULES, folders=(*FOLDERS, "Boards", "Notes", "Polls"))
    if request.param == "without a server":
        server.stop()
    return server


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_told_in_a_sentence_and_nothing_changes(untouched: Server, case: str) -> None:
    data, arguments, said = REFUSED[case]
    before = untouched.tree()
    (untouched.folder / "export").write_bytes(data)
    result = davserver("import", str(untouched.folder / "export"), *arguments, "-c", str(untouched.config))
    assert result.code == 1
    assert said in result.err
    assert untouched.tree() == before


def test_notes_do_not_go_into_what_the_server_puts_together(untouched: Server, tmp_path: Path) -> None:
    notes, before = notes_in(tmp_path), untouched.tree()
    for to in (
        "Boards",
        "Boards/x",
        "Forms/x",
        "Polls",
        "/files",
        "Trash",
        "Collections",
        "Collections/alice",
        "Members",
        "Members/zoe",
        "Home",
        "History/x",
    ):
        result = davserver("import", str(notes), to, "--create", "-c", str(untouched.config))
        assert (result.code, to) == (1, to)
        assert untouched.tree() == before, to


def test_the_file_can_come_by_a_pipe(server: Server, alice: Dav) -> None:
    result = davserver("import", "-", "--owner", "alice", "-c", str(server.config), stdin=deck().decode())
    assert result == Result(0)
    assert members(alice, "/files/Boards/") == {"Summer camp/"}


def test_a_quota_that_is_too_small_stores_nothing(make_server: MakeServer, tmp_path: Path) -> None:
    access = RULES + '\n[[folder]]\npath = "/files/Notes"\nquota_bytes = 1000000\n'
    server = make_server(access=access, folders=(*FOLDERS, "Boards", "Notes", "Polls")).start()
    before = drive(server)
    result = davserver("import", str(notes_in(tmp_path)), "-c", str(server.config))
    assert result.code == 1
    assert "more bytes do not fit" in result.err
    assert drive(server) == before


def test_a_locked_folder_takes_nothing_new(server: Server, alice: Dav) -> None:
    alice.put("/files/Notes/a.md", b"x")
    assert alice.lock("/files/Notes/").status == 200
    (server.folder / "notes").mkdir()
    (server.folder / "notes" / "b.md").write_bytes(b"x")
    before = drive(server)
    result = davserver("import", str(server.folder / "notes"), "-c", str(server.config))
    assert result.code == 1
    assert "locked" in result.err
    assert drive(server) == before


def test_a_file_cannot_speak_to_the_terminal(server: Server) -> None:
    (server.folder / "export").write_bytes(
        json.dumps([deck_board([], title="\x1b[31mred\n\u202e", acl=[{"participant": "\x1b[2J"}])]).encode()
    )
    result = davserver("import", str(server.folder / "export"), "-c", str(server.config))
    assert result.code == 0
    assert all(line.isprintable() for line in (*result.out.splitlines(), *result.err.splitlines()))


FRAMADATE = '\ufeff,"Sat 12 December 2026","Sun 13 December 2026",\r\n,10:00,14:00-15:30,\r\n"Zoe","Yes","No",\r\n'


def test_a_poll_of_framadate_is_one_with_its_votes(run: Import, server: Server, alice: Dav, bob: Dav) -> None:
    file = server.folder / "Assembly.csv"
    file.write_text(FRAMADATE, encoding="utf-8")
    before = drive(server)
    assert run(file, "--owner", "alice", "--dry-run").code == 0
    assert drive(server) == before
    result = run(file, "--owner", "alice")
    assert result.code == 0
    assert "/files/Polls/Assembly: 2 files in 1 folders" in result.out
    assert alice.get("/files/Polls/Assembly/results.csv").text == (
        ',"Sat 12 Dec 2026, 10:00 – 11:00","Sun 13 Dec 2026, 14:00 – 15:30"\r\n'
        "Zoe,yes,no\r\nyes,1,0\r\nmaybe,0,0\r\nno,0,1\r\n"
    )
    assert bob.propfind("/files/Polls/Assembly/").status == 404
    settings = alice.get("/files/Polls/Assembly/poll.toml").text
    assert alice.put("/files/Polls/Assembly/poll.toml", 'voters = ["bob"]\n' + settings).status == 204
    assert bob.put("/files/Polls/Assembly/votes/bob.toml", 'o1 = "yes"\n').status == 201
    assert "yes,2,0" in alice.get("/files/Polls/Assembly/results.csv").text


@pytest.mark.parametrize(
    ("data", "arguments", "said"),
    [
        (b",a\r\nZoe,Perhaps\r\n", (), "line 2: 'Perhaps' is no answer"),
        (FRAMADATE.encode(), ("Boards/Poll",), "polls lie in /files/Polls and nowhere else"),
    ],
)
def test_a_table_that_cannot_be_a_poll_is_refused(
    server: Server, data: bytes, arguments: tuple[str, ...], said: str
) -> None:
    file, before = server.folder / "export", drive(server)
    file.write_bytes(data)
    result = davserver("import", str(file), *arguments, "-c", str(server.config))
    assert result.code == 1
    assert said in result.err
    assert drive(server) == before
