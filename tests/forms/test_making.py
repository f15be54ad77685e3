"""A folder that is made in Forms or Polls is a form or poll."""

from __future__ import annotations

import pytest

from tests.conftest import MakeServer
from tests.harness import ACCESS, Server

RULES = """
[[rule]]
path = "/files/Forms"
who = ["sport"]
may = ["create"]
scope = "here"

[[rule]]
path = "/files/Polls"
who = ["sport"]
may = ["create"]
scope = "here"
"""


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer) -> Server:
    return start_server(access=ACCESS + RULES, folders=("Forms", "Polls"))


@pytest.mark.parametrize(
    ("top", "file", "below"), [("Forms", "form.toml", "responses"), ("Polls", "poll.toml", "votes")]
)
def test_a_new_folder_has_the_file_that_says_what_it_is(cloud: Server, top: str, file: str, below: str) -> None:
    alice, path = cloud.client("alice"), f"/files/{top}/Summer"
    assert alice.mkcol(path).status == 201
    assert {f"{path}/{file}", f"{path}/{below}/"} <= set(alice.propfind(f"{path}/", depth="1").multistatus())
    assert 'id = "' in alice.get(f"{path}/{file}").text
    assert cloud.client("bob").get(f"{path}/{file}").status == 404  # private until it is shared


@pytest.mark.parametrize("top", ["Forms", "Polls"])
def test_without_a_title_the_pages_say_the_name_of_the_folder_and_follow_it(cloud: Server, top: str) -> None:
    alice, path = cloud.client("alice"), f"/files/{top}/New folder"
    assert alice.mkcol(path).status == 201
    assert "<h1>New folder</h1>" in alice.get(f"{path}/index.html").text
    assert alice.move(path, f"/files/{top}/Camp").status == 201
    assert "<h1>Camp</h1>" in alice.get(f"/files/{top}/Camp/index.html").text
    assert "Camp</title>" in alice.get(f"/files/{top}/Camp/thanks.html").text
    assert alice.copy(f"/files/{top}/Camp", f"/files/{top}/Lake").status == 201
    assert "<h1>Lake</h1>" in alice.get(f"/files/{top}/Lake/index.html").text
    own = "<!doctype html><title>ours</title>"
    assert alice.put(f"/files/{top}/Lake/index.html", own).status == 204
    assert alice.move(f"/files/{top}/Lake", f"/files/{top}/Sea").status == 201
    assert alice.get(f"/files/{top}/Sea/index.html").text == own
    assert "<h1>Sea</h1>" in alice.get(f"/files/{top}/Sea/closed.html").text


@pytest.mark.parametrize(("top", "file"), [("Forms", "form.toml"), ("Polls", "poll.toml")])
def test_a_file_that_is_broken_is_refused_with_its_line(cloud: Server, top: str, file: str) -> None:
    alice, path = cloud.client("alice"), f"/files/{top}/Broken"
    alice.mkcol(path)
    before = (cloud.data / f"files/{top}/Broken/{file}").read_bytes()
    reply = alice.put(f"{path}/{file}", 'title = "x"\nbroken =\n')
    assert reply.status == 422
    assert f"{file}:2" in reply.text or "line 2" in reply.text
    assert (cloud.data / f"files/{top}/Broken/{file}").read_bytes() == before


def test_the_key_of_the_servers_hashes_is_its_own_alone_and_stays(cloud: Server) -> None:
    file = cloud.data / "secret.key"
    before = file.read_bytes()
    assert len(before) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    cloud.restart()
    assert file.read_bytes() == before
