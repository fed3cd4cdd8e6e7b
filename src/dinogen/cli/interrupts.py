"""Ctrl-C, once to stop in good order and once more to leave at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""Ctrl-C, a polite kill, and a terminal that was closed."""


AGAIN = 1.0
"""Seconds after which another Ctrl-C is meant; what comes sooner may be the same, sent twice."""


class Interrupt:
    """Whether someone has asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def graceful() -> Iterator[Interrupt]:
    """Let `_SIGNALS` only be noted; a later Ctrl-C raises KeyboardInterrupt."""
    interrupt, first = Interrupt(), 0.0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if not interrupt.asked:
            interrupt.asked, first = True, monotonic()
        elif number == signal.SIGINT and monotonic() - first >= AGAIN:
            signal.default_int_handler(number, frame)

    # What a shell has told a job in the background to ignore stays ignored.
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in heard}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
