"""Neighbours: the rule of which symbol may follow which, as part of the constraints."""

import numpy as np

from dinogen.data.sequences import END
from dinogen.generation.constrained.automata import DEAD, START, Automaton, build_automaton
from dinogen.generation.successors import Successors

_CHUNK = 1 << 22
"""The number of transitions that are looked at at a time."""


def successors_automaton(successors: Successors) -> Automaton:
    """Accept the names in which each symbol may follow the last."""
    rows, allowed = successors.rows.tolist(), successors.allowed

    def next_states(row: int) -> list[int | None]:
        may_follow: list[bool] = allowed[row].tolist()
        return [None, *(rows[x] if may_follow[x] else None for x in range(1, len(rows)))]

    return build_automaton(rows[END], next_states, lambda row: bool(allowed[row, END]))


def accept_some(successors: Successors, automaton: Automaton) -> bool:
    """Tell whether an automaton accepts a name in which each symbol may follow the last."""
    transitions, accepts = automaton
    rows_of, allowed = successors.rows, successors.allowed
    R, V = allowed.shape
    frontier = np.array([START * R + rows_of[END]])
    seen = np.zeros(len(accepts) * R, dtype=np.bool_)
    may_end = allowed[:, END]  # (R,)
    while len(frontier):
        seen[frontier] = True
        found = []
        for start in range(0, len(frontier), max(1, _CHUNK // V)):
            states, rows = np.divmod(frontier[start : start + max(1, _CHUNK // V)], R)
            if (accepts[states] & may_end[rows]).any():
                return True
            following = transitions[states].astype(np.intp)  # (f, V)
            open_ = (following != DEAD) & allowed[rows]  # (f, V)
            open_[:, END] = False
            pairs = (following * R + rows_of)[open_]
            found.append(np.unique(pairs[~seen[pairs]]))
        frontier = np.unique(np.concatenate(found))
    return False
