"""Stress tests: killed processes, broken checkpoints, broken lists. Run with ``make torture``."""
