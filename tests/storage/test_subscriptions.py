"""What is known of a calendar elsewhere, also when the server ends in the middle of taking it over."""

from __future__ import annotations

import pytest

from storage import subscriptions
from storage.kept import make_kept
from storage.subscriptions import Feed, find_subscription, take_over
from tests.storage.conftest import Shelf
from tests.storage.test_kept import event

PLACE = "collections/collection-root/alice/matches"
SOURCE = "https://example.org/m.ics"
KNOWN = Feed(SOURCE, etag='"1"', checked_s=1)


def test_what_was_not_taken_over_to_its_end_is_fetched_whole_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_kept(shelf.store, PLACE, "subscription", "VCALENDAR", {"CS:source": SOURCE})
    subscription = find_subscription(shelf.store, PLACE)
    assert subscription is not None
    take_over(shelf.store, subscription, event("a"), KNOWN, most=10)
    known = find_subscription(shelf.store, PLACE)
    assert known is not None
    assert known.feed.etag == '"1"'

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subscriptions, "replace_items", end)
    with pytest.raises(KeyboardInterrupt):
        take_over(shelf.store, known, event("b"), KNOWN, most=10)
    known = find_subscription(shelf.store, PLACE)
    assert known is not None
    assert known.feed.etag == ""
