"""What a model has learned, as numbers: what it expects, what surprises it, what it finds alike."""
