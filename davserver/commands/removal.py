"""``davserver user remove``: a member leaves, another one takes over; works beside a running server too."""

from __future__ import annotations

from collections.abc import Iterator

from auth.accounts import Kind
from auth.directory import Directory
from config.schema import Settings
from davserver.commands.console import CommandFailed
from davserver.commands.toml_edit import drop_name, editing
from storage import handover
from storage.errors import StoreBusy
from storage.store import Store

_PATIENCE_S = 60


def remove_member(settings: Settings, name: str, other: str) -> Iterator[str]:
    """
    Disable the account, hand over what it owned, then take it off the files; a line for each thing done.

    What is interrupted can be repeated: the account stays, disabled, until all is handed over.
    """
    directory = Directory(settings)
    for each in (name, other):
        account = directory.account(each)
        if account is None or account.kind != Kind.MEMBER:
            raise CommandFailed(f"there is no member {each!r}; `davserver user list` shows all")
    with editing(settings.accounts.users_file, secret=True) as draft:
        draft.get("user", name)["disabled"] = True
    yield from _hand_over(settings, name, other)
    with editing(settings.accounts.users_file, secret=True) as draft:
        draft.remove("user", name)
    with editing(settings.accounts.groups_file) as draft:
        for group in draft.names("group"):
            if drop_name(draft.get("group", group), "members", name):
                yield f"{name} is out of the group {group}"
    yield f"{name} is removed; `davserver check` lists rules that still name {name}"


def _hand_over(settings: Settings, name: str, other: str) -> Iterator[str]:
    try:
        store = Store(settings, directory=Directory(settings))
    except StoreBusy:
        yield from _ask_server(str(settings.storage.data), name, other)
        return
    try:
        yield from handover.hand_over(store, name, other)
    finally:
        store.close()


def _ask_server(data: str, name: str, other: str) -> Iterator[str]:
    """The running server holds the data folder, so it does the work."""
    handover.request(data, name, other)
    if not handover.wait_until_done(data, name, patience_s=_PATIENCE_S) and handover.withdraw(data, name):
        raise CommandFailed(
            f"the program that holds {data} has not handed over within {_PATIENCE_S} s (see its log); "
            f"{name} is disabled, nothing else changed; end that program and try again"
        )
    yield f"the running server has given {other} what {name} owned (its log lists everything)"
