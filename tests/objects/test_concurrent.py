"""Members who edit one card at once through both views: every acknowledged edit is in it at the end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.harness import Dav, Server
from tests.objects.conftest import calendar_of, changed, files_of, items_of, said
from tests.pim.samples import task

EDITS = 15  # of each
MOST_TRIES = 5000


def through_file(client: Dav, path: str, words: str) -> int:
    """A line more, by a program that minds what others wrote."""
    reply = client.get(path)
    return client.put(path, f"{reply.text.rstrip()}\n{words}\n", {"If-Match": reply.headers["etag"]}).status


def through_calendar(client: Dav, url: str, words: str) -> int:
    """As ``through_file``, by a phone."""
    reply = client.get(url)
    text = f"{said(reply.text, 'DESCRIPTION')}\\n{words}"
    return client.put(url, changed(reply.text, DESCRIPTION=text), {"If-Match": reply.headers["etag"]}).status


def test_no_acknowledged_edit_is_lost(cloud: Server, alice: Dav, board: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters", "DESCRIPTION:begin")).status == 201
    path = f"{board}/To do/Posters.md"

    def work(number: int) -> list[str]:
        client = cloud.client("alice" if number % 2 else "bob")
        where = path if number < 2 else url.replace("alice", client.user or "") + "a.ics"
        edit: Callable[[Dav, str, str], int] = through_file if number < 2 else through_calendar
        done: list[str] = []
        for _ in range(MOST_TRIES):
            if len(done) == EDITS:
                break
            words = f"w{number}-{len(done)}"
            status = edit(client, where, words)
            assert status in (204, 412), status
            if status == 204:
                done.append(words)
        assert len(done) == EDITS
        return done

    with ThreadPoolExecutor(4) as pool:
        acknowledged = [words for done in pool.map(work, range(4)) for words in done]
    lines = alice.get(path).text.split("\n")
    assert sorted(line for line in lines if line.startswith("w")) == sorted(acknowledged)
    assert said(alice.get(f"{url}a.ics").text, "DESCRIPTION").split("\\n")[1:] == [
        line for line in lines if line.startswith("w")
    ]


def test_cards_made_and_renamed_at_once_never_take_each_others_names(cloud: Server, alice: Dav, board: str) -> None:
    url = calendar_of(alice, board)

    def work(number: int) -> None:
        client = cloud.client("alice")
        for each in range(EDITS):
            item = f"{url}n{number}-{each}.ics"
            assert client.put(item, task(f"u-{number}-{each}", "Same")).status == 201
            text = changed(client.get(item).text, SUMMARY="Other", DESCRIPTION=f"{number}-{each}")
            assert client.put(item, text).status == 204

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    names = files_of(alice, board) - {"board.toml"}
    assert len(names) == 4 * EDITS
    found = [alice.get(item).text for item in alice.propfind(url, depth="1").multistatus() if item != url]
    assert {said(text, "SUMMARY") for text in found} == {"Other"}
    assert len({said(text, "DESCRIPTION") for text in found}) == 4 * EDITS
    assert items_of(alice, url).keys() == {"Other"}


def test_an_edit_of_a_card_that_is_dragged_meanwhile_is_of_that_card(
    cloud: Server, alice: Dav, board: str, url: str
) -> None:
    assert alice.put(f"{url}a.ics", task("u-1", "Posters")).status == 201
    served = alice.get(f"{url}a.ics").text

    def drag(column: str, other: str) -> None:
        client = cloud.client("bob")
        for _ in range(4 * EDITS):
            client.move(f"{board}/{column}/Posters.md", f"{board}/{other}/Posters.md", overwrite=False)

    def edit(client: Dav) -> None:
        for each in range(4 * EDITS):
            text = changed(served, DESCRIPTION=str(each), X_STATUS=None, CATEGORIES=None)
            assert client.put(f"{url}a.ics", text).status in (204, 412)

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(drag, "To do", "Doing"), pool.submit(drag, "Doing", "To do")]
        done += [pool.submit(edit, cloud.client("alice")) for _ in range(2)]
        for each in done:
            each.result()
    assert said(alice.get(f"{url}a.ics").text, "UID") == "u-1"
    assert len(files_of(alice, board) - {"board.toml"}) == 1


def test_an_editor_that_saves_a_card_which_is_dragged_meanwhile_makes_no_second_one(
    cloud: Server, alice: Dav, board: str
) -> None:
    path, other = f"{board}/Doing/Posters.md", f"{board}/Review/Posters.md"
    assert alice.put(path, "begin\n").status == 201

    def drag() -> None:
        client = cloud.client("bob")
        for _ in range(4 * EDITS):
            client.move(path, other, overwrite=False)
            client.move(other, path, overwrite=False)

    def save(number: int) -> None:
        client = cloud.client("alice")
        for each in range(4 * EDITS):
            assert client.put(path, f"{number} {each}\n").status == 204

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(drag), pool.submit(save, 1), pool.submit(save, 2)]
        for each in done:
            each.result()
    assert len(files_of(alice, board) - {"board.toml"}) == 1
