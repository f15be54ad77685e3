"""
The forms in which items are sent and taken: the text that is stored, jCal, jCard and both versions of vCard.

A form is asked for by Accept (RFC 9110 §12.5.1, RFC 6352 §5.1.1) or by the attributes of a report's data element. Who
asks for none by GET gets the bytes that are stored. In a report a missing ``version`` is 3.0, as the definition of
``address-data`` says (RFC 6352 §10.4) and clients take it: Apple's ask for no version and read pictures and groups of
vCard 3 only, so what they do not see would be gone at their next edit; DAVx5 leaves out the version for 3.0 and names
4.0; Thunderbird reads both.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from davserver.dav.accept import ANY, parse_accept, quality_of
from davserver.dav.conditional import Outcome, render_http_date, require_preconditions
from davserver.dav.errors import NotAcceptable
from davserver.dav.message import Request, Response
from davserver.dav.names import CARDDAV
from davserver.mounts.pim_view import View
from storage import jcal, jcard
from storage.cardversions import CannotConvert, to_version
from storage.collection import ADDRESS_BOOK, CALENDAR, Item
from storage.errors import ItemRefused
from storage.export import join_items
from storage.icalendar import INVALID
from storage.jsonexport import join_json
from storage.records import Content

Convert = Callable[[bytes], bytes]
VARY = ("Vary", "Accept")
MOST_JSON_BYTES = 32 << 20  # of a file of many items
TAG_BYTES = 8  # hexadecimal characters that tell the forms of one version of an item apart
_CONVERTED = rf"([0-9a-f]{{32}})-[0-9a-f]{{{TAG_BYTES}}}"
_CONVERTED_TAG = re.compile(f'"{_CONVERTED}"')
_CONVERTED_BARE = re.compile(_CONVERTED)


@dataclass(frozen=True, slots=True)
class Format:
    """
    A form of an item.

    Attributes:
        version: as the data elements of reports name it; ``""`` is not asked for.
        text: what makes of the stored bytes the text of that version; None where they are it.
        encode: what makes of that text the form, after a part was chosen from it; None where it is text.
    """

    media: str
    version: str
    text: Convert | None = None
    encode: Convert | None = None

    @property
    def content_type(self) -> str:
        """The value of Content-Type."""
        if self.encode is not None:
            return self.media
        return f"{self.media}; charset=utf-8; version={self.version}"

    def convert(self, data: bytes) -> bytes:
        """The whole form. Raises CannotConvert for what is none of the items that are stored by PUT."""
        return encoded(self.text(data) if self.text is not None else data, self.encode)


def encoded(data: bytes, encode: Convert | None) -> bytes:
    """A text as JSON. Raises CannotConvert."""
    try:
        return data if encode is None else encode(data)
    except ValueError as error:
        raise CannotConvert(str(error)) from error


FORMATS: Mapping[str, tuple[Format, ...]] = {
    # the first one is meant where a report's data element says nothing (RFC 4791 §9.6, RFC 6352 §10.4)
    CALENDAR: (Format("text/calendar", "2.0"), Format(jcal.MEDIA_TYPE, "2.0", encode=jcal.to_jcal)),
    ADDRESS_BOOK: (
        Format("text/vcard", "3.0", partial(to_version, version="3.0")),
        Format("text/vcard", "4.0", partial(to_version, version="4.0")),
        Format(jcard.MEDIA_TYPE, "4.0", partial(to_version, version="4.0"), jcard.to_jcard),
    ),
}
CARD_TYPES = frozenset({"text/vcard", jcard.MEDIA_TYPE, "application/vcard+xml"})
OLD_CARD_TYPES = frozenset({"text/x-vcard", "text/directory"})  # of any version; what clients from before RFC 6350 name
FROM_JSON: Mapping[str, tuple[str, Convert]] = {
    jcal.MEDIA_TYPE: (CALENDAR, jcal.from_jcal),
    jcard.MEDIA_TYPE: (ADDRESS_BOOK, jcard.from_jcard),
}


def find_format(tag: str, media: str | None, version: str | None) -> Format | None:
    """The form that the attributes of a data element name; None where it is not offered."""
    wanted = FORMATS[tag][0].media if media is None else media.partition(";")[0].strip().lower()
    return next((each for each in FORMATS[tag] if each.media == wanted and version in (None, each.version)), None)


def supported(element: str, tag: str) -> str:
    """The content of ``supported-calendar-data`` or ``supported-address-data``: the forms, one an element."""
    return "".join(f'<{element} content-type="{each.media}" version="{each.version}"/>' for each in FORMATS[tag])


# -- GET -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def format_of(tag: str, accept: str | None) -> Format | None:
    """
    The form that an Accept header wants; None is the stored bytes, also where nothing that it names is offered.

    Raises:
        NotAcceptable: only other forms of cards are named (RFC 6352 §5.1.1.1).
    """
    if accept is None or accept == ANY or tag not in FORMATS:
        return None
    ranges = parse_accept(accept)
    wanted = [quality_of(ranges, each.media, {"version": each.version}) for each in FORMATS[tag]]
    best = max(wanted)
    if not best:
        named = {each.type for each in ranges}
        if tag == ADDRESS_BOOK and named & CARD_TYPES and not named & OLD_CARD_TYPES:
            said = f"cards are sent as {', '.join(dict.fromkeys(each.content_type for each in FORMATS[tag]))}"
            raise NotAcceptable(said, CARDDAV.supported_address_data_conversion)
        return None
    texts = [quality for quality, each in zip(wanted, FORMATS[tag], strict=True) if each.encode is None]
    if min(texts) == best:
        return None
    return FORMATS[tag][wanted.index(best)]


def send_as(
    wanted: Format, request: Request, item: Item, view: View, zones: Callable[[bytes], bytes] | None = None
) -> Response | None:
    """
    An item in another form, with an entity tag of its own (RFC 9110 §8.8.3); None where it is stored in that form.

    Args:
        zones: what is done with the time zones of a calendar object (RFC 7809 §3.1.3).

    Raises:
        NotAcceptable: it cannot be converted.
    """
    fd, member = view.session.store.open_member(item.collection.folder, item.member.name, item.member)
    with os.fdopen(fd, "rb") as file:
        data = file.read()
    try:
        body = wanted.convert(data if zones is None else zones(data))
    except CannotConvert as error:
        is_card = item.collection.tag == ADDRESS_BOOK
        raise NotAcceptable(str(error), CARDDAV.supported_address_data_conversion if is_card else "") from error
    if body is data:
        return None
    etag = f"{member.etag}-{hashlib.sha256(body).hexdigest()[:TAG_BYTES]}"
    headers = [
        ("Content-Type", wanted.content_type),
        ("ETag", f'"{etag}"'),
        ("Last-Modified", render_http_date(member.modified_ns / 1e9)),
        ("Cache-Control", "private, no-cache"),
        VARY,
    ]
    modified_s = member.modified_ns / 1e9
    if require_preconditions(request.headers, request.method, etag=etag, modified_s=modified_s) is Outcome.NOT_MODIFIED:
        return Response(304, headers[1:])
    return Response(200, headers, body)


def join_as(wanted: Format, items: Iterable[Content], tag: str, title: str, about: bytes) -> Iterator[bytes]:
    """
    A whole calendar or address book in a form; a card that cannot be converted comes as it is stored.

    Args:
        about: what a calendar says of itself, as content lines.
    """
    if wanted.encode is not None:
        return join_json(items, tag, title, about)
    return join_items((Content(_converted(wanted, item.data)) for item in items), tag, title)


def _converted(wanted: Format, data: bytes) -> bytes:
    try:
        return wanted.convert(data)
    except CannotConvert:
        return data


# -- PUT -------------------------------------------------------------------------------------------------------------


def is_json(request: Request) -> bool:
    """Whether a body is of a form that is stored as text; its sender learns no ETag (RFC 4791 §5.3.4)."""
    return _media_type(request) in FROM_JSON


def most_bytes(request: Request, most: int) -> int:
    """How much of a body is read: a text is taken apart where it lies, JSON stands in memory several times."""
    return min(most, MOST_JSON_BYTES) if is_json(request) else most


def text_of_body(request: Request, data: bytes) -> bytes:
    """
    A body as the text that is judged and stored.

    Raises:
        ItemRefused: it is not of the form that its media type says.
    """
    found = FROM_JSON.get(_media_type(request))
    if found is None:
        return data
    tag, convert = found
    try:
        return convert(data)
    except CannotConvert as error:
        raise ItemRefused("supported-address-data", str(error), is_card=True) from error
    except ValueError as error:
        raise ItemRefused(INVALID[tag], str(error), is_card=tag == ADDRESS_BOOK) from error


def _media_type(request: Request) -> str:
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


def stored_tags(headers: Mapping[str, str]) -> Mapping[str, str]:
    """
    The headers of a request that writes, where If-Match names an item by the entity tag of any of its forms.

    One who read an item as JSON knows the tag of that form alone, and it stands for the same state of the item.
    """
    if_match = headers.get("if-match")
    if if_match is None or "-" not in if_match:
        return headers
    return {**headers, "if-match": _CONVERTED_TAG.sub(r'"\1"', if_match)}


def stored_tag(etag: str) -> str:
    """As ``stored_tags``, of one bare entity tag, as a condition of the If header has it."""
    converted = _CONVERTED_BARE.fullmatch(etag)
    return etag if converted is None else converted[1]
