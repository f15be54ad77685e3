"""jCard: vCard 4 as JSON, and back (RFC 7095)."""

from __future__ import annotations

import re

from storage.cardversions import CannotConvert, to_version, version_of
from storage.contentlines import mend, parse_components
from storage.jsonform import Form, read_json, read_property, render_json, write_property
from storage.jsonvalues import TYPES, ValueType, plain

MEDIA_TYPE = "application/vcard+json"
VERSION = "4.0"
_OFFSET = re.compile(r"[+-][0-9]{2}:?(?:[0-9]{2})?")
_BY_TYPE = {
    # the types of properties without VALUE (RFC 6350 §6, RFC 6474, RFC 6715); what has none is unknown
    "text": "VERSION KIND XML FN N NICKNAME GENDER ADR TEL EMAIL TZ TITLE ROLE ORG CATEGORIES NOTE PRODID CLIENTPIDMAP "
    "BIRTHPLACE DEATHPLACE EXPERTISE HOBBY INTEREST",
    "uri": "SOURCE PHOTO IMPP GEO LOGO MEMBER RELATED SOUND UID URL KEY FBURL CALADRURI CALURI ORG-DIRECTORY",
    "date-and-or-time": "BDAY ANNIVERSARY DEATHDATE",
    "timestamp": "REV",
    "language-tag": "LANG",
}


def _by_shape(name: str, default: str, value: str) -> str:
    """The RFC's own example B.1 takes a TZ that is an offset for one."""
    return "utc-offset" if name == "TZ" and _OFFSET.fullmatch(value) else default


def _read_uri(value: str) -> str:
    r"""RFC 6350 has commas of a URI both with a backslash (§8) and without (§6.5.2)."""
    return re.sub(r"\\([,;])", r"\1", value)


FORM = Form(
    defaults={name: kind for kind, names in _BY_TYPE.items() for name in names.split()},
    lists=frozenset({"NICKNAME", "CATEGORIES"}),
    structured={"N": True, "ADR": True, "ORG": False, "GENDER": False, "CLIENTPIDMAP": False},
    split=frozenset({"TYPE", "SORT-AS", "PID"}),
    types={**TYPES, "uri": ValueType(_read_uri, plain)},
    by_shape=_by_shape,
    has_groups=True,
    value_case=str.lower,
)


def to_jcard(data: bytes) -> bytes:
    """
    A card as jCard; one of vCard 3 is converted first. Parts of a card are taken too, as reports ask for them.

    Raises:
        ValueError: it is no card.
    """
    text = mend(data if version_of(data) in ("", VERSION) else to_version(data, VERSION))
    found = [
        ["vcard", [read_property(line, FORM) for line in sorted(card.lines, key=lambda line: line.name != "VERSION")]]
        for card in parse_components(text, longest_head=len(text), bare_parameters=True)
    ]
    if not found:
        raise ValueError("there is no card")
    return render_json(found[0] if len(found) == 1 else found)


def from_jcard(data: bytes) -> bytes:
    """
    The text of a jCard, or of an array of them (RFC 7095 §3.2).

    Raises:
        ValueError: it is none.
        CannotConvert: it is of another version.
    """
    found = read_json(data)
    several = isinstance(found, list) and bool(found) and all(isinstance(each, list) for each in found)
    return b"".join(map(_write_card, found if several and isinstance(found, list) else [found]))


def _write_card(found: object) -> bytes:
    if not isinstance(found, list) or len(found) != 2 or found[0] != "vcard" or not isinstance(found[1], list):
        raise ValueError('a jCard is an array of "vcard" and its properties')
    versions = [each[-1] for each in found[1] if isinstance(each, list) and each[:1] == ["version"]]
    if versions != [VERSION]:  # its types are those of vCard 4
        raise CannotConvert(f"the versions of a jCard are {str(versions)[:40]}; it can be {VERSION}")
    return b"".join([b"BEGIN:VCARD\r\n", *(write_property(each, FORM) for each in found[1]), b"END:VCARD\r\n"])
