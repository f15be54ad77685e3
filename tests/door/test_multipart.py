"""Forms as browsers, curl and others send them: their files, in whatever pieces they arrive."""

from __future__ import annotations

import email.message
import io
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.errors import BadRequest, BodyBroken, TooLarge, UnsupportedMedia
from davserver.dav.multipart import HEAD_BYTES, Part, boundary_of, parse_parts

TYPE = "multipart/form-data; boundary=XX"
Field = tuple[str, str | None, bytes]


@dataclass
class Pieces:
    """A body of which at most so many bytes come at a time."""

    data: io.BytesIO
    most: int

    def read(self, size: int, /) -> bytes:
        return self.data.read(min(size, self.most))


def fields(body: bytes, *, content_type: str = TYPE, pieces: int = 1 << 20, size: int = 1 << 18) -> list[Field]:
    parts = parse_parts(content_type, Pieces(io.BytesIO(body), pieces), most=10)
    return [(part.name, part.filename, whole(part, size)) for part in parts]


def whole(part: Part, size: int) -> bytes:
    return b"".join(iter(lambda: part.read(size), b""))


def part(disposition: str | bytes, content: bytes = b"data", more: bytes = b"") -> bytes:
    value = disposition.encode() if isinstance(disposition, str) else disposition
    return b"--XX\r\nContent-Disposition: form-data; " + value + b"\r\n" + more + b"\r\n" + content + b"\r\n"


FORM = (
    b"This is the preamble.\r\n"
    + part('name="note"', b"For the\r\nboard")
    + part('name="file"; filename="a.txt"', b"\r\n--X\r\n-XX\r\n", b"Content-Type: text/plain\r\n")
    + part('name="file"; filename="empty"', b"")
    + b"--XX--\r\nThis is the epilogue."
)
READ = [("note", None, b"For the\r\nboard"), ("file", "a.txt", b"\r\n--X\r\n-XX\r\n"), ("file", "empty", b"")]


@pytest.mark.rfc("7578", "4.1")
@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 64, 1 << 20])
def test_a_form_is_read_in_whatever_pieces_it_arrives(pieces: int) -> None:
    assert fields(FORM, pieces=pieces) == READ
    assert fields(FORM, size=pieces) == READ


@pytest.mark.rfc("7578", "4.2")
@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ('filename="Fête.pdf"', "Fête.pdf"),
        (b'filename="F\xeate.pdf"', "Fête.pdf"),
        ("filename=plain.txt", "plain.txt"),
        (r'filename="say \"hi\".txt"', 'say "hi".txt'),
        ('filename="say %22hi%22.txt"', 'say "hi".txt'),
        ('filename="100%.txt"', "100%.txt"),
        (r'filename="C:\Users\ada\plan.txt"', "plan.txt"),
        (r'filename="\\server\share\plan.txt"', "plan.txt"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="folder/"', ""),
        ('filename=""', ""),
        ("filename*=UTF-8''F%C3%AAte%20%22.pdf", 'Fête ".pdf'),
        ("filename=\"other.pdf\"; filename*=utf-8'fr'F%C3%AAte.pdf", "Fête.pdf"),
        ("filename*=UTF-8''..%2F..%2Fpasswd", "passwd"),
        ('filename="semi; filename=colon.txt"', "semi; filename=colon.txt"),
        ("x=y", None),
    ],
)
def test_the_name_of_a_file_is_its_last_segment(parameters: str | bytes, name: str | None) -> None:
    value = parameters.encode() if isinstance(parameters, str) else parameters
    assert fields(part(b'name="f"; ' + value) + b"--XX--") == [("f", name, b"data")]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", BodyBroken),
        (b"--XX", BodyBroken),
        (b"--XX\r\n", BodyBroken),
        (b"no boundary at all", BodyBroken),
        (part('name="f"'), BodyBroken),
        (part('name="f"')[:-9], BodyBroken),
        (part('name="f"') + b"--XXY\r\n", BadRequest),
        (b"--XX\r\n\r\ndata\r\n--XX--", BadRequest),
        (b"--XX\r\nContent-Disposition: attachment; name=f\r\n\r\ndata\r\n--XX--", BadRequest),
        (b"--XX\r\nno colon\r\n\r\ndata\r\n--XX--", BadRequest),
        (b"--XX\r\nContent-Disposition: form-data\r\n--XX--\r\n\r\n", BadRequest),
        (b"--XX\r\nX: " + b"x" * HEAD_BYTES * 40, BadRequest),
        (part("filename*=UTF-8''%FF") + b"--XX--", BadRequest),
        (part("name=f", b"data", b"Content-Transfer-Encoding: base64\r\n") + b"--XX--", UnsupportedMedia),
        (part("name=f") * 11 + b"--XX--", TooLarge),
    ],
)
def test_a_broken_form_is_refused(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        fields(body)


@pytest.mark.rfc("2046", "5.1.1")
@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=XX", b"XX"),
        ('Multipart/Form-Data; charset=utf-8; BOUNDARY="a b?"', b"a b?"),
        (
            "multipart/form-data;boundary=----WebKitFormBoundaryzuW5nPZQFQCwQtg4",
            b"----WebKitFormBoundaryzuW5nPZQFQCwQtg4",
        ),
    ],
)
def test_the_boundary_is_a_parameter_of_the_type(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        (None, UnsupportedMedia),
        ("application/x-www-form-urlencoded", UnsupportedMedia),
        ("multipart/mixed; boundary=XX", UnsupportedMedia),
        ("multipart/form-data", BadRequest),
        ("multipart/form-data; boundary=", BadRequest),
        ('multipart/form-data; boundary="ends with a blank "', BadRequest),
        ("multipart/form-data; boundary=" + "x" * 71, BadRequest),
        ("multipart/form-data; boundary=é", BadRequest),
    ],
)
def test_a_type_without_a_usable_boundary_is_refused(content_type: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        boundary_of(content_type)


def test_a_part_that_was_not_read_is_passed_over() -> None:
    assert [part.name for part in parse_parts(TYPE, io.BytesIO(FORM), most=3)] == ["note", "file", "file"]


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_content_that_lacks_the_boundary_comes_through(content: bytes, pieces: int) -> None:
    expected = content if b"\r\n--XX" not in b"\r\n" + content else b"data"
    form = part('name="f"; filename="f"', expected) + b"--XX--\r\n"
    assert fields(form, pieces=pieces) == [("f", "f", expected)]


@given(
    st.lists(st.sampled_from([b"--XX", b"--", b"\r\n", b"\r", b"X", b"Content-Disposition: form-data; name=f", b":"]))
)
def test_whatever_comes_is_a_form_or_a_bad_request(pieces: list[bytes]) -> None:
    with suppress(BadRequest, TooLarge, UnsupportedMedia):
        assert all(isinstance(name, str) for name, _, _ in fields(b"".join(pieces)))


def test_names_are_read_as_the_standard_library_writes_them() -> None:
    message = email.message.Message()
    message.add_header("Content-Disposition", "form-data", name="f", filename='plan; of "1".txt')
    line = str(message["content-disposition"]).removeprefix("form-data; ")
    assert fields(part(line) + b"--XX--") == [("f", 'plan; of "1".txt', b"data")]
