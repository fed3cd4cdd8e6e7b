"""The terminal: exit statuses, standard streams, messages, and signals to stop."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO, TextIOWrapper
from time import monotonic
from types import FrameType
from typing import Any

import click

from dinogen.data.visibility import JOINERS, is_visible

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
"""The exit statuses."""


# Streams.


class _SafeFile(FileIO):
    """A file on which a failed write is ignored."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def configure_streams() -> None:
    """Set stdout and stderr to UTF-8, replace closed ones, and ignore failed writes to stderr."""
    # The console of Windows is not a FileIO, and stays as it is.
    binary = getattr(sys.stderr, "buffer", None)
    if type(getattr(binary, "raw", binary)) is FileIO:
        safe = BufferedWriter(_SafeFile(sys.stderr.fileno(), "w", closefd=False))
        sys.stderr = TextIOWrapper(safe, line_buffering=True)
    # A stream that the shell has closed is None.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    # Names are UTF-8 in any locale. Paths on stdout keep bytes that are not UTF-8.
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def discard_stdout() -> None:
    """Discard what is still buffered for stdout, after a write to it has failed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# Messages.


def print_message(message: str) -> None:
    """Print one line on stderr."""
    click.echo(printable(message), err=True)


def print_path(path: str) -> None:
    """Print a path on stdout: escaped on a terminal, unchanged for a program."""
    # With color=True, click does not strip escape sequences from the path.
    click.echo(printable(path) if sys.stdout.isatty() else path, color=True)


def printable(text: str) -> str:
    """Escape the symbols that control a terminal or show nothing; joiners change neighbours."""
    shown = {c for c in set(text) if c in JOINERS or (c.isprintable() and is_visible(c))}
    return "".join(c if c in shown else _escape(c) for c in text)


def _escape(symbol: str) -> str:
    """Write a symbol as an escape sequence of Python, in ASCII."""
    return symbol.encode("unicode_escape", "surrogatepass").decode()


# Signals.

_STOP_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []),
)
"""Ctrl-C, kill, and a closed terminal."""

ABORT_AFTER = 1.0
"""In seconds. A second Ctrl-C within this time is ignored, because terminals can send it twice. A
later one aborts."""


class StopRequest:
    """A request to stop.

    Attributes:
        requested: whether a stop signal has arrived.
    """

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Turn the first stop signal into a request; a later Ctrl-C raises KeyboardInterrupt."""
    request, first = StopRequest(), 0.0

    def handle(number: int, frame: FrameType | None) -> None:
        """Request a stop at the first signal; abort at a later Ctrl-C."""
        nonlocal first
        if not request.requested:
            request.requested, first = True, monotonic()
        elif number == signal.SIGINT and monotonic() - first >= ABORT_AFTER:
            signal.default_int_handler(number, frame)

    # A shell makes background jobs ignore some signals; these stay ignored.
    handled = [n for n in _STOP_SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
