"""Radicale 3.9's own report over one item at a time: the referee."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import fromstring

from radicale.app.report import freebusy_periods, xml_report
from radicale.item import Item
from radicale.storage import BaseCollection

from davserver.dav.names import DAV


class Shelf(BaseCollection):  # type: ignore[misc]
    """A collection of one item that nobody stored."""

    def __init__(self, text: str, tag: str) -> None:
        self._tag = tag
        self._item = Item(collection=self, text=text, href="item")

    @property
    def path(self) -> str:
        return "ada/collection"

    def get_all(self) -> Iterable[Item]:
        return [self._item]

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item]]:
        return [(href, self._item) for href in hrefs]

    def get_meta(self, key: str | None = None) -> str | Mapping[str, str] | None:
        return self._tag if key == "tag" else {"tag": self._tag} if key is None else None

    def answer(self, body: str) -> bool | None:
        """Whether the item is in the answer to a query; None where Radicale fails."""
        try:
            found = xml_report("", "/ada/collection/", fromstring(body), self, "utf-8", lambda: None)[1]
        except Exception:  # which one says nothing: the client gets 400 or 500
            return None
        return found.find(DAV.response) is not None

    def busy(self, start: Any, end: Any) -> list[tuple[Any, Any, str]] | None:
        """Its busy periods in a range; None where Radicale fails."""
        try:
            return freebusy_periods(self._item, start, end, 0)
        except Exception:
            return None
