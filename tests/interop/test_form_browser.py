"""Pages of a form and a poll in Chromium: what people see and send, and what a page of another site cannot do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conftest import MakeServer
from tests.forms.conftest import RULES, Form, numbers
from tests.harness import ACCESS, Server, password_of
from tests.interop.chromium import Chromium
from tests.polls.conftest import RULES as POLL_RULES
from tests.polls.conftest import Poll

TAB = "\ue004"  # as WebDriver calls the key
EVERY_TYPE = """
description = "One week by the lake."
honeypot = "website"
[[field]]
name = "name"
label = "Your name"
required = true
[[field]]
name = "about"
label = "About you"
type = "longtext"
[[field]]
name = "mail"
label = "Mail address"
hint = "We write once."
type = "email"
[[field]]
name = "tel"
label = "Telephone"
type = "tel"
[[field]]
name = "people"
label = "How many come?"
type = "number"
min = 1
max = 8
[[field]]
name = "swim"
label = "How well do you swim?"
type = "scale"
[[field]]
name = "born"
label = "Date of birth"
type = "date"
[[field]]
name = "at"
label = "Arrival"
type = "time"
[[field]]
name = "tent"
label = "Tent"
type = "choice"
options = ["own", "shared"]
other = true
[[field]]
name = "days"
label = "Days"
type = "choices"
options = ["Mon", "Tue", "Wed"]
other = true
[[field]]
name = "sports"
label = "Sports"
type = "ranking"
options = ["Sailing", "Football"]
[[field]]
name = "last"
label = "Last year"
type = "grid"
rows = ["Food", "Music"]
options = ["good", "bad"]
[[field]]
name = "paper"
label = "Certificate"
type = "file"
types = [".pdf", "image/*"]
[[field]]
name = "shirt"
label = "T-shirt"
type = "color"
[[field]]
name = "from"
type = "hidden"
value = "the page"
"""


@pytest.fixture(scope="module")
def camp(start_server: MakeServer) -> Server:
    return start_server(access=ACCESS + RULES + POLL_RULES, folders=("Forms", "Polls"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    started = Chromium(tmp_path_factory.mktemp("chromium"))
    yield started
    started.stop()


@pytest.fixture
def form(camp: Server) -> Form:
    made = Form(camp, f"/files/Forms/browser{next(numbers)}")
    assert made.alice.mkcol(made.path).status == 201
    made.define(fields=EVERY_TYPE)
    return made


def test_every_type_of_field_is_filled_in_and_stored(form: Form, browser: Chromium, tmp_path: Path) -> None:
    file = tmp_path / "Zeugnis é.pdf"
    file.write_bytes(b"%PDF-1.7")
    browser.open(form.server.url + form.publish())
    assert browser.title == "Camp"
    for name, keys in (
        ("name", 'Eva <b> & "co"'),
        ("about", "One\nTwo"),
        ("mail", "eva@example.org"),
        ("tel", "+33 6 12"),
        ("people", "3"),
        ("born", "05312001"),
        ("at", "0630PM"),
        ("tent.other", "a van"),
        ("days.other", "Sun"),
        ("sports.1", "2"),
        ("sports.2", "1"),
        ("paper", str(file)),
        ("shirt", "#1c5fa8"),
    ):
        browser.type(f'[name="{name}"]', keys)
    for name, value in (
        ("swim", "4"),
        ("tent", "__other__"),
        ("days", "Mon"),
        ("days", "__other__"),
        ("last.1", "good"),
        ("last.2", "bad"),
    ):
        browser.click(f'[name="{name}"][value="{value}"]')
    browser.click("button")
    browser.await_title("Thank you – Camp")
    assert form.said() == [
        {
            "name": 'Eva <b> & "co"',
            "about": "One\nTwo",
            "mail": "eva@example.org",
            "tel": "+33 6 12",
            "people": 3,
            "swim": 4,
            "born": "2001-05-31",
            "at": "18:30",
            "tent": "a van",
            "days": ["Mon", "Sun"],
            "sports": ["Football", "Sailing"],
            "last": {"Food": "good", "Music": "bad"},
            "paper": ["Zeugnis é.pdf"],
            "shirt": "#1c5fa8",
            "from": "the page",
        }
    ]
    (stored,) = (form.disk / "responses").glob("*.files/*")
    assert (stored.name, stored.read_bytes()) == ("Zeugnis é.pdf", b"%PDF-1.7")


def test_a_screen_reader_has_a_name_for_every_control(form: Form, browser: Chromium) -> None:
    browser.open(form.server.url + form.publish())
    for selector, said in (
        ("[name=name]", "Your name"),
        ("[name=about]", "About you"),
        ("[name=paper]", "Certificate"),
        ("[name=swim][value='2']", "2"),
        ("[name=tent][value=own]", "own"),
        ("[name='tent.other']", "Tent: Other:"),
        ("[name='sports.2']", "Football"),
        ("[role=radiogroup]", "Food"),
        ("[name='last.1'][value=good]", "good"),
        ("fieldset", "How well do you swim?"),
        ("button", "Send"),
    ):
        assert browser.label(selector) == said


def test_a_page_has_what_public_names_and_nothing_runs_in_it(form: Form, browser: Chromium) -> None:
    form.define('public = ["style.css"]', EVERY_TYPE)
    script = "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"
    page = f'<!doctype html><title>Ours</title><link rel="stylesheet" href="style.css"><p>Text</p>{script}'
    for name, body in (("index.html", page), ("style.css", "p { color: rgb(1, 2, 3) }")):
        assert form.alice.put(f"{form.path}/{name}", body).status in (201, 204)
    browser.open(form.server.url + form.publish())
    assert browser.style("p", "color") == "rgba(1, 2, 3, 1)"
    assert browser.title == "Ours"


def test_a_missing_field_is_told_before_anything_is_sent(form: Form, browser: Chromium) -> None:
    browser.open(form.server.url + form.publish())
    browser.type("[name=mail]", "eva")
    before, address = form.tree(), browser.url
    browser.click("button")
    assert browser.focused() == "name"
    assert browser.has("[name=name]:invalid")
    browser.type("[name=name]", "Eva")
    browser.click("button")
    assert browser.focused() == "mail"
    assert (browser.url, browser.title) == (address, "Camp")
    assert form.tree() == before


def test_what_the_browser_does_not_check_the_server_tells_and_back_keeps_what_was_typed(
    form: Form, browser: Chromium
) -> None:
    url = form.publish()
    page = form.alice.get(f"{form.path}/index.html").text
    assert form.alice.put(f"{form.path}/index.html", page.replace("<form ", "<form novalidate ")).status == 204
    before = form.tree()
    browser.open(form.server.url + url)
    browser.type("[name=mail]", "eva")
    browser.click("button")
    browser.await_title("")
    assert browser.text() == "Your name: required\nMail address: not a mail address"
    assert form.tree() == before
    browser.back()
    assert browser.value("[name=mail]") == "eva"


def test_people_with_a_keyboard_never_come_to_the_field_for_programs(form: Form, browser: Chromium) -> None:
    browser.open(form.server.url + form.publish())
    assert browser.has("[name=website]")
    browser.click("h1")
    names = []
    for _ in range(60):
        browser.press(TAB)
        names.append(browser.focused())
    assert {"name", "shirt", "last.2"} <= set(names)
    assert "website" not in names


def test_a_link_with_a_password_asks_for_it_once(form: Form, browser: Chromium) -> None:
    url = form.publish('password = "rosebud-12"\n')
    browser.open(f"http://any:rosebud-12@127.0.0.1:{form.server.port}{url}")
    browser.type("[name=name]", "Eva")
    browser.click("button")
    browser.await_title("Thank you – Camp")
    assert [said["name"] for said in map(dict, form.said())] == ["Eva"]  # type: ignore[call-overload]


def test_a_closed_form_says_so_and_takes_nothing(form: Form, browser: Chromium) -> None:
    url = form.publish()
    browser.open(form.server.url + url)
    browser.type("[name=name]", "Eva")
    form.define("closes = 2020-01-01T00:00:00Z", EVERY_TYPE)
    before = form.tree()
    browser.click("button")
    browser.await_title("Camp – Closed")
    assert browser.text("main") == "Camp\nNo more answers are taken here."
    browser.open(form.server.url + url)
    assert browser.title == "Camp – Closed"
    assert form.tree() == before


def test_a_members_own_link_needs_no_password_in_the_browser(form: Form, browser: Chromium) -> None:
    form.publish()
    form.define('who = "members"\nonce = true', EVERY_TYPE)
    (url,) = (
        line for line in form.server.client("carol").get(f"{form.path}/my-link.txt").text.split() if "/p/" in line
    )
    browser.open(url)
    for name in ("Carol", "Carol again"):
        browser.open(url)
        browser.type("[name=name]", name)
        browser.click("button")
        browser.await_title("Thank you – Camp")
    (stored,) = form.stored()
    assert stored["member"] == "carol"
    assert form.said()[0]["name"] == "Carol again"  # type: ignore[index]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_page_of_another_site_sends_nothing_though_the_browser_knows_the_password(
    form: Form, browser: Chromium, host: str
) -> None:
    """Another port of the same host is the same site to browsers, and another origin."""
    sign_in(browser, form.server)
    before = form.tree()
    with other_site(f"{form.server.url}{form.answers}") as port:
        browser.open(f"http://{host}:{port}/")
        browser.click("a")  # the browser sends the password by itself, and what it loads is no page
        browser.await_title("")
        browser.back()
        browser.click("button")
        browser.await_title("")
    lines = [line.split()[3:7] for line in form.server.log.split("\n") if f" {form.answers}" in line]
    assert lines == [["alice", "GET", form.answers, "200"], ["-", "POST", form.answers, "403"]]
    assert form.tree() == before


@pytest.fixture
def poll(camp: Server) -> Poll:
    made = Poll(camp, f"/files/Polls/browser{next(numbers)}")
    assert made.alice.mkcol(made.path).status == 201
    made.define()
    return made


def test_guests_and_members_vote_in_a_public_poll(poll: Poll, browser: Chromium) -> None:
    url = poll.server.url + poll.publish()
    for code, answer in (("1234", "yes"), ("1234", "maybe")):
        browser.open(url)
        assert browser.text("fieldset") == "Tue 12 Jan 2027, 18:00 – 20:00 (Europe/Paris)\nyes\nif need be\nno"
        browser.click(f'[name="opt.a"][value="{answer}"]')
        browser.type("[name=name]", "Eva")
        browser.type("[name=code]", code)
        browser.click("button")
        browser.await_title("Thank you – Assembly")
    (own,) = (line for line in poll.server.client("bob").get(f"{poll.path}/my-link.txt").text.split() if "/p/" in line)
    browser.open(own)
    browser.click('[name="opt.b"][value="yes"]')
    browser.click("button")
    browser.await_title("Thank you – Assembly")
    before = poll.results()
    assert [row[0] for row in before] == ["", "bob", "Eva", "yes", "maybe", "no"]
    browser.open(url)
    browser.click('[name="opt.a"][value="no"]')
    browser.type("[name=name]", "Eva")
    browser.type("[name=code]", "4321")
    browser.click("button")
    browser.await_title("")
    assert "with another code" in browser.text()
    assert poll.results() == before
    poll.close()
    browser.open(url)
    assert browser.title == "Assembly – Closed"


def test_a_members_password_counts_for_nothing_behind_a_link(form: Form, browser: Chromium) -> None:
    url = form.publish()
    sign_in(browser, form.server)
    with other_site(f"{form.server.url}{url}responses/") as port:
        browser.open(f"http://localhost:{port}/")
        browser.click("button")
        browser.await_title("Thank you – Camp")
    (stored,) = form.stored()
    assert "member" not in stored


def sign_in(browser: Chromium, server: Server) -> None:
    """Give the browser alice's password."""
    browser.open(f"http://alice:{quote(password_of('alice'))}@127.0.0.1:{server.port}/files/")


@contextmanager
def other_site(action: str) -> Iterator[int]:
    """The port of a server whose page sends a form to somewhere else, and has a link to there."""
    page = f"""<!doctype html><title>Other</title><a href="{action}">Look</a>
    <form action="{action}" method="post"><input name="name" value="Mallory"><button>Win</button></form>"""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Give the page."""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing of it is for the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
