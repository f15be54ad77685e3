"""How far a long piece of work is: a bar on a terminal, a plain line now and then everywhere else."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

DRAW_EVERY_S = 0.1
BAR = 30


class Progress:
    """
    Told how far it is, as often as the work likes; shows it as often as people can read.

    Use it as a context manager: on leaving, the bar gets its line end.
    """

    def __init__(
        self,
        stream: TextIO,
        say: Callable[[str], None],
        *,
        say_every_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            stream: where the bar is drawn, if it is a terminal.
            say: takes a plain line, if it is not.
        """
        self._stream = stream
        self._say = say
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._every_s = DRAW_EVERY_S if self._is_terminal else say_every_s
        self._next_s = clock() + (0 if self._is_terminal else say_every_s)
        self._drawn = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` things are judged, looked at, …: ``what``."""
        now = self._clock()
        if now < self._next_s and not (self._is_terminal and done == total):
            return
        self._next_s = now + self._every_s
        if self._is_terminal:
            self._draw(what, done, total)
        else:
            self._say(f"{what}: {done} of {total}")

    def _draw(self, what: str, done: int, total: int) -> None:
        filled = BAR * done // total if total else BAR
        line = f"{what} [{'#' * filled}{'.' * (BAR - filled)}] {done} of {total}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r" + line[:width].ljust(width))
        self._stream.flush()
        self._drawn = True

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *ignored: object) -> None:
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()
