"""Sync reports of polls: whatever happens, they lead to what a walk shows."""

from __future__ import annotations

import random

import pytest

from tests.files.treemirror import TreeMirror, walk
from tests.harness import Dav
from tests.polls.conftest import Poll

VOTES = ('a = "yes"\n', 'a = "no"\nb = "yes"\n', "")
DERIVED = ("results.csv", "results-framadate.csv", "my-link.txt", "check.txt")
WHEN = ("always", "closed", "never")
HEADS = [f'{extra}results = "{when}"\n' for when in WHEN for extra in ("", "anonymous = true\n")]
HEADS += ['results = "closed"\ncloses = 2020-01-01T00:00:00Z\n', 'results = "always"\nvoters = ["board"]\n']


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("infinite", [True, False])
def test_reports_lead_to_what_a_walk_shows_whatever_the_poll_says(poll: Poll, seed: int, infinite: bool) -> None:
    chance = random.Random(seed)
    clients = {name: poll.server.client(name) for name in ("alice", "bob", "carol", "dora")}
    top = f"{poll.path}/" if infinite else f"{poll.votes}/"
    mirrors = {name: TreeMirror(client, top, infinite=infinite) for name, client in clients.items()}

    def vote(client: Dav) -> None:
        own = chance.choice([f"{client.user}.toml", "my-vote.toml"])
        client.put(f"{poll.votes}/{own}", chance.choice(VOTES))

    def withdraw(client: Dav) -> None:
        client.delete(f"{poll.votes}/{chance.choice([f'{client.user}.toml', 'my-vote.toml'])}")

    def remove(_: Dav) -> None:
        clients["alice"].delete(f"{poll.votes}/{chance.choice(['bob', 'carol'])}.toml")

    def change(_: Dav) -> None:
        poll.define(chance.choice(HEADS))

    for step in range(25):
        act = chance.choice([vote, vote, vote, withdraw, remove, change])
        act(clients[chance.choice(["bob", "carol"])])
        for name, mirror in mirrors.items():
            if chance.random() < 0.6 or step == 24:
                known = mirror.synchronise(chance.choice([None, 1, 2]))
                shown = walk(clients[name], top, infinite=infinite).items()
                present = {path: etag for path, etag in shown if not path.endswith(DERIVED)}
                assert known == present, (name, step, act.__name__)
