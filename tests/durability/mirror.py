"""A client that synchronises as phones do: it keeps a token and what it believes to be there."""

from __future__ import annotations

from dataclasses import dataclass, field

from davserver.dav.names import CALDAV, CARDDAV, DAV
from tests.harness import Dav, Row
from tests.pim.samples import multiget, sync


@dataclass
class Mirror:
    """
    One collection as a sync client knows it.

    Attributes:
        etags: by name, as the last synchronisation left them.
        data: the bytes by name; fetched for what a synchronisation reports, and for nothing else.
        refused: how often the token was not taken, so that all was listed anew.
    """

    client: Dav
    collection: str
    token: str = ""
    etags: dict[str, str] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    refused: int = 0

    def synchronise(self) -> None:
        """One round (RFC 6578 §3.4): changes since the token, or everything where it is refused."""
        reply = self.client.report(self.collection, sync(self.token))
        if reply.status == 403:
            assert reply.condition == DAV.valid_sync_token, reply.body
            self.refused += 1
            self.etags, self.data = {}, {}
            reply = self.client.report(self.collection, sync())
        changed = []
        for path, row in reply.multistatus().items():
            name = path.removeprefix(self.collection)
            if row.status == 404:
                self.etags.pop(name, None)
                self.data.pop(name, None)
            else:
                self.etags[name] = row.text(DAV.getetag) or ""
                changed.append(path)
        self.token = reply.xml.findtext(DAV.sync_token) or ""
        for path, row in fetch(self.client, self.collection, changed).items():
            self.data[path.removeprefix(self.collection)] = bytes_of(row)

    def require_truth(self, expected: dict[str, bytes]) -> None:
        """After a round the mirror is what is there, byte for byte."""
        self.synchronise()
        assert self.data == expected


def fetch(client: Dav, collection: str, paths: list[str]) -> dict[str, Row]:
    """The rows of a multiget of calendar objects or cards."""
    if not paths:
        return {}
    is_book = "book" in collection
    kind, data = ("CR:addressbook", "<CR:address-data/>") if is_book else ("C:calendar", "<C:calendar-data/>")
    return client.report(collection, multiget(*paths, kind=kind, data=data)).multistatus()


def bytes_of(row: Row) -> bytes:
    """The data of a multiget's row as it was put: XML has taken the carriage returns, the samples have them all."""
    text = row.text(CALDAV.calendar_data) or row.text(CARDDAV.address_data) or ""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
