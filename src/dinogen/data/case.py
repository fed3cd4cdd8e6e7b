"""Case rules: names are folded to small letters for training, and capitals are restored."""

import re
import unicodedata
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from dinogen.data.capitals import learn_capitals
from dinogen.data.letters import (
    APOSTROPHES,
    SPACES,
    is_letter,
    script_of,
    scripts_with_case,
    small_of,
    symbol_class,
)
from dinogen.data.shapes import WordShape
from dinogen.data.units import WORD
from dinogen.data.vocabulary import Vocabulary


class CaseRule(NamedTuple):
    """How the case of names is folded, and which capitals are restored.

    Attributes:
        folds: whether names are trained on in small letters.
        capital_after: symbols after which a word usually begins with a capital; a newline stands
            for the start of a name.
        shapes: the words and the beginnings of words that are written otherwise.
    """

    folds: bool
    capital_after: frozenset[str] = frozenset()
    shapes: tuple[WordShape, ...] = ()

    @classmethod
    def unchanged(cls) -> "CaseRule":
        """Build the rule that changes nothing."""
        return cls(folds=False)

    @classmethod
    def learn(cls, text: str) -> tuple["CaseRule", str]:
        """Learn the rule of a list, and fold the list.

        A capital is folded if it can be restored from its small letter, and if the list writes its
        script in both cases. The rule restores the case that the list shows.

        Args:
            text: a list with one name per line, in NFC.

        Returns:
            The rule, and the folded list. Every symbol is still one symbol.
        """
        scripts = scripts_with_case(set(text))
        table = {
            symbol: small
            for symbol in set(text)
            if (small := small_of(symbol)) and script_of(symbol) in scripts
        }
        fold = partial(_replace, table=table, final_sigma="Σ" in table)
        return cls(True, *learn_capitals(text, fold)), fold(text)

    def key(self, symbol: str) -> str:
        """Return a text that two symbols share if they are the same for constraints.

        Apostrophes are the same, and so are plain and no-break spaces. If the rule folds, capitals
        are the same as small letters. A word is compared character by character.
        """
        if len(symbol) > 1:
            return "".join(map(self.key, symbol))
        for variants in (APOSTROPHES, SPACES):
            if symbol in variants:
                return variants[0]
        return symbol.casefold() if self.folds else symbol

    def fold(self, text: str, vocabulary: Vocabulary) -> str:
        """Write names with the symbols of a vocabulary, as far as it has them.

        Letters change their case as the training names did. An apostrophe or a space becomes the
        one of the vocabulary. Every symbol stays one symbol, and an unknown one stays as it is. A
        letter of a Hangul syllable has no case, so syllables may be composed or not.

        Args:
            text: one name per line, in NFC.
            vocabulary: the symbols of the training names.
        """
        known: dict[str, list[str]] = {}
        for symbol in vocabulary.symbols:
            known.setdefault(self.key(symbol), []).append(symbol)
        if vocabulary.unit is WORD:
            return re.sub(r"\S+", lambda word: known.get(self.key(word[0]), [word[0]])[0], text)
        table = {}
        for symbol in set(text):
            same = known.get(self.key(symbol), [symbol])
            # The training names have the small letter wherever the capital can be restored from it.
            preferred = (small_of(symbol), symbol, symbol.lower()) if self.folds else (symbol,)
            table[symbol] = next((each for each in preferred if each in same), same[0])
        return _replace(text, table, final_sigma=table.get("Σ") == "σ" and "ς" in known["σ"])


def merge_variants(text: str) -> str:
    """Replace the apostrophes in a list by the most frequent one, and the spaces likewise."""
    for variants in (APOSTROPHES, SPACES):
        # The first one, which is the plain one, wins a tie.
        best = max(variants, key=text.count)
        for variant in variants:
            text = text.replace(variant, best)
    return text


def _replace(text: str, table: Mapping[str, str], *, final_sigma: bool) -> str:
    """Replace symbols by others. The text stays in NFC and keeps its length.

    Args:
        text: the text, in NFC.
        table: the new symbols by the old ones.
        final_sigma: whether a capital sigma at the end of a word becomes a final one.
    """
    replaced = text
    if final_sigma and "Σ" in text:
        letters = symbol_class(filter(is_letter, set(text)))
        replaced = re.sub(f"(?<={letters})Σ(?!{letters})", "ς", text)
    replaced = replaced.translate({ord(old): new for old, new in table.items()})
    if unicodedata.is_normalized("NFC", replaced):
        return replaced
    # A capital stays where its small letter would compose with a mark: "H̱", but "ẖ" is one symbol.
    marks = symbol_class(filter(unicodedata.combining, set(text)))
    symbols = list(replaced)
    for cluster in re.finditer(f"[^\\n]{marks}+", text):
        if not unicodedata.is_normalized("NFC", replaced[slice(*cluster.span())]):
            symbols[slice(*cluster.span())] = cluster[0]
    return "".join(symbols)
