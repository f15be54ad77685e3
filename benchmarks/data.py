"""
Events, tasks and contacts as clients write them.

An item depends on nothing but (seed, index, revision), so two runs, two servers and two machines get the same bytes.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

FIRST_DAY = date(2025, 1, 1)
DAYS = 3 * 365  # events begin on one of these
WEEK = ("20260511T000000Z", "20260518T000000Z")  # in the middle of them, asked for by the queries
MONTH = ("20260501T000000Z", "20260601T000000Z")

_STAMP = "DTSTAMP:20250101T000000Z"
_BERLIN = """\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE"""
_NEW_YORK = """\
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
END:VTIMEZONE"""
_KOLKATA = """\
BEGIN:VTIMEZONE
TZID:Asia/Kolkata
BEGIN:STANDARD
DTSTART:19451015T000000
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
END:STANDARD
END:VTIMEZONE"""
_ZONES = {
    "Europe/Berlin": _BERLIN.splitlines(),
    "America/New_York": _NEW_YORK.splitlines(),
    "Asia/Kolkata": _KOLKATA.splitlines(),
    "": [],  # UTC
}
_ZONE_WEIGHTS = (60, 15, 10, 15)
_TOPICS = (
    "assembly autumn board budget choir class committee concert courtyard election evening excursion exhibition "
    "festival football garden hall hiking insurance juniors kitchen lecture library meeting member minutes museum "
    "newsletter orchestra practice rehearsal rent repair seniors spring summer swimming tax tournament training "
    "treasurer trip van volunteers vote winter workshop"
)
_GIVEN_NAMES = "Ada Bruno Chloé Dmitri Elena Finn Giulia Håkon Inês Jürgen Katja Luc Małgorzata Nils Oya Pablo Réka"
_FAMILY_NAMES = "Andersen Bauer Costa Demir Eder Fournier Grønvold Haas Ito Jansen Köhler Lund Müller Nowak Okafor"
_WORDS, _GIVEN, _FAMILY = (text.split() for text in (_TOPICS, _GIVEN_NAMES, _FAMILY_NAMES))


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One kind of item.

    Attributes:
        make: (index, seed, revision) to the bytes of a file.
        largest: sizes above this are not measured; associations have fewer tasks and contacts than events.
        props: what Radicale's file ``.Radicale.props`` says of a collection of these.
    """

    name: str
    suffix: str
    content_type: str
    largest: int
    props: str
    make: Callable[[int, int, int], bytes]

    def file_name(self, index: int) -> str:
        return f"{self.name}-{index:06d}{self.suffix}"


def event(index: int, seed: int = 1, revision: int = 0) -> bytes:
    """An event; with an override of one instance there are two VEVENT in it."""
    zone, lines = _event(index, seed, revision)
    return _calendar([*_ZONES[zone], *lines])


def task(index: int, seed: int = 1, revision: int = 0) -> bytes:
    """A task; four of five are steps of a larger one, half are done."""
    rng = random.Random(f"task {seed} {index}")
    day = _stamp(FIRST_DAY + timedelta(days=rng.randrange(DAYS)))
    lines = ["BEGIN:VTODO", f"UID:task-{seed}-{index}@example.org", _STAMP, f"SEQUENCE:{revision}"]
    lines += [f"SUMMARY:{_words(rng, 2, 6)}", f"PRIORITY:{rng.randrange(10)}"]
    if rng.random() < 0.6:
        lines.append(f"DUE;VALUE=DATE:{day}")
    if rng.random() < 0.4:
        lines.append(f"DESCRIPTION:{_words(rng, 5, 40)}")
    if index % 5:
        lines.append(f"RELATED-TO:task-{seed}-{index - index % 5}@example.org")
    if rng.random() < 0.5:
        lines += ["STATUS:COMPLETED", f"COMPLETED:{day}T180000Z", "PERCENT-COMPLETE:100"]
    else:
        lines.append("STATUS:NEEDS-ACTION")
    return _calendar([*lines, "END:VTODO"])


def card(index: int, seed: int = 1, revision: int = 0) -> bytes:
    """A contact, vCard 3.0 and 4.0 by turns; one of twenty has a photo of 20 kB."""
    rng = random.Random(f"card {seed} {index}")
    given, family, newer = rng.choice(_GIVEN), rng.choice(_FAMILY), index % 2 == 1
    lines = ["BEGIN:VCARD", f"VERSION:{'4.0' if newer else '3.0'}", f"UID:card-{seed}-{index}@example.org"]
    lines += [f"FN:{given} {family}", f"N:{family};{given};;;", f"REV:20250101T{revision % 86400:06d}Z"]
    lines.append(f"EMAIL;TYPE={'home' if newer else 'INTERNET,HOME'}:{_mail(given, family, index)}")
    lines.append(f"TEL;TYPE={'cell' if newer else 'CELL,VOICE'}:+49 151 {rng.randrange(10**7):07d}")
    if rng.random() < 0.4:
        lines.append(f"ADR;TYPE=home:;;{rng.choice(_FAMILY)}weg {rng.randint(1, 99)};Ulm;;89073;Germany")
    if rng.random() < 0.3:
        lines.append(
            f"BDAY:{rng.randint(1935, 2015)}{'' if newer else '-'}04{'' if newer else '-'}{rng.randint(10, 28)}"
        )
    if rng.random() < 0.3:
        lines.append(f"NOTE:{_words(rng, 4, 30)}")
    if index % 20 == 7:
        photo = base64.b64encode(rng.randbytes(20_000)).decode()
        lines.append(f"PHOTO:data:image/jpeg;base64,{photo}" if newer else f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}")
    return _folded([*lines, "END:VCARD"])


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "events",
            ".ics",
            "text/calendar; charset=utf-8",
            1_000_000,
            '{"tag": "VCALENDAR", "C:supported-calendar-component-set": "VEVENT"}',
            event,
        ),
        Kind(
            "tasks",
            ".ics",
            "text/calendar; charset=utf-8",
            1_000,
            '{"tag": "VCALENDAR", "C:supported-calendar-component-set": "VTODO"}',
            task,
        ),
        Kind("contacts", ".vcf", "text/vcard; charset=utf-8", 10_000, '{"tag": "VADDRESSBOOK"}', card),
    )
}


def write_items(folder: Path, kind: Kind, count: int, seed: int) -> None:
    """The first ``count`` items as files in a folder that is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        (folder / kind.file_name(index)).write_bytes(kind.make(index, seed, 0))


def whole_calendar(indices: Iterable[int], seed: int) -> bytes:
    """These events in one VCALENDAR, each time zone once, as a calendar program exports them."""
    used: dict[str, None] = {}
    lines: list[str] = []
    for index in indices:
        zone, own = _event(index, seed, 0)
        used[zone] = None
        lines += own
    return _calendar([line for zone in used for line in _ZONES[zone]] + lines)


def _event(index: int, seed: int, revision: int) -> tuple[str, list[str]]:
    """Its zone ("" without one) and the lines of its components."""
    rng = random.Random(f"event {seed} {index}")
    day = FIRST_DAY + timedelta(days=rng.randrange(DAYS))
    all_day = rng.random() < 0.15
    zone = "" if all_day else rng.choices(list(_ZONES), _ZONE_WEIGHTS)[0]
    hour, minute = rng.randint(7, 20), rng.choice((0, 15, 30))
    summary = f"{_words(rng, 2, 5).capitalize()} {revision}"

    def at(name: str, when: date, later_h: int = 0) -> str:
        if all_day:
            return f"{name};VALUE=DATE:{_stamp(when)}"
        clock = f"{_stamp(when)}T{hour + later_h:02d}{minute:02d}00"
        return f"{name};TZID={zone}:{clock}" if zone else f"{name}:{clock}Z"

    head = ["BEGIN:VEVENT", f"UID:event-{seed}-{index}@example.org", _STAMP, f"SEQUENCE:{revision}"]
    end = at("DTEND", day + timedelta(days=1)) if all_day else f"DURATION:PT{rng.choice((30, 60, 60, 90, 120))}M"
    lines = [*head, at("DTSTART", day), end, f"SUMMARY:{summary}"]
    override: list[str] = []
    if rng.random() < 0.20:
        step, rule = _rule(rng)
        lines.append(f"RRULE:{rule}")
        if step and rng.random() < 0.35:
            lines.append(at("EXDATE", day + timedelta(days=2 * step)))
        if step and rng.random() < 0.25:
            moved = day + timedelta(days=step)
            override = [*head, at("RECURRENCE-ID", moved), at("DTSTART", moved, 2), f"SUMMARY:{summary} (moved)"]
            override += ["END:VEVENT"] if all_day else ["DURATION:PT45M", "END:VEVENT"]
    return zone, [*lines, *_details(rng, index), "END:VEVENT", *override]


def _rule(rng: random.Random) -> tuple[int, str]:
    """The days between instances, 0 where they vary, and the rule."""
    match rng.choices(range(4), (55, 15, 15, 15))[0]:
        case 0:
            return 7, f"FREQ=WEEKLY;COUNT={rng.randint(4, 52)}"
        case 1:
            return 7, "FREQ=WEEKLY"
        case 2:
            return 0, f"FREQ=MONTHLY;COUNT={rng.randint(3, 24)}"
        case _:
            return 1, f"FREQ=DAILY;COUNT={rng.randint(4, 14)}"


def _details(rng: random.Random, index: int) -> list[str]:
    lines = []
    if rng.random() < 0.5:
        lines.append(f"LOCATION:{rng.choice(_WORDS).capitalize()} room {rng.randint(1, 40)}")
    if rng.random() < 0.6:
        lines.append(f"DESCRIPTION:{_words(rng, 5, 60)}")
    if rng.random() < 0.2:
        lines.append("TRANSP:TRANSPARENT")
    if rng.random() < 0.25:
        lines.append(f"ORGANIZER;CN={rng.choice(_GIVEN)}:mailto:organizer{index % 97}@example.org")
        for number in range(rng.randint(2, 8)):
            state = rng.choice(("ACCEPTED", "DECLINED", "NEEDS-ACTION"))
            name = f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}"
            lines.append(f"ATTENDEE;CN={name};PARTSTAT={state}:mailto:guest{index}.{number}@example.net")
    if rng.random() < 0.4:
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Reminder", "TRIGGER:-PT15M", "END:VALARM"]
    return lines


def _words(rng: random.Random, least: int, most: int) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(least, most)))


def _mail(given: str, family: str, index: int) -> str:
    local = f"{given}.{family}".encode("ascii", "ignore").decode().lower()
    return f"{local}.{index}@example.org"


def _stamp(day: date) -> str:
    return f"{day:%Y%m%d}"


def _calendar(lines: list[str]) -> bytes:
    return _folded(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//davserver//benchmarks//EN", *lines, "END:VCALENDAR"])


def _folded(lines: Iterable[str]) -> bytes:
    """Content lines of at most 75 octets (RFC 5545 3.1, RFC 6350 3.2), cut between characters."""
    out = bytearray()
    for line in lines:
        rest = line.encode()
        room = 75
        while len(rest) > room:
            cut = room
            while rest[cut] & 0xC0 == 0x80:
                cut -= 1
            out += rest[:cut] + b"\r\n "
            rest, room = rest[cut:], 74
        out += rest + b"\r\n"
    return bytes(out)
