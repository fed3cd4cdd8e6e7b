"""From what is asked of names to where a sampler is to steer."""

from dataclasses import replace

from dinogen.errors import SettingError
from dinogen.generation.automata import TOO_MUCH, Automaton
from dinogen.generation.growing import grow
from dinogen.generation.lookahead import Chain, look_ahead
from dinogen.generation.options import Options
from dinogen.generation.steering import Course
from dinogen.models.grams import count
from dinogen.models.language_model import LanguageModel, names_at_a_time
from dinogen.models.ngram import NGram
from dinogen.streams import Purpose, stream
from dinogen.threads import one_thread

OWN_NAMES = 2_048
"""So many of the model's own names tell what its names are like; fewer of very many symbols."""

ORDERS = (4, 3, 2, 1)
"""Of the chain that looks ahead: the first one whose table is not too large."""

FURTHER = 128
"""Symbols to look ahead beyond the longest way through the states of what is asked."""

LARGEST_TABLE = 1 << 21
"""Numbers in a table of states by contexts by symbols: 16 MiB."""


@one_thread()
def plot_course(model: LanguageModel, automaton: Automaton, options: Options) -> Course:
    """Look ahead with n-grams of the model's own names.

    Args:
        model: whose names they are.
        automaton: what is accepted.
        options: what shapes the names besides.

    Raises:
        SettingError: where what is asked has too many states for so many symbols.
    """
    states, symbols = automaton.moves.shape
    # Nothing is cut off here: what is asked may lead where names hardly ever go.
    whole = replace(options, top_k=None, top_p=None)
    own = min(OWN_NAMES, names_at_a_time(model))
    names = grow(model, stream(0, Purpose.COURSE), own, whole)
    levels = count(names, symbols, max(ORDERS))
    for order in ORDERS:
        ngram = NGram.of(levels[:order], symbols)
        if ngram.tree.contexts * symbols * states <= LARGEST_TABLE:
            break
    else:
        raise SettingError(TOO_MUCH)
    chain = Chain(*ngram.tables)
    rounds = min(options.max_length + 1, states + FURTHER)
    return Course(automaton, chain, look_ahead(automaton, chain, rounds))
