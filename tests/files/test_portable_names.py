"""Names that Windows cannot show are stored, and refused only where a folder asks for it."""

from __future__ import annotations

import pytest

from storage.portable import why_not
from tests.files.conftest import made
from tests.harness import Dav, Server

BAD = [
    *(f"a{char}b" for char in '\\:*?"<>|'),
    "dot.",
    "space ",
    "CON",
    "nul.txt",
    "Aux.tar.gz",
    "prn",
    "com1",
    "COM¹",
    "LPT9.doc",
    "LPT².x",
    "com0",
    "NUL .txt",
]
GOOD = ["a.txt", "console", "com10", "COMA", "nulls.txt", ".hidden", "x.con", "ä b", "~$letter.docx", "a,b;c'd"]


@pytest.fixture
def portable(alice: Dav, home: str) -> str:
    """A folder that takes portable names only, with a folder in it that says nothing."""
    folder = made(alice, f"{home}/portable")
    made(alice, f"{folder}/below")
    assert alice.put(f"{folder}/access.toml", 'names = "portable"\n').status == 201
    return folder


@pytest.mark.parametrize("name", BAD)
def test_elsewhere_names_that_windows_cannot_show_are_stored(alice: Dav, home: str, name: str) -> None:
    assert alice.put(f"{home}/{name}", "x").status == 201
    assert alice.get(f"{home}/{name}").text == "x"
    assert alice.mkcol(f"{home}/folder {name}").status == 201


@pytest.mark.parametrize("name", BAD)
def test_a_portable_folder_refuses_them_and_nothing_changes(
    alice: Dav, home: str, portable: str, cloud: Server, name: str
) -> None:
    alice.put(f"{home}/source.txt", "x")
    made(alice, f"{home}/tree")
    before = cloud.tree()
    for path in (f"{portable}/{name}", f"{portable}/below/{name}"):
        replies = {
            "PUT": alice.put(path, "x"),
            "MKCOL": alice.mkcol(path),
            "LOCK": alice.lock(path),
            "COPY": alice.copy(f"{home}/source.txt", path),
            "MOVE": alice.move(f"{home}/source.txt", path),
            "COPY of a tree": alice.copy(f"{home}/tree", path),
            "MOVE of a tree": alice.move(f"{home}/tree", path),
        }
        assert {method: reply.status for method, reply in replies.items()} == dict.fromkeys(replies, 403)
        assert all("portable names only" in reply.text for reply in replies.values())
        assert alice.lock(path).status == 403, "the refused lock stands in nobody's way"
    assert cloud.tree() == before


@pytest.mark.parametrize("name", GOOD)
def test_a_portable_folder_takes_every_other_name(alice: Dav, portable: str, name: str) -> None:
    assert alice.put(f"{portable}/{name}", "x").status == 201
    assert why_not(name) is None


def test_two_names_that_differ_in_case_only_are_two_files_elsewhere(alice: Dav, home: str) -> None:
    assert [alice.put(f"{home}/{name}", name).status for name in ("A.txt", "a.txt")] == [201, 201]
    assert [alice.get(f"{home}/{name}").text for name in ("A.txt", "a.txt")] == ["A.txt", "a.txt"]


def test_a_portable_folder_takes_one_of_them_and_renames_it(alice: Dav, portable: str, cloud: Server) -> None:
    assert alice.put(f"{portable}/Müller.txt", "x").status == 201
    before = cloud.tree()
    assert alice.put(f"{portable}/MÜLLER.txt", "y").status == 403
    assert alice.mkcol(f"{portable}/MÜLLER.txt").status == 403
    assert alice.mkcol(f"{portable}/BELOW").status == 403
    assert cloud.tree() == before
    assert alice.put(f"{portable}/Müller.txt", "z").status == 204
    assert alice.move(f"{portable}/Müller.txt", f"{portable}/MÜLLER.txt").status == 201
    assert alice.put(f"{portable}/Straße", "x").status == 201
    assert alice.put(f"{portable}/STRASSE", "x").status == 201


@pytest.mark.parametrize("names", [("nul",), ("Same", "same")])
def test_a_tree_with_such_a_name_in_it_is_refused_whole(
    alice: Dav, home: str, portable: str, cloud: Server, names: tuple[str, ...]
) -> None:
    tree = made(alice, f"{home}/tree")
    deep = made(alice, f"{tree}/deep")
    for name in names:
        alice.put(f"{deep}/{name}", "x")
    alice.put(f"{tree}/fine.txt", "x")
    before = cloud.tree()
    assert alice.move(tree, f"{portable}/tree").status == 403
    assert alice.copy(tree, f"{portable}/tree").status == 403
    assert alice.copy(tree, f"{portable}/below", overwrite=True).status == 403
    assert cloud.tree() == before
    assert alice.delete(f"{deep}/{names[0]}").status == 204
    assert alice.move(tree, f"{portable}/tree").status == 201


def test_what_stood_there_before_the_rule_can_be_used_and_put_right(alice: Dav, home: str) -> None:
    folder = made(alice, f"{home}/old")
    tree = made(alice, f"{folder}/tree")
    for path in (f"{folder}/a:b", f"{folder}/c?", f"{tree}/nul"):
        alice.put(path, "x")
    alice.put(f"{folder}/access.toml", 'names = "portable"\n')
    assert alice.get(f"{folder}/a:b").text == "x"
    assert alice.put(f"{folder}/a:b", "y").status == 204
    assert alice.move(f"{folder}/a:b", f"{folder}/a-b").status == 201
    assert alice.delete(f"{folder}/c?").status == 204
    assert alice.move(tree, f"{folder}/renamed").status == 201
