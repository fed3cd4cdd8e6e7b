"""Generation: new names and running text from any language model."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.generation.blocks import (
        Beginnings as Beginnings,
        Candidates as Candidates,
        draw_block as draw_block,
    )
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
    from dinogen.generation.constrained.beginnings import find_beginnings as find_beginnings
    from dinogen.generation.constrained.constraints import (
        compile_avoided as compile_avoided,
        compile_constraints as compile_constraints,
        compile_prefix as compile_prefix,
    )
    from dinogen.generation.constrained.lookahead import (
        count_grams as count_grams,
        lookahead_table as lookahead_table,
        plan_lookahead as plan_lookahead,
    )
    from dinogen.generation.constrained.neighbours import (
        successors_automaton as successors_automaton,
    )
    from dinogen.generation.constrained.particles import (
        LookaheadPlan as LookaheadPlan,
        MarkovChain as MarkovChain,
        draw_constrained as draw_constrained,
    )
    from dinogen.generation.constrained.planning import Planner as Planner
    from dinogen.generation.decoding import (
        Decoding as Decoding,
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
        SamplingOptions as SamplingOptions,
        TextOptions as TextOptions,
    )
    from dinogen.generation.prefixes import PrefixTree as PrefixTree, branch as branch
    from dinogen.generation.rules import NameRules as NameRules
    from dinogen.generation.stream import (
        Drawn as Drawn,
        NameStream as NameStream,
        Plan as Plan,
        draw_names as draw_names,
        max_candidates as max_candidates,
    )
    from dinogen.generation.successors import Successors as Successors
    from dinogen.generation.writer import Piece as Piece, Total as Total, Writer as Writer

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "blocks": ["Beginnings", "Candidates", "draw_block"],
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
        "constrained.beginnings": ["find_beginnings"],
        "constrained.constraints": ["compile_avoided", "compile_constraints", "compile_prefix"],
        "constrained.lookahead": [
            "count_grams",
            "lookahead_table",
            "plan_lookahead",
        ],
        "constrained.neighbours": ["successors_automaton"],
        "constrained.planning": ["Planner"],
        "constrained.particles": ["LookaheadPlan", "MarkovChain", "draw_constrained"],
        "decoding": ["Decoding", "draw_symbols", "entropy", "reweight"],
        "options": [
            "BOUNDS",
            "DEFAULT_OPTIONS",
            "DEFAULT_TEXT_OPTIONS",
            "DecodingOptions",
            "Options",
            "SamplingOptions",
            "TextOptions",
        ],
        "prefixes": ["PrefixTree", "branch"],
        "rules": ["NameRules"],
        "namer": ["Namer"],
        "novelty": ["Novelty"],
        "stream": ["Drawn", "NameStream", "Plan", "draw_names", "max_candidates"],
        "successors": ["Successors"],
        "writer": ["Piece", "Total", "Writer"],
    },
)
