"""
What the shelf of files does otherwise where files are objects: in boards, whose folders are columns, and in notebooks.

The file view and the calendar view of an object are one thing: a file that is moved stays the object that it is, takes
on what its new column says, and a program that saves by writing another file and renaming it changes no byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tomlkit

from auth.tables import TomlFile
from storage import board, boards, form, notebooks, paths, poll
from storage.answers import parse_answer
from storage.board import DONE, Column
from storage.errors import FileRefused, NameRefused, PlaceRefused, PreconditionFailed
from storage.frontmatter import Value, edited, parse_document
from storage.objectleft import LEFT_KEY, note_left, to_path
from storage.objectmoments import utc
from storage.objectnames import (
    ATTACHED,
    BOARD_FILE,
    BOARDS,
    FORM_FILE,
    FORMS,
    NOTEBOOK_FILE,
    NOTES,
    POLL_FILE,
    POLLS,
    PROPOSALS,
    RESPONSES,
    VOTES,
    is_answer,
    is_object,
    is_settings,
)
from storage.objects import OBJECT_KEY, new_collection_id
from storage.polls import is_vote_path
from storage.settingsfile import require_sound
from storage.starters import settle_starters

if TYPE_CHECKING:
    from storage.fileterms import Terms
    from storage.filetree import Node
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store
    from storage.transaction import Transaction

ANSWERS = (".json",)
LOCKED_S = 600  # an object is not to be kept from phones for longer
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    BOARDS: boards.BoardKind.suffixes,
    NOTES: notebooks.NotebookKind.suffixes,
}


def top_of(path: str) -> str | None:
    """The folder of all boards or notes that a path lies in."""
    return next((top for top in SUFFIXES if path.startswith(top + "/")), None)


def is_object_path(path: str) -> bool:
    """Whether a file at a path would be a card or note."""
    top = top_of(path)
    if top is None or not is_object(paths.name_of(path), SUFFIXES[top]):
        return False
    return top == NOTES or 5 <= path.count("/") + 1 <= 6


def _require_toml(data: bytes) -> None:
    file = TomlFile(data.decode("utf-8", "replace"), NOTEBOOK_FILE)
    require_sound(file)


def _require_answer(data: bytes) -> None:
    if parse_answer(data) is None:
        raise FileRefused('no answer: write {"time": "2026-11-23T14:15:00Z", "answers": {"name": "Eva"}}')


def settings_reader(path: str) -> Callable[[bytes], object] | None:
    """What judges a file at a path before it comes into force; None where it is no such file."""
    if is_answer(path):
        return _require_answer
    if not is_settings(path):
        return None
    return READERS[next(top for top in READERS if path.startswith(top + "/"))]


READERS: Mapping[str, Callable[[bytes], object]] = {
    # what says whether the file of settings of a folder below can come into force
    BOARDS: board.parse_board,
    NOTES: _require_toml,
    FORMS: form.parse_form,
    POLLS: poll.parse_poll,
}


def require_settings(path: str, data: bytes) -> None:
    """Raise FileRefused where what is to be stored at a path comes into force and is broken."""
    reader = settings_reader(path)
    if reader is not None:
        reader(data)


def require_no_settings(path: str) -> None:
    """Raise NameRefused for a name under which no file is added, but put."""
    if is_vote_path(path):
        raise NameRefused(paths.name_of(path), "is that of a vote or proposal; PUT it")
    if settings_reader(path) is not None:
        raise NameRefused(paths.name_of(path), "is that of the file which says what the folder is; PUT it")


def require_folder(session: Session, path: str, node: Node | None = None) -> None:
    """
    Raise PlaceRefused for a folder within a column: a board has columns, and in those only folders of attachments.

    Args:
        node: the folder that is to come there with all that is in it.
    """
    parts = path.split("/")
    if path.startswith(POLLS + "/") and len(parts) > 5 and parts[4] in (VOTES, PROPOSALS):
        raise PlaceRefused(path, "votes and proposals lie there, one file of each voter, and no folders")
    if not path.startswith(BOARDS + "/"):
        return
    below = (
        [""] if node is None else [folder.place[len(node.folder.place) :] for folder in session.store.tree(node.folder)]
    )
    for each in below:
        column, *rest = (path + each).split("/")[4:] or ("",)
        if rest and not column.endswith(ATTACHED) and not rest[0].endswith(ATTACHED):
            raise PlaceRefused(path, f"a column holds cards, and folders of attachments that end with {ATTACHED}")


def files_of_answer(session: Session, path: str) -> Node | None:
    """The folder of what came along with the answer to a form at a path, where there is one."""
    if not path.startswith(FORMS + "/") or path.count("/") != 5 or paths.name_of(paths.parent_of(path)) != RESPONSES:
        return None
    if not is_object(paths.name_of(path), ANSWERS):
        return None
    node = session.files.tree.find(path.removesuffix(ANSWERS[0]) + ATTACHED)
    return node if node is not None and node.is_folder else None


def furnish(session: Session, tx: Transaction, path: str) -> None:
    """Make a new folder what it is to be by lying in Boards, Notes, Forms or Polls, in the configured language."""
    top = paths.parent_of(path)
    if top not in FURNITURE:
        return
    store, place, id = session.store, paths.place_of(path) or "", new_collection_id()
    name, render, folders = FURNITURE[top]
    with store.scratch(place) as scratch:
        scratch.write(render(id, store.settings.language))
        tx.put(place, name, scratch)
    folder = tx.find_folder(place)
    if folder is not None:
        tx.set_state(place, "", OBJECT_KEY, {"id": id, "inode": folder.inode})
    for below in folders(store.settings.language):
        tx.make_folder(f"{place}/{below}")
    settle_starters(session, tx, paths.join(path, name))


FURNITURE: Mapping[str, tuple[str, Callable[[str, str], bytes], Callable[[str], Sequence[str]]]] = {
    # in a new folder below: the file that says what it is, made of id and language, and the folders in it
    BOARDS: (BOARD_FILE, board.render_new, lambda language: board.DEFAULTS[language]),
    NOTES: (NOTEBOOK_FILE, lambda id, language: b"", lambda language: ()),
    FORMS: (FORM_FILE, form.render_new, lambda language: (RESPONSES,)),
    POLLS: (POLL_FILE, poll.render_new, lambda language: (VOTES,)),
}


def is_one_collection(session: Session, source: str, target: str) -> bool:
    """Whether a file stays in its board or notebook, for which the right to write is enough."""
    top = top_of(source)
    if top is None or not is_object_path(target) or top != top_of(target):
        return False
    if top == BOARDS:
        return source.split("/")[3] == target.split("/")[3]
    return _notebook_of(session.store, source) == _notebook_of(session.store, target)


def _notebook_of(store: Store, path: str) -> str:
    above = paths.parent_of(path)
    while above != NOTES:
        folder = store.find_folder(paths.place_of(above) or "")
        if folder is not None and store.find_member(folder, NOTEBOOK_FILE) is not None:
            return above
        above = paths.parent_of(above)
    return above


def kept_over(tx: Transaction, place: str, name: str, kept: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a file that takes the place of another one: it becomes the object that the other was."""
    present = tx.state(place).get(name, OBJECT_KEY)
    kept.pop(OBJECT_KEY, None)
    return kept if present is None else {**kept, OBJECT_KEY: present}


def settle_moved(session: Session, tx: Transaction, source: str, target: str, *, over: bool) -> None:
    """After a file was renamed: an object is called like its file, and done where its column says so."""
    if over or not is_object_path(source) or not is_object_path(target):
        return
    store, (place, name) = session.store, _spot(target)
    if is_one_collection(session, source, target):
        note_left(session, tx, *_spot(source), target)
    folder = tx.find_folder(place)
    if folder is None:
        return
    changes: dict[str, Value | None] = {}
    data = _read(store, tx, folder, name)
    document = parse_document(data)
    if paths.name_of(source) != paths.name_of(target) and "title" in document.values:
        changes["title"] = None
    before, after = _columns(store, source, target)
    if before is not None and after is not None and before != after:
        changes |= _of_column(session, tx, document.values, place, name, before, after)
    if changes and not document.problem:
        with store.scratch(place) as scratch:
            scratch.write(edited(document, changes))
            tx.put(place, name, scratch, by=session.principal.name)


def _of_column(
    session: Session,
    tx: Transaction,
    values: Mapping[str, Value],
    place: str,
    name: str,
    before: Column,
    after: Column,
) -> dict[str, Value | None]:
    changes: dict[str, Value | None] = {"status": None} if "status" in values else {}
    if after.status == DONE and before.status != DONE:
        changes["completed"] = utc(session.store.clock())
        kept = tx.state(place).get(name, OBJECT_KEY)
        tx.set_state(place, name, OBJECT_KEY, {**(kept if isinstance(kept, dict) else {}), "from": before.name})
    elif after.status != DONE and "completed" in values:
        changes["completed"] = None
    return changes


def _read(store: Store, tx: Transaction, folder: Folder, name: str) -> bytes:
    row = tx.find_member(folder.place, name)
    if row is None:
        return b""
    with open(store.file(folder.place, row.disk_name), "rb") as file:
        return file.read()


def _columns(store: Store, source: str, target: str) -> tuple[Column | None, Column | None]:
    """The columns that a card comes from and goes to; None outside of columns."""
    before = _column(store, source)
    is_same = paths.parent_of(source) == paths.parent_of(target)
    return (before, before) if is_same else (before, _column(store, target))


def _column(store: Store, path: str) -> Column | None:
    if not path.startswith(BOARDS + "/") or path.count("/") != 5:
        return None
    folder = store.find_folder(paths.place_of("/".join(path.split("/")[:4])) or "")
    room = None if folder is None else store.views.boards.layout(store, folder).room(path.split("/")[4])
    return None if room is None else room.means


def find_left(session: Session, path: str, read: Callable[[], bytes], terms: Terms) -> str | None:
    """
    Where the object is that a file to be stored at a path is meant for: it left that path within a day.

    None where the file names another object, or is to be a new one (``If-None-Match: *``).
    """
    if not is_object_path(path):
        return None
    place, name = _spot(path)
    went = to_path(session.store.state(place).get(name, LEFT_KEY), session.store.clock())
    node = None if went is None else session.files.tree.find(went)
    if node is None or node.member is None:
        return None
    kept = session.store.state(node.folder.place).get(node.member.name, OBJECT_KEY)
    uid, said = kept.get("uid") if isinstance(kept, dict) else None, parse_document(read()).values.get("uid")
    if said is not None and said != uid:
        return None
    try:
        terms.check(node)
    except PreconditionFailed:
        return None
    return node.path


def lock_timeout_s(path: str, timeout_s: int) -> int:
    """For how long a lock is granted."""
    has_view = is_object_path(path) or is_answer(path) or is_vote_path(path)
    return min(timeout_s, LOCKED_S) if has_view else timeout_s


def rename_column(session: Session, tx: Transaction, source: str, target: str | None) -> None:
    """Say in ``board.toml`` what a column is called now, or with None that it is gone."""
    if not source.startswith(BOARDS + "/") or source.count("/") != 4 or source.endswith(ATTACHED):
        return
    if target is not None and paths.parent_of(target) != paths.parent_of(source):
        target = None
    store, place = session.store, paths.place_of(paths.parent_of(source)) or ""
    folder = tx.find_folder(place)
    row = None if folder is None else tx.find_member(place, BOARD_FILE)
    if folder is None or row is None:
        return
    data = _renamed(_read(store, tx, folder, row.name), paths.name_of(source), target and paths.name_of(target))
    if data is None:
        return
    with store.scratch(place) as scratch:
        scratch.write(data)
        tx.put(place, BOARD_FILE, scratch, by=session.principal.name)


def _renamed(data: bytes, name: str, to_name: str | None) -> bytes | None:
    """The file with one column called otherwise or left out; None where that is not to be done."""
    try:
        document: Any = tomlkit.parse(data.decode())
        columns = document.get("column", [])
        found = next((number for number, column in enumerate(columns) if column.get("name") == name), None)
        if found is None:
            return None
        if to_name is None:
            del columns[found]
        else:
            columns[found]["name"] = to_name
        changed = tomlkit.dumps(document).encode()
        board.parse_board(changed)
    except (ValueError, FileRefused, AttributeError, TypeError):
        return None
    return changed


def _spot(path: str) -> tuple[str, str]:
    return paths.place_of(paths.parent_of(path)) or "", paths.name_of(path)
