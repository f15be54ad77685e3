"""Where tokens come from, what ends them, and that they outlive restarts, moves and the index."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server
from tests.links.conftest import READ, Desk, desk_at, urls_in
from tests.pim.samples import event

NONE = '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
OWN = "our-own-season-calendar-2027"
PRESS = '[[link]]\nname = "press"\nright = "read"\n'


def statuses(client: Dav, *paths: str) -> list[int]:
    return [client.get(path).status for path in paths]


def test_editing_the_rule_keeps_the_url(desk: Desk) -> None:
    url = desk.publish()
    assert desk.publish(NONE + READ + "until = 2199-01-01T00:00:00Z\n") == url
    assert desk.publish(READ + 'password = "x"\n') == url
    assert desk.visitor.get(url).status == 401


def test_another_name_or_no_rule_ends_the_url_with_the_next_request(desk: Desk) -> None:
    first = desk.publish()
    second = desk.publish(PRESS)
    assert second != first
    assert statuses(desk.visitor, first, second) == [404, 200]
    assert desk.alice.put(desk.rules, NONE).status == 204
    assert statuses(desk.visitor, first, second) == [404, 404]
    third = desk.publish(PRESS)
    assert third not in (first, second)  # what was revoked stays revoked
    assert desk.alice.delete(desk.rules).status == 204
    assert statuses(desk.visitor, first, second, third) == [404, 404, 404]
    assert desk.alice.get(desk.links).status == 404


def test_each_of_several_links_has_a_url_and_ends_alone(desk: Desk) -> None:
    assert desk.alice.put(desk.rules, PRESS + '[[link]]\nname = "team"\nright = "read"\n').status == 201
    press, team = desk.urls()
    assert statuses(desk.visitor, press, team) == [200, 200]
    assert desk.alice.put(desk.rules, PRESS).status == 204
    assert statuses(desk.visitor, press, team) == [200, 404]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (READ + READ, "a second link without name"),
        (PRESS + PRESS, "'press' again"),
        (READ + 'token = "short"\n', "a token of 5 characters"),
        (READ + 'token = "a token with blanks in it!"\n', "other characters"),
        ('[[link]]\nright = "drop"\n', "'drop' on a calendar"),
        ('[[link]]\nright = "read-drop"\n', "'read-drop' on a calendar"),
        ('[[link]]\nright = "write"\n', "'write'"),
        ("[[link]]\n", "a link without right"),
        (READ + "until = 2027-01-01\n", "until"),
        (READ + "downloads = 0\n", "downloads"),
    ],
)
def test_a_link_that_cannot_be_is_refused_with_its_line_and_the_old_rules_stay(
    desk: Desk, rules: str, said: str
) -> None:
    url = desk.publish()
    before = desk.alice.get(desk.rules).body
    reply = desk.alice.put(desk.rules, rules)
    assert reply.status == 422
    assert said in reply.text
    assert desk.alice.get(desk.rules).body == before
    assert desk.visitor.get(url).status == 200


def test_ones_own_token_is_the_url(desk: Desk) -> None:
    token = f"{OWN}-{desk.path.strip('/').replace('/', '-')}"
    assert desk.publish(READ + f'token = "{token}"\n') == f"/p/{token}/"
    assert desk.visitor.get(f"/p/{token}/").status == 200
    made = desk.publish()
    assert made != f"/p/{token}/"
    assert statuses(desk.visitor, f"/p/{token}/", made) == [404, 200]


def test_a_token_that_another_folder_uses_is_refused(club: Desk) -> None:
    club.put("a.ics", event(summary="Ours"))
    given = club.publish().split("/")[2]
    other = desk_at(club.server, "/dav/alice/other/")
    for token in (given, OWN):
        if token == OWN:
            club.publish(READ + f'token = "{OWN}"\n')
        before = club.server.tree()
        reply = other.alice.put(other.rules, READ + f'token = "{token}"\n')
        assert (reply.status, "another folder" in reply.text) == (422, True)
        assert club.server.tree() == before
        assert "Ours" in club.visitor.get(f"/p/{token}/").text
    plain = club.alice.put("/files/Home/access.toml", READ + f'token = "{OWN}"\n')
    assert plain.status == 422
    club.publish(PRESS)
    assert other.publish(READ + f'token = "{OWN}"\n') == f"/p/{OWN}/"  # nobody's any more


def test_a_links_url_outlives_restarts_and_a_lost_index(club: Desk) -> None:
    club.put("a.ics", event())
    url = club.publish()
    club.server.restart()
    assert club.visitor.get(url).status == 200
    assert club.urls() == [url]
    club.server.stop()
    for file in club.server.data.glob("index.sqlite*"):
        file.unlink()
    club.server.start()
    assert club.visitor.get(url).status == 200
    assert club.urls() == [url]


def test_a_moved_calendar_takes_its_url_along(club: Desk) -> None:
    club.put("a.ics", event(summary="Match"))
    url = club.publish()
    assert club.alice.move(club.path, "/dav/alice/moved/").status == 201
    assert "Match" in club.visitor.get(url).text
    assert urls_in(club.alice.get("/files/Collections/alice/moved/links.txt").text) == [url]


def test_a_deleted_calendar_ends_its_url_and_one_restored_on_disk_brings_it_back(club: Desk) -> None:
    club.put("a.ics", event(summary="Match"))
    url = club.publish()
    folder = club.server.data / club.disk
    kept = club.server.folder / "backup"
    shutil.copytree(folder, kept)
    assert club.alice.delete(club.path).status == 204
    assert club.visitor.get(url).status == 404
    shutil.copytree(kept, folder)
    assert "Match" in club.visitor.get(url).text


@pytest.mark.parametrize("is_lost", [False, True], ids=["known", "index lost"])
def test_of_a_calendar_and_its_copy_the_first_keeps_the_url(club: Desk, is_lost: bool) -> None:
    club.put("a.ics", event(summary="Ours"))
    url = club.publish()
    if is_lost:
        club.server.stop()
        for file in club.server.data.glob("index.sqlite*"):
            file.unlink()
    home = (club.server.data / club.disk).parent
    shutil.copytree(home / "season", home / "archive")  # comes first by name
    edit(home / "archive/a.ics", "Ours", "Copy")
    if is_lost:
        club.server.start()
    assert "Ours" in club.visitor.get(url).text
    fresh = urls_in(club.alice.get("/files/Collections/alice/archive/links.txt").text)
    assert fresh != [url]
    assert "Copy" in club.visitor.get(fresh[0]).text
    club.server.restart()
    assert "Ours" in club.visitor.get(url).text
    assert "Copy" in club.visitor.get(fresh[0]).text


def test_a_copy_by_dav_takes_no_link_along(club: Desk) -> None:
    url = club.publish()
    assert club.alice.copy(club.path, "/dav/alice/copied/").status == 201
    assert club.alice.get("/files/Collections/alice/copied/links.txt").status == 404
    assert club.visitor.get(url).status == 200


def test_rules_edited_on_disk_are_in_force_with_the_next_request(club: Desk) -> None:
    club.put("a.ics", event())
    rules = club.server.data / club.disk / ".access.toml"
    assert club.visitor.get(f"/p/{OWN}/").status == 404
    rules.write_text(READ + f'token = "{OWN}"\n')
    assert club.visitor.get(f"/p/{OWN}/").status == 200
    edit(rules, OWN, OWN + "-b")
    assert statuses(club.visitor, f"/p/{OWN}/", f"/p/{OWN}-b/") == [404, 200]
    rules.write_text(READ)
    assert club.visitor.get(f"/p/{OWN}-b/").status == 404
    (url,) = club.urls()
    assert club.visitor.get(url).status == 200
    rules.unlink()
    assert club.visitor.get(url).status == 404


def test_a_file_that_is_broken_on_disk_ends_no_link_that_is_in_force(club: Desk) -> None:
    url = club.publish()
    rules = club.server.data / club.disk / ".access.toml"
    rules.write_text("[[link]\n")
    assert club.visitor.get(url).status == 200  # the old rules stay in force
    club.server.restart()
    assert club.visitor.get(url).status == 404  # closed to all but the owner
    rules.write_text(READ)
    assert club.visitor.get(url).status == 200


def test_a_right_that_calendars_do_not_have_gives_nothing_when_it_comes_by_disk(club: Desk) -> None:
    (club.server.data / club.disk / ".access.toml").write_text('[[link]]\nright = "read-drop"\n')
    (url,) = club.urls()
    assert club.visitor.get(url).status == 404


@pytest.mark.rfc("9110", "15.5.11")
def test_a_link_ends_at_its_time(desk: Desk) -> None:
    url = desk.publish(READ + "until = 2199-01-01T00:00:00+01:00\n")
    assert desk.visitor.get(url).status == 200
    assert desk.publish(READ + "until = 2020-01-01T00:00:00Z\n") == url
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        reply = desk.visitor.request(method, url)
        assert reply.status == 410
        assert b"VCALENDAR" not in reply.body
    assert "over:" in desk.alice.get(desk.links).text
    desk.publish(READ)
    assert desk.visitor.get(url).status == 200


def test_downloads_are_counted_and_the_count_outlives_a_kill(club: Desk) -> None:
    club.put("a.ics", event())
    url = club.publish(READ + "downloads = 3\n")
    tag = club.visitor.get(url).etag
    assert club.visitor.head(url).status == 200
    assert club.visitor.get(url, {"If-None-Match": tag}).status == 304  # transfers nothing, costs nothing
    assert "downloads: 2 of 3 left" in club.alice.get(club.links).text
    club.server.kill()
    club.server.start()
    assert statuses(club.visitor, url, url, url) == [200, 200, 410]
    assert "downloads: 0 of 3 left" in club.alice.get(club.links).text
    club.publish(READ + "downloads = 4\n")
    assert statuses(club.visitor, url, url) == [200, 410]


def test_unknown_revoked_and_never_issued_links_are_one_and_the_same_404(club: Desk) -> None:
    revoked = club.publish()
    club.alice.put(club.rules, NONE)
    paths = (revoked, "/p/", "/p", "/p/short/", "/p/" + "A" * 22 + "/")
    replies = [club.visitor.get(path) for path in paths]
    assert {reply.status for reply in replies} == {404}
    assert len({reply.body for reply in replies}) == 1
    assert len({tuple(sorted(set(reply.headers) - {"date"})) for reply in replies}) == 1


def test_guessing_is_slow_and_whoever_has_used_a_link_is_not_kept_from_it(club: Desk) -> None:
    url = club.publish()
    assert club.visitor.get(url).status == 200
    guesses = [club.visitor.get(f"/p/{'A' * 20}{number}/").status for number in range(10, 21)]
    assert guesses == [404] * 10 + [429]
    assert club.visitor.get(url).status == 200
    refused = club.visitor.get(f"/p/{'A' * 22}/")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")


def test_no_token_stands_in_the_log(club: Desk) -> None:
    url = club.publish()
    token = url.split("/")[2]
    assert statuses(club.visitor, url, url + "season.ics", f"/p/{token}x/") == [200, 200, 404]
    club.visitor.request("DELETE", url)
    club.server.stop()
    assert "/p/***/season.ics" in club.server.log
    assert token not in club.server.log


def test_state_holds_the_token_beside_the_calendar_and_no_dav_client_sees_it(club: Desk) -> None:
    token = club.publish().split("/")[2]
    lines = (club.server.data / club.disk / ".state.jsonl").read_text().splitlines()
    kept = [json.loads(line) for line in lines if '"links"' in line]
    assert kept[-1]["value"][""]["token"] == token
    assert club.alice.get(club.path + ".state.jsonl").status in (403, 404)
    rows = club.alice.propfind(club.path, DAV.getetag, depth="1").multistatus()
    assert list(rows) == [club.path]


def test_a_removed_link_leaves_no_token_behind(club: Desk) -> None:
    club.publish(READ + "downloads = 2\n")
    club.visitor.get(club.urls()[0])
    club.alice.put(club.rules, NONE)
    lines = (club.server.data / club.disk / ".state.jsonl").read_text().splitlines()
    last = {entry["key"]: entry["value"] for entry in map(json.loads, lines)}
    assert (last["links"], last["served"]) == (None, None)


def test_rules_of_a_folder_of_files_keep_a_token_for_what_comes(make_server: MakeServer) -> None:
    server: Server = make_server().start()
    alice = server.client("alice")
    assert alice.put("/files/Home/access.toml", READ).status == 201
    lines = (server.data / "homes/alice/.state.jsonl").read_text().splitlines()
    assert any('"links"' in line for line in lines)


def edit(file: Path, old: str, new: str) -> None:
    """Replace words in a file in place."""
    text = file.read_bytes()
    assert old.encode() in text
    file.write_bytes(text.replace(old.encode(), new.encode()))
