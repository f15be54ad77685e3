"""Calendar objects, cards and filters as Hypothesis makes them: values that judges read and that render themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.pim.samples import CRLF

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UTC_FORM, LOCAL_FORM, DATE_FORM = "%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S", "%Y%m%d"
# Zones as items name them: both change their clocks in March 2027, on the 28th and the 14th. "" is floating.
ZONES = {"UTC": UTC, "Europe/Berlin": ZoneInfo("Europe/Berlin"), "America/New_York": ZoneInfo("America/New_York")}
ZONES["Club time"] = ZONES["Europe/Berlin"]


def _vtimezone(name: str, offsets: tuple[str, str], months: tuple[str, str], hours: tuple[str, str]) -> str:
    (winter, summer), (to_summer, to_winter), (spring, autumn) = offsets, months, hours
    return CRLF.join(
        [
            *("BEGIN:VTIMEZONE", f"TZID:{name}"),
            *("BEGIN:STANDARD", f"DTSTART:{autumn}", f"TZOFFSETFROM:{summer}", f"TZOFFSETTO:{winter}"),
            *(f"RRULE:FREQ=YEARLY;{to_winter}", "END:STANDARD"),
            *("BEGIN:DAYLIGHT", f"DTSTART:{spring}", f"TZOFFSETFROM:{winter}", f"TZOFFSETTO:{summer}"),
            *(f"RRULE:FREQ=YEARLY;{to_summer}", "END:DAYLIGHT", "END:VTIMEZONE"),
        ]
    )


EUROPE = (
    ("+0100", "+0200"),
    ("BYMONTH=3;BYDAY=-1SU", "BYMONTH=10;BYDAY=-1SU"),
    ("20000326T020000", "20001029T030000"),
)
VTIMEZONES = {
    "Europe/Berlin": _vtimezone("Europe/Berlin", *EUROPE),
    "Club time": _vtimezone("Club time", *EUROPE),
    "America/New_York": _vtimezone(
        "America/New_York",
        ("-0500", "-0400"),
        ("BYMONTH=3;BYDAY=2SU", "BYMONTH=11;BYDAY=1SU"),
        ("20070311T020000", "20071104T020000"),
    ),
}


@dataclass(frozen=True)
class When:
    """A date or time on a zone's clock; ``local`` of a date is its midnight."""

    local: datetime
    zone: str = ""
    is_date: bool = False

    @property
    def instant(self) -> datetime:
        """In UTC; what floats is told as if it were."""
        return self.local.replace(tzinfo=ZONES.get(self.zone, UTC)).astimezone(UTC)

    @property
    def exists(self) -> bool:
        """Whether the clock shows it at all."""
        return self.instant.astimezone(ZONES.get(self.zone, UTC)).replace(tzinfo=None) == self.local

    def moved(self, by: timedelta) -> When:
        """So much later on the clock."""
        return replace(self, local=self.local + by)

    def later(self, by: timedelta) -> When:
        """So much later, as time passes."""
        return replace(self, local=(self.instant + by).astimezone(ZONES.get(self.zone, UTC)).replace(tzinfo=None))

    @property
    def value(self) -> str:
        form = DATE_FORM if self.is_date else UTC_FORM if self.zone == "UTC" else LOCAL_FORM
        return self.local.strftime(form)

    def line(self, name: str, more: str = "") -> str:
        """As a property."""
        zone = f";TZID={self.zone}" if self.zone not in ("", "UTC") else ""
        return f"{name}{more}{';VALUE=DATE' if self.is_date else zone}:{self.value}"


@dataclass(frozen=True)
class Length:
    """A DURATION: days on the clock, then time that passes."""

    days: timedelta = timedelta(0)
    rest: timedelta = timedelta(0)

    @property
    def total(self) -> timedelta:
        return self.days + self.rest

    @property
    def value(self) -> str:
        rest = f"T{int(self.rest.total_seconds()) // 60}M" if self.rest or not self.days else ""
        return f"P{f'{self.days.days}D' if self.days else ''}{rest}"

    def after(self, start: When) -> When:
        return start.moved(self.days).later(self.rest)


@dataclass(frozen=True)
class Prop:
    """A property that holds text; CATEGORIES hold several."""

    name: str
    texts: tuple[str, ...]
    params: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        params = "".join(f";{name}={value}" for name, value in self.params)
        escaped = [text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;") for text in self.texts]
        return f"{self.name}{params}:{','.join(escaped).replace(chr(10), chr(92) + 'n')}"


@dataclass(frozen=True)
class Alarm:
    """A VALARM; ``trigger`` is a moment, or so long after the start or end."""

    trigger: datetime | timedelta
    from_end: bool = False
    repeat: int = 0
    every: timedelta = timedelta(0)
    action: str = "DISPLAY"

    @property
    def lines(self) -> list[str]:
        if isinstance(self.trigger, datetime):
            trigger = f"TRIGGER;VALUE=DATE-TIME:{self.trigger.strftime(UTC_FORM)}"
        else:
            minutes = int(self.trigger.total_seconds()) // 60
            related = ";RELATED=END" if self.from_end else ""
            trigger = f"TRIGGER{related}:{'-' if minutes < 0 else ''}PT{abs(minutes)}M"
        again = [f"REPEAT:{self.repeat}", f"DURATION:{Length(rest=self.every).value}"] if self.repeat else []
        return ["BEGIN:VALARM", f"ACTION:{self.action}", "DESCRIPTION:x", trigger, *again, "END:VALARM"]


@dataclass(frozen=True)
class Part:
    """One component: a master or an override (``identity``); ``end`` is DTEND or DUE."""

    kind: str
    start: When | None = None
    end: When | None = None
    length: Length | None = None
    completed: datetime | None = None
    created: datetime | None = None
    rule: str = ""
    until: When | None = None
    count: int | None = None
    left_out: tuple[When, ...] = ()
    added: tuple[tuple[When, timedelta | None], ...] = ()
    identity: When | None = None
    following: bool = False
    props: tuple[Prop, ...] = ()
    alarms: tuple[Alarm, ...] = ()

    def lines(self, uid: str) -> list[str]:
        """The component's lines."""
        found = [f"BEGIN:{self.kind}", f"UID:{uid}", "DTSTAMP:20270101T000000Z"]
        if self.identity:
            found.append(self.identity.line("RECURRENCE-ID", ";RANGE=THISANDFUTURE" if self.following else ""))
        if self.start:
            found.append(self.start.line("DTSTART"))
        if self.end:
            found.append(self.end.line("DUE" if self.kind == "VTODO" else "DTEND"))
        if self.length:
            found.append(f"DURATION:{self.length.value}")
        for name, moment in (("COMPLETED", self.completed), ("CREATED", self.created)):
            if moment:
                found.append(f"{name}:{moment.strftime(UTC_FORM)}")
        if self.rule:
            limit = f";COUNT={self.count}" if self.count else f";UNTIL={self.until.value}" if self.until else ""
            found.append(f"RRULE:{self.rule}{limit}")
        found += [when.line("EXDATE") for when in self.left_out]
        for when, lasting in self.added:
            if lasting is None:
                found.append(when.line("RDATE"))
            else:
                found.append(f"{when.line('RDATE', ';VALUE=PERIOD')}/{Length(rest=lasting).value}")
        found += [prop.line for prop in self.props]
        for alarm in self.alarms:
            found += alarm.lines
        return [*found, f"END:{self.kind}"]

    @property
    def zones(self) -> set[str]:
        """Names of the zones that it needs."""
        whens = (self.start, self.end, self.identity, *self.left_out, *(when for when, _ in self.added))
        return {when.zone for when in whens if when is not None and not when.is_date} & set(VTIMEZONES)


@dataclass(frozen=True)
class Made:
    """A calendar object: a master and its overrides."""

    parts: tuple[Part, ...]

    def text(self, uid: str) -> str:
        """As a client would send it."""
        zones = sorted({zone for part in self.parts for zone in part.zones})
        lines = [line for part in self.parts for line in part.lines(uid)]
        head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
        return CRLF.join([*head, *(VTIMEZONES[zone] for zone in zones), *lines, "END:VCALENDAR", ""])


@dataclass(frozen=True)
class Between:
    """A time-range; None is open."""

    start: datetime | None
    end: datetime | None

    @property
    def xml(self) -> str:
        limits = (("start", self.start), ("end", self.end))
        said = "".join(f' {name}="{at.strftime(UTC_FORM)}"' for name, at in limits if at is not None)
        return f"<C:time-range{said}/>"


@dataclass(frozen=True)
class AskedText:
    """A text-match."""

    text: str
    negate: bool = False
    collation: str = ""
    how: str = ""

    def xml(self, space: str) -> str:
        said = f' collation="{self.collation}"' if self.collation else ""
        said += f' match-type="{self.how}"' if self.how else ""
        said += ' negate-condition="yes"' if self.negate else ""
        return f"<{space}:text-match{said}>{self.text}</{space}:text-match>"


@dataclass(frozen=True)
class AskedParam:
    """A param-filter."""

    name: str
    absent: bool = False
    text: AskedText | None = None

    def xml(self, space: str) -> str:
        inner = f"<{space}:is-not-defined/>" if self.absent else self.text.xml(space) if self.text else ""
        return f'<{space}:param-filter name="{self.name}">{inner}</{space}:param-filter>'


@dataclass(frozen=True)
class AskedProp:
    """A prop-filter; several texts and ``all_of`` are for cards."""

    name: str
    absent: bool = False
    between: Between | None = None
    texts: tuple[AskedText, ...] = ()
    params: tuple[AskedParam, ...] = ()
    all_of: bool | None = None

    def xml(self, space: str = "C") -> str:
        inner = f"<{space}:is-not-defined/>" if self.absent else ""
        inner += self.between.xml if self.between else ""
        inner += "".join(part.xml(space) for part in (*self.texts, *self.params))
        test = "" if self.all_of is None else f' test="{"allof" if self.all_of else "anyof"}"'
        return f'<{space}:prop-filter name="{self.name}"{test}>{inner}</{space}:prop-filter>'


@dataclass(frozen=True)
class AskedComp:
    """A comp-filter."""

    name: str
    absent: bool = False
    between: Between | None = None
    props: tuple[AskedProp, ...] = ()
    comps: tuple[AskedComp, ...] = ()

    @property
    def xml(self) -> str:
        inner = "<C:is-not-defined/>" if self.absent else ""
        inner += self.between.xml if self.between else ""
        inner += "".join(prop.xml() for prop in self.props) + "".join(comp.xml for comp in self.comps)
        return f'<C:comp-filter name="{self.name}">{inner}</C:comp-filter>'


# Few values, so that what is made and what is asked meet, on both sides of the days when clocks change.
DAYS = tuple(datetime(2027, 3, day) for day in (12, 13, 14, 15, 26, 27, 28, 29))  # noqa: DTZ001 - clocks
HOURS = (0, 2, 9, 10, 23)
TEXTS = ("Training", "training", "Übung", "übung", "Straße", "a,b; c", "Vorstand", "x\ny")
LENGTHS = (
    *(Length(rest=HOUR), Length(rest=timedelta(minutes=30)), Length(), Length(DAY), Length(2 * DAY)),
    *(Length(rest=24 * HOUR), Length(DAY, 2 * HOUR)),
)
ENDS = (timedelta(minutes=30), HOUR, 24 * HOUR, 25 * HOUR, 3 * DAY)
RULES = (
    *("FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=DAILY;BYDAY=MO,TU,FR", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2"),
    *(
        "FREQ=WEEKLY;BYDAY=FR,SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
        "FREQ=MONTHLY",
        "FREQ=HOURLY;INTERVAL=5",
    ),
    *(
        "FREQ=MONTHLY;BYMONTHDAY=-4,13",
        "FREQ=MONTHLY;BYDAY=-1SU,2SU",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,9",
    ),
    *(
        "FREQ=YEARLY",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "FREQ=YEARLY;BYYEARDAY=72",
        "FREQ=YEARLY;BYWEEKNO=12;BYDAY=FR",
    ),
)
MOVES = (timedelta(0), 2 * HOUR, 3 * DAY, -DAY)


def utc(local: datetime) -> datetime:
    """A clock's time as UTC."""
    return local.replace(tzinfo=UTC)


clocks = st.builds(lambda day, hour: day + hour * HOUR, st.sampled_from(DAYS), st.sampled_from(HOURS))
instants = clocks.map(utc)
zones = st.sampled_from(["UTC", "UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York", "Club time", ""])


def few(values: st.SearchStrategy, most: int = 2) -> st.SearchStrategy:
    """None of them, more often than some."""
    return st.one_of(st.just(()), st.lists(values, max_size=most).map(tuple))


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(st.none(), values)


@st.composite
def whens(draw: st.DrawFn) -> When:
    """A start: a day, or a time in some zone."""
    if draw(st.integers(0, 3)) == 0:
        return When(draw(st.sampled_from(DAYS)), is_date=True)
    return When(draw(clocks), draw(zones))


texts = st.sampled_from(TEXTS)
states = st.sampled_from(["NEEDS-ACTION", "ACCEPTED", "DECLINED"])
attendees = st.builds(
    lambda name, state: Prop("ATTENDEE", (f"mailto:{name}@example.org",), (("PARTSTAT", state),) if state else ()),
    st.sampled_from(["ada", "bob", "cleo"]),
    maybe(states),
)
props = st.one_of(
    st.builds(lambda text: Prop("SUMMARY", (text,)), texts),
    st.builds(lambda found: Prop("CATEGORIES", tuple(found)), st.lists(texts, min_size=1, max_size=3)),
    st.builds(lambda state: Prop("STATUS", (state,)), st.sampled_from(["CONFIRMED", "TENTATIVE", "CANCELLED"])),
    attendees,
)


def only_once(found: tuple[Prop, ...]) -> tuple[Prop, ...]:
    """What may stand once stands once; attendees may come again."""
    return tuple({(prop.name, prop.texts if prop.name == "ATTENDEE" else ""): prop for prop in found}.values())


alarms = st.builds(
    lambda trigger, from_end, repeat, every: Alarm(trigger, from_end, repeat, every),
    st.one_of(instants, st.sampled_from([timedelta(0), -HOUR, HOUR, -DAY])),
    st.booleans(),
    st.sampled_from([0, 0, 2]),
    st.sampled_from([HOUR, 12 * HOUR]),
)


@st.composite
def recurring(draw: st.DrawFn, part: Part) -> Part:
    """The same part with a rule, dates left out and dates added."""
    start = part.start
    assert start is not None
    rule = draw(st.sampled_from(["", *RULES]))
    if start.is_date and "HOURLY" in rule:
        rule = "FREQ=DAILY"
    count = until = None
    if rule and draw(st.booleans()):
        count = draw(st.integers(1, 6))
    elif rule and draw(st.booleans()):
        until = start.moved(draw(st.integers(0, 20)) * DAY)
        if until.zone:
            until = When(until.instant.replace(tzinfo=None), "UTC")
    near = st.integers(0, 6).map(lambda days: start.moved(days * DAY))
    lasting = maybe(st.just(2 * HOUR)) if part.kind == "VEVENT" and not start.is_date else st.none()
    return replace(
        part,
        rule=rule,
        count=count,
        until=until,
        left_out=draw(few(near)),
        added=draw(few(st.tuples(near, lasting))),
    )


@st.composite
def overrides(draw: st.DrawFn, master: Part) -> Part:
    """An instance that was moved, or is only another one."""
    start, identity = master.start, None
    assert start is not None
    identity = start.moved(draw(st.integers(0, 6)) * DAY)
    by = draw(st.sampled_from(MOVES))
    moved = identity.moved(by if not identity.is_date else timedelta(days=by.days))
    end = length = None
    if master.kind != "VJOURNAL" and not moved.is_date:
        length = draw(st.sampled_from(LENGTHS))
    return Part(
        master.kind,
        moved,
        end,
        length,
        identity=identity,
        following=draw(st.sampled_from([False, False, True])),
        props=only_once(draw(few(props))),
    )


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """A single component."""
    kind = draw(st.sampled_from(["VEVENT", "VEVENT", "VEVENT", "VTODO", "VTODO", "VJOURNAL"]))
    common = {"props": only_once(draw(few(props, 4))), "alarms": draw(few(alarms, 1)) if kind != "VJOURNAL" else ()}
    start = draw(whens())
    if kind == "VJOURNAL":
        return Part(kind, draw(st.sampled_from([start, start, None])), **common)
    shape = draw(st.sampled_from(["end", "length", "none"]))
    end = length = None
    if shape == "end":
        if start.is_date:
            end = start.moved(draw(st.sampled_from([DAY, 2 * DAY])))
        else:
            end = start.later(draw(st.sampled_from(ENDS)))
            if draw(st.integers(0, 4)) == 0 and start.zone:
                end = When(end.instant.replace(tzinfo=None), "UTC")
    elif shape == "length":
        length = draw(st.sampled_from(LENGTHS[3:5] if start.is_date else LENGTHS))
    if kind == "VEVENT":
        return Part(kind, start, end, length, **common)
    lone = length is None and draw(st.booleans())
    return Part(kind, None if lone else start, end, length, draw(maybe(instants)), draw(maybe(instants)), **common)


@st.composite
def objects(draw: st.DrawFn) -> Made:
    """A calendar object; half of those with a start recur, and of these some have overrides."""
    master = draw(parts())
    if master.start is None or draw(st.booleans()):
        return Made((master,))
    master = draw(recurring(master))
    found = draw(few(overrides(master)))
    return Made((master, *{part.identity: part for part in found}.values()))


@st.composite
def ranges(draw: st.DrawFn) -> Between:
    """A time-range: a second, an hour, a day, a week, or open."""
    start = draw(instants) + draw(st.sampled_from([timedelta(0), timedelta(0), HOUR, -timedelta(seconds=1)]))
    end = start + draw(st.sampled_from([timedelta(seconds=1), HOUR, DAY, 7 * DAY]))
    is_open = draw(st.integers(0, 9))
    return Between(None if is_open == 0 else start, None if is_open == 1 else end)


asked_texts = st.builds(
    AskedText,
    st.sampled_from(["train", "TRAIN", "übung", "ÜBUNG", "strasse", "straße", "b", "Vorstand", "bob", "a,b"]),
    st.sampled_from([False, False, True]),
    st.sampled_from(["", "", "i;octet", "i;ascii-casemap", "i;unicode-casemap", "default"]),
)
asked_params = st.one_of(
    st.just(AskedParam("PARTSTAT")),
    st.just(AskedParam("PARTSTAT", absent=True)),
    st.builds(
        lambda state, negate: AskedParam("PARTSTAT", text=AskedText(state, negate)),
        st.sampled_from(["accepted", "DECLINED"]),
        st.booleans(),
    ),
)
asked_props = st.one_of(
    st.builds(
        lambda name, text: AskedProp(name, texts=(text,)),
        st.sampled_from(["SUMMARY", "CATEGORIES", "ATTENDEE"]),
        asked_texts,
    ),
    st.builds(
        lambda name, absent: AskedProp(name, absent=absent),
        st.sampled_from(["SUMMARY", "STATUS", "DUE", "RRULE", "COMPLETED"]),
        st.booleans(),
    ),
    st.builds(
        lambda text, params: AskedProp("ATTENDEE", texts=text, params=params),
        few(asked_texts, 1),
        st.lists(asked_params, min_size=1, max_size=2).map(tuple),
    ),
    st.builds(
        lambda name, between: AskedProp(name, between=between),
        st.sampled_from(["DTSTART", "DTEND", "DUE", "COMPLETED", "CREATED"]),
        ranges(),
    ),
)
asked_alarms = st.one_of(
    st.just(AskedComp("VALARM")),
    st.just(AskedComp("VALARM", absent=True)),
    st.builds(lambda between: AskedComp("VALARM", between=between), ranges()),
)


@st.composite
def queries(draw: st.DrawFn) -> AskedComp:
    """A comp-filter in the VCALENDAR's."""
    kind = draw(st.sampled_from(["VEVENT", "VEVENT", "VEVENT", "VTODO", "VTODO", "VJOURNAL"]))
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return AskedComp(kind, absent=draw(st.booleans()))
    between = draw(ranges()) if shape < 7 else None
    found = draw(few(asked_props)) if between else draw(st.lists(asked_props, max_size=2).map(tuple))
    return AskedComp(kind, False, between, found, draw(few(asked_alarms, 1)) if kind != "VJOURNAL" else ())
