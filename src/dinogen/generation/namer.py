"""All that is needed to make names, in one place: a model, its spelling, and what is known."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.bounds import check
from dinogen.generation.constraints import ANYTHING, Constraints, compile_constraints
from dinogen.generation.novelty import Novelty
from dinogen.generation.options import BOUNDS, Options
from dinogen.generation.sampling import Drawn, Stream, sample
from dinogen.models.language_model import LanguageModel
from dinogen.text.case import CaseRule, spell
from dinogen.text.cleaning import LONGEST_LINE
from dinogen.text.digests import digests
from dinogen.text.names import Names
from dinogen.text.vocabulary import Vocabulary
from dinogen.threads import alone


class Namer(NamedTuple):
    """Makes names.

    Attributes:
        model: what they are drawn from.
        vocabulary: what its indices stand for.
        case: how capitals are given back.
        known: (D,) sorted digests of the names that it learned from.
        longest: symbols in the longest of them.
    """

    model: LanguageModel
    vocabulary: Vocabulary
    case: CaseRule
    known: NDArray[np.uint64]
    longest: int

    def draw(
        self,
        n: int,
        seed: int,
        asked: Constraints = ANYTHING,
        *,
        skip: int = 0,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        allow_known: bool = False,
        allow_repeats: bool = False,
        exclude: Iterable[str] = (),
    ) -> Iterator[Drawn]:
        """Draw names, some at a time.

        Args:
            n: how many.
            seed: where all chance comes from.
            asked: what they must look like: they come from the model's distribution, given that.
            skip: the place in the stream of candidates to begin at.
            temperature: below 1 the likely is made likelier, above 1 the unlikely.
            top_k: only the k likeliest symbols may come next.
            top_p: only the likeliest symbols that make up this share may come next.
            allow_known: names that were learned from, too.
            allow_repeats: the same name again, too.
            exclude: names that are taken, read as those were that the model learned from.

        Raises:
            SettingError: for a number out of its range, or for what no name can look like.
            RanOutError: after the last name, if there are fewer than n.
        """
        check("n", n, BOUNDS)
        check("skip", skip, BOUNDS)
        for name in ("min_length", "max_length"):
            if (length := getattr(asked, name)) is not None:
                check(name, length, BOUNDS)
        automaton = compile_constraints(asked, self.vocabulary, self.case)
        options = Options(
            max_length=asked.max_length or self._bound(asked),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            inner=self.vocabulary.spaces,
        )
        course = None
        if automaton:
            from dinogen.generation.course import plot_course

            course = plot_course(self.model, automaton, options)
        taken = [self.known[:0] if allow_known else self.known, self._digests(exclude)]
        novelty = Novelty(np.concatenate(taken), repeats=allow_repeats)

        def passes(names: Names) -> NDArray[np.bool_]:
            # What is read back otherwise than it is written may not be new.
            composed = self.vocabulary.composed(names)  # (N,)
            if composed.all():
                return novelty.passes(names)
            composed[composed] = novelty.passes(names.keep(composed))
            return composed

        return alone(sample(Stream(self.model, seed, options, course), n, skip, passes))

    def spell(self, names: Names) -> list[str]:
        """Write names out, with the capitals that are given back."""
        return spell(names, self.vocabulary, self.case).split("\n")[:-1]

    def _digests(self, texts: Iterable[str]) -> NDArray[np.uint64]:
        text = self.case.apply("".join(f"{name}\n" for name in texts))
        return digests(self.vocabulary.encode(text))

    def _bound(self, asked: Constraints) -> int:
        """Count the symbols after which a name is ended that would go on and on."""
        texts = (asked.prefix, asked.suffix, asked.pattern, *asked.contains)
        written = sum(len(text) for text in texts if text)
        longest_asked = min(2 * max(asked.min_length or 0, written), int(BOUNDS["max_length"][1]))
        # No longer than a list may have them, unless more is asked for.
        return max(min(2 * self.longest, LONGEST_LINE), longest_asked)
