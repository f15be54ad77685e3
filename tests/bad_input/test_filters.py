"""Filters that the RFCs do not allow, or that nobody answers: the precondition, and the calendar as it was."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV, CARDDAV
from tests.bad_input.conftest import BOOK, CALENDAR, Shelf
from tests.harness import Dav
from tests.pim.samples import card_query, query

RANGE = '<C:time-range start="20270101T000000Z" end="20270201T000000Z"/>'
ABSENT, TEXT = "<C:is-not-defined/>", "<C:text-match>x</C:text-match>"


def comp(inner: str, name: str = "VEVENT") -> str:
    return f'<C:comp-filter name="{name}">{inner}</C:comp-filter>'


def prop(inner: str, name: str = "SUMMARY") -> str:
    return comp(f'<C:prop-filter name="{name}">{inner}</C:prop-filter>')


def param(inner: str, name: str = ' name="PARTSTAT"') -> str:
    return prop(f"<C:param-filter{name}>{inner}</C:param-filter>", "ATTENDEE")


INVALID = {
    "absent and in a range": comp(ABSENT + RANGE),
    "absent and with a property": comp(ABSENT + '<C:prop-filter name="UID"/>'),
    "absent and with a component": comp('<C:comp-filter name="VALARM"/>' + ABSENT),
    "two ranges": comp(RANGE + RANGE),
    "an event in a task": comp(comp(""), "VTODO"),
    "a calendar in a calendar": comp("", "VCALENDAR"),
    "an alarm in a calendar": comp("", "VALARM"),
    "an alarm in a journal": comp(comp("", "VALARM"), "VJOURNAL"),
    "a range of a zone": comp(RANGE, "VTIMEZONE"),
    "a range of a text": prop(RANGE),
    "a property without a name": comp("<C:prop-filter/>"),
    "a component without a name": "<C:comp-filter/>",
    "an absent property with a text": prop(ABSENT + TEXT),
    "two texts": prop(TEXT + TEXT),
    "a text and a range": prop(TEXT + RANGE, "DTSTART"),
    "a range and a text": prop(RANGE + TEXT, "DTSTART"),
    "a component in a property": prop(comp("")),
    "a parameter without a name": param("", ""),
    "an absent parameter with a text": param(ABSENT + TEXT),
    "a range of a parameter": param(RANGE),
    "a negation that is neither": prop('<C:text-match negate-condition="maybe">x</C:text-match>'),
    "a range that ends before it starts": comp('<C:time-range start="20270201T000000Z" end="20270101T000000Z"/>'),
    "a range that ends where it starts": comp('<C:time-range start="20270201T000000Z" end="20270201T000000Z"/>'),
    "a range without an end or start": comp("<C:time-range/>"),
    "a range of local times": comp('<C:time-range start="20270101T000000"/>'),
    "a range of dates": comp('<C:time-range start="20270101" end="20270201"/>'),
    "a day that does not exist": comp('<C:time-range start="20270230T000000Z"/>'),
    "a year that does not exist": comp('<C:time-range end="00000101T000000Z"/>'),
}


@pytest.mark.rfc("4791", "7.8")
@pytest.mark.rfc("4791", "9.7")
@pytest.mark.parametrize("what", INVALID)
def test_a_filter_that_the_rfc_does_not_allow_is_refused(shelf: Shelf, alice: Dav, what: str) -> None:
    shelf.require_refused(alice.report(CALENDAR, query(INVALID[what]), "1"), 403, CALDAV.valid_filter)


UNSUPPORTED = {
    "a range of a component of somebody's own": comp(RANGE, "X-CLUB"),
    "a range of a property of somebody's own": prop(RANGE, "X-CLUB"),
    "a range of a date that has no meaning": prop(RANGE, "RECURRENCE-ID"),
}


@pytest.mark.rfc("4791", "7.8")
@pytest.mark.parametrize("what", UNSUPPORTED)
def test_a_filter_that_nobody_can_answer_is_refused(shelf: Shelf, alice: Dav, what: str) -> None:
    shelf.require_refused(alice.report(CALENDAR, query(UNSUPPORTED[what]), "1"), 403, CALDAV.supported_filter)


@pytest.mark.rfc("4791", "7.5")
@pytest.mark.parametrize("collation", ["i;klingon", "", "i;*", "I;OCTET", "x" * 5000])
def test_a_collation_that_is_not_offered_is_refused(shelf: Shelf, alice: Dav, collation: str) -> None:
    asked = prop(f'<C:text-match collation="{collation}">x</C:text-match>')
    shelf.require_refused(alice.report(CALENDAR, query(asked), "1"), 403, CALDAV.supported_collation)
    asked = param(f'<C:text-match collation="{collation}">x</C:text-match>')
    shelf.require_refused(alice.report(CALENDAR, query(asked), "1"), 403, CALDAV.supported_collation)


CARD_ABSENT, CARD_TEXT = "<CR:is-not-defined/>", "<CR:text-match>x</CR:text-match>"


def card_prop(inner: str, more: str = ' name="FN"') -> str:
    return f"<CR:prop-filter{more}>{inner}</CR:prop-filter>"


CARDS = {
    "absent with a text": card_prop(CARD_ABSENT + CARD_TEXT),
    "no name": card_prop("", ""),
    "a range": card_prop(RANGE),
    "a wrong test": card_prop("", ' name="FN" test="noneof"'),
    "a wrong match": card_prop('<CR:text-match match-type="sounds-like">x</CR:text-match>'),
    "a wrong negation": card_prop('<CR:text-match negate-condition="1">x</CR:text-match>'),
    "a parameter without a name": card_prop("<CR:param-filter/>"),
    "a parameter with two conditions": card_prop(
        f'<CR:param-filter name="TYPE">{CARD_TEXT}{CARD_ABSENT}</CR:param-filter>'
    ),
    "a component": '<C:comp-filter name="VCARD"/>',
}


@pytest.mark.rfc("6352", "8.6")
@pytest.mark.rfc("6352", "10.5")
@pytest.mark.parametrize("what", CARDS)
def test_a_card_filter_that_the_rfc_does_not_allow_is_refused(shelf: Shelf, alice: Dav, what: str) -> None:
    shelf.require_refused(alice.report(BOOK, card_query(CARDS[what]), "1"), 403, CARDDAV.supported_filter)


@pytest.mark.rfc("6352", "8.3")
def test_a_collation_that_is_not_offered_for_cards_is_refused(shelf: Shelf, alice: Dav) -> None:
    asked = card_prop('<CR:text-match collation="i;klingon">x</CR:text-match>')
    shelf.require_refused(alice.report(BOOK, card_query(asked), "1"), 403, CARDDAV.supported_collation)


@pytest.mark.rfc("4791", "7.8")
@pytest.mark.parametrize(
    "zone",
    ["hello", "BEGIN:VCALENDAR\r\nEND:VCALENDAR", "BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE"],
    ids=["no calendar", "no zone", "a zone without rules"],
)
def test_a_time_zone_that_is_none_is_refused(shelf: Shelf, alice: Dav, zone: str) -> None:
    body = query(comp(RANGE)).replace("</C:filter>", f"</C:filter><C:timezone>{zone}</C:timezone>")
    shelf.require_refused(alice.report(CALENDAR, body, "1"), 403, CALDAV.valid_calendar_data)


@pytest.mark.rfc("7809", "3.1.6")
def test_a_time_zone_that_nobody_knows_is_refused(shelf: Shelf, alice: Dav) -> None:
    body = query(comp(RANGE)).replace("</C:filter>", "</C:filter><C:timezone-id>Mars/Olympus</C:timezone-id>")
    shelf.require_refused(alice.report(CALENDAR, body, "1"), 403, CALDAV.valid_timezone)
