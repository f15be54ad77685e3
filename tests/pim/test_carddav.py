"""RFC 6352 from its properties to its filters, with the examples that it prints."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import NAMESPACES, Dav, Server, row_of
from tests.pim.samples import card, card_query, event, multiget, sync

CYRUS = [
    "BEGIN:VCARD",
    "VERSION:3.0",
    "NICKNAME:me",
    "UID:34222-232@example.com",
    "FN:Cyrus Daboo",
    "N:Daboo;Cyrus;;;",
    "EMAIL:daboo@example.com",
    "TEL;TYPE=WORK,VOICE:412 605 0499",
    "END:VCARD",
    "",
]
PARTS = "".join(f'<CR:prop name="{name}"/>' for name in ("VERSION", "UID", "NICKNAME", "EMAIL", "FN"))
PART = f"<CR:address-data>{PARTS}</CR:address-data>"


def vcard(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])


@pytest.fixture
def bernard(mine: Dav, book: str) -> str:
    """The address book of the RFC's examples."""
    mine.put(book + "v102.vcf", "\r\n".join(CYRUS))
    mine.put(book + "v104.vcf", vcard("NICKNAME:oliver", "UID:34222-23222@example.com", "FN:Oliver Daboo",
                                      "N:Daboo;Oliver;;;", "EMAIL:oliver@example.com"))  # fmt: skip
    mine.put(book + "v105.vcf", vcard("UID:3", "FN:David Boo", "N:Boo;David;;;", "EMAIL:daboo2@example.com"))
    mine.put(book + "v106.vcf", vcard("UID:4", "FN:Someone Else", "N:Else;Someone;;;", "NICKNAME:mean"))
    return book


def question(inner: str, data: str = "", test: str = "", more: str = "") -> str:
    return (
        f"<CR:addressbook-query {NAMESPACES}><D:prop><D:getetag/>{data}</D:prop>"
        f"<CR:filter{test}>{inner}</CR:filter>{more}</CR:addressbook-query>"
    )


def match(name: str, text: str, how: str, collation: str = "i;unicode-casemap") -> str:
    said = f'<CR:text-match collation="{collation}" match-type="{how}">{text}</CR:text-match>'
    return f'<CR:prop-filter name="{name}">{said}</CR:prop-filter>'


def names(reply: object, book: str) -> list[str]:
    return [path.removeprefix(book) for path in reply.multistatus()]  # type: ignore[attr-defined]


# -- §8.6, §8.7: the examples ----------------------------------------------------------------------------------------


@pytest.mark.rfc("6352", "8.6.3")
def test_the_cards_of_a_nickname_come_in_part(mine: Dav, bernard: str) -> None:
    rows = mine.report(bernard, question(match("NICKNAME", "me", "equals"), PART), depth="1").multistatus()
    assert list(rows) == [bernard + "v102.vcf"]
    row = rows[bernard + "v102.vcf"]
    assert row.text(DAV.getetag) == mine.get(bernard + "v102.vcf").etag
    assert (row.text(CARDDAV.address_data) or "").split("\r\n") == [*CYRUS[:5], CYRUS[6], *CYRUS[8:]]


@pytest.mark.rfc("6352", "8.6.4")
def test_the_cards_of_a_name_or_an_address_come_in_part(mine: Dav, bernard: str) -> None:
    inner = match("FN", "daboo", "contains") + match("EMAIL", "daboo", "contains")
    rows = mine.report(bernard, question(inner, PART, ' test="anyof"'), depth="1").multistatus()
    assert [path.removeprefix(bernard) for path in rows] == ["v102.vcf", "v104.vcf", "v105.vcf"]
    found = (rows[bernard + "v105.vcf"].text(CARDDAV.address_data) or "").split("\r\n")
    assert found == vcard("UID:3", "FN:David Boo", "EMAIL:daboo2@example.com").split("\r\n")
    rows = mine.report(bernard, question(inner, PART, ' test="allof"'), depth="1").multistatus()
    assert [path.removeprefix(bernard) for path in rows] == ["v102.vcf"]


@pytest.mark.rfc("6352", "8.6.2")
@pytest.mark.rfc("6352", "8.6.5")
@pytest.mark.rfc("6352", "10.6.1")
@pytest.mark.parametrize(("most", "is_cut"), [(1, True), (2, True), (3, False), (4, False)])
def test_an_answer_has_as_many_cards_as_are_asked_and_says_where_there_are_more(
    mine: Dav, bernard: str, most: int, is_cut: bool
) -> None:
    limit = f"<CR:limit><CR:nresults>{most}</CR:nresults></CR:limit>"
    inner = match("FN", "boo", "contains")
    rows = mine.report(bernard, question(inner, more=limit), depth="1").multistatus()
    cut = rows.pop(bernard, None)
    assert len(rows) == min(most, 3)
    assert (cut is not None) is is_cut
    if cut is not None:
        assert (cut.status, cut.condition) == (507, DAV.number_of_matches_within_limits)


@pytest.mark.rfc("6352", "8.7.1")
def test_cards_come_in_part_by_href_and_a_missing_one_is_404(mine: Dav, bernard: str) -> None:
    asked = multiget(bernard + "v102.vcf", bernard + "vcf1.vcf", kind="CR:addressbook", data=PART)
    rows = mine.report(bernard, asked, depth="1").multistatus()
    assert list(rows) == [bernard + "v102.vcf", bernard + "vcf1.vcf"]
    assert (rows[bernard + "v102.vcf"].text(CARDDAV.address_data) or "").split("\r\n")[2] == "NICKNAME:me"
    assert "TEL" not in (rows[bernard + "v102.vcf"].text(CARDDAV.address_data) or "")
    assert rows[bernard + "vcf1.vcf"].status == 404


@pytest.mark.rfc("6352", "8.7.2")
def test_a_card_of_vcard_3_comes_as_vcard_4(mine: Dav, bernard: str) -> None:
    """The server of the RFC's example cannot convert it; this one can."""
    data = "<CR:address-data content-type='text/vcard' version='4.0'/>"
    reply = mine.report(bernard, multiget(bernard + "v102.vcf", kind="CR:addressbook", data=data), depth="1")
    [row] = [row_of(element) for element in reply.xml.findall(DAV.response)]
    assert (row.text(CARDDAV.address_data) or "").split("\r\n")[1] == "VERSION:4.0"
    assert row.props[CARDDAV.address_data].attrib == {"content-type": "text/vcard", "version": "4.0"}


@pytest.mark.rfc("6352", "8.7")
def test_a_multiget_of_one_card_without_hrefs_is_of_that_card(mine: Dav, bernard: str) -> None:
    asked = multiget(kind="CR:addressbook", data="<CR:address-data/>")
    rows = mine.report(bernard + "v102.vcf", asked).multistatus()
    assert rows[bernard + "v102.vcf"].text(CARDDAV.address_data) == "\r\n".join(CYRUS)
    assert mine.report(bernard, asked).multistatus() == {}


@pytest.mark.rfc("6352", "8.6")
@pytest.mark.parametrize(("text", "found"), [("daboo", ["v102.vcf"]), ("other", [])])
def test_a_query_of_one_card_is_of_that_card(mine: Dav, bernard: str, text: str, found: list[str]) -> None:
    reply = mine.report(bernard + "v102.vcf", question(match("FN", text, "contains")), depth="0")
    assert names(reply, bernard) == found


# -- §6.2, §8: properties --------------------------------------------------------------------------------------------

OWN_PROPERTIES = (
    CARDDAV.addressbook_description,
    CARDDAV.supported_address_data,
    CARDDAV.max_resource_size,
    CARDDAV.supported_collation_set,
)


@pytest.mark.rfc("6352", "6.2.1")
def test_a_description_can_be_set_and_keeps_its_language(mine: Dav, book: str) -> None:
    said = '<CR:addressbook-description xml:lang="fr-CA">Adresses</CR:addressbook-description>'
    body = f"<D:propertyupdate {NAMESPACES}><D:set><D:prop>{said}</D:prop></D:set></D:propertyupdate>"
    assert mine.request("PROPPATCH", book, body).multistatus()[book].statuses == {CARDDAV.addressbook_description: 200}
    found = mine.propfind(book, CARDDAV.addressbook_description).multistatus()[book].props
    element = found[CARDDAV.addressbook_description]
    assert (element.text, element.get("{http://www.w3.org/XML/1998/namespace}lang")) == ("Adresses", "fr-CA")


@pytest.mark.rfc("6352", "6.2.2")
@pytest.mark.rfc("6352", "6.2.3")
@pytest.mark.rfc("6352", "8.3.1")
def test_what_a_book_offers_is_protected(mine: Dav, shared: Server, book: str) -> None:
    before = shared.tree()
    for name in OWN_PROPERTIES[1:]:
        row = mine.proppatch(book, {name: "1"}).multistatus()[book]
        assert row.statuses == {name: 403}
    assert shared.tree() == before


@pytest.mark.rfc("6352", "6.2.1")
@pytest.mark.rfc("6352", "6.2.2")
@pytest.mark.rfc("6352", "6.2.3")
def test_the_properties_of_carddav_are_not_in_an_allprop(mine: Dav, book: str) -> None:
    mine.proppatch(book, {CARDDAV.addressbook_description: "Mine"})
    found = mine.propfind(book).multistatus()[book].props
    assert not {CARDDAV.supported_address_data, CARDDAV.max_resource_size, CARDDAV.supported_collation_set} & set(found)


@pytest.mark.rfc("6352", "6.2.1")
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_a_copied_or_moved_book_keeps_its_properties(mine: Dav, book: str, method: str) -> None:
    mine.proppatch(book, {CARDDAV.addressbook_description: "Mine"})
    target = book.rstrip("/") + f"-{method.lower()}/"
    before = mine.propfind(book, *OWN_PROPERTIES).multistatus()[book]
    assert (mine.copy if method == "COPY" else mine.move)(book, target).status == 201
    after = mine.propfind(target, *OWN_PROPERTIES).multistatus()[target]
    assert after.statuses == before.statuses == dict.fromkeys(OWN_PROPERTIES, 200)
    assert [after.text(name) for name in OWN_PROPERTIES] == [before.text(name) for name in OWN_PROPERTIES]


@pytest.mark.rfc("6352", "8")
@pytest.mark.rfc("4791", "7")
def test_the_reports_are_announced_by_collections_and_by_what_they_hold(mine: Dav, book: str, calendar: str) -> None:
    mine.put(book + "c.vcf", card())
    mine.put(calendar + "a.ics", event())
    wanted = {
        book: {CARDDAV.addressbook_multiget, CARDDAV.addressbook_query, DAV.sync_collection, DAV.expand_property},
        book + "c.vcf": {CARDDAV.addressbook_multiget, CARDDAV.addressbook_query, DAV.expand_property},
        calendar + "a.ics": {CALDAV.calendar_multiget, CALDAV.calendar_query, DAV.expand_property},
    }
    for path, expected in wanted.items():
        rows = mine.propfind(path, DAV.supported_report_set).multistatus()
        found = {report[0].tag for report in rows[path].props[DAV.supported_report_set].iter(DAV.report)}
        assert expected <= found
    rows = mine.propfind(book, DAV.supported_report_set, depth="1").multistatus()
    found = {report[0].tag for report in rows[book + "c.vcf"].props[DAV.supported_report_set].iter(DAV.report)}
    assert wanted[book + "c.vcf"] <= found


@pytest.mark.rfc("6352", "8.3")
@pytest.mark.rfc("6352", "8.3.1")
@pytest.mark.rfc("4791", "7.5.1")
def test_collations_are_announced_wherever_a_report_takes_them(mine: Dav, book: str, calendar: str) -> None:
    mine.put(book + "c.vcf", card())
    mine.put(calendar + "a.ics", event())
    both = (CARDDAV.supported_collation_set, CALDAV.supported_collation_set)
    rows = mine.propfind(book, *both, depth="1").multistatus()
    for path in (book, book + "c.vcf"):
        listed = [element.text for element in rows[path].props[CARDDAV.supported_collation_set]]
        assert listed == ["i;ascii-casemap", "i;octet", "i;unicode-casemap"]
        assert rows[path].statuses[CALDAV.supported_collation_set] == 404
    rows = mine.propfind(calendar, *both, depth="1").multistatus()
    for path in (calendar, calendar + "a.ics"):
        listed = [element.text for element in rows[path].props[CALDAV.supported_collation_set]]
        assert {"i;ascii-casemap", "i;octet"} <= set(listed)
        assert rows[path].statuses[CARDDAV.supported_collation_set] == 404


@pytest.mark.rfc("6352", "8.3")
@pytest.mark.parametrize(
    ("collation", "found"),
    [
        ("default", ["a"]),
        ("i;unicode-casemap", ["a"]),
        ("i;ascii-casemap", []),
        ("i;octet", []),
    ],
)
def test_texts_are_compared_as_the_collation_says(mine: Dav, book: str, collation: str, found: list[str]) -> None:
    mine.put(book + "a", card("a", "ÉMILE Zola"))
    assert names(mine.report(book, question(match("FN", "émile", "contains", collation)), depth="1"), book) == found


@pytest.mark.rfc("6352", "8.6")
@pytest.mark.parametrize(
    ("inner", "condition"),
    [
        (match("FN", "a", "contains", "i;unknown"), CARDDAV.supported_collation),
        (match("FN", "a", "contains", "i;*"), CARDDAV.supported_collation),
        (match("FN", "a", "near"), CARDDAV.supported_filter),
        ("<CR:prop-filter/>", CARDDAV.supported_filter),
        ('<CR:prop-filter name="FN" test="some"/>', CARDDAV.supported_filter),
        ('<CR:prop-filter name="FN"><CR:is-not-defined/><CR:text-match/></CR:prop-filter>', CARDDAV.supported_filter),
        ('<CR:prop-filter name="FN"><CR:param-filter/></CR:prop-filter>', CARDDAV.supported_filter),
        ('<CR:comp-filter name="VCARD"/>', CARDDAV.supported_filter),
    ],
)
def test_a_filter_that_is_not_understood_is_refused_by_name(mine: Dav, book: str, inner: str, condition: str) -> None:
    reply = mine.report(book, question(inner), depth="1")
    assert (reply.status, reply.condition) == (403, condition)


# -- §10.5: filters --------------------------------------------------------------------------------------------------

PEOPLE = {
    "home": ("TEL;TYPE=HOME:1", "item1.EMAIL:home@example.org", "ADR;TYPE=home:;;1 Rue;Paris;;75;France"),
    "work": ("TEL;TYPE=WORK,VOICE:2", "X-ABC.EMAIL;X-CHECKED=yes:work@example.org", "NICKNAME:boss,chief"),
    "both": ("TEL;TYPE=HOME:3", "TEL;TYPE=WORK:4", "EMAIL:both@example.org", "ITEM1.X-PET:Rex"),
    "none": (),
}


def some(name: str, inner: str = "", test: str = "anyof") -> str:
    return f'<CR:prop-filter name="{name}" test="{test}">{inner}</CR:prop-filter>'


def text(value: str, *, negate: str = "no", how: str = "contains") -> str:
    return f'<CR:text-match match-type="{how}" negate-condition="{negate}">{value}</CR:text-match>'


def param(name: str, inner: str = "") -> str:
    return f'<CR:param-filter name="{name}">{inner}</CR:param-filter>'


ABSENT = "<CR:is-not-defined/>"
FILTERS = [
    # section, filter, test, names
    ("10.5", "", "anyof", "both home none work"),
    ("10.5", some("TEL") + some("X-PET"), "anyof", "both home work"),
    ("10.5", some("TEL") + some("X-PET"), "allof", "both"),
    ("10.5.1", some("tel"), "anyof", "both home work"),
    ("10.5.1", some("EMAIL"), "anyof", "both home work"),
    ("10.5.1", some("ITEM1.EMAIL"), "anyof", "home"),
    ("10.5.1", some("item1.email"), "anyof", "home"),
    ("10.5.1", some("x-abc.EMAIL"), "anyof", "work"),
    ("10.5.1", some("X-AB.EMAIL"), "anyof", ""),
    ("10.5.1", some("X-ABC.EMAIL", ABSENT), "anyof", "both home none"),
    ("10.5.1", some("X-PET", text("rex", how="equals")), "anyof", "both"),
    ("10.5.1", some("TEL", text("1") + param("TYPE", text("work"))), "anyof", "both home work"),
    ("10.5.1", some("TEL", text("3") + param("TYPE", text("work")), "allof"), "anyof", ""),
    ("10.5.1", some("TEL", text("4") + param("TYPE", text("work")), "allof"), "anyof", "both"),
    ("10.5.1", some("FN", text("t") + text("h"), "allof"), "anyof", "both"),
    ("10.5.2", some("EMAIL", param("X-CHECKED")), "anyof", "work"),
    ("10.5.2", some("EMAIL", param("X-CHECKED", ABSENT)), "anyof", "both home"),
    ("10.5.2", some("TEL", param("TYPE", text("voice", how="equals"))), "anyof", "work"),
    ("10.5.3", some("TEL", ABSENT), "anyof", "none"),
    ("10.5.4", some("FN", text("o", how="starts-with")), "anyof", ""),
    ("10.5.4", some("FN", text("N", how="starts-with")), "anyof", "none"),
    ("10.5.4", some("FN", text("E", how="ends-with")), "anyof", "home none"),
    ("10.5.4", some("FN", text("o", negate="yes")), "anyof", ""),
    ("10.5.4", some("FN", text("k", negate="yes")), "anyof", "both home none"),
    ("10.5.4", some("NICKNAME", text("chief", how="equals")), "anyof", "work"),
    ("10.5.4", some("ADR", text("paris")), "anyof", "home"),
]


@pytest.fixture(scope="module")
def people(shared: Server) -> tuple[Dav, str]:
    from tests.pim.samples import mkcol

    alice, path = shared.client("alice"), "/dav/alice/filtered/"
    assert alice.mkcol(path, mkcol("CR:addressbook")).status == 201
    for name, more in PEOPLE.items():
        assert alice.put(path + name, card(name, name, *more)).status == 201
    return alice, path


@pytest.mark.rfc("6352", "10.5")
@pytest.mark.rfc("6352", "10.5.1")
@pytest.mark.rfc("6352", "10.5.2")
@pytest.mark.rfc("6352", "10.5.3")
@pytest.mark.rfc("6352", "10.5.4")
@pytest.mark.parametrize(("section", "inner", "test", "found"), FILTERS)
def test_a_filter_finds_the_cards_that_its_section_says(
    people: tuple[Dav, str], section: str, inner: str, test: str, found: str
) -> None:
    alice, path = people
    assert names(alice.report(path, question(inner, test=f' test="{test}"'), depth="1"), path) == found.split()
    each = [name for name in PEOPLE if alice.report(path + name, card_query(inner, test), depth="0").multistatus()]
    assert sorted(each) == found.split()


# -- §10.4: parts of a card ------------------------------------------------------------------------------------------


@pytest.mark.rfc("6352", "8.4")
@pytest.mark.rfc("6352", "8.5")
@pytest.mark.rfc("6352", "10.4.1")
@pytest.mark.rfc("6352", "10.4.2")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", "VERSION UID FN N TEL X-ABC.TEL X-ABC-1.TEL X-OWN"),
        ("<CR:allprop/>", "VERSION UID FN N TEL X-ABC.TEL X-ABC-1.TEL X-OWN"),
        ('<CR:prop name="TEL"/>', "TEL X-ABC.TEL X-ABC-1.TEL"),
        ('<CR:prop name="tel"/>', "TEL X-ABC.TEL X-ABC-1.TEL"),
        ('<CR:prop name="X-ABC.TEL"/>', "X-ABC.TEL"),
        ('<CR:prop name="X-OWN"/><CR:prop name="NOTHING"/>', "X-OWN"),
    ],
)
def test_the_parts_of_a_card_are_chosen_by_name(mine: Dav, book: str, asked: str, found: str) -> None:
    mine.put(book + "c", card("c", "Ada", "TEL:1", "X-ABC.TEL:2", "X-ABC-1.TEL:3", "X-OWN;X-P=q:4"))
    data = f"<CR:address-data>{asked}</CR:address-data>"
    for report in (multiget(book + "c", kind="CR:addressbook", data=data), sync(props=data)):
        rows = mine.report(book, report, depth="1").multistatus()
        lines = (rows[book + "c"].text(CARDDAV.address_data) or "").split("\r\n")[1:-2]
        assert [line.partition(":")[0].partition(";")[0] for line in lines] == found.split()


@pytest.mark.rfc("6352", "8.5")
def test_a_part_of_a_card_has_names_that_no_rfc_knows(mine: Dav, book: str) -> None:
    mine.put(book + "c", card("c", "Ada", "X-OWN;X-P=q:4"))
    data = '<CR:address-data><CR:prop name="X-OWN" novalue="yes"/></CR:address-data>'
    rows = mine.report(book, multiget(book + "c", kind="CR:addressbook", data=data)).multistatus()
    assert (rows[book + "c"].text(CARDDAV.address_data) or "").split("\r\n")[1:-2] == ["X-OWN;X-P=q:"]


# -- §6.3: creating --------------------------------------------------------------------------------------------------


@pytest.mark.rfc("6352", "6.3.2")
def test_the_card_of_the_rfc_is_stored(mine: Dav, book: str) -> None:
    body = vcard(
        "FN:Cyrus Daboo",
        "N:Daboo;Cyrus",
        "ADR;TYPE=POSTAL:;2822 Email HQ;Suite 2821;RFCVille;PA;15213;USA",
        "EMAIL;TYPE=INTERNET,PREF:cyrus@example.com",
        "NICKNAME:me",
        "NOTE:Example VCard.",
        "ORG:Self Employed",
        "TEL;TYPE=WORK,VOICE:412 605 0499",
        "TEL;TYPE=FAX:412 605 0705",
        "URL:http://www.example.com",
        "UID:1234-5678-9000-1",
    )
    reply = mine.put(book + "newvcard.vcf", body, {"If-None-Match": "*", "Content-Type": "text/vcard"})
    assert reply.status == 201
    assert mine.get(book + "newvcard.vcf").etag == reply.etag
    assert mine.get(book + "newvcard.vcf").text == body


@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_a_uid_stays_free_of_conflict_when_cards_are_copied_or_moved(
    mine: Dav, shared: Server, book: str, method: str
) -> None:
    from tests.pim.samples import mkcol

    other = book.rstrip("/") + f"-{method}/"
    mine.mkcol(other, mkcol("CR:addressbook"))
    mine.put(book + "a.vcf", card("same"))
    mine.put(other + "b.vcf", card("same"))
    before = shared.tree()
    reply = (mine.copy if method == "COPY" else mine.move)(book + "a.vcf", other + "a.vcf")
    assert (reply.status, reply.condition, reply.hrefs) == (403, CARDDAV.no_uid_conflict, [other + "b.vcf"])
    assert shared.tree() == before


@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize("method", ["PUT", "COPY", "MOVE"])
def test_a_card_is_not_replaced_by_one_with_another_uid(mine: Dav, shared: Server, book: str, method: str) -> None:
    mine.put(book + "a.vcf", card("a"))
    mine.put(book + "b.vcf", card("b"))
    before = shared.tree()
    if method == "PUT":
        reply = mine.put(book + "b.vcf", card("c"))
    else:
        reply = (mine.copy if method == "COPY" else mine.move)(book + "a.vcf", book + "b.vcf")
    assert (reply.status, reply.condition) == (403, CARDDAV.no_uid_conflict)
    assert shared.tree() == before


@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_what_is_no_card_does_not_come_into_a_book(
    mine: Dav, shared: Server, book: str, calendar: str, method: str
) -> None:
    mine.put(calendar + "a.ics", event())
    before = shared.tree()
    reply = (mine.copy if method == "COPY" else mine.move)(calendar + "a.ics", book + "a.vcf")
    assert (reply.status, reply.condition) == (403, CARDDAV.supported_address_data)
    assert shared.tree() == before


@pytest.mark.rfc("6352", "5.2")
@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_a_book_does_not_come_into_another(mine: Dav, shared: Server, book: str, calendar: str, method: str) -> None:
    from tests.pim.samples import mkcol

    inner = book.rstrip("/") + "-inner/"
    assert mine.mkcol(inner, mkcol("CR:addressbook")).status == 201
    before = shared.tree()
    for outer in (book, calendar):
        reply = (mine.copy if method == "COPY" else mine.move)(inner, outer + "inner/")
        assert (reply.status, reply.condition) == (403, CARDDAV.addressbook_collection_location_ok)
    assert shared.tree() == before


@pytest.mark.rfc("6352", "6.3.2.2")
def test_names_that_no_rfc_knows_are_stored(mine: Dav, book: str) -> None:
    body = card("c", "Ada", "X-ABC-PRIVATE;X-ABC-HOW=so:1", "X-OWN:é")
    assert mine.put(book + "c.vcf", body).status == 201
    assert mine.get(book + "c.vcf").text == body
