"""Forms in the one decision about rights, as values."""

from __future__ import annotations

import pytest

from auth.acl import Action, Level, decide
from auth.asked import Asked
from auth.principal import Principal
from tests.auth.book import member

FORM, BOX = "/files/Forms/f", "/files/Forms/f/responses"
BOB = member("bob", "sport")
R, C = Action.READ, Action.CREATE


def held(principal: Principal, path: str, *, closed: bool = False) -> set[Action]:
    names = frozenset({"sport"})
    levels = [Level(FORM, closed=closed, asked=Asked(names))]
    if path.startswith(BOX):
        levels = [Level(BOX, sent=True, asked=Asked(names, is_box=True)), *levels]
    return set(decide(principal, path, levels)) - {Action.FREEBUSY}


def test_whom_a_form_asks_sees_its_folder_and_adds_to_its_answers() -> None:
    assert (held(BOB, FORM), held(BOB, BOX)) == ({R}, {C})


@pytest.mark.parametrize("path", [f"{FORM}/index.html", f"{FORM}/", f"{BOX}/x.json", f"{BOX}/"])
def test_it_gives_nothing_on_the_files(path: str) -> None:
    assert held(BOB, path) == set()


@pytest.mark.parametrize("path", [FORM, BOX])
def test_it_gives_nothing_to_others_and_where_rules_cannot_be_read(path: str) -> None:
    assert held(member("carol"), path) == set()
    assert held(Principal(None, frozenset({"sport"})), path) == set()
    assert held(BOB, path, closed=True) == set()
