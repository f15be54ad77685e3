"""``access.toml`` in folders: who may write it, by which ways nobody else can, and that it holds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from davserver.dav.names import DAV
from tests.files.conftest import made, numbers
from tests.harness import Dav, Server

TO_DORA = '[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'
TO_BOB = '[[rule]]\nwho = ["bob"]\nmay = ["admin"]\n'
EVERYTHING = '["read", "create", "write", "delete"]'


@dataclass(frozen=True)
class Ruled:
    """
    A folder in Led, where bob reads, creates, writes and deletes but only carol has ``admin``.

    Attributes:
        path: holds ``access.toml`` of carol's with a link, ``plain.toml`` of bob's, and ``open/`` without rules.
        own: a folder in bob's home that holds an ``access.toml`` of his.
    """

    path: str
    own: str


@pytest.fixture
def ruled(alice: Dav, bob: Dav, carol: Dav, led: str) -> Ruled:
    path = made(alice, f"{led}/ruled")
    rules = f'[[rule]]\nwho = ["alice", "bob"]\nmay = {EVERYTHING}\n[[link]]\nright = "read"\n'
    assert carol.put(f"{path}/access.toml", rules).status == 201
    assert bob.put(f"{path}/plain.toml", TO_BOB).status == 201
    made(bob, f"{path}/open")
    own = made(bob, f"/files/Home/own{next(numbers)}")
    assert bob.put(f"{own}/access.toml", TO_DORA).status == 201
    assert bob.put(f"{own}/mine.toml", TO_BOB).status == 201
    return Ruled(path, own)


# Every way by which somebody without `admin` could get at the rules: method, source, target.
WRITE_WAYS = [
    ("PUT", "{path}/access.toml", None),
    ("PUT", "{path}/open/access.toml", None),
    ("PUT", "{path}/links.txt", None),
    ("DELETE", "{path}/access.toml", None),
    ("DELETE", "{path}/links.txt", None),
    ("DELETE", "{path}", None),
    ("LOCK", "{path}/access.toml", None),
    ("LOCK", "{path}/open/access.toml", None),
    ("PROPPATCH", "{path}/access.toml", None),
    ("MKCOL", "{path}/open/access.toml", None),
    ("COPY", "{path}/plain.toml", "{path}/access.toml"),
    ("COPY", "{path}/plain.toml", "{path}/open/access.toml"),
    ("MOVE", "{path}/plain.toml", "{path}/access.toml"),
    ("MOVE", "{path}/plain.toml", "{path}/open/access.toml"),
    ("COPY", "{own}/mine.toml", "{path}/open/access.toml"),
    ("MOVE", "{own}/mine.toml", "{path}/access.toml"),
    ("COPY", "{own}/access.toml", "{path}/open/access.toml"),
    ("MOVE", "{own}/access.toml", "{path}/open/access.toml"),
    ("COPY", "{path}/open", "{path}/access.toml"),
    ("MOVE", "{path}/open", "{path}/access.toml"),
    ("MOVE", "{path}/access.toml", "{path}/open/away.toml"),
    ("COPY", "{path}/access.toml", "{path}/open/seen.toml"),
    ("COPY", "{path}/links.txt", "{own}/seen.txt"),
    ("MOVE", "{path}", "{path}-renamed"),
    ("MOVE", "{path}", "{own}/ruled"),
    ("MOVE", "{path}/..", "{own}/parent"),
    ("MOVE", "{own}", "{path}/open/own"),
    ("MOVE", "{own}", "{path}"),
    ("COPY", "{own}", "{path}"),
    ("MOVE", "{path}/open", "{path}"),
    ("MOVE", "/files/Led", "/files/Home/Led"),
    ("DELETE", "/files/Led", None),
]


@pytest.mark.parametrize(("method", "source", "target"), WRITE_WAYS)
def test_without_admin_no_way_leads_to_the_rules_of_a_folder(
    bob: Dav, ruled: Ruled, cloud: Server, method: str, source: str, target: str | None
) -> None:
    before = cloud.tree()
    path = source.format(path=ruled.path, own=ruled.own)
    if path.endswith("/.."):
        path = path.rpartition("/")[0].rpartition("/")[0]
    headers = {"Depth": "infinity"} if method in ("COPY", "MOVE", "DELETE") else {}
    if target is not None:
        headers["Destination"] = target.format(path=ruled.path, own=ruled.own)
    if method == "PROPPATCH":
        reply = bob.proppatch(path, {"{urn:x}p": "1"})
    elif method == "LOCK":
        reply = bob.lock(path)
    else:
        reply = bob.request(method, path, TO_BOB if method == "PUT" else None, headers)
    assert reply.status in (403, 404), reply.body
    assert cloud.tree() == before


@pytest.mark.parametrize("name", ["access.toml", "links.txt"])
def test_rules_and_links_are_seen_by_administrators_alone(bob: Dav, carol: Dav, ruled: Ruled, name: str) -> None:
    assert bob.get(f"{ruled.path}/{name}").status == 404
    assert bob.propfind(f"{ruled.path}/{name}").status == 404
    assert f"{ruled.path}/{name}" not in bob.propfind(ruled.path, DAV.getetag, depth="1").multistatus()
    assert name not in bob.get(ruled.path).text
    assert f"{ruled.path}/{name}" in carol.propfind(ruled.path, DAV.getetag, depth="1").multistatus()
    assert carol.get(f"{ruled.path}/{name}").status == 200


def test_a_copied_tree_leaves_the_rules_behind(bob: Dav, carol: Dav, ruled: Ruled) -> None:
    assert bob.copy(ruled.own, f"{ruled.path}/copied").status == 201
    assert bob.get(f"{ruled.path}/copied/mine.toml").status == 200
    assert carol.get(f"{ruled.path}/copied/access.toml").status == 404
    assert carol.copy(ruled.path, f"{ruled.path}-2").status == 201
    assert carol.get(f"{ruled.path}-2/access.toml").status == 404
    assert carol.get(f"{ruled.path}-2/links.txt").status == 404


def test_an_administrator_moves_a_tree_with_its_rules(carol: Dav, dora: Dav, ruled: Ruled) -> None:
    assert carol.put(f"{ruled.path}/access.toml", TO_DORA).status == 204
    assert carol.move(ruled.path, f"{ruled.path}-2").status == 201
    assert carol.get(f"{ruled.path}-2/access.toml").text == TO_DORA
    assert dora.get(f"{ruled.path}-2/plain.toml").status == 200


def test_rules_are_in_force_with_the_next_request_and_end_with_the_file(carol: Dav, dora: Dav, led: str) -> None:
    carol.put(f"{led}/a.txt", "words")
    assert dora.get(f"{led}/a.txt").status == 404
    assert carol.put(f"{led}/access.toml", TO_DORA).status == 201
    assert dora.get(f"{led}/a.txt").text == "words"
    assert "/files/Led/" in dora.propfind("/files/", DAV.getetag, depth="1").multistatus()
    assert dora.put(f"{led}/a.txt", "x").status == 403
    assert carol.delete(f"{led}/access.toml").status == 204
    assert dora.get(f"{led}/a.txt").status == 404


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("[[rule]\n", "1"),
        ('[[rule]]\nwho = ["dora"]\nmay = ["raed"]\n', "3"),
        ('[[rule]]\nwho = "dora"\nmay = ["read"]\n', "2"),
        ("[[rule]]\nwho = []\nmay = []\ncolour = 1\n", "4"),
        (b"\n\xff\xfe", "2"),
    ],
)
def test_broken_rules_are_refused_with_line_and_reason_and_the_old_ones_stay(
    carol: Dav, led: str, cloud: Server, body: str | bytes, line: str
) -> None:
    carol.put(f"{led}/access.toml", TO_DORA)
    carol.put(f"{led}/broken.toml", body)
    before = cloud.tree()
    copied = carol.copy(f"{led}/broken.toml", f"{led}/access.toml")
    for reply in (carol.put(f"{led}/access.toml", body), copied):
        assert (reply.status, reply.headers["content-type"]) == (422, "text/plain; charset=utf-8")
        assert f":{line}:" in reply.text
    assert cloud.tree() == before


def test_nobody_gives_on_what_they_hold_through_the_file_itself(carol: Dav, dora: Dav, led: str, cloud: Server) -> None:
    given = '[[rule]]\nwho = ["dora"]\nmay = ["admin"]\n'
    carol.put(f"{led}/access.toml", given)
    before = cloud.tree()
    reply = dora.put(f"{led}/access.toml", given + '\n[[rule]]\nwho = ["world"]\nmay = ["read"]\n')
    assert reply.status == 422
    assert cloud.tree() == before


def test_who_leads_by_the_file_itself_edits_the_rest_of_it(carol: Dav, dora: Dav, led: str) -> None:
    given = '[[rule]]\nwho = ["dora"]\nmay = ["admin"]\n'
    carol.put(f"{led}/access.toml", given + '\n[[rule]]\nwho = ["bob"]\nmay = ["read"]\n')
    assert dora.put(f"{led}/access.toml", f"# bob left\n{given}").status == 204
    assert dora.get(f"{led}/access.toml").text.startswith("# bob left")


def test_who_leads_by_the_file_itself_takes_names_out_of_a_rule_and_puts_none_in(
    carol: Dav, dora: Dav, led: str, cloud: Server
) -> None:
    leads, reads = '[[rule]]\nwho = [{}]\nmay = ["admin"]\n', '[[rule]]\nwho = [{}]\nmay = ["read"]\n'
    assert carol.put(f"{led}/access.toml", leads.format('"dora"') + reads.format('"bob", "alice"')).status == 201
    before = cloud.tree()
    for more in (
        leads.format('"dora", "bob"') + reads.format('"alice"'),
        leads.format('"dora"') + reads.format('"bob", "alice", "world"'),
        leads.format('"dora"') + reads.format('"bob"').replace("read", "write"),
    ):
        assert dora.put(f"{led}/access.toml", more).status == 422
    assert cloud.tree() == before
    assert dora.put(f"{led}/access.toml", leads.format('"dora"') + reads.format('"alice"')).status == 204


def test_a_locked_rules_file_is_written_with_the_token(carol: Dav, led: str) -> None:
    reply = carol.lock(f"{led}/access.toml")
    assert reply.status == 201
    assert carol.put(f"{led}/access.toml", TO_DORA).status == 423
    assert carol.put(f"{led}/access.toml", TO_DORA, {"If": f"(<{reply.lock_token}>)"}).status == 204
    assert carol.put(f"{led}/access.toml", "[[", {"If": f"(<{reply.lock_token}>)"}).status == 422


def test_who_may_no_longer_create_there_reads_nothing_of_what_they_made(carol: Dav, dora: Dav, led: str) -> None:
    made(carol, f"{led}/drop")
    assert carol.put(f"{led}/drop/access.toml", '[[rule]]\nwho = ["dora"]\nmay = ["create"]\n').status == 201
    assert dora.put(f"{led}/drop/mine.txt", "mine").status == 201
    assert dora.get(f"{led}/drop/mine.txt").text == "mine"
    assert carol.put(f"{led}/drop/access.toml", '[[rule]]\nwho = ["bob"]\nmay = ["create"]\n').status == 204
    assert dora.get(f"{led}/drop/mine.txt").status == 404
    assert dora.propfind(f"{led}/drop/", DAV.getetag, depth="1").status == 404
