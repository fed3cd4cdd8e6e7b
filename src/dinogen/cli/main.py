"""The command ``dinogen``: its group of commands, its error messages and its exit status."""

import gc
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from dinogen.cli.terminal import (
    DONE,
    FAILED,
    INTERRUPTED,
    WRONG_USAGE,
    configure_streams,
    discard_stdout,
    print_message,
)
from dinogen.errors import DinogenError, SettingError, os_reason
from dinogen.threads import limit_process_to_one_thread
from dinogen.version import __version__

_GARBAGE = 100_000
"""The number of new objects after which Python searches for garbage: more than imports make."""


class _Group(click.Group):
    """A group that imports a command only when it is needed."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands:
            return None
        command: click.Command = getattr(import_module(f"dinogen.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if not Path(args[0]).is_file():
                raise
            train = shlex.join(["dinogen", "train", args[0]])
            raise click.UsageError(
                f"{error.format_message()} To learn from this file: {train}", ctx
            ) from None

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _ignore_broken_pipe():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _ignore_broken_pipe():
            return super().invoke(ctx)


@contextmanager
def _ignore_broken_pipe() -> Iterator[None]:
    """End the command without an error if the reader of stdout has closed the pipe."""
    try:
        try:
            yield
        except click.exceptions.Exit:
            sys.stdout.flush()
            raise
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
        raise click.exceptions.Exit(DONE) from None


@click.group(
    cls=_Group,
    commands={name: click.Command(name) for name in ("inspect", "sample", "train")},
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Results go to stdout, messages to stderr. For more: dinogen COMMAND --help",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Learn from any list of names, and write new names that look as if they belonged to it.

    Running text is learned and continued, too.

    \b
    Examples:
      dinogen sample --n 7       write seven new dinosaur names, with the bundled model
      dinogen train names.txt    train a model on your list, one name per line
      dinogen sample --n 7       write seven new names like those of your list
      dinogen inspect            show the model and how it was trained
      dinogen train --text poems.txt -o poems.npz       learn running text instead
      dinogen sample poems.npz --prefix "hello"         continue a beginning
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run_command(args: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with its status. An error is one line on stderr.

    The status is 0 for success, 1 for a failure, 2 for a wrong command line, and 130 if the command
    was interrupted.

    Args:
        args: the arguments; None for those of the process.
    """
    # Searches for garbage while modules are imported, and at the end of the process, would find
    # none, and take a tenth of the time of a short command.
    gc.set_threshold(_GARBAGE)
    limit_process_to_one_thread()
    configure_streams()
    status = _run(args)
    try:
        sys.stdout.flush()
    except OSError:
        discard_stdout()
    gc.freeze()
    sys.exit(status)


def _run(args: Sequence[str] | None) -> int:
    """Run a command line, print its error if it fails, and return the exit status."""
    try:
        status = group.main(args, prog_name="dinogen", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else _command_of(args)
        message = error.format_message().rstrip(".")
        see = " See" if message.endswith("?") else "; see"
        return _fail(f"{message}{see} {command} --help", WRONG_USAGE)
    except SettingError as error:
        return _fail(str(error), WRONG_USAGE)
    except DinogenError as error:
        return _fail(str(error), FAILED)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    except MemoryError:
        return _fail("out of memory; use a shorter list, a smaller model or fewer names", FAILED)
    except OSError as error:
        discard_stdout()
        where = error.filename or "standard output"
        return _fail(f"{where}: {os_reason(error)}", FAILED)
    return status if isinstance(status, int) else DONE


def _command_of(args: Sequence[str] | None) -> str:
    """Return the command that a command line begins with, for errors without a click context."""
    first = (sys.argv[1:] if args is None else args)[:1]
    return " ".join(["dinogen", *(name for name in first if name in group.commands)])


def _fail(message: str, status: int) -> int:
    """Print an error message, and return the exit status."""
    print_message(f"dinogen: {message}")
    return status
