"""A form behind a link: what strangers get of it, and links of single members."""

from __future__ import annotations

import re

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.forms.conftest import PAGE, RULES, SHARED, Form, multipart, send, send_json
from tests.harness import ACCESS, Dav, users_toml

NULL = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}  # what a browser sends from a sandboxed page
URL = re.compile(r"https?://[^/\s]+(/p/[A-Za-z0-9_-]{22}/)\n")


def my_link(client: Dav, form: Form) -> str:
    """The URL path of a member's own link."""
    found = URL.search(client.get(f"{form.path}/my-link.txt").text)
    assert found is not None
    return found[1]


@pytest.fixture
def url(form: Form) -> str:
    for name in ("index", "thanks", "closed"):
        assert form.alice.put(f"{form.path}/{name}.html", f"<!doctype html><title>{name}</title>").status in (201, 204)
    return form.publish()


def test_a_stranger_reads_the_page_and_answers(form: Form, url: str) -> None:
    reply = form.visitor.get(url)
    assert (reply.status, reply.text) == (200, "<!doctype html><title>index</title>")
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-forms; default-src 'none'")
    assert f"form-action http://127.0.0.1:{form.server.port}" in policy
    told = {name: reply.headers[name] for name in ("x-content-type-options", "referrer-policy", "x-robots-tag")}
    assert told == {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
    sent = form.visitor.request("POST", f"{url}responses/", "name=Eva", {**PAGE, **NULL})
    assert (sent.status, sent.headers["location"]) == (303, f"{url}thanks.html")
    assert form.visitor.get(f"{url}thanks.html").status == 200
    (stored,) = form.stored()
    assert stored["answers"] == {"name": "Eva"}
    assert "member" not in stored


def test_a_link_leads_to_the_folder_with_a_slash(form: Form, url: str) -> None:
    reply = form.visitor.get(url.rstrip("/"))
    assert (reply.status, reply.headers["location"]) == (301, url)


@pytest.mark.parametrize("right", ["read", "drop", "read-drop"])
def test_whatever_right_the_link_has_nothing_else_is_there(form: Form, url: str, right: str) -> None:
    send_json(form.server.client("carol"), form.answers, {"name": "secret"})
    form.define('public = ["style.css"]')
    for name in ("style.css", "other.css", "note.txt"):
        form.alice.put(f"{form.path}/{name}", "x")
    rules = form.alice.get(f"{form.path}/access.toml").text.replace('right = "drop"', f'right = "{right}"')
    assert form.alice.put(f"{form.path}/access.toml", rules).status == 204
    (answer,) = (file.name for file in (form.disk / "responses").glob("*.json"))
    hidden = [
        "form.toml",
        "access.toml",
        "links.txt",
        "my-link.txt",
        "responses.csv",
        "check.txt",
        "other.css",
        "note.txt",
    ]
    hidden += [f"responses/{answer}", ".state.jsonl", f"{form.path.rpartition('/')[2]}.zip", "responses/x", "../x"]
    for name in hidden:
        assert form.visitor.get(f"{url}{name}").status in (404, 400), name
    assert form.visitor.get(f"{url}style.css").status == 200
    before = form.tree()
    for method in ("GET", "PROPFIND", "PUT", "DELETE", "MKCOL", "MOVE", "LOCK", "REPORT"):
        assert form.visitor.request(method, f"{url}responses/").status in (404, 405), method
        assert form.visitor.request(method, f"{url}responses/{answer}").status in (404, 405), method
        if method != "GET":
            assert form.visitor.request(method, f"{url}index.html").status == 405, method
            assert form.visitor.request(method, url).status == 405, method
    assert form.visitor.request("POST", url, "name=Eva", PAGE).status == 405
    assert form.tree() == before
    assert form.visitor.request("OPTIONS", f"{url}responses/").headers["allow"] == "OPTIONS, POST"
    assert form.visitor.request("OPTIONS", url).headers["allow"] == "OPTIONS, GET, HEAD"


def test_settings_named_as_public_are_not_taken(form: Form, url: str) -> None:
    text = form.alice.get(f"{form.path}/form.toml").text
    reply = form.alice.put(f"{form.path}/form.toml", 'public = ["form.toml"]\n' + text)
    assert reply.status == 422
    assert form.alice.get(f"{form.path}/form.toml").text == text


def test_no_link_of_another_folder_shows_a_form(form: Form, url: str) -> None:
    send_json(form.server.client("carol"), form.answers, {"name": "secret"})
    assert form.alice.put(f"{form.answers}access.toml", '[[link]]\nright = "read"\n').status == 201
    found = re.search(r"https?://[^/]+(/p/[A-Za-z0-9_-]+/)", form.alice.get(f"{form.answers}links.txt").text)
    assert found is not None
    assert form.visitor.get(found[1]).status == 404
    assert form.visitor.propfind(found[1], depth="1").status == 404


@pytest.mark.parametrize("right", ["read", "read-drop", "drop"])
@pytest.mark.parametrize("top", ["/files", "/files/Forms"])
def test_a_link_of_a_folder_above_shows_no_form_and_adds_nothing_to_it(
    make_server: MakeServer, top: str, right: str
) -> None:
    rules = f'[[rule]]\npath = "{top}"\nwho = ["alice"]\nmay = ["read", "create", "write", "delete", "admin"]\n'
    server = make_server(access=ACCESS + rules, folders=("Forms",)).start()
    form = Form(server, "/files/Forms/camp")
    assert form.alice.mkcol(form.path).status == 201
    assert send_json(form.alice, form.answers, {"name": "secret"}).status == 201
    assert form.alice.put(f"{top}/access.toml", f'[[link]]\nright = "{right}"\n').status == 201
    found = re.search(r"https?://[^/]+(/p/[A-Za-z0-9_-]+/)", form.alice.get(f"{top}/links.txt").text)
    assert found is not None
    url = f"{found[1]}{form.path[len(top) + 1 :]}"
    before = form.tree()
    (name,) = (file.name for file in (form.disk / "responses").glob("*.json"))
    for shown in ("/", "/index.html", "/responses/", f"/responses/{name}", "/responses.csv"):
        assert form.visitor.get(url + shown).status in (403, 404), shown
        assert form.visitor.propfind(url + shown, depth="1").status in (403, 404, 405), shown
    for added in ("/x.txt", "/responses/x.json"):
        assert form.visitor.put(url + added, "{}").status >= 400, added
        assert form.visitor.request("POST", url + added.rpartition("/")[0] + "/", "name=x", PAGE).status >= 400
    if right != "drop":
        archive = form.visitor.get(f"{found[1]}{top.rpartition('/')[2]}.zip")
        assert b"camp" not in archive.body
        assert b"camp" not in form.visitor.propfind(found[1], depth="1").body
    assert form.tree() == before


def test_the_answers_stay_hidden_where_the_settings_are_gone(form: Form, url: str) -> None:
    send_json(form.server.client("carol"), form.answers, {"name": "secret"})
    form.publish()
    rules = form.alice.get(f"{form.path}/access.toml").text.replace('right = "drop"', 'right = "read"')
    assert form.alice.put(f"{form.path}/access.toml", rules).status == 204
    assert form.alice.delete(f"{form.path}/form.toml").status == 204
    assert form.visitor.get(url).status == 404
    assert form.visitor.get(f"{url}responses/").status == 404
    assert form.visitor.propfind(url, depth="1").status == 404


def test_a_stranger_sends_files_too_and_they_count_against_the_link(form: Form, url: str) -> None:
    form.publish("quota_bytes = 600\n")
    body, headers = multipart([("name", "Eva"), ("cv", ("cv.pdf", "application/pdf", b"x" * 300))])
    assert form.visitor.request("POST", f"{url}responses/", body, headers).status == 303
    before = form.tree()
    assert form.visitor.request("POST", f"{url}responses/", body, headers).status == 507
    assert form.tree() == before


def test_a_form_for_members_takes_nothing_through_its_link(form: Form, url: str) -> None:
    form.define('who = "members"')
    before = form.tree()
    reply = send(form.visitor, f"{url}responses/", {"name": "Eva"})
    assert (reply.status, reply.headers["content-type"]) == (403, "text/plain; charset=utf-8")
    assert "for members" in reply.text
    assert form.tree() == before


def test_no_refusal_tells_strangers_where_the_form_lies(form: Form, url: str) -> None:
    token = form.alice.lock(form.answers).lock_token
    before = form.tree()
    locked = send(form.visitor, f"{url}responses/", {"name": "Eva"})
    assert (locked.status, locked.hrefs) == (423, [f"{url}responses"])
    assert form.tree() == before
    assert form.alice.unlock(form.answers, token).status == 204
    assert form.alice.delete(form.answers).status == 204
    assert send(form.visitor, f"{url}responses/", {"name": "Eva"}).status == 303  # the folder is made again
    assert form.said() == [{"name": "Eva"}]


def test_a_form_that_is_over_shows_the_page_that_says_so(form: Form, url: str) -> None:
    form.define("closes = 2020-01-01T00:00:00Z")
    assert form.visitor.get(url).text == "<!doctype html><title>closed</title>"
    before = form.tree()
    reply = send(form.visitor, f"{url}responses/", {"name": "Eva"})
    assert (reply.status, reply.text) == (403, "<!doctype html><title>closed</title>")
    assert reply.headers["content-security-policy"].startswith("sandbox allow-forms")
    assert form.tree() == before


def test_a_members_own_link_counts_as_the_members_answer(form: Form, url: str) -> None:
    form.define('who = "members"\nonce = true')
    carol = form.server.client("carol")
    mine = my_link(carol, form)
    shown = form.visitor.get(mine)
    assert shown.text == "<!doctype html><title>index</title>"
    assert shown.headers["access-control-allow-origin"] == "*"  # a sandboxed page loads its fonts as another site
    reply = form.visitor.request("POST", f"{mine}responses/", "name=Eva", {**PAGE, **NULL})
    assert (reply.status, reply.headers["location"]) == (303, f"{mine}thanks.html")
    (stored,) = form.stored()
    assert stored["member"] == "carol"
    for name in ("form.toml", "responses/carol.json", "responses.csv", "my-link.txt", "links.txt"):
        assert form.visitor.get(f"{mine}{name}").status == 404, name
    assert form.visitor.propfind(mine, depth="1").status == 405


def test_each_member_has_another_link_and_sees_only_the_own(form: Form) -> None:
    alice, carol = my_link(form.alice, form), my_link(form.server.client("carol"), form)
    assert alice != carol
    assert form.server.client("bob").get(f"{form.path}/my-link.txt").status == 404  # who reads but may not answer
    assert form.server.client("dora").get(f"{form.path}/my-link.txt").status == 404
    assert form.alice.put(f"{form.path}/my-link.txt", "x").status == 405
    assert form.alice.delete(f"{form.path}/my-link.txt").status == 405


def test_a_members_link_ends_with_the_right_to_answer_and_with_another_number(form: Form, url: str) -> None:
    carol = form.server.client("carol")
    mine = my_link(carol, form)
    assert form.visitor.get(mine).status == 200
    form.define("links_reset = 1")
    assert form.visitor.get(mine).status == 404
    other = my_link(carol, form)
    assert form.visitor.get(other).status == 200
    assert form.alice.put(f"{form.path}/access.toml", '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n').status == 204
    before = form.tree()
    assert form.visitor.get(other).status == 404
    assert send(form.visitor, f"{other}responses/", {"name": "Eva"}).status == 404
    assert form.tree() == before


@pytest.mark.parametrize("how", ["removed", "disabled"])
def test_a_members_link_ends_with_the_account(make_server: MakeServer, how: str) -> None:
    server = make_server(access=ACCESS + RULES, folders=("Forms",)).start()
    form = Form(server, "/files/Forms/camp")
    assert form.alice.mkcol(form.path).status == 201
    assert form.alice.put(f"{form.path}/access.toml", SHARED).status == 201
    mine = my_link(server.client("carol"), form)
    assert form.visitor.get(mine).status == 200
    disabled = users_toml(["alice", "bob", "carol"]).replace("[user.carol]", "[user.carol]\ndisabled = true")
    server.write_accounts(users=disabled if how == "disabled" else users_toml(["alice", "bob"]))
    before = form.tree()
    assert send(form.visitor, f"{mine}responses/", {"name": "Eva"}).status == 404
    assert form.tree() == before


def test_links_stay_out_of_the_log(form: Form, url: str) -> None:
    mine = my_link(form.server.client("carol"), form)
    for where in (url, mine):
        assert form.visitor.get(where).status == 200
        assert send(form.visitor, f"{where}responses/", {"name": "Eva"}).status == 303
        assert where.split("/")[2] not in form.server.log


def test_no_address_is_kept_of_who_answers(form: Form, url: str) -> None:
    assert form.visitor.request("POST", f"{url}responses/", "name=Eva", PAGE).status == 303
    held = [file.read_bytes() for file in form.disk.rglob("*") if file.is_file()]
    assert not any(b"127.0.0.1" in data for data in held if b"/p/" not in data)


def test_who_may_only_answer_reads_the_pages_and_nothing_else(form: Form, url: str) -> None:
    carol = form.server.client("carol")
    form.define('public = ["style.css"]')
    for name in ("style.css", "note.txt"):
        form.alice.put(f"{form.path}/{name}", "x")
    listed = {href.rpartition("/")[2] for href in carol.propfind(f"{form.path}/", depth="1").multistatus()} - {""}
    assert listed == {"index.html", "thanks.html", "closed.html", "style.css", "my-link.txt"}
    for name in ("index.html", "style.css"):
        assert carol.get(f"{form.path}/{name}").status == 200
    for name in ("form.toml", "note.txt", "access.toml", "responses.csv"):
        assert carol.get(f"{form.path}/{name}").status == 404, name


@pytest.mark.parametrize("who", ['["dora", "nobody"]', '["Dora"]', '"members"'])
def test_whom_a_form_names_sees_it_and_answers_without_any_rule(form: Form, who: str) -> None:
    dora, carol = form.server.client("dora"), form.server.client("carol")
    assert send(carol, form.answers, {"name": "Carol"}).status == 303
    assert dora.get(f"{form.path}/index.html").status == 404
    assert form.alice.put(f"{form.path}/board.odt", b"x").status == 201
    form.define(f"who = {who}")
    rows = dora.propfind(form.path, depth="1").hrefs
    below = ["", "closed.html", "form.toml", "index.html", "my-link.txt", "responses/", "thanks.html"]
    assert sorted(rows) == [f"{form.path}/{name}" for name in below]
    assert f"{form.path}/" in dora.propfind("/files/Forms", depth="1").hrefs
    assert dora.get(f"{form.path}/form.toml").text == form.alice.get(f"{form.path}/form.toml").text
    before = form.tree()
    for hidden in ("board.odt", "responses.csv", "check.txt", "links.txt", "access.toml"):
        assert dora.get(f"{form.path}/{hidden}").status == 404
    for reply in (
        dora.put(f"{form.path}/form.toml", "who = 'world'"),
        dora.put(f"{form.path}/index.html", "x"),
        dora.put(f"{form.path}/x.html", "x"),
        dora.put(f"{form.answers}x.json", '{"time": "2026-01-01T00:00:00Z", "answers": {}}'),
        dora.delete(f"{form.path}/index.html"),
        dora.delete(form.path),
        dora.mkcol(f"{form.path}/x"),
        dora.lock(f"{form.path}/index.html"),
        dora.proppatch(form.path, {DAV.displayname: "x"}),
    ):
        assert reply.status in (403, 207)
    assert form.tree() == before
    body, headers = multipart([("name", "Dora"), ("cv", ("cv.pdf", "application/pdf", b"x"))])
    assert dora.request("POST", form.answers, body, headers).status == 303
    own = next((form.disk / "responses").glob("*.files")).name
    hrefs = dora.propfind(form.answers, depth="infinity").hrefs
    stem = own.removesuffix(".files")
    assert sorted(hrefs) == [form.answers + name for name in ("", f"{own}/", f"{own}/cv.pdf", f"{stem}.json")]
    assert dora.get(f"{form.answers}{own}/cv.pdf").body == b"x"
    assert not [href for href in dora.propfind("/dav/dora/", depth="1").hrefs if form.id in href]
    url = my_link(dora, form)
    assert form.visitor.get(url).status == 200
    form.define('who = ["alice"]')
    assert dora.get(f"{form.path}/index.html").status == 404
    assert send(dora, form.answers, {"name": "x"}).status == 404
    assert form.visitor.get(url).status == 404


def test_a_page_that_was_deleted_is_told_to_whom_a_form_names(form: Form) -> None:
    form.define('who = ["dora"]')
    dora = form.server.client("dora")
    body = (
        '<D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level><D:prop/>'
        "</D:sync-collection>"
    )
    first = dora.report(form.path, body.format(""))
    assert f"{form.path}/thanks.html" in first.hrefs
    assert form.alice.put(f"{form.path}/board.odt", b"x").status == 201
    assert form.alice.delete(f"{form.path}/board.odt").status == 204
    assert form.alice.delete(f"{form.path}/thanks.html").status == 204
    token = first.xml.findtext("{DAV:}sync-token") or ""
    rows = dora.report(form.path, body.format(token)).multistatus()
    assert {path: row.status for path, row in rows.items()} == {f"{form.path}/thanks.html": 404}
    form.define('who = ["alice"]')
    assert dora.report(form.path, body.format(token)).status == 404
