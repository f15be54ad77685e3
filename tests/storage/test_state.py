"""State beside the files: one line a change, the last one wins, a torn one is dropped."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.state import COMPACT_ABOVE_LINES, State, parse_line, render_line
from tests.storage.conftest import Shelf


def test_state_is_read_again_after_a_restart_and_without_an_index(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one")
    with shelf.store.write("files") as tx:
        tx.set_state("files", "a.txt", "props", {"{x}y": "<y/>"})
        tx.set_state("files", "", "owner", "alice")
    shelf.store.close()
    (shelf.data / "index.sqlite").unlink()
    shelf.store = type(shelf.store)(shelf.settings)
    assert shelf.store.state("files").get("a.txt", "props") == {"{x}y": "<y/>"}
    assert shelf.store.state("files").get("", "owner") == "alice"


def test_a_torn_last_line_is_dropped_and_the_next_write_repairs_the_file(shelf: Shelf) -> None:
    with shelf.store.write("files") as tx:
        tx.set_state("files", "a", "k", 1)
    with open(shelf.data / "files/.state.jsonl", "ab") as file:
        file.write(b'{"name":"a","key":"k","va')
    assert shelf.store.state("files").get("a", "k") == 1
    with shelf.store.write("files") as tx:
        tx.set_state("files", "b", "k", 2)
    lines = (shelf.data / "files/.state.jsonl").read_bytes().splitlines()
    assert [parse_line(line) for line in lines] == [("a", "k", 1), ("b", "k", 2)]


def test_a_line_that_is_no_state_is_passed_over_and_logged(shelf: Shelf, caplog) -> None:
    (shelf.data / "files/.state.jsonl").write_bytes(b'nonsense\n{"name":"a","key":"k","value":1}\n[]\n{"name":3}\n')
    assert shelf.store.state("files").get("a", "k") == 1
    assert caplog.text.count("not a state line") == 3


def test_the_file_is_compacted_when_most_of_it_is_stale(shelf: Shelf) -> None:
    for n in range(COMPACT_ABOVE_LINES + 5):
        with shelf.store.write("files") as tx:
            tx.set_state("files", "a", "k", n)
    assert len((shelf.data / "files/.state.jsonl").read_bytes().splitlines()) < 10
    assert shelf.store.state("files").get("a", "k") == COMPACT_ABOVE_LINES + 4


def test_a_folder_copied_on_disk_brings_its_state_along(shelf: Shelf) -> None:
    shelf.make("files/A")
    shelf.put("files/A", "a.txt", b"one")
    with shelf.store.write("files/A") as tx:
        tx.set_state("files/A", "a.txt", "props", {"{x}y": "<y/>"})
    shutil.copytree(shelf.data / "files/A", shelf.data / "files/B")
    assert shelf.store.state("files/B").get("a.txt", "props") == {"{x}y": "<y/>"}


def test_a_new_file_inherits_nothing_from_a_namesake(shelf: Shelf) -> None:
    shelf.put("files", "a.txt", b"one", creator="alice")
    (shelf.data / "files/a.txt").unlink()
    shelf.put("files", "a.txt", b"two")
    assert shelf.store.state("files").all("a.txt") == {}


def test_state_follows_a_move_and_a_copy_takes_no_creator(shelf: Shelf) -> None:
    shelf.make("files/A")
    shelf.put("files", "a.txt", b"one", creator="alice")
    with shelf.store.write("files", "files/A") as tx:
        tx.set_state("files", "a.txt", "props", {"{x}y": "<y/>"})
        tx.copy("files", "a.txt", "files/A", "copy.txt", creator="bob")
        tx.move("files", "a.txt", "files/A", "moved.txt")
    state = shelf.store.state("files/A")
    assert state.all("moved.txt") == {"creator": "alice", "props": {"{x}y": "<y/>"}}
    assert state.all("copy.txt") == {"creator": "bob", "props": {"{x}y": "<y/>"}}
    assert shelf.store.state("files").all("a.txt") == {}


json_values = st.recursive(
    st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@given(st.text(), st.text(), json_values)
def test_a_line_reads_back_as_it_was_written(name: str, key: str, value: Any) -> None:
    assert parse_line(render_line((name, key, value))) == (name, key, value)


@given(st.binary())
def test_any_bytes_are_a_change_or_nothing(data: bytes) -> None:
    change = parse_line(data)
    assert change is None or isinstance(change[0], str)


def test_many_values_in_one_write_do_not_each_cost_all_of_the_folder(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = []
    changed = State.changed
    monkeypatch.setattr(State, "changed", lambda state, changes: copies.append(1) or changed(state, changes))
    with shelf.store.write("files") as tx:
        for n in range(1000):
            tx.set_state("files", f"{n}", "k", n)
    assert len(copies) <= 2
    with shelf.store.write("files") as tx:
        tx.set_state("files", "1", "k", 5)
        tx.set_state("files", "2", "k", 2)
        tx.set_state("files", "1", "k", 1)
        tx.set_state("files", "1", "k", 1)
    assert [shelf.store.state("files").get(name, "k") for name in ("1", "2")] == [1, 2]
    assert len((shelf.data / "files/.state.jsonl").read_bytes().splitlines()) == 1002
