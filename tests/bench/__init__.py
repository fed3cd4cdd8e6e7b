"""The benchmark, ``make bench``: speed and quality, compared with baselines and lower bounds.

Speeds are medians over several rounds. In each round, dinogen and the baselines run one after the
other, so that a slower machine slows all of them. All use one thread, as the command does.
"""

import os

# The command also sets this before it loads NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
