"""Options and arguments that several commands share, and the choice of a checkpoint."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dinogen.bounds import Bounds, as_seed, check
from dinogen.bundled import BUNDLED as BUNDLED
from dinogen.cli.terminal import print_message
from dinogen.errors import DinogenError

if TYPE_CHECKING:
    from dinogen.model import Model

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

checkpoint_argument: Decorator = click.argument(
    "checkpoint", required=False, metavar="[CHECKPOINT]"
)


@contextmanager
def refused_as_usage(option: click.Parameter) -> Iterator[None]:
    """Turn the library's error about the value of an option into an error of the command line."""
    try:
        yield
    except DinogenError as error:
        raise click.BadParameter(str(error), param=option) from None


def number_option(
    flags: str, kind: type[int] | type[float], bounds: Bounds | Callable[[], Bounds], text: str
) -> Decorator:
    """Build an option for a number, with the bounds of the library.

    Args:
        flags: the flags, separated by spaces. click names the setting after the last one.
        kind: the type of the number.
        bounds: the bounds of each setting, by name; or a function that imports and returns them, so
            that ``--help`` does not import NumPy.
        text: the help.
    """

    def check_bounds(_ctx: click.Context, option: click.Parameter, value: float | None) -> Any:
        if value is not None:
            with refused_as_usage(option):
                check(str(option.name), value, bounds() if callable(bounds) else bounds)
        return value

    return click.option(*flags.split(), type=kind, metavar="N", callback=check_bounds, help=text)


# Random seeds.


def _as_seed(_ctx: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Convert a seed to a number."""
    with refused_as_usage(option):
        return None if value is None else as_seed(value)


seed_option: Decorator = click.option(
    "--seed",
    metavar="SEED",
    callback=_as_seed,
    help="Random seed: a whole number, or any text.  [default: a new one, printed on stderr]",
)


def print_seed(seed: int) -> None:
    """Print a new seed on stderr, so that the run can be repeated."""
    print_message(f"seed {seed} (to repeat this: --seed {seed})")


# Checkpoints.

DEFAULT_CHECKPOINT = "dinogen.npz"
CHECKPOINT_VARIABLE = "DINOGEN_CHECKPOINT"


def load_named(path: str | None, *, quiet: bool = False) -> "tuple[Model, Path]":
    """Load a model, and return it with the path of its checkpoint.

    Args:
        path: the path of the checkpoint. None for ``$DINOGEN_CHECKPOINT``, else ``./dinogen.npz``,
            else the bundled checkpoint.
        quiet: whether not to print that the bundled checkpoint is used.

    Raises:
        CheckpointError: for a file that cannot be read, or that is not a checkpoint.
    """
    from dinogen.model import load

    named = path or os.environ.get(CHECKPOINT_VARIABLE)
    if named:
        chosen = Path(named)
    elif Path(DEFAULT_CHECKPOINT).exists():
        chosen = Path(DEFAULT_CHECKPOINT)
    else:
        if not quiet:
            print_message(
                f"using the dinosaurs that come with dinogen (there is no ./{DEFAULT_CHECKPOINT})"
            )
        chosen = BUNDLED
    return load(chosen), chosen
