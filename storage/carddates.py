"""Days and times of a card: with hyphens and a year in vCard 3, without them in vCard 4 (RFC 6350 §4.3)."""

from __future__ import annotations

import re

from storage.cardmedia import without
from storage.contentlines import Line

NAMES = frozenset({"BDAY", "ANNIVERSARY", "DEATHDATE"})
OMIT_YEAR = "X-APPLE-OMIT-YEAR"  # how Apple's clients say in vCard 3 that the year of a birthday is not known
NO_YEAR = "1604"  # the year that they write then: a leap year
_ZONE = r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_MOMENT_3 = re.compile(
    rf"([0-9]{{4}})-?([0-9]{{2}})-?([0-9]{{2}})(?:T([0-9]{{2}}):?([0-9]{{2}}):?([0-9]{{2}}){_ZONE})?"
)
_MOMENT_4 = re.compile(rf"([0-9]{{4}}|--)([0-9]{{2}})([0-9]{{2}})(?:T([0-9]{{2}})([0-9]{{2}})([0-9]{{2}}){_ZONE})?")


def date_to_4(line: Line) -> Line:
    """A date of vCard 3 in the form of vCard 4; what is no date stays."""
    match = _MOMENT_3.fullmatch(line.value.strip())
    if match is None or (line.parameter("VALUE") or "DATE").upper() not in ("DATE", "DATE-TIME"):
        return line
    year, month, day, *clock = match.groups()
    if line.parameter(OMIT_YEAR) == year:
        year = "--"
    value = f"{year}{month}{day}" + _clock(clock, "")
    parameters = without(line.parameters, "VALUE", OMIT_YEAR)
    if (value, parameters) == (line.value, line.parameters):
        return line
    return line._replace(parameters=parameters, value=value, end=0)


def date_to_3(line: Line) -> Line:
    """The inverse of ``date_to_4``. A date that vCard 3 cannot tell, such as a year alone, stays as it is."""
    match = _MOMENT_4.fullmatch(line.value.strip())
    if match is None or (line.parameter("VALUE") or "DATE").upper() not in ("DATE", "DATE-TIME", "DATE-AND-OR-TIME"):
        return line
    year, month, day, *clock = match.groups()
    parameters = without(line.parameters, "VALUE", OMIT_YEAR)
    if clock[0]:
        parameters = (("VALUE", ("date-time",)), *parameters)
    if year == "--":
        year, parameters = NO_YEAR, (*parameters, (OMIT_YEAR, (NO_YEAR,)))
    return line._replace(parameters=parameters, value=f"{year}-{month}-{day}" + _clock(clock, ":"), end=0)


def stamp_to_4(line: Line) -> Line:
    """REV in the basic form, which vCard 3 has too."""
    converted = date_to_4(line)
    return line if converted is line else converted._replace(parameters=without(line.parameters, "VALUE"))


def _clock(parts: list[str], colon: str) -> str:
    hour, minute, second, zone = parts
    if not hour:
        return ""
    digits = (zone or "").replace(":", "")
    return f"T{hour}{colon}{minute}{colon}{second}" + (
        f"{digits[:3]}{colon}{digits[3:]}" if len(digits) > 3 else digits
    )
