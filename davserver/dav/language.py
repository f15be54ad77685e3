"""The language of texts for people, by what a client says it reads (RFC 9110 §12.5.4)."""

from __future__ import annotations

from collections.abc import Collection


def choose_language(value: str | None, offered: Collection[str], default: str) -> str:
    """
    The one of ``offered`` (primary subtags such as ``de``) that an Accept-Language header likes best.

    A range is looked up by its first subtag: ``de-CH`` finds ``de`` (RFC 4647 §3.4). What cannot be read counts as not
    said; a header must not keep anybody from an answer.
    """
    liked: dict[str, float] = {}
    for part in (value or "").split(","):
        subtag, weight = _range_of(part)
        if subtag in offered:
            liked[subtag] = max(weight, liked.get(subtag, 0.0))
    best = max(liked, key=lambda subtag: liked[subtag], default=default)
    return best if liked.get(best, 0.0) > 0 else default


def _range_of(part: str) -> tuple[str, float]:
    """``de-CH;q=0.8`` as ("de", 0.8)."""
    tag, _, parameter = part.partition(";")
    name, _, number = parameter.partition("=")
    try:
        weight = float(number) if name.strip().lower() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return tag.strip().lower().partition("-")[0], weight if 0 <= weight <= 1 else 0.0
