"""The LSTM: the published numbers of the course, and the ones that it should have published."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.models import (
    LayerMasks,
    LstmCell,
    Parameters,
    Projection,
    Recurrent,
    Workspace,
    softmax,
)
from tests.literal import backward, draw, forward, lstm_step
from tests.networks import GATES, columns, finite_differences, packed

Array = NDArray[np.float64]

NO_MASKS = LayerMasks(None, None)

GATE_SHAPES = [(5, 8), (5, 1)] * 4
"""The draws of the weights and biases of the gates, in the order f, i, o, c."""

STATE_PLACE, INPUT_PLACE = (2, 3), (1, 2)
"""The unit and the example of which the course prints the gradients."""

PLACES = {
    "Wf": (3, 1), "Wi": (1, 2), "Wc": (3, 1), "Wo": (1, 2),
    "bf": (4, 0), "bi": (4, 0), "bc": (4, 0), "bo": (4, 0),
}  # fmt: skip
"""The elements of the gradients on the parameters that the course prints."""

PUBLISHED_DX = [-0.00173313, 0.08287442, -0.30545663, -0.43281115]
PUBLISHED_DA0 = -0.09591150195400468
PUBLISHED = {
    "Wf": -0.0698198561274401, "Wi": 0.10237182024854774,
    "Wc": -0.062498379492745226, "Wo": 0.04843891314443013,
    "bf": -0.0565788, "bi": -0.15399065, "bc": -0.29691142, "bo": -0.29798344,
}  # fmt: skip
"""What the course prints for the backward pass over a sequence. It is not the gradient."""

CORRECT_DX = [0.00218254, 0.28205375, -0.48292508, -0.43281115]
CORRECT_DA0 = 0.3127703102572602
CORRECT = {
    "Wf": -0.08098023109383466, "Wi": 0.40512433092981825,
    "Wc": -0.07937467355121496, "Wo": 0.038948775762986956,
    "bf": -0.15745656546995196, "bi": -0.5084833294481497,
    "bc": -0.4251081750385361, "bo": -0.17958196207090743,
}  # fmt: skip
"""The gradient of the same."""


def named(arrays: Sequence[Array]) -> dict[str, Array]:
    """Name the weights and biases of the gates, which the course draws in the order f, i, o, c."""
    return dict(zip(("Wf", "bf", "Wi", "bi", "Wo", "bo", "Wc", "bc"), arrays, strict=True))


def in_package_order(p: Mapping[str, Array]) -> Parameters:
    """Return the arrays of the course as those of an `LstmCell`."""
    parameters = Parameters(LstmCell(5).shapes(3), np.float64)
    for gate, letter in enumerate(GATES["lstm"]):
        parameters["Waa"][gate] = p[f"W{letter}"][:, :5].T
        parameters["Wax"][gate] = p[f"W{letter}"][:, 5:].T
        parameters["ba"][gate] = p[f"b{letter}"][:, 0]
    return parameters


def steps_of(x: Array) -> list[Array]:
    """Return the (F, N) arrays of the steps of an (F, N, T) array of the course."""
    return [x[:, :, t] for t in range(x.shape[2])]


def assert_printed(found: float, printed: float) -> None:
    """Check that a number agrees to the printed digits: 8 decimals, or all."""
    tolerance = 5.1e-9 if printed == round(printed, 8) else 1e-14
    assert found == pytest.approx(printed, rel=0, abs=tolerance)


def test_one_step_forward_gives_the_published_numbers() -> None:
    """One step over a batch of 10 agrees with "lstm_cell_forward" to the printed digits."""
    x, a_prev, c_prev, *arrays, Wy, by = draw(
        1, (3, 10), (5, 10), (5, 10), *GATE_SHAPES, (2, 5), (2, 1)
    )
    p = in_package_order(named(arrays))
    cell_pass = LstmCell(5).start(p, 10, 10, Workspace(np.float64))
    cell_pass.z[...] = x.T @ p["Wax"] + p["ba"][:, np.newaxis]  # (4, 10, 5)
    by_package = cell_pass.step(slice(10), a_prev.T, (a_prev.T, c_prev.T))
    by_literal, _ = lstm_step(named(arrays), x, (a_prev, c_prev), 1.0)
    published_a = [
        -0.66408471, 0.0036921, 0.02088357, 0.22834167, -0.85575339,
        0.00138482, 0.76566531, 0.34631421, -0.00215674, 0.43827275,
    ]  # fmt: skip
    published_c = [
        0.63267805, 1.00570849, 0.35504474, 0.20690913, -1.64566718,
        0.11832942, 0.76449811, -0.0981561, -0.74348425, -0.26810932,
    ]  # fmt: skip
    published_y = [
        0.79913913, 0.15986619, 0.22412122, 0.15606108, 0.97057211,
        0.31146381, 0.00943007, 0.12666353, 0.39380172, 0.07828381,
    ]  # fmt: skip
    for a, c in (by_literal, [array.T for array in by_package]):
        np.testing.assert_allclose(a[4], published_a, rtol=0, atol=5.1e-9)
        np.testing.assert_allclose(c[2], published_c, rtol=0, atol=5.1e-9)
        np.testing.assert_allclose(softmax(Wy @ a + by)[1], published_y, rtol=0, atol=5.1e-9)


def test_the_sequence_forward_gives_the_published_numbers() -> None:
    """Seven steps agree with "lstm_forward" to the printed digits."""
    x, a0, *arrays, Wy, by = draw(1, (3, 10, 7), (5, 10), *GATE_SHAPES, (2, 5), (2, 1))
    p, c0 = in_package_order(named(arrays)), np.zeros((5, 10))
    layer = Recurrent(LstmCell(5), Projection())
    # The layer returns the cell state of the last step only, so it stops after the second step.
    _, (_, c), _ = layer.forward(
        p, packed(x[:, :, :2]), [10] * 2, (a0.T, c0.T), NO_MASKS, Workspace(np.float64)
    )
    a, *_ = layer.forward(p, packed(x), [10] * 7, (a0.T, c0.T), NO_MASKS, Workspace(np.float64))
    by_package = [a[10 * t : 10 * t + 10].T for t in range(7)], c.T
    states, _ = forward("lstm", named(arrays), steps_of(x), (a0, c0))
    by_literal = [a for a, _ in states], states[1][1]
    for hidden, second_c in (by_package, by_literal):
        assert_printed(hidden[6][4, 3], 0.17211776753291672)
        assert_printed(softmax(Wy @ hidden[3] + by)[1, 4], 0.9508734618501101)
        assert_printed(second_c[1, 2], -0.8555449167181982)


def test_one_step_backward_gives_the_published_numbers() -> None:
    """The gradients of one step agree with "lstm_cell_backward" to the printed digits."""
    x, a_prev, c_prev, *arrays, _, _, da, dc = draw(
        1, (3, 10), (5, 10), (5, 10), *GATE_SHAPES, (2, 5), (2, 1), (5, 10), (5, 10)
    )
    p = in_package_order(named(arrays))
    cell_pass = LstmCell(5).start(p, 10, 10, Workspace(np.float64))
    cell_pass.z[...] = x.T @ p["Wax"] + p["ba"][:, np.newaxis]  # (4, 10, 5)
    cell_pass.step(slice(10), a_prev.T, (a_prev.T, c_prev.T))
    cell_pass.turn_back()
    cell_pass.differentiate(slice(10))
    dstate = [da.T.copy(), dc.T.copy()]
    da_prev = cell_pass.step_back(slice(10), dstate, None)
    own = Parameters(p.shapes, np.float64)
    cell_pass.recurrent_gradients(own, np.ascontiguousarray(a_prev.T))
    dz = cell_pass.z  # (4, 10, 5)
    own["Wax"][...], own["ba"][...] = x @ dz, dz.sum(axis=1)
    dx = (dz @ p["Wax"].swapaxes(1, 2)).sum(axis=0)  # (10, 3)
    by_package = dx.T, da_prev.T, dstate[1].T, columns("lstm", own)
    _, back = lstm_step(named(arrays), x, (a_prev, c_prev), 1.0)
    gradients = {name: np.zeros_like(array) for name, array in named(arrays).items()}
    dx, (da_prev, dc_prev) = back((da, dc), gradients)
    by_literal = dx, da_prev, dc_prev, gradients
    published = {
        "Wf": -0.1479548381644968, "Wi": 1.0574980552259903,
        "Wc": 2.3045621636876668, "Wo": 0.3313115952892109,
        "bf": 0.18864637, "bi": -0.40142491, "bc": 0.25587763, "bo": 0.13893342,
    }  # fmt: skip
    for on_x, on_a, on_c, on_parameters in (by_package, by_literal):
        assert_printed(on_x[INPUT_PLACE], 3.230559115109188)
        assert_printed(on_a[STATE_PLACE], -0.06396214197109236)
        assert_printed(on_c[STATE_PLACE], 0.7975220387970015)
        for name, printed in published.items():
            assert_printed(on_parameters[name][PLACES[name]], printed)


def sequence_exercise() -> tuple[Array, Array, Array, dict[str, Array], Array]:
    """Draw "lstm_backward": x of four steps, a0, c0, the parameters, the gradients da."""
    x, a0, *arrays, da = draw(1, (3, 10, 7), (5, 10), *GATE_SHAPES, (5, 10, 4))
    return x[:, :, :4], a0, np.zeros((5, 10)), named(arrays), da


def test_the_sequence_backward_gives_the_gradient() -> None:
    """The gradients of four steps are those of "lstm_backward", with da and dc carried."""
    x, a0, c0, p, da = sequence_exercise()
    parameters = in_package_order(p)
    layer = Recurrent(LstmCell(5), Projection())
    *_, pass_back = layer.forward(
        parameters, packed(x), [10] * 4, (a0.T, c0.T), NO_MASKS, Workspace(np.float64)
    )
    own = Parameters(parameters.shapes, np.float64)
    dx, (da0, _) = pass_back(packed(da), own)  # (40, 3), (10, 5)
    assert dx is not None
    by_package = [dx[10 * t : 10 * t + 10].T for t in range(4)], da0.T, columns("lstm", own)
    _, steps_back = forward("lstm", p, steps_of(x), (a0, c0))
    gradients, dxs, (da0, _) = backward(p, steps_back, steps_of(da), (a0, c0))
    by_literal = dxs, da0, gradients
    for on_xs, on_a0, on_parameters in (by_package, by_literal):
        for on_x, printed in zip(on_xs, CORRECT_DX, strict=True):
            assert_printed(on_x[INPUT_PLACE], printed)
        assert_printed(on_a0[STATE_PLACE], CORRECT_DA0)
        for name, printed in CORRECT.items():
            assert_printed(on_parameters[name][PLACES[name]], printed)


def test_the_published_sequence_backward_is_not_the_gradient() -> None:
    """The course goes back through each step as if it were the last one.

    Its loop carries neither da nor dc from a step to the step before. So each step lacks its
    influence on the hidden states of later steps. Such a loop reproduces the published numbers.
    Finite differences of the loss, the sum of da a over all steps, agree with the correct numbers.
    Of the published numbers, only that of x in the last step agrees.
    """
    x, a0, c0, p, da = sequence_exercise()
    xs, das = steps_of(x), steps_of(da)
    _, steps_back = forward("lstm", p, xs, (a0, c0))
    gradients = {name: np.zeros_like(array) for name, array in p.items()}
    nothing = np.zeros_like(c0)
    back_by_itself = [
        back((own_da, nothing), gradients) for back, own_da in zip(steps_back, das, strict=True)
    ]
    for (dx, _), printed in zip(back_by_itself, PUBLISHED_DX, strict=True):
        assert_printed(dx[INPUT_PLACE], printed)
    _, (da0, _) = back_by_itself[0]
    assert_printed(da0[STATE_PLACE], PUBLISHED_DA0)
    for name, printed in PUBLISHED.items():
        assert_printed(gradients[name][PLACES[name]], printed)

    def loss() -> float:
        states, _ = forward("lstm", p, xs, (a0, c0))
        return sum(float((own_da * a).sum()) for own_da, (a, _) in zip(das, states, strict=True))

    slopes = [
        *(finite_differences(loss, xs[t])[INPUT_PLACE] for t in range(4)),
        finite_differences(loss, a0)[STATE_PLACE],
        *(finite_differences(loss, p[name])[place] for name, place in PLACES.items()),
    ]
    correct = [*CORRECT_DX, CORRECT_DA0, *(CORRECT[name] for name in PLACES)]
    published = [*PUBLISHED_DX, PUBLISHED_DA0, *(PUBLISHED[name] for name in PLACES)]
    np.testing.assert_allclose(slopes, correct, rtol=0, atol=1e-8)
    differences = np.abs(np.subtract(slopes, published))
    assert differences[3] < 1e-8
    assert (np.delete(differences, 3) > 0.003).all()
