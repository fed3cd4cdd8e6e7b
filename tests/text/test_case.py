"""Case: folded for learning, given back on output, and nothing lost in between."""

import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.text.case import CaseRule, spell
from dinogen.text.vocabulary import Vocabulary


def there_and_back(text: str, case: CaseRule) -> str:
    """Fold a text, turn it into indices, and spell it out again."""
    folded = case.apply(text)
    vocabulary = Vocabulary.of(folded)
    return spell(vocabulary.encode(folded), vocabulary, case)


def as_text(*names: str) -> str:
    """Write a list, a name a line."""
    return "".join(name + "\n" for name in names)


def literal_rule(names: list[str]) -> frozenset[str]:
    """Find by loops the symbols that a capital follows."""
    if 2 * sum(name[0].isupper() for name in names) <= len(names):
        return frozenset()
    balance = dict.fromkeys("".join(names), 0)
    for name in names:
        for before, symbol in pairwise(name):
            balance[before] += symbol.isupper() - symbol.islower()
    return frozenset(s for s, n in balance.items() if n > 0 and not s.isalpha()) | {"\n"}


def words(capitals: str, smalls: str) -> st.SearchStrategy[str]:
    """Draw words of a capital and small letters."""
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
def test_capitalised_words_come_back_as_they_were(data: st.DataObject) -> None:
    """A list of capitalised words is spelled as it was, in any script and with any separators."""
    word = data.draw(scripts)
    name = st.lists(word, min_size=1, max_size=4).flatmap(
        lambda parts: st.sampled_from([" ", "-", "'", ". "]).map(lambda by: by.join(parts))
    )
    text = as_text(*data.draw(st.lists(name, min_size=1, max_size=8)))
    case = CaseRule.learn(text)
    folded = case.apply(text)
    assert not any(symbol.isupper() for symbol in folded)
    assert there_and_back(text, case) == text


def test_greek_sigma_has_two_small_forms() -> None:
    """A capital sigma at the end of a word is folded to the final form, elsewhere to the other."""
    text = as_text("ΟΔΥΣΣΕΥΣ", "ΣΙΣΥΦΟΣ", "ΣΑΣ-ΝΟΣ")
    case = CaseRule.learn(text)
    assert case.apply(text) == as_text("οδυσσευς", "σισυφος", "σας-νος")
    assert there_and_back(text, case) == as_text("Οδυσσευς", "Σισυφος", "Σας-Νος")
    assert there_and_back(as_text("Οδυσσεύς", "Σίσυφος"), case) == as_text("Οδυσσεύς", "Σίσυφος")


def test_a_capital_follows_what_it_mostly_follows() -> None:
    """The hyphen of Jean-Paul is followed by a capital, the apostrophe of Ta'izz is not."""
    case = CaseRule.learn(as_text("Jean-Paul", "Ann-Marie", "Stoke-on-Trent", "Ta'izz", "Sana'a"))
    assert case.capital_after == {"\n", "-"}
    assert there_and_back(as_text("mary-lou", "ba'ir"), case) == as_text("Mary-Lou", "Ba'ir")


def test_as_many_are_not_most() -> None:
    """Where capitals and small letters are as many, no capital is given back."""
    assert CaseRule.learn(as_text("Anna", "berta")).capital_after == frozenset()
    assert CaseRule.learn(as_text("Anna", "Berta", "cora")).capital_after == {"\n"}
    tied = CaseRule.learn(as_text("Anna-Lou", "Aix-la", "Bo"))
    assert tied.capital_after == {"\n"}


@settings(deadline=None, max_examples=80)
@given(st.lists(st.text(st.sampled_from("abABéÉ-' 1"), min_size=1, max_size=6), min_size=1))
def test_the_rule_agrees_with_a_literal_twin(names: list[str]) -> None:
    """Where capitals stand is what counting by loops finds."""
    case = CaseRule.learn(as_text(*names))
    assert case == CaseRule(fold=True, capital_after=literal_rule(names))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text(st.sampled_from("abß-' éσς"), max_size=6)),
    st.frozensets(st.sampled_from("\n-' ")),
)
def test_spelling_agrees_with_a_literal_twin(names: list[str], after: frozenset[str]) -> None:
    """A letter gets its capital where the symbol before it asks for one, and nowhere else."""
    expected = ""
    for symbol in as_text(*names):
        before = expected[-1:] or "\n"
        capital = symbol.upper()
        expected += capital if before in after and len(capital) == 1 else symbol
    assert there_and_back(as_text(*names), CaseRule(fold=True, capital_after=after)) == expected


def test_a_list_in_small_letters_stays_in_small_letters() -> None:
    """Where most names begin small, none gets a capital, though some words in them have one."""
    text = as_text("anna", "jean-Paul", "marie-Lou", "Berta", "cora")
    case = CaseRule.learn(text)
    assert case.capital_after == frozenset()
    assert there_and_back(text, case) == text.lower()


@pytest.mark.parametrize(
    "names",
    [("שרה", "משה"), ("فاطمة", "علي"), ("李白", "王维"), ("ნინო", "გიორგი"), ("राम", "सीता")],
)
def test_a_script_without_case_is_left_alone(names: tuple[str, ...]) -> None:
    """Names in a script that has no capitals go through folding and spelling unchanged."""
    text = as_text(*names)
    case = CaseRule.learn(text)
    assert case.capital_after == frozenset()
    assert case.apply(text) == text
    assert there_and_back(text, CaseRule(fold=True, capital_after=frozenset("\n"))) == text


@pytest.mark.parametrize("symbol", ["ß", "ŉ", "ǰ", "ΐ", "ﬁ", "և"])
def test_a_letter_without_a_capital_of_its_own_stays_small(symbol: str) -> None:
    """At the start of a name a letter whose capital would take two symbols stays as it is."""
    text = as_text("Anna", f"{symbol}en", "Berta")
    assert there_and_back(text, CaseRule.learn(text)) == text


def test_a_letter_of_two_gets_the_form_for_titles() -> None:
    """A letter that is written as two has only the first of them raised: ǆ becomes ǅ, not Ǆ."""
    text = as_text("ǅemal", "Anna")
    assert there_and_back(text, CaseRule.learn(text)) == text


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(categories=["L", "M", "N", "P", "S"]), max_size=8)))
def test_keeping_leaves_a_text_as_it_is(names: list[str]) -> None:
    """The rule that keeps case changes no symbol of any list, on the way in or out."""
    text = as_text(*names)
    assert CaseRule.keep().apply(text) == text
    assert there_and_back(text, CaseRule.keep()) == text


def test_folding_is_done_once_and_for_all() -> None:
    """For every letter there is, what was folded is composed, and folding it again adds nothing."""
    case = CaseRule(fold=True, capital_after=frozenset())
    letters = (chr(c) for c in range(sys.maxunicode + 1))
    cased = [c for c in letters if c != c.lower()]
    assert len(cased) > 1_000
    for letter in cased:
        folded = case.apply(letter)
        assert unicodedata.is_normalized("NFC", folded)
        assert case.apply(folded) == folded
        assert not any(symbol.isupper() for symbol in folded)
