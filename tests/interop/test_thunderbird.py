"""Thunderbird itself: it finds what a member has, tells what is read-only, and keeps calendar and contacts the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import MakeServer
from tests.harness import Dav, Server, password_of
from tests.interop.marionette import ScriptFailed, Thunderbird
from tests.interop.programs import program
from tests.pim.samples import card, event

ACCESS = """
[[rule]]
path = "/dav/sport"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/dav/bob/open"
who = ["alice"]
may = ["read"]
"""
FIND_CALENDARS = """
const [url, user, password] = args;
const found = await cal.provider.detection.detect(user, password, url, true, [], {});
const out = {};
for (const [provider, calendars] of found)
  if (provider.type == "caldav")
    for (const each of calendars) {
      out[each.uri.pathQueryRef] = {name: each.name, readOnly: each.readOnly};
      if (each.uri.pathQueryRef == "/dav/alice/calendar/") {
        each.setProperty("cache.enabled", true);
        each.setProperty("refreshInterval", "0");
        cal.manager.registerCalendar(each);
      }
    }
return out;
"""
CALENDAR = """
const calendar = cal.manager.getCalendars().find(each => each.type == "caldav");
"""
TITLES = (
    CALENDAR
    + """
calendar.refresh();
const items = await calendar.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
return Object.fromEntries(items.map(each => [each.id, each.title]));
"""
)
ADD = (
    CALENDAR
    + """
const {CalEvent} = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
await calendar.addItem(new CalEvent(args[0]));
"""
)
RENAME = (
    CALENDAR
    + """
const old = await calendar.getItem(args[0]);
const fresh = old.clone();
fresh.title = args[1];
await calendar.modifyItem(fresh, old);
"""
)
DELETE = CALENDAR + "await calendar.deleteItem(await calendar.getItem(args[0]));"
FIND_BOOKS = """
const {CardDAVUtils} = ChromeUtils.importESModule("resource:///modules/CardDAVUtils.sys.mjs");
const [url, user, password] = args;
const out = {};
for (const each of await CardDAVUtils.detectAddressBooks(user, password, url, false, true)) {
  out[each.url.pathname] = each.name;
  if (each.url.pathname == "/dav/alice/contacts/") await each.create();
}
return out;
"""
BOOK = """
const {CardDAVDirectory} = ChromeUtils.importESModule("resource:///modules/CardDAVDirectory.sys.mjs");
const book = MailServices.ab.directories.find(each => each.dirType == Ci.nsIAbManager.CARDDAV_DIRECTORY_TYPE);
const directory = CardDAVDirectory.forFile(book.fileName);
"""
CARDS = (
    BOOK
    + """
if (directory._syncToken) await directory.syncWithServer(); else await directory.fetchAllFromServer();
return Object.fromEntries(book.childCards.map(each => [each.displayName, each.primaryEmail]));
"""
)
ADD_CARD = (
    BOOK
    + """
const card = Cc["@mozilla.org/addressbook/cardproperty;1"].createInstance(Ci.nsIAbCard);
card.displayName = "Grace Hopper";
card.primaryEmail = "grace@example.org";
book.addCard(card);
"""
)


@pytest.fixture(scope="module")
def club(start_server: MakeServer) -> Server:
    """Alice has a calendar; the sports group one that she writes into; bob one that she reads."""
    server = start_server(access=ACCESS)
    alice, bob = server.client("alice"), server.client("bob")
    assert alice.mkcalendar("/dav/sport/matches/").status == 201
    assert bob.mkcalendar("/dav/bob/open/").status == 201
    assert alice.put("/dav/alice/calendar/there.ics", event("there", "Répétition €")).status == 201
    assert alice.put("/dav/alice/contacts/ada", card("ada", "Ada Lovelace")).status == 201
    return server


@pytest.fixture(scope="module")
def thunderbird(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thunderbird]:
    thunderbird = Thunderbird(program("thunderbird"), tmp_path_factory.mktemp("thunderbird"))
    yield thunderbird
    thunderbird.stop()


@pytest.fixture(scope="module")
def calendars(club: Server, thunderbird: Thunderbird) -> dict[str, dict[str, Any]]:
    """What the dialog for a new calendar offers; alice's calendar is taken."""
    found: dict[str, dict[str, Any]] = thunderbird.run(FIND_CALENDARS, club.url, "alice", password_of("alice"))
    return found


@pytest.fixture(scope="module")
def books(club: Server, thunderbird: Thunderbird) -> dict[str, str]:
    """What the dialog for a new address book offers; alice's contacts are taken."""
    found: dict[str, str] = thunderbird.run(FIND_BOOKS, club.url, "alice", password_of("alice"))
    return found


@pytest.fixture
def alice(club: Server) -> Dav:
    return club.client("alice")


def until(found: Callable[[], bool], within_s: float = 60) -> None:
    """Wait until something is so; what the program says meanwhile, busy with what it was told before, may fail."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if found():
                return
        except ScriptFailed:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_it_offers_each_calendar_once_and_knows_which_are_read_only(calendars: dict[str, dict[str, Any]]) -> None:
    offered = {path: each["readOnly"] for path, each in calendars.items()}
    assert offered["/dav/alice/calendar/"] is False
    assert offered["/dav/alice/sport~matches/"] is False
    assert offered["/dav/alice/bob~open/"] is True
    assert not any(path.startswith(("/dav/sport/", "/dav/bob/")) for path in offered)


@pytest.mark.usefixtures("calendars")
def test_it_keeps_a_calendar_the_same_as_the_server_s(thunderbird: Thunderbird, alice: Dav) -> None:
    until(lambda: thunderbird.run(TITLES).get("there") == "Répétition €")
    thunderbird.run(ADD, event("made", "Made in Thunderbird"))
    until(lambda: "SUMMARY:Made in Thunderbird" in alice.get("/dav/alice/calendar/").text)
    thunderbird.run(RENAME, "there", "Renamed there")
    until(lambda: "SUMMARY:Renamed there" in alice.get("/dav/alice/calendar/there.ics").text)
    alice.put("/dav/alice/calendar/there.ics", event("there", "Renamed here"))
    until(lambda: thunderbird.run(TITLES).get("there") == "Renamed here")
    thunderbird.run(DELETE, "made")
    until(lambda: "Made in Thunderbird" not in alice.get("/dav/alice/calendar/").text)
    assert alice.delete("/dav/alice/calendar/there.ics").status == 204
    until(lambda: "there" not in thunderbird.run(TITLES))


@pytest.mark.usefixtures("books")
def test_it_keeps_contacts_the_same_as_the_server_s(thunderbird: Thunderbird, alice: Dav) -> None:
    until(lambda: "Ada Lovelace" in thunderbird.run(CARDS))
    thunderbird.run(ADD_CARD)
    until(lambda: "Grace Hopper" in alice.get("/dav/alice/contacts/").text)
    alice.put("/dav/alice/contacts/ada", card("ada", "Ada Byron", "EMAIL:ada@example.org"))
    until(lambda: thunderbird.run(CARDS).get("Ada Byron") == "ada@example.org")
    assert alice.delete("/dav/alice/contacts/ada").status == 204
    until(lambda: "Ada Byron" not in thunderbird.run(CARDS))


def test_it_offers_each_address_book_once(books: dict[str, str]) -> None:
    assert "/dav/alice/contacts/" in books
    assert len(books) == len(set(books.values()))
