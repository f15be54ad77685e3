"""
The members as cards: one for each member, and one for each group that somebody belongs to.

The directory of draft-daboo-carddav-directory-gateway §6, made from the accounts. Cards are vCard 3.0, which Apple's
programs want; they read groups as cards of ``X-ADDRESSBOOKSERVER-KIND:group``, others as CATEGORIES. The same accounts
give the same bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from auth.accounts import Kind
from auth.snapshot import Account
from storage.itemtext import PRODUCT, one_line, render_lines

UID_SPACE = uuid.UUID("0f9c3c0e-6f0b-5d0c-9a57-6c1f0e3b8f21")
SUFFIX = ".vcf"


def member_cards(accounts: Iterable[Account]) -> dict[str, bytes]:
    """The cards of the book, by name of the item; who is disabled is left out, and so are rooms and vehicles."""
    by_name = {account.name: account for account in accounts}
    people = {
        name: _member_card(account, by_name)
        for name, account in by_name.items()
        if account.kind is Kind.MEMBER and not account.disabled
    }
    cards = {**people}
    for name, account in by_name.items():
        if account.kind is Kind.GROUP and (members := sorted(_everybody_in(name, by_name) & people.keys())):
            cards[name] = _group_card(account, members)
    return {name + SUFFIX: card for name, card in cards.items()}


def card_uid(name: str) -> str:
    """The UID of an account's card: the same as long as the account is called so."""
    return str(uuid.uuid5(UID_SPACE, name))


def _member_card(account: Account, by_name: Mapping[str, Account]) -> bytes:
    groups = [by_name[name].display_name for name in account.groups if name in by_name]
    lines = [*_head(account), f"N:{_structured(account.display_name)}", *_mail(account)]
    if groups:
        lines.append("CATEGORIES:" + ",".join(map(one_line, groups)))
    if account.addresses:  # where invitations to this member go (RFC 2739 §2.2.1)
        lines.append("CALADRURI:mailto:" + quote(account.addresses[0], safe="@!$&'*+-=^_`{|}~"))
    return render_lines(*lines, "END:VCARD")


def _group_card(account: Account, members: Iterable[str]) -> bytes:
    listed = (f"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:{card_uid(name)}" for name in members)
    name = f"N:{one_line(account.display_name)};;;;"
    kind = "X-ADDRESSBOOKSERVER-KIND:group"
    return render_lines(*_head(account), name, *_mail(account), kind, *listed, "END:VCARD")


def _head(account: Account) -> Iterator[str]:
    yield from ("BEGIN:VCARD", "VERSION:3.0", f"PRODID:{PRODUCT}", f"UID:{card_uid(account.name)}")
    yield f"FN:{one_line(account.display_name) or one_line(account.name)}"


def _mail(account: Account) -> Iterator[str]:
    for number, address in enumerate(account.addresses):
        preferred = "" if number else ",PREF"
        yield f"EMAIL;TYPE=INTERNET{preferred}:{one_line(address)}"


def _structured(display_name: str) -> str:
    """Family and given names (RFC 2426 §3.1.2): the last word is the family's, which is how lists are sorted."""
    *given, family = display_name.split() or [""]
    return f"{one_line(family)};{one_line(' '.join(given))};;;"


def _everybody_in(group: str, by_name: Mapping[str, Account]) -> set[str]:
    """Names of all who belong to a group, groups in it followed; some that contain each other are followed once."""
    found: set[str] = set()
    waiting = [group]
    while waiting:
        account = by_name.get(waiting.pop())
        for name in account.members if account is not None else ():
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found
