"""Editing the text of an ``access.toml``: what is not meant stays byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.aces import Edit
from auth.acl import Action
from auth.rules import Rule, parse_folder_rules
from storage.rulestext import UneditableRules, edited

FILE = """# Rules of the training calendar

# the section writes
[[rule]]
who = ["sport", "Bob"]   # bob helps
may = ["read", "write"]

# guests = []
[[rule]]
# why: [[rule]]
who = [
    "carol",  # president
    "dora",
    'emil'
]
may = ["read"]
scope = "here"

# press
[[link]]
right = "read"
token = "a-token-of-22-characters-"
"""
SPORT, GUESTS = ("sport", "bob"), ("carol", "dora", "emil")
GINA = Rule(("gina",), frozenset({Action.READ, Action.WRITE}), False, "", 0)
GINAS = '[[rule]]\nwho = ["gina"]\nmay = ["read", "write"]\n'
CLOSING = Rule((), frozenset(), False, "", 0)


def after(edit: Edit, text: str = FILE) -> str:
    return edited(text, parse_folder_rules(text, "access.toml").rules, edit)


def test_a_name_is_taken_out_of_a_line_and_its_comment_stays() -> None:
    assert after(Edit((("sport",), GUESTS))) == FILE.replace('["sport", "Bob"]', '["sport"]')
    assert after(Edit((("bob",), GUESTS))) == FILE.replace('["sport", "Bob"]', '["Bob"]')


def test_a_name_is_taken_out_of_a_list_over_several_lines() -> None:
    assert after(Edit((SPORT, ("carol", "emil")))) == FILE.replace('    "dora",\n', "")
    assert after(Edit((SPORT, ("carol", "dora")))) == FILE.replace("    'emil'\n", "")
    assert after(Edit((SPORT, ("dora", "emil")))) == FILE.replace('"carol",', "")


def test_a_rule_goes_with_its_lines_alone() -> None:
    first = '[[rule]]\nwho = ["sport", "Bob"]   # bob helps\nmay = ["read", "write"]\n'
    assert after(Edit(((), GUESTS))) == FILE.replace(first, "")


def test_new_rules_stand_behind_the_last_one_and_before_the_links() -> None:
    expected = FILE.replace('scope = "here"\n', f'scope = "here"\n\n{GINAS}')
    assert after(Edit((SPORT, GUESTS), (GINA,))) == expected


def test_a_rule_can_take_the_place_of_the_only_one_at_the_end_of_a_file_without_newline() -> None:
    text = '# ours\n\n[[rule]]\nwho = ["bob"]\nmay = ["read"]'
    assert after(Edit(((),), (GINA,)), text) == f"# ours\n\n{GINAS}"
    assert after(Edit((("bob",),), (GINA,)), text) == f"{text}\n\n{GINAS}"


def test_an_empty_file_gets_rules_and_a_file_can_lose_the_last_one() -> None:
    assert after(Edit((), (GINA,)), "") == GINAS
    assert after(Edit(((),)), GINAS) == ""
    assert after(Edit((), (CLOSING,)), "# closed\n") == "# closed\n\n[[rule]]\nwho = []\n"


def test_inheriting_is_written_above_the_first_table_and_its_comment() -> None:
    assert after(Edit((SPORT, GUESTS), inherits=True)) == FILE.replace("# the sec", "inherit = true\n\n# the sec")
    assert after(Edit((), (GINA,), True), "inherit = false # not\n") == f"inherit = true # not\n\n{GINAS}"
    assert after(Edit((), (GINA,), True), "") == f"inherit = true\n\n{GINAS}"


def test_line_ends_of_notepad_stay() -> None:
    text = FILE.replace("\n", "\r\n")
    assert after(Edit((("sport",), ())), text) == after(Edit((("sport",), ()))).replace("\n", "\r\n")
    added = after(Edit((SPORT, GUESTS), (GINA,), True), text)
    assert added.replace("\r\n", "") == added.replace("\r\n", "").replace("\n", "")


def test_names_that_toml_must_quote_are_read_back() -> None:
    rule = Rule(("zoë", 'a"b\\c'), frozenset({Action.ADMIN}), True, "", 0)
    (found,) = parse_folder_rules(after(Edit((), (rule,)), ""), "access.toml").rules
    assert (found.who, found.may, found.here) == (rule.who, rule.may, True)


@pytest.mark.parametrize(
    "text", ['rule = [{who = ["bob"], may = ["read"]}]', 'rule = [\n{who = ["bob"], may = ["read"]},\n]']
)
def test_rules_that_are_no_tables_are_left_alone(text: str) -> None:
    with pytest.raises(UneditableRules, match=r"\[\[rule\]\]"):
        after(Edit(((),)), text)


NAMES = ("bob", "sport", "all-users", "zoë")
LINES = st.sampled_from(["", "# a comment [[rule]]", "   ", '# it\'s """ quoted'])
QUOTED = st.sampled_from(['"{}"', "'{}'", '"""{}"""', "'''{}'''"])


@st.composite
def some_rule(draw: st.DrawFn) -> str:
    who = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    items = [draw(QUOTED).format(name) for name in who]
    wide = draw(st.booleans())
    listed = "".join(f"\n  {item}, # ], {item}" for item in items) + "\n" if wide else ", ".join(items)
    pairs = [f"who = [{listed}] # said", 'may=["read"]']
    pairs += ['scope = "here"'] if draw(st.booleans()) else []
    return "\n".join(["[[ rule ]]  # [", draw(LINES), *draw(st.permutations(pairs))])


@st.composite
def some_file(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.one_of(some_rule(), LINES, LINES), max_size=5))
    link = ["[[link]]", 'right = "read"', "password = '''\n[[rule]]\n'''"]
    return "\n".join([*parts, *(link if draw(st.booleans()) else [])]) + draw(st.sampled_from(["", "\n"]))


@given(some_file(), st.data())
def test_any_edit_of_any_file_gives_those_rules_and_keeps_comments_and_links(text: str, data: st.DataObject) -> None:
    before = parse_folder_rules(text, "access.toml")
    stay = tuple(tuple(name for name in rule.who if data.draw(st.booleans())) for rule in before.rules)
    new = (GINA,) if data.draw(st.booleans()) else ()
    said = edited(text, before.rules, Edit(stay, new, data.draw(st.booleans())))
    found = parse_folder_rules(said, "access.toml")
    expected = [(who, rule.may, rule.here) for who, rule in zip(stay, before.rules, strict=True) if who]
    assert [(rule.who, rule.may, rule.here) for rule in found.rules] == expected + [
        (rule.who, rule.may, rule.here) for rule in new
    ]
    assert [link.password for link in found.links] == [link.password for link in before.links]
    comments = [line for line in text.split("\n") if line.startswith("#")]
    assert [line for line in said.split("\n") if line.startswith("#")] == comments
    if stay == tuple(rule.who for rule in before.rules) and not new:
        assert said.replace("inherit = true\n\n", "") == text
