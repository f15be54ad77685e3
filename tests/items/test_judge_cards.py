"""Which cards are stored, and that they are stored as they came."""

from __future__ import annotations

import pytest

from storage.errors import ItemRefused
from storage.icalendar import judge
from tests.items.conftest import Judge, Refusal, card

KEPT = {
    "version 3": card("UID:1", "FN:Jane Doe", "N:Doe;Jane;;;"),
    "version 4": card("UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1", "FN:Jane Doe", version="4.0"),
    "groups": card("UID:1", "FN:Jane", "item1.TEL:+33 1", "item1.X-ABLabel:_$!<Mobile>!$_"),
    "a type without name": card("UID:1", "FN:Jane", "TEL;HOME;VOICE:+33 1"),
    "a photo as data URI": card("UID:1", "FN:Jane", "PHOTO:data:image/jpeg;base64,/9j/4AAQ==", version="4.0"),
    "a photo in one long line": card("UID:1", "FN:Jane", "PHOTO;ENCODING=b;TYPE=JPEG:" + "QUJD" * 100_000),
    "an address with commas": card("UID:1", "FN:Jane", "ADR:;;1\\, rue A,Bât. B;Paris;;75001;France"),
    "a quoted label": card("UID:1", "FN:Jane", 'ADR;LABEL="1, rue A\\n75001 Paris":;;;;;;', version="4.0"),
    "a group of people": card("UID:1", "FN:Board", "KIND:group", "MEMBER:urn:uuid:2", version="4.0"),
    "Apple's birthday without year": card("UID:1", "FN:J", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-01"),
    "line feeds alone": card("UID:1", "FN:Jane").replace(b"\r\n", b"\n"),
    "no line end at the end": card("UID:1", "FN:Jane").rstrip(),
}


@pytest.mark.rfc("6352", "6.3.2.3")
@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT.keys())
def test_a_sound_card_is_stored_byte_for_byte(judge_card: Judge, data: bytes) -> None:
    judged = judge_card(data)
    assert (judged.data, judged.rewritten) == (data, False)
    assert judged.facts.component == "VCARD"


REFUSED = {
    "nothing": (b"", "valid-address-data"),
    "a calendar": (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "valid-address-data"),
    "two cards": (card("UID:1", "FN:A") + card("UID:2", "FN:B"), "valid-address-data"),
    "a card in a card": (card("UID:1", "FN:A", "BEGIN:VCARD", "END:VCARD"), "valid-address-data"),
    "no name": (card("UID:1", "N:Doe;Jane;;;"), "valid-address-data"),
    "no version": (b"BEGIN:VCARD\r\nUID:1\r\nFN:A\r\nEND:VCARD\r\n", "valid-address-data"),
    "two UIDs": (card("UID:1", "UID:2", "FN:A"), "valid-address-data"),
    "version 2.1": (card("UID:1", "FN:A", version="2.1"), "supported-address-data"),
    "more than the limit": (card("UID:1", "FN:A", "NOTE:" + "x" * (5 << 20)), "max-resource-size"),
}


@pytest.mark.rfc("6352", "6.3.2.1")
@pytest.mark.parametrize(("data", "condition"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_card_is_refused_with_its_precondition(card_refusal: Refusal, data: bytes, condition: str) -> None:
    assert card_refusal(data) == condition


@pytest.mark.rfc("6352", "6.3.2.1")
def test_a_card_that_is_too_large_fails_the_precondition_of_address_books() -> None:
    with pytest.raises(ItemRefused) as refused:
        judge(card("UID:1", "FN:A"), "VADDRESSBOOK", max_bytes=9, max_line_bytes=99)
    assert (refused.value.condition, refused.value.is_card) == ("max-resource-size", True)


@pytest.mark.rfc("6352", "5.1")
@pytest.mark.parametrize(
    ("data", "stored"),
    [
        (card("FN:Jane"), card("FN:Jane", "UID:new")),
        (card("UID:", "FN:Jane"), card("FN:Jane", "UID:new")),
        (card("FN:Jane").replace(b"\r\n", b"\n"), card("FN:Jane", "UID:new").replace(b"\r\n", b"\n")),
        (card("FN:Jane", version="4.0"), card("FN:Jane", "UID:new", version="4.0")),
    ],
    ids=["without", "empty", "line feeds", "version 4"],
)
def test_a_card_without_uid_gets_one_and_keeps_all_else(data: bytes, stored: bytes) -> None:
    judged = judge(data, "VADDRESSBOOK", max_bytes=9999, max_line_bytes=999, new_uid=lambda: "new")
    assert (judged.data, judged.rewritten) == (stored, True)
    assert judged.facts.uid == "new"


def test_a_uid_that_a_card_gets_is_read_back_as_it_was_given() -> None:
    uid = "a,b;c\\d: e"
    assert judge(card("FN:J"), "VADDRESSBOOK", max_bytes=999, max_line_bytes=99, new_uid=lambda: uid).facts.uid == uid


def test_two_cards_without_uid_do_not_get_the_same(judge_card: Judge) -> None:
    assert judge_card(card("FN:Jane")).facts.uid != judge_card(card("FN:Jane")).facts.uid
