"""How given names are heard."""

import math

import numpy as np
import pytest

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.cli.checkpoints import BUNDLED
from dinogen.generation.scoring import score
from dinogen.inspection.hearing import hear

NAMES = ["Tyrannosaurus", "REX", "Ünica", "a", "Qqq", "x y"]


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """The bundled dinosaurs."""
    return load(BUNDLED)


def test_totals_are_those_of_the_scorer(checkpoint: Checkpoint) -> None:
    """Each name that can be written has the scorer's nats, in whatever case; the others none."""
    hearing = hear(checkpoint, NAMES)
    folded = [name.lower() for name in NAMES]
    wanted = score(checkpoint.model, checkpoint.vocabulary.encode("tyrannosaurus\nrex\na\nqqq\n"))
    np.testing.assert_allclose([hearing.totals[i] for i in (0, 1, 3, 4)], wanted, rtol=1e-6)
    assert [hearing.totals[i] for i in (2, 5)] == [math.inf] * 2
    assert hearing.read == folded
    assert hearing.known[0]
    assert not any(hearing.known[1:])


def test_each_name_by_itself(checkpoint: Checkpoint) -> None:
    """Symbol by symbol the nats add up, and a symbol that was never seen is named."""
    hearing = hear(checkpoint, NAMES)
    for one, total in zip(hearing.each(), hearing.totals, strict=True):
        assert one.total == pytest.approx(total)
        assert one.length == len(one.read) + 1
        assert one.per_symbol == pytest.approx(total / one.length)
        if one.nats is None:
            assert one.unknown in ("ü", " ")
        else:
            assert len(one.nats) == one.length
            assert one.unknown is None


def test_nothing_to_hear(checkpoint: Checkpoint) -> None:
    """No names, or none that can be written, are heard without ado."""
    assert hear(checkpoint, []).each() == []
    (one,) = hear(checkpoint, ["ß"]).each()
    assert (one.total, one.nats, one.unknown) == (math.inf, None, "ß")
