"""Boards of Deck and Trello: where everything goes, and that all that goes nowhere is named."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.board import parse_board
from storage.frontmatter import parse_document
from storage.movein.exports import parse_export
from storage.movein.shelving import require_entry_path
from storage.movein.values import NotUsable, Tree, words
from storage.portable import caseless, why_not
from tests.movein.exports import deck, deck_board, deck_card, deck_stack, trello, trello_card


def only(data: bytes) -> Tree:
    [tree] = parse_export(data)
    return tree


def texts(tree: Tree) -> dict[str, str]:
    found = {}
    for file in tree.files:
        assert isinstance(file.content, bytes)
        assert file.size == len(file.content)
        found[file.path] = file.content.decode()
    return found


def test_a_board_of_deck_is_a_folder_with_its_columns_in_their_order() -> None:
    tree = only(deck())
    assert tree.name == "Summer camp"
    assert tree.folders == ("To do - later", "Done", "Archive")
    assert tree.people == {"alice", "zoe"}
    found = texts(tree)
    assert set(found) == {
        "board.toml",
        "To do - later/Posters.md",
        "To do - later/Tents- how many-.md",
        "Archive/Old.md",
    }
    assert tomllib.loads(found["board.toml"]) == {
        "color": "#e0ed31",
        "archive": "Archive",
        "column": [{"name": "To do - later", "status": "NEEDS-ACTION"}, {"name": "Done", "status": "NEEDS-ACTION"}],
        "labels": {"urgent": "#ff7a66", "done (2)": "#31cc7c"},
    }
    assert (
        found["To do - later/Posters.md"]
        == """\
---
due: 2026-12-01T17:00:00Z
start: 2026-11-24T08:00:00Z
tags: [urgent, done (2)]
assign: [alice, zoe]
order: 2048
created: 2023-07-18T08:06:09Z
---
Print **200** copies.

- [x] ask for a price
- [ ] collect
"""
    )
    assert (
        found["To do - later/Tents- how many-.md"]
        == """\
---
title: "Tents: how many?"
order: 1024
status: COMPLETED
completed: 2026-07-18T10:00:00Z
created: 2023-07-18T08:06:09Z
---
"""
    )
    assert {file.path: file.modified_ns for file in tree.files}["Archive/Old.md"] == 1689667779 * 10**9


def test_all_of_deck_that_has_no_place_is_named() -> None:
    assert only(deck(archived=True, motto="x")).lost == (
        "archived boards, which are boards like others here: 1 ('Summer camp')",
        "owners of boards (--owner says who owns it here): 1 ('alice')",
        "shares of the board (access.toml says who may do what): 1 ('bob')",
        "fields 'motto': 1 ('Summer camp')",
        "deleted columns: 1 ('Away')",
        "attachments, whose bytes are not in the export: 1 ('Posters: offer.pdf')",
        "assigned groups: 1 ('Posters: sport')",
        "comments, whose text is not in the export: 3 ('Posters')",
        "who made the card: 3",
        "fields 'mood': 1 ('Posters')",
        "deleted cards: 2 ('Gone', 'In the away')",
        "names of columns, which are called otherwise here: 1 ('To do / later → To do - later')",
        "names of labels, which are called otherwise here: 1 ('done → done (2)')",
        "columns that archived cards were in: 1",
    )


def test_what_newer_exports_of_deck_hold_comes_along() -> None:
    comment = {"id": "1", "parentId": "0", "actorType": "users", "verb": "comment"}
    first = deck_card(
        1,
        "First",
        owner="admin",
        type="text",
        dependentCards=[2, 9999],
        commentsCount=2,
        comments=[
            {**comment, "actorId": "alice", "message": "One", "creationDateTime": "2026-07-18T10:00:00+02:00"},
            {**comment, "actorId": "bob", "message": "Two\n", "creationDateTime": "2026-07-19T10:00:00+02:00"},
        ],
        attachmentCount=3,
        attachments=[
            {"type": "file", "data": "../plan.PDF", "lastModified": 1689667779, "contentBase64": "JVBERg=="},
            {"type": "file", "data": "Comments.md", "createdBy": "alice", "contentBase64": ""},
            {"type": "file", "data": "broken.png", "contentBase64": "?"},
        ],
    )
    done = deck_card(2, "Second", stackId=65, done="2026-07-18T10:00:00+00:00")
    stacks = [deck_stack(64, "A", 0, first, isDoneColumn=False), deck_stack(65, "B", 1, done, isDoneColumn=True)]
    board = deck_board(stacks, owner=None, labels=[], shareToken=None, externalId=None)
    [tree] = parse_export(json.dumps({"version": "1.19.0", "boards": {"1": board}}).encode(), lambda: "uid-of-second")
    found = {file.path: file.content for file in tree.files}
    assert found["A/First.files/plan.PDF"] == b"%PDF"
    assert found["A/First.files/Comments.md"] == (
        b"**alice**, 2026-07-18T08:00:00Z\n\nOne\n\n---\n\n**bob**, 2026-07-19T08:00:00Z\n\nTwo\n"
    )
    assert found["A/First.files/Comments (2).md"] == b""
    assert tree.folders[-1] == "A/First.files"
    cards = {path: parse_document(data) for path, data in found.items() if isinstance(data, bytes)}
    assert cards["A/First.md"].values["depends"] == ("uid-of-second",)
    assert cards["B/Second.md"].values["uid"] == "uid-of-second"
    assert cards["B/Second.md"].values["completed"] == "2026-07-18T10:00:00Z"
    assert "status" not in cards["B/Second.md"].values
    toml = found["board.toml"]
    assert isinstance(toml, bytes)
    assert [column.status for column in parse_board(toml).columns] == ["NEEDS-ACTION", "COMPLETED"]
    assert tree.lost == (
        "attachments, whose bytes are not in the export: 1 ('First: broken.png')",
        "comments, which are in Comments.md in the card's folder of attachments here: 2 ('First')",
        "who made the card: 2",
        "dependencies on cards that are not in the export: 1 ('First')",
    )


def test_a_board_that_fits_leaves_nothing_to_say() -> None:
    board = deck_board([deck_stack(1, "A", 0, deck_card(1, "x", stackId=1, owner=None))], owner=None, labels=[])
    assert only(json.dumps({"boards": [board]}).encode()).lost == ()


OLD_BUG = {  # cards beside their stack, under its id
    "0": {"id": 7, "title": "A", "order": 0},
    "1": {"id": 1, "title": "B", "order": 1, "cards": [deck_card(1, "in B", stackId=1)]},
    "7": {"cards": [deck_card(2, "in A", stackId=7)]},
}


@pytest.mark.parametrize(
    "export",
    [
        {"188": deck_board(OLD_BUG)},
        {"boards": [deck_board(OLD_BUG)]},
        [deck_board(OLD_BUG)],
        deck_board(list(OLD_BUG.values())),
    ],
)
def test_every_shape_that_deck_has_written_is_read(export: Any) -> None:
    tree = only(json.dumps(export).encode())
    assert set(texts(tree)) == {"board.toml", "A/in A.md", "B/in B.md"}


def test_all_boards_of_a_user_are_read_but_those_in_the_trash() -> None:
    boards = [deck_board([], title=title) for title in ("One", "Two")] + [deck_board([], title="Three", deletedAt=5)]
    assert [tree.name for tree in parse_export(json.dumps({"boards": boards}).encode())] == ["One", "Two"]
    with pytest.raises(NotUsable, match="deleted"):
        parse_export(json.dumps({"boards": boards[2:]}).encode())


def test_a_board_of_trello_is_a_folder_with_checklists_fields_and_links_below_the_text() -> None:
    tree = only(trello())
    assert tree.folders == ("To do", "Done", "Archive", "To do/Posters.files")
    found = texts(tree)
    assert found.pop("To do/Posters.files/Comments.md") == "**bob**, 2026-07-01T10:00:00Z\n\nHello\n"
    assert set(found) == {"board.toml", "To do/Posters.md", "To do/Tents.md", "Archive/Old.md", "Archive/An idea.md"}
    assert tomllib.loads(found["board.toml"])["labels"] == {"urgent": "#eb5a46", "green": "#61bd4f"}
    assert tomllib.loads(found["board.toml"])["color"] == "#0079bf"
    assert (
        found["To do/Posters.md"]
        == """\
---
due: 2026-12-01T17:00:00Z
start: 2026-11-24T09:00:00Z
tags: [urgent, green]
assign: [alice]
order: 2048
created: 2017-09-15T16:14:03Z
location: Town hall
geo: 48.85;2.35
---
Print 200.

Price: 40
Where: Hall

## Steps

- [x] ask for a price (@zoe)
- [ ] collect (due 2026-12-02T10:00:00Z)

- [The \\[price\\]](<https://example.org/ab>)
- [offer.pdf](<https://trello.com/1/offer.pdf>)
"""
    )
    values = parse_document(found["To do/Tents.md"].encode()).values
    assert (values["status"], values["completed"]) == ("COMPLETED", "2026-07-10T17:01:58Z")


def test_all_of_trello_that_has_no_place_is_named() -> None:
    assert only(trello(closed=True, motto="x")).lost == (
        "archived lists, whose cards are in the archive here: 1 ('Ideas')",
        "entries of the activity: 1",
        "archived boards, which are boards like others here: 1 ('Summer camp')",
        "descriptions of boards: 1 ('Everything for July')",
        "background images: 1 ('Summer camp')",
        "memberships of the board (access.toml says who may do what): 1 ('zoe')",
        "data of power-ups: 2 ('Summer camp', 'Posters')",
        "fields 'motto': 1 ('Summer camp')",
        "values of custom fields: 1 ('Posters: Broken')",
        "attachments, whose bytes are not in the export (a link is kept): 1 ('Posters: offer.pdf')",
        "assigned people who are not among the members of the export: 1 ('Posters')",
        "comments, which are in Comments.md in the card's folder of attachments here: 1 ('Posters')",
        "comments, whose text is not in the export: 4 ('Posters')",
        "votes: 2 ('Posters')",
        "stickers: 1 ('Posters')",
        "covers: 1 ('Posters')",
        "reminders: 1 ('Posters')",
        "marks as a template: 1 ('Posters')",
        "fields 'mood': 1 ('Posters')",
        "columns that archived cards were in: 2",
    )


AWKWARD = [
    "../../etc/passwd",
    "..",
    ".",
    "",
    "   ",
    "~ draft",
    ".hidden",
    "._x",
    "a" * 300,
    "é" * 100,
    "CON",
    "aux.txt",
    "tail. ",
    "two\nlines",
    "\ud800",
    "\x1b[31mred",
    "\u202etfel",
    "board.toml",
    "access.toml",
    "links.txt",
    "x.files",
    "Archive",
    "archive",
    "ARCHIVE",
    "@alice",
    ".Radicale.props",
    ".state.jsonl",
    "a\0b",
    "café",
    "straße",
    "STRASSE",
    "ı",
    "con.files",
    "tab\t~",
    '"quoted" \\',
    "cafe\u0301",
]


@pytest.mark.parametrize("kind", ["deck", "trello"])
def test_no_title_leads_out_of_its_folder_or_onto_a_file_of_the_server(kind: str) -> None:
    if kind == "deck":
        stacks = [
            deck_stack(number, title, number, *(deck_card(0, each, stackId=number) for each in AWKWARD))
            for number, title in enumerate(AWKWARD, 1)
        ]
        data = json.dumps([deck_board(stacks, title="../..")]).encode()
    else:
        lists = [{"id": f"l{n}", "name": title, "pos": n} for n, title in enumerate(AWKWARD)]
        cards = [trello_card("", each, idList=f"l{n}") for n in range(len(AWKWARD)) for each in AWKWARD]
        data = trello(lists=lists, cards=cards, name="../..")
    tree = only(data)
    assert tree.name not in (".", "..")
    assert len(tree.folders) == len(AWKWARD) + 1
    assert len(tree.files) == len(AWKWARD) ** 2 + 1
    seen = set()
    for path in (*tree.folders, *(file.path for file in tree.files)):
        assert path.count("/") <= 1
        assert caseless(path) not in seen
        seen.add(caseless(path))
        for name in path.split("/"):
            assert why_not(name) is None
            assert not name.startswith((".", "~"))
            assert name.isprintable()
            assert len(name.removesuffix(".md").encode()) <= 121  # a folder may have one letter more
        assert not path.startswith("@")  # a column of this name would be an assignment to clients
        assert path == "board.toml" or path.rpartition("/")[2] not in ("board.toml", "access.toml", "links.txt")
    for path, text in texts(tree).items():
        if path != "board.toml":
            assert not parse_document(text.encode()).problem
    assert len(parse_board(texts(tree)["board.toml"].encode()).columns) == len(AWKWARD)


def test_an_attachment_is_no_file_of_the_server_and_lies_in_its_folder() -> None:
    names = ["access.toml", "LINKS.txt", ".state.jsonl", "..", "a/../../b.png", "._x", ".Radicale.props", "con.png", ""]
    attachments = [{"data": name, "contentBase64": "eA=="} for name in names]
    board = deck_board([deck_stack(64, "A", 0, deck_card(1, "x", attachments=attachments))])
    paths = [file.path for file in only(json.dumps([board]).encode()).files if file.path.startswith("A/x.files/")]
    assert [path.removeprefix("A/x.files/") for path in paths] == [
        "access_.toml",
        "LINKS_.txt",
        "state.jsonl",
        "Untitled",
        "b.png",
        "_x",
        "Radicale.props",
        "con_.png",
        "attachment",
    ]


def test_more_columns_and_labels_than_a_board_has_are_told_of_and_the_file_stays_one() -> None:
    stacks = [deck_stack(number, f"{number:03}", number, isDoneColumn=True) for number in range(1, 121)]
    stacks[119]["cards"] = [deck_card(1, "x", stackId=120, done="2026-07-18T10:00:00Z", owner=None)]
    labels = [{"title": f"{number} {'x' * 300}", "color": "ff0000"} for number in range(1000)]
    tree = only(json.dumps([deck_board(stacks, labels=labels, owner=None)]).encode())
    assert len(tree.folders) == 121
    assert "\nstatus: COMPLETED\n" in texts(tree)["120/x.md"]
    board = parse_board(texts(tree)["board.toml"].encode())
    assert [column.name for column in board.columns] == [f"{number:03}" for number in range(1, 101)]
    assert tree.lost == (
        "places in the order of columns, after the first 100: 20",
        f"colours of labels that board.toml has no room for: {1000 - len(board.labels)}",
    )


def test_a_title_that_is_no_file_name_is_kept_in_the_front_matter() -> None:
    long = "Buy " + "very " * 50 + "long things"
    board = deck_board([deck_stack(1, "A", 0, *(deck_card(0, title, stackId=1) for title in (long, "x", "X")))])
    found = texts(only(json.dumps([board]).encode()))
    titles = {
        path.rpartition("/")[2]: parse_document(text.encode()).values.get("title") for path, text in found.items()
    }
    [cut] = [name for name in titles if name.startswith("Buy")]
    assert titles[cut] == long
    assert titles["x.md"] is None
    assert titles["X (2).md"] == "X"


BROKEN = {
    "no JSON": (b"{", "not JSON"),
    "not UTF-8": (b'{"boards": "\xff"}', "not JSON"),
    "something else": (b'{"notes": []}', "neither an export of Deck"),
    "a number": (b"5", "neither an export of Deck"),
    "no boards": (b'{"boards": {}}', "neither an export of Deck"),
    "too many values": (b"[" + b"[]," * 5_000_000 + b"[]]", "more than 10000000 values"),
    "deep": (b"[" * 200_000, "deeper than an export|not JSON"),
    "too many": (
        json.dumps(deck_board([{"id": 1, "title": "A", "cards": [{"title": "x"}] * 100_001}])).encode(),
        "more than 100000",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_export_is_refused_in_a_sentence(case: str) -> None:
    data, said = BROKEN[case]
    with pytest.raises(NotUsable, match=said):
        parse_export(data)


FIELDS = """
title stacks cards labels acl owner participant type order stackId id done duedate color name lists desc idList
checklists idCard checkItems members attachments url customFieldItems value prefs actions data card badges cover
coordinates deletedAt createdAt assignedUsers contentBase64
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(sorted(words(FIELDS))),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(JSON, JSON, st.booleans())
def test_any_json_becomes_boards_or_is_refused(one: Any, other: Any, as_trello: bool) -> None:
    export = {"lists": [one], "cards": [other]} if as_trello else {"title": "x", "stacks": [one], "labels": other}
    try:
        trees = parse_export(json.dumps(export).encode())
    except NotUsable:
        return
    for tree in trees:
        for path in (*tree.folders, *(file.path for file in tree.files)):
            require_entry_path(f"0/{path}", 1)
        parse_board(texts(tree)["board.toml"].encode())
