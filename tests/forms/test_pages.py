"""Starter pages, what is checked of them, and the table of answers."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.answers import OTHER
from storage.errors import FileRefused
from storage.form import Form as Asked
from storage.form import parse_form
from storage.formcheck import differences
from storage.formpages import render_closed, render_index, render_thanks
from storage.starters import is_starter, marked
from tests.forms.conftest import FIELDS, Form, send_json

TITLE = 'Camp "<b>" & more'
EVERYTHING = '''
description = """Two lines,
the second <i>one</i>."""
honeypot = "website"
[[field]]
name = "name"
label = "Your <name>"
required = true
hint = "As on the & card"
[[field]]
name = "text"
type = "longtext"
required = true
[[field]]
name = "mail"
type = "email"
[[field]]
name = "tel"
type = "tel"
[[field]]
name = "number"
type = "number"
min = 0
max = 10
step = 0.5
[[field]]
name = "scale"
type = "scale"
required = true
[[field]]
name = "date"
type = "date"
[[field]]
name = "at"
type = "time"
[[field]]
name = "choice"
type = "choice"
options = ["a & b", '"c"']
other = true
required = true
[[field]]
name = "choices"
type = "choices"
options = ["x", "y"]
other = true
[[field]]
name = "ranking"
type = "ranking"
options = ["A", "B", "C"]
[[field]]
name = "grid"
type = "grid"
rows = ["Food", "Music"]
options = ["good", "bad"]
required = true
[[field]]
name = "file"
type = "file"
types = [".pdf", "image/*"]
max_bytes = 5000000
max = 3
[[field]]
name = "color"
type = "color"
[[field]]
name = "hidden"
type = "hidden"
value = "from <here>"
'''
FORM = parse_form(EVERYTHING.encode())


def tidy(page: bytes) -> str:
    """What HTML Tidy has to say of a page: nothing where it is valid."""
    path = os.environ.get("PATH", "") + ":/usr/bin"
    found = subprocess.run(
        ["tidy", "-q", "-e", "-utf8"], input=page, capture_output=True, env={"PATH": path}, check=False
    )
    return found.stderr.decode()


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_starter_pages_are_valid_and_without_scripts(language: str) -> None:
    pages = [render_index(FORM, TITLE, language), render_thanks(TITLE, language), render_closed(TITLE, language)]
    for page in (marked(page, language) for page in pages):
        assert tidy(page) == ""
        assert b"<script" not in page
        assert f'<html lang="{language}">'.encode() in page
        assert b"&lt;b&gt;" in page
        assert b"<b>" not in page


def test_every_control_has_a_label_and_checks_itself_where_a_browser_can() -> None:
    html = render_index(FORM, TITLE, "en").decode()
    for said in (
        '<label class="top" for="f1">Your &lt;name&gt;',
        'name="name" required aria-describedby="f1-hint" maxlength="1000"',
        'id="f1-hint">As on the &amp; card<',
        'name="number" min="0" max="10" step="0.5"',
        'type="file" id="f13" name="file" aria-describedby="f13-hint" accept=".pdf,image/*" multiple',
        f'type="radio" name="choice" value="{OTHER}" required',
        '<select id="f11-1" name="ranking.1">',
        'role="radiogroup" aria-labelledby="f12-2"',
        '<legend>grid <span class="must" aria-hidden="true">*</span></legend>',
        'type="hidden" name="hidden" value="from &lt;here&gt;"',
        'aria-hidden="true"><label for="trap">',
        'enctype="multipart/form-data" accept-charset="utf-8"',
    ):
        assert said in html


@given(st.text(), st.text(), st.text())
def test_whatever_a_form_says_its_page_says_no_more(label: str, option: str, title: str) -> None:
    def quoted(text: str) -> str:
        return "".join(f"\\U{ord(c):08X}" for c in text if not 0xD800 <= ord(c) < 0xE000)

    with suppress(FileRefused):
        asked = f'label = "{quoted(label)}"\ntype = "choice"\noptions = ["{quoted(option)}"]'
        form = parse_form(f'[[field]]\nname = "a"\n{asked}'.encode())
        html = render_index(form, title, "en").decode("utf-8", "replace")
        assert html.count("<") == render_index(Asked(fields=form.fields), "x", "en").decode("utf-8", "replace").count(
            "<"
        )
        assert differences(form, html, "en") == []


MARKUP = ["<input name=a>", "<form action=responses/ method=post>", "<", ">", "<!", "<![", "<![if x]>", "<!--", "-->"]


@given(st.lists(st.sampled_from([*MARKUP, "</", "<?", "<a ", "='", '"', "&", "&#", "<script>", "<title>"]) | st.text()))
def test_whatever_a_page_says_the_check_has_an_answer(parts: list[str]) -> None:
    assert all(isinstance(line, str) for line in differences(FORM, "".join(parts), "en"))


def test_a_page_of_an_office_program_is_looked_through(form: Form) -> None:
    page = form.alice.get(f"{form.path}/index.html").text.replace("<main>", "<![if !vml]><main><![endif]><![x")
    assert form.alice.put(f"{form.path}/index.html", page).status == 204
    assert form.alice.get(f"{form.path}/check.txt").status == 200
    assert form.alice.propfind(f"{form.path}/", depth="1").status == 207


def test_a_new_form_has_its_pages_and_they_follow_it(form: Form) -> None:
    text = form.alice.get(f"{form.path}/index.html").text
    assert ">Your name " in text
    assert form.alice.get(f"{form.path}/thanks.html").status == 200
    assert form.alice.get(f"{form.path}/closed.html").status == 200
    form.define(fields=FIELDS.replace("Your name", "Full name"))
    assert ">Full name " in form.alice.get(f"{form.path}/index.html").text


def test_a_page_that_somebody_edited_stays_and_a_deleted_one_comes_again(form: Form) -> None:
    own = "<!doctype html><title>ours</title>"
    assert form.alice.put(f"{form.path}/index.html", own).status == 204
    assert form.alice.delete(f"{form.path}/thanks.html").status == 204
    form.define("anonymous = true")
    assert form.alice.get(f"{form.path}/index.html").text == own
    assert form.alice.get(f"{form.path}/thanks.html").status == 404
    assert form.alice.delete(f"{form.path}/index.html").status == 204
    form.define()
    assert ">Your name " in form.alice.get(f"{form.path}/index.html").text
    assert form.alice.get(f"{form.path}/thanks.html").status == 200


@given(st.binary(), st.binary(max_size=2), st.integers(min_value=0))
def test_a_page_is_a_starter_until_any_byte_of_it_changes(page: bytes, other: bytes, at: int) -> None:
    data = marked(page, "fr")
    at %= len(data) + 1
    changed = data[:at] + other + data[at + 1 :]
    assert is_starter(changed) == (changed == data)


def test_a_page_from_a_backup_without_the_state_beside_it_follows(form: Form) -> None:
    data = (form.disk / "index.html").read_bytes()
    assert form.alice.delete(f"{form.path}/index.html").status == 204
    (form.disk / "index.html").write_bytes(data)
    form.define(fields=FIELDS.replace("Your name", "Full name"))
    assert ">Full name " in form.alice.get(f"{form.path}/index.html").text


def test_a_page_that_was_edited_on_the_disk_stays(form: Form) -> None:
    file = form.disk / "index.html"
    file.write_text("<!doctype html><title>ours</title>")
    form.define("anonymous = true")
    assert file.read_text() == "<!doctype html><title>ours</title>"


@pytest.mark.parametrize("how", ["by the server", "settings first", "settings last"])
def test_the_page_of_a_copied_form_follows_the_copy(form: Form, how: str) -> None:
    copy = Form(form.server, f"{form.path} copy")
    files = ["form.toml", "index.html", "thanks.html", "closed.html"]
    if how == "by the server":
        assert form.alice.copy(form.path, copy.path).status == 201
    else:
        assert form.alice.mkcol(copy.path).status == 201
        for name in files if how == "settings first" else reversed(files):
            body = form.alice.get(f"{form.path}/{name}").body
            assert form.alice.put(f"{copy.path}/{name}", body).status in (201, 204)
    copy.define(fields=FIELDS.replace("Your name", "Full name"))
    assert ">Full name " in form.alice.get(f"{copy.path}/index.html").text
    assert ">Your name " in form.alice.get(f"{form.path}/index.html").text


def test_a_page_that_an_editor_holds_is_not_written_to(form: Form) -> None:
    lock = form.alice.lock(f"{form.path}/index.html")
    before = (form.disk / "index.html").read_bytes()
    form.define(fields=FIELDS.replace("Your name", "Full name"))
    assert (form.disk / "index.html").read_bytes() == before
    assert form.alice.unlock(f"{form.path}/index.html", lock.lock_token).status == 204


def test_settings_that_are_moved_into_place_bring_the_page_along(form: Form) -> None:
    text = form.alice.get(f"{form.path}/form.toml").text.replace("Your name", "Full name")
    assert form.alice.put(f"{form.path}/.form.toml.tmp", text).status == 201
    assert form.alice.move(f"{form.path}/.form.toml.tmp", f"{form.path}/form.toml").status == 204
    assert ">Full name " in form.alice.get(f"{form.path}/index.html").text


def test_pages_come_again_where_the_server_was_killed_between_the_files(form: Form) -> None:
    for name in ("index.html", "thanks.html", "closed.html"):
        (form.disk / name).unlink()
    form.define()
    assert {"index.html", "thanks.html", "closed.html"} <= {file.name for file in form.disk.iterdir()}


def test_where_page_and_settings_differ_is_told(form: Form) -> None:
    assert form.alice.get(f"{form.path}/check.txt").text == "The page and form.toml agree.\n"
    page = form.alice.get(f"{form.path}/index.html").text
    assert form.alice.put(f"{form.path}/index.html", page.replace('name="name"', 'name="nmae"')).status == 204
    reply = form.alice.get(f"{form.path}/check.txt")
    assert reply.text == (
        "index.html asks for nmae, which form.toml does not know: it is not stored.\n"
        "form.toml has the field name, which index.html does not ask for.\n"
    )
    assert form.alice.put(f"{form.path}/check.txt", "x").status == 405
    assert form.server.client("carol").get(f"{form.path}/check.txt").status == 404
    assert form.alice.put(f"{form.path}/index.html", "<form action='/x'>").status == 204
    assert "No form of index.html sends to responses/" in form.alice.get(f"{form.path}/check.txt").text


def test_a_form_that_was_broken_on_the_disk_says_so_and_goes_on(form: Form) -> None:
    assert form.alice.get(f"{form.path}/check.txt").text == "The page and form.toml agree.\n"
    file = form.disk / "form.toml"
    file.write_text(file.read_text() + "\n[[field]]\n")
    assert "a field without name" in form.alice.get(f"{form.path}/check.txt").text
    assert send_json(form.server.client("carol"), form.answers, {"name": "Eva"}).status == 201
    assert form.said() == [{"name": "Eva"}]


@pytest.mark.rfc("4180", "2")
def test_the_table_has_every_answer_and_no_formula(form: Form) -> None:
    carol = form.server.client("carol")
    said = ["=1+1", "+1", "-1", "@x", "\tx", 'a "quoted", one', "é", "line"]
    for name in said:
        assert send_json(carol, form.answers, {"name": name, "days": ["Tue", "Mon"]}).status == 201
    reply = form.server.client("bob").get(f"{form.path}/responses.csv")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.body.count(b"\r\n") == len(said) + 1
    rows = list(csv.DictReader(io.StringIO(reply.text, newline="")))
    assert list(rows[0]) == ["time", "member", "name", "days", "cv"]
    assert {row["days"] for row in rows} == {"Mon; Tue"}
    assert {row["member"] for row in rows} == {"carol"}
    expected = ["'=1+1", "'+1", "'-1", "'@x", "x", 'a "quoted", one', "é", "line"]
    assert sorted(row["name"] for row in rows) == sorted(expected)


def test_the_table_is_fresh_and_has_a_strong_etag_and_its_length(form: Form) -> None:
    bob, carol = form.server.client("bob"), form.server.client("carol")
    path = f"{form.path}/responses.csv"
    first = bob.get(path)
    assert not first.etag.startswith("W/")
    assert bob.get(path, {"If-None-Match": first.etag}).status == 304
    row = bob.propfind(f"{form.path}/", "{DAV:}getcontentlength", "{DAV:}getetag", depth="1").multistatus()[path]
    assert (row.text("{DAV:}getcontentlength"), row.text("{DAV:}getetag")) == (str(len(first.body)), first.etag)
    assert send_json(carol, form.answers, {"name": "Eva"}).status == 201
    second = bob.get(path, {"If-None-Match": first.etag})
    assert second.status == 200
    assert second.etag != first.etag
    assert bob.put(path, "x").status in (403, 405)
    assert bob.delete(path).status in (403, 405)
    assert carol.get(path).status == 404


def test_a_field_that_is_gone_keeps_its_column(form: Form) -> None:
    carol = form.server.client("carol")
    assert send_json(carol, form.answers, {"name": "Eva", "days": ["Mon"]}).status == 201
    form.define(fields=FIELDS.replace('name = "days"', 'name = "which"'))
    head = form.alice.get(f"{form.path}/responses.csv").text.split("\r\n")[0]
    assert head == "time,member,name,which,cv,days"


def test_the_table_can_be_sent_back_as_it_is(form: Form) -> None:
    carol = form.server.client("carol")
    for name in ("=1+1", "Eva"):
        assert send_json(carol, form.answers, {"name": name, "days": ["Tue", "Mon"]}).status == 201
    table = form.alice.get(f"{form.path}/responses.csv").body
    before = form.said()
    for file in (form.disk / "responses").glob("*.json"):
        assert form.alice.delete(f"{form.answers}{file.name}").status == 204
    assert form.alice.request("POST", form.answers, table, {"Content-Type": "text/csv"}).status == 201
    assert sorted(map(str, form.said())) == sorted(map(str, before))
    again = form.alice.get(f"{form.path}/responses.csv").body
    assert sorted(again.split(b"\r\n")) == sorted(table.split(b"\r\n"))  # those of one second stand in any order


def test_what_has_quotes_colons_and_blanks_comes_back_from_the_table(form: Form) -> None:
    grid = '[[field]]\nname = "g"\ntype = "grid"\nrows = ["Food", "Food: hot"]\noptions = ["no: bad", "yes"]\n'
    longtext = '[[field]]\nname = "t"\ntype = "longtext"\n'
    form.define(fields=f"{FIELDS}{grid}{longtext}")
    given = [
        {"name": "'=1+1", "g": {"Food": "no: bad", "Food: hot": "yes"}, "t": '  one\n\n=two;, "three"  '},
        {"name": "''@a", "g": {"Food: hot": "no: bad"}, "t": "'"},
        {"name": "'quoted'", "t": "\t=1"},
    ]
    for answer in given:
        assert send_json(form.alice, form.answers, answer).status == 201
    assert sorted(map(str, form.said())) == sorted(map(str, given))
    table = form.alice.get(f"{form.path}/responses.csv").body
    cells = [cell for row in csv.reader(io.StringIO(table.decode(), newline="")) for cell in row]
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in cells)
    for file in (form.disk / "responses").glob("*.json"):
        assert form.alice.delete(f"{form.answers}{file.name}").status == 204
    assert form.alice.request("POST", form.answers, table, {"Content-Type": "text/csv"}).status == 201
    assert sorted(map(str, form.said())) == sorted(map(str, given))


def test_a_listing_of_many_answers_reads_them_once(form: Form) -> None:
    carol = form.server.client("carol")
    for number in range(20):
        assert send_json(carol, form.answers, {"name": f"n{number}"}).status == 201
    first = form.alice.get(f"{form.path}/responses.csv").text
    for file in (form.disk / "responses").glob("*.json"):  # in place, with time and size as they were: nobody looks
        before = file.stat()
        data = file.read_bytes().replace(b'"n', b'"m')
        file.write_bytes(data)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert form.alice.get(f"{form.path}/responses.csv").text == first


def test_numbers_stand_there_as_people_write_them_and_long_rankings_are_typed() -> None:
    options = [f"o{number}" for number in range(21)]
    form = parse_form(
        f"""[[field]]\nname = "s"\ntype = "scale"\nmin = 1e1\nmax = 12\nstep = 0.5
        [[field]]\nname = "r"\ntype = "ranking"\noptions = {options}""".encode()
    )
    html = render_index(form, TITLE, "en").decode()
    assert re.findall('name="s" value="([^"]+)"', html) == ["10", "10.5", "11", "11.5", "12"]
    assert '<input type="number" id="f2-21" name="r.21" min="1" max="21">' in html
    assert tidy(html.encode()) == ""


def test_a_choice_that_need_not_be_made_can_be_taken_back() -> None:
    html = render_index(FORM, TITLE, "en").decode()
    assert '<input type="radio" name="choice" value="" checked>' not in html  # it is required
    optional = parse_form(EVERYTHING.replace("required = true", "").encode())
    html = render_index(optional, TITLE, "en").decode()
    for name in ("choice", "scale", "grid.1", "grid.2"):
        assert f'<label class="one"><input type="radio" name="{name}" value="" checked> <span>no answer<' in html
    assert tidy(html.encode()) == ""
