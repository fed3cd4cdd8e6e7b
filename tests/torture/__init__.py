"""Harm done for real: processes killed, files and lists broken in every way. ``make torture``."""
