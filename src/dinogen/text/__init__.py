"""From bytes to compact arrays of symbols and back: the part that knows what a name is made of."""
