"""Notes as texts in folders and as journals: categories are folders, dates make journals."""

from __future__ import annotations

import pytest

from davserver.dav.names import CALDAV
from tests.harness import Dav, Server
from tests.objects.conftest import calendar_of, changed, files_of, items_of, said
from tests.pim.samples import calendar, task


def note(uid: str, title: str, *more: str) -> str:
    """A VJOURNAL."""
    return calendar(
        "BEGIN:VJOURNAL", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{title}", *more, "END:VJOURNAL"
    )


@pytest.fixture
def url(alice: Dav, notebook: str) -> str:
    """The calendar that the notebook is for alice."""
    return calendar_of(alice, notebook)


def test_a_folder_made_in_notes_is_a_notebook(alice: Dav, bob: Dav) -> None:
    assert alice.mkcol("/files/Notes/Know-how").status == 201
    assert files_of(alice, "/files/Notes/Know-how") == {"notebook.toml"}
    url = calendar_of(alice, "/files/Notes/Know-how")
    assert calendar_of(bob, "/files/Notes/Know-how") == url.replace("alice", "bob")
    found = alice.propfind(url, CALDAV.supported_calendar_component_set).text
    assert 'name="VJOURNAL"' in found
    assert "VTODO" not in found


def test_the_association_has_one_notebook_from_the_beginning(alice: Dav) -> None:
    assert alice.put("/files/Notes/Rules of the house.md", "Be kind.\n").status == 201
    url = calendar_of(alice, "/files/Notes")
    item = items_of(alice, url)["Rules of the house"]
    assert said(alice.get(item).text, "DESCRIPTION") == "Be kind."
    assert alice.delete("/files/Notes/Rules of the house.md").status == 204


def test_a_note_is_its_file_and_the_file_its_note(alice: Dav, notebook: str, url: str) -> None:
    assert alice.mkcol(f"{notebook}/Minutes").status == 201
    assert alice.mkcol(f"{notebook}/Minutes/2026").status == 201
    text = "---\ndate: 2026-11-24\ntags: [board, favourite]\nstatus: FINAL\n---\n# Present\n\nall\n"
    assert alice.put(f"{notebook}/Minutes/2026/November.md", text).status == 201
    item = items_of(alice, url)["November"]
    served = alice.get(item).text
    assert said(served, "CATEGORIES") == "/Minutes/2026,board,favourite"
    assert "DTSTART;VALUE=DATE:20261124\r\n" in served
    assert (said(served, "STATUS"), said(served, "DESCRIPTION")) == ("FINAL", "# Present\\n\\nall")
    assert alice.put(item, changed(served, DESCRIPTION="# Present\\nnobody", STATUS="DRAFT")).status == 204
    after = alice.get(f"{notebook}/Minutes/2026/November.md").text
    assert after == text.replace("FINAL", "DRAFT").replace("# Present\n\nall", "# Present\nnobody")


def test_a_note_of_a_phone_has_no_front_matter_that_it_does_not_need(alice: Dav, notebook: str, url: str) -> None:
    assert (
        alice.put(
            f"{url}x.ics", note("n-1", "Wifi", "DESCRIPTION:password\\, as usual", "CREATED:20260101T000000Z")
        ).status
        == 201
    )
    assert alice.get(f"{notebook}/Wifi.md").text == "password, as usual\n"
    served = alice.get(f"{url}x.ics").text
    assert (said(served, "UID"), said(served, "CREATED")) == ("n-1", "20260101T000000Z")
    assert alice.move(f"{notebook}/Wifi.md", f"{notebook}/Wireless.md").status == 201
    assert said(alice.get(f"{url}x.ics").text, "SUMMARY") == "Wireless"


def test_a_category_with_a_slash_is_a_folder(alice: Dav, notebook: str, url: str) -> None:
    assert alice.put(f"{url}a.ics", note("n-1", "Plan", "CATEGORIES:idea,/Fair/2027")).status == 201
    assert files_of(alice, notebook) == {"notebook.toml", "Fair/2027/Plan.md"}
    assert alice.get(f"{notebook}/Fair/2027/Plan.md").text == "---\ntags: [idea]\n---\n"
    served = alice.get(f"{url}a.ics").text
    assert said(served, "CATEGORIES") == "/Fair/2027,idea"
    assert alice.put(f"{url}a.ics", changed(served, CATEGORIES="idea,/Fair/2027,/Fair/2028")).status == 204
    assert files_of(alice, notebook) == {"notebook.toml", "Fair/2028/Plan.md"}
    served = alice.get(f"{url}a.ics").text
    assert alice.put(f"{url}a.ics", changed(served, CATEGORIES="idea")).status == 204
    assert files_of(alice, notebook) == {"notebook.toml", "Fair/2028/Plan.md"}


@pytest.mark.parametrize("category", ["/../../Boards/x", "/a/../b", "/.hidden/x", "/a//b", "/Templates/x", "/x.files"])
def test_no_category_leads_out_of_the_notebook(alice: Dav, notebook: str, url: str, category: str) -> None:
    reply = alice.put(f"{url}a.ics", note("n-1", "Plan", f"CATEGORIES:{category}"))
    assert reply.status in (201, 403)
    if reply.status == 201:
        assert list(items_of(alice, url)) == ["Plan"]
        (name,) = files_of(alice, notebook) - {"notebook.toml"}
        assert ".." not in name.split("/")
    else:
        assert files_of(alice, notebook) == {"notebook.toml"}


def test_a_readme_is_called_like_its_folder_and_keeps_its_name(alice: Dav, notebook: str, url: str) -> None:
    assert alice.mkcol(f"{notebook}/Van").status == 201
    assert alice.put(f"{notebook}/Van/README.md", "Keys at the bar.\n").status == 201
    item = items_of(alice, url)["Van"]
    assert alice.put(item, changed(alice.get(item).text, SUMMARY="The van")).status == 204
    assert files_of(alice, notebook) == {"notebook.toml", "Van/README.md"}
    assert said(alice.get(item).text, "SUMMARY") == "The van"


def test_templates_and_other_files_are_no_notes(alice: Dav, notebook: str, url: str) -> None:
    for folder in ("Templates", "a.files"):
        assert alice.mkcol(f"{notebook}/{folder}").status == 201
        assert alice.put(f"{notebook}/{folder}/x.md", "x").status == 201
    for name in ("plan.pdf", "~x.md", ".x.md"):
        assert alice.put(f"{notebook}/{name}", "x").status == 201
    assert items_of(alice, url) == {}


def test_a_text_stays_a_text(alice: Dav, notebook: str, url: str) -> None:
    assert alice.put(f"{notebook}/List.txt", "one\r\ntwo\r\n").status == 201
    item = items_of(alice, url)["List"]
    assert alice.put(item, changed(alice.get(item).text, DESCRIPTION="one\\nthree", SUMMARY="Shopping")).status == 204
    assert alice.get(f"{notebook}/Shopping.txt").body == b"one\r\nthree\r\n"


def test_a_notebook_in_the_notes_is_not_in_the_notebook_of_all(alice: Dav, notebook: str, url: str) -> None:
    assert alice.put(f"{notebook}/Inner.md", "x").status == 201
    assert "Inner" in items_of(alice, url)
    assert "Inner" not in items_of(alice, calendar_of(alice, "/files/Notes"))
    assert alice.delete(f"{notebook}/notebook.toml").status == 204
    item = items_of(alice, calendar_of(alice, "/files/Notes"))["Inner"]
    assert said(alice.get(item).text, "CATEGORIES") == f"/{notebook.rpartition('/')[2]}"
    assert alice.propfind(url).status == 404


def test_a_broken_notebook_file_is_refused(alice: Dav, notebook: str, cloud: Server) -> None:
    before = cloud.tree()
    assert alice.put(f"{notebook}/notebook.toml", "a = ").status == 422
    assert cloud.tree() == before


def test_a_notebook_takes_journals(alice: Dav, url: str, cloud: Server) -> None:
    before = cloud.tree()
    reply = alice.put(f"{url}a.ics", task("t-1"))
    assert (reply.status, reply.condition) == (403, CALDAV.supported_calendar_component)
    assert cloud.tree() == before


def test_a_folder_with_rules_of_its_own_is_not_in_the_calendar_of_all(alice: Dav, notebook: str, url: str) -> None:
    assert alice.mkcol(f"{notebook}/Closed").status == 201
    assert alice.put(f"{notebook}/Closed/secret.md", "x").status == 201
    assert "secret" in items_of(alice, url)
    assert alice.put(f"{notebook}/Closed/access.toml", '[[rule]]\nwho = ["alice"]\nmay = ["read"]\n').status == 201
    assert items_of(alice, url) == {}


@pytest.mark.parametrize("text", ["---\\nuid: n-9\\ntitle: Other\\n---\\nwords", "---", "---\\nwords", "\ufeffwords"])
def test_a_text_that_begins_like_front_matter_is_text(alice: Dav, notebook: str, url: str, text: str) -> None:
    for before in ("", "words"):
        if before:
            assert alice.put(f"{url}n.ics", note("n-1", "Wifi", f"DESCRIPTION:{before}")).status == 204
        assert alice.put(f"{url}n.ics", note("n-1", "Wifi", f"DESCRIPTION:{text}")).status in (201, 204)
        served = alice.get(f"{url}n.ics").text
        assert [said(served, name) for name in ("UID", "SUMMARY", "DESCRIPTION")] == ["n-1", "Wifi", text]
        assert files_of(alice, notebook) == {"notebook.toml", "Wifi.md"}


def test_a_note_of_a_phone_that_is_called_readme_stays_so_called(alice: Dav, url: str) -> None:
    assert alice.put(f"{url}n.ics", note("n-1", "README")).status == 201
    assert said(alice.get(f"{url}n.ics").text, "SUMMARY") == "README"


def test_no_category_leads_into_a_notebook_below(alice: Dav, notebook: str, url: str) -> None:
    assert alice.mkcol(f"{notebook}/Own").status == 201
    assert alice.put(f"{notebook}/Own/notebook.toml", "").status in (201, 204)
    assert alice.put(f"{url}n.ics", note("n-1", "Wifi", "CATEGORIES:/Own/Deeper")).status == 201
    assert files_of(alice, notebook) == {"notebook.toml", "Own/notebook.toml", "Wifi.md"}
    assert alice.put(f"{url}n.ics", note("n-1", "Wifi", "CATEGORIES:/Own/Deeper", "STATUS:DRAFT")).status == 204
    assert files_of(alice, notebook) == {"notebook.toml", "Own/notebook.toml", "Wifi.md"}


@pytest.mark.parametrize(
    ("category", "spot"),
    [
        ("/notebook.toml", "Wifi.md"),
        ("/Plan.md/x", "Wifi.md"),
        ("/" + "x" * 300, f"{'x' * 120}/Wifi.md"),
        ("/~draft", "draft/Wifi.md"),
    ],
    ids=["the notebook's file", "a note", "too long a name", "a name of no folder"],
)
def test_a_category_that_cannot_be_a_folder_s_name_loses_no_note(
    alice: Dav, notebook: str, url: str, category: str, spot: str
) -> None:
    assert alice.put(f"{notebook}/Plan.md", "x\n").status == 201
    assert alice.put(f"{url}n.ics", note("n-1", "Wifi", f"CATEGORIES:{category}")).status == 201
    assert files_of(alice, notebook) == {"notebook.toml", "Plan.md", spot}
