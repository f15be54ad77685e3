"""Names that links of folders know: pages, and what no link ever shows or takes."""

from __future__ import annotations

import unicodedata

from storage.objectnames import FORMS, POLLS
from storage.paths import LINKS_FILE

INDEX, THANKS, CLOSED = "index.html", "thanks.html", "closed.html"
PAGES = frozenset({INDEX, THANKS, CLOSED})
NEVER = frozenset({LINKS_FILE, "my-link.txt"})


def is_never_shown(name: str) -> bool:
    """Whether no link shows or takes a name: rules and settings, tokens, what editors keep of them, and dot names."""
    folded = unicodedata.normalize("NFKC", name).casefold().strip("~#")
    return folded.startswith(".") or folded.endswith(".toml") or folded in NEVER


def is_closed(path: str) -> bool:
    """Whether a path is that of a form or poll, or lies in one: links of folders above or below show nothing of it."""
    return path.startswith((f"{FORMS}/", f"{POLLS}/"))
