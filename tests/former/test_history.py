"""The history at ``/files/History/``: the version before every overwrite."""

from __future__ import annotations

from davserver.dav.names import DAV
from tests.former.conftest import seen
from tests.harness import Dav, Server
from tests.pim.samples import event

NOTE = "{urn:x}note"
OPEN = 'inherit = true\n[[rule]]\nwho = ["dora"]\nmay = ["read"]\n'
CLOSED = '[[rule]]\nwho = ["carol"]\nmay = ["read"]\n'


def versions(client: Dav, path: str) -> list[str]:
    """The paths of the earlier versions of a file below ``/files/``."""
    return seen(client, f"/files/History/{path}/")[1:]


def test_every_overwrite_keeps_the_version_before_it(alice: Dav, bob: Dav, folder: str) -> None:
    path = f"/files/{folder}/plan.txt"
    for words in ("one", "two", "three"):
        alice.put(path, words)
    kept = versions(bob, f"{folder}/plan.txt")
    assert sorted(bob.get(version).text for version in kept) == ["one", "two"]
    assert all(version.endswith(".txt") for version in kept)
    alice.put(f"/files/{folder}/other.txt", "moved over")
    assert alice.move(f"/files/{folder}/other.txt", path).status == 204
    assert "three" in [bob.get(version).text for version in versions(bob, f"{folder}/plan.txt")]


def test_an_empty_file_that_is_filled_leaves_none(alice: Dav, folder: str) -> None:
    alice.put(f"/files/{folder}/new.docx", "")
    alice.put(f"/files/{folder}/new.docx", "words")
    assert versions(alice, f"{folder}/new.docx") == []


def test_a_version_comes_back_over_the_file_which_itself_becomes_one(alice: Dav, folder: str) -> None:
    path = f"/files/{folder}/plan.txt"
    alice.put(path, "one")
    alice.put(path, "two")
    (version,) = versions(alice, f"{folder}/plan.txt")
    assert alice.move(version, path).status == 204
    assert alice.get(path).text == "one"
    assert [alice.get(each).text for each in versions(alice, f"{folder}/plan.txt")] == ["two"]


def test_versions_are_seen_by_who_could_read_then_and_can_today(bob: Dav, carol: Dav, dora: Dav, folder: str) -> None:
    path = f"/files/{folder}/plan.txt"
    carol.put(path, "closed")
    carol.put(f"/files/{folder}/access.toml", CLOSED)
    carol.put(path, "open")
    carol.put(f"/files/{folder}/access.toml", OPEN)
    carol.put(path, "last")
    assert [bob.get(each).text for each in versions(bob, f"{folder}/plan.txt")] == ["open"]
    assert [dora.get(each).text for each in versions(dora, f"{folder}/plan.txt")] == ["open"]
    assert sorted(carol.get(each).text for each in versions(carol, f"{folder}/plan.txt")) == ["closed", "open"]
    carol.put(f"/files/{folder}/access.toml", CLOSED)
    assert versions(bob, f"{folder}/plan.txt") == []


def test_earlier_rules_are_for_who_gives_rights_alone(bob: Dav, carol: Dav, folder: str) -> None:
    carol.put(f"/files/{folder}/access.toml", OPEN)
    carol.put(f"/files/{folder}/access.toml", OPEN + "# again\n")
    kept = versions(carol, f"{folder}/access.toml")
    assert [carol.get(each).text for each in kept] == [OPEN]
    assert versions(bob, f"{folder}/access.toml") == []
    assert [bob.get(each).status for each in kept] == [404]


def test_nothing_in_the_history_is_changed_and_one_s_own_goes_for_good(
    alice: Dav, bob: Dav, cloud: Server, folder: str
) -> None:
    path = f"/files/{folder}/plan.txt"
    alice.put(path, "an early version")
    alice.put(path, "two")
    (version,) = versions(alice, f"{folder}/plan.txt")
    before = cloud.tree()
    assert alice.put(version, "x").status == 403
    assert alice.mkcol(f"/files/History/{folder}/new").status == 403
    assert alice.copy(path, f"/files/History/{folder}/copy.txt").status == 403
    refused = bob.delete(version)
    assert (refused.status, refused.condition) == (403, DAV.need_privileges)
    assert cloud.tree() == before
    assert alice.delete(version).status == 204
    assert b"an early version" not in cloud.tree().values()


def test_of_a_folder_that_keeps_no_history_there_is_none(alice: Dav, cloud: Server) -> None:
    alice.put("/files/Passing/plan.txt", "a passing version")
    alice.put("/files/Passing/plan.txt", "two")
    assert b"a passing version" not in cloud.tree().values()
    assert versions(alice, "Passing/plan.txt") == []


def test_a_version_is_a_link_and_costs_no_second_copy(alice: Dav, cloud: Server, folder: str) -> None:
    alice.put(f"/files/{folder}/plan.txt", "one")
    inode = (cloud.data / "files" / folder / "plan.txt").stat().st_ino
    alice.put(f"/files/{folder}/plan.txt", "two")
    (kept,) = (cloud.data / "history" / folder / "plan.txt").glob("*.txt")
    assert kept.stat().st_ino == inode


def test_a_version_comes_back_with_the_properties_that_the_file_had(alice: Dav, folder: str) -> None:
    path = f"/files/{folder}/plan.txt"
    alice.put(path, "one")
    assert alice.proppatch(path, {NOTE: "of one"}).status == 207
    alice.put(path, "two")
    assert alice.proppatch(path, {NOTE: "of two"}).status == 207
    (version,) = versions(alice, f"{folder}/plan.txt")
    assert alice.propfind(version, NOTE).multistatus()[version].text(NOTE) == "of one"
    assert alice.move(version, path).status == 204
    assert (alice.get(path).text, alice.propfind(path, NOTE).multistatus()[path].text(NOTE)) == ("one", "of one")


def test_who_may_create_alone_has_the_earlier_versions_of_what_is_their_own(
    bob: Dav, carol: Dav, dora: Dav, folder: str
) -> None:
    carol.put(f"/files/{folder}/access.toml", '[[rule]]\nwho = ["bob", "dora"]\nmay = ["create"]\n')
    for words in ("one", "two"):
        assert dora.put(f"/files/{folder}/own.txt", words).status in (201, 204)
    assert [dora.get(each).text for each in versions(dora, f"{folder}/own.txt")] == ["one"]
    assert versions(bob, f"{folder}/own.txt") == []
    assert dora.delete(f"/files/{folder}/own.txt").status == 204
    assert dora.move(versions(dora, f"{folder}/own.txt")[0], f"/files/{folder}/own.txt").status == 201
    assert dora.put(f"/files/{folder}/own.txt", "three").status == 204
    assert bob.get(f"/files/{folder}/own.txt").status == 404


def test_what_is_overwritten_below_dav_is_kept_like_a_file(alice: Dav, bob: Dav) -> None:
    alice.mkcalendar("/dav/alice/kept/")
    path, kept = "/dav/alice/kept/a.ics", "Collections/alice/kept/a.ics"
    for words in ("first", "second", "second", "third"):
        alice.put(path, event("kept", words))
    found = versions(alice, kept)
    assert sorted(alice.get(each).text for each in found) == [event("kept", "first"), event("kept", "second")]
    assert [bob.get(each).status for each in found] == [404, 404]
    first = next(each for each in found if "first" in alice.get(each).text)
    assert alice.move(first, path, overwrite="T").status == 204
    assert alice.get(path).text == event("kept", "first")
    assert event("kept", "third") in [alice.get(each).text for each in versions(alice, kept)]


def test_what_an_import_overwrites_is_kept_too(alice: Dav) -> None:
    path = "/dav/alice/imported/"
    assert alice.put(path, event("imported", "first")).status == 201
    (name,) = [each for each in alice.propfind(path, depth="1").multistatus() if each != path]
    assert alice.put(name, event("imported", "second")).status == 204
    (version,) = versions(alice, f"Collections/alice/imported/{name.rpartition('/')[2]}")
    assert event("imported", "first") == alice.get(version).text
