"""
A ballot as a calendar object: one option of a poll, made for one voter (the attendee's copy of RFC 6638 without mail).

Nothing of what others vote is in it, and its stamps are those of ``poll.toml``: no ETag moves because somebody voted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from storage.itemtext import PRODUCT, one_line, render_lines
from storage.linewriter import encode_carets, text_value, unfolded
from storage.objectmoments import stamp
from storage.objecttext import RAW, Content, Kind
from storage.poll import Option, Poll
from storage.polltexts import moment_text, option_text
from storage.votes import MAYBE, NO, YES
from storage.zonereferences import with_named_zones

EVENT = Kind("VEVENT", {"STATUS": ("status", RAW)})
TASK = Kind("VTODO", {"STATUS": ("status", RAW)})
PARTSTAT = re.compile(r';PARTSTAT=("?)([A-Za-z-]+)\1', re.IGNORECASE)
PARTSTATS: Mapping[str, str] = {YES: "ACCEPTED", NO: "DECLINED", MAYBE: "TENTATIVE", "": "NEEDS-ACTION"}
STATUSES: Mapping[str, Mapping[str, str]] = {
    "VEVENT": {YES: "CONFIRMED", NO: "CANCELLED", MAYBE: "TENTATIVE", "": "TENTATIVE"},
    "VTODO": {YES: "COMPLETED", NO: "CANCELLED", MAYBE: "IN-PROCESS", "": "NEEDS-ACTION"},
}
LARGEST_ALARMS = 8 * 1024  # characters
SAID: Mapping[str, Mapping[str, str]] = {
    "poll": {"en": "Poll: {}", "fr": "Sondage : {}", "de": "Umfrage: {}"},
    "event": {
        "en": "Accept: yes. Decline or delete: no.",
        "fr": "Accepter : oui. Refuser ou supprimer : non.",
        "de": "Annehmen: ja. Ablehnen oder löschen: nein.",
    },
    "task": {
        "en": "Done: yes. Cancelled or deleted: no.",
        "fr": "Terminée : oui. Annulée ou supprimée : non.",
        "de": "Erledigt: ja. Abgebrochen oder gelöscht: nein.",
    },
    "event maybe": {
        "en": " Tentative: if need be.",
        "fr": " Provisoire : si nécessaire.",
        "de": " Vorläufig: wenn nötig.",
    },
    "task maybe": {
        "en": " In process: if need be.",
        "fr": " En cours : si nécessaire.",
        "de": " In Arbeit: wenn nötig.",
    },
    "until": {"en": "Votes count until {}.", "fr": "On peut voter jusqu'au {}.", "de": "Abstimmen kann man bis {}."},
    "mail": {
        "en": "Do not send a mail about it: nobody reads it.",
        "fr": "N'envoyez pas de courriel : personne ne le lit.",
        "de": "Keine Mail dazu senden: niemand liest sie.",
    },
    "organizer": {"en": "Association", "fr": "Association", "de": "Verein"},
}


@dataclass(frozen=True, slots=True)
class Voter:
    """Who has a ballot: what it is called, and its calendar user address."""

    name: str
    address: str


def ballot_uid(poll_id: str, option: Option) -> str:
    """The UID of the ballots of an option, whoever's they are."""
    return f"{poll_id}-{option.id}"


def render_ballot(
    component: str,
    poll: Poll,
    poll_id: str,
    title: str,
    option: Option,
    voter: Voter,
    answer: str,
    alarms: Sequence[str],
    *,
    modified_ns: int,
    language: str,
    public_url: str,
) -> bytes:
    """
    The ballot of an option.

    Args:
        answer: ``yes``, ``maybe``, ``no``, or "" where the voter has said nothing.
        alarms: content lines of the alarms that the voter has set.
    """
    host = urlsplit(public_url).hostname or "localhost"
    is_event = component == "VEVENT"
    head = option.label if is_event else option_text(option, language)
    asked = title.rstrip()
    summary = asked + ("" if asked.endswith("?") else "?") + (f" {head}" if head else "")
    about = (("CN", (encode_carets(SAID["organizer"][language]),)), ("SCHEDULE-AGENT", ("NONE",)))
    lines = [
        f"UID:{ballot_uid(poll_id, option)}",
        f"DTSTAMP:{stamp(modified_ns)}",
        f"LAST-MODIFIED:{stamp(modified_ns)}",
        f"SUMMARY:{one_line(summary)}",
        *(_times(option) if is_event else ()),
        f"STATUS:{STATUSES[component][answer]}",
        *(["TRANSP:TRANSPARENT"] if is_event else []),
        f"CATEGORIES:{one_line(SAID['poll'][language].format(title))}",
        f"DESCRIPTION:{text_value(_description(component, poll, option, language))}",
    ]
    if is_event:
        lines.append(unfolded("ORGANIZER", about, f"mailto:noreply@{host}"))
        said = (
            ("CN", (encode_carets(" ".join(voter.name.split())),)),
            ("PARTSTAT", (PARTSTATS[answer],)),
            ("RSVP", ("TRUE",)),
            ("SCHEDULE-AGENT", ("NONE",)),
        )
        lines.append(unfolded("ATTENDEE", said, voter.address))
    body = render_lines(
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", f"BEGIN:{component}"),
        *lines,
        *alarms,
        *(f"END:{component}", "END:VCALENDAR"),
    )
    return with_named_zones(body)


def render_decided(
    poll: Poll, title: str, option: Option, uid: str, counts: Mapping[str, int], *, modified_ns: int, language: str
) -> bytes:
    """The event of the option that was decided; ``counts`` are the final results, empty where they are not told."""
    told = [SAID["poll"][language].format(title)] if title else []
    told += [f"{answer}: {counts[answer]}" for answer in (YES, MAYBE, NO) if answer in counts]
    summary = f"{title}: {option.label}" if option.label else title
    body = render_lines(
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "BEGIN:VEVENT", f"UID:{uid}"),
        *(f"DTSTAMP:{stamp(modified_ns)}", f"LAST-MODIFIED:{stamp(modified_ns)}", f"SUMMARY:{one_line(summary)}"),
        *_times(option),
        *("STATUS:CONFIRMED", f"DESCRIPTION:{text_value(chr(10).join([*poll.description.splitlines(), *told]))}"),
        *("END:VEVENT", "END:VCALENDAR"),
    )
    return with_named_zones(body)


def read_answer(component: str, address: str, served: Content, sent: Content) -> str | None:
    """
    What a client says by storing a ballot: an answer, "" to withdraw it, None where it says nothing new.

    The own attendee's PARTSTAT comes first, then STATUS, for clients without buttons; each counts where it is another
    than was served.
    """
    if component == "VEVENT":
        before, after = _partstat(served, address), _partstat(sent, address)
        if after is not None and after != before:
            return next((answer for answer, word in PARTSTATS.items() if word == after), None)
    told, said = _status(served), _status(sent)
    if component == "VTODO":
        said = said or STATUSES["VTODO"][""]  # Tasks.org takes a tick back by leaving the property out
    if said is None or said == told:
        return None
    if component == "VTODO":
        return next((answer for answer, word in STATUSES["VTODO"].items() if word == said), None)
    return {"CONFIRMED": YES, "CANCELLED": NO, "TENTATIVE": MAYBE}.get(said)


def read_alarms(content: Content) -> tuple[str, ...]:
    """The content lines of the alarms of a ballot; none where they are more than are kept."""
    lines = content.values.get("ical-parts") or ()
    found, depth = list[str](), 0
    for line in (lines,) if isinstance(lines, str) else lines:
        word = line.upper()
        is_alarm = word.startswith("BEGIN:VALARM")
        if depth or is_alarm:
            found.append(line)
            depth += {"BEGIN:": 1, "END:VA": -1}.get(word[:6], -1 if word.startswith("END:") else 0)
    return tuple(found) if depth == 0 and sum(map(len, found)) <= LARGEST_ALARMS else ()


def _partstat(content: Content, address: str) -> str | None:
    lines = content.values.get("ical") or ()
    for line in (lines,) if isinstance(lines, str) else lines:
        if line.upper().startswith("ATTENDEE") and line.casefold().endswith(f":{address}".casefold()):
            match = PARTSTAT.search(line[: -len(address) - 1])
            return match[2].upper() if match else PARTSTATS[""]
    return None


def _status(content: Content) -> str | None:
    status = content.values.get("status")
    return status.upper() if isinstance(status, str) else None


def _times(option: Option) -> Iterator[str]:
    for name, moment in (("DTSTART", option.start), ("DTEND", option.end)):
        if isinstance(moment, datetime):
            text = f"{moment:%Y%m%dT%H%M%S}"
            if option.zone == "UTC":
                yield f"{name}:{text}Z"
            else:
                yield f"{name};TZID={option.zone}:{text}" if option.zone else f"{name}:{text}"
        elif isinstance(moment, date):
            yield f"{name};VALUE=DATE:{moment:%Y%m%d}"


def _description(component: str, poll: Poll, option: Option, language: str) -> str:
    lines = poll.description.splitlines()
    when = moment_text(option, language)
    lines += [when] if when and component == "VTODO" else []
    kind = "event" if component == "VEVENT" else "task"
    lines.append(SAID[kind][language] + (SAID[f"{kind} maybe"][language] if poll.maybe else ""))
    if poll.closes is not None:
        closes = Option("", "", poll.closes.astimezone(UTC).replace(tzinfo=None), None, "UTC")
        lines.append(SAID["until"][language].format(moment_text(closes, language)))
    return "\n".join([*lines, SAID["mail"][language]] if component == "VEVENT" else lines)


def is_shown(option: Option, component: str) -> bool:
    """Whether an option has a ballot of a kind: what has no time is no event."""
    return component == "VTODO" or option.start is not None
