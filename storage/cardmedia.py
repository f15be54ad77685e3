"""Pictures, sounds and keys: base64 with a TYPE in vCard 3 (RFC 2426 §3.1.4), a URI in vCard 4 (RFC 6350 §6.2.4)."""

from __future__ import annotations

import re

from storage.contentlines import Line
from storage.encodedvalues import Media, parse_data_uri, render_data_uri

NAMES = {"PHOTO": "image", "LOGO": "image", "SOUND": "audio", "KEY": "application"}
KEYS = {"PGP": "pgp-keys", "X509": "pkix-cert"}  # what RFC 2426 §3.7.2 calls them: their media subtypes
KEY_TYPES = {subtype: name for name, subtype in KEYS.items()}
PLACES = frozenset({"HOME", "WORK", "PREF"})  # values of TYPE that tell no format
BASE64 = frozenset({"B", "BASE64"})
NO_TYPE = "application/octet-stream"
URI = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
MAGIC = {"/9j/": "image/jpeg", "iVBOR": "image/png", "R0lG": "image/gif"}  # how the base64 of a picture begins

Parameters = tuple[tuple[str, tuple[str, ...]], ...]


def without(parameters: Parameters, *names: str) -> Parameters:
    """Parameters but those of these names."""
    return tuple(pair for pair in parameters if pair[0] not in names)


def types_of(line: Line) -> list[str]:
    """The values of TYPE, those of a quoted list one by one (RFC 6350 §5.6)."""
    return [entry for key, values in line.parameters if key == "TYPE" for value in values for entry in value.split(",")]


def with_types(parameters: Parameters, types: list[str]) -> Parameters:
    """Parameters with these values of TYPE."""
    return (*(((("TYPE", tuple(types))),) if types else ()), *without(parameters, "TYPE"))


def media_to_4(line: Line) -> Line:
    """A property of vCard 3 with the URI that vCard 4 has in its place."""
    types = types_of(line)
    encoding = (line.parameter("ENCODING") or "").upper()
    is_encoded = encoding in BASE64 or any(each.upper() in BASE64 for each in types)
    kept = [each for each in types if each.upper() not in BASE64]
    named = line.parameter("MEDIATYPE") or ""
    form = "" if named else next((each for each in kept if each.upper() not in PLACES), "")
    if form:
        named = _media_type(line.name, form)
        kept.remove(form)
    others = with_types(line.parameters, kept)
    if is_encoded:
        content = "".join(line.value.split())
        guessed = next((found for magic, found in MAGIC.items() if content.startswith(magic)), NO_TYPE)
        parameters = without(others, "ENCODING", "VALUE", "MEDIATYPE")
        return line._replace(
            parameters=parameters, value=render_data_uri(Media(named.lower() or guessed, content)), end=0
        )
    kind = (line.parameter("VALUE") or "").upper()
    if kind not in ("URI", "URL") and (kind or not URI.match(line.value)):
        return line
    parameters = without(others, "VALUE", "MEDIATYPE")
    if named:
        parameters = (*parameters, ("MEDIATYPE", (named,)))
    return line if parameters == line.parameters else line._replace(parameters=parameters, end=0)


def media_to_3(line: Line) -> Line:
    """The inverse of ``media_to_4``."""
    if (line.parameter("VALUE") or "URI").upper() != "URI":
        return line
    media = parse_data_uri(line.value)
    named = (media.type if media is not None else "") or line.parameter("MEDIATYPE") or ""
    parameters = without(line.parameters, "VALUE", "MEDIATYPE")
    form = _format(line.name, named)
    if form:
        parameters = with_types(parameters, [form, *types_of(line)])
    elif named and named != NO_TYPE:
        parameters = (*parameters, ("MEDIATYPE", (named,)))
    parameters = (("VALUE", ("uri",)) if media is None else ("ENCODING", ("b",)), *parameters)
    return line._replace(parameters=parameters, value=line.value if media is None else media.base64, end=0)


def _media_type(name: str, said: str) -> str:
    subtype = KEYS.get(said.upper(), said.lower()) if name == "KEY" else said.lower()
    return subtype if "/" in subtype else f"{NAMES[name]}/{subtype}"


def _format(name: str, media_type: str) -> str:
    """The value of TYPE for a media type, "" where TYPE cannot tell it."""
    main, _, subtype = media_type.lower().partition("/")
    if (
        main != NAMES[name]
        or media_type.lower() == NO_TYPE
        or not re.fullmatch("[a-z0-9-]+", subtype)
        or subtype.upper() in PLACES | BASE64
    ):
        return ""
    return KEY_TYPES.get(subtype, subtype.upper()) if name == "KEY" else subtype.upper()
