"""Bodies in XML that cannot be read, or say something that the method does not take."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.bad_input.conftest import BOOK, CALENDAR, CARD, FILE, FOLDER, ITEM, Shelf
from tests.harness import NAMESPACES, Dav
from tests.pim.samples import sync

D = 'xmlns:D="DAV:"'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))

# Bodies that no method can read, with the status.
UNREADABLE = {
    "not XML": ("hello", 400),
    "JSON": ('{"propfind": true}', 400),
    "cut off": (f"<D:propfind {D}><D:prop><D:getetag/>", 400),
    "crossed tags": (f"<D:a {D}><D:b></D:a></D:b>", 400),
    "two roots": (f"<D:propfind {D}><D:allprop/></D:propfind><D:x {D}/>", 400),
    "an undeclared prefix": ("<D:propfind><D:allprop/></D:propfind>", 400),
    "a prefix bound to nothing": ('<D:propfind xmlns:D=""><D:allprop/></D:propfind>', 400),
    "an attribute twice": (f'<D:propfind {D} a="1" a="2"><D:allprop/></D:propfind>', 400),
    "a control character": (f"<D:propfind {D}><D:allprop/>\x01</D:propfind>", 400),
    "a reference to a control character": (f"<D:propfind {D}><D:allprop/>&#1;</D:propfind>", 400),
    "an undeclared entity": (f"<D:propfind {D}><D:allprop/>&nbsp;</D:propfind>", 400),
    "bytes that are not UTF-8": (f"<D:propfind {D}><D:allprop/>".encode() + b"\xff\xfe</D:propfind>", 400),
    "another encoding than it says": (b"<?xml version='1.0' encoding='utf-16'?><D:propfind xmlns:D='DAV:'/>", 400),
    "an encoding that does not exist": (b"<?xml version='1.0' encoding='klingon'?><a/>", 400),
    "a DTD": (f"<!DOCTYPE propfind><D:propfind {D}><D:allprop/></D:propfind>", 400),
    "an entity": (f'<!DOCTYPE p [<!ENTITY a "b">]><D:propfind {D}><D:allprop/>&a;</D:propfind>', 400),
    "an external entity": (
        f'<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><D:propfind {D}>&a;</D:propfind>',
        400,
    ),
    "an external DTD": (f'<!DOCTYPE p SYSTEM "http://127.0.0.1:9/x.dtd"><D:propfind {D}/>', 400),
    "a parameter entity": (f'<!DOCTYPE p [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]><D:propfind {D}/>', 400),
    "a billion laughs": (f'<!DOCTYPE p [<!ENTITY l0 "ha">{LAUGHS}]><D:propfind {D}>&l9;</D:propfind>', 400),
    "elements too deep": (f"<D:propfind {D}>{'<a>' * 100}{'</a>' * 100}</D:propfind>", 413),
    "elements without end": (f"<D:propfind {D}>{'<a>' * 50_000}", 413),
    "too many elements": (f"<D:propfind {D}><D:prop>{'<D:a/>' * 20_000}</D:prop></D:propfind>", 413),
    "too many bytes": (f"<D:propfind {D}><!--{'x' * 4_300_000}--></D:propfind>", 413),
    "another root": (f"<D:nonsense {D}/>", 400),
    "a root of no namespace": ("<propfind><allprop/></propfind>", 400),
}
OTHER_ROOTS = ("another root", "a root of no namespace")
READERS = {  # every method that reads XML, where it does
    "PROPFIND file": ("PROPFIND", FILE),
    "PROPFIND folder": ("PROPFIND", FOLDER),
    "PROPFIND root": ("PROPFIND", "/"),
    "PROPFIND calendar": ("PROPFIND", CALENDAR),
    "PROPFIND item": ("PROPFIND", ITEM),
    "PROPPATCH file": ("PROPPATCH", FILE),
    "PROPPATCH calendar": ("PROPPATCH", CALENDAR),
    "PROPPATCH item": ("PROPPATCH", CARD),
    "REPORT calendar": ("REPORT", CALENDAR),
    "REPORT book": ("REPORT", BOOK),
    "SEARCH folder": ("SEARCH", FOLDER),
    "MKCOL folder": ("MKCOL", f"{FOLDER}/new"),
    "SEARCH file": ("SEARCH", FILE),
    "MKCOL": ("MKCOL", "/dav/alice/new/"),
    "MKCALENDAR": ("MKCALENDAR", "/dav/alice/new/"),
    "LOCK": ("LOCK", FILE),
    "LOCK new": ("LOCK", f"{FOLDER}/new"),
}


@pytest.mark.rfc("4918", "8.2")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("what", UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused(shelf: Shelf, alice: Dav, what: str, reader: str) -> None:
    body, status = UNREADABLE[what]
    method, path = READERS[reader]
    reply = alice.request(method, path, body, {"Depth": "0", "Content-Type": "application/xml"})
    if method == "REPORT" and what in OTHER_ROOTS:  # readable, but no report that is known here (RFC 3253 §3.6)
        shelf.require_refused(reply, 403, DAV.supported_report)
    elif reader == "MKCOL folder" and what in OTHER_ROOTS:  # a body that it does not know (RFC 4918 §9.3)
        shelf.require_refused(reply, 415)
    else:
        shelf.require_refused(reply, status)


NOTHING_IN_IT = {
    "PROPFIND": (FILE, f"<D:propfind {D}/>"),
    "PROPFIND calendar": (CALENDAR, f"<D:propfind {D}/>"),
    "PROPFIND two": (FILE, f"<D:propfind {D}><D:allprop/><D:propname/></D:propfind>"),
    "PROPPATCH": (FILE, ""),
    "PROPPATCH empty": (FILE, f"<D:propertyupdate {D}/>"),
    "PROPPATCH calendar": (CALENDAR, f"<D:propertyupdate {D}><D:set/></D:propertyupdate>"),
    "REPORT": (CALENDAR, ""),
    "REPORT sync": (CALENDAR, f"<D:sync-collection {D}/>"),
    "REPORT sync book": (BOOK, f"<D:sync-collection {D}><D:prop/></D:sync-collection>"),
    "SEARCH": (FOLDER, ""),
    "SEARCH select": (FOLDER, f"<D:searchrequest {D}><D:basicsearch/></D:searchrequest>"),
    "SEARCH from": (
        FOLDER,
        f"<D:searchrequest {D}><D:basicsearch><D:select><D:allprop/></D:select></D:basicsearch></D:searchrequest>",
    ),
    "LOCK": (FILE, f"<D:lockinfo {D}/>"),
    "LOCK scope": (FILE, f"<D:lockinfo {D}><D:lockscope/><D:locktype><D:write/></D:locktype></D:lockinfo>"),
    "LOCK type": (FILE, f"<D:lockinfo {D}><D:lockscope><D:exclusive/></D:lockscope><D:locktype/></D:lockinfo>"),
}


@pytest.mark.parametrize("what", NOTHING_IN_IT)
def test_a_body_without_what_the_method_needs_is_refused(shelf: Shelf, alice: Dav, what: str) -> None:
    path, body = NOTHING_IN_IT[what]
    shelf.require_refused(alice.request(what.split()[0], path, body, {"Depth": "0"}), 400)


REPORTS = {
    "one that is not known": (CALENDAR, "<D:version-tree/>", 403, DAV.supported_report),
    "of a calendar on a book": (
        BOOK,
        "<C:calendar-query><D:prop/><C:filter/></C:calendar-query>",
        403,
        DAV.supported_report,
    ),
    "of a book on a calendar": (
        CALENDAR,
        "<CR:addressbook-query><CR:filter/></CR:addressbook-query>",
        403,
        DAV.supported_report,
    ),
    "a calendar query without a filter": (
        CALENDAR,
        "<C:calendar-query><D:prop/></C:calendar-query>",
        403,
        CALDAV.valid_filter,
    ),
    "a filter of no component": (
        CALENDAR,
        "<C:calendar-query><C:filter><C:comp-filter/></C:filter></C:calendar-query>",
        403,
        CALDAV.valid_filter,
    ),
    "a time range that is none": (
        CALENDAR,
        '<C:calendar-query><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        '<C:time-range start="yesterday"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>',
        403,
        CALDAV.valid_filter,
    ),
    "a collation that is not known": (
        CALENDAR,
        '<C:calendar-query><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        '<C:prop-filter name="SUMMARY"><C:text-match collation="i;klingon">x</C:text-match></C:prop-filter>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>",
        403,
        CALDAV.supported_collation,
    ),
    "a card query with a wrong test": (
        BOOK,
        '<CR:addressbook-query><CR:filter test="noneof"/></CR:addressbook-query>',
        403,
        CARDDAV.supported_filter,
    ),
    "a free-busy query without a range": (CALENDAR, "<C:free-busy-query/>", 400, None),
}


@pytest.mark.rfc("3253", "3.6")
@pytest.mark.parametrize("what", REPORTS)
def test_a_report_that_cannot_be_answered_is_refused_by_its_precondition(shelf: Shelf, alice: Dav, what: str) -> None:
    path, inner, status, condition = REPORTS[what]
    body = (
        inner.replace(">", f" {NAMESPACES}>", 1)
        if not inner.endswith("/>") or inner.count("<") > 1
        else inner[:-2] + f" {NAMESPACES}/>"
    )
    shelf.require_refused(alice.report(path, body, "1"), status, condition)


@pytest.mark.rfc("6578", "3.2")
@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "urn:davserver:sync:",
        "urn:davserver:sync:x:y:z",
        "urn:davserver:sync:../..:1:1",
        "urn:davserver:sync:a:b:-1",
        "urn:davserver:sync:a:b:" + "9" * 50,
        "x" * 5000,
        "\u202eurn:davserver:sync:a:b:1",
    ],
)
def test_a_sync_token_that_is_none_is_refused(shelf: Shelf, alice: Dav, token: str) -> None:
    for path in (CALENDAR, BOOK, "/dav/alice/"):
        shelf.require_refused(alice.report(path, sync(token)), 403, DAV.valid_sync_token)


def test_more_names_than_a_multiget_may_have_are_refused(shelf: Shelf, alice: Dav) -> None:
    hrefs = f"<D:href>{ITEM}</D:href>" * 10_001
    body = f"<C:calendar-multiget {NAMESPACES}><D:prop><D:getetag/></D:prop>{hrefs}</C:calendar-multiget>"
    shelf.require_refused(alice.report(CALENDAR, body), 403, DAV.number_of_matches_within_limits)


def test_a_multiget_of_names_that_are_none_answers_404_for_each(shelf: Shelf, alice: Dav) -> None:
    names = (
        "",
        "/",
        "../../etc/passwd",
        "/files/Sport/a",
        "%00",
        "%ff",
        "http://elsewhere/x",
        "//",
        "x" * 5000,
        "%2e%2e/a",
    )
    hrefs = "".join(f"<D:href>{name}</D:href>" for name in names)
    body = f"<C:calendar-multiget {NAMESPACES}><D:prop><D:getetag/></D:prop>{hrefs}</C:calendar-multiget>"
    reply = alice.report(CALENDAR, body)
    assert reply.status in (207, 400), reply.body
    if reply.status == 207:
        assert {row.status for row in reply.multistatus().values()} == {404}
