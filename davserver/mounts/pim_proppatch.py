"""Setting properties: PROPPATCH (RFC 4918 §9.2), and the bodies of MKCALENDAR and extended MKCOL (RFC 5689 §3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from xml.etree.ElementTree import Element

from config.schema import Limits
from davserver.dav.errors import BadRequest
from davserver.dav.message import reason
from davserver.dav.multistatus import href
from davserver.dav.names import CALDAV, CALSERVER, CARDDAV, DAV
from davserver.dav.xml import open_tag, render_element
from davserver.errors import condition_name
from davserver.fetch import parse_source
from davserver.mounts.pim_availability import is_availability, is_transparency
from davserver.mounts.pim_home_props import HOME_PROPS, ROOT_PROPS
from davserver.mounts.pim_props import COLLECTION_PROPS, ITEM_PROPS, META_KEYS, TYPES, table_of
from davserver.mounts.pim_rows import clark_of, dead_properties
from davserver.mounts.pim_view import View, href_path
from davserver.mounts.pim_zones import forget_zone_name, set_zone_name
from storage.collection import (
    CALENDAR,
    COMPONENT_KEY,
    SOURCE_KEY,
    STORABLE,
    SUBSCRIPTION,
    Collection,
    Home,
    Item,
    Resource,
    Root,
)
from storage.pim_collections import Changes
from storage.shown import PERSONAL_KEYS, XML_KEYS
from storage.zonereferences import find_zone_name

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
PROTECTED = "cannot-modify-protected-property"
# Live properties that a client sets all the same, by what it sets them on.
SETTABLE = frozenset({*META_KEYS, CALDAV.calendar_availability, CALSERVER.source})
INVALID = {CALDAV.schedule_calendar_transp: ("", 409)}  # RFC 4918 §9.2.1: a value that does not fit, without a name
ALWAYS_PROTECTED = frozenset(
    {
        DAV.getetag,
        DAV.getcontentlength,
        DAV.getcontenttype,
        DAV.getlastmodified,
        DAV.creationdate,
        DAV.lockdiscovery,
        DAV.supportedlock,
        DAV.resourcetype,
        DAV.sync_token,
        DAV.resource_id,
        CALSERVER.getctag,
        CALDAV.supported_calendar_component_set,
        CALDAV.calendar_data,
        CARDDAV.address_data,
    }
)


LIVE = frozenset(chain(ROOT_PROPS, HOME_PROPS, ITEM_PROPS, *COLLECTION_PROPS.values()))


@dataclass(slots=True)
class Outcome:
    """
    What becomes of each property of a request, in its order: a status and the local name of a condition, or "".

    Attributes:
        changes: what is stored if nothing was refused.
    """

    statuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)

    @property
    def is_refused(self) -> bool:
        """Whether a property cannot be set, so that none is."""
        return any(status != 200 for status, _ in self.statuses.values())

    def propstats(self) -> str:
        """The ``DAV:propstat`` elements; what only failed along with the others is 424."""
        groups: dict[tuple[int, str], list[str]] = {}
        for name, (status, condition) in self.statuses.items():
            shown = (424, "") if status == 200 and self.is_refused else (status, condition)
            groups.setdefault(shown, []).append(name)
        return "".join(_propstat(names, *outcome) for outcome, names in groups.items())

    def refuse(self, name: str, condition: str = PROTECTED, status: int = 403) -> None:
        """Note that a property cannot be set."""
        self.statuses[name] = (status, condition)


def response_of(resource: Resource, outcome: Outcome) -> str:
    """The ``DAV:response`` of a PROPPATCH."""
    return f"<D:response>{href(href_path(resource))}{outcome.propstats()}</D:response>"


def judge_update(root: Element | None, resource: Home | Collection | Item, view: View) -> Outcome:
    """
    What a ``DAV:propertyupdate`` would do to a resource; later instructions win.

    Raises:
        BadRequest: the body is not one.
    """
    if root is None or root.tag != DAV.propertyupdate:
        raise BadRequest("the body of a PROPPATCH is a DAV:propertyupdate element")
    outcome = Outcome()
    for is_set, element in _instructions(root):
        _judge_one(outcome, element if is_set else None, element.tag, resource)
    _require_room(outcome, resource, view)
    if not outcome.statuses:
        raise BadRequest("a PROPPATCH sets or removes at least one property")
    return outcome


def judge_new(root: Element | None, default_tag: str, view: View) -> tuple[str, Outcome]:
    """
    The kind and properties of a collection that is to be made.

    Args:
        root: body of MKCALENDAR or MKCOL, or None.
        default_tag: what the method makes without a ``DAV:resourcetype``.
    """
    outcome, tag = Outcome(), default_tag
    expected = (CALDAV.mkcalendar, DAV.mkcol)
    if root is not None and root.tag not in expected:
        raise BadRequest("the body of MKCALENDAR is CALDAV:mkcalendar, that of MKCOL is DAV:mkcol")
    for is_set, element in _instructions(root) if root is not None else ():
        if not is_set:
            raise BadRequest("a new collection has no properties to remove")
        if element.tag == DAV.resourcetype:
            tag = _tag_of(element, default_tag, outcome)
        elif element.tag == CALDAV.supported_calendar_component_set:
            _judge_components(element, outcome)
        else:
            _judge_new_property(outcome, element)
    if tag not in (CALENDAR, SUBSCRIPTION) and COMPONENT_KEY in outcome.changes.meta:
        outcome.refuse(CALDAV.supported_calendar_component_set)
    if tag == SUBSCRIPTION and SOURCE_KEY not in outcome.changes.meta:
        outcome.refuse(DAV.resourcetype, "valid-resourcetype")
    _require_room(outcome, None, view)
    return tag, outcome


def _instructions(root: Element) -> Iterator[tuple[bool, Element]]:
    """(whether it is set, the property) in document order; an inherited ``xml:lang`` is written onto the property."""
    outer = root.get(XML_LANG)
    for instruction in root:
        if instruction.tag not in (DAV.set, DAV.remove):
            continue
        for prop in instruction.findall(DAV.prop):
            language = prop.get(XML_LANG) or instruction.get(XML_LANG) or outer
            for element in prop:
                if language and element.get(XML_LANG) is None:
                    element.set(XML_LANG, language)
                element.tail = None
                yield instruction.tag == DAV.set, element


def _judge_one(outcome: Outcome, element: Element | None, name: str, resource: Home | Collection | Item) -> None:
    outcome.statuses[name] = (200, "")
    personal = isinstance(resource, Collection) and resource.personal is not None and name in PERSONAL_KEYS
    is_live = name in table_of(resource) or name == CALSERVER.source
    if name == CALDAV.calendar_timezone_id and name in table_of(resource):
        _name_zone(outcome, name, element, personal=personal)
    elif _is_protected(name) or (is_live and not _is_settable(name, resource)):
        outcome.refuse(name)
    elif element is not None and not _is_valid(name, element):
        outcome.refuse(name, *INVALID.get(name, ("valid-calendar-data", 403)))
    elif name == CALSERVER.source:
        _set_source(outcome, element)
    elif personal:
        key = PERSONAL_KEYS[name]
        outcome.changes.personal[key] = None if element is None else _personal_value(key, element)
        if name == CALDAV.calendar_timezone:
            forget_zone_name(outcome.changes, personal=True)
    elif isinstance(resource, Collection) and name in META_KEYS:
        _set_meta(outcome.changes, name, element)
    else:
        if isinstance(resource, Collection):  # what Radicale kept in its own file moves to the state
            outcome.changes.meta.update({key: None for key in resource.meta if clark_of(key) == name})
        outcome.changes.dead[name] = None if element is None else render_element(element)


def _is_protected(name: str) -> bool:
    """
    Whether nobody sets a property, on whatever kind of resource.

    A live property of one kind is no dead one on another: clients would take a member's ``DAV:add-member`` or
    ``DAV:owner`` for the server's word (RFC 5995 §7).
    """
    return name in ALWAYS_PROTECTED or (name in LIVE and name not in SETTABLE)


def _is_settable(name: str, resource: Resource) -> bool:
    if name == CALSERVER.source:
        return isinstance(resource, Collection) and SOURCE_KEY in resource.meta
    return isinstance(resource, Collection) and name in SETTABLE


def _set_source(outcome: Outcome, element: Element | None) -> None:
    """Where a subscribed calendar comes from: one ``DAV:href``, as Apple's calendar sends it."""
    url = "" if element is None else (element.findtext(DAV.href) or "").strip()
    try:
        parse_source(url)
    except ValueError:
        outcome.refuse(CALSERVER.source, "")
    outcome.changes.meta[SOURCE_KEY] = url


def _judge_new_property(outcome: Outcome, element: Element) -> None:
    name = element.tag
    outcome.statuses[name] = (200, "")
    if name == CALDAV.calendar_timezone_id:
        _name_zone(outcome, name, element)
    elif _is_protected(name):
        outcome.refuse(name)
    elif not _is_valid(name, element):
        outcome.refuse(name, *INVALID.get(name, ("valid-calendar-data", 403)))
    elif name == CALSERVER.source:
        _set_source(outcome, element)
    elif name in META_KEYS:
        _set_meta(outcome.changes, name, element)
    else:
        outcome.changes.dead[name] = render_element(element)


def _name_zone(outcome: Outcome, name: str, element: Element | None, *, personal: bool = False) -> None:
    said = None if element is None else _text(element).strip()
    condition = set_zone_name(outcome.changes, said, personal=personal)
    if condition:
        outcome.refuse(name, condition)


def _set_meta(changes: Changes, name: str, element: Element | None) -> None:
    """A text property goes to ``.Radicale.props``; its attributes, which that cannot hold, to a twin in the state."""
    changes.meta[META_KEYS[name]] = None if element is None else _text(element)
    has_twin = element is not None and bool(element.attrib) and not len(element)
    changes.dead[name] = render_element(element) if has_twin and element is not None else None
    if name == CALDAV.calendar_timezone:
        forget_zone_name(changes, personal=False)


def _text(element: Element) -> str:
    return "".join(element.itertext())


def _personal_value(key: str, element: Element) -> str:
    return render_element(element) if key in XML_KEYS else _text(element)


def _is_valid(name: str, element: Element) -> bool:
    """Whether a value is what the RFC asks for: a time zone is one VTIMEZONE in a VCALENDAR (RFC 4791 §5.2.2)."""
    if name == CALDAV.calendar_availability:
        return is_availability(_text(element))
    if name == CALDAV.schedule_calendar_transp:
        return is_transparency(element)
    if name != CALDAV.calendar_timezone:
        return True
    text = _text(element)
    return not text.strip() or find_zone_name(text) is not None


def _tag_of(element: Element, default_tag: str, outcome: Outcome) -> str:
    """The kind that a ``DAV:resourcetype`` names; one that this server, or this method, does not make is refused."""
    outcome.statuses[element.tag] = (200, "")
    kinds = {child.tag for child in element} - {DAV.collection}
    known = {kind: tag for tag, kind in TYPES.items()}
    tags = {known[kind] for kind in kinds if kind in known}
    if tags == {CALENDAR, SUBSCRIPTION}:  # as a subscribed calendar is announced
        tags = {SUBSCRIPTION}
    is_one = any(child.tag == DAV.collection for child in element) and kinds <= set(known) and len(tags) <= 1
    if not is_one or (default_tag and tags - {default_tag, SUBSCRIPTION}):
        outcome.refuse(element.tag, "valid-resourcetype")
        return default_tag
    return tags.pop() if tags else default_tag


def _judge_components(element: Element, outcome: Outcome) -> None:
    named = [comp.get("name", "").upper() for comp in element if comp.tag == CALDAV.comp]
    kept = [name for name in STORABLE if name in named]
    outcome.statuses[element.tag] = (200, "")
    if not kept:
        outcome.refuse(element.tag, "supported-calendar-component")
    outcome.changes.meta[COMPONENT_KEY] = ",".join(kept)


def _require_room(outcome: Outcome, resource: Resource | None, view: View) -> None:
    """Properties have a size and a number that fit (507 for what does not, RFC 4918 §9.2.1)."""
    limits: Limits = view.settings.limits
    texts = {name: value for name, value in outcome.changes.dead.items() if value is not None}
    keys = {META_KEYS[name]: name for name in META_KEYS}
    texts |= {keys[key]: value for key, value in outcome.changes.meta.items() if value is not None and key in keys}
    for name, value in texts.items():
        if len(value.encode()) > limits.dead_property_bytes and name != CALDAV.calendar_timezone:
            outcome.refuse(name, "", 507)
    known = set() if resource is None or isinstance(resource, Root) else set(dead_properties(resource, view))
    _require_number(outcome, known, texts, limits.dead_properties)


def _require_number(outcome: Outcome, known: set[str], texts: Iterable[str], most: int) -> None:
    for name in texts:
        known.add(name)
        if len(known) > most:
            outcome.refuse(name, "", 507)


def _propstat(names: list[str], status: int, condition: str) -> str:
    error = ""
    if condition:
        error = open_tag(DAV.error, open_tag(condition_name(condition)))
    prop = open_tag(DAV.prop, "".join(map(open_tag, names)))
    return open_tag(DAV.propstat, f"{prop}<D:status>HTTP/1.1 {reason(status)}</D:status>{error}")
