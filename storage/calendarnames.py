"""
What a file says of the calendar that it holds (RFC 7986 §5): its name, description and colour, read into a new
collection and written from one.

Most programs write the older X- properties, some both: the RFC's own come first when read, and both are written. COLOR
is a name of CSS and a collection's colour any there is, so the nearest name goes out, with the colour itself beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from storage.colors import find_color, nearest_name
from storage.contentlines import Line, Malformed, logical_lines, mend, parse_line
from storage.linewriter import fold, text_value

NAME_KEY, DESCRIPTION_KEY, COLOR_KEY = "D:displayname", "C:calendar-description", "ICAL:calendar-color"
READ = {
    # key in .Radicale.props: the properties that give it, the first that stands there wins
    NAME_KEY: ("NAME", "X-WR-CALNAME"),
    DESCRIPTION_KEY: ("DESCRIPTION", "X-WR-CALDESC"),
    COLOR_KEY: ("X-APPLE-CALENDAR-COLOR", "COLOR"),
}
WRITTEN = {NAME_KEY: ("NAME",), DESCRIPTION_KEY: ("DESCRIPTION", "X-WR-CALDESC")}  # X-WR-CALNAME: storage.export
LONGEST = 4_000  # characters; what is longer is no name
FIRST_COMPONENT = re.compile(rb"^BEGIN:(?!VCALENDAR)", re.IGNORECASE | re.MULTILINE)


def read_names(data: bytes) -> dict[str, str]:
    """What the first VCALENDAR of a file says of itself, by key of ``.Radicale.props``."""
    first = FIRST_COMPONENT.search(data)
    found: dict[str, Line] = {}
    try:
        for start, end, content in logical_lines(mend(data[: first.start() if first is not None else len(data)])):
            line = parse_line(content, start, end, longest_head=len(content))
            found.setdefault(line.name, line)
    except Malformed:
        pass  # what stands before it is known; whether the file can be stored is the judge's question
    names = {key: next((found[name] for name in READ[key] if name in found), None) for key in READ}
    texts = {key: line.text.strip() for key, line in names.items() if line is not None}
    if COLOR_KEY in texts:
        texts[COLOR_KEY] = find_color(texts[COLOR_KEY]) or ""
    return {key: text for key, text in texts.items() if text and len(text) <= LONGEST}


def render_names(meta: Mapping[str, str], modified_ns: int) -> bytes:
    """The properties that a file of a collection begins with, beside the older name (see ``storage.export``)."""
    lines = [f"{name}:{text_value(meta[key])}" for key, names in WRITTEN.items() if meta.get(key) for name in names]
    color = find_color(meta.get(COLOR_KEY, ""))
    if color is not None:
        lines += [f"COLOR:{nearest_name(color)}", f"X-APPLE-CALENDAR-COLOR:{color[:7]}"]
    changed = datetime.fromtimestamp(modified_ns // 1_000_000_000, UTC)
    lines.append(f"LAST-MODIFIED:{changed:%Y%m%dT%H%M%SZ}")
    return b"".join(fold(line) for line in lines)
