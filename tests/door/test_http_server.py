"""The HTTP server over sockets, with a small WSGI application behind it that says what it was given."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.schema import Limits, Settings
from config.schema import Server as ServerSettings
from davserver.accesslog import AccessLog
from davserver.dav.message import FileBody, Response
from davserver.listener.http import Server
from davserver.trip import Trip
from tests.harness import free_port

MIB = 1 << 20
SETTINGS = Settings(server=ServerSettings(threads=4, shutdown_timeout_s=5), limits=Limits(upload_bytes=64 * MIB))


class Probe:
    """The application; ``gate`` holds ``/wait`` until it is set."""

    def __init__(self, folder: Path) -> None:
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.file = folder / "file"
        self.open_files: list[int] = []

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/read":
            digest, total = hashlib.sha256(), 0
            while block := environ["wsgi.input"].read(65536):
                digest.update(block)
                total += len(block)
            return self.say(start_response, f"{total} {digest.hexdigest()}")
        if path == "/file":
            return self.trip(environ, start_response)
        if path == "/stream":
            start_response("200 OK", [])
            return (b"piece" * 1000 for _ in range(40))
        if path == "/probe":
            start_response("204 No Content", [("X-Probed", environ.get("HTTP_X_PROBE", "-"))])
            return []
        if path == "/short":
            start_response("200 OK", [("Content-Length", "10")])
            return [b"123"]
        if path == "/none":
            start_response("204 No Content", [])
            return []
        if path == "/broken":
            raise RuntimeError("broken")
        if path == "/wait":
            self.entered.set()
            self.gate.wait(10)
        return self.say(start_response, f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}")

    def say(self, start_response: Callable, text: str) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text.encode()]

    def trip(self, environ: dict, start_response: Callable) -> Trip:
        fd = os.open(self.file, os.O_RDONLY)
        self.open_files.append(fd)
        trip = Trip(environ, AccessLog("text"))
        headers = trip.finish(Response(200, [], FileBody(fd, 0, os.fstat(fd).st_size)))
        start_response("200 OK", headers)
        return trip


class Running:
    """A server in threads of this process."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.app = Probe(folder)
        self.port = free_port()
        self.server = Server(self.app, replace(settings, server=replace(settings.server, port=self.port)))
        self.server.prepare()
        self._thread = threading.Thread(target=self.server.serve)
        self._thread.start()

    def stop(self) -> None:
        self.app.gate.set()
        if self._thread.is_alive():
            self.server.end()
            self._thread.join()
            self.server.stop()

    def connect(self, timeout_s: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)

    def talk(self, data: bytes, timeout_s: float = 10) -> bytes:
        """All that comes back until the server closes."""
        with self.connect(timeout_s) as sock:
            sock.sendall(data)
            return read_all(sock)

    def get(self, path: str = "/") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse()


def read_all(sock: socket.socket) -> bytes:
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(settings: Settings = SETTINGS) -> Running:
        started.append(Running(settings, tmp_path))
        return started[-1]

    yield begin
    for running in started:
        running.stop()


@pytest.fixture
def running(start: Callable[..., Running]) -> Running:
    return start()


def request(method: str = "GET", path: str = "/", *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: h", *fields, "", ""]).encode() + body


CLOSE = "Connection: close"


# -- bodies


@pytest.mark.rfc("9112", "7.1")
def test_a_chunked_body_arrives_whole_however_it_is_cut(running: Running) -> None:
    body = b"5;name=value\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    with running.connect() as sock:
        sock.sendall(request("PUT", "/read", "Transfer-Encoding: chunked", CLOSE))
        for at in range(len(body)):
            sock.sendall(body[at : at + 1])
        answer = read_all(sock)
    assert b"16 " + hashlib.sha256(b"hello 0123456789").hexdigest().encode() in answer


@pytest.mark.parametrize("body", [b"x\r\n", b"-5\r\nhello\r\n", b"5\r\nhelloX\r\n", b"\r\n\r\n", b"F" * 20 + b"\r\n"])
def test_a_malformed_chunk_ends_the_connection(running: Running, body: bytes) -> None:
    answer = running.talk(request("PUT", "/read", "Transfer-Encoding: chunked", body=body))
    assert not answer.startswith(b"HTTP/1.1 200")
    assert running.get().status == 200


def test_a_chunked_body_beyond_the_limit_is_cut_off(running: Running) -> None:
    size = b"%x\r\n" % (65 * MIB)
    assert not running.talk(request("PUT", "/read", "Transfer-Encoding: chunked", body=size)).startswith(
        b"HTTP/1.1 200"
    )


@pytest.mark.rfc("9110", "10.1.1")
def test_the_client_is_told_to_continue_only_when_the_body_is_wanted(running: Running) -> None:
    expecting = ("Content-Length: 5", "Expect: 100-continue")
    with running.connect() as sock:
        sock.sendall(request("PUT", "/read", *expecting))
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK")
    answer = running.talk(request("PUT", "/unread", *expecting))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in answer


def test_a_body_nobody_reads_does_not_spoil_the_next_request(running: Running) -> None:
    body = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n" * 100
    first = request("PUT", "/first", f"Content-Length: {len(body)}", body=body)
    answer = running.talk(first + request("GET", "/second", CLOSE))
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"/second" in answer
    assert b"smuggled" not in answer


def test_the_answer_to_a_large_body_nobody_reads_reaches_a_client_that_sends_it_all(running: Running) -> None:
    size = 40 * MIB
    with running.connect() as sock:
        sock.sendall(request("PUT", "/unread", f"Content-Length: {size}"))
        for _ in range(size // MIB):
            sock.sendall(bytes(MIB))
        assert read_all(sock).startswith(b"HTTP/1.1 200 OK")


def test_a_large_body_is_read_in_constant_memory(running: Running) -> None:
    size = 60 * MIB
    with running.connect() as sock:
        sock.sendall(request("PUT", "/read", f"Content-Length: {size}", CLOSE))
        for _ in range(size // MIB):
            sock.sendall(bytes(MIB))
        assert f"{size} {hashlib.sha256(bytes(size)).hexdigest()}".encode() in read_all(sock)


def test_a_client_that_ends_its_body_early_gets_no_success(running: Running) -> None:
    with running.connect() as sock:
        sock.sendall(request("PUT", "/read", "Content-Length: 10", body=b"123"))
        sock.shutdown(socket.SHUT_WR)
        assert not read_all(sock).startswith(b"HTTP/1.1 200")


# -- answers


def test_requests_that_come_at_once_are_answered_in_order(running: Running) -> None:
    answer = running.talk(b"".join(request("GET", f"/{n}") for n in range(20)) + request("GET", "/last", CLOSE))
    positions = [answer.index(f"GET /{n}".encode()) for n in [*range(20), "last"]]
    assert positions == sorted(positions)
    assert answer.count(b"HTTP/1.1 200 OK") == 21


def test_a_connection_is_kept_between_requests_and_after_a_pause(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    for pause_s in (0, 0, 0.05, 0):
        time.sleep(pause_s)
        connection.request("GET", "/a")
        assert connection.getresponse().read() == b"GET /a"
    connection.close()


def test_fields_that_change_from_request_to_request_arrive_as_they_were_sent(running: Running) -> None:
    steps = [["X-Probe: a"], ["X-Probe: a"], ["X-Probe: b"], [], ["X-Probe: a", "X-Probe: c"], ["X-Probe: a"]]
    answer = running.talk(b"".join(request("GET", "/probe", *fields) for fields in steps) + request("GET", "/", CLOSE))
    assert [line for line in answer.decode().split("\r\n") if line.startswith("X-Probed")] == [
        f"X-Probed: {probe}" for probe in ("a", "a", "b", "-", "a, c", "a")
    ]


def test_what_a_client_sends_while_it_is_answered_is_answered_afterwards(running: Running) -> None:
    with running.connect() as sock, running.connect() as gone:
        sock.sendall(request("GET", "/wait"))
        assert running.app.entered.wait(5)
        sock.sendall(request("GET", "/after", CLOSE))
        gone.sendall(request("GET", "/wait"))
        gone.close()
        for n in range(20):
            assert running.get(f"/{n}").read() == f"GET /{n}".encode()
        waited_for = [conn.head.target for conn in running.server.reception._guests() if conn.head is not None]
        assert "/wait" not in waited_for  # else the selector would report at once, again and again, what has come
        running.app.gate.set()
        answer = read_all(sock)
    assert answer.index(b"GET /wait") < answer.index(b"GET /after")


@pytest.mark.rfc("9110", "9.3.2")
def test_head_has_the_fields_of_get_and_no_body(running: Running) -> None:
    answer = running.talk(request("HEAD", "/abc") + request("HEAD", "/stream", CLOSE))
    assert b"Content-Length: 9\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")
    assert b"HEAD /abc" not in answer
    assert b"Transfer-Encoding" not in answer


@pytest.mark.rfc("9110", "15.3.5")
def test_no_content_has_no_length_and_the_connection_stays(running: Running) -> None:
    answer = running.talk(request("GET", "/none") + request("GET", "/a", CLOSE))
    assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"Content-Length" not in answer.partition(b"\r\n\r\n")[0]
    assert b"GET /a" in answer


def test_a_stream_is_chunked_for_1_1_and_ends_with_the_connection_for_1_0(running: Running) -> None:
    assert running.get("/stream").read() == b"piece" * 40_000
    answer = running.talk(b"GET /stream HTTP/1.0\r\n\r\n")
    assert answer.partition(b"\r\n\r\n")[2] == b"piece" * 40_000


def test_an_answer_shorter_than_promised_ends_the_connection(running: Running) -> None:
    answer = running.talk(request("GET", "/short") + request("GET", "/next"))
    assert answer.endswith(b"123")


def test_a_failure_of_the_application_is_500_and_the_server_goes_on(running: Running) -> None:
    assert running.get("/broken").status == 500
    assert running.get("/a").status == 200


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 20 * MIB])
def test_a_file_goes_out_whole_and_is_closed(running: Running, size: int) -> None:
    running.app.file.write_bytes(os.urandom(size))
    assert running.get("/file").read() == running.app.file.read_bytes()
    time.sleep(0.05)
    for fd in running.app.open_files:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)


# -- heads


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (request("PUT", "/", "Content-Length: 5", "Content-Length: 5", body=b"hello"), 400),
        (request("PUT", "/", "Content-Length: -5"), 400),
        (request("PUT", "/", "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
        (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        (request("GET", "/", "X: " + "y" * 40_000), 431),
        (request("GET", "/", *["X: y"] * 101), 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 400),  # the beginning of a TLS handshake
    ],
)
def test_a_head_that_cannot_be_taken_is_refused_and_logged_and_the_connection_closed(
    running: Running, data: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = running.talk(data)
    assert f"a head from 127.0.0.1 is refused with {status}: " in caplog.text
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"Connection: close") == 1
    assert running.get().status == 200


def test_a_head_without_end_is_refused_when_it_is_too_long(running: Running) -> None:
    assert running.talk(b"GET / HTTP/1.1\r\nX: " + b"y" * 50_000).startswith(b"HTTP/1.1 431 ")


def test_blank_lines_before_a_request_are_dropped(running: Running) -> None:
    assert b"GET /a" in running.talk(b"\r\n\r\n" + request("GET", "/a", CLOSE))


# -- slow and many


def answered_within(running: Running, seconds: float) -> bool:
    began = time.monotonic()
    assert running.get("/next").status == 200
    return time.monotonic() - began < seconds


def test_slow_heads_and_idle_connections_hold_nobody_up(running: Running) -> None:
    slow = [running.connect() for _ in range(60)]
    for sock in slow[:40]:
        sock.sendall(b"GET / HTTP/1.1\r\nHost")
    assert answered_within(running, 0.5)
    for sock in slow:
        sock.close()


def test_slow_bodies_hold_nobody_up(running: Running) -> None:
    slow = [running.connect() for _ in range(50)]
    for sock in slow:
        sock.sendall(request("PUT", "/read", "Content-Length: 1000", body=b"x"))
    time.sleep(0.2)
    assert answered_within(running, 0.5)
    for sock in slow:
        sock.close()


def test_clients_that_do_not_read_hold_nobody_up(running: Running) -> None:
    running.app.file.write_bytes(bytes(32 * MIB))
    deaf = [running.connect() for _ in range(50)]
    for sock in deaf:
        sock.sendall(request("GET", "/file"))
    time.sleep(0.2)
    assert answered_within(running, 0.5)
    for sock in deaf:
        sock.close()


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_answers_that_take_long_hold_nobody_up(running: Running, method: str) -> None:
    slow = [running.connect() for _ in range(3)]  # one fewer than there are threads
    for sock in slow:
        running.app.entered.clear()
        sock.sendall(request(method, "/wait", CLOSE))
        assert running.app.entered.wait(5)
    for number in range(20):
        assert running.get(f"/{number}").status == 200
    running.app.gate.set()
    for sock in slow:
        assert read_all(sock).startswith(b"HTTP/1.1 200 OK")
        sock.close()


def test_requests_that_find_every_thread_at_work_are_answered_when_one_is_done(running: Running) -> None:
    slow = [running.connect() for _ in range(8)]  # twice as many as there are threads
    for sock in slow:
        sock.sendall(request("GET", "/wait", CLOSE))
    assert running.app.entered.wait(5)
    running.app.gate.set()
    for sock in slow:
        assert read_all(sock).startswith(b"HTTP/1.1 200 OK")
        sock.close()


def test_more_connections_than_allowed_are_told_so(start: Callable[..., Running]) -> None:
    running = start(replace(SETTINGS, limits=replace(SETTINGS.limits, connections=10)))
    held = [running.connect() for _ in range(10)]
    time.sleep(0.1)
    assert running.talk(b"").startswith(b"HTTP/1.1 503 ")
    for sock in held:
        sock.close()
    time.sleep(0.2)
    assert running.get().status == 200


# -- the end


def test_a_running_request_is_finished_before_the_server_ends(running: Running) -> None:
    with running.connect() as sock:
        sock.sendall(request("GET", "/wait"))
        assert running.app.entered.wait(5)
        stopper = threading.Thread(target=running.server.stop)
        running.server.end()
        stopper.start()
        time.sleep(0.1)
        running.app.gate.set()
        answer = read_all(sock)
        stopper.join(5)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in answer


def test_a_request_that_does_not_end_is_cut_after_the_timeout(start: Callable[..., Running]) -> None:
    running = start(replace(SETTINGS, server=replace(SETTINGS.server, shutdown_timeout_s=1)))
    with running.connect() as sock:
        sock.sendall(request("PUT", "/read", "Content-Length: 10", body=b"1"))
        time.sleep(0.1)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 4
        assert not sock.recv(1000).startswith(b"HTTP/1.1 200")


# -- TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[[str], None]:
    """Writes a self-signed certificate for a name to ``cert.pem`` and ``key.pem``."""

    def write(name: str) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "2"]
        command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
        subprocess.run(command, check=True, capture_output=True)

    return write


def over_tls(running: Running, name: str, authority: Path) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(authority))
    sock = context.wrap_socket(running.connect(), server_hostname=name)
    connection = http.client.HTTPConnection("127.0.0.1", running.port)
    connection.sock = sock
    connection.request("GET", "/file")
    return connection.getresponse()


def test_tls_serves_files_outlives_clients_that_do_not_speak_it_and_takes_a_new_certificate(
    start: Callable[..., Running], certificate: Callable[[str], None], tmp_path: Path
) -> None:
    certificate("one.example.org")
    files = {"certificate": tmp_path / "cert.pem", "private_key": tmp_path / "key.pem"}
    running = start(replace(SETTINGS, server=replace(SETTINGS.server, **files)))
    running.app.file.write_bytes(os.urandom(MIB))
    silent = running.connect()  # never begins its handshake
    plain = running.connect()
    plain.sendall(request())
    assert over_tls(running, "one.example.org", tmp_path / "cert.pem").read() == running.app.file.read_bytes()
    certificate("two.example.org")
    assert running.server.certificate is not None
    running.server.certificate.reload()
    assert over_tls(running, "two.example.org", tmp_path / "cert.pem").status == 200
    (tmp_path / "cert.pem").write_text("broken")
    running.server.certificate.reload()
    certificate("unused.example.org")
    assert silent.fileno() >= 0
    silent.close()
    plain.close()


def test_requests_that_come_in_one_piece_over_tls_are_all_answered(
    start: Callable[..., Running], certificate: Callable[[str], None], tmp_path: Path
) -> None:
    certificate("one.example.org")
    files = {"certificate": tmp_path / "cert.pem", "private_key": tmp_path / "key.pem"}
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    body = bytes(12 * 1024)  # more than is read with the head below: what follows it stays within OpenSSL
    limited = replace(SETTINGS, server=replace(SETTINGS.server, **files), limits=Limits(request_head_bytes=8 * 1024))
    running = start(limited)
    with context.wrap_socket(running.connect(), server_hostname="one.example.org") as sock:
        sock.sendall(
            request("PUT", "/read", f"Content-Length: {len(body)}", body=body) + request("GET", "/next", CLOSE)
        )
        answers = read_all(sock)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.endswith(b"GET /next")
