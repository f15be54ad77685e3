"""Exports as the programs write them, cut down to what matters and with one of everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ALICE = {"primaryKey": "alice", "uid": "alice", "displayname": "Alice", "type": 0}
URGENT = {"id": 239, "title": "urgent", "color": "FF7A66", "boardId": 188, "cardId": None, "lastModified": 1}
DONE_LABEL = {"id": 240, "title": "done", "color": "31CC7C", "boardId": 188, "cardId": None, "lastModified": 1}


def deck_card(id: int, title: str, **more: Any) -> dict[str, Any]:
    """A card as Deck 1.11 prints it."""
    return {
        "id": id,
        "title": title,
        "description": "",
        "stackId": 64,
        "type": "plain",
        "lastModified": 1689667779,
        "lastEditor": None,
        "createdAt": 1689667569,
        "labels": [],
        "assignedUsers": [],
        "attachments": [],
        "attachmentCount": 0,
        "owner": ALICE,
        "order": 999,
        "archived": False,
        "done": None,
        "duedate": None,
        "startdate": None,
        "deletedAt": 0,
        "commentsUnread": 0,
        "commentsCount": 0,
        "ETag": "ddfd0c27e53d8db94ac5e9aaa021746e",
        "overdue": 0,
        "boardId": 188,
        "board": {"id": 188, "title": "Summer camp"},
        **more,
    }


def deck_board(stacks: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": 188,
        "title": "Summer camp",
        "owner": ALICE,
        "color": "e0ed31",
        "archived": False,
        "labels": [URGENT, DONE_LABEL],
        "acl": [],
        "permissions": {"PERMISSION_READ": True},
        "users": [],
        "shared": 0,
        "stacks": stacks,
        "deletedAt": 0,
        "lastModified": 1689667796,
        "settings": [],
        **more,
    }


def deck_stack(id: int, title: str, order: int, *cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"id": id, "title": title, "boardId": 188, "deletedAt": 0, "lastModified": 0, "order": order, "ETag": "c"}
    return {**known, "cards": list(cards), **more}


POSTERS = deck_card(
    114,
    "Posters",
    description="Print **200** copies.\n\n- [x] ask for a price\n- [ ] collect",
    duedate="2026-12-01T18:00:00+01:00",
    startdate="2026-11-24T08:00:00+00:00",
    labels=[URGENT, DONE_LABEL],
    assignedUsers=[
        {"id": 5, "participant": ALICE, "cardId": 114, "type": 0},
        {"id": 6, "participant": {"primaryKey": "zoe", "uid": "zoe", "displayname": "Zoe", "type": 0}, "type": 0},
        {"id": 7, "participant": {"primaryKey": "sport", "uid": "sport", "type": 1}, "cardId": 114, "type": 1},
    ],
    attachments=[{"id": 1, "type": "deck_file", "data": "offer.pdf", "extendedData": {}}],
    attachmentCount=1,
    commentsCount=3,
    order=2,
    mood="green",
)
TENTS = deck_card(115, "Tents: how many?", order=1, done="2026-07-18T10:00:00+00:00")
OLD = deck_card(116, "Old", archived=True)
GONE = deck_card(117, "Gone", deletedAt=1689667779)


def deck(**board: Any) -> bytes:
    """What ``occ deck:export`` prints."""
    stacks = {
        "65": deck_stack(65, "Done", 2),
        "64": deck_stack(64, "To do / later", 1, POSTERS, TENTS, OLD, GONE),
        "66": deck_stack(66, "Away", 3, deck_card(118, "In the away", stackId=66), deletedAt=1689667779),
    }
    acl = [{"id": 1, "participant": {"primaryKey": "bob", "uid": "bob", "type": 0}, "type": 0, "boardId": 188}]
    return json.dumps({"version": "1.11.0", "boards": {"188": deck_board(stacks, acl=acl, **board)}}).encode()


def trello_card(id: str, name: str, **more: Any) -> dict[str, Any]:
    """A card as Trello exports it."""
    return {
        "id": id,
        "address": None,
        "badges": {"votes": 0, "comments": 0, "attachments": 0},
        "checkItemStates": None,
        "closed": False,
        "coordinates": None,
        "creationMethod": None,
        "customFieldItems": [],
        "dateLastActivity": "2026-07-10T17:01:58.633Z",
        "desc": "",
        "descData": None,
        "due": None,
        "dueComplete": False,
        "dueReminder": None,
        "email": "x+card7@boards.trello.com",
        "idBoard": "b",
        "idChecklists": [],
        "idLabels": [],
        "idList": "l1",
        "idMembers": [],
        "idMembersVoted": [],
        "idShort": 7,
        "idAttachmentCover": None,
        "labels": [],
        "limits": {},
        "locationName": None,
        "manualCoverAttachment": False,
        "name": name,
        "nodeId": "ari:cloud:trello::card/workspace/a/b",
        "pos": 65535,
        "shortLink": "s",
        "shortUrl": "https://trello.com/c/s",
        "start": None,
        "subscribed": False,
        "url": "https://trello.com/c/s/7",
        "cover": {
            "idAttachment": None,
            "color": None,
            "idUploadedBackground": None,
            "size": "normal",
            "idPlugin": None,
        },
        "isTemplate": False,
        "cardRole": None,
        "attachments": [],
        "pluginData": [],
        **more,
    }


TRELLO_POSTERS = trello_card(
    "59bbfc4bf36aa0270d6bfd43",
    "Posters",
    desc="Print 200.",
    pos=200.5,
    due="2026-12-01T17:00:00.000Z",
    start="2026-11-24T09:00:00.000Z",
    idLabels=["lab1", "lab2"],
    labels=[
        {"id": "lab1", "name": "urgent", "color": "red_dark"},
        {"id": "lab2", "name": "", "color": "green"},
    ],
    idMembers=["m1", "m9"],
    idChecklists=["c1"],
    attachments=[
        {"id": "a1", "name": "The [price]", "url": "https://example.org/a b", "isUpload": False, "bytes": None},
        {"id": "a2", "name": "offer.pdf", "url": "https://trello.com/1/offer.pdf", "isUpload": True, "bytes": 9},
    ],
    customFieldItems=[
        {"id": "i1", "idCustomField": "f1", "value": {"number": "40"}, "idValue": None},
        {"id": "i2", "idCustomField": "f2", "value": None, "idValue": "o2"},
        {"id": "i3", "idCustomField": "f3", "value": None, "idValue": None},
    ],
    coordinates={"latitude": 48.85, "longitude": 2.35},
    locationName="Town hall",
    idMembersVoted=["m1", "m2"],
    stickers=[{"id": "s1", "image": "thumbsup"}],
    cover={"idAttachment": None, "color": "pink", "idUploadedBackground": None},
    dueReminder=1440,
    isTemplate=True,
    pluginData=[{"id": "p1", "value": "x"}],
    badges={"votes": 2, "comments": 5},
    mood="green",
)


def trello(**more: Any) -> bytes:
    """What "Export as JSON" saves."""
    return json.dumps(
        {
            "id": "b",
            "name": "Summer camp",
            "desc": "Everything for July",
            "closed": False,
            "prefs": {"permissionLevel": "private", "backgroundColor": "#0079BF", "backgroundImage": "https://x/y.jpg"},
            "labelNames": {"green": ""},
            "labels": [
                {"id": "lab1", "idBoard": "b", "name": "urgent", "color": "red_dark"},
                {"id": "lab2", "idBoard": "b", "name": "", "color": "green"},
            ],
            "lists": [
                {"id": "l2", "name": "Done", "closed": False, "pos": 2, "idBoard": "b", "subscribed": False},
                {"id": "l1", "name": "To do", "closed": False, "pos": 1, "idBoard": "b", "subscribed": False},
                {"id": "l3", "name": "Ideas", "closed": True, "pos": 3, "idBoard": "b", "subscribed": False},
            ],
            "cards": [
                TRELLO_POSTERS,
                trello_card("59bbfc4bf36aa0270d6bfd44", "Tents", pos=100, dueComplete=True),
                trello_card("59bbfc4bf36aa0270d6bfd45", "Old", closed=True),
                trello_card("59bbfc4bf36aa0270d6bfd46", "An idea", idList="l3"),
            ],
            "members": [{"id": "m1", "username": "alice", "fullName": "Alice"}, {"id": "m2", "username": "zoe"}],
            "memberships": [{"id": "x", "idMember": "m2", "memberType": "admin"}],
            "checklists": [
                {
                    "id": "c1",
                    "idCard": "59bbfc4bf36aa0270d6bfd43",
                    "name": "Steps",
                    "pos": 1,
                    "checkItems": [
                        {
                            "id": "2",
                            "name": "collect",
                            "state": "incomplete",
                            "pos": 2,
                            "due": "2026-12-02T10:00:00.000Z",
                        },
                        {"id": "1", "name": "ask for a price", "state": "complete", "pos": 1, "idMember": "m2"},
                    ],
                }
            ],
            "customFields": [
                {"id": "f1", "name": "Price", "type": "number"},
                {"id": "f2", "name": "Where", "type": "list", "options": [{"id": "o2", "value": {"text": "Hall"}}]},
                {"id": "f3", "name": "Broken", "type": "text"},
            ],
            "actions": [
                {
                    "id": "1",
                    "type": "commentCard",
                    "date": "2026-07-01T10:00:00.000Z",
                    "memberCreator": {"id": "m3", "username": "bob"},
                    "data": {"text": "Hello", "card": {"id": "59bbfc4bf36aa0270d6bfd43", "name": "Posters"}},
                },
                {"id": "2", "type": "createBoard", "data": {}},
            ],
            "pluginData": [{"id": "p"}],
            **more,
        }
    ).encode()


FRONT_MATTER = """\
---
title: Take Home Quiz
created: 2021-05-01 16:40:00Z
updated: 2021-06-17 23:59:00Z
source: https://joplinapp.org
tags:
  - school
  - math
completed?: no
due: 2021-06-18 08:00:00Z
---

**Prove it.**

![](../_resources/abc.png)
"""
NOTEBOOK = "b" * 32
INNER = "c" * 32
FIRST = "1" * 32
SECOND = "2" * 32
PICTURE = "a" * 32


def joplin_item(title: str, body: str, id: str, kind: int, **more: str) -> str:
    """An item as ``BaseItem.serialize`` writes it."""
    times = dict.fromkeys(("created_time", "updated_time", "user_created_time"), "2023-01-05T00:00:00.000Z")
    values = {"id": id, "parent_id": "", **times, "user_updated_time": "2023-01-06T00:00:00.000Z", **more}
    head = f"{title}\n\n{body}\n\n" if body else f"{title}\n\n" if title else ""
    return head + "".join(f"{key}: {value}\n" for key, value in values.items()) + f"type_: {kind}"


def write_joplin_raw(folder: Path) -> None:
    """A RAW export: a notebook in another, two notes that name each other, a picture, tags."""
    note = {"is_todo": "0", "todo_due": "0", "todo_completed": "0", "markup_language": "1", "encryption_applied": "0"}
    items = {
        NOTEBOOK: joplin_item("Minutes", "", NOTEBOOK, 2),
        INNER: joplin_item("2026: spring", "", INNER, 2, parent_id=NOTEBOOK),
        FIRST: joplin_item(
            "Board meeting",
            f"See [the other](:/{SECOND}).\n\n![plan](:/{PICTURE})\n\n[gone](:/{'f' * 32})",
            FIRST,
            1,
            parent_id=INNER,
            **note,
        ),
        SECOND: joplin_item(
            "A/B", "---\n\nbelow", SECOND, 1, **{**note, "is_todo": "1", "todo_completed": "1700000003000"}
        ),
        PICTURE: joplin_item("plan of the hall.png", "", PICTURE, 4, mime="image/png", file_extension="png"),
        "3" * 32: joplin_item("minutes", "", "3" * 32, 5),
        "4" * 32: joplin_item("", "", "4" * 32, 6, note_id=FIRST, tag_id="3" * 32),
        "5" * 32: joplin_item("Secret", "x", "5" * 32, 1, encryption_applied="1"),
        "6" * 32: joplin_item("Thrown away", "x", "6" * 32, 1, deleted_time="1700000003000"),
        "7" * 32: joplin_item("", "", "7" * 32, 13),
        "8" * 32: joplin_item("lost.pdf", "", "8" * 32, 4, mime="application/pdf"),
    }
    (folder / "resources").mkdir(parents=True)
    for id, text in items.items():
        (folder / f"{id}.md").write_text(text)
    (folder / "resources" / f"{PICTURE}.png").write_bytes(b"\x89PNG")
    (folder / "resources" / f"{'9' * 32}.bin").write_bytes(b"spare")
