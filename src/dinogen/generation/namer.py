"""The namer: draws new names from a model and spells them."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from dinogen.bounds import as_seed, check
from dinogen.data.case import CaseRule
from dinogen.data.known import KnownNames
from dinogen.data.sequences import Names, digest
from dinogen.data.spelling import spell
from dinogen.data.visibility import has_stray, keeps_joiners
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.decoding import Decoding
from dinogen.generation.novelty import Novelty
from dinogen.generation.options import BOUNDS, CONSTRAINTS, DEFAULT_OPTIONS, Options
from dinogen.generation.rules import NameRules
from dinogen.generation.stream import Drawn, NameFilter, NameStream, draw_names
from dinogen.models.language_model import LanguageModel

if TYPE_CHECKING:
    from dinogen.generation.constrained.planning import Planner


class Namer:
    """Draws names from a model.

    Attributes:
        model: the model to sample.
        vocabulary: the symbols of the model.
        case: the rule for capitals.
        known: the training names.
        rules: the rules for names that are as long and as well-formed as those.
        default: how names are drawn if no option says so.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        case: CaseRule,
        known: KnownNames,
        rules: NameRules,
        default: Decoding,
    ) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.case = case
        self.known = known
        self.rules = rules
        self.default = default

    def draw(
        self, n: int | None, seed: int | str, options: Options = DEFAULT_OPTIONS, *, skip: int = 0
    ) -> Iterator[Drawn]:
        """Draw names, and yield them in parts.

        Constrained names come from the model's distribution, conditioned on the constraints.

        Args:
            n: how many names; None for all that can be found.
            seed: the random seed: a number, or a text (see `dinogen.bounds.as_seed`).
            options: the sampling options.
            skip: how many candidates to skip at the start of the stream.

        Raises:
            SettingError: if a number is out of range, or if no name can satisfy the constraints.
            RanOutError: after the last name, if fewer than n were found.
        """
        if n is not None:
            check("n", n, BOUNDS)
        number = as_seed(seed)
        check("skip", skip, BOUNDS)
        decoding = options.decoding(self.default)
        rules, plan = self.rules, None
        constraints = Options(**{name: getattr(options, name) for name in CONSTRAINTS})
        if constraints != DEFAULT_OPTIONS:
            rules, plan = self._planner.plan(constraints, decoding)
        known = KnownNames() if options.allow_known else self.known
        novelty = Novelty(
            self._digests(options.exclude),
            allow_repeats=options.allow_repeats,
            filters=self._filters(options),
        )
        stream = NameStream(self.model, number, decoding, rules, plan, known)
        return draw_names(stream, n, skip, novelty.find_new)

    def spell(self, names: Names) -> list[str]:
        """Convert names to text, with capitals by the rule of the training names."""
        return spell(names, self.vocabulary, self.case).split("\n")[:-1]

    def _digests(self, texts: Iterable[str]) -> NDArray[np.uint64]:
        """(N,) digests of names, folded to the case of the training names."""
        text = normalize("NFC", "".join(f"{name}\n" for name in texts))
        return digest(self.vocabulary.encode(self.case.fold(text, self.vocabulary)))

    def _filters(self, options: Options) -> list[NameFilter]:
        """Return what a new name must pass, the fastest first."""
        # Names that are not in NFC would change when a list of them is read, and might not be new
        # then, so they are dropped.
        filters: list[NameFilter] = [self.vocabulary.composed]
        if any(map(keeps_joiners, self.vocabulary.symbols)):
            filters.append(self._can_be_read)
        if options.avoid:
            from dinogen.generation.constrained.constraints import compile_avoided

            avoided = compile_avoided(options.avoid, self.vocabulary, self.case)
            if avoided:
                filters.append(avoided)
        if options.min_distance == 2:  # with 1, only the training names themselves are excluded
            filters.append(lambda names: ~self.known.near(names))
        return filters

    def _can_be_read(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names with joiners only where a list may have them."""
        return np.array([not has_stray(name) for name in self.spell(names)], dtype=np.bool_)

    def __getstate__(self) -> dict[str, object]:
        """Return what is pickled: everything but the plans, which are made again."""
        return {name: value for name, value in vars(self).items() if name != "_planner"}

    @cached_property
    def _planner(self) -> "Planner":
        """Plans how constrained names are drawn."""
        from dinogen.generation.constrained.planning import Planner

        return Planner(self.model, self.vocabulary, self.case, self.rules)
