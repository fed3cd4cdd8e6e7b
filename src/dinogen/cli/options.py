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


def seed_or_fresh(seed: int | None, *, quiet: bool = False) -> int:
    """Take the seed that was given, or draw one and tell it, so that the run can be repeated."""
    if seed is not None:
        return seed
    from secrets import randbits

    seed = randbits(32)
    if not quiet:
        tell(f"seed {seed} (to repeat this: --seed {seed})")
    return seed
