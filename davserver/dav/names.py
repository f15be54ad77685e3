"""Element names in Clark notation (``{namespace}name``), by namespace: ``DAV.href``, ``CALDAV.calendar_data``."""

from __future__ import annotations


class Namespace(str):
    """A namespace whose attributes are its element names; ``_`` stands for ``-``."""

    __slots__ = ()

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return "{" + str(self) + "}" + name.replace("_", "-")

    def __call__(self, name: str) -> str:
        """The Clark name of an element whose name holds ``_`` or is not a Python identifier."""
        return "{" + str(self) + "}" + name


DAV = Namespace("DAV:")
CALDAV = Namespace("urn:ietf:params:xml:ns:caldav")
CARDDAV = Namespace("urn:ietf:params:xml:ns:carddav")
CALSERVER = Namespace("http://calendarserver.org/ns/")
APPLE = Namespace("http://apple.com/ns/ical/")

PREFIXES: dict[str, str] = {
    str(DAV): "D",
    str(CALDAV): "C",
    str(CARDDAV): "CR",
    str(CALSERVER): "CS",
    str(APPLE): "ICAL",
}


def split(clark: str) -> tuple[str, str]:
    """``{ns}name`` as (ns, name); a name without namespace has ``""``."""
    if clark.startswith("{"):
        namespace, _, name = clark[1:].partition("}")
        return namespace, name
    return "", clark
