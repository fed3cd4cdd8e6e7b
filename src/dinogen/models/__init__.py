"""Models of names: each answers how likely every next symbol is, given what is written so far."""
