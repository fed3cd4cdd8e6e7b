"""Generation: new names and running text from any language model."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.generation.calibration import (
        calibrate as calibrate,
        strict_decoding as strict_decoding,
    )
    from dinogen.generation.constrained.automata import (
        DEAD as DEAD,
        START as START,
        Automaton as Automaton,
        absorb as absorb,
        accepted_lengths as accepted_lengths,
        build_automaton as build_automaton,
        build_search as build_search,
        build_trie as build_trie,
        forbid as forbid,
        intersect as intersect,
        trim as trim,
        universal_states as universal_states,
    )
    from dinogen.generation.constrained.constraints import (
        compile_avoided as compile_avoided,
        compile_constraints as compile_constraints,
    )
    from dinogen.generation.constrained.lookahead import (
        LookaheadPlan as LookaheadPlan,
        MarkovChain as MarkovChain,
        lookahead_table as lookahead_table,
        plan_lookahead as plan_lookahead,
    )
    from dinogen.generation.constrained.particles import draw_constrained as draw_constrained
    from dinogen.generation.decoding import (
        Candidates as Candidates,
        Decoding as Decoding,
        draw_block as draw_block,
        draw_symbols as draw_symbols,
        entropy as entropy,
        reweight as reweight,
    )
    from dinogen.generation.namer import Namer as Namer
    from dinogen.generation.novelty import Novelty as Novelty
    from dinogen.generation.options import (
        BOUNDS as BOUNDS,
        DEFAULT_OPTIONS as DEFAULT_OPTIONS,
        DEFAULT_TEXT_OPTIONS as DEFAULT_TEXT_OPTIONS,
        DecodingOptions as DecodingOptions,
        Options as Options,
        TextOptions as TextOptions,
    )
    from dinogen.generation.rules import NameRules as NameRules
    from dinogen.generation.stream import (
        Drawn as Drawn,
        NameStream as NameStream,
        draw_names as draw_names,
        max_candidates as max_candidates,
    )
    from dinogen.generation.successors import (
        Successors as Successors,
        successors_automaton as successors_automaton,
    )
    from dinogen.generation.writer import Piece as Piece, Total as Total, Writer as Writer

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "calibration": ["calibrate", "strict_decoding"],
        "constrained.automata": [
            "Automaton",
            "DEAD",
            "START",
            "absorb",
            "accepted_lengths",
            "build_automaton",
            "build_search",
            "build_trie",
            "forbid",
            "intersect",
            "trim",
            "universal_states",
        ],
        "constrained.constraints": ["compile_avoided", "compile_constraints"],
        "constrained.lookahead": [
            "LookaheadPlan",
            "MarkovChain",
            "lookahead_table",
            "plan_lookahead",
        ],
        "constrained.particles": ["draw_constrained"],
        "decoding": ["Candidates", "Decoding", "draw_block", "draw_symbols", "entropy", "reweight"],
        "options": [
            "BOUNDS",
            "DEFAULT_OPTIONS",
            "DEFAULT_TEXT_OPTIONS",
            "DecodingOptions",
            "Options",
            "TextOptions",
        ],
        "rules": ["NameRules"],
        "namer": ["Namer"],
        "novelty": ["Novelty"],
        "stream": ["Drawn", "NameStream", "draw_names", "max_candidates"],
        "successors": ["Successors", "successors_automaton"],
        "writer": ["Piece", "Total", "Writer"],
    },
)
