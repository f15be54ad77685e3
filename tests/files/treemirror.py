"""A client that keeps a picture of a file tree by sync reports alone, and what a walk by PROPFIND shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from davserver.dav.names import DAV
from tests.harness import Dav
from tests.pim.samples import sync

FOLDER = "folder"
Picture = dict[str, str]  # path -> ETag, or FOLDER


@dataclass
class TreeMirror:
    """
    One member's picture of a folder.

    Attributes:
        infinite: of the whole tree, else of the direct members.
        refused: how often the token was not taken, so that all was listed anew.
        gone: every path that was ever told as gone.
        cuts: how many answers were only a part.
    """

    client: Dav
    top: str
    infinite: bool
    token: str = ""
    known: Picture = field(default_factory=dict)
    refused: int = 0
    cuts: int = 0
    gone: set[str] = field(default_factory=set)

    def synchronise(self, limit: int | None = None) -> Picture:
        """Ask until the answer is whole (RFC 6578 §3.6); gives the picture."""
        while self._ask(limit):
            self.cuts += 1
        return self.known

    def _ask(self, limit: int | None) -> bool:
        more = "" if limit is None else f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>"
        body = sync(self.token, "<D:getetag/><D:resourcetype/>", more, level="infinite" if self.infinite else "1")
        reply = self.client.report(self.top, body)
        if reply.status == 403:
            assert reply.condition == DAV.valid_sync_token, reply.body
            assert self.token, "the first synchronisation is never refused"
            self.refused += 1
            self.known, self.token = {}, ""
            return True
        if reply.status == 404:  # the folder is out of sight
            self.known, self.token = {}, ""
            return False
        rows = reply.multistatus()
        assert len(rows) == len(reply.xml.findall(DAV.response)), "a member is named once"
        cut = rows.pop(self.top, None)
        assert cut is None or (cut.status, cut.condition) == (507, DAV.number_of_matches_within_limits)
        assert limit is None or len(rows) <= limit
        for path, row in rows.items():
            if row.status == 404:
                self.gone.add(path)
                self._forget(path)
            else:
                if self._other_kind(path) in self.known:  # one name, whether a file or a folder has it
                    self._forget(path)
                is_folder = row.status == 403 or len(row.props[DAV.resourcetype]) > 0
                self.known[path] = FOLDER if is_folder else row.text(DAV.getetag) or ""
        self.token = reply.xml.findtext(DAV.sync_token) or ""
        return cut is not None

    @staticmethod
    def _other_kind(path: str) -> str:
        return path[:-1] if path.endswith("/") else path + "/"

    def _forget(self, path: str) -> None:
        """A folder that goes takes along what it holds (RFC 6578 §3.5.2)."""
        path = path.rstrip("/")
        self.known = {
            name: etag
            for name, etag in self.known.items()
            if name.rstrip("/") != path and not name.startswith(path + "/")
        }


def walk(client: Dav, top: str, *, infinite: bool) -> Picture:
    """What the member sees of a tree, folder by folder."""
    found: Picture = {}
    todo = [top]
    while todo:
        folder = todo.pop()
        reply = client.propfind(folder, DAV.getetag, DAV.resourcetype, depth="1")
        if reply.status == 404 and folder == top:
            return {}
        for path, row in reply.multistatus().items():
            if path == folder:
                continue
            is_folder = len(row.props[DAV.resourcetype]) > 0
            found[path] = FOLDER if is_folder else row.text(DAV.getetag) or ""
            if is_folder and infinite:
                todo.append(path)
    return found
