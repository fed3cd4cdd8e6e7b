"""How views put things into words."""


def count(number: int, what: str) -> str:
    """Say how many there are of something: "1 name", "2 names"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def shown(symbol: str) -> str:
    """Make a symbol one can see: a space is drawn."""
    return "␣" if symbol.isspace() else symbol


END = "(end)"
"""What stands for the end of a name."""
