"""
WsgiDAV's request server for ``/files/``, without its middlewares.

WsgiDAV decides what DELETE and UNLOCK need and in which order. These methods never come to it (see
``files.NOT_THE_GUESTS``), each for a reason beside the tenth of a millisecond that its dispatch takes:

=================  ====================================================================================================
OPTIONS            class 3; a URL that holds nothing yet answers 200 with PUT and LOCK, which LibreOffice needs
GET, HEAD          several ranges, ``sendfile``, a folder is 200 as text; the guest reads 8 KiB at a time and says 403
PUT                the guest makes an empty file before it has read the body and writes in place
PROPFIND           the guest builds one tree of the whole answer, leaves ``getetag`` unquoted and ignores ``include``
PROPPATCH, LOCK    the guest's XML parser is lxml, unbounded, where that is installed; LOCK makes the empty file before
                   it asks for conflicts, PROPPATCH sets properties one by one
MKCOL              the guest takes no body, and a chunked one for none
COPY, MOVE         the guest decodes Destination before it splits it, so ``?`` and ``;`` in names are lost, answers 502
                   to a Destination with user and password in it, and moves file by file
If, If-Match …     evaluated by our linear parser, and once more under the folder's write lock
=================  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wsgidav.request_server import RequestServer

from davserver.dav.if_header import parse_lock_token
from davserver.dav.message import Environ
from davserver.mounts.wsgidav_provider import ShelfProvider, call_in, require_unlock

StartResponse = Callable[..., Any]


class FilesServer(RequestServer):  # type: ignore[misc]
    """Method machinery of RFC 4918 over ``ShelfProvider``."""

    def __init__(self, provider: ShelfProvider) -> None:
        super().__init__(provider)
        self._locks = provider.lock_manager

    def do_UNLOCK(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """As the guest's; who has ``admin`` there may take away the lock of somebody else."""
        call = call_in(environ)
        token = environ["HTTP_LOCK_TOKEN"] = parse_lock_token(call.request.header("lock-token"))
        lock = call.session.store.locks.find(token)
        if lock is not None and call.find() is not None and self._locks.is_url_locked_by_token(call.path, token):
            if lock.principal != call.session.principal.name:
                require_unlock(call)
            environ["wsgidav.user_name"] = lock.principal
        answer: Iterable[bytes] = super().do_UNLOCK(environ, start_response)
        return answer

    def _evaluate_if_headers(self, res: Any, environ: Environ) -> None:
        """The guest's hook for If, If-Match and their kin, asked for the addressed resource."""
        call_in(environ).require_conditions(None if res is None else res.node)

    def _check_write_permission(self, res: Any, depth: str, environ: Environ) -> None:
        """The guest's hook for locks; what lies below is asked by the shelf, under its write lock."""
        if res is not None:
            call = call_in(environ)
            name = call.session.principal.name or ""
            self._locks.require(res.get_ref_url(), call.if_header.lock_tokens, name)

    def _send_response(
        self, environ: Environ, start_response: StartResponse, root_res: Any, success_code: int, error_list: Any
    ) -> Iterable[bytes]:
        """The guest packs what a handler raised; here it goes on as it was, to the one translation."""
        for _, error in error_list or ():
            raise getattr(error, "src_exception", None) or error
        answer: Iterable[bytes] = super()._send_response(environ, start_response, root_res, success_code, error_list)
        return answer
