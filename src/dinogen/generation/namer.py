"""The namer: draws new names from a model and spells them."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from dinogen.bounds import check
from dinogen.data.case import CaseRule, spell
from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.sequences import Names, digest
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.constrained.constraints import compile_constraints
from dinogen.generation.constrained.lookahead import plan_lookahead
from dinogen.generation.decoding import BOUNDS, DEFAULT_OPTIONS, NameRules, Options
from dinogen.generation.novelty import Novelty
from dinogen.generation.stream import Drawn, NameStream, draw_names
from dinogen.models.language_model import LanguageModel
from dinogen.threads import with_one_thread


class Namer:
    """Draws names from a model.

    Attributes:
        model: the model to sample.
        vocabulary: the symbols of the model.
        case: the rule for capitals.
        known: (D,) sorted digests of the training names.
        longest: the number of symbols of the longest training name.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        case: CaseRule,
        known: NDArray[np.uint64],
        longest: int,
    ) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.case = case
        self.known = known
        self.longest = longest

    def draw(
        self, n: int, seed: int, options: Options = DEFAULT_OPTIONS, *, skip: int = 0
    ) -> Iterator[Drawn]:
        """Draw names, and yield them in parts.

        Constrained names come from the model's distribution, conditioned on the constraints.

        Args:
            n: how many names.
            seed: the random seed.
            options: the sampling options.
            skip: how many candidates to skip at the start of the stream.

        Raises:
            SettingError: if a number is out of range, or if no name can satisfy the constraints.
            RanOutError: after the last name, if fewer than n were found.
        """
        check("n", n, BOUNDS)
        check("seed", seed, BOUNDS)
        check("skip", skip, BOUNDS)
        automaton = compile_constraints(options, self.vocabulary, self.case)
        rules = NameRules(options.max_length or self._max_length(options), self.vocabulary.spaces)
        plan = plan_lookahead(self.model, automaton, options, rules) if automaton else None
        known = self.known[:0] if options.allow_known else self.known
        excluded = np.concatenate([known, self._digests(options.exclude)])
        novelty = Novelty(excluded, allow_repeats=options.allow_repeats)

        def find_new(names: Names) -> NDArray[np.bool_]:
            # Names that are not in NFC would change when a list of them is read, and might not be
            # new then, so they are dropped.
            composed = self.vocabulary.composed(names)  # (N,)
            if composed.all():
                return novelty.find_new(names)
            new = composed.copy()  # (N,)
            new[composed] = novelty.find_new(names.filter(composed))
            return new

        stream = NameStream(self.model, seed, options, rules, plan)
        return with_one_thread(draw_names(stream, n, skip, find_new))

    def spell(self, names: Names) -> list[str]:
        """Convert names to text, with capitals by the rule of the training names."""
        return spell(names, self.vocabulary, self.case).split("\n")[:-1]

    def _digests(self, texts: Iterable[str]) -> NDArray[np.uint64]:
        """(N,) digests of names, folded to the case of the training names."""
        text = self.case.fold_part("".join(f"{name}\n" for name in texts))
        return digest(self.vocabulary.encode(text))

    def _max_length(self, options: Options) -> int:
        """Return the maximum length of a name if the options do not set it."""
        texts = (options.prefix, options.suffix, options.pattern, *options.contains)
        written = sum(len(text) for text in texts if text)
        required = min(2 * max(options.min_length or 0, written), int(BOUNDS["max_length"][1]))
        # A list cannot hold a longer name than MAX_NAME_LENGTH, so only constraints allow one.
        return max(min(2 * self.longest, MAX_NAME_LENGTH), required)
