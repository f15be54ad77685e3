"""
Golden files: the examples of the specifications as requests and the answers that are due to them.

A file holds any number of exchanges, each ``>> Request``, an HTTP request, ``>> Response`` and an HTTP answer; what
stands before the first is a comment. Of an answer the named header fields and the body are compared: XML as trees in
which the order of siblings does not count, other text line by line. ``*`` in the place of a text stands for any that is
not empty, ``...`` for any body, and in an element for any content. ``{word}`` as a whole text stands for any too, and
for the same in all that comes after it; ``<< name`` stands for the bytes of a file beside it. In a header that lists
tokens (``DAV``, ``Allow``) those that are named must be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

from tests.harness import Reply, path_of

LISTS = ("dav", "allow", "vary")
HREF = "{DAV:}href"
FILE = re.compile(r"<< (\S+?\.(?:ics|vcf))")
WORD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """The first line, the header fields by lower-case name, and the body."""

    first: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and the answer that is due to it."""

    request: Message
    response: Message

    @property
    def status(self) -> int:
        """As a number."""
        return int(self.response.first.split()[1])


def read_exchanges(file: Path) -> list[Exchange]:
    """The exchanges of a golden file, in order."""
    text = FILE.sub(
        lambda match: (file.parent / match[1]).read_text(encoding="utf-8"), file.read_text(encoding="utf-8")
    )
    _, *parts = re.split(r"^>> (?:Request|Response)\n", text, flags=re.MULTILINE)
    messages = [_message(part) for part in parts]
    return [Exchange(*pair) for pair in zip(messages[::2], messages[1::2], strict=True)]


def _message(text: str) -> Message:
    head, _, body = text.strip("\n").partition("\n\n")
    first, *fields = head.split("\n")
    pairs = (field.partition(":") for field in fields)
    return Message(first, {name.strip().lower(): value.strip() for name, _, value in pairs}, body.strip("\n"))


def differences(due: Exchange, reply: Reply) -> list[str]:
    """What an answer has otherwise than is due, a line each; empty where it is as it should be."""
    found = [] if reply.status == due.status else [f"status {reply.status} instead of {due.status}: {reply.text[:300]}"]
    for name, value in due.response.headers.items():
        found += _in_header(name, value, reply.headers.get(name))
    body = due.response.body
    if body == "..." or found:
        return found
    if body.lstrip().startswith("<"):
        return _in_tree(_tree(body), _tree(reply.text), "")
    return _in_text(body, reply.text, "the body")


def _in_header(name: str, due: str, found: str | None) -> list[str]:
    if found is None:
        return [f"no header {name}"]
    if name in LISTS:
        tokens = {token.strip().lower() for token in found.split(",")}
        return [f"{name} does not list {token}" for token in due.split(", ") if token.lower() not in tokens]
    return [] if fnmatchcase(found, due) else [f"{name} is {found!r} instead of {due!r}"]


def learn(due: Exchange, reply: Reply) -> dict[str, str]:
    """The texts of an answer that later requests send again, by the words that stand for them."""
    if not due.response.body.lstrip().startswith("<"):
        return {}
    pairs = [(parent, child) for parent in _tree(due.response.body).iter() for child in parent if _word_of(child)]
    found = _tree(reply.text)
    return {_word_of(child): next(found.iter(parent.tag)).findtext(child.tag) or "" for parent, child in pairs}


def _word_of(element: Element) -> str:
    match = WORD.fullmatch((element.text or "").strip())
    return match[1] if match else ""


def fill(exchange: Exchange, known: Mapping[str, str]) -> Exchange:
    """An exchange with the words that are known replaced."""

    def filled(text: str) -> str:
        return WORD.sub(lambda match: known.get(match[1], match[0]), text)

    def message(old: Message) -> Message:
        return replace(old, headers={name: filled(value) for name, value in old.headers.items()}, body=filled(old.body))

    return Exchange(message(exchange.request), message(exchange.response))


def _tree(text: str) -> Element:
    """The elements of a text without the sentences for people, which are not compared."""
    root = fromstring(text.strip().encode())
    for element in list(root.iter()):
        for said in element.findall("{DAV:}responsedescription"):
            element.remove(said)
    return root


def _in_tree(due: Element, found: Element, where: str) -> list[str]:
    where = f"{where}/{due.tag.rpartition('}')[2]}"
    if due.tag != found.tag:
        return [f"{where}: {found.tag} instead of {due.tag}"]
    texts = [f"{where}: attribute {key}" for key, value in due.attrib.items() if found.get(key) != value]
    mixed = [(due.tail, found.tail), *([(due.text, found.text)] if len(due) else [])]
    texts += [f"{where}: {said!r} instead of {wish!r}" for wish, said in mixed if _bare(wish) != _bare(said)]
    if (due.text or "").strip() == "...":
        return texts
    if due.tag == HREF and not _word_of(due):
        due_text, found_text = path_of(due.text or ""), path_of(found.text or "")
        return texts + ([] if fnmatchcase(found_text, due_text) else [f"{where}: {found_text} instead of {due_text}"])
    if not len(due):
        return texts + _in_text(due.text or "", found.text or "", where) + [f"{where}: has {e.tag}" for e in found]
    if len(due) != len(found):
        return [*texts, f"{where}: {_names(found)} instead of {_names(due)}"]
    pairs = zip(sorted(due, key=_order), sorted(found, key=_order), strict=True)
    return texts + [line for pair in pairs for line in _in_tree(*pair, where)]


def _bare(text: str | None) -> str:
    return " ".join((text or "").split())


def _order(element: Element) -> tuple[str, ...]:
    href = element.find(HREF)
    status = element.findtext("{DAV:}status") or ""
    names = ".".join(sorted(each.tag for each in element.iter()))
    own = path_of(element.text or "") if element.tag == HREF else ""
    return (element.tag, path_of(href.text or "") if href is not None else own, status, names)


def _names(element: Element) -> str:
    return ", ".join(sorted(child.tag.rpartition("}")[2] for child in element)) or "nothing"


def _in_text(due: str, found: str, where: str) -> list[str]:
    """Line by line, blanks around aside; a line of ``*`` stands for any that is not empty."""
    wanted, got = _lines(due), _lines(found)
    if wanted == ["*"] or WORD.fullmatch(due.strip()):
        return [] if got else [f"{where}: is empty"]
    if len(wanted) != len(got):
        return [f"{where}: {got} instead of {wanted}"]
    pairs = zip(wanted, got, strict=True)
    return [f"{where}: {line!r} instead of {wish!r}" for wish, line in pairs if not _fits(wish, line)]


def _fits(wish: str, line: str) -> bool:
    return wish == line or ("*" in wish and re.fullmatch(".+".join(map(re.escape, wish.split("*"))), line) is not None)


def _lines(text: str) -> list[str]:
    return [line for line in (raw.strip() for raw in text.split("\n")) if line]
