"""Planning: how the names that satisfy some constraints are drawn. Plans are kept for later."""

from dataclasses import replace
from functools import lru_cache
from itertools import chain

from dinogen.data.case import CaseRule
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.constrained.automata import Automaton, accepted_lengths
from dinogen.generation.constrained.beginnings import find_beginnings
from dinogen.generation.constrained.constraints import compile_constraints, compile_prefix
from dinogen.generation.constrained.lookahead import Counts, count_grams, plan_lookahead
from dinogen.generation.decoding import Decoding
from dinogen.generation.options import BOUNDS, Options
from dinogen.generation.rules import NameRules
from dinogen.generation.stream import Plan
from dinogen.models.language_model import LanguageModel

MAX_PLANS = 8
"""The number of plans that are kept: at most 16 MiB each."""

MAX_COUNTS = 4
"""The number of temperatures and lengths for which counts of n-grams are kept."""


class Planner:
    """Plans how names are drawn from a model under constraints."""

    def __init__(
        self, model: LanguageModel, vocabulary: Vocabulary, case: CaseRule, rules: NameRules
    ) -> None:
        """Set up without any plan.

        Args:
            model: the model to sample.
            vocabulary: the symbols of the model.
            case: the case rule of the training names.
            rules: the rules for names without constraints.
        """
        self._model = model
        self._vocabulary = vocabulary
        self._case = case
        self._rules = rules
        self.plan = lru_cache(MAX_PLANS)(self._plan)
        self._count = lru_cache(MAX_COUNTS)(self._count_grams)

    def _plan(self, constraints: Options, decoding: Decoding) -> tuple[NameRules, Plan | None]:
        """Return the rules for names that satisfy constraints, and how to draw them.

        Args:
            constraints: the options of `dinogen.generation.options.CONSTRAINTS`. Others would only
                make a plan be computed again.
            decoding: how names are drawn.

        Returns:
            The rules, and the plan; None if the constraints allow every name.

        Raises:
            SettingError: for an unknown symbol, and if no name can satisfy the constraints.
        """
        vocabulary, case = self._vocabulary, self._case
        automaton = compile_constraints(constraints, vocabulary, case, self._rules.successors)
        rules = self._rules_for(constraints, automaton)
        if automaton is None:
            return rules, None
        prefix = compile_prefix(constraints, vocabulary, case)
        if prefix:
            beginnings = find_beginnings(self._model, prefix, decoding, rules)
            if beginnings:
                return rules, beginnings
        levels = self._count(decoding.without_truncation(), rules)
        return rules, plan_lookahead(levels, self._model.vocab_size, automaton, rules)

    def _count_grams(self, decoding: Decoding, rules: NameRules) -> Counts:
        """Count the n-grams of names, see `count_grams`."""
        return count_grams(self._model, decoding, rules)

    def _rules_for(self, constraints: Options, automaton: Automaton | None) -> NameRules:
        """Return the rules for names: lengths as in the list, unless constraints ask for others."""
        shortest, longest = self._rules.min_length, self._rules.max_length
        if automaton:
            lengths = accepted_lengths(automaton, self._vocabulary.continuing)
            first = next(lengths)
            for length in chain([first], lengths):
                if length >= shortest:
                    break
            else:
                shortest = length  # all accepted names are shorter
            if first >= longest:
                longest = min(2 * first, int(BOUNDS["max_length"][1]))
        if constraints.min_length is not None:
            shortest = 1  # the automaton has the minimum
        max_length = constraints.max_length or longest
        return replace(self._rules, min_length=shortest, max_length=max_length)
