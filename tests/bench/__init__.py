"""What ``make bench`` measures: speed against rivals and limits, quality against n-grams.

Speeds are medians over several rounds; in each round the rivals run one after the other, so that a
machine that slows down slows them all. One thread for all, as the command has it.
"""

import os

# Before NumPy is loaded, as the command does.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
