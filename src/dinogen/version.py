"""The version of dinogen."""

__version__ = "0.1.0"
