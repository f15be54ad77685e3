"""What the examples of each specification find: people, and what they stored before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness import Server
from tests.pim.samples import mkcol

HERE = Path(__file__).parent


def nothing(server: Server) -> None:
    """Where an example makes what it needs."""


@dataclass(frozen=True, slots=True)
class World:
    """
    People and their server.

    Attributes:
        users: the first one sends the requests that name nobody.
        prepare: stores what the examples find.
        options: more of what ``Server`` takes.
    """

    users: tuple[str, ...]
    prepare: Callable[[Server], None] = nothing
    options: dict[str, Any] = field(default_factory=dict)


def _put_all(server: Server, user: str, path: str, folder: Path) -> None:
    client = server.client(user)
    for file in sorted([*folder.glob("*.ics"), *folder.glob("*.vcf")]):
        reply = client.put(f"{path}{file.name}", file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        assert reply.status == 201, (file, reply.text)


def _bernard(server: Server) -> None:
    assert server.client("bernard").mkcalendar("/dav/bernard/work/").status == 201
    _put_all(server, "bernard", "/dav/bernard/work/", HERE / "4791")


def _book(server: Server) -> None:
    assert server.client("bernard").mkcol("/dav/bernard/addressbook/", mkcol("CR:addressbook")).status == 201
    _put_all(server, "bernard", "/dav/bernard/addressbook/", HERE / "6352")


WORLDS: dict[str, World] = {
    # by RFC
    "4791": World(("bernard", "lisa"), _bernard),
    "6352": World(("bernard", "lisa"), _book),
}
