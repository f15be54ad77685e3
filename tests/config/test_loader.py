"""``davserver.toml`` is read into settings, or every problem in it is named at once."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.consistency import file_modes
from config.errors import ConfigRefused, Problem
from config.loader import Overrides, load, parse_listen
from config.reference import render_reference
from config.schema import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all that a configuration names by default, and an empty ``davserver.toml``."""
    for name in ("davserver.toml", "users.toml", "groups.toml", "access.toml"):
        (tmp_path / name).touch(mode=0o600)
    (tmp_path / "data").mkdir()
    return tmp_path


def problems_of(folder: Path, text: str) -> tuple[Problem, ...]:
    (folder / "davserver.toml").write_text(text)
    with pytest.raises(ConfigRefused) as refused:
        load(folder / "davserver.toml")
    return refused.value.problems


def test_an_empty_file_gives_the_defaults_with_absolute_paths(folder: Path) -> None:
    settings = load(folder / "davserver.toml")
    assert settings.server == Settings().server
    assert settings.limits == Settings().limits
    assert settings.storage.data == folder / "data"
    assert settings.accounts.users_file == folder / "users.toml"


def test_a_relative_path_is_relative_to_the_file_not_to_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "davserver.toml").write_text('[storage]\ndata = "elsewhere"\n')
    monkeypatch.chdir(folder.parent)
    assert load(Path(folder.name) / "davserver.toml").storage.data == folder / "elsewhere"


def test_what_the_command_line_says_counts_more_than_the_file(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "davserver.toml").write_text('[server]\nhost = "127.0.0.2"\nport = 1\n[storage]\ndata = "data"\n')
    settings = load(folder / "davserver.toml", Overrides("[::1]:8443", str(folder / "other")))
    assert (settings.server.host, settings.server.port) == ("::1", 8443)
    assert settings.storage.data == folder / "other"


def test_arguments_count_more_than_the_environment() -> None:
    environment = {"DAVSERVER_LISTEN": ":1", "DAVSERVER_DATA": "/a"}
    assert Overrides.of(None, None, environment) == Overrides(":1", "/a")
    assert Overrides.of(":2", "/b", environment) == Overrides(":2", "/b")


def test_all_problems_of_a_file_come_at_once_each_with_its_line(folder: Path) -> None:
    found = problems_of(
        folder,
        'languge = "en"\n[server]\nport = 99999\nhost = 8\ntrusted_proxies = [\n"127.0.0.1", "nonsense"]\n'
        'certificate = "no.pem"\n[log]\nlevel = "loud"\n[storag]\n',
    )
    assert [(each.line, each.found.split(" ", 2)[0]) for each in found] == [
        (1, "unknown"),
        (2, "server.private_key"),
        (3, "server.port"),
        (4, "server.host"),
        (5, "server.trusted_proxies"),
        (7, "server.certificate"),
        (9, "log.level"),
        (10, "unknown"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ('languge = "en"', 1, "did you mean 'language'?"),
        ("[limits]\nxml_byte = 5000", 2, "did you mean 'xml_bytes'?"),
        ("\nlanguage = 'es'", 2, "it is one of 'en', 'fr', 'de'"),
        ("[server]\nport = true", 2, "it takes a whole number without quotes"),
        ('[server]\nport = "8080"', 2, "it takes a whole number without quotes"),
        ("[server]\nport = -1", 2, "it can be 0 to 65535"),
        ('[server]\nallow_plain_http = "yes"', 2, "it takes true or false"),
        ('[server]\ntrusted_proxies = "127.0.0.1"', 2, 'it takes a list of texts: ["one", "two"]'),
        ("server = 5", 1, "it is a table: write [server] on a line of its own"),
        ("[storage]\ndata = ''", 2, "name a file or folder, or leave the line out"),
        ('[server]\npublic_url = "cloud.example.org"', 2, "it is scheme and host alone"),
        ("[limits]\nlock_timeout_s = 90000", 2, "it can be at most lock_longest_s, 86400"),
        ("[server]\nport = 1\nport = 2", 3, "a line is `key = value`"),
        ("[server\nport = 1", 1, "a line is `key = value`"),
        ('text = """\nfoo\n"""\nlanguage = "es"', 4, "it is one of"),
    ],
)
def test_a_problem_says_what_would_work(folder: Path, text: str, line: int, hint: str) -> None:
    found = problems_of(folder, text)
    assert (line, True) in [(each.line, hint in each.hint) for each in found]


@pytest.mark.parametrize("name", ["users.toml", "groups.toml", "access.toml"])
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (problem,) = problems_of(folder, "")
    assert str(folder / name) in problem.found
    assert "does not exist" in problem.found


def test_with_an_htpasswd_file_the_users_file_may_be_missing(folder: Path) -> None:
    (folder / "users.toml").unlink()
    (folder / "htpasswd").touch()
    (folder / "davserver.toml").write_text('[accounts]\nhtpasswd_file = "htpasswd"\n')
    assert load(folder / "davserver.toml").accounts.htpasswd_file == folder / "htpasswd"


def test_a_certificate_and_a_key_that_do_not_work_together_are_found_without_asking_for_a_passphrase(
    folder: Path,
) -> None:
    def pair(number: int, *passphrase: str) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        command += ["-subj", "/CN=localhost", "-keyout", f"{folder}/{number}.key", "-out", f"{folder}/{number}.pem"]
        subprocess.run([*command, *(passphrase or ["-nodes"])], check=True, capture_output=True)

    pair(1)
    pair(2)
    pair(3, "-passout", "pass:secret")
    (folder / "4.pem").write_text("no certificate")
    for certificate, key in ((1, 2), (3, 3), (4, 1)):
        (found,) = problems_of(folder, f'[server]\ncertificate = "{certificate}.pem"\nprivate_key = "{key}.key"')
        assert found.line == 2
        assert "cannot be used together" in found.found
    (folder / "davserver.toml").write_text('[server]\ncertificate = "1.pem"\nprivate_key = "1.key"')
    assert load(folder / "davserver.toml").server.certificate == folder / "1.pem"


def test_a_data_folder_that_is_missing_or_a_file_is_named(folder: Path) -> None:
    (folder / "data").rmdir()
    assert "does not exist" in problems_of(folder, "")[0].found
    (folder / "data").touch()
    assert "not a folder" in problems_of(folder, "")[0].found


def test_a_missing_or_unreadable_configuration_is_one_problem(tmp_path: Path) -> None:
    for file in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigRefused) as refused:
            load(file)
        assert len(refused.value.problems) == 1
    (tmp_path / "latin.toml").write_bytes(b'language = "\xe9"')
    with pytest.raises(ConfigRefused, match="not UTF-8"):
        load(tmp_path / "latin.toml")


def test_a_users_file_that_others_may_read_is_found(folder: Path) -> None:
    assert file_modes(load(folder / "davserver.toml")) == []
    os.chmod(folder / "users.toml", 0o644)
    (problem,) = file_modes(load(folder / "davserver.toml"))
    assert "0644" in problem.found
    assert "chmod 0600" in problem.hint


@pytest.mark.parametrize(
    ("value", "listen"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        (":80", ("127.0.0.1", 80)),
        ("[::]:8443", ("::", 8443)),
        ("cloud.example.org:0", ("cloud.example.org", 0)),
    ],
)
def test_listen_is_host_and_port(value: str, listen: tuple[str, int]) -> None:
    assert parse_listen(value) == listen


@pytest.mark.parametrize("value", ["", "8080", "host", "host:", "host:99999", "::1:80", "a b:80"])
def test_other_forms_of_listen_are_refused(folder: Path, value: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        parse_listen(value)


@given(st.text())
def test_any_text_gives_settings_or_problems(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(ConfigRefused):
        load(file)


def test_the_reference_page_is_what_the_schema_says() -> None:
    assert (ROOT / "docs/configuration.md").read_text() == render_reference()
