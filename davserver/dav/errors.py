"""What the wire can get wrong."""

from __future__ import annotations


class WireError(Exception):
    """Base of what the parsers of this package raise."""


class BadRequest(WireError):
    """What arrived cannot be understood: 400 with one sentence that says what was found and what would work."""


class TooLarge(WireError):
    """What arrived is larger than the configuration allows: 413."""


class BodyBroken(BadRequest):
    """The body ended before its announced length or its chunks are malformed: 400, and the connection is closed."""


class Unsettled(WireError, ConnectionAbortedError):
    """
    What is asked for changes while it is sent, and when asked again it is there.

    Before the answer has begun it is 503 (RFC 9110 §15.6.4); after that, the connection is closed before the end.
    """


class UrlTooLong(WireError):
    """The request target is longer than the configuration allows: 414."""


class OtherServer(WireError):
    """A Destination or Resource-Tag on another host (RFC 4918 §9.8.5: 502)."""


class RangeNotSatisfiable(WireError):
    """
    No range of a Range header lies within the file (RFC 9110 §15.5.17: 416).

    Attributes:
        size: of the file in bytes, for ``Content-Range: bytes */size``.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes and none of the ranges lies within it")
        self.size = size


class UnsupportedMedia(WireError):
    """A body in a form that is not taken there: 415."""


class Unprocessable(WireError):
    """What arrived is well formed and asks for what is not offered: 422."""


class NotAcceptable(WireError):
    """
    The resource cannot be sent in a form that the Accept header names (RFC 9110 §15.5.7: 406).

    Attributes:
        condition: Clark name of the precondition where one fits, else "".
    """

    def __init__(self, why: str, condition: str = "") -> None:
        super().__init__(why)
        self.condition = condition
