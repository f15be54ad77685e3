"""
Write ``docs/conformance.md``: which section of which RFC is proved by which test.

It is read off the ``@pytest.mark.rfc`` marks in the source and the names of the golden files, which are the examples of
the sections, so the page cannot claim more than the suite shows.

    python -m tests.conformance_page            write the page
    python -m tests.conformance_page --check    exit 1 if it is stale
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance.md"
LAST = 1 << 31
GOLDEN = "tests/golden"  # files by specification and section: 3744/5.1.1.http, 6578/5.1-5.2.http for two sections
TITLES = {
    "2046": "Multipart media types",
    "2426": "vCard 3.0",
    "3253": "Versioning extensions to WebDAV (REPORT)",
    "3744": "WebDAV access control",
    "4331": "Quota for WebDAV collections",
    "4790": "Internet application protocol collations",
    "4791": "CalDAV",
    "4918": "WebDAV",
    "5051": "Unicode casemap collation",
    "5323": "WebDAV SEARCH",
    "5397": "WebDAV current principal",
    "5545": "iCalendar",
    "5689": "Extended MKCOL",
    "5842": "WebDAV bindings (resource-id)",
    "5995": "POST to add members",
    "6350": "vCard 4.0",
    "6352": "CardDAV",
    "6578": "Collection synchronisation",
    "6585": "Additional HTTP status codes",
    "6638": "Scheduling extensions to CalDAV",
    "6764": "Locating CalDAV and CardDAV services",
    "6868": "Parameter value encoding",
    "7095": "jCard",
    "7240": "Prefer header",
    "7265": "jCal",
    "7529": "Non-Gregorian recurrence rules",
    "7578": "Forms with files (multipart/form-data)",
    "7617": "Basic authentication",
    "7809": "Time zones by reference",
    "7953": "Calendar availability",
    "7986": "New properties for iCalendar",
    "8144": "Prefer header in WebDAV",
    "9110": "HTTP semantics",
    "9112": "HTTP/1.1",
    "draft-daboo-carddav-directory-gateway": "CardDAV directory gateway",
}
HEAD = """\
# Conformance

Which section is proved by which test. Made by `make conformance` from the marks on the tests; a section that is not
here is not proved.
"""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """
    One test or golden file that proves one section.

    Attributes:
        rfc: the number; of a draft the name.
        order: sorts 9.10 after 9.9.
        test: the name of the test, or what a golden file says of itself.
    """

    rfc: str
    order: tuple[tuple[int, str], ...]
    section: str
    file: str
    test: str


def read_marks(root: Path) -> list[Mark]:
    """Every mark below ``tests/``: on functions, on classes, as ``pytestmark`` of a module; and every golden file."""
    marks = set[Mark]()
    for file in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
        name = file.relative_to(root).as_posix()
        marks.update(_marks_in(tree, name, _sections_of_module(tree)))
    for file in sorted((root / GOLDEN).glob("*/*.http")):
        marks.update(_marks_of_example(file, file.relative_to(root).as_posix()))
    return sorted(marks)


def render_page(marks: list[Mark]) -> str:
    """The page, by RFC and section, with the tests as the sentences that they are."""
    lines = [HEAD]
    for rfc in sorted({mark.rfc for mark in marks}, key=_order):
        title = f": {TITLES[rfc]}" if rfc in TITLES else ""
        name = f"RFC {rfc}" if rfc.isdigit() else rfc
        lines += [f"## {name}{title}\n", "| Section | Test |", "|---|---|"]
        lines += [_row(mark) for mark in marks if mark.rfc == rfc]
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` say whether it is stale."""
    page = render_page(read_marks(ROOT))
    if "--check" not in arguments:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    sys.stderr.write("docs/conformance.md is not what the tests say; run `make conformance`\n")
    return 1


def _marks_in(node: ast.AST, file: str, outer: frozenset[tuple[str, str]]) -> Iterator[Mark]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _marks_in(child, file, outer | _sections_of(child.decorator_list))
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test_"):
            for rfc, section in outer | _sections_of(child.decorator_list):
                yield Mark(rfc, _order(section), section, file, child.name)


def _marks_of_example(file: Path, name: str) -> Iterator[Mark]:
    said = file.read_text(encoding="utf-8").partition("\n>> ")[0].partition(": ")[2]
    sentence = re.split(r"[.:;](?=\s|$)", " ".join(said.split()), maxsplit=1)[0]
    for section in file.stem.split("-"):
        yield Mark(file.parent.name, _order(section), section, name, f"example: {sentence}")


def _sections_of_module(tree: ast.Module) -> frozenset[tuple[str, str]]:
    """The sections of ``pytestmark = …``, one mark or a list of them."""
    found: frozenset[tuple[str, str]] = frozenset()
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            found |= _sections_of(node.value.elts if isinstance(node.value, ast.List) else [node.value])
    return found


def _sections_of(expressions: list[ast.expr]) -> frozenset[tuple[str, str]]:
    calls = [node for node in expressions if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.rfc")]
    return frozenset((_text(call.args[0]), _text(call.args[1])) for call in calls)


def _text(argument: ast.expr) -> str:
    return str(ast.literal_eval(argument))


def _order(section: str) -> tuple[tuple[int, str], ...]:
    """Numbers before letters: appendices come after the sections, drafts after the RFCs."""
    return tuple((int(part), "") if part.isdigit() else (LAST, part) for part in section.split("."))


def _row(mark: Mark) -> str:
    sentence = mark.test.removeprefix("test_").replace("_", " ")
    return f"| {mark.section} | [{sentence}](../{mark.file}) |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
