"""Answers: what pages and programs send, and what becomes of it on the disk."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from davserver.dav.names import DAV
from tests.forms.conftest import FIELDS, PAGE, SHARED, Form, multipart, send, send_json
from tests.harness import Dav

MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv; charset=utf-8"}
FILE_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-[a-z2-7]{6}\.json")


@pytest.fixture
def carol(form: Form) -> Dav:
    return form.server.client("carol")


@pytest.fixture
def bob(form: Form) -> Dav:
    return form.server.client("bob")


def put_page(form: Form, name: str, text: str = "<!doctype html><title>x</title>") -> None:
    assert form.alice.put(f"{form.path}/{name}", text).status in (201, 204)


@pytest.mark.rfc("5995", "3.2")
def test_a_page_is_answered_with_thanks_and_stored_as_one_file(form: Form, carol: Dav) -> None:
    put_page(form, "thanks.html")
    reply = send(carol, form.answers, {"name": "Eva", "days": ["Wed", "Mon"], "unknown": "x", "_charset_": "utf-8"})
    assert (reply.status, reply.headers["location"]) == (303, f"{form.path}/thanks.html")
    (stored,) = form.stored()
    assert stored.pop("time") is not None
    assert stored == {"form": form.id, "member": "carol", "answers": {"name": "Eva", "days": ["Mon", "Wed"]}}
    (file,) = (form.disk / "responses").glob("*.json")
    assert FILE_NAME.fullmatch(file.name)


def test_without_a_page_of_thanks_a_sentence_says_so(form: Form, carol: Dav) -> None:
    (form.disk / "thanks.html").unlink(missing_ok=True)
    reply = send(carol, form.answers, {"name": "Eva"})
    assert (reply.status, reply.text) == (200, "Thank you.\n")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_object_of_a_program_is_stored_and_its_place_told(form: Form, carol: Dav, bob: Dav) -> None:
    reply = send_json(carol, form.answers, {"name": "Eva", "days": ["Tue"], "more": 1})
    assert (reply.status, reply.body) == (201, b"")
    assert json.loads(bob.get(reply.headers["location"]).body)["answers"] == {"name": "Eva", "days": ["Tue"]}


@pytest.mark.rfc("7578", "4.2")
@pytest.mark.rfc("7578", "4.3")
def test_files_of_a_page_lie_beside_the_answer(form: Form, carol: Dav, bob: Dav) -> None:
    body, headers = multipart([("name", "Eva"), ("cv", ("C:\\me\\my cv.pdf", "application/pdf", b"%PDF-1"))])
    assert carol.request("POST", form.answers, body, headers).status in (200, 303)
    (stored,) = form.said()
    assert stored == {"name": "Eva", "cv": ["my cv.pdf"]}
    (file,) = (form.disk / "responses").glob("*.json")
    assert bob.get(f"{form.answers}{file.stem}.files/my cv.pdf").body == b"%PDF-1"


def test_no_chosen_file_is_no_file(form: Form, carol: Dav) -> None:
    body, headers = multipart([("name", "Eva"), ("cv", ("", "application/octet-stream", b""))])
    assert carol.request("POST", form.answers, body, headers).status in (200, 303)
    assert form.said() == [{"name": "Eva"}]


@pytest.mark.parametrize(
    ("file", "status", "said"),
    [
        (("cv.exe", "application/x-msdownload", b"MZ"), 422, "CV: this kind of file is not taken"),
        (("cv.pdf", "application/pdf", b"x" * 1001), 413, "CV: cv.pdf has more than 1000 bytes"),
        (("cv.pdf", "application/pdf", b"x" * 4_000_000), 413, "bytes"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_whole_answer(
    form: Form, carol: Dav, file: tuple[str, str, bytes], status: int, said: str
) -> None:
    before = form.tree()
    body, headers = multipart([("name", "Eva"), ("cv", file)])
    reply = carol.request("POST", form.answers, body, headers)
    assert reply.status == status
    assert said in reply.text
    assert form.tree() == before


def test_two_files_where_one_is_asked_for_are_refused(form: Form, carol: Dav) -> None:
    before = form.tree()
    pdf = ("cv.pdf", "application/pdf", b"x")
    body, headers = multipart([("name", "Eva"), ("cv", pdf), ("cv", pdf), ("cv", pdf)])
    reply = carol.request("POST", form.answers, body, headers)
    assert (reply.status, reply.text) == (422, "CV: at most 1 files\n")
    assert form.tree() == before


def test_what_is_wrong_is_told_a_line_for_each_field(form: Form, carol: Dav) -> None:
    before = form.tree()
    reply = send(carol, form.answers, {"name": " ", "days": ["Sun"]})
    assert (reply.status, reply.text) == (422, "Your name: required\nDays: not one of the options\n")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    reply = send_json(carol, form.answers, {"days": ["Sun"]})
    assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json")
    told = json.loads(reply.body)
    assert told["status"] == 422
    assert told["errors"][0] == {"field": "name", "detail": "Your name: required"}
    assert form.tree() == before


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"name=Eva", {"Content-Type": "text/plain"}, 415),
        (b"name=Eva", {}, 415),
        (b"name=Eva", {**PAGE, "Content-Encoding": "gzip"}, 415),
        (b"name=%ff", PAGE, 400),
        ("name=é".encode("latin-1"), PAGE, 400),
        (b"name=Eva", {"Content-Type": "application/x-www-form-urlencoded; charset=iso-8859-1"}, 400),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b'{"name": [[1]]}', JSON, 400),
        (b'{"name": "\xff"}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"name": ' + b"1" * 5000 + b"}", JSON, 400),
        (b"x", {"Content-Type": "multipart/form-data"}, 400),
        (
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nEva',
            MULTIPART,
            400,
        ),
        (
            multipart([("name", "x")])[0].replace(b"x", b"\xff"),
            MULTIPART,
            400,
        ),
        (b"name=" + b"x" * (10 << 20), PAGE, 413),
        (multipart([("name", "x" * (10 << 20))])[0], MULTIPART, 413),
        (b'{"name": "' + b"x" * (10 << 20) + b'"}', JSON, 413),
        (b"&".join(b"a%d=1" % number for number in range(6000)), PAGE, 413),
        (
            multipart([(f"a{number}", "1") for number in range(6000)])[0],
            MULTIPART,
            413,
        ),
        (b"days\nSun\n", CSV, 422),
        (b"name,name\nEva,Max\n", CSV, 400),
        (b"name\nEva,Max\n", CSV, 400),
        (b"", CSV, 400),
        (b"name\n", CSV, 422),
        (b'name\n"Eva\n', CSV, 400),
    ],
)
def test_a_body_that_no_form_sends_is_refused(
    form: Form, carol: Dav, body: bytes, headers: dict[str, str], status: int
) -> None:
    before = form.tree()
    reply = carol.request("POST", form.answers, body, headers)
    assert reply.status == status, reply.text
    assert reply.text.strip()
    assert form.tree() == before


def test_a_thousand_names_that_the_form_does_not_know_are_dropped(form: Form, carol: Dav) -> None:
    reply = send(carol, form.answers, {**{f"a{number}": "x" for number in range(1000)}, "name": "Eva"})
    assert reply.status in (200, 303)
    assert form.said() == [{"name": "Eva"}]


def test_a_text_that_is_too_long_is_told(form: Form, carol: Dav) -> None:
    before = form.tree()
    reply = send(carol, form.answers, {"name": "x" * 201})
    assert (reply.status, reply.text) == (422, "Your name: at most 200 characters\n")
    assert form.tree() == before


def test_html_is_text_like_any_other(form: Form, carol: Dav) -> None:
    said = '<script>alert(1)</script> & "é"'
    assert send(carol, form.answers, {"name": said}).status in (200, 303)
    assert form.said() == [{"name": said}]


def test_who_fills_in_what_nobody_sees_is_thanked_and_nothing_is_stored(form: Form, carol: Dav) -> None:
    form.define('honeypot = "website"')
    put_page(form, "thanks.html")
    before = form.tree()
    honest = send(carol, form.answers, {"name": "Eva", "website": ""})
    seen = form.tree()
    assert seen != before
    reply = send(carol, form.answers, {"name": "", "website": "http://spam.example"})
    assert (reply.status, reply.headers["location"], reply.body) == (
        honest.status,
        honest.headers["location"],
        honest.body,
    )
    assert send_json(carol, form.answers, {"website": "x"}).status == 201
    body, headers = multipart([("cv", ("cv.pdf", "application/pdf", b"x")), ("website", "x")])
    assert carol.request("POST", form.answers, body, headers).status == 303
    assert form.tree() == seen


@pytest.mark.parametrize("head", ["closes = 2020-01-01T00:00:00Z", "max_responses = 1"])
def test_a_form_that_is_over_answers_with_the_page_that_says_so(form: Form, carol: Dav, head: str) -> None:
    form.define("max_responses = 1")
    assert send(carol, form.answers, {"name": "Eva"}).status in (200, 303)
    form.define(head)
    put_page(form, "closed.html", "<!doctype html><title>over</title>")
    before = form.tree()
    reply = send(carol, form.answers, {"name": "Max"})
    assert (reply.status, reply.text) == (403, "<!doctype html><title>over</title>")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert send_json(carol, form.answers, {"name": "Max"}).text == "This form takes no answers any more.\n"
    assert form.tree() == before


def test_more_than_a_minute_may_have_are_told_to_wait(form: Form, carol: Dav) -> None:
    form.define("per_minute_of_address = 2")
    for _ in range(2):
        assert send(carol, form.answers, {"name": "Eva"}).status in (200, 303)
    before = form.tree()
    reply = send(carol, form.answers, {"name": "Eva"})
    assert reply.status == 429
    assert 1 <= int(reply.headers["retry-after"]) <= 60
    assert form.tree() == before
    form.define("per_minute = 1\nper_minute_of_address = 100")
    assert send(form.server.client("bob"), form.answers, {"name": "Eva"}).status in (403, 429)


def test_two_hundred_at_once_are_all_stored_once(form: Form) -> None:
    form.define("per_minute_of_address = 1000\nper_minute = 1000")
    clients = [form.server.client("carol") for _ in range(8)]

    def answer(number: int) -> int:
        return send(clients[number % 8], form.answers, {"name": f"n{number}"}).status

    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(lambda first: [answer(number) for number in range(first, 200, 8)], range(8))
        statuses = [status for part in parts for status in part]
    assert set(statuses) <= {200, 303}
    assert sorted(said["name"] for said in form.said()) == sorted(f"n{number}" for number in range(200))  # type: ignore[index]


def test_of_many_at_once_no_more_are_taken_than_there_may_be(form: Form) -> None:
    form.define("max_responses = 20\nper_minute_of_address = 1000\nper_minute = 1000")
    clients = [form.server.client("carol") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(
            lambda first: [send(clients[first], form.answers, {"name": f"n{n}"}).status for n in range(first, 40, 8)],
            range(8),
        )
        statuses = [status for part in parts for status in part]
    assert sorted(statuses).count(403) == 20
    assert len(form.stored()) == 20


def test_one_answer_of_each_member_and_the_last_one_counts(form: Form, carol: Dav, bob: Dav) -> None:
    form.define("once = true")
    body, headers = multipart([("name", "Eva"), ("cv", ("cv.pdf", "application/pdf", b"x"))])
    assert carol.request("POST", form.answers, body, headers).status in (200, 303)
    assert send(carol, form.answers, {"name": "Eva and Max"}).status in (200, 303)
    assert [file.name for file in (form.disk / "responses").iterdir() if not file.name.startswith(".")] == [
        "carol.json"
    ]
    assert form.said() == [{"name": "Eva and Max"}]
    former = f"/files/History/{form.path.removeprefix('/files/')}/responses/carol.json/"
    assert len(form.alice.propfind(former, depth="1").multistatus()) == 2


def test_an_anonymous_answer_says_nothing_of_who_gave_it(form: Form, carol: Dav) -> None:
    form.define("anonymous = true")
    assert send(carol, form.answers, {"name": "x"}).status in (200, 303)
    (stored,) = form.stored()
    assert "member" not in stored
    folder = form.disk / "responses"
    assert b"carol" not in b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def test_a_form_for_some_takes_answers_of_nobody_else(form: Form, carol: Dav) -> None:
    form.define('who = ["sport"]')
    before = form.tree()
    reply = send(carol, form.answers, {"name": "Eva"})
    assert (reply.status, reply.condition) == (403, "{DAV:}need-privileges")
    assert form.tree() == before
    form.define('who = ["board"]')
    assert send(carol, form.answers, {"name": "Eva"}).status in (200, 303)


def test_who_may_only_answer_reads_no_answers_but_the_own(form: Form, carol: Dav, bob: Dav) -> None:
    mine = send_json(carol, form.answers, {"name": "Eva"}).headers["location"]
    other = send_json(form.alice, form.answers, {"name": "Max"}).headers["location"]
    assert carol.get(mine).status == 200
    assert carol.get(other).status == 404
    assert bob.get(other).status == 200
    dora, before = form.server.client("dora"), form.tree()
    assert send(dora, form.answers, {"name": "x"}).status == 404
    assert send(bob, form.answers, {"name": "x"}).status == 403
    assert form.tree() == before


def test_a_table_is_taken_whole_or_not_at_all(form: Form, bob: Dav) -> None:
    table = 'name,days,cv\r\nEva,Mon; Tue,x.pdf\r\n"Max, the\r\nsecond",,\r\n\'=1+1,Wed,\r\n'
    reply = form.alice.request("POST", form.answers, table, CSV)
    assert reply.status == 201
    said = [{"name": "Eva", "days": ["Mon", "Tue"]}, {"name": "Max, the second"}, {"name": "=1+1", "days": ["Wed"]}]
    assert sorted(map(str, form.said())) == sorted(map(str, said))
    before = form.tree()
    reply = form.alice.request("POST", form.answers, "name,days\nEva,Mon\n,Sun\n", CSV)
    assert (reply.status, reply.text) == (422, "line 3: Your name: required\nline 3: Days: not one of the options\n")
    assert form.tree() == before


def test_a_table_of_who_does_not_write_answers_is_no_longer_than_other_answers(form: Form, carol: Dav) -> None:
    table = f"name,{','.join(map(str, range(200_000)))}\nEva\n"
    before = form.tree()
    assert carol.request("POST", form.answers, table, CSV).status == 413
    assert form.tree() == before
    assert form.alice.request("POST", form.answers, table, CSV).status == 201


def test_whoever_writes_answers_brings_time_and_member_along_and_nobody_else(form: Form, carol: Dav) -> None:
    table = "time;member;name\n2026-01-31T18:00:00Z;bob;Eva\n"
    assert form.alice.request("POST", form.answers, table, CSV).status == 201
    (stored,) = form.stored()
    assert (stored["time"], stored["member"]) == ("2026-01-31T18:00:00Z", "bob")
    assert carol.request("POST", form.answers, table, CSV).status == 201
    assert [each["member"] for each in form.stored()] == ["bob", "carol"]
    before = form.tree()
    reply = form.alice.request("POST", form.answers, "member,name\nnobody,Eva\n", CSV)
    assert (reply.status, reply.text) == (422, "line 2: member: 'nobody' is no member\n")
    assert form.tree() == before


def test_of_a_table_each_answer_is_asked_for_its_lock_and_counted_once_for_each_member(form: Form) -> None:
    form.define("once = true\nmax_responses = 1")
    assert form.alice.request("POST", form.answers, "member,name\nbob,Eva\nbob,Max\n", CSV).status == 201
    assert form.said() == [{"name": "Max"}]
    form.define("once = true")
    assert form.server.client("bob").lock(f"{form.answers}bob.json").status == 200
    before = form.tree()
    assert form.alice.request("POST", form.answers, "member,name\ncarol,Eva\nbob,Ben\n", CSV).status == 423
    assert form.tree() == before


def test_in_a_full_form_whoever_answered_changes_the_own_answer_and_nobody_else_comes_in(
    form: Form, carol: Dav
) -> None:
    form.define("once = true\nmax_responses = 1")
    assert form.alice.put(f"{form.path}/access.toml", SHARED.replace('["carol"]', '["carol", "bob"]')).status == 204
    bob = form.server.client("bob")
    assert send(carol, form.answers, {"name": "Eva"}).status in (200, 303)
    before = form.tree()
    assert send(bob, form.answers, {"name": "Ben"}).status == 403
    assert form.tree() == before
    assert send(carol, form.answers, {"name": "Eva Lind"}).status in (200, 303)
    assert form.said() == [{"name": "Eva Lind"}]
    found = re.search(r"/p/[A-Za-z0-9_-]+/", carol.get(f"{form.path}/my-link.txt").text)
    assert found is not None
    assert "<form" in form.visitor.get(found[0]).text
    assert send(form.visitor, f"{found[0]}responses/", {"name": "Eva L."}).status == 303
    assert form.said() == [{"name": "Eva L."}]


def test_the_longest_page_is_read_again_and_what_could_not_be_is_refused(form: Form, carol: Dav) -> None:
    form.define(fields='[[field]]\nname = "name"\ntype = "longtext"\nmax = 9000000\n')
    longest = '"' * 1_000_000
    body, headers = multipart([("name", longest)])
    assert carol.request("POST", form.answers, body, headers).status in (200, 303)
    assert longest * 2 in form.alice.get(f"{form.path}/responses.csv").text
    names = ["name", *(f"t{number}" for number in range(39))]
    form.define(fields="".join(f'[[field]]\nname = "{name}"\ntype = "longtext"\nmax = 200000\n' for name in names))
    before = form.tree()
    table = ",".join(names) + "\n" + ",".join(["\\" * 130_000] * len(names)) + "\n"
    assert form.alice.request("POST", form.answers, table, CSV).status == 413
    assert form.tree() == before


def test_a_locked_folder_of_answers_takes_none(form: Form, carol: Dav) -> None:
    lock = form.alice.lock(form.answers)
    before = form.tree()
    assert send(carol, form.answers, {"name": "Eva"}).status == 423
    assert form.tree() == before
    assert form.alice.unlock(form.answers, lock.lock_token).status == 204
    assert send(carol, form.answers, {"name": "Eva"}).status in (200, 303)


def test_a_full_folder_takes_none_and_nothing_is_left(form: Form) -> None:
    full = Form(form.server, "/files/Forms/Full")
    if full.alice.mkcol(full.path).status == 201:
        full.define()
    url, statuses = full.publish(), list[int]()
    body, headers = multipart([("name", "Eva"), ("cv", ("cv.pdf", "application/pdf", b"x" * 1000))])
    while 507 not in statuses and len(statuses) < 20:
        statuses.append(full.alice.request("POST", full.answers, body, headers).status)
    assert statuses[-1] == 507
    before = full.tree()
    reply = full.visitor.request("POST", f"{url}responses/", body, headers)
    assert reply.status == 507
    assert "Full" not in reply.text  # strangers do not learn where it lies
    assert full.tree() == before
    count = len(full.stored())
    assert count == len(statuses) - 1
    assert len(list((full.disk / "responses").glob("*.files"))) == count


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_does_not_answer_with_a_browsers_password(
    form: Form, carol: Dav, headers: dict[str, str]
) -> None:
    before = form.tree()
    assert carol.request("POST", form.answers, "name=Eva", {**PAGE, **headers}).status == 403
    assert form.tree() == before


def test_the_answers_survive_a_kill_right_behind_the_thanks(form: Form, carol: Dav) -> None:
    body, headers = multipart([("name", "Eva"), ("cv", ("cv.pdf", "application/pdf", b"x"))])
    assert carol.request("POST", form.answers, body, headers).status in (200, 303)
    form.server.kill()
    form.server.start()
    assert form.said() == [{"name": "Eva", "cv": ["cv.pdf"]}]
    assert len(list((form.disk / "responses").glob("*.files/cv.pdf"))) == 1


def test_an_answer_is_deleted_with_its_files_and_comes_back_from_the_trash(form: Form) -> None:
    body, headers = multipart([("name", "Eva"), ("cv", ("cv.pdf", "application/pdf", b"x"))])
    assert form.server.client("carol").request("POST", form.answers, body, headers).status == 303
    (name,) = (file.name for file in (form.disk / "responses").glob("*.json"))
    attached = name.replace(".json", ".files")
    before = form.tree()
    lock = form.alice.lock(f"{form.answers}{attached}/cv.pdf")
    assert form.server.client("bob").delete(form.answers + name).status == 423
    assert form.alice.unlock(f"{form.answers}{attached}/cv.pdf", lock.lock_token).status == 204
    assert form.tree() == before
    assert form.server.client("bob").delete(form.answers + name).status == 204
    assert form.said() == []
    assert not (form.disk / "responses" / attached).exists()
    trash = f"/files/Trash/{form.answers.removeprefix('/files/')}"
    for each in (name, attached):
        assert form.alice.move(trash + each, form.answers + each).status == 201
    assert form.tree() == before


WAYS = ["PUT", "MKCOL", "LOCK", "COPY", "MOVE", "POST"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["forged.json", "forged.txt", "{stem}.json", "{stem}.files/x.pdf"])
def test_who_may_only_answer_writes_no_file_among_the_answers(form: Form, carol: Dav, way: str, name: str) -> None:
    body, headers = multipart([("name", "Eva"), ("cv", ("cv.pdf", "application/pdf", b"x"))])
    assert carol.request("POST", form.answers, body, headers).status in (200, 303)
    (file,) = (form.disk / "responses").glob("*.json")
    path = form.answers + name.format(stem=file.stem)
    source = "/files/Home/forged.json"
    forged = '{"time": "2026-01-01T00:00:00Z", "member": "alice", "answers": {"name": "forged"}}'
    assert carol.put(source, forged).status in (201, 204)
    before = form.tree()
    if way in ("COPY", "MOVE"):
        reply = carol.request(way, source, headers={"Destination": path})
    elif way == "POST":
        reply = carol.request("POST", form.answers, forged, {"Content-Type": "application/json", "Slug": "x.json"})
        assert (reply.status, form.said()[-1] == {"name": "forged"}) in ((422, False), (403, False))
        assert form.tree() == before
        return
    elif way == "LOCK":
        reply = carol.lock(path)
    else:
        reply = carol.request(way, path, forged if way == "PUT" else None)
    assert reply.status in (403, 404, 405, 409)
    assert form.tree() == before


def test_whoever_writes_answers_stores_what_is_one_and_nothing_else(form: Form, bob: Dav) -> None:
    send_json(form.alice, form.answers, {"name": "Eva"})
    (file,) = (form.disk / "responses").glob("*.json")
    href = form.answers + file.name
    edited = bob.get(href).text.replace("Eva", "Eve")
    assert bob.put(href, edited).status == 204
    assert form.said() == [{"name": "Eve"}]
    before = form.tree()
    for text in ("{", "[]", '{"answers": {}}', '{"time": "x", "answers": {}}'):
        reply = bob.put(href, text)
        assert reply.status == 422
        assert "no answer" in reply.text
        assert form.alice.put(f"{form.answers}new.json", text).status == 422
    assert form.tree() == before
    assert form.alice.put(f"{form.answers}.new.tmp", edited).status == 201
    assert form.alice.move(f"{form.answers}.new.tmp", href).status == 204


@pytest.mark.rfc("5995", "4.1")
def test_a_name_of_ones_own_among_the_answers_is_refused_and_the_place_to_post_to_told(form: Form, carol: Dav) -> None:
    before = form.tree()
    forged = '{"time": "2026-01-01T00:00:00Z", "answers": {"name": "Eva"}}'
    assert carol.put("/files/Home/x.json", forged).status in (201, 204)
    for reply in (
        carol.put(f"{form.answers}x.json", forged),
        carol.mkcol(f"{form.answers}x"),
        carol.copy("/files/Home/x.json", f"{form.answers}x.json"),
    ):
        assert (reply.status, reply.condition) == (403, DAV.allow_client_defined_uri)
        assert reply.hrefs == [form.answers]
    assert form.tree() == before


def test_half_a_character_and_signs_that_are_no_text_are_left_out(form: Form, carol: Dav) -> None:
    form.define(fields='[[field]]\nname = "name"\ntype = "choice"\noptions = ["rice"]\nother = true\n')
    for body in (
        r'{"name": "__other__", "name.other": "so\ud800up\u0000\u0007"}',
        r'{"name": "so\ud800up\u0000\u0007"}',
    ):
        assert send_json(carol, form.answers, body).status == 201
    assert form.said() == [{"name": "soup"}] * 2
    assert send_json(carol, form.answers, r'{"\ud800": [[1]]}').status == 400


def test_half_a_character_in_a_file_of_the_disk_does_not_keep_its_task_from_being_ticked(form: Form, bob: Dav) -> None:
    form.define('view = "task"')
    assert send_json(form.alice, form.answers, {"name": "Eva"}).status == 201
    (file,) = (form.disk / "responses").glob("*.json")
    file.write_text(file.read_text().replace("Eva", r"E\ud800va"))
    (list_,) = [href for href in bob.propfind("/dav/bob/", depth="1").hrefs if f"form-{form.id}" in href]
    href = f"{list_}{file.stem}.ics"
    task = bob.get(href).text.replace("STATUS:NEEDS-ACTION", "STATUS:COMPLETED")
    assert bob.put(href, task, {"Content-Type": "text/calendar"}).status in (201, 204)
    assert "STATUS:COMPLETED" in bob.get(href).text


def test_a_form_that_nobody_has_read_unbroken_takes_no_answers(form: Form, carol: Dav) -> None:
    form.define("anonymous = true")
    good = (form.disk / "form.toml").read_text()
    form.server.stop()
    (form.disk / "form.toml").write_text("title = ")
    form.server.start()
    reply = send(carol, form.answers, {"name": "Eva"})
    assert (reply.status, form.said()) == (403, [])
    (form.disk / "form.toml").write_text(good)
    assert send(carol, form.answers, {"name": "Eva"}).status == 303
    assert form.said() == [{"name": "Eva"}]


def test_a_value_of_another_kind_is_told_rather_than_dropped(form: Form, carol: Dav) -> None:
    grid = '[[field]]\nname = "grid"\ntype = "grid"\nrows = ["Food"]\noptions = ["good"]\n'
    form.define(fields=f"{FIELDS}{grid}")
    before = form.tree()
    reply = send_json(carol, form.answers, {"name": {"a": "b"}, "cv": "cv.pdf", "grid": "good"})
    assert reply.status == 422
    assert [error["field"] for error in json.loads(reply.body)["errors"]] == ["name", "cv", "grid"]
    reply = send(carol, form.answers, {"name": "Eva", "cv": "cv.pdf"})
    assert (reply.status, "multipart/form-data" in reply.text) == (422, True)
    assert form.tree() == before


def test_a_word_that_is_no_number_in_json_is_refused_and_a_number_stays_as_it_is_written(
    form: Form, carol: Dav
) -> None:
    before = form.tree()
    for word in ("NaN", "Infinity", "-Infinity"):
        reply = send_json(carol, form.answers, f'{{"name": {word}}}')
        assert (reply.status, reply.text) == (400, f"the body is no JSON: {word} is no number\n")
    assert form.tree() == before
    assert send_json(carol, form.answers, '{"name": 1e400, "other": true}').status == 201
    assert form.said() == [{"name": "1e400"}]


def test_many_files_of_one_name_have_names_of_their_own(form: Form, carol: Dav) -> None:
    form.define(fields='[[field]]\nname = "name"\ntype = "file"\nmax = 400\n')
    body, headers = multipart([("name", ("a.txt", "text/plain", b"x"))] * 400)
    assert carol.request("POST", form.answers, body, headers).status in (200, 303)
    (said,) = form.stored()
    assert len(set(said["answers"]["name"])) == 400  # type: ignore[index]


def test_numbers_of_programs_are_taken_as_people_write_them(form: Form, carol: Dav) -> None:
    smallest = "min = 0\nstep = 0.000000000000001\n"
    form.define(fields=f'[[field]]\nname = "name"\ntype = "number"\n[[field]]\nname = "b"\ntype = "number"\n{smallest}')
    assert send_json(carol, form.answers, '{"name": 0.00001, "b": 100000000000000}').status == 201
    assert send_json(carol, form.answers, '{"b": -100000000000000}').status == 422
    assert form.said() == [{"name": 0.00001, "b": 100000000000000}]


def test_a_table_names_members_in_any_case_and_nobody_where_the_form_is_anonymous(form: Form) -> None:
    table = {"Content-Type": "text/csv"}
    form.define("once = true")
    assert form.alice.request("POST", form.answers, "name,member\nA,carol\nB,CAROL\n", table).status == 201
    assert [(each["member"], each["answers"]) for each in form.stored()] == [("carol", {"name": "B"})]
    form.define("anonymous = true")
    assert form.alice.request("POST", form.answers, "name,member\nC,carol\n", table).status == 201
    assert [each["answers"] for each in form.stored() if "member" not in each] == [{"name": "C"}]


SYNC = (
    '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>infinite</D:sync-level>'
    "<D:prop/></D:sync-collection>"
)


@pytest.mark.parametrize("head", ["", "once = true"])
def test_who_may_only_answer_learns_nothing_of_files_that_others_sent(form: Form, carol: Dav, head: str) -> None:
    form.define(head)
    body, headers = multipart([("name", "Eva"), ("cv", ("cv.pdf", "application/pdf", b"x"))])
    assert form.alice.request("POST", form.answers, body, headers).status == 303
    (others,) = (form.disk / "responses").glob("*.files")
    assert carol.request("POST", form.answers, body, headers).status == 303
    (own,) = set((form.disk / "responses").glob("*.files")) - {others}
    for reply in (
        carol.propfind(form.answers, depth="1"),
        carol.propfind(form.answers, depth="infinity"),
        carol.report(form.answers, SYNC),
        carol.report(form.path, SYNC),
    ):
        assert reply.status == 207
        assert others.name not in reply.text
        assert f"{own.name}/" in reply.text
    assert carol.get(f"{form.answers}{own.name}/cv.pdf").body == b"x"
    assert carol.copy(form.path, "/files/Home/copy").status == 201
    assert [path.name for path in form.server.data.glob("homes/carol/copy/responses/*.files")] == [own.name]
    assert carol.delete("/files/Home/copy").status == 204
    guess, none = f"{form.answers}{others.name}", f"{form.answers}{others.name.replace('alice', 'dora')}x.files"
    for way in ("GET", "PROPFIND", "DELETE", "MKCOL", "LOCK"):
        known, unknown = (carol.request(way, path) for path in (guess, none))
        assert known.status == unknown.status, way
    known, unknown = (carol.put(f"{path}/x.pdf", b"x") for path in (guess, none))
    assert known.status == unknown.status
    known, unknown = (carol.put(path.replace(".files", ".json"), "x") for path in (guess, none))
    assert known.status == unknown.status


@pytest.mark.parametrize("how", ["deleted", "lost"])
def test_a_form_without_its_folder_of_answers_has_one_again_with_the_next_answer(form: Form, how: str) -> None:
    url, dora = form.publish(), form.server.client("dora")
    for head, client, where in (("", form.visitor, f"{url}responses/"), ('who = ["dora"]', dora, form.answers)):
        form.define(head)
        assert send(form.alice, form.answers, {"name": "Max"}).status in (303, 403)
        if how == "deleted":
            assert form.alice.delete(form.answers).status == 204
        else:
            shutil.rmtree(form.disk / "responses")
        form.define(f"{head}\ncloses = 2020-01-01T00:00:00Z")
        before = form.tree()
        assert send(client, where, {"name": "Eva"}).status == 403
        assert send(form.server.client("bob"), form.answers, {"name": "Eva"}).status in (403, 404)
        assert form.tree() == before
        form.define(head)
        assert send(client, where, {"name": "Eva"}).status == 303
        assert form.said() == [{"name": "Eva"}]


@pytest.mark.parametrize("depth", ["0", "infinity"])
def test_who_may_only_answer_locks_nobody_out(form: Form, carol: Dav, bob: Dav, depth: str) -> None:
    form.define('who = "members"')
    dora = form.server.client("dora")
    for client in (carol, dora):
        for path in (form.answers, f"{form.path}/"):
            assert client.lock(path, depth=depth).status == 403
    assert bob.lock("/files/Forms/", depth=depth).status == 403  # who makes forms there
    assert send(carol, form.answers, {"name": "Eva"}).status == 303
    lock = bob.lock(form.answers, depth=depth)  # who writes answers
    assert lock.status == 200
    assert send(carol, form.answers, {"name": "Eva"}).status == 423
    assert bob.unlock(form.answers, lock.lock_token).status == 204


@pytest.mark.rfc("4918", "10.4")
def test_who_holds_the_lock_of_the_answers_answers_and_a_condition_that_does_not_hold_is_told(form: Form) -> None:
    token = form.alice.lock(form.answers, depth="infinity").lock_token
    before = form.tree()
    assert send(form.alice, form.answers, {"name": "Eva"}).status == 423
    assert send(form.alice, form.answers, {"name": "Eva"}, If="(<urn:uuid:0>)").status == 412
    assert send(form.alice, form.answers, {"name": "Eva"}, If_Match="*").status == 412
    assert send(form.server.client("carol"), form.answers, {"name": "Eva"}, If=f"(<{token}>)").status in (412, 423)
    assert form.tree() == before
    assert send(form.alice, form.answers, {"name": "Eva"}, If=f"(<{token}>)", If_None_Match="*").status == 303
    assert form.said() == [{"name": "Eva"}]
    assert form.alice.unlock(form.answers, token).status == 204
