"""What the index reads off a calendar object or card that already lies on disk; never a refusal."""

from __future__ import annotations

from storage.records import Facts

COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VCARD")


def facts_of_bytes(data: bytes) -> Facts:
    """The facts of stored bytes, by what can be read of them."""
    uid = component = None
    for line in data.replace(b"\r\n ", b"").replace(b"\n ", b"").splitlines():
        name, _, value = line.partition(b":")
        key = name.partition(b";")[0].upper()
        if key == b"UID" and uid is None:
            uid = value.decode("utf-8", "replace").strip() or None
        elif key == b"BEGIN" and component is None:
            found = value.decode("ascii", "replace").strip().upper()
            component = found if found in COMPONENTS else None
    return Facts(uid, component)
