"""
Boards of Trello, as its menu exports them ("Export as JSON").

Lists and cards stand side by side and name each other by id; an id begins with the seconds at which it was made.
Checklists, custom fields and links become lines below the description.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.movein.boards import Board, Card, color_of, comment_text
from storage.movein.values import Lost, moment_of, ns_of, number_of, objects_in, one_line, text_of, utc_of, words

COLORS = {  # as its pages show them; there are darker and lighter ones of each
    "green": "#61bd4f",
    "yellow": "#f2d600",
    "orange": "#ff9f1a",
    "red": "#eb5a46",
    "purple": "#c377e0",
    "blue": "#0079bf",
    "sky": "#00c2e0",
    "lime": "#51e898",
    "pink": "#ff78cb",
    "black": "#344563",
}
_CARD = words(
    "name desc idList pos closed labels idLabels idMembers members due start dueComplete dateCompleted checklists"
    " idChecklists attachments customFieldItems coordinates locationName address idMembersVoted stickers cover"
    " dueReminder isTemplate badges idAttachmentCover pluginData"
    # what follows from others, or is the reader's own
    " id nodeId checkItemStates creationMethod creationMethodError creationMethodLoadingStartedAt dateLastActivity"
    " descData email idBoard idShort limits manualCoverAttachment shortLink shortUrl url subscribed cardRole pinned"
    " agent idMemberCreator idOrganization staticMapUrl dateViewedByCreator externalSource mirrorSourceId"
)
_LIST = words(
    "id name closed pos idBoard subscribed softLimit nodeId limits creationMethod creationMethodError type datasource"
    " idOrganization creationMethodLoadingStartedAt"
)
_BOARD = words(
    "name desc closed prefs labels lists cards members memberships checklists customFields actions pluginData"
    " id nodeId descData dateClosed idOrganization idEnterprise limits pinned starred url shortLink shortUrl subscribed"
    " labelNames dateLastActivity dateLastView idTags datePluginDisable creationMethod creationMethodError ixUpdate"
    " creationMethodLoadingStartedAt enterpriseOwned idBoardSource idMemberCreator premiumFeatures templateGallery type"
    " powerUps enterprise switcherViews organization"
)
_ID = re.compile(r"([0-9a-f]{8})[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class _Context:
    """What the cards name by id."""

    columns: Mapping[str, str]
    archived: frozenset[str]
    labels: Mapping[str, str]
    members: Mapping[str, str]
    fields: Mapping[str, dict[str, Any]]
    checklists: Mapping[str, list[dict[str, Any]]]
    comments: Mapping[str, list[str]]
    lost: Lost


def is_board(export: Any) -> bool:
    """Whether an export is one of Trello."""
    return isinstance(export, dict) and isinstance(export.get("lists"), list) and isinstance(export.get("cards"), list)


def parse_board(export: dict[str, Any]) -> Board:
    """The board of an export."""
    lost = Lost()
    title = one_line(text_of(export, "name"))
    lists = sorted(objects_in(export, "lists"), key=lambda each: number_of(each, "pos"))
    columns: dict[str, str] = {}
    for each in lists:
        name = one_line(text_of(each, "name"))
        lost.fields(each, _LIST, name)
        if each.get("closed") is True:
            lost.add("archived lists, whose cards are in the archive here", name)
        else:
            columns[text_of(each, "id")] = name
    checklists: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in objects_in(export, "checklists"):
        checklists[text_of(each, "idCard")].append(each)
    context = _Context(
        columns,
        frozenset(text_of(each, "id") for each in lists) - columns.keys(),
        {text_of(label, "id"): _label(label) for label in objects_in(export, "labels")},
        {text_of(each, "id"): one_line(text_of(each, "username")) for each in objects_in(export, "members")},
        {text_of(each, "id"): each for each in objects_in(export, "customFields")},
        checklists,
        _comments(export, lost),
        lost,
    )
    _note_board(export, title, lost)
    cards = [_card(item, number, context) for number, item in enumerate(objects_in(export, "cards"))]
    labels = {_label(label): _label_color(label) for label in objects_in(export, "labels")}
    prefs = export.get("prefs")
    color = color_of(prefs.get("backgroundColor")) if isinstance(prefs, dict) else None
    return Board(title, columns, cards, labels, color, lost)


def _note_board(export: dict[str, Any], title: str, lost: Lost) -> None:
    prefs = export.get("prefs")
    if export.get("closed") is True:
        lost.add("archived boards, which are boards like others here", title)
    if text_of(export, "desc"):
        lost.add("descriptions of boards", text_of(export, "desc"))
    if isinstance(prefs, dict) and prefs.get("backgroundImage"):
        lost.add("background images", title)
    members = {text_of(each, "id"): text_of(each, "username") for each in objects_in(export, "members")}
    for each in objects_in(export, "memberships"):
        name = members.get(text_of(each, "idMember"), "")
        lost.add("memberships of the board (access.toml says who may do what)", name)
    data = len(objects_in(export, "pluginData"))
    if data:
        lost.add("data of power-ups", title, data)
    lost.fields(export, _BOARD, title)


def _comments(export: dict[str, Any], lost: Lost) -> dict[str, list[str]]:
    """The comments that are among the activity, by the id of the card; an export holds the last thousand actions."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for action in sorted(objects_in(export, "actions"), key=lambda action: text_of(action, "date")):
        data, author = action.get("data"), action.get("memberCreator")
        card = data.get("card") if isinstance(data, dict) else None
        if text_of(action, "type") in ("commentCard", "copyCommentCard") and isinstance(card, dict):
            who = text_of(author, "username") if isinstance(author, dict) else ""
            text = comment_text(who, utc_of(action.get("date")), text_of(data or {}, "text"))
            found[text_of(card, "id")].append(text)
        else:
            lost.add("entries of the activity")
    return found


def _card(item: dict[str, Any], number: int, context: _Context) -> Card:
    lost, title, id = context.lost, one_line(text_of(item, "name")), text_of(item, "id")
    column: str | None = text_of(item, "idList")
    if column not in context.columns:
        if column not in context.archived:
            lost.add("cards of lists that are not in the export, which are in the archive here", title)
        column = None
    made = _ID.fullmatch(id)
    card = Card(
        title,
        None if item.get("closed") is True else column,
        _text(item, context),
        rank=(number_of(item, "pos"), number),
        tags=_tags(item, context),
        done=item.get("dueComplete") is True,
        completed=utc_of(item.get("dateCompleted")) or utc_of(item.get("dateLastActivity")),
        due=utc_of(item.get("due")),
        start=utc_of(item.get("start")),
        created=utc_of(int(made[1], 16)) if made else None,
        modified_ns=ns_of(moment_of(item.get("dateLastActivity"))),
        more=_place(item),
        comments=context.comments.get(id, []),
    )
    for key, value in {"due": card.due, "start": card.start}.items():
        if item.get(key) and value is None:
            lost.add(f"dates that cannot be read ({key})", title)
    ids = item.get("idMembers")
    for member in ids if isinstance(ids, list) else ():
        name = context.members.get(member) if isinstance(member, str) else None
        if name:
            card.assign.append(name)
        else:
            lost.add("assigned people who are not among the members of the export", title)
    _note_card(item, title, len(card.comments), lost)
    return card


def _note_card(item: dict[str, Any], title: str, comments: int, lost: Lost) -> None:
    badges = item.get("badges")
    badges = badges if isinstance(badges, dict) else {}
    cover = item.get("cover")
    cover = cover if isinstance(cover, dict) else {}
    reminder = number_of(item, "dueReminder")
    votes = item.get("idMembersVoted")
    has_cover = any(cover.get(key) for key in ("idAttachment", "color", "idUploadedBackground", "idPlugin"))
    counts = {
        "comments, which are in Comments.md in the card's folder of attachments here": comments,
        "comments, whose text is not in the export": int(number_of(badges, "comments")) - comments,
        "votes": len(votes) if isinstance(votes, list) and votes else int(number_of(badges, "votes")),
        "stickers": len(objects_in(item, "stickers")),
        "covers": int(has_cover or bool(item.get("idAttachmentCover"))),
        "reminders": int(item.get("dueReminder") is not None and reminder >= 0),
        "marks as a template": int(item.get("isTemplate") is True),
        "data of power-ups": len(objects_in(item, "pluginData")),
    }
    for what, count in counts.items():
        if count > 0:
            lost.add(what, title, count)
    lost.fields(item, _CARD, title)


def _tags(item: dict[str, Any], context: _Context) -> list[str]:
    labels = objects_in(item, "labels")
    if labels:
        return [_label(label) for label in labels]
    ids = item.get("idLabels")
    return [context.labels[id] for id in ids if id in context.labels] if isinstance(ids, list) else []


def _label(label: dict[str, Any]) -> str:
    """Its name; many have a colour only."""
    return one_line(text_of(label, "name")) or one_line(text_of(label, "color")) or "label"


def _label_color(label: dict[str, Any]) -> str | None:
    return COLORS.get(text_of(label, "color").partition("_")[0])


def _place(item: dict[str, Any]) -> dict[str, str]:
    place = ", ".join(filter(None, (one_line(text_of(item, key)) for key in ("locationName", "address"))))
    found = {"location": place} if place else {}
    where = item.get("coordinates")
    if isinstance(where, dict) and where.get("latitude") is not None:
        found["geo"] = f"{number_of(where, 'latitude')};{number_of(where, 'longitude')}"
    return found


# below the description


def _text(item: dict[str, Any], context: _Context) -> str:
    parts = [text_of(item, "desc").strip("\r\n"), "\n".join(_field_lines(item, context))]
    lists = context.checklists.get(text_of(item, "id")) or objects_in(item, "checklists")
    parts += [_checklist(each, context) for each in sorted(lists, key=lambda each: number_of(each, "pos"))]
    parts.append("\n".join(_links(item, context)))
    return "\n\n".join(part for part in parts if part)


def _checklist(checklist: dict[str, Any], context: _Context) -> str:
    name = one_line(text_of(checklist, "name"))
    lines = [f"## {name}", ""] if name else []
    for item in sorted(objects_in(checklist, "checkItems"), key=lambda item: number_of(item, "pos")):
        due, member = utc_of(item.get("due")), context.members.get(text_of(item, "idMember"))
        more = ", ".join(filter(None, (due and f"due {due}", member and f"@{member}")))
        box = "x" if text_of(item, "state") == "complete" else " "
        lines.append(f"- [{box}] {one_line(text_of(item, 'name'))}" + (f" ({more})" if more else ""))
    return "\n".join(lines)


def _field_lines(item: dict[str, Any], context: _Context) -> list[str]:
    lines = []
    for each in objects_in(item, "customFieldItems"):
        field = context.fields.get(text_of(each, "idCustomField"), {})
        name, value = one_line(text_of(field, "name")), _field_value(each, field)
        if value:
            lines.append(f"{name or 'Field'}: {value}")
        else:
            context.lost.add("values of custom fields", f"{text_of(item, 'name')}: {name}")
    return lines


def _field_value(item: dict[str, Any], field: dict[str, Any]) -> str:
    """What a custom field holds: its own value, or the text of the option that it names."""
    options = {text_of(option, "id"): option for option in objects_in(field, "options")}
    value = options.get(text_of(item, "idValue"), item).get("value")
    found = next(iter(value.values()), "") if isinstance(value, dict) else ""
    return one_line(found) if isinstance(found, str) else ""


def _links(item: dict[str, Any], context: _Context) -> list[str]:
    lines = []
    for each in objects_in(item, "attachments"):
        url = "".join(text_of(each, "url").split()).replace("<", "%3C").replace(">", "%3E")
        name = one_line(text_of(each, "name")) or url
        if each.get("isUpload") is True:
            context.lost.add(
                "attachments, whose bytes are not in the export (a link is kept)", f"{text_of(item, 'name')}: {name}"
            )
        label = re.sub(r"([\[\]\\])", r"\\\1", name)
        lines.append(f"- [{label}](<{url}>)" if url else f"- {name}")
    return lines
