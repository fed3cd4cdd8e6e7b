"""Slow, literal versions of the network and of the course's program, in plain loops.

They follow the equations symbol by symbol, in the course's orientation: column vectors, one-hot
inputs, one matrix product per step. Tests compare the package with them; the benchmark times them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HIDDEN, RATE, CLIP = 50, 0.01, 5.0


def draw(seed: int, *shapes: tuple[int, ...]) -> list[Array]:
    """Draw arrays as the course's exercises do, all from one seed."""
    random = np.random.RandomState(seed)
    return [random.randn(*shape) for shape in shapes]


def one_hot(symbol: int | None, size: int) -> Array:
    """(V, 1) with a 1 at the symbol; zeros for None."""
    column = np.zeros((size, 1))
    if symbol is not None:
        column[symbol] = 1
    return column


def softmax(logits: Array) -> Array:
    """Softmax of a column."""
    e = np.exp(logits - logits.max())
    result: Array = e / e.sum(axis=0)
    return result


@dataclass
class Pass:
    """The result of a pass over one name.

    Attributes:
        loss: the summed cross-entropy, in nats.
        gradients: on the parameters.
        da0: the gradient on the initial hidden state.
        a: the last hidden state.
    """

    loss: float
    gradients: dict[str, Array]
    da0: Array
    a: Array


def forward_backward(
    p: Mapping[str, Array], inputs: Sequence[int | None], targets: Sequence[int], a0: Array
) -> Pass:
    """Go forward and back through one name, a step at a time.

    Args:
        p: Wax (H, V), Waa (H, H), Wya (V, H), b (H, 1), by (V, 1).
        inputs: the symbols read; None for a vector of zeros.
        targets: the symbols that follow.
        a0: (H, 1) the initial hidden state.
    """
    size = len(p["by"])
    xs, hidden, ys = [], [a0], []
    loss = 0.0
    for symbol, target in zip(inputs, targets, strict=True):
        x = one_hot(symbol, size)
        a = np.tanh(p["Wax"] @ x + p["Waa"] @ hidden[-1] + p["b"])
        y = softmax(p["Wya"] @ a + p["by"])
        loss -= float(np.log(y[target, 0]))
        xs.append(x)
        hidden.append(a)
        ys.append(y)
    gradients = {name: np.zeros_like(array) for name, array in p.items()}
    da_next = np.zeros_like(a0)
    for t in reversed(range(len(targets))):
        dy = ys[t].copy()
        dy[targets[t]] -= 1
        gradients["Wya"] += dy @ hidden[t + 1].T
        gradients["by"] += dy
        da = p["Wya"].T @ dy + da_next
        dz = (1 - hidden[t + 1] ** 2) * da
        gradients["b"] += dz
        gradients["Wax"] += dz @ xs[t].T
        gradients["Waa"] += dz @ hidden[t].T
        da_next = p["Waa"].T @ dz
    return Pass(loss, gradients, da_next, hidden[-1])


def stack_loss(
    layers: Sequence[Mapping[str, Array]], inputs: Sequence[int], targets: Sequence[int]
) -> float:
    """Return the loss of one name in a stack of layers, which start from zeros.

    Args:
        layers: of each layer Wax, Waa and b; the last one's Wya and by are used.
        inputs: the symbols read.
        targets: the symbols that follow.
    """
    size = len(layers[-1]["by"])
    hidden = [np.zeros_like(p["b"]) for p in layers]
    loss = 0.0
    for symbol, target in zip(inputs, targets, strict=True):
        x = one_hot(symbol, size)
        for i, p in enumerate(layers):
            hidden[i] = np.tanh(p["Wax"] @ x + p["Waa"] @ hidden[i] + p["b"])
            x = hidden[i]
        y = softmax(layers[-1]["Wya"] @ x + layers[-1]["by"])
        loss -= float(np.log(y[target, 0]))
    return loss


def initial_course_network(size: int) -> dict[str, Array]:
    """Draw the initial network of the course's program, for V symbols."""
    random = np.random.RandomState(1)
    return {
        "Wax": random.randn(HIDDEN, size) * 0.01,
        "Waa": random.randn(HIDDEN, HIDDEN) * 0.01,
        "Wya": random.randn(size, HIDDEN) * 0.01,
        "b": np.zeros((HIDDEN, 1)),
        "by": np.zeros((size, 1)),
    }


def train_course(
    p: dict[str, Array], names: Sequence[Sequence[int]], iterations: int
) -> Iterator[float]:
    """Run the course's program over names of indices without ends; yields smoothed losses."""
    order = list(range(len(names)))
    np.random.RandomState(0).shuffle(order)
    smoothed = -np.log(1 / len(p["by"])) * 7
    a_prev = np.zeros((HIDDEN, 1))
    for j in range(iterations):
        name = names[order[j % len(names)]]
        done = forward_backward(p, [None, *name], [*name, 0], a_prev)
        a_prev = done.a
        for key, gradient in done.gradients.items():
            p[key] -= RATE * np.clip(gradient, -CLIP, CLIP)
        smoothed = 0.999 * smoothed + 0.001 * done.loss
        yield float(smoothed)


def sample_course(p: Mapping[str, Array], seed: int, max_length: int = 50) -> list[int]:
    """Draw one name by the course's rule, its end included."""
    size = len(p["by"])
    x, a = one_hot(None, size), np.zeros((len(p["b"]), 1))
    drawn: list[int] = []
    while len(drawn) < max_length and (not drawn or drawn[-1] != 0):
        a = np.tanh(p["Wax"] @ x + p["Waa"] @ a + p["b"])
        y = softmax(p["Wya"] @ a + p["by"])
        chosen = np.random.RandomState(seed + 2 * len(drawn)).choice(size, p=y.ravel())
        drawn.append(int(chosen))
        x = one_hot(drawn[-1], size)
    return drawn
