"""What a request says of its body: that of a PUT is stored as it comes, that of a MKCOL has to be XML."""

from __future__ import annotations

from collections.abc import Mapping

from davserver.dav.errors import BadRequest, UnsupportedMedia

# What programs send where nobody told them a type: the wrong one, or none, is more frequent than a wrong body.
UNMEANT_TYPES = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain"})


def require_whole_and_uncoded(headers: Mapping[str, str]) -> None:
    """
    Nothing where the body of a PUT is what is to be stored.

    Raises:
        BadRequest: it is a part (RFC 9110 §14.5).
        UnsupportedMedia: it is compressed or coded in another way (RFC 9110 §8.4).
    """
    if "content-range" in headers:
        raise BadRequest("a PUT with Content-Range would store a part as the whole; send the whole file")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("the body has a Content-Encoding; send the bytes as they are to be stored")


def require_xml(headers: Mapping[str, str]) -> None:
    """
    Nothing where the body of a MKCOL or MKCALENDAR is said to be XML, or where nothing is said that a program means.

    Raises:
        UnsupportedMedia: it is of another type (RFC 4918 §9.3, RFC 4791 §5.3.1.1).
    """
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in UNMEANT_TYPES and not sent.endswith(("/xml", "+xml")):
        raise UnsupportedMedia(f"the body is {sent[:60]}; it can be application/xml or text/xml")
