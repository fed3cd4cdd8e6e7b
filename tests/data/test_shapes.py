"""Word shapes: capitals are learned from a list, and new words get those that it suggests."""

import math
import unicodedata
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from dinogen.data import MAX_SHAPES_SIZE, CaseRule, Vocabulary, WordShape, spell


def as_text(names: list[str]) -> str:
    """Write names as a text with one name per line."""
    return "".join(name + "\n" for name in names)


def random_words(seed: int, letters: str, n: int, longest: int) -> list[str]:
    """Make up words of 2 letters or more."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, longest + 1, n)
    return ["".join(rng.choice([*letters], length)) for length in lengths]


def written(names: list[str], folded: list[str]) -> list[str]:
    """Learn the rule of a list, and write folded names by it."""
    case, _ = CaseRule.learn(as_text(names))
    vocabulary = Vocabulary.of(as_text(folded))
    return spell(vocabulary.encode(as_text(folded)), vocabulary, case).split("\n")[:-1]


# The literal twin.


def words_of(name: str) -> list[tuple[int, int]]:
    """Find the words of a name: runs of letters and marks."""
    is_part = [unicodedata.category(symbol)[0] in "LM" for symbol in name]
    starts = [i for i, part in enumerate(is_part) if part and not (i and is_part[i - 1])]
    ends = [i + 1 for i, part in enumerate(is_part) if part and not any(is_part[i + 1 : i + 2])]
    return [*zip(starts, ends, strict=True)]


def shape_of(word: str) -> str:
    """Return the shape of a word of Latin letters."""
    signs = "".join("X" if symbol.isupper() else "x" for symbol in word if symbol.isalpha())
    if signs == "X":
        return "Xx"
    while signs[-2:] in ("XX", "xx"):
        signs = signs[:-1]
    return signs


def heaviest(weights: dict[str, float], shape: str) -> str:
    """Return the shape of the greatest weight; in a tie the given one, then the usual one."""
    best = max(weights.values())
    tied = [each for each in weights if math.isclose(weights[each], best)]
    return next((each for each in (shape, "") if each in tied), max(tied))


def literal_rule(names: list[str]) -> tuple[frozenset[str], dict[str, str]]:
    """Learn the capitals of a list, by the definition and with loops."""
    seen = []
    for name in names:
        for start, end in words_of(name):
            before, after = f"\n{name}"[: start + 1].lower(), f"{name}\n"[end].lower()
            seen.append((name[start:end].lower(), before, after, shape_of(name[start:end])))
    times = {word: sum(each[0] == word for each in seen) for word, *_ in seen}
    balance: dict[str, float] = defaultdict(float)
    for word, before, _, shape in seen:
        balance[before[-1]] += (1 if shape[0] == "X" else -1) / times[word] ** 2
    capital_after = frozenset(symbol for symbol, weight in balance.items() if weight > 1e-9)
    usual = {symbol: "Xx" if symbol in capital_after else "x" for symbol in balance}
    labels = [
        (word, after + before[::-1], "" if shape == usual[before[-1]] else shape)
        for word, before, after, shape in seen
    ]
    nodes: dict[str, str] = {}

    def kept_above(text: str) -> tuple[str, str]:
        """Return the nearest node above a text, and its shape."""
        above = max((node for node in nodes if text.startswith(node)), key=len, default="")
        return above, nodes.get(above, "")

    def words_like(beginning: str) -> set[tuple[str, str]]:
        """Return the words that begin so, each with each of its shapes."""
        return {(word, label) for word, _, label in labels if word.startswith(beginning)}

    def count(words: set[tuple[str, str]], label: str) -> int:
        """Count the words of a shape."""
        return sum(each == label for _, each in words)

    beginnings = {word[:length] for word in times for length in range(len(word) + 1)}
    for beginning in sorted(beginnings, key=len):
        above, shape = kept_above(beginning)
        weights: dict[str, float] = defaultdict(float)
        for word, _, label in labels:
            if word.startswith(beginning):
                weights[label] += 1 / times[word] ** 2
        chosen = heaviest(weights, shape)
        here, there = words_like(beginning), words_like(above)
        bits = sum(
            math.log2(count(here, label) / len(here) / count(there, label) * len(there))
            for _, label in here
        )
        if (
            chosen != shape
            and 2 * weights[chosen] > sum(weights.values()) + 1e-9
            and (chosen == "" or (count(here, chosen) > 1 and chosen.rfind("X") <= len(beginning)))
            and (beginning == "" or round(bits, 9) >= 8)
        ):
            nodes[beginning] = chosen
    # A small word that begins no name has a capital if it begins a new one.
    if "\n" in capital_after:
        first = {word for word, context, _ in labels if context[1:] == "\n"}
        labels += {
            (word, f"{context[0]}\n", "")
            for word, context, label in labels
            if label.startswith("x") and word not in first
        }
    ends = {
        f"{word}\n{context[:length]}"
        for word, context, _ in labels
        for length in range(len(context) + 1)
    }
    for node in sorted(ends, key=len):
        counts: dict[str, float] = defaultdict(float)
        for word, context, label in labels:
            if f"{word}\n{context}".startswith(node):
                counts[label] += 1
        _, shape = kept_above(node)
        chosen = heaviest(counts, shape)
        if chosen != shape:
            nodes[node] = chosen
    return capital_after, nodes


WORDS = st.one_of(
    st.text("abB", min_size=1, max_size=4),
    st.builds(
        "{}{}".format,
        st.sampled_from(["Mc", "Mac", "", ""]),
        st.text("abcdé", min_size=1).map(str.title),
    ),
    st.sampled_from(["van", "de", "De", "USS", "XI", "XIV", "mc", "O", "d", "HNoMS"]),
)
NAMES = st.lists(st.tuples(st.sampled_from(" -'."), WORDS), min_size=1, max_size=3).map(
    lambda parts: "".join(f"{before}{word}" for before, word in parts)[1:]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(NAMES, min_size=1, max_size=40))
@example(["B baBB", "B BaBB B"])
@example(["aB BBBB", "BBa BBBa", "a BB BaB", "Ba BBB Baa", "Bb ab aBB", "B aa McA"])
def test_learning_agrees_with_a_literal_twin(names: list[str]) -> None:
    """The rule is the one that the definition gives."""
    case, _ = CaseRule.learn(as_text(names))
    if not {symbol for name in names for symbol in name if symbol.islower()}:
        assert case == CaseRule(folds=True)  # capitals only: nothing is folded
        return
    capital_after, nodes = literal_rule(names)
    assert case.capital_after == capital_after
    assert dict(case.shapes) == nodes


def test_a_long_list_agrees_with_a_literal_twin() -> None:
    """So it is for a list with many names of the same beginning."""
    before = ["", "", "Mc", "Mac", "van ", "de la "] * 25
    stems = random_words(1, "adehnorst", 150, longest=6)
    names = [f"{start}{stem.title()}" for start, stem in zip(before, stems, strict=True)]
    names += ["Mackey", "Macey", "Mack", "ANna", "HMS Dart", "HMCS Art", "Macbeth II", "De Roo"]
    capital_after, nodes = literal_rule(names)
    case, _ = CaseRule.learn(as_text(names))
    assert (case.capital_after, dict(case.shapes)) == (capital_after, nodes)
    assert {"mc", "mac", "van\n"} <= nodes.keys()


# What is restored.


@settings(deadline=None, max_examples=100)
@given(st.lists(NAMES, min_size=1, max_size=30))
def test_a_list_that_writes_each_word_in_one_way_is_restored(names: list[str]) -> None:
    """Every name is written as in the list, whatever its capitals."""
    first: dict[str, str] = {}
    for name in names:
        for start, end in words_of(name):
            first.setdefault(name[start:end].lower(), name[start:end])
    one_way = []
    for name in names:
        for start, end in words_of(name):
            name = name[:start] + first[name[start:end].lower()] + name[end:]
        one_way.append(name)
    case, folded = CaseRule.learn(as_text(one_way))
    vocabulary = Vocabulary.of(folded)
    assert spell(vocabulary.encode(folded), vocabulary, case) == as_text(one_way)


FIRST = ["Anna", "Berta", "Cora", "Dora", "Emil", "Fritz", "Gerd", "Hans", "Ida", "Jan"]
STEMS = ["adam", "bride", "donald", "ewan", "fadden", "gill", "hale", "innes", "kay", "lean"]
LAST = ["Arendt", "Boer", "Cruz", "Dekker", "Evers", "Funke", "Graf", "Haas", "Imhof", "Jansen"]
MANY = [*FIRST, *LAST, *(f"{a}{b.lower()}" for a in FIRST for b in ("Lou", "Maria", "Rose"))]


@pytest.mark.parametrize(
    ("names", "new"),
    [
        # Small words stay small, at the start of a name too, and new words are no small words.
        (
            [*FIRST, *(f"{small} {n}" for n in LAST for small in ("van", "de", "van der"))],
            ["van Roos", "van der Vandel", "Derk", "de Vries"],
        ),
        (
            [f"{a} de la {b}" for a, b in zip(FIRST, LAST, strict=True)],
            ["Nina de la Torre", "Lara"],
        ),
        # The same word, in two places.
        (
            ["The Great", *(f"{a} the {b}" for a, b in zip(FIRST, LAST, strict=True))],
            ["The Bold", "Otto the Bold", "Otto the", "Thea"],
        ),
        (["'t Hart", "'t Hooft", "van 't Hof", "Jan", "Smit", "de Wit"], ["'t Wel", "van 't Riet"]),
        (["O'Brien", "O'Neill", "O'Hara", "D'Angelo", "Dee", "Brady"], ["O'Dora", "D'Esta"]),
        (["Ta'izz", "Sana'a", "Ma'rib", "Aden", "Mocha"], ["Ba'ir", "Zab'id"]),
        (["Jean-Paul", "Ann-Marie", "Stoke-on-Trent", "Ta-Li"], ["Mary-Lou", "Ware-on-Sea"]),
        # Initials are no large words.
        (["J. R. Hale", "A. B. Kay", "C. Lean"], ["K. L. Roe", "Al Kay"]),
        # Large words.
        (
            [f"{large} {name}" for name in MANY for large in ("USS", "HMS", "HMCS")],
            ["USS Alba", "HMS Usha", "HMCS Hamar"],
        ),
        (
            [
                *(f"{name} II" for name in MANY),
                "Anna I",
                "Ida XII",
                "Jan XIV",
                "Cora XV",
                "Otto IV",
            ],
            ["Otto II", "Otto XIII", "Ian I"],
        ),
        # Inner capitals.
        (
            [*FIRST, *(f"Mc{stem.title()}" for stem in STEMS), "Mabel", "Mary", "Marc"],
            ["McRoss", "McXyz", "Mabella", "Mona"],
        ),
        (
            [*FIRST, *(f"{mac}{stem.title()}" for stem in STEMS for mac in ("Mac", "Mc")), "Mack"],
            ["MacRoss", "McRoss", "Mack", "Matthews", "Mason", "Mia"],
        ),
        (
            [f"Ó h{stem.title()}" for stem in ("ealy", "uiginn", "art")] + ["Ó Neill"] * 3,
            ["Ó hEaly"],
        ),
        # An ʻokina is a letter without case.
        (["ʻAwapuhi", "ʻEwa", "Hilo", "Kailua", "Nuʻuanu"], ["ʻOhana", "Puʻuloa", "Lanaʻi"]),
        # Turkish: the two capitals of "i" and "ı" are symbols of their own.
        (["İstanbul", "İzmir", "Isparta", "Ankara", "Diyarbakır"], ["İnegöl", "Ilgaz", "Adana"]),
        (["Straße", "Gauß", "Anna"], ["Ruß", "Naß"]),
        # Two scripts, of which one is written in small letters.
        ([*FIRST, *(f"{name} яна" for name in FIRST)], ["Otto яна", "Otto"]),
        # A list in small letters, with a few capitals.
        (["anna", "berta", "cora", "dora", "emil", "Fritz"], ["fritzi", "Fritz", "gerd"]),
        # A list mostly in capitals.
        (["NASA", "ESA", "JAXA", "CNES", "ISRO", "Roscosmos"], ["SANE", "Roscosmos"]),
        # One odd name does not speak for others.
        ([*FIRST, "ANna", "ANton", "Andi", "Anke", "Anita", "Ansgar"], ["Antje", "ANton", "Anja"]),
        ([*FIRST, "DeShawn"], ["DeShawn", "Deshana", "Dennis"]),
    ],
)
def test_names_are_written_as_the_list_suggests(names: list[str], new: list[str]) -> None:
    """The words of the list keep their case, and new words get one that fits."""
    folded = [case_folded(name) for name in new]
    assert written(names, folded) == new


def case_folded(name: str) -> str:
    """Fold a name as a list with its letters is folded."""
    return "".join(s if s == "İ" else s.lower() for s in name)


def test_no_shape_is_cut() -> None:
    """A new word has the capitals of a known shape: "McDonald", never "MCdonald" or "McdOnald"."""
    names = [*FIRST, "MCKAY", "McD", "USS Mc", "XI", "MD"] * 2
    names += [f"{mac}{stem.title()}" for stem in STEMS for mac in ("Mc", "Mac")]
    new = [f"mc{word}" for word in random_words(2, "abdefgilnorsty", 300, longest=8)]
    for word, name in zip(new, written(names, new), strict=True):
        assert name in (f"Mc{word[2:].title()}", word.title())
    new = random_words(3, "acdmsux", 300, longest=8)
    known = {part.lower() for name in names for part in name.split()}
    for word, name in zip(new, written(names, new), strict=True):
        if word not in known:
            assert name in (word.title(), f"Mc{word[2:].title()}", f"Mac{word[3:].title()}")


def test_random_capitals_give_no_random_capitals() -> None:
    """If the capitals of a list are random, new words are capitalised as usual."""
    names = random_words(4, "aeioukmnrstAEIOUKMNRST", 1_000, longest=8)
    known = {name.lower() for name in names}
    new = [word for word in random_words(5, "aeioukmnrst", 200, longest=8) if word not in known]
    found = written(names, new)
    usual = sum(name in (stem, stem.title()) for stem, name in zip(new, found, strict=True))
    assert usual > 0.95 * len(new)
    one_way = [stem for stem in known if sum(name.lower() == stem for name in names) == 1]
    assert {*written(names, one_way)} <= {*names}


def test_the_order_of_a_list_does_not_matter() -> None:
    """The rule is the same for a list in another order, and its first nodes decide for the most."""
    names = [*FIRST, "de Wit", *(f"{a} {b}" for b in LAST for a in ("van", "de", "von"))]
    case, _ = CaseRule.learn(as_text(names))
    assert CaseRule.learn(as_text(names[::-1]))[0] == case
    assert case.shapes == tuple(WordShape(f"{word}\n", "x") for word in ("de", "van", "von"))


def test_the_size_of_a_rule_is_limited() -> None:
    """Of too many nodes, those that decide for the most words are kept."""
    names = [*random_words(6, "aAbBcC", 10_000, longest=30), *["USS"] * 2_000]
    case, _ = CaseRule.learn(as_text(names))
    assert case.shapes[0] == ("uss\n", "X")
    assert 0.99 < sum(node.size for node in case.shapes) / MAX_SHAPES_SIZE <= 1


def test_a_very_long_list() -> None:
    """Names are taken evenly, so the end of the list counts as well as its beginning."""
    names = [f"van {name}" for name in FIRST] * 8_000 + [f"Mc{s.title()}" for s in STEMS] * 8_000
    case, _ = CaseRule.learn(as_text(names))
    assert written(names, ["van roo", "mcadam"]) == ["van Roo", "McAdam"]
    assert {node.text for node in case.shapes} >= {"van\n"}


@pytest.mark.parametrize("length", [100, 250, 255])
@pytest.mark.parametrize(
    "names",
    [
        (lambda n: [f"{'a' * (n - 1)}b", f"{'A' * (n - 1)}C"]),
        (lambda n: [f"B{'e' * (n - 4)} de", f"C{'e' * (n - 4)} De"]),
        (lambda n: [f"{'aB' * (n // 2)}a"[:n], f"{'bA' * (n // 2)}C"[:n]]),
    ],
    ids=["words", "contexts", "shapes"],
)
def test_very_long_names(names: Callable[[int], list[str]], length: int) -> None:
    """They are restored, unless they are too long for the text of a node."""
    long = names(length)
    assert {*map(len, long)} == {length}
    case, folded = CaseRule.learn(as_text(["Zed", *long]))
    assert all(len(node.text) <= 255 and len(node.shape) <= 255 for node in case.shapes)
    vocabulary = Vocabulary.of(folded)
    found = spell(vocabulary.encode(folded), vocabulary, case).split("\n")[:-1]
    assert found[0] == "Zed"
    assert (found[1:] == long) == (length < 255)


def test_a_small_word_that_begins_no_name_gets_a_capital_at_the_start() -> None:
    """If names of the list begin with a capital, new names do, too."""
    names = ["Jan van der Berg", "Piet van der Meer", "Anna de Vries", "Eva van-der Linden"]
    folded = ["der jan", "van-der piet", "jan der berg", "der", "eva de vries"]
    capitals = ["Der Jan", "Van-der Piet", "Jan der Berg", "Der", "Eva de Vries"]
    assert written(names, folded) == capitals
    begin_small = [*names, "van Dijk", "van Gogh", "de Boer"]
    assert written(begin_small, ["van berg", "der berg"]) == ["van Berg", "Der Berg"]
