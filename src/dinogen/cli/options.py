"""Options and arguments that more than one command has."""

from collections.abc import Callable
from typing import Any

import click

from dinogen.bounds import SEED, Bounds, check
from dinogen.cli.telling import tell
from dinogen.errors import SettingError

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

checkpoint_argument: Decorator = click.argument(
    "checkpoint", required=False, metavar="[CHECKPOINT]"
)


def number(flags: str, kind: type[int] | type[float], bounds: Bounds, text: str) -> Decorator:
    """Build an option for a number whose bounds are the library's own.

    The setting is named by the last of the flags, as click reads them.
    """

    def within_bounds(_ctx: click.Context, option: click.Parameter, value: float | None) -> Any:
        try:
            if value is not None:
                check(str(option.name), value, bounds)
        except SettingError as error:
            raise click.BadParameter(str(error), param=option) from None
        return value

    return click.option(*flags.split(), type=kind, metavar="N", callback=within_bounds, help=text)


seed_option: Decorator = number(
    "--seed",
    int,
    {"seed": SEED},
    "Where all chance comes from.  [default: a fresh one, told on stderr]",
)


def fresh_seed() -> int:
    """Draw a seed where none was given."""
    from secrets import randbits

    return randbits(32)


def tell_seed(seed: int) -> None:
    """Tell a seed that was not given, so that the run can be repeated."""
    tell(f"seed {seed} (to repeat this: --seed {seed})")
