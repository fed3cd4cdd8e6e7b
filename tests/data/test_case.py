"""Case rules: names are folded for training, and capitals are restored on output."""

import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import CaseRule, Vocabulary, spell


def round_trip(text: str, case: CaseRule) -> str:
    """Fold a text, encode it, and spell it."""
    folded = case.apply(text)
    vocabulary = Vocabulary.of(folded)
    return spell(vocabulary.encode(folded), vocabulary, case)


def as_text(*names: str) -> str:
    """Write names as a text with one name per line."""
    return "".join(name + "\n" for name in names)


def literal_rule(names: list[str]) -> frozenset[str]:
    """Find the symbols before capitals with loops."""
    if 2 * sum(name[0].isupper() for name in names) <= len(names):
        return frozenset()
    balance = dict.fromkeys("".join(names), 0)
    for name in names:
        for before, symbol in pairwise(name):
            balance[before] += symbol.isupper() - symbol.islower()
    return frozenset(s for s, n in balance.items() if n > 0 and not s.isalpha()) | {"\n"}


def words(capitals: str, smalls: str) -> st.SearchStrategy[str]:
    """Generate words of one capital and small letters."""
    return st.builds(
        "{}{}".format, st.sampled_from(capitals), st.text(st.sampled_from(smalls), max_size=5)
    )


scripts = st.sampled_from(
    [
        words("ABÉØÑÞŁ", "abéøñþłßŉ"),
        words("ΑΣΏΪΆ", "ασςώϊάΐ"),
        words("АЯЁЇ", "аяёї"),
        words("ԱՖ", "աֆ"),
        words("\U00010400\U00010401", "\U00010428\U00010429"),  # Deseret
    ]
)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_capitalised_words_are_restored(data: st.DataObject) -> None:
    """A list of capitalised words is restored, in any script and with any separators."""
    word = data.draw(scripts)
    name = st.lists(word, min_size=1, max_size=4).flatmap(
        lambda parts: st.sampled_from([" ", "-", "'", ". "]).map(lambda by: by.join(parts))
    )
    text = as_text(*data.draw(st.lists(name, min_size=1, max_size=8)))
    case = CaseRule.learn(text)
    folded = case.apply(text)
    assert not any(symbol.isupper() for symbol in folded)
    assert round_trip(text, case) == text


def test_greek_sigma_has_two_small_forms() -> None:
    """A capital sigma is folded to the final form at the end of a word only."""
    text = as_text("ΟΔΥΣΣΕΥΣ", "ΣΙΣΥΦΟΣ", "ΣΑΣ-ΝΟΣ")
    case = CaseRule.learn(text)
    assert case.apply(text) == as_text("οδυσσευς", "σισυφος", "σας-νος")
    assert round_trip(text, case) == as_text("Οδυσσευς", "Σισυφος", "Σας-Νος")
    assert round_trip(as_text("Οδυσσεύς", "Σίσυφος"), case) == as_text("Οδυσσεύς", "Σίσυφος")


def test_separators_are_found() -> None:
    """A capital follows the hyphen of Jean-Paul, but not the apostrophe of Ta'izz."""
    case = CaseRule.learn(as_text("Jean-Paul", "Ann-Marie", "Stoke-on-Trent", "Ta'izz", "Sana'a"))
    assert case.capital_after == {"\n", "-"}
    assert round_trip(as_text("mary-lou", "ba'ir"), case) == as_text("Mary-Lou", "Ba'ir")


def test_a_tie_restores_no_capitals() -> None:
    """With as many capitals as small letters, no capital is restored."""
    assert CaseRule.learn(as_text("Anna", "berta")).capital_after == frozenset()
    assert CaseRule.learn(as_text("Anna", "Berta", "cora")).capital_after == {"\n"}
    tied = CaseRule.learn(as_text("Anna-Lou", "Aix-la", "Bo"))
    assert tied.capital_after == {"\n"}


@settings(deadline=None, max_examples=80)
@given(st.lists(st.text(st.sampled_from("abABéÉ-' 1"), min_size=1, max_size=6), min_size=1))
def test_the_rule_agrees_with_a_literal_twin(names: list[str]) -> None:
    """The rule is the one that loops find."""
    case = CaseRule.learn(as_text(*names))
    assert case == CaseRule(fold=True, capital_after=literal_rule(names))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text(st.sampled_from("abß-' éσς"), max_size=6)),
    st.frozensets(st.sampled_from("\n-' ")),
)
def test_spelling_agrees_with_a_literal_twin(names: list[str], after: frozenset[str]) -> None:
    """A letter is capitalised after the symbols of the rule and nowhere else."""
    expected = ""
    for symbol in as_text(*names):
        before = expected[-1:] or "\n"
        capital = symbol.upper()
        expected += capital if before in after and len(capital) == 1 else symbol
    assert round_trip(as_text(*names), CaseRule(fold=True, capital_after=after)) == expected


def test_a_list_in_small_letters_stays_in_small_letters() -> None:
    """If most names start with a small letter, no capital is restored, not even inside names."""
    text = as_text("anna", "jean-Paul", "marie-Lou", "Berta", "cora")
    case = CaseRule.learn(text)
    assert case.capital_after == frozenset()
    assert round_trip(text, case) == text.lower()


@pytest.mark.parametrize(
    "names",
    [("שרה", "משה"), ("فاطمة", "علي"), ("李白", "王维"), ("ნინო", "გიორგი"), ("राम", "सीता")],
)
def test_a_script_without_case_is_unchanged(names: tuple[str, ...]) -> None:
    """Folding and spelling do not change names in a script without capitals."""
    text = as_text(*names)
    case = CaseRule.learn(text)
    assert case.capital_after == frozenset()
    assert case.apply(text) == text
    assert round_trip(text, CaseRule(fold=True, capital_after=frozenset("\n"))) == text


@pytest.mark.parametrize("symbol", ["ß", "ŉ", "ǰ", "ΐ", "ﬁ", "և"])
def test_a_letter_whose_capital_is_two_symbols_stays_small(symbol: str) -> None:
    """A letter whose capital is two symbols is unchanged at the start of a name."""
    text = as_text("Anna", f"{symbol}en", "Berta")
    assert round_trip(text, CaseRule.learn(text)) == text


def test_a_digraph_gets_title_case() -> None:
    """A digraph is one symbol with a title-case form: ǆ becomes ǅ, not Ǆ."""
    text = as_text("ǅemal", "Anna")
    assert round_trip(text, CaseRule.learn(text)) == text


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(categories=["L", "M", "N", "P", "S"]), max_size=8)))
def test_the_unchanged_rule_changes_nothing(names: list[str]) -> None:
    """The unchanged rule changes no symbol, neither when it folds nor when it spells."""
    text = as_text(*names)
    assert CaseRule.unchanged().apply(text) == text
    assert round_trip(text, CaseRule.unchanged()) == text


def test_folding_is_idempotent() -> None:
    """A folded letter is in normal form C, and folding it again changes nothing."""
    case = CaseRule(fold=True, capital_after=frozenset())
    letters = (chr(c) for c in range(sys.maxunicode + 1))
    cased = [c for c in letters if c != c.lower()]
    assert len(cased) > 1_000
    for letter in cased:
        folded = case.apply(letter)
        assert unicodedata.is_normalized("NFC", folded)
        assert case.apply(folded) == folded
        assert not any(symbol.isupper() for symbol in folded)


@pytest.mark.parametrize(
    ("part", "before", "after", "folded"),
    [
        ("ΟΔΟΣ", False, False, "οδος"),
        ("ΟΔΟΣ", False, True, "οδοσ"),
        ("Σ", True, False, "ς"),
        ("Σ", False, False, "σ"),
        ("Zoe\u0301", False, True, "zoé"),
        ("", True, True, ""),
        ("\u0308n", True, False, "\u0308n"),
    ],
)
def test_a_part_of_a_name_is_folded_as_within_the_name(
    part: str, before: bool, after: bool, folded: str
) -> None:
    """A final sigma ends a word, and a part of a name may not end it; parts are composed."""
    rule = CaseRule(fold=True, capital_after=frozenset("\n"))
    assert rule.fold_part(part, more_before=before, more_after=after) == folded
    composed = unicodedata.normalize("NFC", part)
    assert CaseRule.unchanged().fold_part(part, more_after=after) == composed
