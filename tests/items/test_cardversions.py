"""Cards in the other version of vCard: what is written in another way, what stays, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.cardversions import CannotConvert, to_version, version_of
from storage.contentlines import Line, parse_components
from tests.items.conftest import Judge, card

N, FN = "N:Doe;Jane;;;", "FN:Jane Doe"

PAIRS = {
    # what both versions say: lines of vCard 3, lines of vCard 4
    "a picture": (["PHOTO;TYPE=JPEG;ENCODING=b:/9j/4AAQ"], ["PHOTO:data:image/jpeg;base64,/9j/4AAQ"]),
    "a picture elsewhere": (
        ["PHOTO;VALUE=uri;TYPE=GIF:http://example.org/a.gif"],
        ["PHOTO;MEDIATYPE=image/gif:http://example.org/a.gif"],
    ),
    "a picture without format": (["LOGO;ENCODING=b:AAAA"], ["LOGO:data:application/octet-stream;base64,AAAA"]),
    "a sound": (["SOUND;TYPE=BASIC;ENCODING=b:AAAA"], ["SOUND:data:audio/basic;base64,AAAA"]),
    "a key": (["KEY;TYPE=PGP;ENCODING=b:AAAA"], ["KEY:data:application/pgp-keys;base64,AAAA"]),
    "a key as text": (["KEY;VALUE=text:abc"], ["KEY;VALUE=text:abc"]),
    "a key of another type": (
        ["KEY;MEDIATYPE=text/plain;ENCODING=b:AAAA"],
        ["KEY:data:text/plain;base64,AAAA"],
    ),
    "a preferred number": (["TEL;TYPE=HOME,pref:+33"], ["TEL;TYPE=HOME;PREF=1:+33"]),
    "a second choice": (["EMAIL;PREF=2:a@example.org"], ["EMAIL;PREF=2:a@example.org"]),
    "a label": (
        ["ADR;TYPE=HOME:;;1 rue A;Paris;;75001;France", r"LABEL;TYPE=HOME:1\, rue A\n75001 Paris"],
        ['ADR;TYPE=HOME;LABEL="1, rue A^n75001 Paris":;;1 rue A;Paris;;75001;France'],
    ),
    "two addresses of one type": (
        ["ADR;TYPE=HOME:;;1;;;;", "ADR;TYPE=HOME:;;2;;;;", "LABEL;TYPE=HOME:two"],
        ["ADR;TYPE=HOME:;;1;;;;", "ADR;TYPE=HOME;LABEL=two:;;2;;;;"],
    ),
    "a group": (
        ["X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:2"],
        ["KIND:group", "MEMBER:urn:uuid:2"],
    ),
    "a company": (["X-ABShowAs:COMPANY"], ["KIND:org"]),
    "a birthday": (["BDAY:1985-04-12"], ["BDAY:19850412"]),
    "a birthday without year": (["BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-01"], ["BDAY:--0301"]),
    "a birth by the clock": (
        ["BDAY;VALUE=date-time:1953-10-15T23:10:00-05:00"],
        ["BDAY:19531015T231000-0500"],
    ),
    "an anniversary": (["ANNIVERSARY:2009-08-08"], ["ANNIVERSARY:20090808"]),
    "a year alone": (["BDAY:1985"], ["BDAY:1985"]),
    "a place": (["GEO:37.386013;-122.082932"], ["GEO:geo:37.386013,-122.082932"]),
    "an offset": (["TZ:-05:00"], ["TZ;VALUE=utc-offset:-0500"]),
    "a zone": (["TZ;VALUE=text:Europe/Paris"], ["TZ:Europe/Paris"]),
    "an agent elsewhere": (["AGENT;VALUE=uri:CID:x"], ["RELATED;TYPE=agent:CID:x"]),
    "an agent within": (
        [r"AGENT:BEGIN:VCARD\nFN:Susan\nEND:VCARD\n"],
        [r"RELATED;VALUE=text;TYPE=agent:BEGIN:VCARD\nFN:Susan\nEND:VCARD\n"],
    ),
    "what only vCard 3 has": (["CLASS:PRIVATE", "MAILER:x"], ["CLASS:PRIVATE", "MAILER:x"]),
    "what only vCard 4 has": (
        ["GENDER:F", "LANG;PREF=2:fr", "RELATED;TYPE=friend:urn:uuid:3"],
        ["GENDER:F", "LANG;PREF=2:fr", "RELATED;TYPE=friend:urn:uuid:3"],
    ),
    "Apple's labels": (
        ["item1.TEL:+33 1", "item1.X-ABLabel:_$!<Mobile>!$_"],
        ["item1.TEL:+33 1", "item1.X-ABLabel:_$!<Mobile>!$_"],
    ),
    "a preferred one in a group": (["item1.TEL;TYPE=pref:+33 1"], ["item1.TEL;PREF=1:+33 1"]),
    "text": ([r"NOTE:a\, b\; c\nd", "ORG:A;B"], [r"NOTE:a\, b\; c\nd", "ORG:A;B"]),
}


@pytest.mark.rfc("6350", "A.1")
@pytest.mark.rfc("6350", "A.2")
@pytest.mark.rfc("6350", "A.3")
@pytest.mark.rfc("6352", "5.1.1")
@pytest.mark.parametrize(("three", "four"), PAIRS.values(), ids=PAIRS.keys())
def test_both_versions_say_the_same_in_their_own_words(three: list[str], four: list[str]) -> None:
    old, new = card("UID:1", N, FN, *three), card("UID:1", N, FN, *four, version="4.0")
    assert lines(to_version(old, "4.0")) == lines(new)
    assert lines(to_version(new, "3.0")) == lines(old)


TO_4 = {
    # other ways in which vCard 3 is written
    "bare types": (["TEL;HOME;VOICE:+33"], ["TEL;TYPE=HOME,VOICE:+33"]),
    "a bare preference": (["TEL;HOME;PREF:+33"], ["TEL;TYPE=HOME;PREF=1:+33"]),
    "base64 of vCard 2.1": (["PHOTO;JPEG;BASE64:AAAA"], ["PHOTO:data:image/jpeg;base64,AAAA"]),
    "Apple's picture": (
        ["PHOTO;X-ABCROP-RECTANGLE=ABClipRect_1&0;ENCODING=b;TYPE=JPEG:AA  AA"],
        ["PHOTO;X-ABCROP-RECTANGLE=ABClipRect_1&0:data:image/jpeg;base64,AAAA"],
    ),
    "a picture that tells its format itself": (["PHOTO;ENCODING=b:iVBORw0K"], ["PHOTO:data:image/png;base64,iVBORw0K"]),
    "an address of a picture": (["PHOTO:http://example.org/a.jpg"], ["PHOTO:http://example.org/a.jpg"]),
    "quoted-printable": (["NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:caf=E9=0D=0Ab"], [r"NOTE:café\nb"]),
    "bare quoted-printable": (["NOTE;QUOTED-PRINTABLE:caf=C3=A9"], ["NOTE:café"]),
    "an unknown charset": (["NOTE;CHARSET=x-none:café"], ["NOTE:café"]),
    "a label alone": ([r"LABEL;TYPE=WORK:a\nb"], ["ADR;TYPE=WORK;LABEL=a^nb:;;;;;;"]),
    "a label of another address": (
        ["ADR;TYPE=HOME:;;1;;;;", "LABEL;TYPE=WORK:b"],
        ["ADR;TYPE=HOME:;;1;;;;", "ADR;TYPE=WORK;LABEL=b:;;;;;;"],
    ),
    "a label before its address": (["LABEL:a", "ADR:;;1;;;;"], ["ADR;LABEL=a:;;1;;;;"]),
    "a basic birthday": (["BDAY;VALUE=date:19850412"], ["BDAY:19850412"]),
    "a birthday in words": (["BDAY;VALUE=text:circa 1800"], ["BDAY;VALUE=text:circa 1800"]),
    "a revision": (["REV:1995-10-31T22:27:10Z"], ["REV:19951031T222710Z"]),
    "both of Apple's kinds": (
        ["X-ABShowAs:COMPANY", "X-ADDRESSBOOKSERVER-KIND:group"],
        ["X-ABShowAs:COMPANY", "KIND:group"],
    ),
    "a kind beside KIND": (["KIND:group", "X-ABShowAs:COMPANY"], ["KIND:group", "X-ABShowAs:COMPANY"]),
    "a number's type": (["TEL;VALUE=phone-number:+33"], ["TEL:+33"]),
}


@pytest.mark.rfc("2426", "3")
@pytest.mark.parametrize(("three", "four"), TO_4.values(), ids=TO_4.keys())
def test_what_clients_write_in_vcard_3_is_read(three: list[str], four: list[str]) -> None:
    converted = to_version(card("UID:1", N, FN, *three), "4.0")
    assert lines(converted) == lines(card("UID:1", N, FN, *four, version="4.0"))


TO_3 = {
    # other ways in which vCard 4 is written
    "a list of types in quotes": (['TEL;TYPE="work,voice":+33'], ["TEL;TYPE=work,voice:+33"]),
    "a number as a URI": (["TEL;VALUE=uri;TYPE=home:tel:+33-1"], ["TEL;TYPE=home:+33-1"]),
    "a number with an extension": (["TEL;VALUE=uri:tel:+1-418-656-9254;ext=102"], [r"TEL:+1-418-656-9254\;ext=102"]),
    "a number of another scheme": (["TEL;VALUE=uri:sip:a@example.org"], ["TEL;VALUE=uri:sip:a@example.org"]),
    "a percent-encoded picture": (["PHOTO:data:image/gif,abc"], ["PHOTO;TYPE=GIF;ENCODING=b:YWJj"]),
    "an escaped picture": ([r"PHOTO:data:image/gif\;base64\,AAAA"], ["PHOTO;TYPE=GIF;ENCODING=b:AAAA"]),
    "a picture at work": (
        ["LOGO;TYPE=work:data:image/png;base64,AAAA"],
        ["LOGO;TYPE=PNG,work;ENCODING=b:AAAA"],
    ),
    "a label in the RFC's words": ([r'ADR;LABEL="1\nParis":;;1;;;;'], ["ADR:;;1;;;;", r"LABEL:1\nParis"]),
    "a UID in words": (["X-A:1", "UID;VALUE=text:a"], ["X-A:1", "UID:a"]),
    "an escaped place": ([r"GEO:geo:1.5\,-2"], ["GEO:1.5;-2"]),
    "a place with more": (["GEO:geo:1.5,-2;u=35"], ["GEO:geo:1.5,-2;u=35"]),
    "a zone in words": (["TZ:Europe/Paris"], ["TZ;VALUE=text:Europe/Paris"]),
    "a zone elsewhere": (["TZ;VALUE=uri:https://example.org/a"], ["TZ;VALUE=uri:https://example.org/a"]),
    "a person": (["KIND:individual"], ["X-ADDRESSBOOKSERVER-KIND:individual"]),
}


@pytest.mark.rfc("6350", "6")
@pytest.mark.parametrize(("four", "three"), TO_3.values(), ids=TO_3.keys())
def test_what_clients_write_in_vcard_4_is_read(four: list[str], three: list[str]) -> None:
    has_uid = any(line.startswith("UID") for line in four)
    head = [N, FN] if has_uid else ["UID:1", N, FN]
    assert lines(to_version(card(*head, *four, version="4.0"), "3.0")) == lines(card(*head, *three))


@pytest.mark.rfc("2426", "3.6.5")
def test_how_a_name_is_sorted_is_kept() -> None:
    old = card("UID:1", "N:van der Harten;Rene;;;", r"SORT-STRING:Harten\,Rene", FN)
    new = card("UID:1", "N;SORT-AS=Harten,Rene:van der Harten;Rene;;;", FN, version="4.0")
    assert lines(to_version(old, "4.0")) == lines(new)
    assert lines(to_version(new, "3.0")) == lines(old)


@pytest.mark.rfc("2426", "3.1.2")
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Jane Ann Doe", "N:Doe;Jane Ann;;;"),
        ("Cher", "N:Cher;;;;"),
        (r"Doe\, Inc.", r"N:Inc.;Doe\,;;;"),
        ("", "N:;;;;"),
    ],
)
def test_a_card_of_vcard_3_has_a_name_in_parts(name: str, parts: str) -> None:
    assert parts.encode() + b"\r\n" in to_version(card("UID:1", f"FN:{name}", version="4.0"), "3.0")


@pytest.mark.rfc("2426", "3.1.2")
@pytest.mark.parametrize(
    ("kind", "parts"), [("org", "N:Doe Inc.;;;;"), ("group", "N:Doe Inc.;;;;"), ("individual", "N:Inc.;Doe;;;")]
)
def test_what_is_no_person_has_its_name_in_one_part(kind: str, parts: str) -> None:
    data = card("UID:1", "FN:Doe Inc.", f"KIND:{kind}", version="4.0")
    assert parts.encode() + b"\r\n" in to_version(data, "3.0")


@pytest.mark.parametrize("length", range(20, 60))
def test_the_version_is_found_wherever_it_stands(length: int) -> None:
    data = card("FN:A").replace(b"VERSION", b"X-A:" + b"a" * length + b"\r\nVERSION")
    assert version_of(data) == "3.0"


@pytest.mark.rfc("6350", "6.7.9")
def test_the_version_comes_first() -> None:
    old = b"BEGIN:VCARD\r\nFN:A\r\nN:A;;;;\r\nversion:3.0\r\nEND:VCARD\r\n"
    assert to_version(old, "4.0") == b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:A\r\nN:A;;;;\r\nEND:VCARD\r\n"


def test_what_needs_no_change_stays_byte_for_byte_and_so_do_line_ends() -> None:
    odd = "note;X-a=b:folded\n  here\nitem1.x-Foo:Bar\nTEL;TYPE=HOME:+33\n"
    old = f"BEGIN:VCARD\nVERSION:3.0\nFN:A\nN:A;;;;\n{odd}BDAY:1985-04-12\nEND:VCARD\n".encode()
    new = to_version(old, "4.0")
    assert odd.encode() in new
    assert b"BDAY:19850412\n" in new
    assert b"\r" not in new


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_a_card_of_the_version_that_is_asked_is_the_same_object(version: str) -> None:
    data = card("UID:1", FN, version=version)
    assert to_version(data, version) is data


@pytest.mark.parametrize(
    "data",
    [b"", card("FN:A", version="2.1"), b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\n", card("FN:A") * 2, card("no line")],
)
def test_what_is_no_card_of_a_known_version_is_not_converted(data: bytes) -> None:
    with pytest.raises(CannotConvert):
        to_version(data, "4.0")


# -- the way there and back ------------------------------------------------------------------------------------------

TYPES = st.sampled_from(
    ["", ";TYPE=HOME", ";TYPE=work,pref", ';TYPE="work,voice"', ";PREF=1", ";PREF=7", ";HOME", ";X-A=b"]
)
GROUPS = st.sampled_from(["", "", "item1.", "Item2."])
DAYS = st.sampled_from(["1985-04-12", "19850412", "--0412", "1985", "1604-02-29", "19850412T101112Z", "T10", "x"])
VALUES = st.one_of(
    st.tuples(st.sampled_from(["TEL", "EMAIL", "NOTE", "URL", "X-A", "TITLE"]), st.text("ab ;,\\:é", max_size=9)),
    st.tuples(st.sampled_from(["ADR", "LABEL"]), st.sampled_from([";;1 rue;Paris;;;", "a\\nb", "x, y"])),
    st.tuples(st.sampled_from(["BDAY", "ANNIVERSARY", "REV", "BDAY;X-APPLE-OMIT-YEAR=1604", "BDAY;VALUE=date"]), DAYS),
    st.tuples(st.sampled_from(["PHOTO;ENCODING=b", "SOUND;ENCODING=B;TYPE=WAVE", "KEY;BASE64"]), st.just("AAAA")),
    st.tuples(
        st.sampled_from(["PHOTO", "KEY", "LOGO;VALUE=uri", "SOUND;TYPE=WAVE", "PHOTO;MEDIATYPE=image/gif"]),
        st.sampled_from(["http://example.org/a", "data:image/png;base64,AAAA", "data:,a", "data:text/x;base64,AA=="]),
    ),
    st.tuples(
        st.sampled_from(["GEO", "TZ", "TZ;VALUE=text"]), st.sampled_from(["1;2", "geo:1,2", "+0100", "-05:00", "X"])
    ),
    st.sampled_from(
        [("KIND", "group"), ("KIND", "org"), ("X-ADDRESSBOOKSERVER-KIND", "group"), ("X-ABShowAs", "COMPANY")]
    ),
    st.tuples(st.sampled_from(["MEMBER", "AGENT", "RELATED", "AGENT;VALUE=uri", "SORT-STRING"]), st.just("urn:uuid:1")),
)
LINES = st.tuples(GROUPS, VALUES, TYPES).map(lambda each: f"{each[0]}{each[1][0]}{each[2]}:{each[1][1]}")


@given(st.lists(LINES, max_size=8), st.sampled_from(["3.0", "4.0"]))
def test_the_way_there_and_back_ends_where_it_began(given_lines: list[str], version: str) -> None:
    """After one round: a card may begin with words of the other version in it."""
    there, back = ("4.0", "3.0") if version == "3.0" else ("3.0", "4.0")
    started = to_version(to_version(card("UID:1", N, FN, *given_lines, version=version), there), back)
    first = to_version(started, there)
    second = to_version(first, back)
    assert (version_of(first), version_of(second)) == (there, back)
    assert lines(second) == lines(started)
    assert lines(to_version(second, there)) == lines(first)


@given(st.lists(LINES, max_size=8), st.sampled_from(["3.0", "4.0"]))
def test_a_converted_card_is_one_that_the_judge_takes(judge: Judge, given_lines: list[str], version: str) -> None:
    data = card("UID:1", N, FN, *given_lines, version=version)
    assert judge(to_version(data, "4.0" if version == "3.0" else "3.0")).facts.uid == "1"


@pytest.fixture(scope="module")
def judge() -> Judge:
    from tests.items.conftest import _judge

    return lambda data: _judge(data, "VADDRESSBOOK")


def lines(data: bytes) -> list[object]:
    """Each property with its group and parameters, whatever their order or spelling."""
    [found] = parse_components(data, longest_head=len(data), bare_parameters=True)
    return [(each.group, each.name, sorted(_parameters(each)), each.value) for each in found.lines]


def _parameters(line: Line) -> list[tuple[str, tuple[str, ...]]]:
    types = tuple(each for key, values in line.parameters if key == "TYPE" for each in ",".join(values).split(","))
    return [*(pair for pair in line.parameters if pair[0] != "TYPE"), ("TYPE", types)]
