"""The hooks of WsgiDAV that the adapter uses: their names, arguments and order; a version that moves one fails here."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import wsgidav
from wsgidav.dav_error import DAVError, as_DAVError
from wsgidav.dav_provider import DAVCollection, DAVNonCollection, DAVProvider
from wsgidav.request_server import RequestServer

from davserver.mounts.files import METHODS, NOT_THE_GUESTS
from davserver.mounts.wsgidav_provider import SharedLocks, ShelfProvider
from davserver.mounts.wsgidav_server import FilesServer


def test_the_version_is_the_one_that_was_read() -> None:
    assert wsgidav.__version__.startswith("4.4.")


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        (RequestServer.__init__, ["self", "dav_provider"]),
        (RequestServer.__call__, ["self", "environ", "start_response"]),
        (RequestServer.do_DELETE, ["self", "environ", "start_response"]),
        (RequestServer.do_UNLOCK, ["self", "environ", "start_response"]),
        (RequestServer._evaluate_if_headers, ["self", "res", "environ"]),
        (RequestServer._check_write_permission, ["self", "res", "depth", "environ"]),
        (
            RequestServer._send_response,
            ["self", "environ", "start_response", "root_res", "success_code", "error_list"],
        ),
        (DAVProvider.get_resource_inst, ["self", "path", "environ"]),
        (DAVCollection.__init__, ["self", "path", "environ"]),
        (DAVNonCollection.__init__, ["self", "path", "environ"]),
        (DAVCollection.handle_delete, ["self"]),
        (DAVCollection.get_ref_url, ["self"]),
        (DAVCollection.get_href, ["self"]),
        (as_DAVError, ["e"]),
    ],
)
def test_a_hook_takes_the_arguments_it_took(hook: Any, arguments: list[str]) -> None:
    assert list(inspect.signature(hook).parameters) == arguments


@pytest.mark.parametrize(
    ("method", "calls"),
    [
        ("do_DELETE", ["_evaluate_if_headers(", "_check_write_permission(", "handle_delete(", "_send_response("]),
        ("do_UNLOCK", ["_evaluate_if_headers(", "is_url_locked_by_token(", "is_token_locked_by_user(", "release("]),
        ("__call__", ["_possible_methods", "custom_request_handler("]),
    ],
)
def test_a_handler_of_the_guest_asks_our_hooks_in_this_order(method: str, calls: list[str]) -> None:
    source = inspect.getsource(getattr(RequestServer, method))
    places = [source.find(call) for call in calls]
    assert -1 not in places
    assert places == sorted(places)


def test_what_a_handler_raises_travels_inside_the_guests_error() -> None:
    cause = ValueError("ours")
    assert as_DAVError(cause).src_exception is cause
    assert as_DAVError(DAVError(423)).value == 423


def test_the_guest_offers_every_method_that_is_answered() -> None:
    class NoLocks:
        def find(self, token: str) -> None:
            return None

    server = FilesServer(ShelfProvider(NoLocks()))  # type: ignore[arg-type]
    for method in METHODS - NOT_THE_GUESTS.keys() - {"REPORT"}:  # those are answered in front of it
        assert method in server._possible_methods
        assert callable(getattr(server, f"do_{method}"))
    assert SharedLocks(NoLocks()).is_url_locked_by_token("/files/a", "x") is False  # type: ignore[arg-type]
