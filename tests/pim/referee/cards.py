"""Cards and their filters: made, judged by the sentences of RFC 6352 §10.5, and where Radicale is wrong about them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.pim.referee.made import AskedParam, AskedProp, AskedText, few
from tests.pim.samples import CRLF


@dataclass(frozen=True)
class CardProp:
    """
    A property of a card.

    Attributes:
        value: as it stands in the card.
        texts: what it can be compared with: the value without escapes, and the entries of a list.
    """

    name: str
    value: str
    texts: tuple[str, ...]
    params: tuple[tuple[str, str], ...] = ()
    group: str = ""

    @property
    def line(self) -> str:
        params = "".join(f";{name}={value}" for name, value in self.params)
        return f"{self.group + '.' if self.group else ''}{self.name}{params}:{self.value}"


@dataclass(frozen=True)
class Card:
    """A card; FN and N are among its properties."""

    props: tuple[CardProp, ...]

    def text(self, uid: str) -> str:
        """As a client would send it."""
        return CRLF.join(
            ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", *(prop.line for prop in self.props), "END:VCARD", ""]
        )


@dataclass(frozen=True)
class AskedCard:
    """The filter of an addressbook-query."""

    props: tuple[AskedProp, ...]
    all_of: bool

    @property
    def test(self) -> str:
        return "allof" if self.all_of else "anyof"

    @property
    def xml(self) -> str:
        return "".join(prop.xml("CR") for prop in self.props)


def matches(card: Card, asked: AskedCard) -> bool:
    """Whether a card matches (RFC 6352 §10.5); a filter that asks nothing is met by all."""
    answers = [_has(card, prop) for prop in asked.props]
    return not answers or (all(answers) if asked.all_of else any(answers))


def _has(card: Card, asked: AskedProp) -> bool:
    group, _, name = asked.name.rpartition(".")
    found = [prop for prop in card.props if prop.name == name and group in ("", prop.group)]
    if asked.absent or not found:
        return asked.absent and not found
    if not asked.texts and not asked.params:
        return True
    if asked.all_of:
        found = [prop for prop in found if all(_has_param(prop, param) for param in asked.params)]
        unwanted = [text for text in asked.texts if text.negate]
        wanted = [text for text in asked.texts if not text.negate]
        return not any(_is_in(text, prop) for text in unwanted for prop in found) and any(
            all(_is_in(text, prop) for text in wanted) for prop in found
        )
    return any(any(_is_in(text, prop) for prop in found) is not text.negate for text in asked.texts) or any(
        _has_param(prop, param) for param in asked.params for prop in found
    )


def _has_param(prop: CardProp, asked: AskedParam) -> bool:
    values = [value for name, value in prop.params if name == asked.name]
    if asked.absent or not values:
        return asked.absent and not values
    return asked.text is None or any(_compares(asked.text, value) for value in values) is not asked.text.negate


def _is_in(asked: AskedText, prop: CardProp) -> bool:
    return any(_compares(asked, text) for text in prop.texts)


def _compares(asked: AskedText, value: str) -> bool:
    fold = {"i;octet": str, "i;ascii-casemap": _ascii}.get(asked.collation, _unicode)
    text, value = fold(asked.text), fold(value)
    if asked.how == "equals":
        return text == value
    if asked.how == "starts-with":
        return value[: len(text)] == text
    return value[-len(text) :] == text if asked.how == "ends-with" else text in value


def _ascii(text: str) -> str:
    return text.encode().lower().decode()  # of bytes, only A to Z are lowered


def _unicode(text: str) -> str:
    return "".join(unicodedata.normalize("NFKD", letter if letter == "ß" else letter.upper()) for letter in text)


NAMES = ("Ada Lovelace", "Müller", "MÜLLER", "Mu\u0308ller", "Straße", "O'Neil, Dr.")


def _escaped(text: str) -> str:
    return text.replace(",", "\\,").replace(";", "\\;")


names = st.sampled_from(NAMES)
types = few(st.sampled_from([("TYPE", "WORK"), ("TYPE", "HOME"), ("X-NOTE", "x")]), 2).map(
    lambda found: tuple(dict(found).items())
)
emails = st.builds(
    lambda name, params, group: CardProp("EMAIL", f"{name}@example.org", (f"{name}@example.org",), params, group),
    st.sampled_from(["ada", "Ada", "max"]),
    types,
    st.sampled_from(["", "ITEM1"]),
)
nicknames = st.builds(
    lambda found: CardProp(
        "NICKNAME", ",".join(map(_escaped, found)), (",".join(found), *(found if len(found) > 1 else ()))
    ),
    st.lists(names, min_size=1, max_size=2),
)
notes = st.builds(lambda name: CardProp("NOTE", _escaped(name), (name,)), names)


@st.composite
def cards(draw: st.DrawFn) -> Card:
    """A card with a name and some of what cards have."""
    name = draw(names)
    family = CardProp("N", f"{_escaped(name)};;;;", (f"{name};;;;", name))
    more = draw(st.lists(st.one_of(emails, nicknames, notes), max_size=4))
    return Card((CardProp("FN", _escaped(name), (name,)), family, *more))


asked_texts = st.builds(
    AskedText,
    st.sampled_from(["ada", "müller", "MÜLLER", "strasse", "straße", "ada@example.org", "Dr.", "example"]),
    st.sampled_from([False, False, True]),
    st.sampled_from(["", "", "i;octet", "i;ascii-casemap", "i;unicode-casemap", "default"]),
    st.sampled_from(["", "equals", "contains", "starts-with", "ends-with"]),
)
asked_params = st.one_of(
    st.just(AskedParam("TYPE")),
    st.just(AskedParam("TYPE", absent=True)),
    st.builds(
        lambda text, negate: AskedParam("TYPE", text=AskedText(text, negate)),
        st.sampled_from(["work", "HOME"]),
        st.booleans(),
    ),
)
asked_props = st.one_of(
    st.builds(
        lambda name, texts, params, all_of: AskedProp(name, texts=texts, params=params, all_of=all_of),
        st.sampled_from(["FN", "EMAIL", "NICKNAME", "NOTE", "EMAIL", "ITEM1.EMAIL", "N"]),
        few(asked_texts),
        few(asked_params, 1),
        st.sampled_from([None, False, True]),
    ),
    st.builds(lambda name: AskedProp(name, absent=True), st.sampled_from(["EMAIL", "NOTE", "ITEM1.EMAIL"])),
)
filters = st.builds(AskedCard, few(asked_props), st.booleans())


@dataclass(frozen=True)
class Wrong:
    """A case in which Radicale errs about cards; as ``errors.Wrong``."""

    name: str
    rfc: str
    section: str
    why: str
    applies: Callable[[Card, AskedCard], bool]
    made: Card
    asked: AskedCard
    wanted: bool


def _texts(asked: AskedCard) -> list[AskedText]:
    return [text for prop in asked.props for text in prop.texts]


def _several(card: Card, asked: AskedCard) -> bool:
    return any(
        sum(found.name == prop.name.rpartition(".")[2] for found in card.props) > 1
        and (prop.params or len(prop.texts) > 1)
        for prop in asked.props
    )


def _group(card: Card, asked: AskedCard) -> bool:
    return any("." in prop.name for prop in asked.props)


def _casemap(card: Card, asked: AskedCard) -> bool:
    return any(not text.text.isascii() and text.collation != "i;octet" for text in _texts(asked))


def _structured(card: Card, asked: AskedCard) -> bool:
    return any(prop.texts and prop.name in ("N", "NICKNAME") for prop in asked.props)


def _asked(*props: AskedProp, all_of: bool = False) -> AskedCard:
    return AskedCard(props, all_of)


WORK, HOME = (
    CardProp(
        "EMAIL", f"{name}@example.org", (f"{name}@example.org",), (("TYPE", kind),), "ITEM1" if kind == "WORK" else ""
    )
    for name, kind in (("ada", "WORK"), ("max", "HOME"))
)
ADA = CardProp("FN", "Ada", ("Ada",))
MUELLER = CardProp("FN", "Mu\u0308ller", ("Mu\u0308ller",))
FAMILY = CardProp("N", "Lovelace;Ada;;;", ("Lovelace;Ada;;;",))
WRONG = (
    Wrong(
        *("one property of several", "6352", "10.5.1", "looks for each condition in any property"),
        _several,
        Card((ADA, FAMILY, WORK, HOME)),
        _asked(
            AskedProp(
                "EMAIL",
                texts=(AskedText("ada"),),
                params=(AskedParam("TYPE", text=AskedText("home")),),
                all_of=True,
            )
        ),
        False,
    ),
    Wrong(
        *("a property of a group", "6352", "10.5.1", "has no property with a dot in its name"),
        _group,
        Card((ADA, FAMILY, WORK, HOME)),
        _asked(AskedProp("ITEM1.EMAIL", texts=(AskedText("ada"),))),
        True,
    ),
    Wrong(
        *("letters that are composed", "5051", "2", "lowers letters and takes none of them apart"),
        _casemap,
        Card((MUELLER, FAMILY)),
        _asked(AskedProp("FN", texts=(AskedText("müller"),))),
        True,
    ),
    Wrong(
        *("values with parts", "6352", "10.5.4", "compares with a text that it makes of the parts"),
        _structured,
        Card((ADA, FAMILY)),
        _asked(AskedProp("N", texts=(AskedText("lovelace;ada", how="starts-with"),))),
        True,
    ),
)
