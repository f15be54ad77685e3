"""Programs that take a link for reading as a drive, and the example of the documentation."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from davserver.dav.names import DAV
from tests.harness import ROOT
from tests.interop.programs import program, run
from tests.links.conftest import READ, Stand, basic

PASSWORD = "rosebud-12"


@pytest.fixture
def album(stand: Stand) -> Stand:
    """A folder with files of several kinds, and with some that no link shows."""
    stand.mkcol("photos 2026")
    for name in ("a b.txt", "photos 2026/Müll %#?.txt", "empty", "index.html", "hidden.toml", ".hidden"):
        stand.put(name, "" if name == "empty" else name)
    return stand


SHOWN = {
    "a b.txt": "a b.txt",
    "empty": "",
    "index.html": "index.html",
    "photos 2026/Müll %#?.txt": "photos 2026/Müll %#?.txt",
}


def contents(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_rclone_copies_what_a_link_shows_and_writes_nothing(album: Stand, tmp_path: Path) -> None:
    url = album.server.url + album.publish(READ + f'password = "{PASSWORD}"\n')
    obscured = run(program("rclone"), "obscure", PASSWORD).stdout.strip()
    options = ("--config", tmp_path / "none", "--retries", "1", "--low-level-retries", "1", "--webdav-url", url)
    there, back = tmp_path / "there", tmp_path / "back"

    def rclone(*arguments: str | Path) -> int:
        return run(program("rclone"), *options, "--webdav-user", "any", *arguments).returncode

    known = ("--webdav-pass", obscured)
    assert rclone(*known, "copy", ":webdav:", there) == 0
    assert contents(there) == SHOWN
    assert rclone(*known, "check", there, ":webdav:", "--download") == 0
    whole = tmp_path / "all.zip"
    assert rclone(*known, "copyto", f":webdav:{album.name}.zip", whole) == 0
    assert len(zipfile.ZipFile(whole).namelist()) == len(SHOWN) + 1
    before = album.server.tree()
    back.mkdir()
    (back / "a b.txt").write_text("changed")
    (back / "new.txt").write_text("new")
    for refused in (
        (*known, "copy", back, ":webdav:"),
        (*known, "deletefile", ":webdav:a b.txt"),
        (*known, "moveto", ":webdav:a b.txt", ":webdav:moved.txt"),
        ("copy", ":webdav:", tmp_path / "without password"),
    ):
        assert rclone(*refused) != 0
    assert album.server.tree() == before
    assert not (tmp_path / "without password").exists()


def test_cadaver_lists_and_fetches(album: Stand, tmp_path: Path) -> None:
    url = album.server.url + album.publish()
    script = "ls\nget index.html fetched\ncd photos\\ 2026\nls\nquit\n"
    done = run(program("cadaver"), url, text=script, cwd=tmp_path, env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
    assert (tmp_path / "fetched").read_text() == "index.html"
    for name in ("a b.txt", "Müll %#?.txt", "photos 2026"):
        assert name in done.stdout
    assert "hidden" not in done.stdout


@pytest.mark.rfc("3744", "5.4")
def test_a_link_for_reading_says_that_it_is_for_reading(album: Stand) -> None:
    url = album.publish()
    rows = album.visitor.propfind(url, DAV.current_user_privilege_set, depth="1").multistatus()
    for row in rows.values():
        privileges = row.props[DAV.current_user_privilege_set]
        assert {child[0].tag for child in privileges} == {DAV.read, DAV.read_current_user_privilege_set}


def test_the_example_of_the_documentation_can_be_stored(album: Stand) -> None:
    guide = (ROOT / "docs/administration.md").read_text(encoding="utf-8")
    section = guide[guide.index("## Publishing a folder of files") :]
    rules = section[section.index("```toml\n") + 8 :].partition("```")[0]
    url = album.publish(rules)
    assert album.visitor.get(url).status == 401
    headers = basic("any", PASSWORD)
    assert album.visitor.get(url, headers).text == "index.html"
    assert album.visitor.get(f"{url}a b.txt", headers).text == "a b.txt"
    text = album.alice.get(f"{album.folder}/links.txt").text
    assert "downloads: 99 of 100 left" in text
    assert f"as a zip:  {album.server.url}{url}{album.name}.zip" in text
