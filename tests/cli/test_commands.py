"""The commands as an administrator types them: the real program in a process of its own."""

from __future__ import annotations

import http.server
import os
import re
import stat
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from auth.passwords import verify_password
from tests.cli.command import Result, davserver

WORD = "correct horse battery"


@pytest.fixture
def association(tmp_path: Path) -> Path:
    """A folder that ``davserver init`` has filled."""
    assert davserver("init", str(tmp_path / "cloud")).code == 0
    return tmp_path / "cloud"


def run(association: Path, *arguments: str, password: str | None = None) -> Result:
    """A command in the association's folder, with a password on standard input where it takes one."""
    if password is None:
        return davserver(*arguments, folder=association)
    return davserver(*arguments, "--password-stdin", folder=association, stdin=password + "\n")


def add(association: Path, name: str, *arguments: str) -> None:
    assert run(association, "user", "add", name, *arguments, password=WORD) == Result(0)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def users(association: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = tomllib.loads((association / "users.toml").read_text()).get("user", {})
    return found


# -- help and usage


def test_help_lists_every_command_and_shows_examples() -> None:
    result = davserver("--help")
    assert result.code == 0
    for command in (
        "init",
        "serve",
        "check",
        "user",
        "group",
        "rights",
        "import",
        "restore",
        "reindex",
        "hash",
        "demo",
    ):
        assert re.search(rf"^    {command}\s+\S", result.out, re.MULTILINE)
    assert "davserver user app-password alice --label phone" in result.out


@pytest.mark.parametrize("arguments", [(), ("user",), ("group",), ("nonsense",), ("user", "add"), ("serve", "--what")])
def test_arguments_that_make_no_sense_end_with_code_2(arguments: tuple[str, ...]) -> None:
    assert davserver(*arguments).code == 2


def test_no_command_takes_a_password_as_an_argument(association: Path) -> None:
    result = davserver("user", "add", "alice", "--password", "secret", folder=association)
    assert result.code == 2
    assert users(association) == {}


# -- init


def test_init_writes_a_configuration_without_problems(association: Path) -> None:
    assert run(association, "check") == Result(0)


def test_the_users_file_of_init_is_for_its_owner_alone(association: Path) -> None:
    assert stat.S_IMODE((association / "users.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((association / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["davserver.toml", "users.toml", "groups.toml", "access.toml", "data"])
def test_init_overwrites_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    result = davserver("init", str(tmp_path))
    assert result.code == 1
    assert name in result.err
    assert snapshot(tmp_path) == {name: b"mine"}


def test_after_init_members_list_the_top_and_create_boards_and_nobody_else_does(association: Path) -> None:
    add(association, "alice")
    assert run(association, "rights", "/files", "alice").out.split()[1] == "read"
    assert run(association, "rights", "/files/Boards", "alice").out.split()[1:3] == ["read", "create"]
    assert run(association, "rights", "/files/Sport/x", "alice").out.split()[1] == "nothing"
    assert run(association, "rights", "/files", "world").out.split()[1] == "nothing"


# -- check


def test_check_names_problems_of_every_file_with_its_line(association: Path) -> None:
    (association / "users.toml").write_text('[user.alice]\npasword = "x"\n')
    (association / "groups.toml").write_text('[group.sport]\nmembers = ["nobody-here"]\n')
    (association / "access.toml").write_text('[[rule]]\npath = "/files"\nwho = ["all-userz"]\nmay = ["read"]\n')
    (association / "data/files/Boards/access.toml").write_text('[[rule]]\nwho = ["all-users"]\nmay = ["reed"]\n')
    result = run(association, "check")
    assert result.code == 1
    for place in ("users.toml:2:", "groups.toml:1:", "access.toml:1:", "Boards/access.toml:3:"):
        assert result.err.count(f"{association}/{place}" if place[0].islower() else place) == 1, place
    assert "all-users" in result.err


def test_check_names_what_is_wrong_in_boards_forms_and_polls(association: Path) -> None:
    for name, text in (
        ("Boards/b/board.toml", "colour = 1\n"),
        ("Forms/f/form.toml", 'who = ["nobody-here"]\n'),
        ("Polls/p/poll.toml", 'title = "x"\n[[option]]\n'),
    ):
        file = association / "data/files" / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    result = run(association, "check")
    assert result.code == 1
    assert "b/board.toml:1: unknown key 'colour'" in result.err
    assert "f/form.toml:1: nobody is called 'nobody-here'" in result.err
    assert "p/poll.toml:2: an option without id" in result.err


def test_check_warns_of_a_users_file_that_others_may_read(association: Path) -> None:
    os.chmod(association / "users.toml", 0o644)
    result = run(association, "check")
    assert (result.code, "chmod 0600" in result.err) == (1, True)


def test_check_lists_all_problems_of_the_configuration_at_once(association: Path) -> None:
    (association / "davserver.toml").write_text('languge = "en"\n[server]\nport = 99999\n')
    result = run(association, "check")
    assert result.code == 1
    assert "davserver.toml:1: unknown setting 'languge'; did you mean 'language'?" in result.err
    assert "davserver.toml:3: server.port is 99999; it can be 0 to 65535" in result.err


def test_a_missing_configuration_is_one_clear_sentence(tmp_path: Path) -> None:
    result = davserver("check", folder=tmp_path)
    assert result.code == 1
    assert result.err == (
        "davserver.toml:1: there is no such file; name it with -c FILE, or make one with `davserver init DIR`\n"
    )


def test_the_environment_names_the_configuration(association: Path, tmp_path: Path) -> None:
    environment = {"DAVSERVER_CONFIG": str(association / "davserver.toml")}
    assert davserver("check", folder=tmp_path, environment=environment).code == 0


def test_check_running_says_when_nobody_answers(association: Path, free_port: int) -> None:
    result = run(association, "check", "--running", "--listen", f"127.0.0.1:{free_port}")
    assert result.code == 1
    assert "does not answer" in result.err


def test_check_running_does_not_take_another_program_for_davserver(association: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        result = run(association, "check", "--running", "--listen", f"127.0.0.1:{other.server_port}")
    assert result.code == 1
    assert "no DAV header" in result.err


# -- users


def test_a_new_member_has_an_argon2id_hash_and_is_in_the_groups(association: Path) -> None:
    assert run(association, "group", "add", "sport").code == 0
    add(association, "alice", "--mail", "a@example.org", "--mail", "b@example.org", "--group", "sport")
    alice = users(association)["alice"]
    assert str(alice["password"]).startswith("$argon2id$")
    assert verify_password(WORD, str(alice["password"]))
    assert alice["mail"] == ["a@example.org", "b@example.org"]
    assert tomllib.loads((association / "groups.toml").read_text())["group"]["sport"]["members"] == ["alice"]
    assert run(association, "check").code == 0


def test_an_edit_keeps_comments_order_and_what_it_does_not_speak_of(association: Path) -> None:
    file = association / "users.toml"
    before = (
        "# our people\n\n[user.zoe] # first\nmail = [\n  'z@example.org', # home\n]\n\n"
        '# she knows the van\n[user.alice]\ndisplay_name = "Alice"\n# the end\n'
    )
    file.write_text(before)
    add(association, "bob")
    assert file.read_text().startswith(before)
    assert run(association, "user", "passwd", "alice", password=WORD).code == 0
    assert run(association, "user", "disable", "zoe").code == 0
    text = file.read_text()
    assert [line for line in text.splitlines() if line.startswith(("[", "#"))] == [
        "# our people",
        "[user.zoe] # first",
        "# she knows the van",
        "[user.alice]",
        "# the end",
        "[user.bob]",
    ]
    assert "  'z@example.org', # home" in text
    assert list(users(association)) == ["zoe", "alice", "bob"]


def test_an_edit_makes_the_users_file_private_and_leaves_no_scratch_file(association: Path) -> None:
    os.chmod(association / "users.toml", 0o644)
    add(association, "alice")
    assert stat.S_IMODE((association / "users.toml").stat().st_mode) == 0o600
    assert sorted(os.listdir(association)) == ["access.toml", "data", "davserver.toml", "groups.toml", "users.toml"]


def test_edits_at_the_same_time_all_arrive(association: Path) -> None:
    names = [f"member{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        codes = list(pool.map(lambda name: run(association, "user", "add", name, password=WORD).code, names))
    assert codes == [0] * len(names)
    assert sorted(users(association)) == names


@pytest.mark.parametrize("name", ["ALICE", "sport", "all-users", "world", "a/b", "a~b", ".a", "a:b", ""])
def test_a_name_that_is_taken_or_no_name_is_refused_and_nothing_changes(association: Path, name: str) -> None:
    add(association, "alice")
    assert run(association, "group", "add", "sport").code == 0
    before = snapshot(association)
    result = run(association, "user", "add", name, password=WORD)
    assert (result.code, result.err.startswith("davserver: ")) == (1, True)
    assert snapshot(association) == before


def test_a_group_that_does_not_exist_is_refused_before_anything_is_written(association: Path) -> None:
    before = snapshot(association)
    result = run(association, "user", "add", "alice", "--group", "sprot", password=WORD)
    assert (result.code, result.out) == (1, "")
    assert "davserver group add sprot" in result.err
    assert snapshot(association) == before


def test_a_short_password_is_refused_and_nothing_changes(association: Path) -> None:
    before = snapshot(association)
    assert run(association, "user", "add", "alice", password="seven77").code == 1
    assert snapshot(association) == before


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--mail", "nonsense"), "no mail address"), (("--mail", "a@b", "--mail", ""), "no mail address")],
)
def test_a_member_who_could_not_sign_in_is_not_added(association: Path, more: tuple[str, ...], said: str) -> None:
    before = (association / "users.toml").read_text()
    result = run(association, "user", "add", "zoe", *more, password=WORD)
    assert result.code == 1
    assert said in result.err
    assert (association / "users.toml").read_text() == before


def test_a_broken_users_file_is_not_edited(association: Path) -> None:
    (association / "users.toml").write_text("[user.alice\n")
    before = snapshot(association)
    result = run(association, "user", "add", "bob", password=WORD)
    assert result.code == 1
    assert "users.toml:1:" in result.err
    assert snapshot(association) == before


def test_a_device_password_is_shown_once_and_only_its_hash_is_kept(association: Path) -> None:
    add(association, "alice")
    password = run(association, "user", "app-password", "alice", "--label", "phone").out.strip()
    assert len(password.replace("-", "")) * 5 >= 96
    assert password not in (association / "users.toml").read_text()
    assert run(association, "user", "app-password", "alice", "--label", "phone").code == 1
    assert run(association, "user", "app-password", "alice", "--label", "tablet").code == 0
    assert run(association, "user", "app-password", "alice", "--list").out.split()[0] == "phone"
    assert run(association, "user", "app-password", "alice", "--revoke", "phone").code == 0
    assert [each["label"] for each in users(association)["alice"]["app_password"]] == ["tablet"]  # type: ignore[attr-defined]
    assert run(association, "user", "app-password", "alice", "--revoke", "phone").code == 1
    assert run(association, "check").code == 0


def test_disable_and_enable_undo_each_other(association: Path) -> None:
    add(association, "alice")
    before = users(association)
    assert run(association, "user", "disable", "alice").code == 0
    assert users(association)["alice"]["disabled"] is True
    assert "disabled" in run(association, "user", "list").out
    assert run(association, "user", "enable", "alice").code == 0
    assert users(association) == before


def test_an_htpasswd_file_is_not_edited(association: Path) -> None:
    (association / "htpasswd").touch(mode=0o600)
    with open(association / "davserver.toml", "a") as out:
        out.write("\n")
    text = (association / "davserver.toml").read_text().replace("# htpasswd_file", "htpasswd_file")
    (association / "davserver.toml").write_text(text)
    result = run(association, "user", "add", "alice", password=WORD)
    assert result.code == 1
    assert "htpasswd" in result.err
    assert (association / "htpasswd").read_bytes() == b""


# -- groups


def test_a_group_takes_members_and_groups_once(association: Path) -> None:
    add(association, "alice")
    assert run(association, "group", "add", "office").code == 0
    assert run(association, "group", "add", "staff", "--member", "alice", "--group", "office").code == 0
    assert run(association, "group", "add", "staff", "--member", "ALICE").code == 0
    staff = tomllib.loads((association / "groups.toml").read_text())["group"]["staff"]
    assert (staff["members"], staff["groups"]) == (["alice"], ["office"])
    assert "alice, office" in run(association, "group", "list").out


@pytest.mark.parametrize(
    "arguments", [("sport", "--member", "nobody"), ("sport", "--group", "nothing"), ("alice",), ("world",)]
)
def test_a_group_with_a_name_that_cannot_be_is_refused_and_nothing_changes(
    association: Path, arguments: tuple[str, ...]
) -> None:
    add(association, "alice")
    before = snapshot(association)
    assert run(association, "group", "add", *arguments).code == 1
    assert snapshot(association) == before


# -- rights and hash


def test_rights_names_the_file_and_line_that_gives_them(association: Path) -> None:
    add(association, "alice")
    add(association, "bob")
    (association / "data/files/Sport").mkdir()
    (association / "access.toml").write_text('[[rule]]\npath = "/files/Sport"\nwho = ["alice"]\nmay = ["read"]\n')
    (association / "data/files/Sport/access.toml").write_text('\n[[rule]]\nwho = ["bob"]\nmay = ["read", "write"]\n')
    lines = run(association, "rights", "/files/Sport/").out.splitlines()
    assert lines[0].split() == ["world", "nothing", "no", "rule", "gives", "anything"]
    assert re.fullmatch(r"alice +read +\S*/access.toml:1 gives read to alice", lines[1])
    assert re.fullmatch(r"bob +read write +/files/Sport/access.toml:2 gives read write to bob", lines[2])


def test_rights_tells_who_votes_in_a_poll_and_reads_votes_as_the_disk_has_it(association: Path) -> None:
    for name in ("alice", "bob"):
        add(association, name)
    poll = association / "data/files/Polls/Lunch"
    (poll / "votes").mkdir(parents=True)
    (poll / "access.toml").write_text('[[rule]]\nwho = ["bob"]\nmay = ["read", "delete"]\n')

    def told(path: str, name: str) -> tuple[str, str]:
        line = run(association, "rights", f"/files/Polls/Lunch{path}", name).out.splitlines()[0]
        return line[17:55].strip(), line[56:].strip()

    for head, alice, bob in (
        ('voters = ["alice"]\n', "read create write delete", "read"),
        ('voters = ["alice"]\nresults = "never"\n', "read create write delete", "nothing"),
        ('voters = "nobody"\n', "nothing", "read"),
        ("broken", "nothing", "nothing"),
    ):
        (poll / "poll.toml").write_text(head)
        assert (told("/votes/alice.toml", "alice")[0], told("/votes/alice.toml", "bob")[0]) == (alice, bob)
    (poll / "poll.toml").write_text('voters = ["alice"]\nanonymous = true\n')
    assert told("", "alice") == ("read", "/files/Polls/Lunch/poll.toml has it among the voters")
    assert told("/votes/alice.toml", "alice") == ("nothing", "no rule gives anything")
    assert told("/votes", "bob")[0] == "read delete"


def test_rights_tells_whom_a_form_asks_as_the_disk_has_it(association: Path) -> None:
    add(association, "alice")
    form = association / "data/files/Forms/Camp"
    (form / "responses").mkdir(parents=True)

    def told(path: str) -> list[str]:
        return run(association, "rights", f"/files/Forms/Camp{path}", "alice").out.split(maxsplit=2)[1:]

    for head, of_form, of_answers in (
        ('who = ["alice"]\n', "read", "create"),
        ('who = "members"\n', "read", "create"),
        ('who = "world"\n', "nothing", "nothing"),
        ("broken", "nothing", "nothing"),
    ):
        (form / "form.toml").write_text(head)
        assert (told("")[0], told("/responses")[0], told("/x.odt")[0]) == (of_form, of_answers, "nothing")
    (form / "form.toml").write_text('who = ["alice"]\n')
    assert told("/responses")[1].strip() == "/files/Forms/Camp/form.toml asks it to answer"


@pytest.mark.parametrize(
    "arguments",
    [("Sport",), ("/files/../x",), ("/files", "nobody"), ("/files/Trash/Sport/x.txt",), ("/files/History",)],
)
def test_rights_refuses_a_path_or_name_that_cannot_be(association: Path, arguments: tuple[str, ...]) -> None:
    result = run(association, "rights", *arguments)
    assert (result.code, result.out) == (1, "")
    assert "Traceback" not in result.err


def test_a_hash_is_of_the_password_that_was_piped_in(tmp_path: Path) -> None:
    result = davserver("hash", "--password-stdin", folder=tmp_path, stdin=WORD + "\n")
    assert verify_password(WORD, result.out.strip())


def test_without_a_terminal_a_password_is_not_waited_for(association: Path) -> None:
    result = davserver("user", "add", "alice", folder=association)
    assert (result.code, "--password-stdin" in result.err) == (1, True)
    assert users(association) == {}
