"""
The text of an object and its calendar object: what of one stands where in the other.

A property is mapped to a key of the front matter, or kept as it came under ``ical``; what is nested (alarms, overrides
of occurrences) under ``ical-parts``. What belongs to the server (stamps, PRODID) is read by nobody and rendered afresh.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from storage.attachments import Inline, find_inline
from storage.contentlines import Component, Line, escape, logical_lines
from storage.frontmatter import Value
from storage.itemtext import PRODUCT, render_lines
from storage.linewriter import Parameters, encode_carets, text_value, unfolded
from storage.objectmoments import line_of, said_by, stamp
from storage.zonereferences import with_named_zones
from storage.zones import Zones, system_zone

_NUMBER = re.compile(r"-?[0-9]{1,15}", re.ASCII)
SERVERS = frozenset({"DTSTAMP", "LAST-MODIFIED", "PRODID", "UID", "SEQUENCE", "SUMMARY", "DESCRIPTION", "X-STATUS"})
STICKY = frozenset(
    {
        *("LINK", "CONCEPT", "REFID", "STRUCTURED-DATA", "IMAGE", "CONFERENCE", "STYLED-DESCRIPTION"),
        *("PARTICIPANT", "VLOCATION", "VRESOURCE"),
    }
)
RECURRING = ("RRULE", "RDATE", "EXDATE")
ONLY_COMMENT_OF = "tasks.org"  # it sends the last COMMENT alone


def _text(line: Line, zones: Zones) -> str | None:
    return line.text or None


def _raw(line: Line, zones: Zones) -> str | None:
    return line.value.strip() or None


def _number(line: Line, zones: Zones) -> str | None:
    found = _NUMBER.fullmatch(line.value.strip())
    return None if found is None or (int(found[0]) == 0 and line.name != "X-APPLE-SORT-ORDER") else found[0]


def _line_of_text(name: str, said: str) -> str | None:
    return f"{name}:{text_value(said)}"


def _line_of_number(name: str, said: str) -> str | None:
    return f"{name}:{said}" if _NUMBER.fullmatch(said) else None


def _line_of_raw(name: str, said: str) -> str | None:
    return f"{name}:{said}" if "\n" not in said and "\r" not in said else None


Reader = Callable[[Line, Zones], str | None]
Writer = Callable[[str, str], str | None]
MOMENT: tuple[Reader, Writer] = (said_by, line_of)
TEXT: tuple[Reader, Writer] = (_text, _line_of_text)
RAW: tuple[Reader, Writer] = (_raw, _line_of_raw)
NUMBER: tuple[Reader, Writer] = (_number, _line_of_number)


@dataclass(frozen=True, slots=True)
class Kind:
    """
    What a kind of object is as a calendar object.

    Attributes:
        component: VTODO or VJOURNAL.
        mapped: property to the key that has it, in the order in which they are rendered.
    """

    component: str
    mapped: Mapping[str, tuple[str, tuple[Reader, Writer]]]
    recurs: bool = False


TASK = Kind(
    "VTODO",
    {
        "CREATED": ("created", MOMENT),
        "DTSTART": ("start", MOMENT),
        "DUE": ("due", MOMENT),
        "COMPLETED": ("completed", MOMENT),
        "PRIORITY": ("priority", NUMBER),
        "PERCENT-COMPLETE": ("progress", NUMBER),
        "STATUS": ("status", RAW),
        "X-APPLE-SORT-ORDER": ("order", NUMBER),
        "LOCATION": ("location", TEXT),
        "GEO": ("geo", RAW),
        "URL": ("url", RAW),
        "COLOR": ("color", RAW),
        "CLASS": ("class", RAW),
    },
    recurs=True,
)
NOTE = Kind("VJOURNAL", {"CREATED": ("created", MOMENT), "DTSTART": ("date", MOMENT), "STATUS": ("status", RAW)})


@dataclass(frozen=True, slots=True)
class Content:
    """
    What a calendar object says, in the terms of front matter.

    Attributes:
        values: by key; those of ``ical`` and ``ical-parts`` too.
        categories: in their order.
        parent: the UID of the object above it (RELATED-TO;RELTYPE=PARENT).
        depends: UIDs of those that it waits for (RFC 9253).
        people: name and mail address of those who are assigned, where they are to be attendees.
        inline: files that it holds; attached: of those beside it, parameters and value of an ATTACH.
    """

    uid: str = ""
    title: str = ""
    text: str = ""
    categories: tuple[str, ...] = ()
    xstatus: str | None = None
    sequence: int = 0
    parent: str | None = None
    depends: tuple[str, ...] = ()
    inline: tuple[Inline, ...] = ()
    attached: tuple[tuple[Parameters, str], ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)


def read_content(
    kind: Kind, data: bytes, calendar: Component, own_url: str, ignored: frozenset[str] = frozenset()
) -> Content:
    """
    What a calendar object of this kind says.

    Args:
        calendar: what the judge found in ``data``.
        own_url: how the URLs of files begin that the server itself attaches; "" where it does not.
        ignored: properties that are the server's own here.

    Raises:
        ItemRefused: a file within it cannot be read.
    """
    zones = Zones(data, calendar)
    components = [child for child in calendar.children if child.name == kind.component]
    master = next((child for child in components if child.find("RECURRENCE-ID") is None), components[0])
    values: dict[str, Value] = {}
    others: list[str] = []
    categories, depends = list[str](), list[str]()
    parent = None
    recurring, inline = list[str](), list[Inline]()
    for line in master.lines:
        raw = _unfolded(data, line)
        if line.name in kind.mapped and kind.mapped[line.name][0] not in values:
            key, (read, _) = kind.mapped[line.name]
            said = read(line, zones)
            if said is not None:
                values[key] = said
        elif line.name == "CATEGORIES":
            categories += _listed(line.value)
        elif line.name == "RELATED-TO":
            related = (line.parameter("RELTYPE") or "PARENT").upper()
            if related == "PARENT":
                parent = line.text.strip() or parent
            elif related == "DEPENDS-ON":
                depends.append(line.text.strip())
        elif kind.recurs and line.name in RECURRING:
            recurring.append(line.value if line.name == "RRULE" and not line.parameters else raw)
        elif line.name == "ATTACH" and (file := find_inline(line)) is not None:
            inline.append(file)
        elif line.name == "ATTACH" and own_url and line.value.startswith(own_url):
            pass  # what the server has said itself
        elif line.name not in SERVERS and line.name not in ignored and line.name not in kind.mapped:
            others.append(raw)
    if recurring:
        values["rrule"] = recurring[0] if len(recurring) == 1 else tuple(recurring)
    parts = [
        line
        for child in (*_own_zones(calendar), *master.children, *(each for each in components if each is not master))
        for line in _lines_of(data, child)
    ]
    for key, lines in (("ical", others), ("ical-parts", parts)):
        if lines:
            values[key] = tuple(lines)
    xstatus, sequence = master.find("X-STATUS"), master.find("SEQUENCE")
    return Content(
        _text_of(master, "UID"),
        _text_of(master, "SUMMARY"),
        _text_of(master, "DESCRIPTION").rstrip("\n"),
        tuple(dict.fromkeys(categories)),
        None if xstatus is None else xstatus.text.strip(),
        int(sequence.value) if sequence is not None and _NUMBER.fullmatch(sequence.value) else 0,
        parent,
        tuple(depends),
        tuple(inline),
        values=values,
    )


def render_content(kind: Kind, content: Content, modified_ns: int) -> bytes:
    """The calendar object: always the same bytes of the same content (RFC 5545 §3.4)."""
    values = content.values
    lines = [f"UID:{text_value(content.uid)}", f"DTSTAMP:{stamp(modified_ns)}", f"LAST-MODIFIED:{stamp(modified_ns)}"]
    lines += [f"SEQUENCE:{content.sequence}"] if content.sequence else []
    lines += [f"SUMMARY:{text_value(content.title)}"] if content.title else []
    lines += [f"DESCRIPTION:{text_value(content.text)}"] if content.text else []
    for name, (key, (_, write)) in kind.mapped.items():
        said = values.get(key)
        line = write(name, said) if isinstance(said, str) and said else None
        lines += [] if line is None else [line]
    if content.xstatus:
        lines.append(f"X-STATUS:{text_value(content.xstatus)}")
    if content.categories:
        lines.append(f"CATEGORIES:{','.join(escape(_plain(category)) for category in content.categories)}")
    if content.parent:
        lines.append(f"RELATED-TO;RELTYPE=PARENT:{text_value(content.parent)}")
    if kind.recurs:
        recurring = (line if _names(line) else f"RRULE:{line}" for line in _as_lines(values.get("rrule")))
        lines += [line for line in recurring if _names(line) in RECURRING]
    lines += [line for line in _as_lines(values.get("ical")) if not _clashes(kind, line, values)]
    for name, mail in content.people:
        about = (("CN", (encode_carets(name),)), ("PARTSTAT", ("ACCEPTED",)), ("SCHEDULE-AGENT", ("NONE",)))
        lines.append(unfolded("ATTENDEE", about, f"mailto:{mail}"))
    for parameters, value in content.attached:
        lines.append(unfolded("ATTACH", parameters, value))
    parts = list(_components(_as_lines(values.get("ical-parts"))))
    outside = [part for part in parts if part[0] in (f"BEGIN:{kind.component}", "BEGIN:VTIMEZONE")]
    inside = [part for part in parts if part not in outside]
    outside = [part for part in outside if part[0] == "BEGIN:VTIMEZONE" or any(map(_is_override, part))]
    body = render_lines(
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        *(line for part in outside if part[0] == "BEGIN:VTIMEZONE" for line in part),
        f"BEGIN:{kind.component}",
        *lines,
        *(line for part in inside for line in part),
        f"END:{kind.component}",
        *(line for part in outside if part[0] != "BEGIN:VTIMEZONE" for line in _occurrence(part, content.uid)),
        "END:VCALENDAR",
    )
    return with_named_zones(body)


def kept_lines(before: Value | None, after: Value | None, agent: str) -> tuple[str, ...]:
    """
    What is kept under ``ical`` when a client stores an object: what it sent, and what clients lose without meaning to.

    Args:
        before: what it was served.
        agent: its PRODID.
    """
    sent = _as_lines(after)
    sticky = STICKY | ({"COMMENT"} if ONLY_COMMENT_OF in agent.lower() else set())
    lost = [line for line in _as_lines(before) if line not in sent and _names(line) in sticky]
    return (*sent, *lost)


def _text_of(component: Component, name: str) -> str:
    line = component.find(name)
    return "" if line is None else line.text.strip("\n") if name == "DESCRIPTION" else line.text.strip()


def _listed(value: str) -> Iterator[str]:
    r"""The values of CATEGORIES: separated by commas that no backslash stands before."""
    for piece in re.findall(r"(?:[^\\,]|\\.)+", value):
        name = re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], piece).strip()
        if name:
            yield name


def _plain(text: str) -> str:
    return " ".join(text.split())


def _as_lines(value: Value | None) -> tuple[str, ...]:
    lines = () if not value else (value,) if isinstance(value, str) else value
    return tuple(line for line in lines if "\n" not in line and "\r" not in line)


def _names(line: str) -> str:
    """The name of the property that a raw line is; "" where it is none."""
    match = re.match(r"([A-Za-z0-9-]+)[;:]", line)
    return match[1].upper() if match else ""


def _is_override(line: str) -> bool:
    return _names(line) == "RECURRENCE-ID"


def _occurrence(part: Sequence[str], uid: str) -> Iterator[str]:
    """A changed occurrence, which has the UID of its object (RFC 5545 §3.8.4.7): a copy of a file is another object."""
    own = f"UID:{text_value(uid)}"
    yield part[0]
    if not any(_names(line) == "UID" for line in part):
        yield own
    depth = 0
    for line in part[1:]:
        depth += {"BEGIN": 1, "END": -1}.get(_names(line), 0)
        yield own if depth == 0 and _names(line) == "UID" else line


def _clashes(kind: Kind, line: str, values: Mapping[str, Value]) -> bool:
    """Whether a kept line cannot stand beside what is mapped, or is the server's."""
    name = _names(line)
    if name in kind.mapped and kind.mapped[name][0] in values:
        return True
    return not name or name in SERVERS or name in ("BEGIN", "END", "METHOD") or (name == "DURATION" and "due" in values)


def _components(lines: Sequence[str]) -> Iterator[list[str]]:
    """The components that stand one after another in raw lines; what is no whole component is left out."""
    part: list[str] = []
    open_names: list[str] = []
    for line in lines:
        name, value = _names(line), line.partition(":")[2].strip().upper()
        if name == "BEGIN":
            open_names.append(value)
        if open_names:
            part.append(line)
        if name == "END" and open_names:
            if open_names.pop() != value:
                return
            if not open_names:
                yield part
                part = []


def _own_zones(calendar: Component) -> Iterable[Component]:
    """The VTIMEZONEs that only the object has."""
    for child in calendar.children:
        name = child.find("TZID")
        if child.name == "VTIMEZONE" and name is not None and system_zone(name.value.strip()) is None:
            yield child


def _lines_of(data: bytes, component: Component) -> Iterator[str]:
    for _, _, content in logical_lines(data[component.start : component.end]):
        yield content.decode()


def _unfolded(data: bytes, line: Line) -> str:
    return next(content.decode() for _, _, content in logical_lines(data[line.start : line.end]))
