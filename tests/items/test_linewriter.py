"""Content lines that the server writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.contentlines import logical_lines
from storage.linewriter import fold


@pytest.mark.rfc("5545", "3.1")
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_a_line_is_folded_between_characters_and_reads_as_it_was(words: str) -> None:
    line = f"NAME:{words}"
    data = fold(line)
    assert data.endswith(b"\r\n")
    for piece in data[:-2].split(b"\r\n"):
        assert len(piece) <= 75
        assert piece.decode()
    assert [content.decode() for _, _, content in logical_lines(data)] == [line]
