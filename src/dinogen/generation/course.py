"""From what is asked of names to where a sampler is to steer."""

from dinogen.generation.automata import Automaton
from dinogen.generation.growing import grow
from dinogen.generation.lookahead import bigrams, look_ahead
from dinogen.generation.options import Options
from dinogen.generation.steering import Course
from dinogen.models.language_model import LanguageModel
from dinogen.streams import Purpose, stream

_OWN_NAMES = 1_024
"""So many of the model's own names tell what its names are like."""


def plot_course(model: LanguageModel, automaton: Automaton, options: Options) -> Course:
    """Look ahead with what the model's own names are like.

    Args:
        model: whose names they are.
        automaton: what is accepted.
        options: what shapes the names besides.
    """
    names = grow(model, stream(0, Purpose.COURSE), _OWN_NAMES, options)
    return Course(automaton, look_ahead(automaton, bigrams(names, automaton.moves.shape[1])))
