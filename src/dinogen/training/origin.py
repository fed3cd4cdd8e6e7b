"""The origin of a training: a trained network from which it starts."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.checkpoint import NETWORK, Lineage
from dinogen.checkpoint.reading import load_checkpoint
from dinogen.data.bloom import BloomFilter
from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.corpus import Corpus
from dinogen.data.known import OriginNames
from dinogen.data.sequences import END
from dinogen.data.statistics import CorpusStats
from dinogen.data.visibility import is_printable
from dinogen.data.vocabulary import Vocabulary
from dinogen.errors import CheckpointError
from dinogen.models.network.network import Network
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread
from dinogen.training.selection import Selection
from dinogen.training.settings import BASE, MAX_NAMES, NO_ORIGIN, TAUGHT, TUNED, Settings
from dinogen.training.trainer import Trainer

BUNDLED_BASE = Path(__file__).parents[1] / "pretrained" / "base.npz"

MIN_SHARE = 0.9
"""The minimum share of the symbols of a list that the base must know, to be used by default."""

MIN_GAIN = 0.04
"""The minimum gain in a trial, in nats per symbol, for the base to be used by default."""

TRIAL_NAMES, TRIAL_EPOCHS = 300, 4
"""The maximum number of names that are learned in a trial, and the epochs."""

_SYMBOL_AXES = {"Wax": -2, "Wya": -1, "by": -1}
"""The axis of the symbols in each array that has one."""


def load_origin(name: str) -> "Origin":
    """Load an origin.

    Args:
        name: `BASE`, or the path of a checkpoint.

    Raises:
        CheckpointError: for a file that cannot be read, that is not a checkpoint, or that has no
            network; and for a path that a checkpoint cannot record.
    """
    if len(name) > MAX_NAME_LENGTH or not all(map(is_printable, name)):
        raise CheckpointError(
            f"{name}: too long or with invisible symbols, so it cannot be recorded; start from a "
            f"copy with a path of at most {MAX_NAME_LENGTH} visible symbols"
        )
    checkpoint = load_checkpoint(BUNDLED_BASE if name == BASE else name)
    network = checkpoint.mixture.members.get(NETWORK)
    if not isinstance(network, Network):
        raise CheckpointError(f"{name}: has no network to start from; name another checkpoint")
    return Origin(name, network, checkpoint.vocabulary, checkpoint.known)


class Origin(NamedTuple):
    """A trained network from which training starts.

    Attributes:
        name: `BASE`, or the path of the checkpoint.
        network: the network; it is not changed.
        vocabulary: its symbols.
        known: (D,) sorted digests of the names that it learned from.
    """

    name: str
    network: Network
    vocabulary: Vocabulary
    known: NDArray[np.uint64]

    @property
    def digest(self) -> str:
        """The SHA-256 of the symbols and the parameters, in hexadecimal."""
        text = "\n".join([*map(str, self.network.config), *self.vocabulary.symbols])
        parameters = self.network.parameters.vector.astype("<f4")
        return sha256(text.encode() + parameters.tobytes()).hexdigest()

    def helps(self, corpus: Corpus, seed: int) -> bool:
        """Tell whether it is better to start from this network than from scratch.

        The list must be short, and the network must know nearly all symbols in it. And in a trial,
        it must predict names that it has not seen much better than n-grams do.

        Args:
            corpus: the list.
            seed: the random seed of the trial.
        """
        if self.vocabulary.unit is not corpus.vocabulary.unit or corpus.stats.names > MAX_NAMES:
            return False
        _, known = common_symbols(self.vocabulary, corpus.vocabulary)
        if np.isin(corpus.names.symbols, known).mean() < MIN_SHARE:
            return False
        return self.trial(corpus, seed) >= MIN_GAIN

    @one_thread()
    def trial(self, corpus: Corpus, seed: int) -> float:
        """Learn some names of a list, and return by how much that helps to predict some others.

        Args:
            corpus: the list.
            seed: the random seed of the choice of names, and of the training.

        Returns:
            The loss of n-grams on the other names, minus that of their mixture with the network, in
            nats per symbol. Both have learned the same names.
        """
        names = corpus.names
        place = random_stream(seed, Purpose.TRIAL).permutation(len(names))  # (N,)
        others = min(TRIAL_NAMES // 3, len(names) // 4)
        if not others:
            return 0.0  # there are too few names for a trial
        test = names.filter(place < others)
        training = names.filter((place >= others) & (place < others + TRIAL_NAMES))
        batches = -(-len(training) // Settings.batch_size)
        settings = self.settings(corpus.stats, seed, steps=TRIAL_EPOCHS * batches)
        network = self.start(corpus.vocabulary, seed)
        trainer = Trainer(network, test, settings, held_out=True)
        trainer.learn_from(training)
        for _ in trainer.updates():
            pass
        selection = Selection(training, test, training, len(corpus.vocabulary), None)
        alone, mixed = selection.select({}), selection.select({NETWORK: trainer.best_network})
        assert alone.held_out is not None
        assert mixed.held_out is not None
        return alone.held_out.nats_per_symbol - mixed.held_out.nats_per_symbol

    def network_settings(self, given: Mapping[str, object]) -> dict[str, str | int]:
        """Return the settings of a network that starts from this one: how it starts, and its size.

        A network of the same cell and layers is tuned, and has the hidden units of this one unless
        others are given. Any other network is taught.

        Args:
            given: the settings that a user has chosen, by name; those that are None are not.
        """
        config = self.network.config
        wanted = (
            given.get("cell") or Settings.cell,
            given.get("layers") or Settings.layers,
            given.get("hidden_size") or config.hidden_size,
        )
        if wanted == (config.cell, config.layers, config.hidden_size):
            return {"start": TUNED, "hidden_size": config.hidden_size}
        return {"start": TAUGHT}

    def lineage(self, vocabulary: Vocabulary) -> Lineage:
        """Return the record of a training that starts from the network, for a vocabulary."""
        config = self.network.config
        known, _ = common_symbols(self.vocabulary, vocabulary)
        return Lineage(
            self.name, self.digest, config.cell, config.layers, config.hidden_size, len(known) - 1
        )

    def settings(
        self,
        stats: CorpusStats,
        seed: int,
        *,
        holdout: float | None = None,
        steps: int | None = None,
    ) -> Settings:
        """Return the settings with which the network is tuned to a list.

        Args:
            stats: the statistics of the list.
            seed: the random seed.
            holdout: the share of the names that is held out; None for the default.
            steps: the number of updates; None for the default.
        """
        config = self.network.config
        return Settings.for_corpus(
            stats,
            seed=seed,
            start=TUNED,
            cell=config.cell,
            layers=config.layers,
            hidden_size=config.hidden_size,
            holdout=holdout,
            steps=steps,
        )

    def start(self, vocabulary: Vocabulary, seed: int) -> Network:
        """Return a network of the same kind and size for another vocabulary.

        Symbols in common keep their weights. The weights of new symbols are drawn. Those of symbols
        that the new vocabulary does not have are left out. All other weights are kept.

        Args:
            vocabulary: the vocabulary of the new network.
            seed: the random seed of the weights of new symbols.
        """
        result = Network(self.network.config._replace(vocab_size=len(vocabulary)))
        result.initialise(random_stream(seed, Purpose.INITIALISE))
        old, new = common_symbols(self.vocabulary, vocabulary)
        for name, array in self.network.parameters.items():
            if name in _SYMBOL_AXES:
                axis = _SYMBOL_AXES[name]
                # The symbols become the first axis of both views.
                target = np.moveaxis(result.parameters[name], axis, 0)
                target[new] = np.moveaxis(array, axis, 0)[old]
            else:
                result.parameters[name][...] = array
        return result

    def names(self, vocabulary: Vocabulary) -> OriginNames:
        """Return the names that the network learned from, to be looked up in another vocabulary."""
        unknown = self.vocabulary.unknown
        read = np.full(len(vocabulary) + 1, unknown, dtype=np.uint32)  # (V + 1,)
        old, new = common_symbols(self.vocabulary, vocabulary)
        read[new] = old
        return OriginNames(BloomFilter.of(self.known), read)


def common_symbols(one: Vocabulary, other: Vocabulary) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(K,) the indices of the symbols in common, in each of two vocabularies; the end is first."""
    index = {symbol: i for i, symbol in enumerate(other.symbols, start=1)}
    pairs = [(END, END)] + [
        (i, index[symbol]) for i, symbol in enumerate(one.symbols, start=1) if symbol in index
    ]
    first, second = np.array(pairs, dtype=np.intp).T
    return first, second


def choose_origin(name: str | None, corpus: Corpus, seed: int) -> Origin | None:
    """Choose what the training on a list starts from.

    Args:
        name: `BASE`, `NO_ORIGIN`, or the path of a checkpoint; None for the base if it helps.
        corpus: the list.
        seed: the random seed of the trial of the base.

    Returns:
        The origin; None to start from scratch.

    Raises:
        CheckpointError: see `load_origin`; and for an origin that learned other units.
    """
    if name == NO_ORIGIN:
        return None
    if name is None and corpus.stats.names > MAX_NAMES:
        return None  # without loading the base
    origin = load_origin(name or BASE)
    if name is None:
        return origin if origin.helps(corpus, seed) else None
    if origin.vocabulary.unit is not corpus.vocabulary.unit:
        raise CheckpointError(
            f"{name}: has learned {origin.vocabulary.unit.noun}s, and the list is learned as "
            f"{corpus.vocabulary.unit.noun}s; start from another checkpoint, or change --unit"
        )
    return origin
