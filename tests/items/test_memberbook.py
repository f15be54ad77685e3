"""The accounts as cards: every program finds the members by name, mail address and group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.accounts import Kind
from auth.snapshot import Account
from storage.contentlines import Component, parse_components
from storage.icalendar import judge
from storage.memberbook import card_uid, member_cards
from tests.items.conftest import Judge

ALICE = Account(Kind.MEMBER, "alice", "Alice Marie Martin", ("a@example.org", "alice@example.org"), ("sport",))
BOB = Account(Kind.MEMBER, "bob", "bob", (), ("board",))
GONE = Account(Kind.MEMBER, "gone", "Gone", ("gone@example.org",), ("sport",), disabled=True)
SPORT = Account(Kind.GROUP, "sport", "Sport, and more", ("sport@example.org",), (), ("alice", "board", "gone"))
BOARD = Account(Kind.GROUP, "board", "Board", (), ("sport",), ("bob", "sport"))
EMPTY = Account(Kind.GROUP, "empty", "Empty", (), (), ("gone",))
VAN = Account(Kind.RESOURCE, "van", "Van", ())
ALL = (ALICE, BOB, GONE, SPORT, BOARD, EMPTY, VAN)


def parsed(name: str) -> Component:
    return parse_components(member_cards(ALL)[name], longest_head=1000)[0]


def values(name: str, of: str) -> list[str]:
    return [line.value for line in parsed(name).all(of)]


def test_members_and_groups_with_members_have_a_card() -> None:
    assert set(member_cards(ALL)) == {"alice.vcf", "bob.vcf", "sport.vcf", "board.vcf"}


@pytest.mark.rfc("6352", "5.1")
def test_every_card_can_be_stored_as_it_is(judge_card: Judge) -> None:
    for data in member_cards(ALL).values():
        assert judge_card(data).data == data


@pytest.mark.rfc("2426", "3.3.2")
def test_a_member_s_card_has_name_addresses_and_groups() -> None:
    assert values("alice.vcf", "VERSION") == ["3.0"]
    assert values("alice.vcf", "FN") == ["Alice Marie Martin"]
    assert values("alice.vcf", "N") == ["Martin;Alice Marie;;;"]
    assert values("alice.vcf", "EMAIL") == ["a@example.org", "alice@example.org"]
    assert [line.parameters for line in parsed("alice.vcf").all("EMAIL")] == [
        (("TYPE", ("INTERNET", "PREF")),),
        (("TYPE", ("INTERNET",)),),
    ]
    assert values("alice.vcf", "CATEGORIES") == [r"Sport\, and more"]
    assert values("alice.vcf", "CALADRURI") == ["mailto:a@example.org"]
    assert values("bob.vcf", "N") == ["bob;;;;"]
    assert values("bob.vcf", "EMAIL") == values("bob.vcf", "CALADRURI") == []


def test_a_group_s_card_names_all_who_belong_to_it_groups_in_it_followed() -> None:
    assert values("sport.vcf", "X-ADDRESSBOOKSERVER-KIND") == ["group"]
    everybody = [f"urn:uuid:{card_uid(name)}" for name in ("alice", "bob")]
    assert values("sport.vcf", "X-ADDRESSBOOKSERVER-MEMBER") == everybody
    assert values("board.vcf", "X-ADDRESSBOOKSERVER-MEMBER") == everybody
    assert [values(f"{name}.vcf", "UID") for name in ("alice", "bob")] == [[card_uid("alice")], [card_uid("bob")]]


def test_the_same_accounts_give_the_same_bytes_in_any_order() -> None:
    assert member_cards(ALL) == member_cards(reversed(ALL))


def test_a_long_name_is_folded_between_its_characters() -> None:
    name = "Ž" * 100
    data = member_cards([Account(Kind.MEMBER, "z", name, ())])["z.vcf"]
    assert max(map(len, data.split(b"\r\n"))) <= 75
    assert data.replace(b"\r\n ", b"").decode().count(name) == 2
    data.decode()


@given(st.text(), st.lists(st.text()))
def test_whatever_a_display_name_and_addresses_hold_the_card_can_be_stored(name: str, mail: list[str]) -> None:
    account = Account(Kind.MEMBER, "a", name, tuple(mail))
    data = member_cards([account])["a.vcf"]
    judged = judge(data, "VADDRESSBOOK", max_bytes=1 << 20, max_line_bytes=1 << 16)
    assert (judged.data, judged.facts.uid) == (data, card_uid("a"))
