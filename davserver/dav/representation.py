"""What a PUT says of its body: it is stored as it comes, so it has to be the whole resource, uncoded."""

from __future__ import annotations

from collections.abc import Mapping

from davserver.dav.errors import BadRequest, UnsupportedMedia


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
