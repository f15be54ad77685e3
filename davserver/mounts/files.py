"""The drive at ``/files/``: WsgiDAV as a guest, over the shelf of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wsgidav.dav_error import DAVError

from auth.directory import Directory
from auth.errors import NeedPrivileges
from auth.rates import Rates
from config.schema import Settings
from davserver.dav.errors import UrlTooLong
from davserver.dav.message import Environ, Request, Response
from davserver.dav.multistatus import error_response, href, multistatus, status_response
from davserver.dav.names import DAV
from davserver.dav.target import destination_of
from davserver.dav.xml import open_tag
from davserver.errors import lacking, translate
from davserver.mounts import files_lock, files_make, files_propfind, files_read, files_write, forms, polls
from davserver.mounts.doors import DoorCall
from davserver.mounts.files_acl import acl
from davserver.mounts.files_call import Call, call_of
from davserver.mounts.files_patch import patch
from davserver.mounts.files_read import allowed_at
from davserver.mounts.files_report import report
from davserver.mounts.files_search import search
from davserver.mounts.pim_view import View
from davserver.mounts.preferences import tell_preferences
from davserver.mounts.wsgidav_provider import CALL, ShelfProvider
from davserver.mounts.wsgidav_server import FilesServer
from storage.errors import AlreadyExists, LockConflict, Locked, ReadOnly
from storage.fileterms import Terms
from storage.forms import find_form
from storage.objectnames import RESPONSES, VOTES
from storage.paths import is_within, join
from storage.polls import PollFolder, find_poll
from storage.session import Session
from storage.store import Store

NOT_THE_GUESTS: dict[str, Callable[[Call], Response]] = {
    # why its own handlers are not asked: see ``wsgidav_server``
    "OPTIONS": files_read.options,
    "GET": files_read.get,
    "HEAD": files_read.get,
    "PUT": files_write.put,
    "MKCOL": files_make.mkcol,
    "PATCH": patch,
    "COPY": files_write.copy,
    "MOVE": files_write.move,
    "PROPFIND": files_propfind.propfind,
    "PROPPATCH": files_write.proppatch,
    "LOCK": files_lock.lock,
    "SEARCH": search,
    "ACL": acl,
}
OF_TREES = frozenset({"DELETE", "COPY", "MOVE"})
METHODS = NOT_THE_GUESTS.keys() | {"POST", "REPORT", "DELETE", "UNLOCK"}


class FilesMount:
    """Answers requests below ``/files``."""

    def __init__(self, store: Store, settings: Settings, directory: Directory, rates: Rates) -> None:
        self._settings = settings
        self._directory = directory
        self._handlers = {**NOT_THE_GUESTS, "POST": self._post, "REPORT": self._report}
        self._rates = rates
        self._provider = ShelfProvider(store.locks)
        self._server = FilesServer(self._provider)

    def __call__(self, request: Request, session: Session) -> Response:
        """The answer to one request; failures are raised as the rooms' typed errors."""
        if len(request.path.encode()) > self._settings.limits.path_bytes:
            raise UrlTooLong(f"the path is longer than {self._settings.limits.path_bytes} bytes")
        call = call_of(request, session, self._settings)
        if request.method not in METHODS:
            return Response.text(405, f"{request.method} is not for files\n", ("Allow", allowed_at(call)))
        try:
            answer = self._handlers.get(request.method, self._ask_guest)(call)
            return tell_preferences(request, answer)
        except DAVError as error:
            return _refusal(call, error)
        except (AlreadyExists, ReadOnly) as error:
            if error.path != call.path:
                raise
            answer = translate(error, "files")
            answer.headers = [field for field in answer.headers if field[0] != "Allow"]
            answer.headers.append(("Allow", allowed_at(call)))
            return answer
        except LockConflict as error:
            raise LockConflict(_told(call, error.roots), call.as_asked(error.asked)) from error
        except Locked as error:
            told = _told(call, error.roots)
            if request.method in OF_TREES and all(_is_member(call, path) for path in error.roots):
                return _failed_members(423, DAV.lock_token_submitted, {path: href(path) for path in told})
            raise Locked(told) from error
        except NeedPrivileges as error:
            if error.members:
                told = _told(call, error.members)
                return _failed_members(403, DAV.need_privileges, {path: lacking(path, error.action) for path in told})
            raise NeedPrivileges(call.as_asked(error.path), error.action) from error

    def _post(self, call: Call) -> Response:
        """An answer to a form, a vote, or a file of another folder."""
        poll = find_poll(call.session.store, call.path)
        if poll is not None and call.path == join(poll.path, VOTES):
            return self._vote(call, poll)
        found = find_form(call.session.store, call.path)
        if found is None or call.path != join(found.path, RESPONSES):
            return files_make.post(call)
        call.require_conditions(None)  # of the answer, which is new
        session, base = call.session, call.as_asked(found.path)
        asked = call.request, self._settings, found, session, session.principal, self._rates, base
        return forms.answer(DoorCall(*asked, is_public=False, terms=Terms(call.if_header.lock_tokens)))

    def _vote(self, call: Call, found: PollFolder) -> Response:
        session, base = call.session, call.as_asked(found.path)
        call.get()  # who does not know of the poll learns nothing
        asked = call.request, self._settings, found, session, session.principal, self._rates, base
        return polls.answer(DoorCall(*asked, is_public=False))

    def _report(self, call: Call) -> Response:
        return report(call, View(call.session, self._settings, self._directory))

    def _ask_guest(self, call: Call) -> Response:
        answer = _Answer()
        for _ in self._server(self._environ(call), answer.start):
            pass  # what the guest says in a body is a page for browsers
        return Response.empty(answer.status)

    def _environ(self, call: Call) -> Environ:
        """The guest's environment: the canonical path, nobody's password, and the call."""
        name = call.session.principal.name or ""
        own = {
            "PATH_INFO": call.path,
            "wsgidav.provider": self._provider,
            "wsgidav.verbose": 0,
            "wsgidav.config": {},
            "wsgidav.auth.user_name": name,
            CALL: call,
        }
        return {key: value for key, value in call.request.environ.items() if key != "HTTP_AUTHORIZATION"} | own


def _is_member(call: Call, path: str) -> bool:
    """Whether what is in the way lies in what was addressed, or in what gives way to it, and is not that itself."""
    tops = [call.path]
    if call.request.header("destination") is not None:
        tops.append(call.session.canonical(destination_of(call.request, call.settings.server)))
    return any(path != top and is_within(path, top) for top in tops)


def _failed_members(status: int, condition: str, failed: Mapping[str, str]) -> Response:
    """A tree that has stayed because of some of its members (RFC 4918 §9.6.1, §9.8.5, §9.9.4)."""
    return multistatus([status_response(path, status, open_tag(condition, why)) for path, why in failed.items()])


def _told(call: Call, roots: Iterable[str]) -> list[str]:
    """What is locked, as far as the principal may know of it; else that it is in the way here."""
    known = [node for node in map(call.files.tree.find, roots) if node is not None]
    return [call.href_of(node) for node in known] or [call.as_asked(call.path)]


class _Answer:
    """What the guest starts its answer with; of its headers none is kept."""

    def __init__(self) -> None:
        self.status = 500

    def start(self, status: str, headers: Any, exc_info: Any = None) -> None:
        """WSGI's ``start_response``."""
        self.status = int(status.split()[0])


def _refusal(call: Call, error: DAVError) -> Response:
    """A status that the guest has chosen, with its precondition or one sentence."""
    condition = getattr(error.err_condition, "condition_code", error.err_condition)
    said = str(error.context_info or "")
    if condition:
        return error_response(error.value, str(condition), message=said)
    allow = (("Allow", allowed_at(call)),) if error.value == 405 else ()
    return Response.text(error.value, f"{said or 'refused'}\n", *allow)
