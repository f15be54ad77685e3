"""What makes a card storable: one vCard 3 or 4 with a name and a UID (RFC 6352 §5.1, RFC 2426, RFC 6350)."""

from __future__ import annotations

from collections.abc import Sequence

from storage.contentlines import Component, escape
from storage.errors import ItemRefused

VERSIONS = ("3.0", "4.0")  # what ``supported-address-data`` announces
INVALID = "valid-address-data"


def require_card(top: Sequence[Component]) -> Component:
    """
    The one card of an address object.

    Raises:
        ItemRefused: with the preconditions of RFC 6352 §6.3.2.1.
    """
    if len(top) != 1 or top[0].name != "VCARD":
        found = ", ".join(component.name[:20] for component in top[:3]) or "nothing"
        raise ItemRefused(INVALID, f"found {found}; an address object holds one VCARD")
    card = top[0]
    if card.children:
        raise ItemRefused(INVALID, f"a {card.children[0].name[:20]} stands inside of the VCARD; cards do not nest")
    versions = [line.value.strip() for line in card.all("VERSION")]
    if len(versions) != 1:
        raise ItemRefused(INVALID, f"VERSION stands {len(versions)} times; a VCARD has it once")
    if versions[0] not in VERSIONS:
        raise ItemRefused(
            "supported-address-data", f"VERSION is {versions[0][:20]!r}; it can be {' or '.join(VERSIONS)}"
        )
    if not card.all("FN"):
        raise ItemRefused(INVALID, "FN is missing; a VCARD has a formatted name")
    if len(card.all("UID")) > 1:
        raise ItemRefused(INVALID, "UID stands more than once")
    return card


def uid_of(card: Component) -> str | None:
    """The card's UID, None where it has none or an empty one."""
    line = card.find("UID")
    return (line.text.strip() or None) if line is not None else None


def with_uid(data: bytes, card: Component, uid: str) -> bytes:
    """The card's text with a UID as its last property, as RFC 6352 §5.1 requires one; an empty one gives way."""
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    named = f"UID:{escape(uid)}".encode() + newline
    empty = card.find("UID")
    head = data[: card.closing] if empty is None else data[: empty.start] + data[empty.end : card.closing]
    return head + named + data[card.closing :]
