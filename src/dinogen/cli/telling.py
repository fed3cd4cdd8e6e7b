"""Stdout and stderr: what is said to people can neither drive a terminal nor stop the work."""

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

import click

from dinogen.text.cleaning import is_visible


class _Unheard(FileIO):
    """A file that writing to never fails: if nobody can hear, the work goes on all the same."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def open_streams() -> None:
    """Make stdout and stderr what the command needs, whatever the shell made of them."""
    # Not so a console of Windows, which is written to by other means.
    binary = getattr(sys.stderr, "buffer", None)
    if type(getattr(binary, "raw", binary)) is FileIO:
        heard = BufferedWriter(_Unheard(sys.stderr.fileno(), "w", closefd=False))
        sys.stderr = TextIOWrapper(heard, line_buffering=True)
    # Where a shell has closed a stream, what would go there goes nowhere.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    # Names are UTF-8, in and out, whatever the locale says; paths go out as the bytes they are.
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def silence_stdout() -> None:
    """Let what is still to be flushed go nowhere, where it cannot go out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(message: str) -> None:
    """Say a line to whoever watches."""
    click.echo(printable(message), err=True)


def give_path(path: str) -> None:
    """Write a path to stdout: to a program as it is, to a terminal so that it can be shown."""
    # As it is: left to itself, click takes out what looks like colours.
    click.echo(printable(path) if sys.stdout.isatty() else path, color=True)


def printable(text: str) -> str:
    """Make a text one line that can be shown, whatever is in it."""
    return "".join(c if c.isprintable() and is_visible(c) else _escape(c) for c in text)


def _escape(symbol: str) -> str:
    return symbol.encode("unicode_escape", "surrogatepass").decode()
