"""Any edits through both views leave one object for each UID, views that agree, and true reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from davserver.dav.names import DAV
from storage.frontmatter import parse_document
from tests.harness import Dav, Server
from tests.objects.conftest import BOARD, calendar_of, changed, files_of, said
from tests.pim.samples import sync, task

COLUMNS = ("To do", "Doing", "Review", "Done")
NAMES = ("a", "b", "Ä")
TITLES = ("a", "B", "a: b", "Ä", "x" * 130)
FILE_EDITS = ("file put", "file move", "file copy", "file delete", "rename over")
EDITS = (*FILE_EDITS, "new", "title", "column", "done", "gone")
numbers = count(1)

Step = tuple[str, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "file put",
                "file move",
                "file copy",
                "file delete",
                "rename over",
                "new",
                "title",
                "column",
                "done",
                "gone",
            )
        ),
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=3,
    max_size=12,
)


@dataclass
class Play:
    """A board, and what a program knows of it that follows it by token."""

    client: Dav
    board: str
    url: str = ""
    token: str = ""
    known: dict[str, str] = field(default_factory=dict)

    def do(self, step: Step) -> None:
        """One edit, of what is there; one for which there is nothing is left out."""
        what, first, second, third = step
        if what not in FILE_EDITS:
            self.follow()
        files = sorted(path for path in files_of(self.client, self.board) if path.endswith(".md"))
        items = sorted(self.known)
        path = f"{self.board}/{COLUMNS[first % 4]}/{NAMES[second % 3]}.md"
        text = f"---\ntags: [t{third}]\n---\nwords {next(numbers)}\n"
        match what:
            case "file put":
                self.must(self.client.put(path, text).status)
            case "file move" | "file copy" if files:
                transfer = self.client.move if what == "file move" else self.client.copy
                source = f"{self.board}/{files[third % len(files)]}"
                self.must(transfer(source, path).status, *([403] if source == path else []))
            case "file delete" if files:
                self.must(self.client.delete(f"{self.board}/{files[third % len(files)]}").status)
            case "rename over" if files:
                target = f"{self.board}/{files[third % len(files)]}"
                self.must(self.client.put(f"{target}.tmp", text).status)
                self.must(self.client.move(f"{target}.tmp", target).status)
            case "new":
                number = next(numbers)
                body = task(f"u-{number}", TITLES[first % 5], f"X-STATUS:{COLUMNS[second % 4]}")
                self.must(self.client.put(f"{self.url}n{number}.ics", body).status)
            case "title" | "column" | "done" if items:
                item = items[third % len(items)]
                served = self.client.get(item)
                change: dict[str, str | None] = {
                    "title": {"SUMMARY": TITLES[first % 5]},
                    "column": {"X_STATUS": COLUMNS[first % 4]},
                    "done": {"STATUS": "COMPLETED", "COMPLETED": "20261127T100000Z"},
                }[what]  # type: ignore[assignment]
                body = changed(served.text, DESCRIPTION=f"words {next(numbers)}", **change)
                self.must(self.client.put(item, body, {"If-Match": served.headers["etag"]}).status)
            case "gone" if items:
                self.must(self.client.delete(items[third % len(items)]).status)

    def must(self, status: int, *others: int) -> None:
        assert status in (201, 204, *others)

    def follow(self) -> None:
        """What a report tells, on top of what was known."""
        reply = self.client.report(self.url, sync(self.token))
        for path, row in reply.multistatus().items():
            if row.status == 404:
                self.known.pop(path, None)  # it may have come and gone between two reports
            else:
                self.known[path] = row.text(DAV.getetag) or ""
        self.token = reply.xml.findtext(DAV.sync_token) or ""

    def require_agreement(self) -> None:
        listed = self.client.propfind(self.url, DAV.getetag, depth="1").multistatus()
        assert self.known == {path: row.text(DAV.getetag) for path, row in listed.items() if path != self.url}
        served = [self.client.get(item).text for item in self.known]
        assert len({said(text, "UID") for text in served}) == len(served)
        objects = sorted((said(text, "X-STATUS"), said(text, "SUMMARY"), said(text, "DESCRIPTION")) for text in served)
        assert objects == sorted(self.files())

    def files(self) -> list[tuple[str, str, str]]:
        """Column, title and text of every card, as its file says."""
        found = []
        for path in files_of(self.client, self.board):
            if path.endswith(".md"):
                column, name = path.split("/")
                document = parse_document(self.client.get(f"{self.board}/{path}").body)
                title = document.values.get("title") or name.removesuffix(".md")
                found.append((column, str(title), document.text))
        return found


@pytest.fixture(scope="module")
def made(cloud: Server) -> Dav:
    return cloud.client("alice")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_any_edits_through_both_views_leave_them_in_agreement(made: Dav, steps: list[Step]) -> None:
    board = f"/files/Boards/s{next(numbers)}"
    assert made.mkcol(board).status == 201
    assert made.put(f"{board}/board.toml", BOARD).status == 204
    assert made.mkcol(f"{board}/Review").status == 201
    play = Play(made, board, calendar_of(made, board))
    for step in steps:
        play.do(step)
        if step[3] % 3:  # several edits may come before somebody looks
            play.follow()
    play.follow()
    play.require_agreement()
    assert made.delete(board).status == 204
