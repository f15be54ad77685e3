"""COPY, MOVE and DELETE by the letter: what may stand where, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from davserver.dav.names import DAV
from tests.files.conftest import made, numbers
from tests.harness import Dav, Server

FRESH, FILE, FOLDER = "fresh", "file", "folder"


@pytest.fixture
def desk(alice: Dav, sport: str) -> str:
    """A folder with a file and a folder to move about, and others to put them onto; its path with slash."""
    path = made(alice, f"{sport}/desk{next(numbers)}")
    for folder in ("folder", "folder/inner", "other", "other/inner", "elsewhere"):
        made(alice, f"{path}/{folder}")
    for file in ("file", "folder/a", "folder/inner/b", "other/a", "over"):
        assert alice.put(f"{path}/{file}", f"bytes of {file}").status == 201
    return f"{path}/"


def transfer(client: Dav, method: str, source: str, target: str, **headers: str) -> tuple[int, str | None]:
    sent = {"Destination": target} | {name.replace("_", "-"): value for name, value in headers.items()}
    reply = client.request(method, source, headers=sent)
    return reply.status, reply.condition


BOTH = pytest.mark.parametrize("method", ["COPY", "MOVE"])


@pytest.mark.rfc("4918", "9.8.5")
@pytest.mark.rfc("4918", "9.9.4")
@BOTH
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("file", "file"),
        ("folder", "folder"),
        ("folder", "folder/"),
        ("folder/", "folder"),
        ("folder", "folder/inner"),
        ("folder", "folder/inner/deeper"),
        ("folder", "folder/new"),
        ("folder/inner", "folder"),
        ("folder/a", "folder"),
        ("folder/inner/b", "folder/inner"),
    ],
)
def test_nothing_goes_onto_into_or_over_itself(
    alice: Dav, desk: str, cloud: Server, method: str, source: str, target: str
) -> None:
    before = cloud.tree()
    assert transfer(alice, method, desk + source, desk + target) == (403, None)
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.9.4")
@BOTH
@pytest.mark.parametrize("source", ["", "/files/", "/files/Members/", "/files/Trash/", "/files/Collections/"])
@pytest.mark.parametrize("target", ["", "/files/", "/files/Sport/", "/"])
def test_tops_and_roots_are_neither_moved_nor_replaced(
    alice: Dav, desk: str, cloud: Server, method: str, source: str, target: str
) -> None:
    if (source, target) == ("", ""):
        source = f"{desk}folder"
    before = cloud.tree()
    status, _ = transfer(alice, method, source or f"{desk}folder", target or "/files/Home")
    assert status in (403, 404)
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "10.6")
@BOTH
@pytest.mark.parametrize("source", ["file", "folder"])
@pytest.mark.parametrize(("target", "is_there"), [("fresh", False), ("over", True), ("other", True)])
@pytest.mark.parametrize(("overwrite", "allows"), [("T", True), ("t", True), (None, True), ("F", False), ("f", False)])
def test_overwrite_says_whether_what_stands_there_gives_way(
    alice: Dav,
    desk: str,
    cloud: Server,
    method: str,
    source: str,
    target: str,
    is_there: bool,
    overwrite: str | None,
    allows: bool,
) -> None:
    before = cloud.tree()
    headers = {} if overwrite is None else {"Overwrite": overwrite}
    status, _ = transfer(alice, method, desk + source, desk + target, **headers)
    if is_there and not allows:
        assert status == 412
        assert cloud.tree() == before
        return
    assert status == (204 if is_there else 201)
    assert alice.get(desk + source).status == (200 if method == "COPY" else 404)
    if source == "file":
        assert alice.get(desk + target).body == b"bytes of file"
    else:  # a folder is replaced, not merged into (§9.8.4)
        paths = alice.propfind(f"{desk}{target}", DAV.getetag, depth="infinity").multistatus()
        assert [path.removeprefix(f"{desk}{target}") for path in paths] == ["/", "/inner/", "/inner/b", "/a"]


@pytest.mark.rfc("4918", "10.6")
@BOTH
@pytest.mark.parametrize(
    "headers",
    [{"Overwrite": "yes"}, {"Overwrite": "TF"}, {"Depth": "1"}, {"Depth": "many"}, {"Depth": "-1"}],
    ids=str,
)
def test_headers_that_say_nothing_are_refused(
    alice: Dav, desk: str, cloud: Server, method: str, headers: dict[str, str]
) -> None:
    before = cloud.tree()
    assert transfer(alice, method, f"{desk}folder", f"{desk}fresh", **headers) == (400, None)
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.8.3")
def test_a_folder_is_copied_alone_with_depth_0_and_moved_only_whole(alice: Dav, desk: str, cloud: Server) -> None:
    assert transfer(alice, "COPY", f"{desk}folder", f"{desk}alone", Depth="0") == (201, None)
    assert list(alice.propfind(f"{desk}alone", DAV.getetag, depth="infinity").multistatus()) == [f"{desk}alone/"]
    assert transfer(alice, "COPY", f"{desk}folder", f"{desk}whole", Depth="infinity") == (201, None)
    assert alice.get(f"{desk}whole/inner/b").body == b"bytes of folder/inner/b"
    before = cloud.tree()
    assert transfer(alice, "MOVE", f"{desk}folder", f"{desk}moved", Depth="0") == (400, None)
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.8.5")
@BOTH
@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("nowhere/file", 409),
        ("file/below", 409),
        ("/files/Nowhere/file", 409),
        ("/dav/alice/calendar/file", 403),
        ("/elsewhere/file", 403),
        ("http://127.0.0.1/../etc/passwd", 400),
        ("relative", 400),
        ("ftp://127.0.0.1/files/Home/x", 400),
        ("https://other.example/files/Home/x", 502),
        ("", 400),
    ],
)
def test_a_destination_that_cannot_be_is_refused(
    alice: Dav, desk: str, cloud: Server, method: str, target: str, status: int
) -> None:
    before = cloud.tree()
    place = desk + target if target.startswith(("nowhere", "file/")) else target
    assert transfer(alice, method, f"{desk}over", place)[0] == status
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "10.4.2")
@BOTH
def test_conditions_on_the_target_are_named_by_its_url(alice: Dav, desk: str, cloud: Server, method: str) -> None:
    target = f"http://127.0.0.1{desk}over"
    good, before = alice.get(f"{desk}over").etag, cloud.tree()
    assert transfer(alice, method, f"{desk}file", f"{desk}over", If=f'<{target}> (["wrong"])') == (412, None)
    assert transfer(alice, method, f"{desk}file", f"{desk}over", If_Match='"wrong"') == (412, None)
    assert cloud.tree() == before
    assert transfer(alice, method, f"{desk}file", f"{desk}over", If=f"<{target}> ([{good}])") == (204, None)
    assert alice.get(f"{desk}over").body == b"bytes of file"


@pytest.mark.rfc("4918", "9.6.1")
@pytest.mark.parametrize("method", ["DELETE", "MOVE"])
def test_a_locked_member_keeps_its_tree_where_it_is_and_is_named(
    alice: Dav, bob: Dav, desk: str, cloud: Server, method: str
) -> None:
    assert alice.lock(f"{desk}folder/inner/b").status == 200
    before = cloud.tree()
    reply = bob.request(method, f"{desk}folder", headers={"Destination": f"{desk}fresh"})
    assert reply.status == 207
    rows = {path: (row.status, row.condition) for path, row in reply.multistatus().items()}
    assert rows == {f"{desk}folder/inner/b": (423, DAV.lock_token_submitted)}
    assert cloud.tree() == before
    assert bob.delete(f"{desk}over").status == 204


@pytest.mark.rfc("4918", "9.8.5")
@BOTH
def test_a_locked_member_of_what_would_be_replaced_is_named(
    alice: Dav, bob: Dav, desk: str, cloud: Server, method: str
) -> None:
    assert alice.lock(f"{desk}other/a").status == 200
    before = cloud.tree()
    reply = bob.request(method, f"{desk}folder", headers={"Destination": f"{desk}other"})
    assert reply.status == 207
    assert {path: row.status for path, row in reply.multistatus().items()} == {f"{desk}other/a": 423}
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "9.9.4")
def test_a_lock_on_what_is_addressed_itself_is_423(alice: Dav, bob: Dav, desk: str, cloud: Server) -> None:
    assert alice.lock(f"{desk}folder").status == 200
    before = cloud.tree()
    for path in ("folder", "folder/a", "folder/inner"):
        reply = bob.delete(f"{desk}{path}")
        assert (reply.status, reply.condition) == (423, DAV.lock_token_submitted)
        assert f"{desk}folder/" in reply.text
    assert transfer(bob, "MOVE", f"{desk}file", f"{desk}folder/file") == (423, DAV.lock_token_submitted)
    assert transfer(bob, "COPY", f"{desk}file", f"{desk}folder/file") == (423, DAV.lock_token_submitted)
    assert cloud.tree() == before
    assert transfer(bob, "COPY", f"{desk}folder", f"{desk}copied") == (201, None)  # a copy needs no lock of its source
    assert bob.put(f"{desk}copied/a", "unlocked").status == 204  # and takes none along (§7.5)


@pytest.mark.rfc("4918", "9.6.1")
@pytest.mark.rfc("3744", "7.1.1")
@pytest.mark.parametrize("method", ["DELETE", "MOVE"])
def test_members_that_are_not_the_principals_to_remove_keep_the_tree_and_are_named(
    alice: Dav, bob: Dav, carol: Dav, led: str, cloud: Server, method: str
) -> None:
    path = made(alice, f"{led}/mixed")
    for folder in ("free", "held", "hidden"):
        made(alice, f"{path}/{folder}")
        assert alice.put(f"{path}/{folder}/a", "x").status == 201
    reads = '[[rule]]\nwho = ["bob"]\nmay = ["read"]\n'
    assert carol.put(f"{path}/held/access.toml", reads).status == 201
    before = cloud.tree()
    reply = bob.request(method, path, headers={"Destination": f"{led}/gone"})
    assert reply.status == 207
    rows = {row: (part.status, part.condition) for row, part in reply.multistatus().items()}
    assert rows == {
        f"{path}/held/": (403, DAV.need_privileges),
        f"{path}/held/a": (403, DAV.need_privileges),
    }
    assert cloud.tree() == before
    assert carol.put(f"{path}/held/access.toml", "[[rule]]\nwho = []\n").status == 204
    before = cloud.tree()
    reply = bob.request(method, path, headers={"Destination": f"{led}/gone"})
    assert (reply.status, reply.condition) == (403, DAV.need_privileges)  # what is in the way is not bob's to know
    assert "held" not in reply.text
    assert cloud.tree() == before


@pytest.mark.rfc("4918", "10.4.1")
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PROPFIND", "REPORT", "SEARCH", "PUT", "DELETE", "MOVE", "COPY", "LOCK", "PROPPATCH"]
)
def test_a_method_is_done_only_if_a_list_of_the_if_header_holds(
    alice: Dav, desk: str, cloud: Server, method: str
) -> None:
    bodies = {
        "REPORT": '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop/>'
        "</D:sync-collection>",
        "SEARCH": '<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:prop/></D:select><D:from><D:scope>'
        f"<D:href>{desk}folder/</D:href><D:depth>0</D:depth></D:scope></D:from></D:basicsearch></D:searchrequest>",
        "LOCK": '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/>'
        "</D:locktype></D:lockinfo>",
        "PROPPATCH": '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">1</x></D:prop></D:set>'
        "</D:propertyupdate>",
        "PUT": "new",
    }
    path = f"{desk}folder/" if method in ("REPORT", "SEARCH") else f"{desk}file"
    etag = alice.propfind(path, DAV.getetag, depth="0").multistatus()[path].text(DAV.getetag)
    headers = {"Destination": f"{desk}fresh", "Depth": "0", "Content-Type": "application/xml"}
    before = cloud.tree()
    wrong = alice.request(method, path, bodies.get(method), headers | {"If": '(["wrong"]) (<urn:uuid:none>)'})
    assert wrong.status == 412
    assert cloud.tree() == before
    right = alice.request(method, path, bodies.get(method), headers | {"If": f'(["wrong"]) (Not <urn:x:y> [{etag}])'})
    assert 200 <= right.status < 300


def test_a_tree_in_which_others_write_meanwhile_is_copied_as_it_is(alice: Dav, desk: str, cloud: Server) -> None:
    over = threading.Event()

    def write() -> None:
        bob = cloud.client("bob")
        while not over.is_set():
            for number in range(5):
                assert bob.put(f"{desk}folder/inner/{number}", str(number)).status in (201, 204)
            for number in range(5):
                assert bob.delete(f"{desk}folder/inner/{number}").status == 204

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            for number in range(12):
                assert transfer(alice, "COPY", f"{desk}folder", f"{desk}copy{number}") == (201, None)
                assert alice.get(f"{desk}copy{number}/inner/b").text == "bytes of folder/inner/b"
        finally:
            over.set()
        writing.result()
