"""A board in real programs: todoman and the ``caldav`` library see a task list, rclone folders of cards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import caldav
import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Dav, Server, password_of
from tests.interop.programs import program, run
from tests.objects.conftest import RULES, calendar_of, files_of, items_of, said

BOARD = "/files/Boards/Fair"
VDIRSYNCER = """
[general]
status_path = "{home}/status/"
[pair board]
a = "here"
b = "there"
collections = ["{collection}"]
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "{home}/tasks/"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{url}/"
username = "alice"
password = "{password}"
"""
TODOMAN = 'path = "{home}/tasks/*"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\n'


@pytest.fixture
def server(start_server: MakeServer) -> Server:
    return start_server(access=ACCESS + RULES, folders=("Boards", "Notes"))


@pytest.fixture
def alice(server: Server) -> Dav:
    """Who has a board with two cards."""
    alice = server.client("alice")
    assert alice.mkcol(BOARD).status == 201
    assert alice.put(f"{BOARD}/To do/Posters.md", "---\ntags: [urgent]\n---\nPrint **200**.\n").status == 201
    assert alice.put(f"{BOARD}/Doing/Tents.md", "words\n").status == 201
    return alice


Todo = Callable[..., str]


@pytest.fixture
def todo(server: Server, alice: Dav, tmp_path: Path) -> Todo:
    """Runs todoman on what vdirsyncer keeps the same as the board's calendar, before and after."""
    collection = calendar_of(alice, BOARD).strip("/").rpartition("/")[2]
    config = VDIRSYNCER.format(home=tmp_path, url=server.url, password=password_of("alice"), collection=collection)
    (tmp_path / "vdirsyncer").write_text(config)
    (tmp_path / "todoman.py").write_text(TODOMAN.format(home=tmp_path) + f'default_list = "{collection}"\n')
    env = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    env |= {"LC_ALL": "C.UTF-8", "TZ": "Europe/Paris", "COLUMNS": "200"}

    def call(name: str, *arguments: str, answer: str = "") -> str:
        command = [str(Path(sys.executable).with_name(name)), *arguments]
        done = subprocess.run(
            command, input=answer, capture_output=True, text=True, timeout=60, env=env, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, (command, done.stdout + done.stderr)
        return done.stdout

    def run_todo(*arguments: str, answer: str = "") -> str:
        call("vdirsyncer", "-c", f"{tmp_path}/vdirsyncer", "sync")
        found = call("todo", "--config", f"{tmp_path}/todoman.py", *arguments, answer=answer)
        call("vdirsyncer", "-c", f"{tmp_path}/vdirsyncer", "sync")
        return found

    call("vdirsyncer", "-c", f"{tmp_path}/vdirsyncer", "discover", answer="y\n" * 4)
    return run_todo


def number_of(listed: str, title: str) -> str:
    """The number by which todoman calls a task."""
    (line,) = [line for line in listed.splitlines() if title in line]
    return line.replace("[", " ").replace("]", " ").split()[0].strip("X")


def test_todoman_lists_adds_edits_and_completes_cards(todo: Todo, alice: Dav) -> None:
    listed = todo("list")
    assert "Posters" in listed
    assert "Tents" in listed
    todo("new", "--priority", "high", "--due", "2027-03-01", "Ring the mayor")
    text = alice.get(f"{BOARD}/To do/Ring the mayor.md").text
    assert "due: 2027-03-01" in text
    todo("edit", number_of(todo("list"), "Posters"), "--location", "print shop")
    assert "location: print shop" in alice.get(f"{BOARD}/To do/Posters.md").text
    assert "Print **200**." in alice.get(f"{BOARD}/To do/Posters.md").text
    todo("done", number_of(todo("list"), "Tents"))
    assert "Done/Tents.md" in files_of(alice, BOARD)
    assert "completed: 20" in alice.get(f"{BOARD}/Done/Tents.md").text
    todo("delete", "--yes", number_of(todo("list"), "Posters"))
    assert "To do/Posters.md" not in files_of(alice, BOARD)
    assert alice.get(f"/files/Trash{BOARD[6:]}/To do/Posters.md").status == 200


@pytest.fixture
def tasks(server: Server, alice: Dav) -> Iterator[caldav.Calendar]:
    """The board as the library finds it from the root."""
    with caldav.DAVClient(url=server.url, username="alice", password=password_of("alice")) as client:
        (calendar,) = [each for each in client.principal().calendars() if each.get_display_name() == "Fair"]
        yield calendar


def test_the_caldav_library_edits_a_board(tasks: caldav.Calendar, alice: Dav) -> None:
    assert {str(todo.icalendar_component["summary"]) for todo in tasks.todos()} == {"Posters", "Tents"}
    made = tasks.save_todo(summary="Music", priority=1, categories=["urgent"])
    assert "To do/Music.md" in files_of(alice, BOARD)
    assert "tags: [urgent]" in alice.get(f"{BOARD}/To do/Music.md").text
    made.load()
    made.icalendar_component["description"] = "a band, or two"
    made.save()
    assert alice.get(f"{BOARD}/To do/Music.md").text.endswith("a band, or two\n")
    made.complete()
    assert "Done/Music.md" in files_of(alice, BOARD)
    made.load()
    made.uncomplete()
    assert "To do/Music.md" in files_of(alice, BOARD)
    token = tasks.objects_by_sync_token().sync_token
    assert alice.put(f"{BOARD}/Doing/Tents.md", "other words\n").status == 204
    (changed,) = tasks.objects_by_sync_token(sync_token=token, load_objects=True)
    assert "other words" in changed.data
    made.delete()
    assert "Music" not in str(files_of(alice, BOARD))


def test_rclone_moves_cards_between_columns(server: Server, alice: Dav, tmp_path: Path) -> None:
    obscured = run(program("rclone"), "obscure", password_of("alice")).stdout.strip()
    (tmp_path / "rclone.conf").write_text(
        f"[cloud]\ntype = webdav\nvendor = owncloud\nurl = {server.url}/files\nuser = alice\npass = {obscured}\n"
    )
    url = calendar_of(alice, BOARD)
    item = items_of(alice, url)["Posters"]
    done = run(
        program("rclone"),
        *("--config", tmp_path / "rclone.conf", "moveto"),
        *("cloud:Boards/Fair/To do/Posters.md", "cloud:Boards/Fair/Done/Posters.md"),
    )
    assert done.returncode == 0, done.stderr
    task = alice.get(item).text
    assert (said(task, "STATUS"), said(task, "X-STATUS")) == ("COMPLETED", "Done")
    assert "completed: 20" in alice.get(f"{BOARD}/Done/Posters.md").text
