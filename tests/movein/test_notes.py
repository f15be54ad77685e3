"""Folders of notes: what stays byte for byte, what moves, and what had no place."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.frontmatter import parse_document
from storage.movein import notes as notes_module
from storage.movein.notes import read_notes
from storage.movein.parcel import entries_of
from storage.movein.shelving import require_entry_path
from storage.movein.values import NotUsable, Tree, folded
from storage.portable import why_not
from tests.movein.exports import FRONT_MATTER, INNER, NOTEBOOK, write_joplin_raw


def contents(tree: Tree) -> dict[str, bytes]:
    """The bytes of every file, as they would be stored."""
    found = {}
    for entry in entries_of([tree]):
        if entry.chunks is not None:
            found[entry.path.removeprefix("0/")] = b"".join(entry.chunks)
    assert {path: len(data) for path, data in found.items()} == {file.path: file.size for file in tree.files}
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Notes"
    folder.mkdir()
    return folder


def fill(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


PLAIN = {  # as Nextcloud Notes has them: categories are folders, titles are names
    "Shopping.txt": b"milk\r\nbread",
    "Minutes/2026/March.md": "# Agenda é\n".encode(),
    "Minutes/2026/.attachments.17/plan.png": b"\x89PNG\0",
    "Minutes/own.md": b"---\ntags: [a]\nmine: yes\n---\n\ntext",
    "Minutes/broken.md": b"---\nnested:\n  a: {b: c}\n---\ntext\n",
    "not utf-8.txt": b"\xff\xfe",
    "empty.md": b"",
    "budget.ods": b"PK",
}


def test_notes_stay_as_they_are_in_their_folders(folder: Path) -> None:
    fill(folder, PLAIN)
    (folder / "Ideas").mkdir()
    os.utime(folder / "Shopping.txt", ns=(1, 1_700_000_000_000_000_000))
    tree = read_notes(folder)
    assert tree.name == "Notes"
    assert set(tree.folders) == {"Ideas", "Minutes", "Minutes/2026", "Minutes/2026/.attachments.17"}
    assert contents(tree) == PLAIN
    assert {file.path: file.modified_ns for file in tree.files}["Shopping.txt"] == 1_700_000_000_000_000_000
    assert tree.lost == ("front matter that is outside of what is read here, kept as it is: 1 ('Minutes/broken.md')",)


def test_each_folder_comes_before_what_it_holds(folder: Path) -> None:
    fill(folder, {f"{'/'.join('abcdefgh'[:depth])}/x.md": b"" for depth in range(1, 9)})
    seen = {"0"}
    for entry in entries_of([read_notes(folder)]):
        assert entry.path == "0" or entry.path.rpartition("/")[0] in seen
        seen.add(entry.path)


def test_what_joplin_writes_into_front_matter_is_put_where_it_is_seen(folder: Path) -> None:
    fill(folder, {"school/Take Home Quiz.md": FRONT_MATTER.encode(), "_resources/abc.png": b"\x89PNG"})
    tree = read_notes(folder)
    assert (
        contents(tree)["school/Take Home Quiz.md"].decode()
        == """\
---
source: https://joplinapp.org
tags:
  - school
  - math
---

- [ ] Take Home Quiz (due 2021-06-18T08:00:00Z)

**Prove it.**

![](../_resources/abc.png)
"""
    )
    assert contents(tree)["_resources/abc.png"] == b"\x89PNG"
    [note] = [file for file in tree.files if file.path.endswith(".md")]
    assert (note.modified_ns, note.created) == (1623974340 * 10**9, "2021-05-01T16:40:00Z")
    assert tree.lost == ()


def test_a_note_of_joplin_without_anything_that_a_note_keeps_has_no_block(folder: Path) -> None:
    text = "---\ntitle: 'Frogs: a study'\ncreated: 2021-05-01 16:40:00Z\nupdated: 2021-05-01 16:40:00Z\n---\n\nGreen.\n"
    fill(folder, {"Frogs- a study.md": text.encode(), "Frogs.md": text.replace("'Frogs: a study'", "Frogs").encode()})
    found = contents(read_notes(folder))
    assert found["Frogs.md"] == b"Green.\n"
    assert found["Frogs- a study.md"] == b"---\ntitle: 'Frogs: a study'\n---\n\nGreen.\n"


def test_lines_of_a_note_of_joplin_end_as_they_did_and_other_front_matter_is_told_of(folder: Path) -> None:
    fill(folder, {"Take Home Quiz.md": b"\xef\xbb\xbf" + FRONT_MATTER.replace("\n", "\r\n").encode()})
    [text] = contents(read_notes(folder)).values()
    assert text.startswith(b"\xef\xbb\xbf---\r\nsource: ")
    assert text.count(b"\n") == text.count(b"\r\n")
    folded = FRONT_MATTER.replace("title: Take Home Quiz", "title: >-\n  Take Home\n  Quiz")
    fill(folder, {"Take Home Quiz.md": folded.encode()})
    assert read_notes(folder).lost[0].startswith("front matter that is outside of what is read here, kept as it is: 1")


def test_a_text_that_no_suffix_makes_a_note_is_a_file_and_told_of(folder: Path) -> None:
    fill(folder, {"a.markdown": b"---\ntitle: x\n---\n", "b.MD": b"x"})
    tree = read_notes(folder)
    assert contents(tree) == {"a.markdown": b"---\ntitle: x\n---\n", "b.MD": b"x"}
    assert tree.lost == ("texts that are files, but no notes, which end in .md or .txt: 1 ('a.markdown')",)


def test_a_name_that_becomes_another_one_is_none_of_the_server(folder: Path) -> None:
    fill(folder, {"access.toml ": b"[[rule]]", "links.txt.": b"x", "access.toml|": b""})
    assert {path: data for path, data in contents(read_notes(folder)).items() if data} == {
        "access.toml_": b"[[rule]]",
        "links.txt_": b"x",
    }


def test_a_file_of_any_time_is_taken(folder: Path) -> None:
    fill(folder, {"old.md": b"", "new.md": b""})
    os.utime(folder / "old.md", (-86400, -86400))
    os.utime(folder / "new.md", (1 << 34, 1 << 34))
    times = {file.path: file.modified_ns for file in read_notes(folder).files}
    assert times["old.md"] == -86400 * 10**9
    assert times["new.md"] in ((1 << 63) - 1, (1 << 34) * 10**9)  # not every disk has a year 2514


def test_names_that_not_every_program_can_show_are_others_and_the_title_stays(folder: Path) -> None:
    long = "x" * 200
    fill(folder, {"a:b.md": b"text", "A?.txt": b"", "con/x.md": b"", f"{long}.md": b"", "r.md": b"1", "R.md": b"2"})
    os.mkdir(os.fsencode(folder) + b"/caf\xe9")
    tree = read_notes(folder)
    found = contents(tree)
    assert found["a-b.md"] == b"---\ntitle: a:b\n---\ntext\n"
    assert parse_document(found["x" * 120 + ".md"]).values == {"title": long}
    assert {"A-.txt", "con_/x.md", "R.md", "r (2).md"} <= found.keys()
    [said] = [each for each in tree.lost if each.startswith("names, which are other ones here")]
    assert "'a:b.md → a-b.md'" in said
    assert "caf�" in tree.folders


def test_what_is_left_out_is_named_and_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.md").write_text("secret")
    fill(
        folder,
        {
            "note.md": b"x",
            "access.toml": b"[[rule]]",
            "sub/notebook.toml": b"",
            "sub/Links.TXT": b"",
            ".state.jsonl": b"{}",
            ".git/config": b"",
            ".DS_Store": b"",
            "~note.md": b"",
            "note.md.swp": b"",
            "Thumbs.db": b"",
        },
    )
    (folder / "link.md").symlink_to(tmp_path / "secret")
    (folder / "dir").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(folder / "pipe.md")
    tree = read_notes(folder)
    assert contents(tree) == {"note.md": b"x"}
    assert sorted(tree.lost) == [
        "files that are this server's own by their names: 4"
        " ('.state.jsonl', 'access.toml', 'sub/Links.TXT', 'sub/notebook.toml')",
        "files that programs keep for themselves: 4 ('.DS_Store', 'Thumbs.db', 'note.md.swp', '~note.md')",
        "hidden files and folders: 1 ('.git')",
        "neither files nor folders: 1 ('pipe.md')",
        "symbolic links, which are not followed: 2 ('dir', 'link.md')",
    ]


def test_a_file_that_changes_between_reading_and_storing_stores_nothing(folder: Path, tmp_path: Path) -> None:
    fill(folder, {"a.ods": b"12345"})
    tree = read_notes(folder)
    (folder / "a.ods").write_bytes(b"1")
    with pytest.raises(NotUsable, match="changed meanwhile"):
        contents(tree)
    (folder / "a.ods").unlink()
    (folder / "a.ods").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        contents(tree)
    (folder / "a.ods").unlink()
    os.mkfifo(folder / "a.ods")
    with pytest.raises(NotUsable, match="changed meanwhile"):
        contents(tree)


def test_a_folder_that_becomes_a_link_leads_nowhere(folder: Path, tmp_path: Path) -> None:
    fill(folder, {"sub/deep/a.ods": b"12345"})
    tree = read_notes(folder)
    (folder / "sub").rename(tmp_path / "secret")
    (folder / "sub").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match=r"symbolic|directory"):
        contents(tree)


def test_too_many_files_are_refused_and_what_lies_too_deep_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(folder, {"/".join("d" for _ in range(45)) + "/x.md": b"", "y.md": b""})
    tree = read_notes(folder)
    assert [file.path for file in tree.files] == ["y.md"]
    assert tree.lost[0].startswith("files and folders that lie deeper than 40 levels: 1")
    monkeypatch.setattr(notes_module, "MOST_TEXT_BYTES", 3)
    fill(folder, {"y.md": b"1234"})
    with pytest.raises(NotUsable, match="more than 3 bytes of notes"):
        read_notes(folder)
    monkeypatch.setattr(notes_module, "MOST_ENTRIES", 3)
    fill(folder, {f"{number}.md": b"" for number in range(4)})
    with pytest.raises(NotUsable, match="more than 3 files and folders"):
        read_notes(folder)


def test_a_raw_export_of_joplin_becomes_folders_notes_and_attachments(folder: Path) -> None:
    write_joplin_raw(folder)
    tree = read_notes(folder)
    found = contents(tree)
    assert tree.folders == ("Minutes", "Minutes/2026- spring", "Minutes/2026- spring/Board meeting.files")
    assert set(found) == {
        "Minutes/2026- spring/Board meeting.md",
        "Minutes/2026- spring/Board meeting.files/plan of the hall.png",
        "A-B.md",
    }
    assert (
        found["Minutes/2026- spring/Board meeting.md"].decode()
        == f"""\
---
tags: [minutes]
---
See [the other](../../A-B.md).

![plan](Board%20meeting.files/plan%20of%20the%20hall.png)

[gone](:/{"f" * 32})
"""
    )
    assert found["A-B.md"].decode() == "---\ntitle: A/B\n---\n- [x] A/B\n\n---\n\nbelow\n"
    assert found["Minutes/2026- spring/Board meeting.files/plan of the hall.png"] == b"\x89PNG"
    [note] = [file for file in tree.files if file.path == "A-B.md"]
    assert (note.modified_ns, note.created) == (1672963200 * 10**9, "2023-01-05T00:00:00Z")
    assert sorted(tree.lost) == [
        "attachments, whose bytes are not in the export: 1 ('lost.pdf')",
        "encrypted items: 1 ('55555555555555555555555555555555.md')",
        "files of attachments that no item describes: 1 ('99999999999999999999999999999999.bin')",
        "links to what is not in the export: 1 ('Board meeting')",
        "names of notebooks, which are called otherwise here: 1 ('2026: spring → 2026- spring')",
        "notes and notebooks in the trash of Joplin: 1 ('Thrown away')",
        "revisions of notes: 1",
    ]


def test_notebooks_that_lie_within_each_other_come_to_the_top(folder: Path) -> None:
    write_joplin_raw(folder)
    text = (folder / f"{NOTEBOOK}.md").read_text()
    (folder / f"{NOTEBOOK}.md").write_text(text.replace("parent_id: ", f"parent_id: {INNER}"))
    assert any(path.endswith("Board meeting.md") for path in contents(read_notes(folder)))


def test_a_note_that_begins_with_a_rule_has_no_front_matter(folder: Path) -> None:
    write_joplin_raw(folder)
    for file in folder.glob("*.md"):
        file.write_text(file.read_text().replace("is_todo: 1", "is_todo: 0").replace("A/B", "AB"))
    found = contents(read_notes(folder))
    assert found["AB.md"] == b"\n---\n\nbelow\n"
    assert parse_document(found["AB.md"]).lines is None


BLOCK = st.lists(
    st.sampled_from(
        [
            "---",
            "title: a",
            "title: note",
            "created: 2021-05-01 16:40:00Z",
            "updated: 2021-05-01 16:40:00Z",
            "completed?: yes",
            "completed?: no",
            "due: 2021-06-18 08:00:00Z",
            "due: soon",
            "tags: [a, b]",
            "  - c",
            "x: >-",
            "",
            "text",
        ]
    )
    | st.text(max_size=12),
    max_size=14,
)


@given(BLOCK, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_no_line_of_any_note_is_lost_but_those_of_joplin(lines: list[str], newline: str, fenced: bool) -> None:
    data = newline.join(["---", *lines] if fenced else lines).encode(errors="replace")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "note.md").write_bytes(data)
        tree = read_notes(Path(name))
        [found] = contents(tree).values()
    [file] = tree.files
    if file.created is None:
        assert found == data
        return
    left = [
        line for line in data.decode().split("\n") if not re.match(r"(created|updated|completed\?|due|title):", line)
    ]
    text = found.decode()
    assert all(line.strip() in text for line in left if line.strip() not in ("", "---"))
    assert "created: 2021" not in text.partition("\n---")[0]


NAME = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60
) | st.sampled_from(
    [
        "access.toml",
        "Access.TOML ",
        "links.txt.",
        ".state.jsonl",
        "~",
        "x~",
        "con",
        "a:b",
        "._",
        ".attachments.1",
        "\ufeff",
    ]
)


@given(st.sets(NAME.filter(lambda name: name not in (".", "..") and len(name.encode()) < 200), max_size=6))
def test_whatever_the_files_are_called_they_can_be_stored(names: set[str]) -> None:
    with tempfile.TemporaryDirectory() as top:
        for number, name in enumerate(sorted(names)):
            if number % 3:
                (Path(top) / f"{name}.md").write_bytes(b"x")
            else:
                (Path(top) / name).mkdir(exist_ok=True)
        tree = read_notes(Path(top))
    paths = [f"0/{path}" for path in (*tree.folders, *(file.path for file in tree.files))]
    for path in paths:
        require_entry_path(path, 1)
        assert why_not(path.rpartition("/")[2]) is None
    assert len({folded(path) for path in paths}) == len(paths)
