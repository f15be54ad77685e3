"""
What was decided, as an event in the calendar that ``poll.toml`` names: written once, changed and removed with that.

It is done right after the file was stored, and where that was cut short, whenever a voter looks. Which event it was
stands in the state of the poll; its UID is made of poll and option.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

from auth.errors import AuthError
from auth.principal import fold
from storage import paths
from storage.ballottext import render_decided
from storage.collection import Collection, Home, Item
from storage.errors import FileRefused, NotFound, StorageError
from storage.objectnames import POLL_FILE
from storage.pim_items import put_item, remove_item, require_put
from storage.poll import NEVER, parse_poll
from storage.polls import PollFolder, counted, votes_of
from storage.settingsfile import read_settings
from storage.votes import ANSWERS, tally
from storage.welcome import welcome

if TYPE_CHECKING:
    from storage.records import Folder
    from storage.session import Session
    from storage.store import Store

DECIDED_KEY = "decided"  # in the state of a poll: {option, calendar, said: hash of what the event tells, path of it}

AGAIN_S = 60.0  # after a failure

log = logging.getLogger("davserver.polls")


def settle_decision(store: Store, found: PollFolder) -> None:
    """Have the calendar say what the poll does. What fails is logged, and tried again later when somebody looks."""
    poll, kept, place = found.poll, _kept(store, found), found.folder.place
    wanted = _wanted(found) if poll.decided and poll.calendar else {}
    known = {key: kept[key] for key in ("option", "calendar", "said") if key in kept}
    if store.is_writing or known == wanted or store.undecided.get(place, 0.0) > store.clock() - AGAIN_S:
        return
    session = _owner(store, found.folder)
    if session is None:
        return
    try:
        path, before = _write(session, found) if wanted else None, kept.get("path")
        if isinstance(before, str) and before != path and paths.name_of(before).startswith(f"{found.id}-"):
            _remove(session, before)  # not what the poll made that this one was copied from
        with store.write(place) as tx:
            tx.set_state(place, "", DECIDED_KEY, {**wanted, "path": path} if wanted else None)
        store.undecided.pop(place, None)
    except (StorageError, AuthError, OSError) as error:
        store.undecided[place] = store.clock()
        log.warning("what %s decided could not be written into %s: %s", found.path, poll.calendar, error)


def require_calendar(store: Store, path: str, data: bytes) -> None:
    """Raise FileRefused where a poll.toml decides for a calendar that is not there, or not its owner's to write to."""
    poll, place = parse_poll(data), paths.place_of(paths.parent_of(path)) or ""
    option, folder = poll.option(poll.decided), store.find_folder(place)
    session = None if folder is None else _owner(store, folder)
    if option is None or option.start is None or not poll.calendar or folder is None or session is None:
        return
    home = session.pim.find(paths.join(paths.DAV, folder.owner or ""))
    if isinstance(home, Home) and home.folder is None:  # the first calendar is made with the event
        return
    try:
        require_put(session, _calendar(session, poll.calendar), f"{option.id}.ics", lambda etag: None)
    except (StorageError, AuthError) as error:
        file = read_settings(data, POLL_FILE)
        reason = f"that is no calendar to which {folder.owner} may write"
        file.root.report("calendar", f"calendar is {poll.calendar[:80]!r}", reason)
        raise FileRefused(str(file.problems[0])) from error


def _wanted(found: PollFolder) -> dict[str, str]:
    """What the state says once the event is there, but for its path; of a copied poll it is other than of the first."""
    poll = found.poll
    said = repr((found.id, found.title, poll.description, poll.option(poll.decided)))
    return {
        "option": poll.decided,
        "calendar": poll.calendar,
        "said": hashlib.sha256(said.encode()).hexdigest()[:16],
    }


def _kept(store: Store, found: PollFolder) -> dict[str, Any]:
    kept = store.state(found.folder.place).get("", DECIDED_KEY)
    return dict(kept) if isinstance(kept, dict) else {}


def _owner(store: Store, folder: Folder) -> Session | None:
    """A session of whoever made the poll: the event is that member's, with its rights."""
    accounts, owner = store.accounts, folder.owner
    principal = None if accounts is None or owner is None else accounts.principal(fold(owner))
    return None if principal is None else store.session(principal)


def _write(session: Session, found: PollFolder) -> str | None:
    """Write the event; its path, or None where there is nothing to write."""
    option = found.poll.option(found.poll.decided)
    if option is None or option.start is None:
        return None
    welcome(session)  # somebody who has only ever edited files has no calendar yet
    collection = _calendar(session, found.poll.calendar)
    counts: dict[str, int] = {}
    if found.poll.results != NEVER:
        votes = (vote for _, vote in counted(found, votes_of(session.store, found)))
        counts = tally(votes).get(option.id, dict.fromkeys(ANSWERS, 0))
    uid = f"{found.id}-{option.id}-decided"
    data = render_decided(
        *(found.poll, found.title, option, uid, counts),
        modified_ns=found.row.modified_ns,
        language=session.store.settings.language,
    )
    put_item(session, collection, f"{uid}.ics", data, lambda etag: None)
    return paths.join(collection.path, f"{uid}.ics")


def _remove(session: Session, path: str) -> None:
    item = session.pim.find(path)
    if isinstance(item, Item):
        remove_item(session, item, lambda etag: None)


def _calendar(session: Session, name: str) -> Collection:
    """A calendar in the home of the poll's owner, or ``<owner>/<calendar>`` of somebody else's. Raises NotFound."""
    owner, slash, calendar = name.strip("/").rpartition("/")
    path = paths.join(paths.join(paths.DAV, owner if slash else session.principal.name or ""), calendar)
    found = session.pim.find(path)
    if not isinstance(found, Collection) or "VEVENT" not in found.components:
        raise NotFound(path)
    return found
