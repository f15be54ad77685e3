"""What is wrong with a file that the operator wrote: every problem at once, each with its place and the way out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where it stands, what was found and what would work."""

    file: str
    line: int
    found: str
    hint: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.found}; {self.hint}"


class ConfigRefused(Exception):
    """A configuration that cannot be used, with all its problems."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
