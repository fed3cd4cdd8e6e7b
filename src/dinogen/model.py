"""A trained model, as users of the library see it: load, sample, save."""

from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.checkpoint.reading import load_checkpoint
from dinogen.checkpoint.writing import save
from dinogen.errors import SettingError
from dinogen.generation.namer import Namer
from dinogen.generation.options import Options


class Model:
    """A trained model that writes names.

    Attributes:
        checkpoint: the data of the model: members, vocabulary, statistics and history.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint

    @cached_property
    def namer(self) -> Namer:
        """The namer of the model, which draws names as indices and spells them."""
        data = self.checkpoint
        return Namer(
            data.mixture,
            data.vocabulary,
            data.case,
            data.known,
            data.corpus,
            data.decoding,
            data.pairs,
        )

    def sample(
        self, n: int = 10, seed: int | str = 0, *, skip: int = 0, **options: Any
    ) -> list[str]:
        """Draw names, as ``dinogen sample`` prints them.

        Args:
            n: how many names.
            seed: the random seed, a number or a text. The same seed and options give the same names
                for any n.
            skip: how many candidates to skip at the start of the stream.
            options: attributes of `dinogen.generation.Options`, such as temperature and
                prefix.

        Raises:
            SettingError: for an unknown option, a number out of range, and constraints that no name
                can satisfy.
            RanOutError: if fewer than n names were found.
        """
        for unknown in options.keys() - {field.name for field in fields(Options)}:
            raise SettingError(f"{unknown} is not a sampling option")
        drawn = self.namer.draw(n, seed, Options(**options), skip=skip)
        return [name for block in drawn for name in self.namer.spell(block.names)]

    def save(self, path: str | Path) -> None:
        """Write the model to a checkpoint file.

        Raises:
            CheckpointError: if it cannot be written. A file at the path is then unchanged.
        """
        save(self.checkpoint, path)


def load(path: str | Path) -> Model:
    """Load a model from a checkpoint file.

    Raises:
        CheckpointError: for a file that cannot be read, or that is not a checkpoint.
    """
    return Model(load_checkpoint(path))
