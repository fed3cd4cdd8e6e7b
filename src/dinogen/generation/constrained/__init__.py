"""Constrained sampling: automata, a lookahead over them, and a particle filter."""
