"""Fixtures of the commands' tests."""

from __future__ import annotations

import pytest

from tests import harness


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return harness.free_port()
