"""jCal: the examples of RFC 7265, and that a calendar says the same after a way through JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.contentlines import Component, Line, parse_components
from storage.jcal import FORM, from_jcal, to_jcal
from storage.jsonform import read_json
from storage.jsonvalues import split_unescaped
from storage.linewriter import decode_carets
from tests.items.conftest import calendar, component, event

EXAMPLE_1 = (
    b"BEGIN:VCALENDAR\r\nCALSCALE:GREGORIAN\r\nPRODID:-//Example Inc.//Example Calendar//EN\r\nVERSION:2.0\r\n"
    b"BEGIN:VEVENT\r\nDTSTAMP:20080205T191224Z\r\nDTSTART:20081006\r\nSUMMARY:Planning meeting\r\n"
    b"UID:4088E990AD89CB3DBB484909\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
EXAMPLE_1_JSON = [
    "vcalendar",
    [
        ["calscale", {}, "text", "GREGORIAN"],
        ["prodid", {}, "text", "-//Example Inc.//Example Calendar//EN"],
        ["version", {}, "text", "2.0"],
    ],
    [
        [
            "vevent",
            [
                ["dtstamp", {}, "date-time", "2008-02-05T19:12:24Z"],
                ["dtstart", {}, "date", "2008-10-06"],
                ["summary", {}, "text", "Planning meeting"],
                ["uid", {}, "text", "4088E990AD89CB3DBB484909"],
            ],
            [],
        ]
    ],
]
EXAMPLE_2 = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example Corp.//Example Client//EN
BEGIN:VTIMEZONE
LAST-MODIFIED:20040110T032845Z
TZID:US/Eastern
BEGIN:DAYLIGHT
DTSTART:20000404T020000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4
TZNAME:EDT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20001026T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:EST
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTAMP:20060206T001121Z
DTSTART;TZID=US/Eastern:20060102T120000
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=5
RDATE;TZID=US/Eastern;VALUE=PERIOD:20060102T150000/PT2H
SUMMARY:Event #2
DESCRIPTION:We are having a meeting all this week at 12 pm fo
 r one hour\\, with an additional meeting on the first day 2 h
 ours long.\\nPlease bring your own lunch for the 12 pm meetin
 gs.
UID:00959BC664CA650E933C892C@example.com
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20060206T001121Z
DTSTART;TZID=US/Eastern:20060104T140000
DURATION:PT1H
RECURRENCE-ID;TZID=US/Eastern:20060104T120000
SUMMARY:Event #2 bis
UID:00959BC664CA650E933C892C@example.com
END:VEVENT
END:VCALENDAR
""".replace(b"\n", b"\r\n")
EASTERN = {"tzid": "US/Eastern"}


def rule(**parts: object) -> list[object]:
    return ["rrule", {}, "recur", parts]


EXAMPLE_2_JSON = [
    # As the RFC prints it, but for what its own text contradicts: VERSION comes first and an RDATE of a period is an
    # array (§3.6.9), and "-1SU" and "bis" are not lost on the way.
    "vcalendar",
    [["version", {}, "text", "2.0"], ["prodid", {}, "text", "-//Example Corp.//Example Client//EN"]],
    [
        [
            "vtimezone",
            [["last-modified", {}, "date-time", "2004-01-10T03:28:45Z"], ["tzid", {}, "text", "US/Eastern"]],
            [
                [
                    "daylight",
                    [
                        ["dtstart", {}, "date-time", "2000-04-04T02:00:00"],
                        rule(freq="YEARLY", byday="1SU", bymonth=4),
                        ["tzname", {}, "text", "EDT"],
                        ["tzoffsetfrom", {}, "utc-offset", "-05:00"],
                        ["tzoffsetto", {}, "utc-offset", "-04:00"],
                    ],
                    [],
                ],
                [
                    "standard",
                    [
                        ["dtstart", {}, "date-time", "2000-10-26T02:00:00"],
                        rule(freq="YEARLY", byday="-1SU", bymonth=10),
                        ["tzname", {}, "text", "EST"],
                        ["tzoffsetfrom", {}, "utc-offset", "-04:00"],
                        ["tzoffsetto", {}, "utc-offset", "-05:00"],
                    ],
                    [],
                ],
            ],
        ],
        [
            "vevent",
            [
                ["dtstamp", {}, "date-time", "2006-02-06T00:11:21Z"],
                ["dtstart", EASTERN, "date-time", "2006-01-02T12:00:00"],
                ["duration", {}, "duration", "PT1H"],
                rule(freq="DAILY", count=5),
                ["rdate", EASTERN, "period", ["2006-01-02T15:00:00", "PT2H"]],
                ["summary", {}, "text", "Event #2"],
                [
                    "description",
                    {},
                    "text",
                    "We are having a meeting all this week at 12 pm for one hour, with an additional meeting on the "
                    "first day 2 hours long.\nPlease bring your own lunch for the 12 pm meetings.",
                ],
                ["uid", {}, "text", "00959BC664CA650E933C892C@example.com"],
            ],
            [],
        ],
        [
            "vevent",
            [
                ["dtstamp", {}, "date-time", "2006-02-06T00:11:21Z"],
                ["dtstart", EASTERN, "date-time", "2006-01-04T14:00:00"],
                ["duration", {}, "duration", "PT1H"],
                ["recurrence-id", EASTERN, "date-time", "2006-01-04T12:00:00"],
                ["summary", {}, "text", "Event #2 bis"],
                ["uid", {}, "text", "00959BC664CA650E933C892C@example.com"],
            ],
            [],
        ],
    ],
]


@pytest.mark.rfc("7265", "3.3")
@pytest.mark.rfc("7265", "B.1")
@pytest.mark.rfc("7265", "B.2")
@pytest.mark.parametrize(("text", "expected"), [(EXAMPLE_1, EXAMPLE_1_JSON), (EXAMPLE_2, EXAMPLE_2_JSON)])
def test_the_examples_of_the_rfc_are_converted_as_it_prints_them(text: bytes, expected: list[object]) -> None:
    assert json.loads(to_jcal(text)) == expected
    assert meaning(from_jcal(json.dumps(expected).encode())) == meaning(text)


PROPERTIES = [
    # section of RFC 7265, line, JSON
    ("3.4", "CATEGORIES:Meetings,Work", ["categories", {}, "text", "Meetings", "Work"]),
    ("3.4.1.1", "GEO:37.386013;-122.082932", ["geo", {}, "float", [37.386013, -122.082932]]),
    ("3.4.1.2", "REQUEST-STATUS:2.0;Success", ["request-status", {}, "text", ["2.0", "Success"]]),
    (
        "3.4.1.2",
        "REQUEST-STATUS:3.7;Invalid calendar user;ATTENDEE:mailto:jsmith@example.org",
        ["request-status", {}, "text", ["3.7", "Invalid calendar user", "ATTENDEE:mailto:jsmith@example.org"]],
    ),
    (
        "3.5",
        "ATTENDEE;PARTSTAT=ACCEPTED;RSVP=TRUE;ROLE=REQ-PARTICIPANT:mailto:jsmith@example.org",
        [
            "attendee",
            {"partstat": "ACCEPTED", "rsvp": "TRUE", "role": "REQ-PARTICIPANT"},
            "cal-address",
            "mailto:jsmith@example.org",
        ],
    ),
    (
        "3.5.2",
        'ATTENDEE;DELEGATED-TO="mailto:jdoe@example.org","mailto:jqpublic@example.org":mailto:jsmith@example.org',
        [
            "attendee",
            {"delegated-to": ["mailto:jdoe@example.org", "mailto:jqpublic@example.org"]},
            "cal-address",
            "mailto:jsmith@example.org",
        ],
    ),
    (
        "3.5.2",
        'ATTENDEE;DELEGATED-TO="mailto:jdoe@example.org":mailto:jsmith@example.org',
        ["attendee", {"delegated-to": "mailto:jdoe@example.org"}, "cal-address", "mailto:jsmith@example.org"],
    ),
    ("3.6.1", "ATTACH;VALUE=BINARY;ENCODING=BASE64:SGVsbG8gV29ybGQh", ["attach", {}, "binary", "SGVsbG8gV29ybGQh"]),
    ("3.6.2", "X-NON-SMOKING;VALUE=BOOLEAN:TRUE", ["x-non-smoking", {}, "boolean", True]),
    ("3.6.3", "ATTENDEE:mailto:kewisch@example.com", ["attendee", {}, "cal-address", "mailto:kewisch@example.com"]),
    ("3.6.4", "DTSTART;VALUE=DATE:20110517", ["dtstart", {}, "date", "2011-05-17"]),
    ("3.6.5", "DTSTART:20121017T120000", ["dtstart", {}, "date-time", "2012-10-17T12:00:00"]),
    ("3.6.5", "DTSTAMP:20121017T120000Z", ["dtstamp", {}, "date-time", "2012-10-17T12:00:00Z"]),
    (
        "3.6.5",
        "DTEND;TZID=Europe/Berlin:20111017T130000",
        ["dtend", {"tzid": "Europe/Berlin"}, "date-time", "2011-10-17T13:00:00"],
    ),
    ("3.6.6", "DURATION:P1D", ["duration", {}, "duration", "P1D"]),
    ("3.6.7", "X-GRADE;VALUE=FLOAT:1.3", ["x-grade", {}, "float", 1.3]),
    ("3.6.8", "PERCENT-COMPLETE:42", ["percent-complete", {}, "integer", 42]),
    (
        "3.6.9",
        "FREEBUSY;FBTYPE=FREE:19970308T160000Z/P1D",
        ["freebusy", {"fbtype": "FREE"}, "period", ["1997-03-08T16:00:00Z", "P1D"]],
    ),
    (
        "3.6.10",
        "RRULE:FREQ=YEARLY;COUNT=5;BYDAY=-1SU,2MO;BYMONTH=10",
        ["rrule", {}, "recur", {"freq": "YEARLY", "count": 5, "byday": ["-1SU", "2MO"], "bymonth": 10}],
    ),
    (
        "3.6.10",
        "RRULE:FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1,15,-1;UNTIL=20131001",
        ["rrule", {}, "recur", {"freq": "MONTHLY", "interval": 2, "bymonthday": [1, 15, -1], "until": "2013-10-01"}],
    ),
    ("3.6.11", r"COMMENT:hello\, world", ["comment", {}, "text", "hello, world"]),
    ("3.6.12", "X-TIME-LOCAL;VALUE=TIME:123000", ["x-time-local", {}, "time", "12:30:00"]),
    ("3.6.12", "X-TIME-UTC;VALUE=TIME:123000Z", ["x-time-utc", {}, "time", "12:30:00Z"]),
    (
        "3.6.12",
        "X-TIME-OFFSET;TZID=Europe/Berlin;VALUE=TIME:123000",
        ["x-time-offset", {"tzid": "Europe/Berlin"}, "time", "12:30:00"],
    ),
    (
        "3.6.13",
        "TZURL:http://example.org/tz/Europe-Berlin.ics",
        ["tzurl", {}, "uri", "http://example.org/tz/Europe-Berlin.ics"],
    ),
    ("3.6.14", "TZOFFSETFROM:-0500", ["tzoffsetfrom", {}, "utc-offset", "-05:00"]),
    ("3.6.14", "TZOFFSETTO:+1245", ["tzoffsetto", {}, "utc-offset", "+12:45"]),
    (
        "5.3",
        "X-COMPLAINT-DEADLINE:20110512T120000Z",
        ["x-complaint-deadline", {}, "unknown", "20110512T120000Z"],
    ),
    (
        "5.3",
        r"X-COFFEE-DATA:Stenophylla;Guinea\,Africa",
        ["x-coffee-data", {}, "unknown", r"Stenophylla;Guinea\,Africa"],
    ),
    ("5.3", "PERCENT-COMPLETE:95", ["percent-complete", {}, "integer", 95]),
    ("5.3", "DTSTART;X-SLACK=30.3;VALUE=DATE:20110512", ["dtstart", {"x-slack": "30.3"}, "date", "2011-05-12"]),
    # beyond the RFC's examples
    ("3.6.10", "RRULE:FREQ=MONTHLY;BYMONTH=5L", ["rrule", {}, "recur", {"freq": "MONTHLY", "bymonth": "5L"}]),
    (
        "3.6.4",
        "EXDATE;VALUE=DATE:20110517,20110518",
        ["exdate", {}, "date", "2011-05-17", "2011-05-18"],
    ),
    ("3.5.1", "X-THING;VALUE=X-KIND:a\\,b;c", ["x-thing", {}, "x-kind", "a\\,b;c"]),
    ("3.6.8", "PRIORITY:high", ["priority", {}, "integer", "high"]),
    ("3.6.14", "TZOFFSETFROM:-005736", ["tzoffsetfrom", {}, "utc-offset", "-00:57:36"]),
    (
        "3.1",
        "ATTENDEE;CN=George ^'Babe^' ^^Ruth^n:mailto:x",
        ["attendee", {"cn": 'George "Babe" ^Ruth\n'}, "cal-address", "mailto:x"],
    ),
]


@pytest.mark.rfc("7265", "3.4")
@pytest.mark.rfc("7265", "3.5.1")
@pytest.mark.rfc("7265", "3.6")
@pytest.mark.rfc("7265", "4")
@pytest.mark.rfc("7265", "5.3")
@pytest.mark.rfc("6868", "3.1")
@pytest.mark.parametrize(("section", "line", "expected"), PROPERTIES, ids=[f"{a} {b[:30]}" for a, b, _ in PROPERTIES])
def test_a_property_is_what_the_rfc_shows_and_its_line_again(section: str, line: str, expected: list[object]) -> None:
    [_, properties, _] = json.loads(to_jcal(wrapped(line)))
    assert properties == [expected]
    assert meaning(from_jcal(json.dumps(["vcalendar", [expected], []]).encode())) == meaning(wrapped(line))


@pytest.mark.rfc("7265", "3.1")
def test_base64_of_a_text_is_decoded() -> None:
    [_, [found], _] = json.loads(to_jcal(wrapped("DESCRIPTION;ENCODING=BASE64;X-A=b:Y2Fmw6k=")))
    assert found == ["description", {"x-a": "b"}, "text", "café"]


@pytest.mark.rfc("7265", "3.6.9")
def test_a_period_is_read_as_a_string_too_as_the_appendix_prints_it() -> None:
    said = ["rdate", {}, "period", "2006-01-02T15:00:00/PT2H"]
    text = from_jcal(json.dumps(["vcalendar", [said], []]).encode())
    assert b"RDATE;VALUE=PERIOD:20060102T150000/PT2H\r\n" in text


@pytest.mark.rfc("7265", "4")
def test_binary_stands_in_the_text_with_its_encoding() -> None:
    text = from_jcal(b'["vcalendar",[["attach",{},"binary","SGVsbG8gV29ybGQh"]],[]]')
    assert b"ATTACH;ENCODING=BASE64;VALUE=BINARY:SGVsbG8gV29ybGQh\r\n" in text


@pytest.mark.rfc("7265", "4")
def test_lines_are_folded_between_characters() -> None:
    said = ["vcalendar", [["summary", {}, "text", "é" * 200]], []]
    text = from_jcal(json.dumps(said).encode())
    assert all(len(line) <= 75 and line.decode() for line in text.splitlines())
    assert json.loads(to_jcal(text)) == said


@pytest.mark.rfc("7265", "3.2")
def test_a_stream_of_objects_is_an_array_of_them() -> None:
    two = event() + event()
    assert len(json.loads(to_jcal(two))) == 2
    assert meaning(from_jcal(to_jcal(two))) == meaning(two)


NO_JCAL: list[Any] = [
    None,
    "vcalendar",
    {},
    [],
    ["vcalendar"],
    ["vcalendar", {}, []],
    ["vcalendar", [], [[]]],
    ["vcalendar", [["summary", {}, "text"]], []],
    ["vcalendar", [["summary", [], "text", "a"]], []],
    ["vcalendar", [["summary", {}, "text", None]], []],
    ["vcalendar", [["summary", {}, "text", {"a": "b"}]], []],
    ["vcalendar", [["summary", {"a": {}}, "text", "b"]], []],
    ["vcalendar", [["begin", {}, "text", "VEVENT"]], []],
    ["vcalendar", [["a:b", {}, "text", "c"]], []],
    ["vcalendar", [["a\r\nEND", {}, "text", "c"]], []],
    ["vcalendar", [["summary", {"x\r\nEND": "y"}, "text", "c"]], []],
    ["vcalendar", [["x-a", {}, "unknown", "b\r\nEND:VCALENDAR"]], []],
    ["vcalendar", [["x-a", {}, "text;x=y", "b"]], []],
    ["vcalendar", [["summary", {}, "text", "\ud800"]], []],
    ["vcalendar", [["rrule", {}, "recur", {"freq;x": "DAILY"}]], []],
    ["vcalendar", [["rrule", {}, "recur", {"freq": "DAILY;COUNT=1"}]], []],
    ["vcalendar", [["rdate", {}, "period", ["a", "b", "c"]]], []],
    ["v:x", [], []],
]


@pytest.mark.parametrize("said", NO_JCAL, ids=lambda said: json.dumps(said)[:50])
def test_what_is_no_jcal_is_refused(said: object) -> None:
    with pytest.raises(ValueError):
        from_jcal(json.dumps(said).encode())


@pytest.mark.parametrize("kind", ["integer", "float", "text", "unknown"])
def test_a_number_that_no_line_can_hold_is_refused(kind: str) -> None:
    with pytest.raises(ValueError):
        from_jcal(f'["vcalendar",[["x-a",{{}},"{kind}",1e999]],[]]'.encode())


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[NaN]", b"[1e999", b"\xff", b"[" * 100_000], ids=lambda data: repr(data[:9])
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(data)


def test_json_of_too_many_parts_is_not_read() -> None:
    with pytest.raises(ValueError, match="more than"):
        read_json(b"[" + b"[]," * 1_000_000 + b"[]]")


# -- the way there and back ------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"), max_size=30)
TEXTS = WORDS.map(lambda word: word.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,"))
PARAMETER_VALUES = WORDS.map(lambda word: f'"{word}"'.replace('""', "x") if '"' not in word else "x")
NAMES = st.from_regex(r"X-[A-Z0-9-]{1,8}", fullmatch=True)
DATES = st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8))
MOMENTS = (
    st.datetimes()
    .map(lambda at: at.strftime("%Y%m%dT%H%M%S").zfill(15))
    .flatmap(lambda text: st.sampled_from([text, text + "Z"]))
)
DURATIONS = st.sampled_from(["PT1H", "-P1D", "P2W", "P1DT12H30M"])
PARAMETERS = st.lists(
    st.tuples(NAMES, st.lists(PARAMETER_VALUES, min_size=1, max_size=3)), max_size=3, unique_by=lambda pair: pair[0]
).map(lambda pairs: "".join(f";{key}={','.join(values)}" for key, values in pairs))


def many(entry: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(entry, min_size=1, max_size=3).map(",".join)


HEADS_AND_VALUES = st.one_of(
    st.tuples(st.sampled_from(["SUMMARY", "DESCRIPTION", "CATEGORIES", "RESOURCES"]), many(TEXTS)),
    st.tuples(st.sampled_from(["REQUEST-STATUS"]), st.lists(TEXTS, min_size=2, max_size=3).map(";".join)),
    st.tuples(NAMES, WORDS),
    st.tuples(st.sampled_from(["DTSTART", "EXDATE", "RDATE", "X-A"]).map(lambda name: name + ";VALUE=DATE"), DATES),
    st.tuples(st.sampled_from(["EXDATE", "RDATE"]), many(MOMENTS)),
    st.tuples(st.just("RDATE;VALUE=PERIOD"), many(st.tuples(MOMENTS, DURATIONS | MOMENTS).map("/".join))),
    st.tuples(st.sampled_from(["DURATION", "TRIGGER"]), DURATIONS),
    st.tuples(st.sampled_from(["PRIORITY", "SEQUENCE", "X-N;VALUE=INTEGER"]), st.integers(-99, 10**12).map(str)),
    st.tuples(st.just("GEO"), st.tuples(*[st.floats(-180, 180).map(lambda at: f"{at:.6f}")] * 2).map(";".join)),
    st.tuples(st.sampled_from(["URL", "ATTENDEE", "ATTACH"]), WORDS),
    st.tuples(
        st.just("RRULE"),
        st.sampled_from(["FREQ=DAILY", "FREQ=MONTHLY;BYDAY=1MO,-1FR;COUNT=3", "FREQ=YEARLY;UNTIL=20300101T000000Z"]),
    ),
)
LINES = st.tuples(HEADS_AND_VALUES, PARAMETERS).map(
    lambda found: (
        found[0][0].replace(";", found[1] + ";", 1) + ("" if ";" in found[0][0] else found[1]) + ":" + found[0][1]
    )
)


@given(st.lists(LINES, max_size=6), st.lists(LINES, max_size=3))
def test_a_calendar_says_the_same_after_a_way_through_json(lines: list[str], alarm: list[str]) -> None:
    text = calendar(*component("VEVENT", *lines, "BEGIN:VALARM", *alarm, "END:VALARM"))
    back = from_jcal(to_jcal(text))
    assert meaning(back) == meaning(text)
    assert to_jcal(back) == to_jcal(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_json_is_a_calendar_or_refused(said: object) -> None:
    for document in (
        said,
        ["vcalendar", said, []],
        ["vcalendar", [said], []],
        ["vcalendar", [["x", {}, "text", said]], []],
    ):
        try:
            text = from_jcal(json.dumps(document).encode())
        except ValueError:
            continue
        assert parse_components(text, longest_head=len(text)) or text == b""


def wrapped(line: str) -> bytes:
    return f"BEGIN:VCALENDAR\r\n{line}\r\nEND:VCALENDAR\r\n".encode()


def meaning(data: bytes) -> object:
    """What a text says: names, values and parameters as a reader takes them, whatever their spelling."""
    return [_of_component(each) for each in parse_components(data, longest_head=len(data))]


def _of_component(found: Component) -> object:
    return found.name, [_of_line(line) for line in found.lines], [_of_component(child) for child in found.children]


def _of_line(line: Line) -> object:
    kind = FORM.type_of(line)
    parameters = sorted(
        (key, [decode_carets(value) for value in values])
        for key, values in line.parameters
        if key not in ("VALUE", "ENCODING")
    )
    value: object = line.value
    if kind == "text":
        pieces = [split_unescaped(part, ",") for part in split_unescaped(line.value, ";")]
        value = line.text if line.name not in (*FORM.lists, *FORM.structured) else pieces
    elif kind == "float":
        value = [float(each) for each in line.value.split(";")]
    elif kind == "integer" and line.value.lstrip("+-").isdecimal():
        value = int(line.value)
    elif kind == "recur":
        value = sorted(line.value.split(";"))
    return line.name, kind, parameters, value
