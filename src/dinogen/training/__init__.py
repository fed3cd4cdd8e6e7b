"""Fitting a model to names: as a stream of progress, which knows nothing of screens."""
