"""Which of two models a name belongs to."""

import numpy as np
import pytest

from dinogen.inspection.verdict import belongs_to_first


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        (3.0, 3.0, 0.5),
        (np.log(4), np.log(12), 0.75),  # one in 4 against one in 12
        (5.0, np.inf, 1.0),
        (np.inf, 5.0, 0.0),
        (2_000.0, 1.0, 0.0),
    ],
)
def test_the_verdict_is_that_of_bayes(first: float, second: float, share: float) -> None:
    """With equal priors the share is p / (p + q), also where one model cannot write the name."""
    assert belongs_to_first(np.array([first]), np.array([second]))[0] == pytest.approx(share)


def test_what_neither_can_write_has_no_verdict() -> None:
    """Where both find a name impossible the share is no number."""
    assert np.isnan(belongs_to_first(np.array([np.inf]), np.array([np.inf]))[0])
