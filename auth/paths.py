"""The folder that a rule of the server's file names: a canonical path, as the shelves use it."""

from __future__ import annotations

import unicodedata

_TREES = ("/files", "/dav")
_HOME = "/files/Home"
_COLLECTIONS = "/files/Collections/"


def tidy_path(path: str) -> str:
    """NFC and without slash at the end: one folder has one path."""
    return unicodedata.normalize("NFC", path).rstrip("/") or "/"


def path_fault(path: str) -> tuple[str, str] | None:
    """Why a rule cannot be for ``path``: what was found and what would work; None where it can."""
    tidy = tidy_path(path)
    segments = tidy.split("/")[1:]
    if not path.startswith("/"):
        return f"the path {path!r} does not begin with '/'", f'it can be "/files/{path.strip("/")}"'
    if tidy == "/":
        return None
    if any(segment in ("", ".", "..") for segment in segments) or not tidy.isprintable():
        return f"the path {path!r} has an empty, '.' or '..' segment or a control character", "write the plain path"
    if f"/{segments[0]}" not in _TREES:
        return f"the path {path!r} is neither under /files nor /dav", f'it can be "/files{tidy}"'
    if _is_within(tidy, _HOME):
        return f"{_HOME} is another folder for each member", f"it can be /files/Members/<name>{tidy[len(_HOME) :]}"
    if tidy.startswith(_COLLECTIONS):
        collection = tidy[len(_COLLECTIONS) :]
        return f"{path!r} stands for a calendar or book", f'it can be "/dav/{collection}"'
    return None


def _is_within(path: str, ancestor: str) -> bool:
    return path == ancestor or path.startswith(ancestor + "/")
