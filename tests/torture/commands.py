"""Runs the command many times in one process, and records what it must not do."""

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

from dinogen.cli import DONE, FAILED, WRONG_USAGE, run_command
from dinogen.data import is_visible
from tests.conftest import from_scratch

TIMEOUT = 60
"""Seconds after which a command counts as hanging."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.chown", "os.system", "os.exec", "os.fork", "subprocess.Popen"),
    *("pickle.find_class", "socket.connect", "socket.bind"),
)

_watched: list[str] | None = None
"""The forbidden operations so far, while a command runs."""


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _watched is None:
        return
    if event in _FORBIDDEN:
        _watched.append(f"{event} {args}")
    if event == "open" and isinstance(args[2], int) and args[2] & _WRITES:
        _watched.append(f"open {args[0]!r} to write")


sys.addaudithook(_watch)
sys.dont_write_bytecode = True


class TimedOut(BaseException):
    """A command took too long. No `except Exception` catches it."""


class Ended(NamedTuple):
    """The result of a command.

    Attributes:
        status: its exit status, or the exception that left it.
        stdout: its output.
        stderr: its messages.
        forbidden: the forbidden operations that it did.
    """

    status: int | BaseException
    stdout: str
    stderr: str
    forbidden: Sequence[str]

    def verdict(self, source: str) -> str:
        """Return "done", "refused" if it refused a source, or "otherwise", which is a defect."""
        # Joiners and variation selectors are kept where a script needs them.
        shown = all(
            map(is_visible, set(self.stdout + self.stderr) - set("\n\u200c\u200d\ufe0e\ufe0f"))
        )
        lines = self.stderr.splitlines()
        errors = [line for line in lines if line.startswith("dinogen: ")]
        if not shown or self.forbidden:
            return "otherwise"
        if self.status == DONE and not errors:
            return "done"
        if self.status == FAILED and errors == lines[-1:]:
            # The other failure is that too few names were found.
            return "refused" if errors[0].startswith(f"dinogen: {source}") else "done"
        # An unknown symbol in an option is wrong usage.
        return "done" if self.status == WRONG_USAGE and errors == lines[-1:] else "otherwise"


def run(*args: str, stdin: bytes = b"", may_write: bool = False) -> Ended:
    """Run the command as ``dinogen`` does.

    Args:
        args: its arguments; see `from_scratch`.
        stdin: its standard input.
        may_write: whether it may write files.
    """
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    status: int | BaseException
    with (
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        warnings.catch_warnings(),
        _timeout(),
        _watching() as forbidden,
    ):
        warnings.simplefilter("error")
        try:
            run_command(from_scratch(args))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else FAILED
        except BaseException as error:  # every exception is a defect
            status = error
    written = []
    for stream in (stdout, stderr):
        stream.flush()
        written.append(stream.buffer.getvalue().decode("utf-8", "surrogateescape"))
    return Ended(status, written[0], written[1], [] if may_write else forbidden)


def report(what: str, ended: Ended, data: bytes) -> None:
    """Print a defect, and keep the file that caused it."""
    with tempfile.NamedTemporaryFile(prefix="dinogen-find-", delete=False) as file:
        file.write(data)
    print(f"{what}: {ended}; see {file.name}", file=sys.stderr)


@contextmanager
def _watching() -> Iterator[list[str]]:
    global _watched
    forbidden: list[str] = []
    _watched = forbidden
    try:
        yield forbidden
    finally:
        _watched = None


@contextmanager
def _timeout() -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise TimedOut

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(TIMEOUT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
