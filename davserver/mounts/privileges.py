"""
The privileges of RFC 3744 §3 and RFC 4791 §6.1.1 as this server knows them, and the actions that they stand for.

A rule gives actions; a privilege that no rule can give alone is abstract (RFC 3744 §5.3) and stands within the one that
gives it: who may write content may write properties, who may read sees the own privileges, and who has ``admin`` has
everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from auth.aces import essence
from auth.acl import Action
from auth.errors import AclRefused
from davserver.dav.names import CALDAV, DAV
from davserver.dav.xml import open_tag, text_of


@dataclass(frozen=True, slots=True)
class Privilege:
    """
    One privilege.

    Attributes:
        gives: the actions of a rule that gives it; none for an abstract one.
        described: what it is for, in the languages that the server speaks.
        within: those that it aggregates.
    """

    name: str
    gives: frozenset[Action]
    described: Mapping[str, str]
    within: tuple[Privilege, ...] = ()

    def walk(self) -> Iterator[Privilege]:
        """It and all within it."""
        yield self
        for each in self.within:
            yield from each.walk()


def _of(name: str, gives: Iterable[Action], en: str, fr: str, de: str, *within: Privilege) -> Privilege:
    return Privilege(name, frozenset(gives), {"en": en, "fr": fr, "de": de}, within)


OWN_SET = _of(
    DAV.read_current_user_privilege_set, (), "See one's own rights", "Voir ses propres droits", "Eigene Rechte sehen"
)
BUSY = _of(
    CALDAV.read_free_busy,
    [Action.FREEBUSY],
    "See when somebody is busy",
    "Voir les heures occupées",
    "Sehen, wann jemand belegt ist",
)
WRITE = _of(
    DAV.write,
    [Action.CREATE, Action.WRITE, Action.DELETE],
    "Add, change and remove",
    "Ajouter, modifier et supprimer",
    "Anlegen, ändern und löschen",
    _of(
        DAV.bind,
        [Action.CREATE],
        "Add, and change what one added",
        "Ajouter, et modifier ses ajouts",
        "Anlegen, und Eigenes ändern",
    ),
    _of(DAV.unbind, [Action.DELETE], "Remove", "Supprimer", "Löschen"),
    _of(
        DAV.write_content,
        [Action.WRITE],
        "Change",
        "Modifier",
        "Ändern",
        _of(DAV.write_properties, (), "Change properties", "Modifier les propriétés", "Eigenschaften ändern"),
    ),
)
GIVING = (
    _of(DAV.read_acl, (), "See all rights", "Voir tous les droits", "Alle Rechte sehen"),
    _of(DAV.write_acl, (), "Give rights", "Donner des droits", "Rechte vergeben"),
    _of(DAV.unlock, (), "Remove locks of others", "Retirer les verrous des autres", "Sperren anderer aufheben"),
)


def _tree(*within_read: Privilege) -> Privilege:
    read = _of(DAV.read, [Action.READ], "Read", "Lire", "Lesen", *within_read)
    return _of(DAV.all, [Action.ADMIN], "Everything", "Tout", "Alles", read, WRITE, *GIVING)


OF_CALENDARS = _tree(BUSY, OWN_SET)  # below /dav/
OF_FILES = _tree(OWN_SET)


@lru_cache(maxsize=8)
def render_supported(tree_of: Literal["calendars", "files"], language: str) -> str:
    """The content of ``DAV:supported-privilege-set`` (RFC 3744 §5.3)."""
    return _render(OF_CALENDARS if tree_of == "calendars" else OF_FILES, language)


def actions_of(names: Iterable[str], tree: Privilege) -> frozenset[Action]:
    """
    The actions that privileges stand for, as ``essence`` gives them.

    Raises:
        AclRefused: one is not known here, or abstract.
    """
    known = {each.name: each for each in tree.walk()}
    for name in names:
        if name not in known:
            raise AclRefused("not-supported-privilege", f"{name} is no privilege here")
        if not known[name].gives:
            raise AclRefused("no-abstract", f"{name} is given only together with what it stands within")
    return essence(action for name in names for action in known[name].gives)


def privileges_of(may: frozenset[Action]) -> frozenset[str]:
    """The fewest privileges that stand for some actions; ``actions_of`` gives these again."""
    left = may
    found = set()
    for privilege in OF_CALENDARS.walk():  # those that aggregate come first
        if privilege.gives and privilege.gives <= left:
            found.add(privilege.name)
            left -= privilege.gives
    return frozenset(found)


def _render(privilege: Privilege, language: str) -> str:
    said = f'<D:description xml:lang="{language}">{text_of(privilege.described[language])}</D:description>'
    abstract = "" if privilege.gives else open_tag(DAV.abstract)
    within = "".join(_render(each, language) for each in privilege.within)
    named = open_tag(DAV.privilege, open_tag(privilege.name))
    return open_tag(DAV.supported_privilege, named + abstract + said + within)
