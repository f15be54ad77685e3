"""A board in Thunderbird: a task list whose status field moves the cards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server, password_of
from tests.interop.marionette import Thunderbird
from tests.interop.programs import program
from tests.interop.test_thunderbird import until
from tests.objects.conftest import RULES, calendar_of, files_of, items_of, said

BOARD = "/files/Boards/Fair"
FIND = """
const [url, user, password, board] = args;
const found = await cal.provider.detection.detect(user, password, url, true, [], {});
for (const [provider, calendars] of found)
  if (provider.type == "caldav")
    for (const each of calendars)
      if (each.uri.pathQueryRef == board) {
        each.setProperty("cache.enabled", true);
        each.setProperty("refreshInterval", "0");
        cal.manager.registerCalendar(each);
        return {name: each.name, readOnly: each.readOnly};
      }
return null;
"""
CALENDAR = "const calendar = cal.manager.getCalendars().find(each => each.type == 'caldav');"
TASKS = (
    CALENDAR
    + """
calendar.refresh();
const items = await calendar.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
return Object.fromEntries(items.map(each => [each.title, [each.status, each.getCategories().join(",")]]));
"""
)
CHANGE = (
    CALENDAR
    + """
const items = await calendar.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
const old = items.find(each => each.title == args[0]);
const fresh = old.clone();
if (args[1] == "COMPLETED") fresh.isCompleted = true; else fresh.status = args[1];
await calendar.modifyItem(fresh, old);
"""
)
ADD = (
    CALENDAR
    + """
const {CalTodo} = ChromeUtils.importESModule("resource:///modules/CalTodo.sys.mjs");
const task = new CalTodo();
task.title = args[0];
await calendar.addItem(task);
"""
)


@pytest.fixture(scope="module")
def server(start_server: MakeServer) -> Server:
    server = start_server(access=ACCESS + RULES, folders=("Boards", "Notes"))
    alice = server.client("alice")
    assert alice.mkcol(BOARD).status == 201
    assert alice.put(f"{BOARD}/To do/Posters.md", "---\ntags: [urgent]\n---\nPrint **200**.\n").status == 201
    return server


@pytest.fixture(scope="module")
def thunderbird(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thunderbird]:
    thunderbird = Thunderbird(program("thunderbird"), tmp_path_factory.mktemp("thunderbird"))
    yield thunderbird
    thunderbird.stop()


def test_it_shows_a_board_as_a_task_list_and_its_status_moves_the_cards(
    server: Server, thunderbird: Thunderbird
) -> None:
    alice: Dav = server.client("alice")
    url = calendar_of(alice, BOARD)
    found = thunderbird.run(FIND, server.url, "alice", password_of("alice"), url)
    assert found == {"name": "Fair", "readOnly": False}
    until(lambda: thunderbird.run(TASKS) == {"Posters": ["NEEDS-ACTION", "To do,urgent"]})
    thunderbird.run(CHANGE, "Posters", "IN-PROCESS")
    until(lambda: files_of(alice, BOARD) == {"board.toml", "Doing/Posters.md"})
    assert "Print **200**." in alice.get(f"{BOARD}/Doing/Posters.md").text
    until(lambda: thunderbird.run(TASKS) == {"Posters": ["IN-PROCESS", "Doing,urgent"]})
    thunderbird.run(CHANGE, "Posters", "COMPLETED")
    until(lambda: files_of(alice, BOARD) == {"board.toml", "Done/Posters.md"})
    thunderbird.run(ADD, "Flyers")
    until(lambda: files_of(alice, BOARD) == {"board.toml", "Done/Posters.md", "To do/Flyers.md"})
    assert alice.move(f"{BOARD}/To do/Flyers.md", f"{BOARD}/Doing/Flyers.md").status == 201
    until(lambda: thunderbird.run(TASKS).get("Flyers") == ["IN-PROCESS", "Doing"])
    done = items_of(alice, url)["Posters"]
    assert said(alice.get(done).text, "STATUS") == "COMPLETED"
