"""The example association: whole, without problems, and what ``davserver demo`` makes of it."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import vobject

from auth.acl import actions
from auth.directory import Directory
from auth.principal import ANONYMOUS
from config.loader import load
from davserver.commands.demo import EXAMPLE, FORM_RULES
from davserver.commands.rights import explain, open_rulebook
from storage.answers import parse_answer
from storage.form import parse_form
from storage.formpages import render_index
from storage.paths import path_of
from storage.poll import parse_poll
from storage.pollpages import render_poll
from storage.starters import marked
from storage.votes import parse_vote
from tests.cli.command import Result, davserver, environ
from tests.harness import Dav

COLLECTIONS = EXAMPLE / "data/collections/collection-root"


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A demo that was made and not served."""
    assert davserver("demo", str(tmp_path / "demo"), "--no-serve") == Result(0)
    return tmp_path / "demo"


def passwords(demo: Path) -> dict[str, str]:
    return dict(line.split(" ") for line in (demo / "passwords.txt").read_text().splitlines())


@pytest.mark.parametrize("file", sorted(COLLECTIONS.rglob("*.[iv]c[sf]")), ids=lambda file: file.name)
def test_every_item_of_the_example_is_whole_and_named_by_its_uid(file: Path) -> None:
    data = file.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    item = vobject.readOne(data.decode())
    item.validate()
    body = item if file.suffix == ".vcf" else next(c for c in item.components() if c.name in ("VEVENT", "VTODO"))
    assert body.uid.value == file.stem


@pytest.mark.parametrize("file", sorted(COLLECTIONS.rglob(".Radicale.props")), ids=lambda file: file.parent.parent.name)
def test_the_properties_of_every_collection_are_texts_as_radicale_needs_them(file: Path) -> None:
    props = json.loads(file.read_text())
    assert props["tag"] in ("VCALENDAR", "VADDRESSBOOK")
    assert all(isinstance(value, str) for value in props.values())


def test_the_rights_of_the_example_take_less_than_forty_lines() -> None:
    assert len((EXAMPLE / "access.toml").read_text().splitlines()) < 40


def test_the_demo_has_no_configuration_problem(demo: Path) -> None:
    assert davserver("check", "-c", str(demo / "davserver.toml")) == Result(0)


def test_whatever_is_held_in_the_demo_has_a_line_that_gives_it_and_nothing_else_has(demo: Path) -> None:
    settings = load(demo / "davserver.toml")
    directory = Directory(settings)
    book = open_rulebook(settings, directory)
    data = demo / "data"
    paths = {
        path_of(str(each.relative_to(data)))
        for root in ("files", "collections/collection-root")
        for each in (data / root).rglob("*")
    }
    asking = [ANONYMOUS, *(found for name in passwords(demo) if (found := directory.principal(name)))]
    assert len(paths) > 30
    for principal in asking:
        for path in paths:
            assert bool(actions(principal, path, book)) == bool(list(explain(principal, path, book))), (principal, path)


def test_every_printed_password_signs_its_member_in(demo: Path) -> None:
    directory = Directory(load(demo / "davserver.toml"))
    assert set(passwords(demo)) == {each.name for each in directory.accounts() if each.kind == "member"}
    for name, password in passwords(demo).items():
        assert re.fullmatch(r"[a-z]{6}-[a-z]{6}-[a-z]{6}", password)
        assert directory.verify(name, password) is not None


def test_passwords_and_hashes_are_for_the_owner_alone(demo: Path) -> None:
    for name in ("passwords.txt", "users.toml"):
        assert stat.S_IMODE((demo / name).stat().st_mode) == 0o600


def test_a_second_start_keeps_data_and_passwords_and_prints_them(demo: Path) -> None:
    before = passwords(demo)
    (demo / "data/files/Sport/new.txt").write_text("kept")
    result = davserver("demo", str(demo), "--no-serve", "--listen", "127.0.0.1:9090")
    assert passwords(demo) == before
    assert (demo / "data/files/Sport/new.txt").read_text() == "kept"
    assert all(password in result.out for password in before.values())
    for url in ("http://127.0.0.1:9090/files/", "dav://127.0.0.1:9090/files/", "http://127.0.0.1:9090/dav/alice/"):
        assert url in result.out


def test_every_kind_of_client_finds_its_address_in_the_guide(demo: Path) -> None:
    out = davserver("demo", str(demo), "--no-serve").out
    for client in (
        "GNOME Files",
        "Windows Explorer",
        "Finder",
        "rclone",
        "DAVx5",
        "Thunderbird",
        "Apple",
        "Evolution",
        "vdirsyncer",
        "curl",
    ):
        assert client in out


def test_the_page_of_the_form_asks_what_its_settings_say() -> None:
    folder = EXAMPLE / "data/files/Forms/Summer fair"
    form = parse_form((folder / "form.toml").read_bytes())
    assert (folder / "index.html").read_bytes() == marked(render_index(form, form.title, "en"), "en")
    for file in (folder / "responses").glob("*.json"):
        answer = parse_answer(file.read_bytes())
        assert answer is not None
        assert answer.values.keys() <= {field.name for field in form.fields}


def test_the_page_and_the_votes_of_the_poll_are_about_its_options() -> None:
    folder = EXAMPLE / "data/files/Polls/Summer outing"
    poll = parse_poll((folder / "poll.toml").read_bytes())
    assert (folder / "index.html").read_bytes() == marked(render_poll(poll, poll.title, "en"), "en")
    for file in (folder / "votes").glob("*.toml"):
        assert parse_vote(file.read_bytes(), file.name, poll).answers


def test_the_address_of_the_form_is_printed_as_long_as_its_rules_say_it(demo: Path) -> None:
    printed = davserver("demo", str(demo), "--no-serve").out
    assert re.search(r"any browser +without an account: http://127.0.0.1:8080/p/[A-Za-z0-9_-]{22}/\n", printed)
    (demo / FORM_RULES).write_text("[[rule]]\nwho = []\nmay = []\n")
    assert "see links.txt" in davserver("demo", str(demo), "--no-serve").out


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert davserver("demo", str(tmp_path), "--no-serve") == Result(1)
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


def test_without_the_example_nothing_is_left_behind(tmp_path: Path) -> None:
    assert davserver("demo", str(tmp_path / "demo"), "--no-serve", "--example", str(tmp_path / "none")) == Result(1)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_serves_what_it_prints_until_it_is_told_to_end(demo: Path, free_port: int) -> None:
    listen = f"127.0.0.1:{free_port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "davserver", "demo", str(demo), "--listen", listen],
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until_it_answers(demo, listen)
        dora = Dav(free_port, "dora", passwords(demo)["dora"])
        assert dora.propfind("/files/Sport/", depth="1").status == 207
        assert dora.propfind("/files/Administration/").status == 404
        assert "training-tuesday.ics" in dora.propfind("/dav/sport/calendar/", depth="1").text
        assert dora.propfind("/dav/van/calendar/").status == 207
        assert dora.get("/dav/staff/contacts/garage.vcf").status == 200
        assert Dav(free_port).get("/files/Communication/About us.md").status == 200
        form = f"/p/{tomllib.loads((demo / FORM_RULES).read_text())['link'][0]['token']}/"
        assert "Help at the summer fair" in Dav(free_port).get(form).text
        said = "name=Ida&email=ida%40association.example&shifts=10+to+13"
        page = {"Content-Type": "application/x-www-form-urlencoded"}
        assert Dav(free_port).request("POST", f"{form}responses/", said, page).status == 303
        carol = Dav(free_port, "carol", passwords(demo)["carol"])
        assert "Ida" in carol.get("/files/Forms/Summer fair/responses.csv").text
        outing = "/files/Polls/Summer outing"
        assert "w3n6kpzc-b.ics" in dora.propfind("/dav/dora/polls/", depth="1").text
        assert dora.put(f"{outing}/votes/dora.toml", 'b = "yes"\n').status == 204
        assert dora.get(f"{outing}/results.csv").text.splitlines()[1:] == [
            *("dora,,yes,", "hugo,no,no,yes", "yes,0,1,1", "maybe,0,0,0", "no,1,1,0"),
        ]
        assert dora.put(f"{outing}/poll.toml", "").status == 403
        hugo = Dav(free_port, "hugo", passwords(demo)["hugo"])
        for top in ("Boards", "Notes", "Forms", "Polls"):
            assert hugo.request("MKCOL", f"/files/{top}/Of hugo").status == 201, top
            seen = dora.propfind(f"/files/{top}/Of hugo").status
            assert seen == (207 if top == "Notes" else 404), "private until shared; the notes are everybody's"
        assert hugo.get("/files/Forms/Of hugo/form.toml").status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out


def wait_until_it_answers(demo: Path, listen: str) -> None:
    until = time.monotonic() + 30
    while (result := davserver("check", "--running", "-c", str(demo / "davserver.toml"), "--listen", listen)).code:
        assert time.monotonic() < until, result.err
    assert urlsplit(result.out.split()[1]).netloc == listen
