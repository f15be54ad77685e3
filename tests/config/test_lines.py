"""The line of a key is found wherever TOML lets it stand."""

from __future__ import annotations

from config.lines import TomlLines

TEXT = '''\
# comment = 1
name = "x"
[user.alice]
mail = [
  "a@example.org", # not = a key
]
text = """
[user.bob]
fake = 1
"""
[[user.alice.app_password]]
label = "phone"
[[user.alice.app_password]]
label = "tablet"
[user."dora e"]
"full name" = 'D [x'
a.b = { c = 1 }
'''


def test_each_key_stands_on_its_line() -> None:
    lines = TomlLines(TEXT)
    assert lines.of("name") == 2
    assert lines.of("user", "alice") == 3
    assert lines.of("user", "alice", "mail") == 4
    assert lines.of("user", "alice", "text") == 7
    assert lines.of("user", "alice", "app_password", 0, "label") == 12
    assert lines.of("user", "alice", "app_password", 1) == 13
    assert lines.of("user", "alice", "app_password", 1, "label") == 14
    assert lines.of("user", "dora e", "full name") == 16
    assert lines.of("user", "dora e", "a", "b") == 17


def test_a_key_in_a_text_of_several_lines_is_none() -> None:
    assert TomlLines(TEXT).of("user", "bob") == TomlLines(TEXT).of("user")


def test_a_missing_key_has_the_line_of_its_table_and_an_unknown_table_the_first() -> None:
    assert TomlLines(TEXT).of("user", "alice", "nothing") == 3
    assert TomlLines(TEXT).of("nothing") == 1
