"""The real server as a process of its own over a temporary folder, and a small client that shows what came back."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, fromstring

import argon2

from davserver.dav.message import quote_path
from davserver.dav.names import DAV
from davserver.dav.xml import attribute, open_tag, text_of

ROOT = Path(__file__).resolve().parent.parent
START_WITHIN_S = 20.0
PathLike = str | os.PathLike[str]

USERS = ("alice", "bob", "carol", "dora")
GROUPS = """
[group.sport]
members = ["alice", "bob"]

[group.board]
members = ["carol"]

[resource.van]
display_name = "Van"
"""
ACCESS = """
[[rule]]
path = "/files"
who = ["all-users"]
may = ["read"]
scope = "here"

[[rule]]
path = "/files/Sport"
who = ["sport"]
may = ["read", "create", "write", "delete"]

[[rule]]
path = "/files/Sport"
who = ["board"]
may = ["read"]

[[rule]]
path = "/files/Public"
who = ["world"]
may = ["read"]

[[rule]]
path = "/files/Public"
who = ["board"]
may = ["read", "create", "write", "delete"]
"""
FOLDERS = ("Sport", "Public")  # made below data/files


def password_of(name: str) -> str:
    """Every account's password in the tests; not ASCII alone, because Basic here is UTF-8."""
    return f"{name}-secret-é"


@cache
def hash_of(password: str) -> str:
    """argon2id with costs that do not slow the suite down."""
    return argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password)


def users_toml(names: Iterable[str]) -> str:
    """A users file with these members."""
    return "\n".join(
        f'[user.{name}]\npassword = "{hash_of(password_of(name))}"\n'
        f'display_name = "{name.title()}"\nmail = ["{name}@example.org"]\n'
        for name in names
    )


@dataclass
class Row:
    """
    One ``DAV:response`` of a 207.

    Attributes:
        status: of the whole response, where it has one of its own.
        props: the properties with status 200, by Clark name.
        statuses: every property's status, by Clark name.
        condition: Clark name of the first child of the response's ``DAV:error``.
    """

    href: str
    status: int | None = None
    props: dict[str, Element] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    condition: str | None = None

    def text(self, name: str) -> str | None:
        """A property's text, or None where it did not come with 200."""
        element = self.props.get(name)
        return None if element is None else element.text or ""


@dataclass
class Reply:
    """What came back: ``headers`` by lower-case name, repeated ones joined with ``", "``."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def xml(self) -> Element:
        return fromstring(self.body)

    @property
    def etag(self) -> str:
        """The ETag header as it came, with quotes."""
        return self.headers["etag"]

    @property
    def condition(self) -> str | None:
        """Clark name of the first child of the ``DAV:error`` body; None without such a body."""
        if "xml" not in self.headers.get("content-type", "") or not self.body:
            return None
        root = self.xml
        return root[0].tag if root.tag == DAV.error and len(root) else None

    @property
    def hrefs(self) -> list[str]:
        """Decoded paths of every ``DAV:href`` in the body, in order."""
        return [path_of(element.text or "") for element in self.xml.iter(DAV.href)]

    @property
    def lock_token(self) -> str:
        """The bare token of a LOCK's answer."""
        return self.headers["lock-token"].strip("<> ")

    def multistatus(self) -> dict[str, Row]:
        """The rows of a 207 by decoded path, in the order they came."""
        assert self.status == 207, (self.status, self.body[:500])
        rows = (row_of(element) for element in self.xml.findall(DAV.response))
        return {row.href: row for row in rows}


def path_of(href: str) -> str:
    """The decoded path of an href, absolute or not."""
    return unquote(urlsplit(href).path)


def row_of(response: Element) -> Row:
    """A ``DAV:response`` element as a Row."""
    row = Row(path_of(response.findtext(DAV.href) or ""))
    status = response.findtext(DAV.status)
    row.status = int(status.split()[1]) if status else None
    error = response.find(DAV.error)
    if error is not None and len(error):
        row.condition = error[0].tag
    for propstat in response.findall(DAV.propstat):
        code = int((propstat.findtext(DAV.status) or "").split()[1])
        prop = propstat.find(DAV.prop)
        for element in prop if prop is not None else ():
            row.statuses[element.tag] = code
            if code == 200:
                row.props[element.tag] = element
    return row


class Dav:
    """
    A client with one kept connection.

    Paths are decoded and are quoted here; ``target`` sends a request target exactly as given instead.
    """

    def __init__(self, port: int, user: str | None = None, password: str | None = None, host: str = "127.0.0.1"):
        self.port = port
        self.host = host
        self.user = user
        self._password = password if password is not None else password_of(user or "")
        self._connection: http.client.HTTPConnection | None = None

    @property
    def authorization(self) -> str:
        """The Authorization header that this client sends."""
        return "Basic " + base64.b64encode(f"{self.user}:{self._password}".encode()).decode()

    def request(
        self,
        method: str,
        path: PathLike = "/",
        body: bytes | str | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        target: str | None = None,
    ) -> Reply:
        """Send one request and read the whole answer; a connection that the server closed is opened anew once."""
        sent = dict(headers or {})
        if self.user is not None and "Authorization" not in sent:
            sent["Authorization"] = self.authorization
        data = body.encode() if isinstance(body, str) else body
        chunked = data is not None and not isinstance(data, bytes)
        if data is None and method in ("PUT", "POST", "PROPFIND", "REPORT", "MKCOL", "LOCK"):
            sent.setdefault("Content-Length", "0")
        where = target if target is not None else quote_path(os.fspath(path))
        for attempt in (0, 1):
            connection = self._open()
            try:
                connection.request(method, where, body=data, headers=sent, encode_chunked=chunked)
                return self._read(connection)
            except (ConnectionError, http.client.BadStatusLine):
                self.close()
                if attempt or chunked:
                    raise
        raise AssertionError("unreachable")

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        return self._connection

    def _read(self, connection: http.client.HTTPConnection) -> Reply:
        response = connection.getresponse()
        body = response.read()
        headers: dict[str, str] = {}
        for name, value in response.getheaders():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        if response.will_close:
            self.close()
        return Reply(response.status, headers, body)

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def raw(self, data: bytes, *, half_close: bool = False, timeout_s: float = 10) -> bytes:
        """Send these bytes on a new connection and return all that comes until the server closes or is silent."""
        with socket.create_connection((self.host, self.port), timeout=timeout_s) as sock:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            parts = []
            try:
                while part := sock.recv(65536):
                    parts.append(part)
            except (TimeoutError, ConnectionResetError):
                pass  # what came so far is the answer
            return b"".join(parts)

    def get(self, path: PathLike, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("GET", path, headers=headers)

    def head(self, path: PathLike, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("HEAD", path, headers=headers)

    def options(self, path: PathLike = "/", headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("OPTIONS", path, headers=headers)

    def put(
        self, path: PathLike, body: bytes | str | Iterable[bytes] = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        return self.request("PUT", path, body, headers)

    def delete(self, path: PathLike, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("DELETE", path, headers=headers)

    def propfind(
        self,
        path: PathLike,
        *names: str,
        depth: str | None = "0",
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask for these properties (Clark names); none is an allprop with an empty body."""
        if body is None and names:
            body = f"<D:propfind {NAMESPACES}><D:prop>{''.join(map(open_tag, names))}</D:prop></D:propfind>"
        return self.request("PROPFIND", path, body, with_depth(headers, depth))

    def proppatch(
        self,
        path: PathLike,
        set: Mapping[str, str] | None = None,
        remove: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Set properties to texts and remove others, in that order."""
        parts = [
            f"<D:set><D:prop>{open_tag(name, text_of(value))}</D:prop></D:set>" for name, value in (set or {}).items()
        ]
        parts += [f"<D:remove><D:prop>{open_tag(name)}</D:prop></D:remove>" for name in remove]
        body = f"<D:propertyupdate {NAMESPACES}>{''.join(parts)}</D:propertyupdate>"
        return self.request("PROPPATCH", path, body, headers)

    def report(
        self, path: PathLike, body: str, depth: str | None = "0", headers: Mapping[str, str] | None = None
    ) -> Reply:
        return self.request("REPORT", path, body, with_depth(headers, depth))

    def mkcol(self, path: PathLike, body: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("MKCOL", path, body, headers)

    def mkcalendar(self, path: PathLike, body: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("MKCALENDAR", path, body, headers)

    def move(self, path: PathLike, to: PathLike, **options: object) -> Reply:
        return self._transfer("MOVE", path, to, **options)

    def copy(self, path: PathLike, to: PathLike, **options: object) -> Reply:
        return self._transfer("COPY", path, to, **options)

    def _transfer(
        self,
        method: str,
        path: PathLike,
        to: PathLike,
        *,
        overwrite: bool | None = None,
        depth: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        sent = with_depth(headers, depth)
        sent.setdefault("Destination", f"http://{self.host}:{self.port}{quote_path(os.fspath(to))}")
        if overwrite is not None:
            sent["Overwrite"] = "T" if overwrite else "F"
        return self.request(method, path, headers=sent)

    def lock(
        self,
        path: PathLike,
        *,
        depth: str | None = "0",
        shared: bool = False,
        owner: str = "tests",
        timeout: str | None = "Second-600",
        refresh: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Take a write lock, or with ``refresh`` (a token) refresh one."""
        sent = with_depth(headers, None if refresh else depth)
        if timeout:
            sent.setdefault("Timeout", timeout)
        if refresh:
            sent.setdefault("If", f"(<{refresh}>)")
            return self.request("LOCK", path, headers=sent)
        scope = "shared" if shared else "exclusive"
        body = (
            f'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:{scope}/></D:lockscope>'
            f"<D:locktype><D:write/></D:locktype><D:owner>{text_of(owner)}</D:owner></D:lockinfo>"
        )
        return self.request("LOCK", path, body, sent)

    def unlock(self, path: PathLike, token: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("UNLOCK", path, headers={**(headers or {}), "Lock-Token": f"<{token}>"})


NAMESPACES = " ".join(
    f'xmlns:{prefix}="{attribute(uri)}"'
    for prefix, uri in (
        ("D", "DAV:"),
        ("C", "urn:ietf:params:xml:ns:caldav"),
        ("CR", "urn:ietf:params:xml:ns:carddav"),
        ("CS", "http://calendarserver.org/ns/"),
        ("ICAL", "http://apple.com/ns/ical/"),
    )
)


def with_depth(headers: Mapping[str, str] | None, depth: str | None) -> dict[str, str]:
    """A copy of the headers with Depth added where it is given and not there yet."""
    sent = dict(headers or {})
    if depth is not None:
        sent.setdefault("Depth", depth)
    return sent


class Server:
    """
    A server process over a folder of its own.

    Attributes:
        folder: holds ``davserver.toml``, the accounts' files and ``data``.
        data: the data folder.
        log: everything the process has written, after ``stop`` complete.
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: Iterable[str] = USERS,
        groups: str = GROUPS,
        access: str = ACCESS,
        folders: Iterable[str] = FOLDERS,
        settings: str = "",
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "davserver.toml"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[Dav] = []
        self.write_accounts(users=users_toml(users), groups=groups, access=access)
        self.write_settings(settings)
        for name in folders:
            (self.data / "files" / name).mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def write_settings(self, more: str = "") -> None:
        """
        Write ``davserver.toml``; ``more`` may give whole tables such as ``[limits]``.

        A ``[server]`` table in it is merged with the listening address.
        """
        server = f'[server]\nhost = "127.0.0.1"\nport = {self.port}\n'
        more = more.replace("[server]\n", server) if "[server]\n" in more else server + more
        if "[directory]" not in more:  # what a home shows is what a test has put there
            more += "\n[directory]\nmembers_book = false\n"
        if "[storage]" not in more:
            more += '\n[storage]\ndata = "data"\n'
        self.config.write_text(more)

    def write_accounts(self, *, users: str | None = None, groups: str | None = None, access: str | None = None) -> None:
        """Write the given ones of ``users.toml``, ``groups.toml``, ``access.toml``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("users.toml", users), ("groups.toml", groups), ("access.toml", access)):
            if text is not None:
                scratch = self.folder / f".{name}"
                scratch.write_text(text)
                scratch.chmod(0o600)
                scratch.replace(self.folder / name)

    def client(self, user: str | None = None, password: str | None = None) -> Dav:
        """A client that signs in as ``user``; None sends no credentials."""
        client = Dav(self.port, user, password)
        self._clients.append(client)
        return client

    def start_process(self) -> None:
        """Start the process without waiting for it."""
        assert self._process is None or self._process.poll() is not None, "it runs already, and would be left behind"
        command = [sys.executable, "-m", "davserver", "serve", "-c", str(self.config)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def start(self) -> Server:
        """Start the process and wait until it answers."""
        self.start_process()
        assert self._process is not None
        deadline = time.monotonic() + START_WITHIN_S
        while not self.answers():
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended with {self._process.returncode}:\n{self.log}")
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the server did not answer within {START_WITHIN_S} s:\n{self.log}")
            time.sleep(0.02)
        return self

    def answers(self) -> bool:
        """Whether somebody answers on the port."""
        try:
            probe = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            probe.request("OPTIONS", "/")
            probe.getresponse().read()
            probe.close()
        except (OSError, http.client.HTTPException):
            return False
        return True

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout_s: float = 30) -> int:
        """Wait for the process to end; its exit code."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def stop(self) -> int:
        """End the process as an operator does (SIGTERM); its exit code."""
        for client in self._clients:
            client.close()
        if self._process is None or self._process.poll() is not None:
            return 0 if self._process is None else self._process.returncode
        self.send_signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL: what a power cut leaves of a process."""
        for client in self._clients:
            client.close()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> Server:
        """Stop and start again on the same port over the same data."""
        self.stop()
        return self.start()

    def tree(self) -> dict[str, bytes | None]:
        """
        What people's data looks like on disk: paths below ``data`` with bytes, None for a folder.

        The index, which may be rebuilt at any time, the journal, which is emptied at any time, and the socket for
        commands are left out.
        """
        found: dict[str, bytes | None] = {}
        for path in sorted(self.data.rglob("*")):
            name = path.relative_to(self.data).as_posix()
            if not name.startswith(("index.sqlite", "journal")) and not path.is_socket():
                found[name] = path.read_bytes() if path.is_file() else None
        return found


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
