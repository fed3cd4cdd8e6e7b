"""Ctrl-C, once to stop in good order and twice to leave at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""Ctrl-C, a polite kill, and a terminal that was closed."""


class Interrupt:
    """Whether someone has asked to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def graceful() -> Iterator[Interrupt]:
    """Let the first of `_SIGNALS` only be noted; the second raises KeyboardInterrupt."""
    interrupt = Interrupt()

    def note(_number: int, _frame: FrameType | None) -> None:
        interrupt.asked = True
        for number in before:
            signal.signal(number, signal.default_int_handler)

    # What a shell has told a job in the background to ignore stays ignored.
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in heard}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
