"""The hooks of cheroot that the listener overrides: if an update moves one, this fails and not a client."""

from __future__ import annotations

import inspect

import cheroot.server
import cheroot.wsgi

from davserver.listener.exchange import Exchange, Gateway
from davserver.listener.http import Connection, Server
from davserver.listener.workers import Workers


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_methods_that_are_overridden_exist_with_these_arguments() -> None:
    expected = {
        (cheroot.server.HTTPRequest, "parse_request"): ["self"],
        (cheroot.server.HTTPRequest, "respond"): ["self"],
        (cheroot.server.HTTPRequest, "simple_response"): ["self", "status", "msg"],
        (cheroot.server.HTTPRequest, "send_headers"): ["self"],
        (cheroot.server.HTTPRequest, "ensure_headers_sent"): ["self"],
        (cheroot.server.HTTPRequest, "write"): ["self", "chunk"],
        (cheroot.server.HTTPConnection, "communicate"): ["self"],
        (cheroot.server.HTTPConnection, "close"): ["self"],
        (cheroot.wsgi.Gateway_10, "get_environ"): ["self"],
        (cheroot.wsgi.Gateway, "respond"): ["self"],
        (cheroot.wsgi.Gateway, "write"): ["self", "chunk"],
        (cheroot.wsgi.Gateway, "start_response"): ["self", "status", "headers", "exc_info"],
        (cheroot.server.HTTPServer, "prepare"): ["self"],
        (cheroot.server.HTTPServer, "serve"): ["self"],
        (cheroot.server.HTTPServer, "stop"): ["self"],
        (cheroot.server.HTTPServer, "put_conn"): ["self", "conn"],
        (cheroot.server.HTTPServer, "process_conn"): ["self", "conn"],
        (cheroot.server.HTTPServer, "error_log"): ["self", "msg", "level", "traceback"],
    }
    for (owner, name), arguments in expected.items():
        assert parameters(getattr(owner, name)) == arguments, (owner, name)


def test_the_attributes_that_are_read_or_replaced_are_still_cheroots() -> None:
    request = inspect.getsource(cheroot.server.HTTPRequest.__init__)
    for name in ("outheaders", "sent_headers", "close_connection", "chunked_write", "ready", "status"):
        assert f"self.{name} =" in request
    assert "self._connections = connections.ConnectionManager(self)" in inspect.getsource(
        cheroot.server.HTTPServer.prepare
    )
    stopping = inspect.getsource(cheroot.server.HTTPServer.stop)
    assert "self._connections.stop()" in stopping
    assert "self._connections.close()" in stopping
    assert "self.requests.stop(self.shutdown_timeout)" in stopping
    assert "self.requests.start()" in inspect.getsource(cheroot.server.HTTPServer.prepare)
    assert "self.remaining_bytes_out = int(v)" in inspect.getsource(cheroot.wsgi.Gateway.start_response)
    assert "self.requests.put(conn)" in inspect.getsource(cheroot.server.HTTPServer.process_conn)


def test_our_classes_stand_in_cheroots_places() -> None:
    assert issubclass(Exchange, cheroot.server.HTTPRequest)
    assert issubclass(Gateway, cheroot.wsgi.Gateway_10)
    assert Connection.RequestHandlerClass is Exchange
    assert Server.ConnectionClass is Connection
    pool = {name for name in ("start", "put", "stop", "idle", "qsize") if hasattr(Workers, name)}
    assert pool == {"start", "put", "stop", "idle", "qsize"}
