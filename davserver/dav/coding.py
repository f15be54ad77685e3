"""Whether a client takes an answer compressed (RFC 9110 §12.5.3)."""

from __future__ import annotations

from functools import lru_cache

GZIP_NAMES = ("gzip", "x-gzip")  # RFC 9110 §8.4.1.3


@lru_cache(maxsize=256)
def accepts_gzip(value: str) -> bool:
    """
    Whether gzip may be sent, and the plain bytes are not liked better.

    Args:
        value: the Accept-Encoding header; "" where there is none, which is taken as a no.
    """
    weights = dict(map(_weight, value.split(",")))
    gzip = next((weights[name] for name in GZIP_NAMES if name in weights), weights.get("*", 0.0))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(part: str) -> tuple[str, float]:
    """A coding and its weight; one that cannot be read is 0, as a client that cannot be understood gets plain bytes."""
    coding, *parameters = part.split(";")
    weight = 1.0
    for parameter in parameters:
        name, _, number = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(number.strip())
            except ValueError:
                weight = 0.0
    return coding.strip().lower(), weight if 0 <= weight <= 1 else 0.0
