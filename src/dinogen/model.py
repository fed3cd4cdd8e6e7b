"""A trained model, as users of the library see it: load, sample, save."""

from functools import cached_property
from pathlib import Path
from typing import Any

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.checkpoint.reading import load_checkpoint
from dinogen.checkpoint.writing import save
from dinogen.generation.decoding import Options
from dinogen.generation.namer import Namer


class Model:
    """A trained model that writes names.

    Attributes:
        checkpoint: its data: members, vocabulary, statistics, history.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint

    @cached_property
    def namer(self) -> Namer:
        """What draws names, in blocks of indices."""
        data = self.checkpoint
        return Namer(data.model, data.vocabulary, data.case, data.known, data.corpus.longest)

    def sample(self, n: int = 10, seed: int = 0, *, skip: int = 0, **options: Any) -> list[str]:
        """Write names: what ``dinogen sample`` prints.

        Args:
            n: how many.
            seed: the random seed. The same seed and options give the same names for any n.
            skip: the first place in the stream of candidates.
            options: the attributes of `dinogen.generation.decoding.Options`: temperature, prefix,
                suffix and so on.

        Raises:
            SettingError: for a number out of range, and for constraints that no name can fulfil.
            RanOutError: if there are fewer than n such names.
        """
        drawn = self.namer.draw(n, seed, Options(**options), skip=skip)
        return [name for block in drawn for name in self.namer.spell(block.names)]

    def save(self, path: str | Path) -> None:
        """Write the model to a checkpoint file.

        Raises:
            CheckpointError: if it cannot be written; a file that was there before is untouched.
        """
        save(self.checkpoint, path)


def load(path: str | Path) -> Model:
    """Load a model from a checkpoint file.

    Raises:
        CheckpointError: for a file that cannot be read, or that is not a checkpoint.
    """
    return Model(load_checkpoint(path))
