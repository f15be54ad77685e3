"""
Attachments of cards and notes: files in the folder ``<name>.files`` beside the object's own.

What a program sends within an object (jtx Board does) becomes such a file; of each the object says where it is.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from storage import paths
from storage.contentlines import Line
from storage.errors import ItemRefused
from storage.fileterms import Terms, Upload
from storage.linewriter import Parameters, encode_carets
from storage.objectnames import ATTACHED, file_stem, stem_of
from storage.portable import made_safe

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store

MOST_BYTES = 10 << 20  # of a request with what is attached in it
PLAIN = "application/octet-stream"
_INLINE = re.compile(r"base64", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inline:
    """A file within an object."""

    name: str
    data: bytes


def find_inline(line: Line) -> Inline | None:
    """The file that an ATTACH holds (RFC 5545 §3.8.1.1), None where it only says where one is. Raises ItemRefused."""
    if not _INLINE.fullmatch(line.parameter("ENCODING") or ""):
        return None
    try:
        data = base64.b64decode(re.sub(r"\s", "", line.value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ItemRefused("valid-calendar-data", f"ATTACH: {error}") from error
    wish = line.parameter("FILENAME") or line.parameter("X-FILENAME") or line.parameter("X-LABEL") or ""
    name = made_safe(wish.rpartition("/")[2]) if wish else "attachment"
    if "." not in name:
        name += mimetypes.guess_extension(line.parameter("FMTTYPE") or PLAIN) or ""
    name = file_stem(stem_of(name)) + name[len(stem_of(name)) :]
    return Inline(f"_{name}" if paths.names_rules(name) else name, data)


def own_url(store: Store) -> str:
    """How the URLs of the server's files begin, "" where the settings do not say how members reach it."""
    public_url = store.settings.server.public_url.rstrip("/")
    return f"{public_url}{paths.FILES}/" if public_url else ""


def attached_lines(store: Store, folder: Folder, name: str) -> Iterator[tuple[Parameters, str]]:
    """Parameters and value of an ATTACH for each file that is attached to an object, by name."""
    start = own_url(store)
    attached = store.find_folder(f"{folder.place}/{stem_of(name)}{ATTACHED}") if start else None
    if attached is None or store.rulebook.has_rules(attached):
        return
    for member in store.members(attached):
        if paths.is_kept_apart(member.name) or paths.names_rules(member.name):
            continue
        kind = mimetypes.guess_type(member.name)[0] or PLAIN
        url = start + quote(f"{attached.path}/{member.name}"[len(paths.FILES) + 1 :])
        yield (("FMTTYPE", (kind,)), ("FILENAME", (encode_carets(member.name),))), url


def store_inline(session: Session, path: str, files: Iterable[Inline]) -> None:
    """Put files beside an object; one that is there already, byte for byte under its name, is not stored twice."""
    folder = paths.join(paths.parent_of(path), stem_of(paths.name_of(path)) + ATTACHED)
    for file in files:
        if session.files.tree.find(folder) is None:
            session.files.make_folder(folder, Terms())
        place = session.store.find_folder(paths.place_of(folder) or "")
        present = None if place is None else session.store.find_member(place, file.name)
        is_same_size = place is not None and present is not None and present.size == len(file.data)
        if is_same_size and place is not None and session.store.read_member(place, file.name)[0] == file.data:
            continue
        session.files.add(folder, file.name, Upload(_Bytes(file.data), len(file.data)), Terms())


class _Bytes:
    """A body that is at hand."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        data, self._data = self._data[:size], self._data[size:]
        return data
