"""What the commands say of public links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import davserver

READ = '[[link]]\nright = "read"\n'
TOKEN = "a-token-of-our-own-2027"


@pytest.fixture
def association(tmp_path: Path) -> Path:
    """A folder that ``init`` made, with a calendar and a shared folder in it."""
    assert davserver("init", str(tmp_path / "cloud")).code == 0
    calendar = tmp_path / "cloud/data/collections/collection-root/alice/season"
    calendar.mkdir(parents=True)
    (calendar / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    (tmp_path / "cloud/data/files/Sport").mkdir(parents=True)
    assert davserver("check", folder=tmp_path / "cloud").code == 0
    return tmp_path / "cloud"


def test_check_lists_links_that_are_not_in_force(association: Path) -> None:
    calendar = association / "data/collections/collection-root/alice/season/.access.toml"
    folder = association / "data/files/Sport/access.toml"
    calendar.write_text(f'[[link]]\nright = "drop"\ntoken = "{TOKEN}"\n')
    folder.write_text(f'\n\n[[link]]\nright = "drop"\ntoken = "{TOKEN}"\n')
    result = davserver("check", folder=association)
    assert result.code == 1
    lines = result.err.splitlines()
    assert len(lines) == 2
    assert sum(f"{calendar}:1: the right 'drop' on a calendar" in line for line in lines) == 1
    assert sum("the token that" in line and "has too" in line for line in lines) == 1
    assert TOKEN not in result.err


@pytest.mark.parametrize("rules", [READ + READ, '[[link]]\nright = "reed"\n', READ + 'token = "short"\n'])
def test_check_lists_broken_link_tables_once(association: Path, rules: str) -> None:
    (association / "data/collections/collection-root/alice/season/.access.toml").write_text(rules)
    result = davserver("check", folder=association)
    assert result.code == 1
    assert len(result.err.splitlines()) == 1


def test_rights_names_the_links_of_a_folder_and_not_their_urls(association: Path) -> None:
    rules = READ.replace("[[link]]\n", f'[[link]]\nname = "press"\ntoken = "{TOKEN}"\n')
    (association / "data/collections/collection-root/alice/season/.access.toml").write_text(rules)
    out = davserver("rights", "/files/Collections/alice/season", folder=association).out
    assert out.splitlines()[-1].split() == ["link", "press", "read", "/dav/alice/season/access.toml:1"]
    assert TOKEN not in out
    assert "link" not in davserver("rights", "/dav/alice/season", "world", folder=association).out


def test_rights_names_the_links_that_lead_to_a_path_and_no_other(association: Path) -> None:
    sport = association / "data/files/Sport"
    (sport / "photos").mkdir()
    (sport / "closed").mkdir()
    (sport / "access.toml").write_text(READ + '\n[[link]]\nname = "photos"\nright = "drop"\n')
    (sport / "closed/access.toml").write_text("[[rule]]\nwho = []\n")

    def links_to(path: str) -> list[list[str]]:
        lines = davserver("rights", path, folder=association).out.splitlines()
        return [line.split() for line in lines if "link" in line]

    both = [
        ["a", "link", "read", "/files/Sport/access.toml:1"],
        ["link", "photos", "drop", "/files/Sport/access.toml:4"],
    ]
    assert links_to("/files/Sport") == both
    assert links_to("/files/Sport/photos/a.jpg") == both
    for path in ("/files", "/files/Sport/closed", "/files/Sport/closed/a.jpg", "/files/Sport/access.toml"):
        assert links_to(path) == []
