"""Wording: what a network, a member of a mixture and a whole model are called, in one line each."""

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.data.statistics import TextStats
from dinogen.models.language_model import LanguageModel
from dinogen.models.network.network import Network
from dinogen.models.ngram.kneser_ney import NGram

_CELL_TITLES = {"rnn": "vanilla RNN"}
"""The titles of cells whose title is not their name in capitals."""


def pluralize(number: int, noun: str) -> str:
    """Return a number and its noun: "1 name", "2 names"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def describe_network(cell: str, layers: int, hidden_size: int) -> str:
    """Describe the kind and the size of a network."""
    title = _CELL_TITLES.get(cell, cell.upper())
    stack = f"{layers} layers of " if layers > 1 else ""
    return f"{title}, {stack}{pluralize(hidden_size, 'hidden unit')}"


def describe_member(member: LanguageModel) -> str:
    """Describe the kind and the size of a member of a mixture."""
    if isinstance(member, Network):
        _, hidden_size, cell, layers = member.config
        network = describe_network(cell, layers, hidden_size)
        return f"{network}, {member.config.parameter_count:,} parameters"
    if isinstance(member, NGram):
        return f"Kneser-Ney of order {member.order}, {member.tree.contexts:,} contexts"
    return type(member).__name__


def describe_model(checkpoint: Checkpoint) -> str:
    """Describe what a model has learned, and what it consists of, in few words."""
    corpus, vocabulary = checkpoint.corpus, checkpoint.vocabulary
    learned = corpus.describe()
    if isinstance(corpus, TextStats):
        learned = f"running text, {learned}"
    members = map(_describe_briefly, checkpoint.mixture.members.values())
    return "; ".join([f"{learned}, {vocabulary.describe()}", *members])


def _describe_briefly(member: LanguageModel) -> str:
    """Describe the kind of a member of a mixture, without its numbers of parameters."""
    if isinstance(member, Network):
        _, hidden_size, cell, layers = member.config
        return describe_network(cell, layers, hidden_size)
    if isinstance(member, NGram):
        return f"n-grams of order {member.order}"
    return type(member).__name__
