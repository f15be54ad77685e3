"""The pages of the repository say what is so."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.conformance_page import GOLDEN, PAGE, ROOT, TITLES, read_marks, render_page


def test_the_conformance_page_is_what_the_marks_on_the_tests_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(read_marks(ROOT)), "run `make conformance`"


def test_the_conformance_page_counts_the_examples_of_the_specifications_by_their_file_names() -> None:
    by_file: dict[str, list[tuple[str, str]]] = {}
    for mark in read_marks(ROOT):
        if mark.file.endswith(".http"):
            by_file.setdefault(mark.file, []).append((mark.rfc, mark.section))
            assert mark.test.removeprefix("example: "), mark.file
    assert by_file.keys() == {path.relative_to(ROOT).as_posix() for path in (ROOT / GOLDEN).glob("*/*.http")}
    assert by_file[f"{GOLDEN}/4918/9.1.6.http"] == [("4918", "9.1.6")]
    assert by_file[f"{GOLDEN}/6578/5.1-5.2.http"] == [("6578", "5.1"), ("6578", "5.2")]
    assert all(rfc in TITLES for named in by_file.values() for rfc, _ in named)
    assert f"| 5.2 | [example: The If header with a sync token](../{GOLDEN}/6578/5.1-5.2.http) |" in render_page(
        read_marks(ROOT)
    )


def test_every_golden_file_says_first_which_section_it_is_of() -> None:
    for file in sorted((ROOT / GOLDEN).glob("*/*.http")):
        name = f"RFC {file.parent.name}" if file.parent.name.isdigit() else file.parent.name
        assert file.read_text(encoding="utf-8").startswith(f"{name} {', '.join(file.stem.split('-'))}: "), file


PAGES = [path.relative_to(ROOT).as_posix() for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern)]


@pytest.mark.parametrize("page", sorted([*PAGES, "examples/README.md"]))
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_every_test_that_the_page_of_clients_names_exists() -> None:
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert named
    for file, test in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert not test or test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, test


def test_the_readme_gives_the_two_commands_and_the_makefile_has_them() -> None:
    commands = re.findall(r"^    (make \w+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in commands:
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)


def test_every_dependency_is_locked_within_its_range() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    locked = {canonical(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        wanted = Requirement(text)
        assert locked[canonical(wanted.name)] in wanted.specifier, f"{text}: run `make lock`"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_names_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.!+]+", line)] == []
