"""``davserver import``: a file of many items, beside a running server and without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.cli.command import Result, davserver
from tests.conftest import MakeServer
from tests.durability.mirror import Mirror
from tests.harness import Dav, Server
from tests.pim.samples import card, event, mkcalendar, task

CALENDAR = "/dav/alice/cal/"
Import = Callable[..., Result]
TOO_LATE = "RRULE:FREQ=DAILY;UNTIL=never"


def joined(*items: str) -> str:
    """Calendar objects as one file with one VCALENDAR, as programs export them."""
    lines = [line for item in items for line in item.split("\r\n")[3:-2]]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN", *lines, "END:VCALENDAR", ""])


@pytest.fixture(params=["beside the server", "without a server"])
def run(request: pytest.FixtureRequest, server: Server, alice: Dav) -> Import:
    """Import a text, with the server running or stopped meanwhile; alice has the calendar ``cal``."""
    assert alice.mkcalendar(CALENDAR).status == 201

    def run(text: str, to: str, *options: str) -> Result:
        file = server.folder / "import"
        file.write_text(text, newline="")
        if request.param == "without a server":
            server.stop()
        result = davserver("import", str(file), to, *options, "-c", str(server.config))
        if request.param == "without a server":
            server.start()
        return result

    return run


@pytest.mark.parametrize("to", ["alice/cal", "/dav/alice/cal", "/dav/alice/cal/", "Alice/cal"])
def test_items_are_added_and_updated_by_uid_and_none_is_removed(run: Import, alice: Dav, to: str) -> None:
    alice.put(CALENDAR + "old.ics", event("old"))
    alice.put(CALENDAR + "other.ics", event("known", "before"))
    alice.put(CALENDAR + "same.ics", event("same"))
    mirror = Mirror(alice, CALENDAR)
    mirror.synchronise()
    result = run(joined(event("new"), event("known", "after"), event("same")), to)
    assert (result.code, result.err) == (0, "")
    assert "/dav/alice/cal: 1 added, 1 updated, 1 as they were, 0 refused" in result.out
    mirror.require_truth(
        {
            "old.ics": event("old").encode(),
            "other.ics": event("known", "after").encode(),
            "same.ics": event("same").encode(),
            "new.ics": event("new").encode(),
        }
    )
    assert mirror.refused == 0


def test_a_second_time_nothing_changes(run: Import, alice: Dav) -> None:
    text = joined(event("a"), event("b"))
    assert run(text, "alice/cal") == Result(0)
    mirror = Mirror(alice, CALENDAR)
    mirror.synchronise()
    token = mirror.token
    assert "0 added, 0 updated, 2 as they were" in run(text, "alice/cal").out
    mirror.synchronise()
    assert mirror.token == token


def test_where_one_is_refused_nothing_is_stored_and_all_refusals_are_told(
    run: Import, server: Server, alice: Dav
) -> None:
    broken = event("b", "Broken", TOO_LATE)
    text = joined(event("a"), broken, event("c", "No start", "DTSTART:tomorrow"), event("d"))
    before, mirror = collections(server), Mirror(alice, CALENDAR)
    mirror.synchronise()
    result = run(text, "alice/cal")
    assert result.code == 1
    [first, second] = result.err.splitlines()
    assert first.startswith(f"line {line_of(text, 'UID:b') - 1} (Broken, UID b): RRULE: ")
    assert second.startswith(f"line {line_of(text, 'UID:c') - 1} (No start, UID c): DTSTART: ")
    assert "2 refused, so nothing is stored; --skip-refused stores the rest" in result.out
    assert collections(server) == before
    mirror.require_truth({})
    result = run(text, "alice/cal", "--skip-refused")
    assert (result.code, len(result.err.splitlines())) == (0, 2)
    assert "2 added, 0 updated, 0 as they were, 2 refused" in result.out
    mirror.require_truth({"a.ics": event("a").encode(), "d.ics": event("d").encode()})


def line_of(text: str, line: str) -> int:
    return text.split("\r\n").index(line) + 1


def collections(server: Server) -> dict[str, bytes | None]:
    return {path: data for path, data in server.tree().items() if path.startswith("collections/collection-root")}


def test_a_dry_run_stores_nothing_and_says_what_would_be(run: Import, server: Server, alice: Dav) -> None:
    alice.put(CALENDAR + "a.ics", event("a", "before"))
    before = collections(server)
    result = run(joined(event("a", "after"), event("b")), "alice/cal", "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert "would be: 1 added, 1 updated, 0 as they were, 0 refused" in result.out
    assert collections(server) == before
    assert run(joined(event("c"), event("b", "x", TOO_LATE)), "alice/cal", "--dry-run").code == 1
    assert "would be: 2 added" in run(card("c") + card("d"), "alice/book", "--create", "--dry-run").out
    assert collections(server) == before
    assert alice.propfind("/dav/alice/book/").status == 404


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        (joined(event("a"), task("b")), CALDAV.calendar, {"a.ics", "b.ics"}),
        ("\ufeff" + card("a") + card("b"), CARDDAV.addressbook, {"a.vcf", "b.vcf"}),
    ],
)
def test_a_collection_is_made_by_what_the_file_holds_as_its_member_would_have_made_it(
    run: Import, alice: Dav, text: str, kind: str, names: set[str]
) -> None:
    assert "there is no such calendar or address book; --create makes it" in run(text, "alice/new").err
    assert alice.propfind("/dav/alice/new/").status == 404
    result = run(text, "alice/new", "--create")
    assert (result.code, result.err) == (0, "")
    assert "/dav/alice/new, a new collection: 2 added" in result.out
    rows = alice.propfind("/dav/alice/new/", DAV.resourcetype, depth="1").multistatus()
    assert kind in [element.tag for element in rows["/dav/alice/new/"].props[DAV.resourcetype]]
    assert set(rows) == {"/dav/alice/new/", *(f"/dav/alice/new/{name}" for name in names)}
    assert alice.delete("/dav/alice/new/").status == 204


def test_a_refusal_makes_no_collection_either(run: Import, server: Server, alice: Dav) -> None:
    before = collections(server)
    assert run(event("a", "x", TOO_LATE), "alice/new", "--create").code == 1
    assert collections(server) == before
    assert alice.propfind("/dav/alice/new/").status == 404


def test_it_acts_for_the_administrator_where_no_rule_gives_anybody_anything(run: Import, alice: Dav) -> None:
    assert run(event("a"), "van/bookings", "--create") == Result(0)
    assert alice.propfind("/dav/van/bookings/").status == 404


REFUSED = {
    # file, where to: what is said
    "no such collection": (event(), "alice/none", "there is no such calendar or address book"),
    "no such owner": (event(), "zoe/cal", "there is no member, group or resource 'zoe'"),
    "a home": (event(), "alice", "a calendar or address book is wanted, such as alice/work"),
    "an item": (event(), "alice/cal/a.ics", "a calendar or address book is wanted"),
    "files": (event(), "/files/Sport", "a calendar or address book is wanted"),
    "upwards": (event(), "alice/../bob", "'..' is not a name"),
    "cards into a calendar": (card(), "alice/cal", "the file: line 1: "),
    "no calendar at all": ("once upon a time\r\n", "alice/cal", "the file: line 1: "),
    "an empty file": ("", "alice/empty", "there is no such calendar"),
    "cut off": (event()[:-20], "alice/cal", "the file: END:VCALENDAR is missing"),
    "the same UID twice": (event("a") + event("b") + event("a", "again"), "alice/cal", "has the same UID"),
    "a component that the calendar does not take": (event("e"), "alice/tasks-only", "this calendar holds VTODO"),
    "an item that is too large": (event("a", "x" * 20_000), "alice/cal", "at most 16384 can be stored"),
}


@pytest.fixture(scope="module", params=["beside the server", "without a server"])
def untouched(request: pytest.FixtureRequest, start_server: MakeServer) -> Server:
    """A server, running or stopped, in which nothing changes."""
    server = start_server(settings="[limits]\ncalendar_item_bytes = 16384\n")
    alice = server.client("alice")
    tasks = '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
    assert alice.mkcalendar(CALENDAR).status == 201
    assert alice.mkcalendar("/dav/alice/tasks-only/", mkcalendar(tasks)).status == 201
    if request.param == "without a server":
        server.stop()
    return server


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_told_in_a_sentence_and_nothing_changes(untouched: Server, case: str) -> None:
    text, to, said = REFUSED[case]
    before = untouched.tree()
    (untouched.folder / "import").write_text(text, newline="")
    result = davserver("import", str(untouched.folder / "import"), to, "-c", str(untouched.config))
    assert result.code == 1
    assert said in result.err
    assert untouched.tree() == before


def test_a_file_above_the_limit_is_refused_before_it_is_sent(make_server: MakeServer) -> None:
    server = make_server(settings="[limits]\ncollection_put_bytes = 1048576\n").start()
    server.client("alice").mkcalendar(CALENDAR)
    file = server.folder / "import"
    file.write_text(joined(*(event(f"e{number}", "x" * 1000) for number in range(1000))), newline="")
    result = davserver("import", str(file), "alice/cal", "-c", str(server.config))
    assert result.code == 1
    assert "limits.collection_put_bytes allows 1048576" in result.err
    assert server.client("alice").get(CALENDAR).text.count("BEGIN:VEVENT") == 0


def test_the_file_can_come_by_a_pipe(server: Server, alice: Dav) -> None:
    alice.mkcalendar(CALENDAR)
    result = davserver("import", "-", "alice/cal", "-c", str(server.config), stdin=event("a"))
    assert result == Result(0)
    assert alice.get(CALENDAR + "a.ics").text == event("a")


def test_what_an_item_says_cannot_speak_to_the_terminal(server: Server, alice: Dav) -> None:
    alice.mkcalendar(CALENDAR)
    text = event("a", "two\\nlines \x1b[31mred\u009b31mred\u202etfel", TOO_LATE)
    result = davserver("import", "-", "alice/cal", "-c", str(server.config), stdin=text)
    assert result.code == 1
    assert len(result.err.splitlines()) == 1
    assert result.err.removesuffix("\n").isprintable()


def test_a_file_that_is_not_there_is_named(server: Server, tmp_path: Path) -> None:
    result = davserver("import", str(tmp_path / "none.ics"), "alice/cal", "-c", str(server.config))
    assert result.code == 1
    assert "none.ics: No such file" in result.err


@pytest.mark.parametrize(
    "arguments", [("import",), ("import", "a.ics"), ("import", "a.ics", "b", "c"), ("reindex", "x")]
)
def test_arguments_that_make_no_sense_end_with_code_2(arguments: tuple[str, ...]) -> None:
    assert davserver(*arguments).code == 2


def test_another_data_folder_can_be_named_as_for_the_server(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "a.ics"
    file.write_text(event("a"), newline="")
    other = tmp_path / "other"
    other.mkdir()
    arguments = ("import", str(file), "alice/cal", "--create", "-c", str(server.config), "--data", str(other))
    assert davserver(*arguments) == Result(0)
    assert (other / "collections/collection-root/alice/cal/a.ics").read_bytes() == event("a").encode()
    assert not (server.data / "collections/collection-root/alice").exists()
