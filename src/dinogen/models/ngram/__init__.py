"""Interpolated Kneser-Ney n-grams: counts, and the model that is built from them."""
