"""Attachments: what a program sends within an object lies beside the card, and the object says where."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.harness import Dav, Server
from tests.objects.conftest import changed, files_of, items_of, said
from tests.objects.test_cards import put_card
from tests.pim.samples import task

PICTURE = b"\x89PNG" + bytes(range(256))
URL = "https://cloud.example.org"


def inline(name: str, data: bytes) -> str:
    """An ATTACH that holds a file, as jtx Board writes it."""
    return f"ATTACH;FMTTYPE=image/png;FILENAME={name};VALUE=BINARY;ENCODING=BASE64:{base64.b64encode(data).decode()}"


def attached(text: str) -> list[str]:
    return [line for line in text.replace("\r\n ", "").split("\r\n") if line.startswith("ATTACH")]


def test_what_is_sent_within_a_task_is_a_file_and_a_link(alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", inline("draft one.png", PICTURE))).status == 201
    assert alice.get(f"{board}/To do/Posters.files/draft one.png").body == PICTURE
    served = alice.get(f"{url}a.ics").text
    link = f"{URL}{board}/To%20do/Posters.files/draft%20one.png"
    assert attached(served) == [f"ATTACH;FMTTYPE=image/png;FILENAME=draft one.png:{link}"]
    assert alice.put(f"{url}a.ics", served).status == 204
    assert alice.put(f"{url}a.ics", changed(served, PRIORITY="1")).status == 204
    assert "ical" not in alice.get(f"{board}/To do/Posters.md").text
    again = task("u-1", "Posters", inline("draft one.png", PICTURE), inline("two.png", b"2"))
    assert alice.put(f"{url}a.ics", again).status == 204
    assert files_of(alice, f"{board}/To do/Posters.files") == {"draft one.png", "two.png"}


def test_attachments_go_where_the_card_goes(alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", inline("a.png", PICTURE))).status == 201
    served = alice.get(f"{url}a.ics").text
    assert alice.put(f"{url}a.ics", changed(served, SUMMARY="Flyers", X_STATUS="Done")).status == 204
    assert files_of(alice, board) == {"board.toml", "Done/Flyers.md", "Done/Flyers.files/a.png"}
    assert "Done/Flyers.files/a.png" in attached(alice.get(f"{url}a.ics").text)[0]
    assert alice.delete(f"{url}a.ics").status == 204
    assert files_of(alice, board) == {"board.toml"}
    assert alice.get(f"/files/Trash{board[6:]}/Done/Flyers.files/a.png").body == PICTURE


def test_a_file_put_beside_a_card_is_attached_to_its_task(alice: Dav, board: str, url: str) -> None:
    item = put_card(alice, board, "Doing", "Posters")
    assert attached(alice.get(item).text) == []
    assert alice.mkcol(f"{board}/Doing/Posters.files").status == 201
    assert alice.put(f"{board}/Doing/Posters.files/a,b;c.pdf", PICTURE).status == 201
    (line,) = attached(alice.get(item).text)
    assert line.endswith(f":{URL}{board}/Doing/Posters.files/a%2Cb%3Bc.pdf")
    assert alice.delete(f"{board}/Doing/Posters.files/a,b;c.pdf").status == 204
    assert attached(alice.get(item).text) == []


def test_a_link_to_elsewhere_stays_a_link(alice: Dav, board: str, url: str) -> None:
    link = "ATTACH;FMTTYPE=text/html:https://example.org/plan"
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", link)).status == 201
    assert attached(alice.get(f"{url}a.ics").text) == [link]


@pytest.mark.parametrize("name", ["../../x.png", "/etc/passwd", "..", "access.toml", ".state.jsonl", "board.toml"])
def test_a_name_leads_nowhere_else(alice: Dav, board: str, url: str, name: str) -> None:
    alice.put(f"{url}a.ics", task("u-1", "Posters", inline(name, PICTURE)))
    found = {path for path in files_of(alice, board) if path not in ("board.toml", "To do/Posters.md")}
    assert all(path.startswith("To do/Posters.files/") and path.count("/") == 2 for path in found)
    assert "[[column]]" in alice.get(f"{board}/board.toml").text


def test_what_is_no_base64_is_refused(alice: Dav, url: str, cloud: Server) -> None:
    before = cloud.tree()
    broken = task("u-1", "Posters", "ATTACH;VALUE=BINARY;ENCODING=BASE64:%%%%")
    reply = alice.put(f"{url}a.ics", broken)
    assert (reply.status, reply.condition) == (403, CALDAV.valid_calendar_data)
    assert cloud.tree() == before


@pytest.mark.rfc("4791", "5.2.5")
def test_ten_mebibytes_are_taken_and_no_more(alice: Dav, board: str, url: str, cloud: Server) -> None:
    assert ">10485760<" in alice.propfind(url, CALDAV.max_resource_size).text
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", inline("a.png", bytes(7 << 20)))).status == 201
    before = cloud.tree()
    for body in (inline("b.png", bytes(8 << 20)), "DESCRIPTION:" + "x" * (2 << 20)):
        reply = alice.put(f"{url}b.ics", task("u-2", "Flyers", body))
        assert (reply.status, reply.condition) == (403, CALDAV.max_resource_size)
    assert cloud.tree() == before
    assert items_of(alice, url).keys() == {"Posters"}
    assert said(alice.get(f"{url}a.ics").text, "SUMMARY") == "Posters"


def test_who_may_not_add_a_file_changes_nothing_with_one(cloud: Server, alice: Dav, board: str) -> None:
    carol, item = cloud.client("carol"), put_card(alice, board, "Doing", "Posters").replace("alice", "carol")
    assert alice.put(f"{board}/access.toml", '[[rule]]\nwho = ["carol"]\nmay = ["read", "write"]\n').status == 201
    served, before = carol.get(item).text, cloud.tree()
    body = changed(served, DESCRIPTION="new words").replace("END:VTODO", f"{inline('a.png', PICTURE)}\r\nEND:VTODO")
    reply = carol.put(item, body)
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before


def test_a_card_that_comes_on_the_disk_has_what_is_beside_it(
    alice: Dav, board: str, url: str, cloud: Server, tmp_path: Path
) -> None:
    (tmp_path / "Posters.files").mkdir()
    (tmp_path / "Posters.files/draft.png").write_bytes(PICTURE)
    (tmp_path / "Posters.md").write_text("words\n")
    assert items_of(alice, url) == {}
    shutil.copytree(tmp_path, cloud.data / board[1:] / "Doing", dirs_exist_ok=True)
    (line,) = attached(alice.get(items_of(alice, url)["Posters"]).text)
    assert line.endswith("/Posters.files/draft.png")
