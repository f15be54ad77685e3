"""Refreshing subscribed calendars: a thread that fetches what is due, one after another."""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from dataclasses import replace

from config.schema import Subscriptions
from davserver.fetch import Fetched, FetchFailed, Terms, fetch
from storage.errors import ItemRefused, NotFound, StorageError
from storage.store import Store
from storage.subscriptions import Feed, Subscription, find_subscription, find_subscriptions, keep_feed, take_over

LOOK_EVERY_S = 2.0
LONGEST_INTERVAL_S = 604_800
AFTER_DISK_FAILURE_S = 300
MOST_DOUBLINGS = 6  # after each failure it is asked half as often, down to a sixty-fourth

log = logging.getLogger("davserver.subscriptions")


class Subscriber:
    """A thread beside those that answer requests; what fails is logged, kept with the subscription, and tried again."""

    def __init__(self, store: Store, settings: Subscriptions) -> None:
        self._store = store
        self._settings = settings
        networks = tuple(ipaddress.ip_network(each, strict=False) for each in settings.allowed_networks)
        self._terms = Terms(settings.most_bytes, settings.timeout_s, networks)
        self._seen_changes = -1
        self._next_due_s = 0.0
        self._not_before_s: dict[str, float] = {}  # by place, after a failure that could not be kept
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="subscriptions", daemon=True)

    def start(self) -> None:
        """Begin, where the settings say so."""
        if self._settings.enabled:
            self._thread.start()

    def stop(self, *, within_s: float) -> None:
        """End after the fetch in hand, or without it after some seconds."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            try:
                self._look()
            except Exception:
                log.exception("the subscribed calendars could not be looked at")

    def _look(self) -> None:
        """Fetch what is due. Where nothing was written since and nothing is due, nothing is looked for."""
        changes = self._store.index.changes
        if changes == self._seen_changes and time.time() < self._next_due_s:
            return
        found = list(find_subscriptions(self._store))
        for subscription in found:
            if self._ended.is_set():
                return
            if self._due_s(subscription) <= time.time():
                self._refresh(subscription)
        after = (find_subscription(self._store, each.place) for each in found)
        self._next_due_s = min((self._due_s(each) for each in after if each is not None), default=time.time() + 3600)
        self._seen_changes = changes

    def _due_s(self, subscription: Subscription) -> float:
        """When one is to be fetched next, in Unix time; one that was never fetched is due at once."""
        feed, settings = subscription.feed, self._settings
        if feed.checked_s == 0:
            return self._not_before_s.get(subscription.place, 0.0)
        wanted = min(max(feed.interval_s or settings.refresh_s, settings.refresh_least_s), LONGEST_INTERVAL_S)
        next_s = feed.checked_s + min(wanted << min(feed.failures, MOST_DOUBLINGS), LONGEST_INTERVAL_S)
        return max(next_s, self._not_before_s.get(subscription.place, 0.0))

    def _refresh(self, subscription: Subscription) -> None:
        feed = replace(subscription.feed, url=subscription.source, checked_s=int(time.time()))
        try:
            try:
                fetched = fetch(subscription.source, self._terms, etag=feed.etag, modified=feed.modified)
                self._take(subscription, fetched, replace(feed, failures=0, error=""))
            except (FetchFailed, ItemRefused) as error:
                log.warning("%s was not refreshed: %s", subscription.place, error)
                keep_feed(self._store, subscription.place, replace(feed, failures=feed.failures + 1, error=str(error)))
        except NotFound:
            log.info("%s went away while it was refreshed", subscription.place)
        except (StorageError, OSError) as error:  # a full disk
            log.warning("%s was not refreshed: %s", subscription.place, error)
            self._not_before_s[subscription.place] = time.time() + AFTER_DISK_FAILURE_S

    def _take(self, subscription: Subscription, fetched: Fetched, feed: Feed) -> None:
        if fetched.data is None:
            keep_feed(self._store, subscription.place, feed)
            return
        feed = replace(feed, etag=fetched.etag, modified=fetched.modified)
        take_over(self._store, subscription, fetched.data, feed, most=self._settings.most_items)
