"""New names from a model, and what a model makes of given ones: through `LanguageModel` alone."""
