"""Answers as journals or tasks in the homes of those who read them."""

from __future__ import annotations

import json
import re
from itertools import count

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.forms.conftest import Form, send_json
from tests.harness import ACCESS, Dav, Server
from tests.objects.conftest import changed, items_of, said
from tests.pim.samples import sync

RULES = """
[[rule]]
path = "/files/Forms"
who = ["sport"]
may = ["create"]
scope = "here"
"""
FORM = """
id = "{id}"
title = "Summer camp"
who = "world"
view = "{view}"
summary = ["name"]
[[field]]
name = "name"
label = "Your name"
type = "text"
required = true
[[field]]
name = "days"
label = "Days"
type = "choices"
options = ["Mon", "Tue", "Wed"]
"""
SHARED = '[[rule]]\nwho = ["bob"]\nmay = ["read", "write", "delete"]\n[[rule]]\nwho = ["carol"]\nmay = ["create"]\n'
PRIVILEGES = "{DAV:}current-user-privilege-set"
numbers = count(1)


@pytest.fixture(scope="module")
def cloud(start_server: MakeServer) -> Server:
    return start_server(access=ACCESS + RULES, folders=("Forms",))


@pytest.fixture
def alice(cloud: Server) -> Dav:
    return cloud.client("alice")


@pytest.fixture
def bob(cloud: Server) -> Dav:
    return cloud.client("bob")


def make_form(alice: Dav, view: str = "task") -> str:
    path = f"/files/Forms/f{next(numbers)}"
    assert alice.mkcol(path).status == 201
    id = re.search('^id = "(.*)"', alice.get(f"{path}/form.toml").text, re.MULTILINE)
    assert id is not None
    assert alice.put(f"{path}/form.toml", FORM.format(id=id[1], view=view)).status == 204
    assert alice.put(f"{path}/access.toml", SHARED).status == 201
    return path


def answer(client: Dav, path: str, **values: object) -> str:
    headers = {"Content-Type": "application/json"}
    reply = client.request("POST", f"{path}/responses/", json.dumps(values), headers)
    assert reply.status == 201
    return reply.headers["location"]


def calendar_of(client: Dav, path: str) -> str | None:
    """The calendar of a form in a member's home, by the id that the form has."""
    found = client.propfind(f"/dav/{client.user}/", "{DAV:}displayname", depth="1").multistatus()
    id = re.search('^id = "(.*)"', client.get(f"{path}/form.toml").text, re.MULTILINE)
    assert id is not None
    return next((href for href in found if href.endswith(f"/form-{id[1]}/")), None)


def one(client: Dav, url: str) -> str:
    (href,) = items_of(client, url).values()
    return href


@pytest.mark.parametrize(("view", "component"), [("task", "VTODO"), ("journal", "VJOURNAL")])
def test_an_answer_is_a_task_or_journal_of_whoever_reads_the_answers(
    cloud: Server, alice: Dav, bob: Dav, view: str, component: str
) -> None:
    path = make_form(alice, view)
    href = answer(cloud.client("carol"), path, name="Eva", days=["Mon", "Wed"])
    stem = href.rpartition("/")[2].removesuffix(".json")
    url = calendar_of(bob, path)
    assert url is not None
    text = bob.get(one(bob, url)).text
    assert f"BEGIN:{component}" in text
    assert said(text, "SUMMARY") == "Summer camp: Eva"
    assert said(text, "DESCRIPTION") == r"Member: carol\nYour name: Eva\nDays: Mon\; Wed"
    assert said(text, "CATEGORIES") == "Summer camp"
    assert said(text, "UID").startswith(f"{stem}@")
    assert said(text, "DTSTART").endswith("Z")


def test_a_form_without_view_and_who_may_only_answer_have_no_calendar(cloud: Server, alice: Dav, bob: Dav) -> None:
    carol = cloud.client("carol")
    shown, hidden = make_form(alice), make_form(alice, "none")
    answer(carol, shown, name="Eva")
    answer(carol, hidden, name="Eva")
    assert calendar_of(bob, shown) is not None
    assert calendar_of(bob, hidden) is None
    listed = carol.propfind("/dav/carol/", depth="1").multistatus()
    assert not any("/form-" in href for href in listed)


def test_a_tick_is_kept_beside_the_answer_and_seen_by_others(alice: Dav, bob: Dav, cloud: Server) -> None:
    path = make_form(alice)
    href = answer(alice, path, name="Eva")
    before = alice.get(href)
    url = calendar_of(bob, path)
    assert url is not None
    item = one(bob, url)
    served = bob.get(item)
    assert said(served.text, "STATUS") == "NEEDS-ACTION"
    token = bob.report(url, sync()).xml.findtext(DAV.sync_token) or ""
    body = changed(served.text, STATUS="COMPLETED", COMMENT="paid", SUMMARY="forged", DESCRIPTION="forged")
    assert bob.put(item, body, {"If-Match": served.etag}).status == 204
    text = bob.get(item).text
    assert (said(text, "STATUS"), said(text, "COMMENT"), said(text, "SUMMARY")) == (
        "COMPLETED",
        "paid",
        "Summer camp: Eva",
    )
    assert said(text, "COMPLETED").endswith("Z")
    assert alice.get(href).body == before.body
    assert alice.get(href).etag == before.etag
    own = calendar_of(alice, path)
    assert own is not None
    assert said(alice.get(one(alice, own)).text, "STATUS") == "COMPLETED"
    assert list(bob.report(url, sync(token)).multistatus()) == [item]
    cloud.restart()
    assert said(bob.get(item).text, "STATUS") == "COMPLETED"


def test_a_stale_tick_is_refused_and_a_needless_one_changes_nothing(alice: Dav, bob: Dav) -> None:
    path = make_form(alice)
    answer(alice, path, name="Eva")
    url = calendar_of(bob, path)
    assert url is not None
    item = one(bob, url)
    served = bob.get(item)
    assert bob.put(item, served.text, {"If-Match": served.etag}).status == 204
    assert bob.get(item).etag == served.etag
    assert bob.put(item, changed(served.text, STATUS="IN-PROCESS"), {"If-Match": served.etag}).status == 204
    reply = bob.put(item, changed(served.text, STATUS="COMPLETED"), {"If-Match": served.etag})
    assert reply.status == 412
    assert said(bob.get(item).text, "STATUS") == "IN-PROCESS"


def test_new_tasks_are_refused_and_not_announced(alice: Dav, bob: Dav, cloud: Server) -> None:
    path = make_form(alice)
    answer(alice, path, name="Eva")
    for client in (alice, bob):
        url = calendar_of(client, path)
        assert url is not None
        row = client.propfind(url, PRIVILEGES, depth="0").multistatus()[url]
        granted = {element.tag for element in row.props[PRIVILEGES].iter()}
        assert "{DAV:}write-content" in granted
        assert granted.isdisjoint({"{DAV:}bind", "{DAV:}write", "{DAV:}all"})
        text = client.get(one(client, url)).text
        before = cloud.tree()
        reply = client.put(f"{url}new.ics", changed(text, UID="new"))
        assert (reply.status, reply.condition) == (403, "{DAV:}need-privileges")
        assert cloud.tree() == before


def test_deleting_a_task_deletes_the_answer_into_the_trash(alice: Dav, bob: Dav) -> None:
    path = make_form(alice)
    href = answer(alice, path, name="Eva")
    url = calendar_of(bob, path)
    assert url is not None
    assert bob.delete(one(bob, url)).status == 204
    assert alice.get(href).status == 404
    assert items_of(bob, url) == {}


def test_another_answer_of_the_same_member_is_not_ticked(alice: Dav, bob: Dav, cloud: Server) -> None:
    path, carol = make_form(alice), cloud.client("carol")
    text = alice.get(f"{path}/form.toml").text
    assert alice.put(f"{path}/form.toml", "once = true\n" + text).status == 204
    answer(carol, path, name="Eva")
    url = calendar_of(bob, path)
    assert url is not None
    item = one(bob, url)
    served = bob.get(item)
    assert bob.put(item, changed(served.text, STATUS="COMPLETED"), {"If-Match": served.etag}).status == 204
    answer(carol, path, name="Eva and Max")
    again = bob.get(one(bob, url))
    assert said(again.text, "SUMMARY") == "Summer camp: Eva and Max"
    assert said(again.text, "STATUS") == "NEEDS-ACTION"


def test_a_copied_form_has_an_id_and_answers_of_its_own(alice: Dav, bob: Dav) -> None:
    path = make_form(alice)
    answer(alice, path, name="Eva")
    copy = f"{path}copy"
    assert alice.copy(path, copy).status == 201
    found = alice.propfind("/dav/alice/", "{DAV:}displayname", depth="1").multistatus()
    calendars = [
        href for href, row in found.items() if "/form-" in href and row.text("{DAV:}displayname") == "Summer camp"
    ]
    uids = {said(alice.get(href).text, "UID") for url in calendars for href in items_of(alice, url).values()}
    own = {uid for uid in uids if uid.startswith(answer_stem(alice, path))}
    assert len(own) == 2


def answer_stem(client: Dav, path: str) -> str:
    (href,) = (
        href for href in client.propfind(f"{path}/responses/", depth="1").multistatus() if href.endswith(".json")
    )
    return href.rpartition("/")[2].removesuffix(".json")


CHANGES = (
    '<D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level>'
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)


@pytest.mark.parametrize("how", ["stored", "edited on the disk"])
def test_what_other_settings_change_in_tasks_is_told_by_the_next_sync(form: Form, how: str) -> None:
    bob = form.server.client("bob")
    form.define('view = "task"')
    assert send_json(form.alice, form.answers, {"name": "Eva"}).status == 201
    (home,) = [href for href in bob.propfind("/dav/bob/", depth="1").hrefs if f"form-{form.id}" in href]
    token = bob.report(home, CHANGES.format("")).xml.findtext("{DAV:}sync-token") or ""
    assert list(bob.report(home, CHANGES.format(token)).multistatus()) == []
    file = form.disk / "form.toml"
    for before, after in (('"Your name"', '"Nom"'), ('title = "Camp"', 'title = "Camp 2027"')):
        text = file.read_text().replace(before, after)
        if how == "stored":
            assert form.alice.put(f"{form.path}/form.toml", text).status == 204
        else:
            file.write_text(text)
        reply = bob.report(home, CHANGES.format(token))
        (href,) = reply.multistatus()
        token = reply.xml.findtext("{DAV:}sync-token") or ""
    task = bob.get(href).text
    assert "SUMMARY:Camp 2027: Eva" in task
    assert "Nom: Eva" in task


def test_a_lock_of_an_answer_ends_within_ten_minutes(form: Form) -> None:
    assert send_json(form.alice, form.answers, {"name": "Eva"}).status == 201
    (file,) = (form.disk / "responses").glob("*.json")
    reply = form.alice.lock(form.answers + file.name, timeout="Second-3600")
    assert "Second-600<" in reply.text
