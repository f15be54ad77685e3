"""
Editing the text of an ``access.toml``: rules go and come, and every other byte stays as people wrote it.

A file is taken as statements: the header of a table, a key with its value over one or more lines, a comment, a blank
line. Each is TOML by itself, so ``tomllib`` says what it means, and only those that change are written anew. A comment
that stood above a rule stays when the rule goes: what it is about, people know.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from auth.aces import Edit
from auth.acl import Action
from auth.principal import fold
from auth.rules import Rule

# What decides where a value ends; strings and comments are passed over whole (TOML 1.0 "String", "Comment").
_TOKEN = re.compile(
    r'''"""(?:\\.|(?!""").)*"{3,5}|\'\'\'(?:(?!\'\'\').)*'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[\[\]{},\n]''',
    re.DOTALL,
)
_FALSE = re.compile(r"(=\s*)false")
BLANK = ""  # a blank line where none stands


class UneditableRules(ValueError):
    """The rules are written in a way in which they cannot be told apart here, such as ``rule = [{…}]``."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """
    One statement with the end of its line.

    Attributes:
        means: what TOML makes of it alone; nothing for comments and blank lines.
        rule: position of the rule to which it belongs; None for everything else.
    """

    text: str
    means: dict[str, Any]
    rule: int | None

    @property
    def is_comment(self) -> bool:
        return not self.means and bool(self.text.strip())

    @property
    def is_header(self) -> bool:
        return bool(self.means) and self.text.lstrip().startswith("[")


def edited(text: str, present: Sequence[Rule], edit: Edit) -> str:
    """
    The text of a valid ``access.toml`` after an edit.

    Args:
        present: the rules that the text holds.

    Raises:
        UneditableRules: not each of them is a table ``[[rule]]``.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    statements = list(_statements(text))
    if edit.inherits:
        statements = _inheriting(statements, newline)
    in_rules = [at for at, each in enumerate(statements) if each.rule is not None]
    if len({statements[at].rule for at in in_rules}) != len(present):
        raise UneditableRules("write each rule as a table [[rule]]")
    end = in_rules[-1] + 1 if in_rules else len(statements)
    texts = [_after(each, present, edit) for each in statements]
    for rule in edit.new:
        texts[end:end] = [BLANK, "".join(f"{line}{newline}" for line in _lines_of(rule))]
        end += 2
    if edit.new and texts[end:]:
        texts.insert(end, BLANK)
    return "".join(_without_gaps(texts, newline))


def _statements(text: str) -> Iterator[_Statement]:
    rule, count = None, 0
    for part in _split(text):
        means = tomllib.loads(part)
        if means and part.lstrip().startswith("["):
            is_rule = means == {"rule": [{}]}
            rule, count = (count, count + 1) if is_rule else (None, count)
        yield _Statement(part, means, rule if means else None)


def _split(text: str) -> Iterator[str]:
    start = depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            yield text[start : token.end()]
            start = token.end()
    if start < len(text):
        yield text[start:]


def _inheriting(statements: list[_Statement], newline: str) -> list[_Statement]:
    """With ``inherit = true``, which stands above the first table."""
    for at, each in enumerate(statements):
        if each.means == {"inherit": False} and each.rule is None:
            said = _Statement(_FALSE.sub(r"\1true", each.text, count=1), {"inherit": True}, None)
            return [*statements[:at], said, *statements[at + 1 :]]
    first = next((at for at, each in enumerate(statements) if each.is_header), len(statements))
    while first and statements[first - 1].is_comment:
        first -= 1
    said, blank = _Statement(f"inherit = true{newline}", {"inherit": True}, None), _Statement(newline, {}, None)
    return [*statements[:first], said, blank, *statements[first:]]


def _after(statement: _Statement, present: Sequence[Rule], edit: Edit) -> str | None:
    """The text of a statement after the edit; None where it goes with its rule."""
    if statement.rule is None:
        return statement.text
    who, stay = present[statement.rule].who, edit.stay[statement.rule]
    if who == stay:
        return statement.text
    if not stay:
        return None
    return _less(statement.text, frozenset(stay)) if "who" in statement.means else statement.text


def _less(text: str, stay: frozenset[str]) -> str:
    """``who = […]`` with those names alone; what stands between them, over several lines, stays."""
    opening = text.index("[")
    closing = next(token.start() for token in _TOKEN.finditer(text, opening) if token[0] == "]")
    inside = text[opening + 1 : closing]
    strings = [token for token in _TOKEN.finditer(inside) if token[0][0] in "\"'"]
    goes = [token for token in strings if fold(tomllib.loads(f"x={token[0]}")["x"]) not in stay]
    if "\n" in inside:
        for token in reversed(goes):
            inside = _without_line(inside, token.start(), token.end())
    else:
        inside = ", ".join(token[0] for token in strings if token not in goes)
    return text[: opening + 1] + inside + text[closing:]


def _without_line(inside: str, start: int, end: int) -> str:
    """Less one name with the comma behind it, and less its line where nothing else stands there."""
    comma = next((token for token in _TOKEN.finditer(inside, end) if token[0][0] not in "#\n"), None)
    if comma is not None:
        inside = inside[: comma.start()] + inside[comma.end() :]
    inside = inside[:start] + inside[end:]
    left, right = inside.rfind("\n", 0, start), inside.find("\n", start)
    alone = left >= 0 and right >= 0 and not inside[left:right].strip()
    return inside[:left] + inside[right:] if alone else inside


def _lines_of(rule: Rule) -> Iterator[str]:
    yield "[[rule]]"
    yield f"who = [{_quoted(rule.who)}]"
    if rule.may:
        yield f"may = [{_quoted(action for action in Action if action in rule.may)}]"
    if rule.here:
        yield 'scope = "here"'


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(json.dumps(word, ensure_ascii=False) for word in words)


def _without_gaps(texts: Iterable[str | None], newline: str) -> list[str]:
    """The texts that stay; at a seam, where one goes or comes, there is one blank line and not two."""
    out: list[str] = []
    at_seam = False
    for text in texts:
        behind_blank = not out or not out[-1].strip()
        if text is None or text == BLANK:
            at_seam = True
            if text is not None and not behind_blank:
                out[-1] += "" if out[-1].endswith("\n") else newline
                out.append(newline)
        elif text.strip() or not (at_seam and behind_blank):
            out.append(text)
            at_seam = at_seam and not text.strip()
    while at_seam and out and not out[-1].strip():
        out.pop()
    return out
