"""The command, run many thousand times in one process, and what it may and may not do."""

import io
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, NamedTuple
from unittest import mock

from dinogen.cli import main
from dinogen.cli.statuses import DONE, FAILED, WRONG_USAGE
from dinogen.text.cleaning import is_visible

PATIENCE = 60
"""Seconds after which a command is taken to hang."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEEDS = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.chown", "os.system", "os.exec", "os.fork", "subprocess.Popen"),
    *("pickle.find_class", "socket.connect", "socket.bind"),
)

_watched: list[str] | None = None
"""What was done that should not be, while somebody watches."""


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _watched is None:
        return
    if event in _DEEDS:
        _watched.append(f"{event} {args}")
    if event == "open" and isinstance(args[2], int) and args[2] & _WRITES:
        _watched.append(f"open {args[0]!r} to write")


sys.addaudithook(_watch)
sys.dont_write_bytecode = True


class Hangs(BaseException):
    """Patience is at an end. No `except Exception` stops it."""


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        status: its exit status, or what came out of it instead.
        stdout: all it wrote there.
        stderr: likewise.
        deeds: what it did besides that it should not.
    """

    status: int | BaseException
    stdout: str
    stderr: str
    deeds: Sequence[str]

    def verdict(self, source: str) -> str:
        """Tell whether it was "done", or a source "refused"; "otherwise" must never happen."""
        shown = all(map(is_visible, set(self.stdout + self.stderr) - {"\n"}))
        lines = self.stderr.splitlines()
        said = [line for line in lines if line.startswith("dinogen: ")]
        if not shown or self.deeds:
            return "otherwise"
        if self.status == DONE and not said:
            return "done"
        if self.status == FAILED and said == lines[-1:]:
            # Or else names that are asked for ran out.
            return "refused" if said[0].startswith(f"dinogen: {source}") else "done"
        # A symbol that was never seen cannot be asked for.
        return "done" if self.status == WRONG_USAGE and said == lines[-1:] else "otherwise"


def run(*args: str, stdin: bytes = b"", may_write: bool = False) -> Ended:
    """Run the command on these arguments, as ``dinogen`` does."""
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    status: int | BaseException
    with (
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        warnings.catch_warnings(),
        _patience(),
        _watching() as deeds,
    ):
        warnings.simplefilter("error")
        try:
            main(args)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else FAILED
        except BaseException as error:  # whatever it is, it is a find
            status = error
    told = []
    for stream in (stdout, stderr):
        stream.flush()
        told.append(stream.buffer.getvalue().decode("utf-8", "surrogateescape"))
    return Ended(status, told[0], told[1], [] if may_write else deeds)


def report(what: str, ended: Ended, data: bytes) -> None:
    """Tell of a find, and keep what led to it."""
    with tempfile.NamedTemporaryFile(prefix="dinogen-find-", delete=False) as file:
        file.write(data)
    print(f"{what}: {ended}; see {file.name}", file=sys.stderr)


@contextmanager
def _watching() -> Iterator[list[str]]:
    global _watched
    deeds: list[str] = []
    _watched = deeds
    try:
        yield deeds
    finally:
        _watched = None


@contextmanager
def _patience() -> Iterator[None]:
    def lose(_number: int, _frame: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, lose)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
