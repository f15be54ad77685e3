"""What a command changes is in force on the running server with the next request."""

from __future__ import annotations

import pytest

from tests.cli.command import Result, davserver
from tests.harness import Server, password_of


def run(server: Server, *arguments: str, stdin: str = "") -> Result:
    return davserver(*arguments, "-c", str(server.config), stdin=stdin)


def test_check_running_is_content_with_a_server_that_answers(server: Server) -> None:
    result = run(server, "check", "--running", "--listen", f"127.0.0.1:{server.port}")
    assert result == Result(0)
    assert "DAV: 1, 2, 3" in result.out


@pytest.mark.rfc("7617", "2")
def test_a_new_member_signs_in_and_a_disabled_one_no_longer(server: Server) -> None:
    zoe = server.client("zoe", "correct horse battery")
    assert zoe.propfind("/files/").status == 401
    assert run(server, "user", "add", "Zoe", "--password-stdin", stdin="correct horse battery\n") == Result(0)
    assert zoe.propfind("/files/").status == 207
    assert run(server, "user", "disable", "zoe") == Result(0)
    assert zoe.propfind("/files/").status == 401


def test_a_changed_password_ends_the_old_one_at_once(server: Server) -> None:
    old, new = server.client("alice"), server.client("alice", "another good one")
    assert old.propfind("/files/").status == 207
    assert run(server, "user", "passwd", "alice", "--password-stdin", stdin="another good one\n") == Result(0)
    assert (old.propfind("/files/").status, new.propfind("/files/").status) == (401, 207)


def test_a_device_signs_in_with_its_own_password_until_that_is_revoked(server: Server) -> None:
    password = run(server, "user", "app-password", "alice", "--label", "phone").out.strip()
    phone = server.client("alice", password)
    assert phone.propfind("/files/").status == 207
    assert run(server, "user", "app-password", "alice", "--revoke", "phone") == Result(0)
    assert phone.propfind("/files/").status == 401
    assert server.client("alice").propfind("/files/").status == 207


def test_who_joins_a_group_sees_its_folder(server: Server) -> None:
    dora = server.client("dora")
    assert dora.propfind("/files/Sport/").status == 404
    assert run(server, "group", "add", "sport", "--member", "dora") == Result(0)
    assert dora.propfind("/files/Sport/").status == 207


def test_rights_says_of_the_running_server_what_the_server_does(server: Server) -> None:
    for name in ("alice", "carol", "dora"):
        line = run(server, "rights", "/files/Sport/new.txt", name).out
        status = server.client(name).put("/files/Sport/new.txt", b"x").status
        assert ("create" in line.split(server.folder.name)[0]) == (status in (201, 204)), line


def test_who_takes_over_finds_files_and_calendar_and_the_other_is_gone(server: Server) -> None:
    alice, bob = server.client("alice"), server.client("bob")
    assert bob.put("/files/Home/letter.txt", b"dear").status == 201
    assert bob.mkcalendar("/dav/bob/choir/").status == 201
    assert run(server, "user", "remove", "bob", "--to", "alice") == Result(0)
    assert bob.propfind("/files/").status == 401
    assert alice.get("/files/Home/From bob/letter.txt").body == b"dear"
    assert alice.propfind("/dav/alice/choir/").status == 207
    assert alice.propfind("/dav/bob/").status == 404
    assert server.client("bob", password_of("bob")).propfind("/dav/").status == 401
