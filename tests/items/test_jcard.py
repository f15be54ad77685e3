"""jCard: the examples of RFC 7095, and that a card says the same after a way through JSON and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.contentlines import Line, parse_components
from storage.jcard import FORM, from_jcard, to_jcard
from storage.jsonvalues import split_unescaped
from storage.linewriter import decode_carets
from tests.items.conftest import card

AUTHOR = b"""BEGIN:VCARD
VERSION:4.0
FN:Simon Perreault
N:Perreault;Simon;;;ing. jr,M.Sc.
BDAY:--0203
ANNIVERSARY:20090808T1430-0500
GENDER:M
LANG;PREF=1:fr
LANG;PREF=2:en
ORG;TYPE=work:Viagenie
ADR;TYPE=work:;Suite D2-630;2875 Laurier;
 Quebec;QC;G1V 2M2;Canada
TEL;VALUE=uri;TYPE="work,voice";PREF=1:tel:+1-418-656-9254;ext=102
TEL;VALUE=uri;TYPE="work,cell,voice,video,text":tel:+1-418-262-6501
EMAIL;TYPE=work:simon.perreault@viagenie.ca
GEO;TYPE=work:geo:46.772673,-71.282945
KEY;TYPE=work;VALUE=uri:
 http://www.viagenie.ca/simon.perreault/simon.asc
TZ:-0500
URL;TYPE=home:http://nomis80.org
END:VCARD
""".replace(b"\n", b"\r\n")
WORK = {"type": "work"}
VERSION = ["version", {}, "text", "4.0"]
AUTHOR_JSON = [
    # As the RFC prints it, but for the time of the anniversary: its table in §3.5.5 adds no seconds that nobody said.
    "vcard",
    [
        ["version", {}, "text", "4.0"],
        ["fn", {}, "text", "Simon Perreault"],
        ["n", {}, "text", ["Perreault", "Simon", "", "", ["ing. jr", "M.Sc."]]],
        ["bday", {}, "date-and-or-time", "--02-03"],
        ["anniversary", {}, "date-and-or-time", "2009-08-08T14:30-05:00"],
        ["gender", {}, "text", "M"],
        ["lang", {"pref": "1"}, "language-tag", "fr"],
        ["lang", {"pref": "2"}, "language-tag", "en"],
        ["org", WORK, "text", "Viagenie"],
        ["adr", WORK, "text", ["", "Suite D2-630", "2875 Laurier", "Quebec", "QC", "G1V 2M2", "Canada"]],
        ["tel", {"type": ["work", "voice"], "pref": "1"}, "uri", "tel:+1-418-656-9254;ext=102"],
        ["tel", {"type": ["work", "cell", "voice", "video", "text"]}, "uri", "tel:+1-418-262-6501"],
        ["email", WORK, "text", "simon.perreault@viagenie.ca"],
        ["geo", WORK, "uri", "geo:46.772673,-71.282945"],
        ["key", WORK, "uri", "http://www.viagenie.ca/simon.perreault/simon.asc"],
        ["tz", {}, "utc-offset", "-05:00"],
        ["url", {"type": "home"}, "uri", "http://nomis80.org"],
    ],
]


@pytest.mark.rfc("7095", "3.2")
@pytest.mark.rfc("7095", "B.1")
def test_the_card_of_the_rfc_is_converted_as_it_prints_it() -> None:
    assert json.loads(to_jcard(AUTHOR)) == AUTHOR_JSON
    assert meaning(from_jcard(json.dumps(AUTHOR_JSON).encode())) == meaning(AUTHOR)


PROPERTIES = [
    # section of RFC 7095, line, JSON
    ("3.3", "CATEGORIES:computers,cameras", ["categories", {}, "text", "computers", "cameras"]),
    (
        "3.3.1.2.1",
        r"CONTACT.NOTE:Mr. John Q. Public\, Esq.",  # the group in lower case, as the section says and does not print
        ["note", {"group": "contact"}, "text", "Mr. John Q. Public, Esq."],
    ),
    (
        "3.3.1.3",
        "ADR:;;123 Main Street;Any Town;CA;91921-1234;U.S.A.",
        ["adr", {}, "text", ["", "", "123 Main Street", "Any Town", "CA", "91921-1234", "U.S.A."]],
    ),
    (
        "3.3.1.3",
        "ADR:;;My Street,Left Side,Second Shack;Hometown;PA;18252;U.S.A.",
        ["adr", {}, "text", ["", "", ["My Street", "Left Side", "Second Shack"], "Hometown", "PA", "18252", "U.S.A."]],
    ),
    ("3.3.1.3", "GENDER:F;grrrl", ["gender", {}, "text", ["F", "grrrl"]]),
    ("3.3.1.3", "GENDER:M", ["gender", {}, "text", "M"]),
    (
        "3.3.1.3",
        r'ADR;LABEL="123 Maple Ave\nSuite 901\nVancouver BC\nA1B 2C9\nCanada":;;;;;;',
        [
            "adr",
            {"label": "123 Maple Ave\nSuite 901\nVancouver BC\nA1B 2C9\nCanada"},
            "text",
            ["", "", "", "", "", "", ""],
        ],
    ),
    ("3.4", "ROLE;LANGUAGE=tr:roca", ["role", {"language": "tr"}, "text", "roca"]),
    (
        "3.4.2",
        'N;SORT-AS="Harten,Rene":van der Harten;Rene;J.;Sir;R.D.O.N.',
        ["n", {"sort-as": ["Harten", "Rene"]}, "text", ["van der Harten", "Rene", "J.", "Sir", "R.D.O.N."]],
    ),
    ("3.5.1", "KIND:group", ["kind", {}, "text", "group"]),
    (
        "3.5.2",
        "SOURCE:ldap://ldap.example.com/cn=babs%20jensen",
        ["source", {}, "uri", "ldap://ldap.example.com/cn=babs%20jensen"],
    ),
    *(
        ("3.5.3", f"BDAY;VALUE=date:{text}", ["bday", {}, "date", said])
        for text, said in {
            "19850412": "1985-04-12",
            "1985-04": "1985-04",
            "1985": "1985",
            "--0412": "--04-12",
            "--04": "--04",
            "---12": "---12",
        }.items()
    ),
    *(
        ("3.5.4", f"X-TIME;VALUE=time:{text}", ["x-time", {}, "time", said])
        for text, said in {
            "123000": "12:30:00",
            "123000Z": "12:30:00Z",
            "123000-0800": "12:30:00-08:00",
            "232050": "23:20:50",
            "2320": "23:20",
            "23": "23",
            "-2050": "-20:50",
            "-20": "-20",
            "--50": "--50",
            "-30": "-30",
        }.items()
    ),
    *(
        ("3.5.5", f"ANNIVERSARY;VALUE=date-time:{text}", ["anniversary", {}, "date-time", said])
        for text, said in {
            "20130214T123000": "2013-02-14T12:30:00",
            "20130110T190000Z": "2013-01-10T19:00:00Z",
            "20130815T094500+0100": "2013-08-15T09:45:00+01:00",
            "---15T094500+0100": "---15T09:45:00+01:00",
            "19850412T232050": "1985-04-12T23:20:50",
            "19850412T232050Z": "1985-04-12T23:20:50Z",
            "19850412T232050+0400": "1985-04-12T23:20:50+04:00",
            "19850412T232050+04": "1985-04-12T23:20:50+04",
            "19850412T2320": "1985-04-12T23:20",
            "19850412T23": "1985-04-12T23",
            "--0412T2320": "--04-12T23:20",
            "--04T2320": "--04T23:20",
            "---12T2320": "---12T23:20",
            "--04T23": "--04T23",
        }.items()
    ),
    *(
        ("3.5.6", f"BDAY:{text}", ["bday", {}, "date-and-or-time", said])
        for text, said in {
            "20130214T123000": "2013-02-14T12:30:00",
            "---22T1400": "---22T14:00",
            "1985": "1985",
            "T1230": "T12:30",
        }.items()
    ),
    *(
        ("3.5.7", f"REV:{text}", ["rev", {}, "timestamp", said])
        for text, said in {
            "20130214T123000": "2013-02-14T12:30:00",
            "20130214T123000Z": "2013-02-14T12:30:00Z",
            "20130214T123000-05": "2013-02-14T12:30:00-05",
            "20130214T123000-0500": "2013-02-14T12:30:00-05:00",
        }.items()
    ),
    ("3.5.8", "X-NON-SMOKING;VALUE=boolean:true", ["x-non-smoking", {}, "boolean", True]),
    ("3.5.9", "X-KARMA-POINTS;VALUE=integer:42", ["x-karma-points", {}, "integer", 42]),
    ("3.5.10", "X-GRADE;VALUE=float:1.3", ["x-grade", {}, "float", 1.3]),
    ("3.5.11", "TZ;VALUE=utc-offset:-0500", ["tz", {}, "utc-offset", "-05:00"]),
    ("3.5.12", "LANG:de", ["lang", {}, "language-tag", "de"]),
    (
        "5.3",
        "X-COMPLAINT-URI:mailto:abuse@example.org",
        ["x-complaint-uri", {}, "unknown", "mailto:abuse@example.org"],
    ),
    (
        "5.3",
        r"X-COFFEE-DATA:Stenophylla;Guinea\,Africa",
        ["x-coffee-data", {}, "unknown", r"Stenophylla;Guinea\,Africa"],
    ),
    ("5.3", "GENDER;X-PROBABILITY=0.8:M", ["gender", {"x-probability": "0.8"}, "text", "M"]),
    # beyond the RFC's examples
    (
        "3.5.2",
        r"GEO:geo:46.772673\,-71.282945",
        ["geo", {}, "uri", "geo:46.772673,-71.282945"],
    ),  # as RFC 6350 §8 has it
    ("3.3.1.3", r"ORG:Foo\, Inc.;Sales", ["org", {}, "text", ["Foo, Inc.", "Sales"]]),
]


@pytest.mark.rfc("7095", "3.3")
@pytest.mark.rfc("7095", "3.3.1.2.1")
@pytest.mark.rfc("7095", "3.3.1.3")
@pytest.mark.rfc("7095", "3.4.1")
@pytest.mark.rfc("7095", "3.4.2")
@pytest.mark.rfc("7095", "3.5")
@pytest.mark.rfc("7095", "5.3")
@pytest.mark.parametrize(("section", "line", "expected"), PROPERTIES, ids=[f"{a} {b[:40]}" for a, b, _ in PROPERTIES])
def test_a_property_is_what_the_rfc_shows_and_its_line_again(section: str, line: str, expected: list[object]) -> None:
    text = card(line, version="4.0")
    assert json.loads(to_jcard(text)) == ["vcard", [["version", {}, "text", "4.0"], expected]]
    assert meaning(from_jcard(to_jcard(text))) == meaning(text)


@pytest.mark.rfc("7095", "3.3.1.1")
def test_the_version_comes_first_and_a_card_of_vcard_3_is_one_of_vcard_4() -> None:
    text = card("FN:A", "BDAY:1985-04-12").replace(b"VERSION:3.0\r\nFN:A\r\n", b"FN:A\r\nVERSION:3.0\r\n")
    assert json.loads(to_jcard(text))[1] == [
        ["version", {}, "text", "4.0"],
        ["fn", {}, "text", "A"],
        ["bday", {}, "date-and-or-time", "1985-04-12"],
    ]


@pytest.mark.rfc("7095", "3.5.9")
@pytest.mark.rfc("7095", "3.5.10")
@pytest.mark.parametrize(
    ("kind", "said", "line"),
    [
        ("integer", "2e3", b"X-A;VALUE=integer:2000\r\n"),
        ("integer", "3.14", b"X-A;VALUE=integer:3\r\n"),
        ("float", "2e10", b"X-A;VALUE=float:20000000000\r\n"),
        ("float", "1.5e-3", b"X-A;VALUE=float:0.0015\r\n"),
    ],
)
def test_numbers_stand_in_the_text_without_exponents(kind: str, said: str, line: bytes) -> None:
    text = from_jcard(f'["vcard",[["version",{{}},"text","4.0"],["x-a",{{}},"{kind}",{said}]]]'.encode())
    assert line in text.replace(b".0\r\n", b"\r\n")


@pytest.mark.rfc("7095", "3.2")
def test_an_array_of_cards_is_a_stream_of_them() -> None:
    two = card("FN:A", version="4.0") + card("FN:B", version="4.0")
    one = to_jcard(card("FN:A", version="4.0"))
    assert from_jcard(b"[" + one + b"," + one.replace(b'"A"', b'"B"') + b"]") == two


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        ["vcard"],
        ["vcalendar", []],
        ["vcard", [["fn", {}, "text", "A"]]],
        ["vcard", [["version", {}, "text", "3.0"], ["fn", {}, "text", "A"]]],
        ["vcard", [VERSION, VERSION, ["fn", {}, "text", "A"]]],
        ["vcard", [], []],
        ["vcard", [VERSION, ["fn", {"group": "a b"}, "text", "c"]]],
        ["vcard", [VERSION, ["fn", {"group": "a:b\r\n"}, "text", "c"]]],
        ["vcard", [VERSION, ["end", {}, "text", "VCARD"]]],
        ["vcard", [VERSION, ["x-a", {}, "unknown", "b\nEND:VCARD"]]],
        ["vcard", [VERSION, ["n", {}, "text", [["a", ["b"]]]]]],
    ],
    ids=lambda said: json.dumps(said)[:50],
)
def test_what_is_no_jcard_is_refused(said: object) -> None:
    with pytest.raises(ValueError):
        from_jcard(json.dumps(said).encode())


# -- the way there and back ------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"), max_size=30)
TEXTS = WORDS.map(lambda word: word.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,"))
PLAIN = st.from_regex(r"[A-Za-z0-9 .:/-]{1,12}", fullmatch=True)
GROUPS = st.sampled_from(["", "", "item1.", "X-ABC-1."])
PARTS = st.lists(TEXTS, min_size=1, max_size=2).map(",".join)
VALUES = st.one_of(
    st.tuples(st.sampled_from(["FN", "NOTE", "TITLE", "EMAIL", "TEL"]), TEXTS),
    st.tuples(st.sampled_from(["N", "ADR"]), st.lists(PARTS, min_size=1, max_size=7).map(";".join)),
    st.tuples(st.sampled_from(["ORG", "GENDER"]), st.lists(TEXTS, min_size=1, max_size=3).map(";".join)),
    st.tuples(st.sampled_from(["CATEGORIES", "NICKNAME"]), PARTS),
    st.tuples(st.sampled_from(["URL", "IMPP", "PHOTO", "UID", "LANG"]), PLAIN),
    st.tuples(st.sampled_from(["BDAY", "REV"]), st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8))),
    st.tuples(st.sampled_from(["X-ABLabel", "X-NOTE"]), WORDS),
)
PARAMETERS = st.sampled_from(
    ["", ";TYPE=home", ';TYPE="work,voice"', ";TYPE=a,b;PREF=1", ';X-A="b;c","d,e"', ";PID=1.1,2.2", ";X-Q=^'a^^^n"]
)
LINES = st.tuples(GROUPS, VALUES, PARAMETERS).map(lambda each: f"{each[0]}{each[1][0]}{each[2]}:{each[1][1]}")


@given(st.lists(LINES, max_size=8))
def test_a_card_says_the_same_after_a_way_through_json(lines: list[str]) -> None:
    text = card(*lines, version="4.0")
    back = from_jcard(to_jcard(text))
    assert meaning(back) == meaning(text)
    assert to_jcard(back) == to_jcard(text)


def meaning(data: bytes) -> object:
    """What a text says: names, values and parameters as a reader takes them, whatever their spelling."""
    found = parse_components(data, longest_head=len(data), bare_parameters=True)
    return [(each.name, [_of_line(line) for line in each.lines]) for each in found]


def _of_line(line: Line) -> object:
    parameters = sorted(
        (key, [decode_carets(each) for value in values for each in _entries(key, value)])
        for key, values in line.parameters
        if key != "VALUE"
    )
    kind, value = FORM.type_of(line), line.value
    pieces: object = value
    if kind == "text":
        is_list = FORM.structured.get(line.name, False) or line.name in FORM.lists
        parts = split_unescaped(value, ";") if line.name in FORM.structured else [value]
        pieces = [[_text(each) for each in (split_unescaped(part, ",") if is_list else [part])] for part in parts]
    elif kind == "uri":
        pieces = value.replace("\\,", ",")
    elif kind == "boolean":
        pieces = value.upper()
    return line.group, line.name, kind, parameters, pieces


def _entries(key: str, value: str) -> list[str]:
    if key == "LABEL":
        return [value.replace("\\n", "\n")]
    return value.split(",") if key in FORM.split else [value]


def _text(value: str) -> str:
    return Line("X", (), value, 0, 0).text
