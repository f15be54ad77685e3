"""What the wire can get wrong."""

from __future__ import annotations


class WireError(Exception):
    """Base of what the parsers of this package raise."""


class BadRequest(WireError):
    """What arrived cannot be understood: 400 with one sentence that says what was found and what would work."""


class TooLarge(WireError):
    """What arrived is larger than the configuration allows: 413."""
