"""``python -m tests.bench.capitals LIST...``: how well the case of held-out names is restored."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from dinogen.data import CaseRule, Vocabulary, merge_variants, read_clean_text, spell

SPLITS = 5
HELD_OUT = 0.1


def restore(names: list[str], held_out: list[str]) -> tuple[list[str], CaseRule]:
    """Learn the rule of some names, fold other names by it, and write them again."""
    case, _ = CaseRule.learn(as_text(names))
    # A vocabulary with the symbols of all names: unknown symbols cannot be written.
    vocabulary = Vocabulary.of(CaseRule.learn(as_text(names + held_out))[1])
    folded = vocabulary.encode(case.fold(as_text(held_out), vocabulary))
    return spell(folded, vocabulary, case).split("\n")[:-1], case


def as_text(names: list[str]) -> str:
    """Write names as a text with one name per line."""
    return "".join(f"{name}\n" for name in names)


def measure(names: list[str], seeds: range) -> tuple[list[float], list[int], Counter[str]]:
    """Measure one list.

    Args:
        names: the distinct names.
        seeds: a seed for each split.

    Returns:
        For each split, the share of held-out names that are restored exactly and the number of
        nodes of the rule; and the errors.
    """
    shares, sizes = [], []
    errors: Counter[str] = Counter()
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(names)).tolist()
        held_out = [names[i] for i in order[: int(HELD_OUT * len(names))]]
        found, case = restore([names[i] for i in order[len(held_out) :]], held_out)
        wrong = [f"{a} -> {b}" for a, b in zip(held_out, found, strict=True) if a != b]
        shares.append(1 - len(wrong) / len(held_out))
        sizes.append(len(case.shapes))
        errors.update(wrong)
    return shares, sizes, errors


def main() -> None:
    """Measure lists, and print one line for each and its most frequent errors."""
    for path in map(Path, sys.argv[1:]):
        text = merge_variants("".join(read_clean_text(path)))
        names = [*dict.fromkeys(text.split("\n")[:-1])]
        shares, sizes, errors = measure(names, range(SPLITS))
        common = "; ".join(f"{error} ({n})" for error, n in errors.most_common(4))
        print(
            f"{path.stem}: {len(names):,} names, restored {np.mean(shares):.2%} "
            f"(least {min(shares):.2%}), {np.mean(sizes):.0f} nodes; {common or 'no errors'}"
        )


if __name__ == "__main__":
    main()
