"""What a query asks of the values that the index keeps: filters as far as rows can answer them."""

from __future__ import annotations

from dataclasses import dataclass

VALUE_UNDER = {
    # collation: SQL for a value under it, from the columns value and folded (RFC 4790 §9.2, §9.3, RFC 5051)
    "i;octet": "value",
    "i;ascii-casemap": "lower(value)",
    "i;unicode-casemap": "coalesce(folded, upper(value))",
}
TESTS = {
    # match type: SQL for a value and a text, which is not empty (RFC 6352 §10.5.4)
    "contains": "instr({value}, ?1) > 0",
    "equals": "{value} = ?1",
    "starts-with": "substr({value}, 1, length(?1)) = ?1",
    "ends-with": "substr({value}, -length(?1)) = ?1",
}


@dataclass(frozen=True, slots=True)
class Match:
    """
    A text in a value.

    Attributes:
        text: under the collation already.
        how: ``contains``, ``equals``, ``starts-with`` or ``ends-with``.
    """

    text: str
    collation: str
    how: str
    negate: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A property with values that match, any property of the name where there are no matches, or none (``absent``)."""

    name: str
    absent: bool = False
    matches: tuple[Match, ...] = ()
    any_of: bool = False


Term = tuple[str, list[str | int]]


def condition_of(wanted: Wanted, folder_id: int) -> Term:
    """SQL that holds of a row ``m`` of members if its values are as wanted, and the values for its question marks."""
    present = _present(wanted.name, folder_id)
    if wanted.absent:
        return f"NOT {present[0]}", present[1]
    if not wanted.matches:
        return present
    terms = [_match(wanted.name, match, folder_id) for match in wanted.matches]
    found = joined(terms, " OR " if wanted.any_of else " AND ")
    return joined([present, found], " AND ") if any(match.negate for match in wanted.matches) else found


def joined(terms: list[Term], by: str) -> Term:
    """Several conditions as one."""
    return "(" + by.join(sql for sql, _ in terms) + ")", [value for _, values in terms for value in values]


def _present(name: str, folder_id: int) -> Term:
    if name == "UID":
        return "(m.uid IS NOT NULL)", []
    return "(m.id IN (SELECT member FROM value WHERE folder = ? AND property = ?))", [folder_id, name]


def _match(name: str, match: Match, folder_id: int) -> Term:
    if name == "UID":
        test, values = _test(match, "m.uid", "casemap(m.uid)")
        sql, all_values = f"({test})", values
    else:
        test, values = _test(match, "value", "folded")
        sql = f"(m.id IN (SELECT member FROM value WHERE folder = ? AND property = ? AND {test}))"  # noqa: S608
        all_values = [folder_id, name, *values]
    return (f"NOT {sql}" if match.negate else sql), all_values


def _test(match: Match, value: str, folded: str) -> tuple[str, list[str | int]]:
    if not match.text and match.how != "equals":
        return "1", []
    under = VALUE_UNDER[match.collation].replace("folded", folded).replace("value", value)
    test = TESTS[match.how].format(value=under)
    return test.replace("?1", "?"), [match.text] * test.count("?1")
