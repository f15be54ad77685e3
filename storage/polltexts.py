"""When an option is, in words of the configured language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from storage.poll import Option

DAYS: Mapping[str, tuple[str, ...]] = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}
DAY: Mapping[str, str] = {
    "en": "{name} {d} {month} {y}",
    "fr": "{name} {d} {month} {y}",
    "de": "{name} {d}. {month} {y}",
}
MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "de": ("Jan.", "Feb.", "März", "April", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
}


def option_text(option: Option, language: str) -> str:
    """What an option is called: its label, and when it is."""
    return ": ".join(part for part in (option.label, moment_text(option, language)) if part) or option.id


def moment_text(option: Option, language: str) -> str:
    """When an option is; "" where it has no time."""
    start, end = option.start, option.end
    if start is None:
        return ""
    if not isinstance(start, datetime):
        last = start if end is None else end - timedelta(days=1)
        return day_text(start, language) + ("" if last <= start else f" – {day_text(last, language)}")
    zone = f" ({option.zone})" if option.zone else ""
    said = f"{day_text(start, language)}, {start:%H:%M}"
    if not isinstance(end, datetime):
        return said + zone
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{day_text(end, language)}, {end:%H:%M}"
    return f"{said} – {until}{zone}"


def day_text(day: date, language: str) -> str:
    """A day with its weekday."""
    name, month = DAYS[language][day.weekday()], MONTHS[language][day.month - 1]
    return DAY[language].format(name=name, d=day.day, month=month, y=day.year)
