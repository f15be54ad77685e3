"""
Where an object went that left a path: whoever has it open in an editor saves it there again, and means that object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.session import Session
    from storage.transaction import Transaction

LEFT_KEY = "left"  # in the state of a name: where the object went that had it, and when
LEFT_S = 86_400  # for so long an editor may have it open
SWEPT_EVERY_S = 3600


def note_left(session: Session, tx: Transaction, place: str, name: str, target: str) -> None:
    """Keep that an object was moved to a path; what was kept of earlier ones in the folder goes where it is old."""
    now_s, swept_s = session.store.clock(), session.store.views.swept_s
    if now_s - swept_s.get(place, 0) > SWEPT_EVERY_S:
        swept_s[place] = now_s
        state = tx.state(place)
        for other in state.names():
            if state.get(other, LEFT_KEY) is not None and to_path(state.get(other, LEFT_KEY), now_s) is None:
                tx.set_passing_state(place, other, LEFT_KEY, None)
    tx.set_passing_state(place, name, LEFT_KEY, {"to": target, "at": now_s})


def to_path(left: Any, now_s: float) -> str | None:
    """The path that an object went to; None where that is too long ago or nothing is known."""
    if not isinstance(left, dict) or not isinstance(left.get("at"), int | float) or now_s - left["at"] > LEFT_S:
        return None
    return left["to"] if isinstance(left.get("to"), str) else None
