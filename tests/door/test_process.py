"""The process: its start, its signals, its end and its log."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

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


def test_a_renewed_certificate_is_taken_without_a_restart_and_a_broken_one_is_not(
    make_server: MakeServer, tmp_path: Path
) -> None:
    def issue(name: str) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-subj", f"/CN={name}", "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
        subprocess.run(command, check=True, capture_output=True)

    def presented() -> bytes:
        try:
            with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=5)) as tls:
                return tls.getpeercert(binary_form=True) or b""
        except OSError:
            return b""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    issue("one")
    files = f'certificate = "{tmp_path}/cert.pem"\nprivate_key = "{tmp_path}/key.pem"'
    server = make_server(settings=f"[server]\n{files}\n")
    server.start_process()
    assert eventually(presented)
    first = presented()
    assert f"https://127.0.0.1:{server.port}/files/" in server.log
    (tmp_path / "cert.pem").write_text("broken")
    assert eventually(lambda: "the certificate stays as it was" in server.log)
    assert presented() == first
    issue("two")  # nobody sends a signal
    assert eventually(lambda: presented() not in (b"", first))


def eventually(holds: Callable[[], object], within_s: float = 30) -> bool:
    """Whether something comes to hold."""
    until = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


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


def test_a_listener_on_both_families_knows_its_ipv4_proxy_and_logs_plain_addresses(
    make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server(settings='[server]\ntrusted_proxies = ["127.0.0.1"]\n')
    if both := knows_ipv6():  # on a machine without, IPv4 alone is what there is to see
        monkeypatch.setenv("DAVSERVER_LISTEN", f"[::]:{server.port}")
    alice = server.start().client("alice")
    through = {"X-Forwarded-For": "192.0.2.7"}
    assert alice.options("/files/", {**through, "X-Forwarded-Proto": "https"}).status == 200
    assert alice.options("/files/", {**through, "X-Forwarded-Proto": "http"}).status == 403
    if both:
        assert Dav(server.port, "alice", host="::1").options("/files/").status == 200
    server.stop()
    lines = [line.split() for line in server.log.splitlines() if " OPTIONS /files/ " in line]
    assert sorted((fields[2], fields[6]) for fields in lines) == [  # a line is written after its answer was sent
        *(("192.0.2.7", "200"), ("192.0.2.7", "403")),
        *([("::1", "200")] if both else []),
    ]


def knows_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_the_log_can_be_json(make_server: MakeServer) -> None:
    server = make_server(settings='[log]\nformat = "json"\n').start()
    server.client("alice").propfind("/")
    server.stop()
    entries = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    assert ("alice", "PROPFIND", "/", 207) in {(e["member"], e["method"], e["path"], e["status"]) for e in entries}
