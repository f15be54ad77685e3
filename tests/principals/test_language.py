"""Which language a client reads (RFC 9110 §12.5.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davserver.dav.language import choose_language

OFFERED = ("en", "fr", "de")


@pytest.mark.rfc("9110", "12.5.4")
@pytest.mark.parametrize(
    ("value", "language"),
    [
        (None, "fr"),
        ("", "fr"),
        ("*", "fr"),
        ("es", "fr"),
        ("da, en-gb;q=0.8, en;q=0.7", "en"),
        ("de-CH", "de"),
        ("de;q=0.2, en;q=0.4", "en"),
        ("en;q=0", "fr"),
        ("en;q=nan, de;q=7, fr;q=-1", "fr"),
        ("de;x=1", "de"),
    ],
)
def test_the_language_liked_best_is_chosen_else_the_association_s(value: str | None, language: str) -> None:
    assert choose_language(value, OFFERED, "fr") == language


@given(st.text() | st.from_regex(r"((en|de|x)(-[A-Z]{2})?(;q=[0-9.]{1,4})?,? ?){1,4}"))
def test_any_header_chooses_a_language_that_is_offered(value: str) -> None:
    assert choose_language(value, OFFERED, "fr") in OFFERED
