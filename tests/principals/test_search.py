"""Finding principals (RFC 3744 §9.4, §9.5)."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CALSERVER, DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.principals.conftest import ask

SEARCH = "principal-property-search"
NAME, MAIL = "<D:displayname/>", "<CS:email-address-set/>"
ADDRESS, TYPE = "<C:calendar-user-address-set/>", "<C:calendar-user-type/>"
ALL = {f"/dav/{name}/" for name in ("alice", "bob", "carol", "dora", "sport", "board", "association", "van", "hall")}


def where(props: str, text: str, kind: str = "") -> str:
    """One ``DAV:property-search``."""
    match_type = f' match-type="{kind}"' if kind else ""
    return f"<D:property-search><D:prop>{props}</D:prop><D:match{match_type}>{text}</D:match></D:property-search>"


def found(client: Dav, inner: str, path: str = "/dav/", attributes: str = "") -> set[str]:
    """The names that a search finds."""
    reply = ask(client, path, SEARCH, inner + "<D:prop><D:displayname/></D:prop>", attributes=attributes)
    return {href.removeprefix("/dav/").rstrip("/") for href in reply.multistatus()}


@pytest.mark.rfc("3744", "9.4")
@pytest.mark.parametrize(
    ("props", "text", "names"),
    [
        (NAME, "ali", {"alice"}),
        (NAME, "GROSSER", {"hall"}),  # ß in upper case
        (NAME, "\n  sports section ", {"sport"}),
        (NAME, "nobody", set()),
        (MAIL, "@EXAMPLE.org", {"alice", "bob", "carol", "dora", "sport", "van"}),
        (MAIL, "bus@", {"van"}),
        (ADDRESS, "mailto:carol@example.org", {"carol"}),
        (ADDRESS, "/dav/hall/", {"hall"}),
        (TYPE, "room", {"hall"}),
        (TYPE, "group", {"sport", "board", "association"}),
    ],
)
def test_a_part_of_a_property_in_any_case_finds_its_principals(
    dora: Dav, props: str, text: str, names: set[str]
) -> None:
    assert found(dora, where(props, text)) == names


@pytest.mark.rfc("3744", "9.4")
def test_letters_composed_and_decomposed_are_the_same(make_server: MakeServer) -> None:
    server = make_server(groups='[group.g]\ndisplay_name = "Rene\u0301e E\u0301toile"').start()
    alice = server.client("alice")
    assert found(alice, where(NAME, "renée")) == found(alice, where(NAME, "RENE\u0301E éto")) == {"g"}


@pytest.mark.rfc("3744", "9.4")
def test_several_searches_and_several_properties_must_all_match(dora: Dav) -> None:
    assert found(dora, where(NAME, "a") + where(MAIL, "sport")) == set()
    assert found(dora, where(NAME, "sport") + where(MAIL, "sport")) == {"sport"}
    assert found(dora, where(NAME + MAIL, "carol")) == {"carol"}
    assert found(dora, where(NAME + TYPE, "ro")) == {"hall"}  # Großer, ROOM; groups have it in the type alone


@pytest.mark.rfc("3744", "9.4")
def test_a_property_that_is_not_searched_matches_nobody(dora: Dav) -> None:
    unknown = where("<D:getetag/>", "")
    assert found(dora, unknown) == set()
    assert found(dora, unknown + where(NAME, "alice")) == set()
    assert found(dora, unknown + where(NAME, "alice"), attributes='test="anyof"') == {"alice"}


def test_apple_asks_for_any_of_the_names_and_from_the_beginning(dora: Dav) -> None:
    searches = "".join(
        where(props, "bo", "starts-with")
        for props in (NAME, MAIL, "<CS:first-name/>", "<CS:last-name/>", "<CS:record-type/>")
    )
    assert found(dora, searches, attributes='test="anyof"') == {"bob", "board"}
    assert found(dora, searches, attributes='test="allof"') == set()
    assert found(dora, where(NAME, "ob", "contains")) == {"bob"}
    assert found(dora, where(NAME, "board", "equals")) == {"board"}
    assert found(dora, where(NAME, "boar", "equals")) == set()


@pytest.mark.rfc("3744", "9.4")
def test_without_a_condition_it_is_everybody(dora: Dav) -> None:
    assert set(ask(dora, "/dav/", SEARCH).multistatus()) == ALL
    assert set(ask(dora, "/", SEARCH).multistatus()) == ALL


@pytest.mark.rfc("3744", "9.4")
def test_a_search_that_asks_for_no_property_says_only_who_was_found(dora: Dav) -> None:
    [row] = ask(dora, "/dav/", SEARCH, where(NAME, "alice")).multistatus().values()
    assert (row.href, row.status, row.statuses) == ("/dav/alice/", 200, {})


@pytest.mark.rfc("3744", "9.4")
@pytest.mark.parametrize("path", ["/dav/dora/", "/dav/alice/", "/dav/sport/board/"])
def test_below_a_home_are_no_principals_unless_the_search_is_to_look_where_they_are(dora: Dav, path: str) -> None:
    asked = where(NAME, "alice")
    assert found(dora, asked, path) == set()
    assert found(dora, f"{asked}<D:apply-to-principal-collection-set/>", path) == {"alice"}


@pytest.mark.rfc("3744", "9.4")
def test_what_is_found_comes_with_the_properties_that_were_asked_and_nothing_that_is_hidden(
    dora: Dav, alice: Dav
) -> None:
    asked = where(NAME, "alice") + (
        "<D:prop><C:calendar-user-type/><CS:email-address-set/><D:sync-token/><N:note xmlns:N='urn:x'/></D:prop>"
    )
    [row] = ask(dora, "/dav/", SEARCH, asked).multistatus().values()
    assert row.statuses == {
        CALDAV.calendar_user_type: 200,
        CALSERVER.email_address_set: 200,
        DAV.sync_token: 404,
        "{urn:x}note": 404,
    }
    [row] = ask(alice, "/dav/", SEARCH, asked).multistatus().values()
    assert set(row.statuses.values()) == {200}


@pytest.mark.rfc("3744", "9.4")
def test_a_client_s_limit_cuts_the_answer_and_the_answer_says_so(dora: Dav) -> None:
    rows = ask(dora, "/dav/", SEARCH, "<D:limit><D:nresults>2</D:nresults></D:limit>").multistatus()
    assert [(row.href, row.status, row.condition) for row in rows.values()] == [
        ("/dav/alice/", 200, None),
        ("/dav/association/", 200, None),
        ("/dav/", 507, DAV.number_of_matches_within_limits),
    ]
    nine = ask(dora, "/dav/", SEARCH, "<D:limit><D:nresults>9</D:nresults></D:limit>").multistatus()
    assert set(nine) == ALL


@pytest.mark.rfc("3744", "9.4")
def test_more_than_a_thousand_are_not_cut_in_silence(make_server: MakeServer) -> None:
    server = make_server(groups="".join(f"[group.g{number}]\n" for number in range(1100))).start()
    rows = ask(server.client("alice"), "/dav/", SEARCH).multistatus()
    assert len(rows) == 1001
    assert (rows["/dav/"].status, rows["/dav/"].condition) == (507, DAV.number_of_matches_within_limits)


@pytest.mark.rfc("3744", "9.4")
@pytest.mark.rfc("3744", "9.5")
@pytest.mark.rfc("3744", "9.3")
@pytest.mark.rfc("3744", "9.2")
@pytest.mark.parametrize("name", [SEARCH, "principal-search-property-set", "principal-match", "acl-principal-prop-set"])
def test_the_reports_about_principals_are_of_depth_0_alone(alice: Dav, association: Server, name: str) -> None:
    before = association.tree()
    inner = "<D:self/>" if name == "principal-match" else ""
    for depth in ("1", "infinity"):
        reply = ask(alice, "/dav/alice/", name, inner, depth=depth)
        assert reply.status == 400
        assert "Depth" in reply.text
    for good in ("0", None):
        assert ask(alice, "/dav/alice/", name, inner, depth=good).status in (200, 207)
    assert association.tree() == before


@pytest.mark.parametrize(
    ("inner", "attributes"),
    [
        ("<D:property-search><D:prop><D:displayname/></D:prop></D:property-search>", ""),
        ("<D:property-search><D:match>x</D:match></D:property-search>", ""),
        (where(NAME, "x", "like"), ""),
        (where(NAME, "x"), 'test="noneof"'),
        ("<D:limit><D:nresults>0</D:nresults></D:limit>", ""),
    ],
)
def test_a_search_that_cannot_be_read_is_refused_with_a_sentence(dora: Dav, inner: str, attributes: str) -> None:
    reply = ask(dora, "/dav/", SEARCH, inner, attributes=attributes)
    assert reply.status == 400
    assert len(reply.text) > 20


@pytest.mark.rfc("3744", "9.5")
def test_the_properties_that_can_be_searched_are_named_and_described(dora: Dav) -> None:
    reply = ask(dora, "/dav/", "principal-search-property-set")
    assert (reply.status, reply.xml.tag) == (200, DAV.principal_search_property_set)
    described = {entry.find(DAV.prop)[0].tag: entry.find(DAV.description) for entry in reply.xml}  # type: ignore[index]
    assert list(described) == [
        DAV.displayname,
        CALSERVER.email_address_set,
        CALDAV.calendar_user_address_set,
        CALDAV.calendar_user_type,
    ]
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert all(each is not None and each.text and each.get(lang) == "en" for each in described.values())


@pytest.mark.rfc("3744", "9.5")
@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-CH, en;q=0.5", "de"),
        ("es, fr;q=0.3, de;q=0.2", "fr"),
        ("DE;q=0.1,en;q=0.9", "en"),
        ("es", "en"),
        ("de;q=0", "en"),
        ("*", "en"),
        (";;q=,de;q=x", "en"),
        ("", "en"),
    ],
)
def test_they_are_described_in_a_language_that_the_client_reads(dora: Dav, header: str, language: str) -> None:
    body = '<D:principal-search-property-set xmlns:D="DAV:"/>'
    reply = dora.report("/dav/", body, headers={"Accept-Language": header})
    assert f'xml:lang="{language}"' in reply.text
    assert "Accept-Language" in reply.headers["vary"]


@pytest.mark.rfc("3744", "9")
@pytest.mark.parametrize("path", ["/dav/", "/dav/alice/", "/dav/sport/", "/dav/alice/open/", "/dav/alice/open/a.ics"])
def test_every_resource_lists_the_reports_about_principals(alice: Dav, path: str) -> None:
    listed = alice.propfind(path, DAV.supported_report_set).multistatus()[path].props[DAV.supported_report_set]
    reports = {report[0].tag for report in listed.iter(DAV.report)}
    assert reports >= {
        DAV.expand_property,
        DAV.principal_property_search,
        DAV.principal_search_property_set,
        DAV.principal_match,
        DAV.acl_principal_prop_set,
    }


def test_without_credentials_nobody_is_found(association: Server) -> None:
    anonymous = association.client()
    for name in (
        SEARCH,
        "principal-match",
        "expand-property",
        "acl-principal-prop-set",
        "principal-search-property-set",
    ):
        for path in ("/", "/dav/", "/dav/sport/board/"):
            assert ask(anonymous, path, name).status == 401
