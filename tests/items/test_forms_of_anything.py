"""Whatever the judge takes, or stands on disk, is told in another form or refused: nothing else happens."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from config.schema import Limits
from storage.cardversions import CannotConvert, to_version
from storage.errors import ItemRefused
from storage.icalendar import judge
from storage.jcal import FORM as CALENDARS
from storage.jcal import from_jcal, to_jcal
from storage.jcard import FORM as CARDS
from storage.jcard import from_jcard, to_jcard
from tests.items.conftest import calendar, card, component

ODD = st.text(st.sampled_from('aT1;:,."\\^=-+/é \t\r\n\x00\x7f\ufeff<&'), max_size=25)
HEADS = st.tuples(
    st.sampled_from(
        sorted({*CALENDARS.defaults, *CARDS.defaults, "X-A", "AGENT", "LABEL", "SORT-STRING", "BEGIN", ""})
    ),
    st.sampled_from(["", ";VALUE=", ";TYPE=", ";ENCODING=b", ";QUOTED-PRINTABLE", ";PREF=1", ";LABEL=", ";X-Q="]),
    st.sampled_from(["", "DATE", "PERIOD", "binary", "uri", '"a,b"', "quoted-printable", "boolean", "float"]),
).map("".join)
LINES = st.lists(st.tuples(HEADS, ODD).map(":".join), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ODD | st.sampled_from(["text", "uri", "date", "recur"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=12,
)
NAMES = st.sampled_from(sorted(name.lower() for name in {*CALENDARS.defaults, *CARDS.defaults}))
TYPES = st.sampled_from(
    ["text", "uri", "date", "date-time", "period", "recur", "integer", "float", "unknown", "binary"]
)
PROPERTIES = st.tuples(NAMES, st.dictionaries(st.sampled_from(["group", "type", "x-a"]), VALUES), TYPES, VALUES).map(
    list
)


@given(LINES)
def test_a_calendar_of_anything_becomes_jcal_that_is_a_calendar_again_or_is_none(lines: list[str]) -> None:
    for data in (calendar(*component("VEVENT", *lines)), "\r\n".join(lines).encode()):
        try:
            text = to_jcal(data)
        except ValueError:
            continue
        assert to_jcal(from_jcal(text)) == text


@given(LINES, st.sampled_from(["3.0", "4.0", "2.1"]))
def test_a_card_of_anything_is_told_in_each_form_or_cannot_be(lines: list[str], version: str) -> None:
    data = card("FN:A", "UID:1", *lines, version=version)
    for wanted in ("3.0", "4.0"):
        try:
            to_version(data, wanted)
        except CannotConvert:
            continue
    try:
        text = to_jcard(data)
    except ValueError:
        return
    if text.count(b'["version"') == 1:
        assert to_jcard(from_jcard(text)) == text


@given(st.lists(PROPERTIES, max_size=4))
def test_json_of_anything_becomes_an_item_that_is_judged_or_none(properties: list[object]) -> None:
    limits = Limits()
    version = ["version", {}, "text", "4.0"]
    documents = [
        (from_jcal, "VCALENDAR", ["vcalendar", [], [["vevent", properties, []]]]),
        (from_jcard, "VADDRESSBOOK", ["vcard", [version, ["fn", {}, "text", "A"], *properties]]),
    ]
    for convert, tag, document in documents:
        try:
            text = convert(json.dumps(document).encode())
        except ValueError:
            continue
        assert text.count(b"\r\nBEGIN:") + text.startswith(b"BEGIN:") == (2 if tag == "VCALENDAR" else 1)
        try:
            judge(text, tag, max_bytes=limits.card_bytes, max_line_bytes=limits.content_line_bytes)
        except ItemRefused:
            continue
