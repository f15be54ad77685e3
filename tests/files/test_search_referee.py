"""SEARCH beside a referee: whatever is asked, it finds what plain Python finds in a PROPFIND of the same member."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cmp_to_key
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davserver.dav.names import DAV
from tests.files.test_search import TYPES
from tests.harness import Dav, Row, Server

COLOUR, TAGS = "{urn:x}colour", "{urn:x}tags"
TAG_OF = {COLOUR: "<x:colour/>", TAGS: "<x:tags/>"}
NAMES = [
    "plan.txt", "PLAN.TXT", "Plan B.odt", "Straße.txt", "STRASSE.txt", "café.md", "Cafe\u0301 2.md",
    "Kelvin \u212a.txt",
    "100%.jpg", "a_b.JPG", "no suffix", ".hidden.txt", "x.tar.gz", "ﬁle.pdf", "jpg", "a.b.c.png", "back\\slash.ics",
]  # fmt: skip
FOLDERS = ["open", "open/deep", "closed", "closed/given", "half", "Ordner ä", "._apart", "open/empty"]
RULES = {  # by carol, who has admin; alice and bob write elsewhere
    "closed": ("carol", '["admin"]'),
    "closed/given": ("bob", '["read"]'),
    "half": ("bob", '["create"]'),
}
Truth = bool | None
Value = str | int | list[str] | None


@dataclass(frozen=True)
class Query:
    """A condition as XML, and what the referee says of it."""

    xml: str
    truth: Callable[[Row], Truth]

    def __repr__(self) -> str:
        return self.xml


def value_of(row: Row, name: str) -> Value:
    """A property of a listing; a date in seconds, a size as a number, elements as a list."""
    element = row.props.get(name)
    if element is None:
        return None
    if len(element):
        return [child.tag for child in element]
    return typed(name, element.text or "")


def typed(name: str, text: str) -> Value:
    try:
        if name == DAV.getlastmodified and text.endswith("GMT"):
            return int(parsedate_to_datetime(text).timestamp())
        if name in (DAV.getlastmodified, DAV.creationdate):
            moment = datetime.fromisoformat(text)
            return int(moment.timestamp()) if moment.tzinfo is not None else None
        return int(text) if name == DAV.getcontentlength else text
    except ValueError:
        return None


def alike(text: str, caseless: bool) -> str:
    return unicodedata.normalize("NFC", text.casefold() if caseless else text)


def sign(left: Value, right: Value, caseless: bool) -> int | None:
    if isinstance(left, str) and isinstance(right, str):
        left, right = alike(left, caseless), alike(right, caseless)
        return (left > right) - (left < right)
    if isinstance(left, int) and isinstance(right, int):
        return (left > right) - (left < right)
    return None


OPERATORS: dict[str, Callable[[int], bool]] = {
    "eq": lambda n: n == 0,
    "lt": lambda n: n < 0,
    "lte": lambda n: n <= 0,
    "gt": lambda n: n > 0,
    "gte": lambda n: n >= 0,
}


def compared(operator: str, name: str, literal: str, caseless: bool) -> Query:
    def truth(row: Row) -> Truth:
        n = sign(value_of(row, name), typed(name, literal), caseless)
        return None if n is None else OPERATORS[operator](n)

    return Query(rendered(operator, name, literal, caseless), truth)


def like(name: str, pattern: str, caseless: bool) -> Query:
    def truth(row: Row) -> Truth:
        value = value_of(row, name)
        return matches(alike(pattern, caseless), alike(value, caseless)) if isinstance(value, str) else None

    return Query(rendered("like", name, pattern, caseless), truth)


def matches(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(matches(pattern[1:], text[skipped:]) for skipped in range(len(text) + 1))
    if pattern[0] == "\\" and len(pattern) > 1:
        return text[:1] == pattern[1] and matches(pattern[2:], text[1:])
    return text != "" and pattern[0] in ("_", text[0]) and matches(pattern[1:], text[1:])


def rendered(operator: str, name: str, literal: str, caseless: bool) -> str:
    attributes = "" if caseless else ' caseless="no"'
    text = f"<D:prop>{tag(name)}</D:prop><D:literal>{escape(literal)}</D:literal>"
    return f"<D:{operator}{attributes}>{text}</D:{operator}>"


def tag(name: str) -> str:
    return TAG_OF.get(name) or f"<D:{name.partition('}')[2]}/>"


def joined(operator: str, parts: list[Query]) -> Query:
    def truth(row: Row) -> Truth:
        truths = [part.truth(row) for part in parts]
        decisive = operator == "or"
        if decisive in truths:
            return decisive
        return None if None in truths else not decisive

    return Query(f"<D:{operator}>{''.join(part.xml for part in parts)}</D:{operator}>", truth)


def negated(part: Query) -> Query:
    def truth(row: Row) -> Truth:
        known = part.truth(row)
        return None if known is None else not known

    return Query(f"<D:not>{part.xml}</D:not>", truth)


def defined(name: str) -> Query:
    return Query(f"<D:is-defined><D:prop>{tag(name)}</D:prop></D:is-defined>", lambda row: name in row.props)


IS_COLLECTION = Query("<D:is-collection/>", lambda row: value_of(row, DAV.resourcetype) == [DAV.collection])
LITERALS = {
    DAV.displayname: [
        *NAMES,
        "open",
        "half",
        "Der Plan",
        "strasse.TXT",
        "CAFÉ.MD",
        "kelvin k.txt",
        "file.pdf",
        "",
        "m",
    ],
    DAV.getcontentlength: ["0", "1", "3", "7", "16", "100", "-1", "x", "9" * 19, "9" * 30],
    DAV.getcontenttype: ["text/plain", "IMAGE/JPEG", "application/octet-stream", "image/png", "text/calendar", "i"],
    DAV.getlastmodified: ["2023-11-16T00:00:00Z", "Thu, 16 Nov 2023 22:13:20 GMT", "9999-12-31T23:59:59Z", "x", "1000"],
    DAV.creationdate: ["2001-02-03T04:05:06Z", "2001-02-03T05:05:06+01:00", "2015-01-01T00:00:00Z", "2001-02-03"],
    COLOUR: ["red", "RED", "blue", "10", "9", ""],
    TAGS: ["", "red"],
}
PATTERNS = ["%", "plan%", "%.txt", "%.jpg", "text/%", "image/_%", "_", "%a%", "%ß%", "%ss%", "%fi%", "%k.%", r"%\%%"]
PATTERNS += [r"a\_b%", "%e\u0301%", "%É%", "%.%.%", "r_d", "%\\", "application/octet-stream", "%octet%", "", "%é_2%"]
names = st.sampled_from(list(LITERALS))
leaves = st.one_of(
    names.flatmap(
        lambda name: st.builds(
            compared, st.sampled_from(list(OPERATORS)), st.just(name), st.sampled_from(LITERALS[name]), st.booleans()
        )
    ),
    st.builds(
        like,
        st.sampled_from([DAV.displayname, DAV.displayname, DAV.getcontenttype, DAV.getcontentlength, COLOUR]),
        st.sampled_from(PATTERNS) | st.text("plaäx.t%_", max_size=5),
        st.booleans(),
    ),
    st.builds(defined, names),
    st.just(IS_COLLECTION),
)
queries = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(joined, st.sampled_from(["and", "or"]), st.lists(parts, min_size=1, max_size=3)),
        st.builds(negated, parts),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def folder(cloud: Server) -> str:
    """A folder of many kinds of files, of which alice, bob and carol see different parts."""
    alice, bob, carol = map(cloud.client, ("alice", "bob", "carol"))
    top = "/files/Led/referee"
    for path in ("", *(f"/{name}" for name in FOLDERS)):
        assert alice.mkcol(top + path).status == 201
        for number, name in enumerate(NAMES):
            stamp = {"X-OC-Mtime": str(1_700_000_000 + number * 40_000)}
            assert alice.put(f"{top}{path}/{name}", "x" * number, stamp).status == 201
    given: list[tuple[str, dict[str, str]]] = [
        ("/plan.txt", {DAV.displayname: "Der Plan", COLOUR: "red"}),
        ("/open/100%.jpg", {DAV.creationdate: "2001-02-03T04:05:06Z", COLOUR: "10"}),
        ("/open", {DAV.displayname: "plan", COLOUR: "Red"}),
        ("/closed/a_b.JPG", {DAV.displayname: "Der Plan", COLOUR: "red"}),
        ("/closed", {COLOUR: "red"}),
    ]
    for path, properties in given:
        assert alice.proppatch(top + path, properties).status == 207
    update = '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><t:tags xmlns:t="urn:x"><t:a/></t:tags></D:prop></D:set>'
    assert alice.request("PROPPATCH", f"{top}/jpg", f"{update}</D:propertyupdate>").status == 207
    for path, (who, may) in RULES.items():
        rule = f'[[rule]]\nwho = ["{who}"]\nmay = {may}\n'
        assert carol.put(f"{top}/{path}/access.toml", rule).status == 201
    assert bob.put(f"{top}/half/made by bob.txt", "mine").status == 201
    return f"{top}/"


def listed(client: Dav, folder: str) -> dict[str, Row]:
    """What a member's listing of the whole folder shows."""
    wanted = "".join(map(tag, (*LITERALS, DAV.resourcetype)))
    body = f'<D:propfind xmlns:D="DAV:" xmlns:x="urn:x"><D:prop>{wanted}</D:prop></D:propfind>'
    return client.propfind(folder, body=body, depth="infinity").multistatus()


def ask(client: Dav, folder: str, where: str, more: str = "", depth: str = "infinity") -> list[str]:
    body = (
        '<D:searchrequest xmlns:D="DAV:" xmlns:x="urn:x"><D:basicsearch><D:select><D:prop/></D:select><D:from><D:scope>'
        f"<D:href>.</D:href><D:depth>{depth}</D:depth></D:scope></D:from><D:where>{where}</D:where>{more}"
        "</D:basicsearch></D:searchrequest>"
    )
    reply = client.request("SEARCH", folder, body, TYPES)
    assert reply.status == 207, reply.body
    return reply.hrefs


@pytest.mark.rfc("5323", "5.5")
@pytest.mark.parametrize("member", ["alice", "bob", "carol"])
def test_a_search_finds_what_the_referee_finds(cloud: Server, folder: str, member: str) -> None:
    client = cloud.client(member)
    rows = listed(client, folder)

    @settings(max_examples=150)
    @given(queries)
    def play(query: Query) -> None:
        assert sorted(ask(client, folder, query.xml)) == sorted(href for href, row in rows.items() if query.truth(row))

    play()


@pytest.mark.rfc("5323", "5.18")
@pytest.mark.parametrize("caseless", [True, False])
def test_every_name_and_pattern_is_told_from_every_other(cloud: Server, folder: str, caseless: bool) -> None:
    client = cloud.client("bob")
    rows = listed(client, folder)
    singles = [compared("eq", DAV.displayname, literal, caseless) for literal in LITERALS[DAV.displayname]]
    singles += [like(name, pattern, caseless) for name in (DAV.displayname, DAV.getcontenttype) for pattern in PATTERNS]
    for query in (*singles, *map(negated, singles)):
        wanted = sorted(href for href, row in rows.items() if query.truth(row))
        assert sorted(ask(client, folder, query.xml)) == wanted, query


@pytest.mark.rfc("5323", "5.6")
def test_the_order_is_the_referee_s(cloud: Server, folder: str) -> None:
    client = cloud.client("bob")
    rows = listed(client, folder)
    keys = st.tuples(st.sampled_from([name for name in LITERALS if name != TAGS]), st.booleans(), st.booleans())

    @settings(max_examples=40)
    @given(st.lists(keys, min_size=1, max_size=3), st.integers(1, 60))
    def play(order: list[tuple[str, bool, bool]], most: int) -> None:
        def before(left: Row, right: Row) -> int:
            for name, caseless, descends in order:
                a, b = value_of(left, name), value_of(right, name)
                n = (a is not None) - (b is not None) if a is None or b is None else sign(a, b, caseless)
                if n:
                    return -n if descends else n
            return 0

        xml = "".join(
            f'<D:order caseless="{"yes" if caseless else "no"}"><D:prop>{tag(name)}</D:prop>'
            f"{'<D:descending/>' if descends else '<D:ascending/>'}</D:order>"
            for name, caseless, descends in order
        )
        limit = f"<D:limit><D:nresults>{most}</D:nresults></D:limit>"
        found = ask(client, folder, IS_DEFINED, f"<D:orderby>{xml}</D:orderby>{limit}")
        is_cut = len(rows) > most
        shown = found[: len(found) - is_cut]
        best = sorted(rows.values(), key=cmp_to_key(before))[:most]
        assert len(shown) == len(best)
        assert all(before(rows[href], row) == 0 for href, row in zip(shown, best, strict=True))

    play()


IS_DEFINED = defined(DAV.resourcetype).xml


def test_a_closed_folder_leaves_no_trace(cloud: Server, folder: str) -> None:
    alice, bob, carol = map(cloud.client, ("alice", "bob", "carol"))
    assert any("/closed/a_b.JPG" in href for href in listed(carol, folder))
    for client in (alice, bob):
        assert not any(href.endswith("/closed/a_b.JPG") for href in ask(client, folder, IS_DEFINED))
    assert f"{folder}closed/given/plan.txt" in ask(bob, folder, compared("eq", DAV.displayname, "plan.txt", True).xml)
    assert f"{folder}half/made by bob.txt" in ask(bob, folder, IS_DEFINED)
    assert not any("/half/plan.txt" in href for href in ask(bob, folder, IS_DEFINED))
