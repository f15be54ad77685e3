"""One request at the link of a folder: what it addresses, in the words of who has the link, and how often it comes."""

from __future__ import annotations

from dataclasses import dataclass

from auth.rates import Rates
from auth.throttle import network_of
from davserver.mounts.files_call import Call
from storage.filetree import Node
from storage.links import Issued
from storage.linkview import LinkView
from storage.session import Session


@dataclass(frozen=True, slots=True)
class LinkCall(Call):
    """
    One request at a folder's link.

    Attributes:
        view: what the link shows.
        writer: a session that may add to the folder; None where the link is for reading.
        rates: how often something comes, by link and by address.
    """

    issued: Issued
    view: LinkView
    writer: Session | None
    rates: Rates

    def as_asked(self, path: str) -> str:
        """A canonical path as the link's visitor knows it."""
        return f"/p/{self.issued.token}{path[len(self.issued.path) :]}"

    def title_of(self, node: Node) -> str:
        """What a resource is called where nobody has given it another name: the folder, too, by its name."""
        return node.name

    def href_of(self, node: Node) -> str:
        """The decoded path of a resource for an href."""
        return self.as_asked(node.path) + ("/" if node.is_folder else "")

    def count_upload(self) -> None:
        """Note a file that comes. Raises TooManyUploads."""
        usual, own = self.settings.links, self.issued.link.uploads_per_minute
        self.rates.take(
            {
                f"{self.issued.path} {self.issued.name}": usual.uploads_per_minute if own is None else own,
                network_of(self.request.remote): usual.uploads_per_minute_of_address,
            }
        )
