"""SEARCH: finding files and folders by name, date, size and type (RFC 5323)."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from davserver.dav.conditions import Like, Wildcard, parse_pattern
from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Reply

TYPES = {"Content-Type": "application/xml"}


def body(where: str = "", *, scope: str = "", depth: str = "infinity", select: str = "", more: str = "") -> str:
    condition = f"<D:where>{where}</D:where>" if where else ""
    return (
        '<D:searchrequest xmlns:D="DAV:" xmlns:x="urn:x"><D:basicsearch>'
        f"<D:select>{select or '<D:prop><D:displayname/></D:prop>'}</D:select>"
        f"<D:from><D:scope><D:href>{escape(scope)}</D:href><D:depth>{depth}</D:depth></D:scope></D:from>"
        f"{condition}{more}</D:basicsearch></D:searchrequest>"
    )


def search(client: Dav, path: str, where: str = "", **how: str) -> Reply:
    return client.request("SEARCH", path, body(where, **({"scope": path} | how)), TYPES)


def found(client: Dav, path: str, where: str = "", **how: str) -> list[str]:
    """What a search finds, below its path."""
    reply = search(client, path, where, **how)
    assert reply.status == 207, reply.body
    return [href.removeprefix(path) for href in reply.multistatus()]


def compare(operator: str, name: str, literal: str, attributes: str = "") -> str:
    return f"<D:{operator}{attributes}><D:prop>{name}</D:prop><D:literal>{escape(literal)}</D:literal></D:{operator}>"


NAME, SIZE, TYPE = "<D:displayname/>", "<D:getcontentlength/>", "<D:getcontenttype/>"
CHANGED, MADE = "<D:getlastmodified/>", "<D:creationdate/>"
FILES = {"plan.txt": 4, "Plan B.odt": 10, "photos/a.jpg": 100, "photos/b.jpg": 200, "photos/100%_done.md": 0}


@pytest.fixture
def shelf(alice: Dav, sport: str) -> str:
    """A folder of alice's with files of several names and sizes; its path with slash."""
    assert alice.mkcol(f"{sport}/photos").status == 201
    for number, (name, size) in enumerate(FILES.items()):
        stamp = {"X-OC-Mtime": str(1_700_000_000 + number * 86_400)}
        assert alice.put(f"{sport}/{name}", "x" * size, stamp).status == 201
    return f"{sport}/"


@pytest.mark.rfc("5323", "5.2")
def test_without_a_condition_everything_in_scope_is_found(alice: Dav, shelf: str) -> None:
    assert found(alice, shelf) == [
        "",
        "photos/",
        "Plan B.odt",
        "plan.txt",
        "photos/100%_done.md",
        "photos/a.jpg",
        "photos/b.jpg",
    ]


@pytest.mark.rfc("5323", "5.4.2")
def test_the_scope_says_where_and_how_deep(alice: Dav, shelf: str) -> None:
    assert found(alice, shelf, depth="0") == [""]
    assert found(alice, shelf, depth="1") == ["", "photos/", "Plan B.odt", "plan.txt"]
    for scope in (f"{shelf}photos", f"http://127.0.0.1{shelf}photos/", "photos/"):
        assert found(alice, shelf, scope=scope, depth="1") == ["photos/"] + [
            f"photos/{name}" for name in ("100%_done.md", "a.jpg", "b.jpg")
        ]
    assert found(alice, shelf, scope=f"{shelf}plan.txt", depth="infinity") == ["plan.txt"]


CONDITIONS: list[tuple[str, Callable[[str], bool]]] = [
    (compare("eq", NAME, "plan.txt"), lambda name: name == "plan.txt"),
    (compare("eq", NAME, "PLAN.TXT"), lambda name: name == "plan.txt"),
    (compare("eq", NAME, "PLAN.TXT", ' caseless="no"'), lambda name: False),
    (compare("like", NAME, "plan%"), lambda name: name.lower().startswith("plan")),
    (compare("like", NAME, "plan%", ' caseless="no"'), lambda name: name.startswith("plan")),
    (compare("like", NAME, "_.jpg"), lambda name: name.endswith(("a.jpg", "b.jpg"))),
    (compare("like", NAME, r"%\%\_%"), lambda name: "%_" in name),
    (compare("lt", SIZE, "100"), lambda name: FILES[name] < 100),
    (compare("lte", SIZE, "100"), lambda name: FILES[name] <= 100),
    (compare("gt", SIZE, "9"), lambda name: FILES[name] > 9),
    (compare("gte", SIZE, "200"), lambda name: FILES[name] >= 200),
    (compare("eq", SIZE, "0"), lambda name: FILES[name] == 0),
    (compare("eq", TYPE, "image/jpeg"), lambda name: name.endswith(".jpg")),
    (compare("like", TYPE, "text/%"), lambda name: name.endswith((".txt", ".md"))),
    (compare("gte", CHANGED, "2023-11-16T00:00:00Z"), lambda name: list(FILES).index(name) >= 2),
    (compare("lt", CHANGED, "Thu, 16 Nov 2023 00:00:00 GMT"), lambda name: list(FILES).index(name) < 2),
    (compare("gt", MADE, "2020-01-01T00:00:00Z"), lambda name: True),
]


@pytest.mark.rfc("5323", "5.8-5.15")
@pytest.mark.parametrize(("where", "holds"), CONDITIONS, ids=[where for where, _ in CONDITIONS])
def test_files_are_found_by_name_size_type_and_date(
    alice: Dav, shelf: str, where: str, holds: Callable[[str], bool]
) -> None:
    files = f"<D:and><D:not><D:is-collection/></D:not>{where}</D:and>"
    assert set(found(alice, shelf, files)) == {name for name in FILES if holds(name)}


@pytest.mark.rfc("5323", "5.5.1")
def test_what_cannot_be_compared_is_neither_true_nor_false(alice: Dav, shelf: str) -> None:
    unknown = (
        compare("eq", "<x:colour/>", "red"),
        compare("eq", SIZE, "many"),
        compare("gt", CHANGED, "yesterday"),
        compare("like", SIZE, "1%"),
    )
    for where in unknown:
        assert found(alice, shelf, f"<D:and><D:not><D:is-collection/></D:not>{where}</D:and>") == []
        assert found(alice, shelf, f"<D:and><D:not><D:is-collection/></D:not><D:not>{where}</D:not></D:and>") == []
        either = f"<D:or>{where}{compare('eq', NAME, 'plan.txt')}</D:or>"
        assert found(alice, shelf, either) == ["plan.txt"]


@pytest.mark.rfc("5323", "5.13")
def test_folders_and_files_are_told_apart_and_properties_asked_for(alice: Dav, shelf: str) -> None:
    assert found(alice, shelf, "<D:is-collection/>") == ["", "photos/"]
    assert alice.proppatch(f"{shelf}plan.txt", {"{urn:x}colour": "red"}).status == 207
    assert found(alice, shelf, "<D:is-defined><D:prop><x:colour/></D:prop></D:is-defined>") == ["plan.txt"]
    assert found(alice, shelf, compare("eq", "<x:colour/>", "RED")) == ["plan.txt"]
    nothing = "<D:is-defined><D:prop><x:size/></D:prop></D:is-defined>"
    assert found(alice, shelf, nothing) == []


@pytest.mark.rfc("5323", "5.5.3")
def test_what_people_gave_counts_where_a_listing_shows_it(alice: Dav, shelf: str) -> None:
    given = {DAV.displayname: "Der Plan", DAV.creationdate: "2001-02-03T04:05:06Z"}
    assert alice.proppatch(f"{shelf}plan.txt", given).status == 207
    assert found(alice, shelf, compare("eq", NAME, "der plan")) == ["plan.txt"]
    assert found(alice, shelf, compare("like", NAME, "plan%")) == ["Plan B.odt"]
    assert found(alice, shelf, compare("lt", MADE, "2002-01-01T00:00:00Z")) == ["plan.txt"]
    order = f"<D:orderby><D:order><D:prop>{MADE}</D:prop></D:order></D:orderby>"
    assert found(alice, shelf, "<D:not><D:is-collection/></D:not>", more=order)[0] == "plan.txt"


@pytest.mark.rfc("5323", "5.5.4")
def test_a_property_that_holds_elements_is_there_and_like_nothing(alice: Dav, shelf: str) -> None:
    update = (
        '<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x"><D:set><D:prop><x:tags><x:red/></x:tags></D:prop></D:set>'
    )
    assert alice.request("PROPPATCH", f"{shelf}plan.txt", f"{update}</D:propertyupdate>").status == 207
    assert found(alice, shelf, "<D:is-defined><D:prop><x:tags/></D:prop></D:is-defined>") == ["plan.txt"]
    for where in (compare("eq", "<x:tags/>", ""), compare("like", "<x:tags/>", "%"), compare("gt", "<x:tags/>", "")):
        assert found(alice, shelf, where) == []
        assert found(alice, shelf, f"<D:not>{where}</D:not>") == []


@pytest.mark.rfc("5323", "5.4.2")
def test_scopes_that_lie_within_each_other_find_everything_once(alice: Dav, shelf: str) -> None:
    assert alice.mkcol(f"{shelf}._photos").status == 201
    assert alice.put(f"{shelf}._photos/c.jpg", "x").status == 201
    scopes = "".join(
        f"<D:scope><D:href>{href}</D:href><D:depth>{depth}</D:depth></D:scope>"
        for href, depth in (
            ("photos/", "1"),
            ("photos/", "infinity"),
            (".", "infinity"),
            ("photos/a.jpg", "0"),
            ("._photos", "infinity"),
        )
    )
    query = body(compare("like", NAME, "%.jpg"), scope="plan.txt", depth="0").replace("</D:from>", f"{scopes}</D:from>")
    names = ["._photos/c.jpg", "photos/a.jpg", "photos/b.jpg"]
    assert sorted(alice.request("SEARCH", shelf, query, TYPES).hrefs) == [shelf + name for name in names]
    assert found(alice, shelf, compare("like", NAME, "c.jpg")) == []


@pytest.mark.rfc("5323", "5.6")
def test_results_come_in_the_order_that_is_asked_for(alice: Dav, shelf: str) -> None:
    def ordered(name: str, direction: str) -> list[str]:
        order = f"<D:orderby><D:order><D:prop>{name}</D:prop><D:{direction}/></D:order></D:orderby>"
        return found(alice, shelf, "<D:not><D:is-collection/></D:not>", more=order)

    by_size = sorted(FILES, key=lambda name: FILES[name])
    assert ordered(SIZE, "ascending") == by_size
    assert ordered(SIZE, "descending") == by_size[::-1]
    assert ordered(CHANGED, "ascending") == list(FILES)
    by_name = sorted(FILES, key=lambda name: name.rpartition("/")[2].lower())
    assert ordered(NAME, "ascending") == by_name


@pytest.mark.rfc("5323", "5.17")
def test_a_client_limits_the_results_and_is_told_that_there_are_more(alice: Dav, shelf: str) -> None:
    limit = "<D:limit><D:nresults>2</D:nresults></D:limit>"
    reply = search(alice, shelf, "<D:not><D:is-collection/></D:not>", more=limit)
    rows = reply.multistatus()
    assert [row.status for row in rows.values()].count(507) == 1
    assert rows[shelf].status == 507
    assert len(rows) == 3
    exact = "<D:limit><D:nresults>5</D:nresults></D:limit>"
    assert len(found(alice, shelf, "<D:not><D:is-collection/></D:not>", more=exact)) == 5


@pytest.mark.rfc("5323", "2.3.1")
def test_the_server_limits_the_results_too(make_server: MakeServer) -> None:
    server = make_server(settings="[limits]\nsearch_results = 10\n").start()
    alice = server.client("alice")
    for number in range(12):
        assert alice.put(f"/files/Home/{number}.txt", "x").status == 201
    rows = search(alice, "/files/Home/", compare("like", NAME, "%.txt")).multistatus()
    assert len(rows) == 11
    assert rows["/files/Home/"].status == 507


@pytest.mark.rfc("5323", "5.3")
def test_selected_properties_are_answered_as_by_propfind(alice: Dav, shelf: str) -> None:
    select = "<D:prop><D:getcontentlength/><D:getetag/><x:none/></D:prop>"
    row = search(alice, shelf, compare("eq", NAME, "plan.txt"), select=select).multistatus()[f"{shelf}plan.txt"]
    assert row.text(DAV.getcontentlength) == "4"
    assert row.text(DAV.getetag) == alice.get(f"{shelf}plan.txt").etag
    assert row.statuses["{urn:x}none"] == 404
    assert alice.lock(f"{shelf}photos/").status == 200
    for depth, select in (("infinity", "<D:allprop/>"), ("1", "<D:prop><D:getetag/><D:lockdiscovery/></D:prop>")):
        listed = alice.propfind(shelf, body=f'<D:propfind xmlns:D="DAV:">{select}</D:propfind>', depth=depth)
        answer = search(alice, shelf, select=select, depth=depth)
        told, shown = (sorted(each.text.split("<D:response>")[1:]) for each in (answer, listed))
        assert [without_timeout(row) for row in told] == [without_timeout(row) for row in shown]


def without_timeout(row: str) -> str:
    return re.sub("Second-[0-9]+|</D:multistatus>\n", "", row)


@pytest.mark.rfc("5323", "3")
def test_what_can_be_asked_is_announced(alice: Dav, shelf: str) -> None:
    reply = alice.options(shelf)
    assert reply.headers["dasl"] == "<DAV:basicsearch>"
    assert "SEARCH" in reply.headers["allow"].split(", ")
    told = alice.propfind(shelf, DAV.supported_query_grammar_set, DAV.supported_method_set, depth="0")
    assert "<D:grammar><D:basicsearch/></D:grammar>" in told.text
    methods = told.multistatus()[shelf].props[DAV.supported_method_set]
    assert [method.get("name") for method in methods] == reply.headers["allow"].split(", ")
    schema = alice.request("SEARCH", shelf, DISCOVERY.format(scope=shelf), TYPES)
    assert schema.status == 207
    assert "<D:query-schema><D:basicsearchschema" in schema.text
    for word in (
        "<D:getcontentlength/></D:prop><D:datatype><xs:unsignedLong/></D:datatype><D:searchable/>",
        "<D:displayname/></D:prop><D:datatype><xs:string/></D:datatype><D:searchable/><D:selectable/><D:sortable/><D:caseless/>",
        "<D:owner/></D:prop><D:selectable/></D:propdesc>",
        "<D:like/>",
        "<D:any-other-property/>",
    ):
        assert word in schema.text


DISCOVERY = (
    '<D:query-schema-discovery xmlns:D="DAV:"><D:basicsearch><D:from><D:scope><D:href>{scope}</D:href>'
    "<D:depth>infinity</D:depth></D:scope></D:from></D:basicsearch></D:query-schema-discovery>"
)
SCOPE = "<D:scope><D:href>.</D:href><D:depth>0</D:depth></D:scope>"
REFUSED = [
    ("<nonsense", 400, None),
    ("", 400, None),
    ('<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>', 400, None),
    ('<D:searchrequest xmlns:D="DAV:"><D:natural-language/></D:searchrequest>', 403, DAV.search_grammar_supported),
    (body(compare("contains", NAME, "x")), 422, None),
    (body("<D:or/>"), 400, None),
    (body("<D:not/>"), 400, None),
    (body("<D:eq><D:prop><D:displayname/></D:prop></D:eq>"), 400, None),
    (body(compare("like", NAME, "%" * 2000)), 422, None),
    (body("<D:not>" * 61 + "<D:is-collection/>" + "</D:not>" * 61), 413, None),
    (body(f"<D:or>{'<D:is-collection/>' * 50}</D:or>"), 422, None),
    (body(compare("eq", SIZE, "1").replace("literal", "typed-literal")), 422, None),
    (body(compare("eq", "<D:owner/>", "alice")), 422, None),
    (body(more="<D:orderby><D:order><D:prop><D:sync-token/></D:prop></D:order></D:orderby>"), 422, None),
    (body(more="<D:orderby><D:order><D:score/></D:order></D:orderby>"), 422, None),
    (body().replace("</D:from>", f"{SCOPE * 100}</D:from>"), 422, None),
    (body("<D:is-collection/><D:is-collection/>"), 400, None),
    (body(depth="2"), 400, None),
    (body(more="<D:limit><D:nresults>0</D:nresults></D:limit>"), 400, None),
    (body(scope="/dav/"), 409, DAV.search_scope_valid),
    (body(scope="/files/Nowhere/"), 409, DAV.search_scope_valid),
    (body(scope="https://other.example/files/"), 409, DAV.search_scope_valid),
    (body(scope="/files/../etc"), 409, DAV.search_scope_valid),
    (body(scope="/files/Home/"), 409, DAV.search_scope_valid),  # is not below what is asked
    (body(scope="/files/"), 409, DAV.search_scope_valid),
    (
        '<D:query-schema-discovery xmlns:D="DAV:"><D:natural-language/></D:query-schema-discovery>',
        403,
        DAV.search_grammar_discovery_supported,
    ),
    (DISCOVERY.format(scope="/files/Nowhere/"), 409, DAV.search_scope_valid),
    (body().replace("<D:scope>", "<D:other>").replace("</D:scope>", "</D:other>"), 400, None),
]


@pytest.mark.rfc("5323", "2.4")
@pytest.mark.parametrize(("sent", "status", "condition"), REFUSED)
def test_what_cannot_be_answered_is_refused(
    alice: Dav, shelf: str, sent: str, status: int, condition: str | None
) -> None:
    reply = alice.request("SEARCH", shelf, sent, TYPES)
    assert (reply.status, reply.condition) == (status, condition), reply.body


def test_a_member_finds_what_it_may_read_and_learns_of_nothing_else(make_server: MakeServer) -> None:
    rules = '[[rule]]\npath = "/files/Sport"\nwho = ["alice"]\nmay = ["admin"]\n'
    rules += '[[rule]]\npath = "/files/Sport"\nwho = ["bob"]\nmay = ["read"]\n'
    server = make_server(access=rules).start()
    alice, bob, carol = map(server.client, ("alice", "bob", "carol"))
    for path in ("/files/Sport/open", "/files/Sport/closed", "/files/Home/mine"):
        assert alice.mkcol(path).status == 201
        assert alice.put(f"{path}/secret.txt", "x").status == 201
    closed = '[[rule]]\nwho = ["alice"]\nmay = ["admin"]\n[[link]]\nright = "read"\n'
    assert alice.put("/files/Sport/closed/access.toml", closed).status == 201
    assert alice.put("/files/Sport/gone.txt", "x").status == 201
    assert alice.delete("/files/Sport/gone.txt").status == 204
    assert alice.put("/files/Sport/._secret.txt", "x").status == 201
    names = compare("like", NAME, "%")
    everything = search(bob, "/files/", names).text
    assert "/files/Sport/open/secret.txt" in everything
    for hidden in ("closed", "mine", "access.toml", "links.txt", "gone.txt", "._secret"):
        assert hidden not in everything
    count = "<D:orderby><D:order><D:prop><D:getcontentlength/></D:prop><D:descending/></D:order></D:orderby>"
    assert found(bob, "/files/Sport/", "<D:not><D:is-collection/></D:not>", more=count) == ["open/secret.txt"]
    for scope in ("/files/Sport/closed/", "/files/Members/alice/", "/files/Nothing/"):
        reply = search(bob, "/files/", scope=scope)
        assert (reply.status, reply.condition) == (409, DAV.search_scope_valid)
    assert search(carol, "/files/Sport/").status == 404
    assert server.client().request("SEARCH", "/files/", body(scope="/files/"), TYPES).status == 401
    assert found(alice, "/files/Trash/", compare("eq", NAME, "gone.txt")) != []


TOPS = ["", "Home/", "Members/", "Trash/", "History/", "Collections/", "Sport/"]


@pytest.mark.rfc("5323", "5.4.2")
def test_what_is_listed_is_found_wherever_one_looks(make_server: MakeServer) -> None:
    server = make_server().start()
    alice, bob, carol = clients = [server.client(name) for name in ("alice", "bob", "carol")]
    shared = '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n[[link]]\nright = "read"\n'
    assert alice.mkcol("/files/Home/shared").status == 201
    for path in ("Home/shared/access.toml", "Home/mine.txt", "Sport/gone.txt", "Sport/kept.txt", "Sport/kept.txt"):
        assert alice.put(f"/files/{path}", shared).status in (201, 204)
    assert alice.delete("/files/Sport/gone.txt").status == 204
    (server.data / "files/Sport/from behind").mkdir()
    (server.data / "files/Sport/from behind/on disk.txt").write_text("x")
    for client in clients:
        for top in (f"/files/{name}" for name in TOPS):
            for depth in ("0", "1", "infinity"):
                listed = set(client.propfind(top, DAV.resourcetype, depth=depth).multistatus())
                former = {path for path in listed if path.startswith(("/files/Trash/", "/files/History/"))}
                left_out = former if (top, depth) == ("/files/", "infinity") else set()
                hits = search(client, top, depth=depth).hrefs
                assert (len(hits), set(hits)) == (len(set(hits)), listed - left_out), (client.user, top, depth)
    assert found(bob, "/files/", compare("eq", NAME, "ON DISK.txt")) == ["Sport/from behind/on disk.txt"]
    assert found(carol, "/files/", compare("like", NAME, "%links.txt")) == []
    assert found(alice, "/files/", compare("eq", NAME, "links.txt")) == ["Home/shared/links.txt"]


WORDS = ["searchrequest", "basicsearch", "select", "from", "scope", "href", "depth", "where", "and", "or", "not", "eq"]
WORDS += ["like", "lt", "prop", "literal", "displayname", "getlastmodified", "is-defined", "orderby", "order", "limit"]
WORDS += ["nresults", "allprop", "typed-literal", "contains", "score", "descending", "query-schema-discovery"]
TEXTS = ["", ".", "0", "1", "infinity", "%", "\\", "/files/", "http://[", "-9", "9" * 5000, "0001-01-01T00:00:00+23:59"]
elements = st.recursive(
    st.builds(lambda word, text: f"<D:{word}>{text}</D:{word}>", st.sampled_from(WORDS), st.sampled_from(TEXTS)),
    lambda parts: st.builds(
        lambda word, inner: f"<D:{word}>{''.join(inner)}</D:{word}>",
        st.sampled_from(WORDS),
        st.lists(parts, max_size=3),
    ),
    max_leaves=12,
)


@pytest.mark.rfc("5323", "2.4")
def test_whatever_is_asked_is_answered_or_refused_by_its_name(alice: Dav, shelf: str) -> None:
    @settings(max_examples=150)
    @given(st.lists(elements, min_size=1, max_size=3).map("".join), st.integers(0, 5))
    def play(inner: str, place: int) -> None:
        wheres = [
            body(inner),
            body(inner).replace("where", "orderby"),
            body(more=inner),
            body(f"<D:eq><D:prop><D:getlastmodified/></D:prop>{inner}</D:eq>"),
            body(select=inner),
            f'<D:searchrequest xmlns:D="DAV:">{inner}</D:searchrequest>',
        ]
        reply = alice.request("SEARCH", shelf, wheres[place], TYPES)
        assert reply.status in (207, 400, 403, 409, 413, 422), (reply.status, wheres[place])

    play()


@settings(deadline=None)
@given(st.text("ab%_\\", max_size=12), st.text("ab%", max_size=12))
@pytest.mark.rfc("5323", "5.15.1")
def test_patterns_match_as_plain_recursion_says(pattern: str, text: str) -> None:
    pieces = parse_pattern(pattern, caseless=False)
    assert Like("", pieces, caseless=False).matches(text) == plain_match(pieces, text)


def plain_match(pieces: tuple[str | Wildcard, ...], text: str) -> bool:
    if not pieces:
        return not text
    head, *rest = pieces
    tail = tuple(rest)
    if isinstance(head, str):
        return text.startswith(head) and plain_match(tail, text[len(head) :])
    if head is Wildcard.TEXT:
        return any(plain_match(tail, text[skipped:]) for skipped in range(len(text) + 1))
    return text != "" and plain_match(tail, text[1:])
