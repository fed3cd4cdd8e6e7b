"""The command line, and the one place that turns errors into lines."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import click

from dinogen.cli.statuses import DONE, FAILED, INTERRUPTED, WRONG_USAGE
from dinogen.cli.telling import open_streams, silence_stdout, tell
from dinogen.errors import DinogenError, SettingError
from dinogen.threads import limit_for_good
from dinogen.version import __version__


class _Group(click.Group):
    """The commands, each imported when it is asked for."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands:
            return None
        command: click.Command = getattr(import_module(f"dinogen.cli.{cmd_name}"), cmd_name)
        return command

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _reader_may_leave():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _reader_may_leave():
            return super().invoke(ctx)


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    """End quietly when the reader of a pipe has what it wanted."""
    try:
        try:
            yield
        except click.exceptions.Exit:
            sys.stdout.flush()
            raise
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        raise click.exceptions.Exit(DONE) from None


@click.group(
    cls=_Group,
    commands={name: click.Command(name) for name in ("inspect", "sample", "train")},
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Names go to stdout, everything else to stderr. See: dinogen COMMAND --help",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Learn from any list of names and write new ones that look as if they belonged to it.

    \b
    Examples:
      dinogen sample --n 7                  seven new dinosaurs, straight after installation
      dinogen train names.txt               learn from a list, one name a line
      dinogen sample --n 7                  seven new names like those of the list
      dinogen inspect                       what the model is and how it was trained
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status.

    0 done; 1 the work failed; 2 the command line is wrong; 130 interrupted. Whatever went wrong is
    one line on stderr.
    """
    limit_for_good()
    open_streams()
    status = _run(args)
    try:
        sys.stdout.flush()
    except OSError:
        silence_stdout()
    sys.exit(status)


def _run(args: Sequence[str] | None) -> int:
    try:
        status = group.main(args, prog_name="dinogen", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "dinogen"
        return _say(f"{error.format_message().rstrip('.')}; see {command} --help", WRONG_USAGE)
    except SettingError as error:
        return _say(str(error), WRONG_USAGE)
    except DinogenError as error:
        return _say(str(error), FAILED)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except MemoryError:
        return _say("more memory is needed than there is; take less of all at a time", FAILED)
    except OSError as error:
        silence_stdout()
        where = error.filename or "standard output"
        return _say(f"{where}: {(error.strerror or str(error)).lower()}", FAILED)
    return status if isinstance(status, int) else DONE


def _say(message: str, status: int) -> int:
    tell(f"dinogen: {message}")
    return status
