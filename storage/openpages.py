"""The pages of a form: what whoever may answer reads of its folder, by a link or as a member with ``create`` only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auth.acl import Access, Action
from auth.principal import Principal
from storage import paths
from storage.form import WORLD
from storage.forms import FormFolder, find_form, may_answer
from storage.linknames import PAGES, is_never_shown
from storage.objectnames import FORM_FILE, FORMS, RESPONSES

if TYPE_CHECKING:
    from storage.session import Session


def pages_of(found: FormFolder) -> frozenset[str]:
    """The names of the pages, and of what they load."""
    return PAGES | frozenset(name for name in found.form.public if not is_never_shown(name))


def may_use(access: Access, principal: Principal, found: FormFolder) -> bool:
    """Whether a member may answer a form."""
    return may_answer(found.form, principal) and access.may(Action.CREATE, paths.join(found.path, RESPONSES))


def reads_page(session: Session, path: str) -> bool:
    """
    Whether a path is that of a page that the principal may use, whatever else it may read there; or of the settings,
    which whom they name reads too.
    """
    above = paths.parent_of(path)
    if paths.parent_of(above) != FORMS:
        return False
    found = find_form(session.store, above)
    if found is None or not may_use(session.access, session.principal, found):
        return False
    return paths.name_of(path) in pages_of(found) or (paths.name_of(path) == FORM_FILE and found.form.who != WORLD)
