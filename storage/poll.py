"""
``poll.toml``: what is to be decided, who votes, and until when.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from auth.tables import Table, listed
from storage.form import read_id, read_public
from storage.objectnames import POLL_FILE
from storage.polltemplate import TEMPLATES
from storage.settingsfile import read_settings, require_sound
from storage.zones import system_zone

MOST_OPTIONS = 100
DATES, TEXTS = "date", "text"
KINDS = (DATES, TEXTS)
ALWAYS, CLOSED, NEVER = "always", "closed", "never"
RESULTS = (ALWAYS, CLOSED, NEVER)
OPTION_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
QUOTED = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?(?: ([A-Za-z0-9_+/-]{1,64}))?", re.ASCII)
OPTION_PREFIX, PAGE_FIELDS = "opt.", ("name", "code")  # what a page sends
YEARS = range(1900, 9000)  # of times that can be reckoned with
SOON = "it can be a year from 1900 to 8999"
EXAMPLE = '"2026-12-12T18:00:00 Europe/Paris", or a date or time without quotes'


@dataclass(frozen=True, slots=True)
class Option:
    """
    One thing to vote for.

    Attributes:
        start, end: of a date: whole days, or times: in UTC, or without offset as the clock shows it in ``zone``, or
            where there is no zone wherever somebody is. The end of whole days is the first day that is none.
    """

    id: str
    label: str = ""
    start: date | datetime | None = None
    end: date | datetime | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """
    What ``poll.toml`` says.

    Attributes:
        id: written into it by the server, "" where it is not there.
        voters: groups and members; nobody where there are none: strangers vote through a link.
        maybe: an option can be answered with maybe too.
        results: when others see who voted for what.
        anonymous: no vote says whose it is.
        per_option: how many may say yes to one, per_voter: to how many one may say yes; 0 is any number.
        propose: voters propose options.
        decided: the option that it is.
        calendar: where that is written.
    """

    id: str = ""
    title: str = ""
    description: str = ""
    kind: str = TEXTS
    closes: datetime | None = None
    voters: tuple[str, ...] = ()
    maybe: bool = True
    results: str = NEVER
    anonymous: bool = False
    per_option: int = 0
    per_voter: int = 0
    propose: bool = False
    decided: str = ""
    calendar: str = ""
    links_reset: int = 0
    public: tuple[str, ...] = ()
    honeypot: str = ""
    options: tuple[Option, ...] = ()

    def option(self, id: str) -> Option | None:
        """The option of an id."""
        return next((option for option in self.options if option.id == id), None)


def parse_poll(data: bytes) -> Poll:
    """
    Read a ``poll.toml``.

    Raises:
        FileRefused: what is wrong with it, each with its line.
    """
    file = read_settings(data, POLL_FILE)
    poll = _read(file.root)
    require_sound(file)
    return poll


def parse_options(data: bytes, name: str) -> tuple[Option, ...]:
    """The options of a file of proposals, by the same grammar. Raises FileRefused."""
    file = read_settings(data, name)
    file.root.only(("option",))
    options = _read_options(file.root, None)
    require_sound(file)
    return options


def render_new(id: str, language: str) -> bytes:
    """The ``poll.toml`` of a new poll: an example to start from, with what there is in comments."""
    return TEMPLATES[language].replace("{id}", id).encode()


def _read(root: Table) -> Poll:
    root.only(
        (
            *("id", "title", "description", "kind", "closes", "voters", "maybe", "results", "anonymous", "per_option"),
            *("per_voter", "propose", "decided", "calendar", "links_reset", "public", "honeypot", "option"),
        )
    )
    kind = _one_of(root, "kind", KINDS)
    options = _read_options(root, kind)
    decided = root.text("decided", empty=True) or ""
    if decided and decided not in [option.id for option in options]:
        root.report("decided", f"decided is {decided[:40]!r}, which is no option", "it can be the id of an option")
    maybe = root.flag("maybe")
    return Poll(
        id=read_id(root),
        title=root.text("title") or "",
        description=root.text("description") or "",
        kind=kind,
        closes=_closes(root),
        voters=root.texts("voters", single=True) or (),
        maybe=True if maybe is None else maybe,
        results=_one_of(root, "results", RESULTS),
        anonymous=bool(root.flag("anonymous")),
        per_option=root.number("per_option", least=0) or 0,
        per_voter=root.number("per_voter", least=0) or 0,
        propose=bool(root.flag("propose")),
        decided=decided,
        calendar=_calendar(root),
        links_reset=root.number("links_reset", least=0) or 0,
        public=read_public(root),
        honeypot=_honeypot(root),
        options=options,
    )


def _one_of(root: Table, key: str, words: tuple[str, ...]) -> str:
    word = root.text(key) or words[0]
    if word not in words:
        root.report(key, f"{key} is {word[:20]!r}", f"it can be {listed(words)}")
        return words[0]
    return word


def _read_options(root: Table, kind: str | None) -> tuple[Option, ...]:
    tables = list(root.each("option"))
    if len(tables) > MOST_OPTIONS:
        root.report("option", f"{len(tables)} options", f"a poll can have {MOST_OPTIONS}")
        return ()
    options, taken = list[Option](), set[str]()
    for table in tables:
        option = _read_option(table, kind)
        if option.id in taken:
            table.report("id", f"the id {option.id!r} stands there twice", "each option has an id of its own")
        taken.add(option.id)
        options.append(option)
    return tuple(options)


def _read_option(table: Table, kind: str | None) -> Option:
    table.only(("id", "label", "start", "end"))
    id, label = table.text("id") or "", table.text("label") or ""
    if not OPTION_ID.fullmatch(id):
        said = f"id is {id[:40]!r}" if id else "an option without id"
        table.report("id" if id else None, said, 'it can be of letters, digits, - and _, such as "a"')
    start, zone = _moment(table, "start")
    end, end_zone = _moment(table, "end")
    if kind == DATES and start is None and "start" not in table:
        table.report(None, "an option without start", f"write start = {EXAMPLE}")
    if kind != DATES and not label and start is None:
        table.report(None, "an option without label", 'write label = "Pizza"')
    if start is None:
        return Option(id, label)
    if end is not None and (type(end) is not type(start) or end_zone != zone):
        table.report("end", "end is of another kind than start", "write both as dates, or both as times of one zone")
        end = None
    if end is not None and (end < start or (end == start and isinstance(start, datetime))):
        said = "end is before start" if end < start else "end is not after start"
        table.report("end", said, "write the later one here")
        end = None
    if end is None:
        end = start + (timedelta(hours=1) if isinstance(start, datetime) else timedelta(days=1))
    elif not isinstance(end, datetime):
        end += timedelta(days=1)  # the last day is meant
    return Option(id, label, start, end, zone)


def _calendar(root: Table) -> str:
    name = root.text("calendar", empty=True) or ""
    if not name.isprintable() or name.strip("/").count("/") > 1:
        said = 'it can be a calendar of the owner, or somebody else\'s: "calendar", "board/calendar"'
        root.report("calendar", f"calendar is {name[:60]!r}", said)
        return ""
    return name


def _honeypot(root: Table) -> str:
    name = root.text("honeypot", empty=True) or ""
    if name in PAGE_FIELDS or name.startswith(OPTION_PREFIX):
        said = 'it can be a name that no field of the page has, such as "website"'
        root.report("honeypot", f"honeypot is {name[:40]!r}", said)
        return ""
    return name


def _closes(root: Table) -> datetime | None:
    closes = root.instant("closes")
    if closes is not None and closes.year not in YEARS:
        root.report("closes", f"closes is in the year {closes.year}", SOON)
        return None
    return closes


def _moment(table: Table, key: str) -> tuple[date | datetime | None, str | None]:
    """A date, or a time with its zone: "UTC" where an offset says which instant it is, None where it has none."""
    value = table.value(key)
    if value is None:
        return None, None
    if isinstance(value, date) and value.year not in YEARS:
        table.report(key, f"{key} is in the year {value.year}", SOON)
        return None, None
    if isinstance(value, datetime):
        value = value.replace(microsecond=0)
        return (value, None) if value.tzinfo is None else (value.astimezone(UTC).replace(tzinfo=None), "UTC")
    if isinstance(value, date):
        return value, None
    match = QUOTED.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        moment = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}")
    except ValueError:
        table.report(key, f"{key} is {str(value)[:40]!r}", f"it can be {EXAMPLE}")
        return None, None
    if moment.year not in YEARS:
        table.report(key, f"{key} is in the year {moment.year}", SOON)
        return None, None
    zone = match[3]
    if match[2] is None and zone is None:
        return moment.date(), None
    if zone is not None and zone not in ("UTC", "Z") and system_zone(zone) is None:
        table.report(key, f"the time zone {zone[:40]!r} is not known", 'it can be a name such as "Europe/Paris"')
        return None, None
    return moment, "UTC" if zone == "Z" else zone
