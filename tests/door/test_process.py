"""The process: its start, its signals, its end and its log."""

from __future__ import annotations

import json
import signal
import socket
import time

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, USERS, Dav, Server, users_toml


def ended(server: Server, within_s: float = 20) -> int:
    """Starts a server that should not come up; its exit code."""
    with pytest.raises(AssertionError, match="the server ended with"):
        server.start()
    return server.wait(within_s)


def test_the_first_lines_say_what_is_served_where(server: Server) -> None:
    assert f"{server.url}/files/" in server.log
    assert f"{server.url}/dav/" in server.log
    assert str(server.data) in server.log


def test_a_taken_port_is_said_in_one_clear_line(make_server: MakeServer) -> None:
    server = make_server()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", server.port))
        holder.listen()
        # the probe of the harness would take the holder for the server, so the process is watched itself
        server.start_process()
        assert server.wait() == 1
    assert f"port {server.port} is taken by another program" in server.log
    assert "Traceback" not in server.log


def test_broken_server_rules_are_no_start(make_server: MakeServer) -> None:
    server = make_server(access='[[rule]]\npath = "/files"\nwho = "x"\nmay = ["fly"]\n')
    assert ended(server) != 0
    assert "access.toml:4" in server.log
    assert "Traceback" not in server.log


def test_a_second_server_over_the_same_data_does_not_start(server: Server, make_server: MakeServer) -> None:
    other = make_server(settings=f'[storage]\ndata = "{server.data}"\n')
    assert ended(other) == 1
    assert "Traceback" not in other.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_0_and_connections_that_wait_do_not_hold_it(
    server: Server, alice: Dav, number: signal.Signals
) -> None:
    assert alice.propfind("/").status == 207  # its connection stays open
    began = time.monotonic()
    server.send_signal(number)
    assert server.wait(10) == 0
    assert time.monotonic() - began < 3


def test_hangup_and_changed_files_reload_accounts_and_keep_connections(server: Server, alice: Dav) -> None:
    assert alice.propfind("/").status == 207
    server.write_accounts(users=users_toml([*USERS, "erin"]))
    server.send_signal(signal.SIGHUP)
    sock = alice._connection.sock if alice._connection else None
    assert alice.propfind("/").status == 207
    assert alice._connection is not None
    assert alice._connection.sock is sock
    assert server.client("erin").propfind("/").status == 207


def test_broken_accounts_leave_the_old_ones_in_force(server: Server, alice: Dav) -> None:
    server.write_accounts(users="[user.alice\n", access=ACCESS)
    assert alice.propfind("/").status == 207
    assert "users.toml" in server.log


def test_a_request_has_one_line_with_the_member_and_without_the_password(server: Server, alice: Dav) -> None:
    alice.propfind("/", depth="1")
    alice.get("/nowhere/a b")
    server.stop()
    lines = [line for line in server.log.splitlines() if " alice PROPFIND / 207 " in line]
    assert len(lines) == 1
    assert len(lines[0].split()) == 9
    assert any(" - GET /nowhere/a%20b 404 " in line for line in server.log.splitlines())
    assert alice.authorization not in server.log
    assert "secret" not in server.log


def test_the_log_can_be_json(make_server: MakeServer) -> None:
    server = make_server(settings='[log]\nformat = "json"\n').start()
    server.client("alice").propfind("/")
    server.stop()
    entries = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    assert ("alice", "PROPFIND", "/", 207) in {(e["member"], e["method"], e["path"], e["status"]) for e in entries}
