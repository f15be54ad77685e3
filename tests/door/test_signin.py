"""Who is asking: Basic over loopback, https and proxies, the throttle, and pages of other sites."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from auth.directory import Directory
from auth.principal import Principal
from auth.throttle import Throttle
from config.schema import Accounts, Settings
from config.schema import Server as ServerSettings
from davserver.dav.message import Request, Response
from davserver.environ import Proxies, build_request
from davserver.signin import SignIn, parse_basic
from tests.conftest import MakeServer
from tests.harness import USERS, Dav, Server, password_of, users_toml

METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR")
METHODS += ("COPY", "MOVE", "LOCK", "UNLOCK", "ACL", "POST", "FROBNICATE")


@pytest.fixture(scope="module")
def shared(start_server: MakeServer) -> Server:
    return start_server()


@pytest.fixture
def anonymous(shared: Server) -> Dav:
    return shared.client()


@pytest.mark.rfc("7617", "2.1")
@pytest.mark.parametrize("path", ["/files/", "/files/Sport/", "/files/Sport/new", "/dav/", "/dav/alice/", "/files/no"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_challenged_without_credentials(shared: Server, anonymous: Dav, path: str, method: str) -> None:
    before = shared.tree()
    body = b"body" if method in ("PUT", "POST") else None
    reply = anonymous.request(method, path, body, {"Destination": "/files/Sport/x"})
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == 'Basic realm="davserver", charset="UTF-8"'
    assert shared.tree() == before


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YWxpY2U=", "Bearer x", "Digest username=alice"])
def test_credentials_that_cannot_be_read_are_challenged(anonymous: Dav, header: str) -> None:
    assert anonymous.request("PROPFIND", "/", headers={"Authorization": header}).status == 401


def test_wrong_credentials_are_challenged_even_where_the_world_may_read(shared: Server, anonymous: Dav) -> None:
    (shared.data / "files" / "Public" / "open.txt").write_text("for everybody")
    assert anonymous.get("/files/Public/open.txt").text == "for everybody"
    assert shared.client("alice", "wrong").get("/files/Public/open.txt").status == 401
    assert shared.client("nobody").get("/files/Public/open.txt").status == 401


def test_the_world_reads_what_it_may_and_nothing_else(shared: Server, anonymous: Dav) -> None:
    (shared.data / "files" / "Public" / "open.txt").write_text("for everybody")
    (shared.data / "files" / "Sport" / "closed.txt").write_text("for members")
    assert anonymous.get("/files/Public/open.txt").status == 200
    assert anonymous.head("/files/Public/open.txt").status == 200
    assert anonymous.propfind("/files/Public/").status == 401
    assert anonymous.options("/files/Public/").status == 401
    for path in ("/files/Sport/closed.txt", "/files/", "/files/Home/", "/files/Public/../Sport/closed.txt"):
        assert anonymous.get(path).status in (400, 401)


def test_names_are_taken_in_any_case_and_passwords_are_utf_8(shared: Server) -> None:
    assert shared.client("ALICE", password_of("alice")).propfind("/").status == 207


def test_guessing_is_slowed_down_for_the_pair_of_address_and_account_only(make_server: MakeServer) -> None:
    server = make_server().start()
    guess = server.client("alice", "wrong")
    answers = [guess.propfind("/") for _ in range(12)]
    assert [reply.status for reply in answers[:10]] == [401] * 10
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert server.client("bob").propfind("/").status == 207


def test_a_changed_password_counts_with_the_next_request(make_server: MakeServer) -> None:
    server = make_server().start()
    alice = server.client("alice")
    assert alice.propfind("/").status == 207
    server.write_accounts(users=users_toml(name for name in USERS if name != "alice"))
    assert alice.propfind("/").status == 401
    assert server.client("bob").propfind("/").status == 207


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"Sec-Fetch-Site": "same-origin"}, None),
        ({"Sec-Fetch-Site": "none"}, None),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "https://127.0.0.1:9"}, None),
    ],
)
@pytest.mark.parametrize("path", ["/files/Sport/", "/dav/alice/"])
def test_a_page_of_another_site_cannot_post(
    shared: Server, path: str, headers: dict[str, str], status: int | None
) -> None:
    alice = shared.client("alice")
    alice.options("/dav/")  # her first request makes her first collections
    before = shared.tree()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = alice.request("POST", path, b"x=y", headers | form)
    assert (reply.status == 403 and "another site" in reply.text) is (status == 403)
    assert shared.tree() == before


def test_other_methods_are_not_judged_by_the_fields_of_a_browser(shared: Server) -> None:
    headers = {"Origin": "https://elsewhere.example.org", "Sec-Fetch-Site": "cross-site"}  # as Thunderbird sends them
    assert shared.client("alice").propfind("/", headers=headers).status == 207


# -- plain HTTP and proxies


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    Server(tmp_path)  # writes the files
    accounts = Accounts(users_file=tmp_path / "users.toml", groups_file=tmp_path / "groups.toml")
    return Directory(Settings(accounts=accounts))


def ask(
    directory: Directory, peer: str, scheme: str = "http", *, settings: ServerSettings, **fields: str
) -> Principal | Response | None:
    credentials = base64.b64encode(f"alice:{password_of('alice')}".encode()).decode()
    fields = {"AUTHORIZATION": f"Basic {credentials}", **fields}
    environ = {f"HTTP_{name}": value for name, value in fields.items()}
    environ |= {"REQUEST_METHOD": "GET", "PATH_INFO": "/files/", "REMOTE_ADDR": peer, "wsgi.url_scheme": scheme}
    request = build_request(
        {**environ, "wsgi.input": None}, Settings(server=settings), Proxies(settings.trusted_proxies)
    )
    return SignIn(settings, directory, Throttle()).principal(request)


PROXY = ServerSettings(trusted_proxies=("10.0.0.0/8", "::1"))


@pytest.mark.parametrize(
    ("peer", "scheme", "settings", "fields", "is_taken"),
    [
        ("127.0.0.1", "http", ServerSettings(), {}, True),
        ("::ffff:127.0.0.1", "http", ServerSettings(), {}, True),
        ("192.0.2.7", "http", ServerSettings(), {}, False),
        ("192.0.2.7", "https", ServerSettings(), {}, True),
        ("192.0.2.7", "http", ServerSettings(allow_plain_http=True), {}, True),
        ("192.0.2.7", "http", PROXY, {"X_FORWARDED_PROTO": "https"}, False),  # not a proxy of ours
        ("10.1.2.3", "http", PROXY, {"X_FORWARDED_PROTO": "https", "X_FORWARDED_FOR": "192.0.2.7"}, True),
        ("10.1.2.3", "http", PROXY, {"X_FORWARDED_PROTO": "http", "X_FORWARDED_FOR": "192.0.2.7"}, False),
        ("::1", "http", PROXY, {"X_FORWARDED_PROTO": "http", "X_FORWARDED_FOR": "127.0.0.1, 192.0.2.7"}, False),
        ("10.1.2.3", "http", PROXY, {}, True),  # a proxy that does not say what it does
        ("::ffff:10.1.2.3", "http", PROXY, {"X_FORWARDED_FOR": "192.0.2.7"}, True),
        ("::ffff:10.1.2.3", "http", PROXY, {"X_FORWARDED_PROTO": "http", "X_FORWARDED_FOR": "192.0.2.7"}, False),
        ("192.0.2.7", "http", PROXY, {"X_FORWARDED_FOR": "127.0.0.1"}, False),
    ],
)
def test_a_password_is_taken_only_where_nobody_reads_along(
    directory: Directory, peer: str, scheme: str, settings: ServerSettings, fields: dict[str, str], is_taken: bool
) -> None:
    outcome = ask(directory, peer, scheme, settings=settings, **fields)
    if is_taken:
        assert isinstance(outcome, Principal)
    else:
        assert isinstance(outcome, Response)
        assert outcome.status == 403


def test_over_plain_http_nobody_is_asked_for_a_password(directory: Directory) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/files/", "REMOTE_ADDR": "192.0.2.7", "wsgi.input": None}
    request: Request = build_request(environ, Settings(), Proxies(()))
    answer = SignIn(ServerSettings(), directory, Throttle()).challenge(request)
    assert answer.status == 403
    assert "WWW-Authenticate" not in dict(answer.headers)


def test_the_client_behind_proxies_is_the_last_one_that_is_no_proxy() -> None:
    proxies = Proxies(("10.0.0.0/8",))
    assert proxies.client("10.0.0.1", {"x-forwarded-for": "1.1.1.1, 192.0.2.7, 10.0.0.2"}) == "192.0.2.7"
    assert proxies.client("192.0.2.9", {"x-forwarded-for": "1.1.1.1"}) == "192.0.2.9"
    assert proxies.client("10.0.0.1", {"x-forwarded-for": "rubbish"}) == "10.0.0.1"
    # a client may put an address of this machine in front
    assert proxies.client("10.0.0.1", {"x-forwarded-for": "127.0.0.1, 192.0.2.7"}) == "192.0.2.7"


def test_behind_a_listener_on_both_families_an_ipv4_proxy_is_known_and_addresses_are_plain() -> None:
    proxies = Proxies(("10.0.0.0/8",))

    def remote(peer: str, **fields: str) -> str:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": peer, "wsgi.input": None, **fields}
        return build_request(environ, Settings(), proxies).remote

    assert remote("::ffff:10.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.7") == "192.0.2.7"
    assert remote("::ffff:192.0.2.9", HTTP_X_FORWARDED_FOR="192.0.2.7") == "192.0.2.9"
    assert remote("2001:db8::1") == "2001:db8::1"


@pytest.mark.rfc("7617", "2")
def test_basic_is_read_as_utf_8_and_else_as_latin_1() -> None:
    assert parse_basic("basic " + base64.b64encode("a:bé:c".encode()).decode()) == ("a", "bé:c")
    assert parse_basic("Basic " + base64.b64encode("a:é".encode("latin-1")).decode()) == ("a", "é")
    assert parse_basic("Basic " + base64.b64encode(b"nocolon").decode()) is None
