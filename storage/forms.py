"""
Forms: folders in ``/files/Forms/`` with a ``form.toml``, and the answers that people give.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auth.principal import Principal, fold
from storage import paths
from storage.collectionid import collection_id
from storage.form import MEMBERS, WORLD, Form
from storage.objectnames import FORM_FILE, FORMS, RESPONSES, is_object

if TYPE_CHECKING:
    from storage.records import Folder, Member
    from storage.store import Store

SUFFIXES = (".json",)  # of the files of answers


@dataclass(frozen=True, slots=True)
class FormFolder:
    """
    A form.

    Attributes:
        row: of its ``form.toml``.
        form: what that says; while it is broken, what it said before.
        id: resolved: that of a copy is another one than its ``form.toml`` says.
    """

    store: Store
    folder: Folder
    row: Member
    form: Form
    id: str

    @property
    def path(self) -> str:
        """Canonical."""
        return self.folder.path

    @property
    def title(self) -> str:
        """Its title, else the name of its folder."""
        return self.form.title or paths.nfc(self.folder.name)

    @property
    def answers(self) -> Folder | None:
        """The folder of its answers."""
        return self.store.find_folder(f"{self.folder.place}/{RESPONSES}")

    def is_over(self, principal: Principal | None) -> bool:
        """Whether it takes no answers of somebody any more; they are counted only where it has a number of them."""
        answers = self.answers if self.form.max_responses is not None else None
        own = own_answer(self.form, None if principal is None else principal.name)
        count = 0 if answers is None else count_answers(self.store.members(answers), (own,))
        return not is_open(self.form, self.store.clock(), count)


def find_form(store: Store, path: str) -> FormFolder | None:
    """The form that a canonical path is, or lies in."""
    if not path.startswith(FORMS + "/"):
        return None
    folder = store.find_folder(paths.place_of("/".join(path.split("/")[:4])) or "")
    row = None if folder is None else store.find_member(folder, FORM_FILE)
    if folder is None or row is None:
        return None
    form = store.forms.read(store, folder, row)
    return FormFolder(store, folder, row, form, collection_id(store, folder, form.id))


def may_answer(form: Form, principal: Principal | None) -> bool:
    """Whether a form is for somebody; None is whoever has its public link."""
    if form.who == WORLD:
        return True
    if principal is None or principal.name is None:
        return False
    return form.who == MEMBERS or any(fold(name) in principal.names for name in form.who)


def is_open(form: Form, now_s: float, count: int) -> bool:
    """Whether a form takes another answer, as it has so many."""
    is_over = form.closes is not None and now_s >= form.closes.timestamp()
    return not is_over and (form.max_responses is None or count < form.max_responses)


def own_answer(form: Form, member: str | None) -> str | None:
    """The file of a member's answer, where each has one; another answer replaces it."""
    return f"{member}{SUFFIXES[0]}" if form.once and member is not None else None


def count_answers(members: Sequence[Member], replaced: Container[str | None] = ()) -> int:
    """How many answers there are among the files of their folder, but for those that are to be replaced."""
    return sum(is_object(member.name, SUFFIXES) and member.name not in replaced for member in members)
