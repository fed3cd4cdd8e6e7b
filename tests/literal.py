"""Slow, literal versions of the network and of the course's program, in plain loops.

They follow the equations symbol by symbol, in the course's orientation: column vectors, one-hot
inputs, one matrix product per step. Tests compare the package with them; the benchmark times them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Arrays = Mapping[str, Array]

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
    p: Arrays, inputs: Sequence[int | None], targets: Sequence[int], a0: Array
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


# One step of a cell, forward and back. A mask multiplies the hidden state that the products read.

State = tuple[Array, ...]
"""(n_a, m) arrays: the hidden state a, and for an LSTM the cell state c."""

StepBack = Callable[[State, dict[str, Array]], tuple[Array, State]]
"""Takes the gradient on the state after the step. Adds the gradients on the parameters to those
given. Returns the gradients on x and on the state before the step."""

Mask = Array | float


def sigmoid(z: Array) -> Array:
    """Compute the logistic function."""
    result: Array = 1 / (1 + np.exp(-z))
    return result


def rnn_step(p: Arrays, x: Array, state: State, mask: Mask) -> tuple[State, StepBack]:
    """One step of the vanilla RNN: a = tanh(Wax x + Waa a_prev + b)."""
    read = mask * state[0]
    a = np.tanh(p["Wax"] @ x + p["Waa"] @ read + p["b"])

    def back(dstate: State, gradients: dict[str, Array]) -> tuple[Array, State]:
        dz = (1 - a**2) * dstate[0]
        gradients["Wax"] += dz @ x.T
        gradients["Waa"] += dz @ read.T
        gradients["b"] += dz.sum(axis=1, keepdims=True)
        return p["Wax"].T @ dz, (mask * (p["Waa"].T @ dz),)

    return (a,), back


def lstm_step(p: Arrays, x: Array, state: State, mask: Mask) -> tuple[State, StepBack]:
    """One step of the course's LSTM: c = f c_prev + i g, a = o tanh(c).

    Each gate reads [a_prev; x]. Its weights Wf, Wi, Wo and Wc are (n_a, n_a + n_x).
    """
    a_prev, c_prev = state
    size = len(a_prev)
    joined = np.concatenate([mask * a_prev, x])
    f = sigmoid(p["Wf"] @ joined + p["bf"])
    i = sigmoid(p["Wi"] @ joined + p["bi"])
    o = sigmoid(p["Wo"] @ joined + p["bo"])
    g = np.tanh(p["Wc"] @ joined + p["bc"])
    c = f * c_prev + i * g
    a = o * np.tanh(c)

    def back(dstate: State, gradients: dict[str, Array]) -> tuple[Array, State]:
        da, dc_next = dstate
        dc = dc_next + da * o * (1 - np.tanh(c) ** 2)
        df = dc * c_prev * f * (1 - f)
        di = dc * g * i * (1 - i)
        do = da * np.tanh(c) * o * (1 - o)
        dg = dc * i * (1 - g**2)
        for gate, dz in {"f": df, "i": di, "o": do, "c": dg}.items():
            gradients[f"W{gate}"] += dz @ joined.T
            gradients[f"b{gate}"] += dz.sum(axis=1, keepdims=True)
        djoined = p["Wf"].T @ df + p["Wi"].T @ di + p["Wo"].T @ do + p["Wc"].T @ dg
        return djoined[size:], (mask * djoined[:size], dc * f)

    return (a, c), back


def gru_step(p: Arrays, x: Array, state: State, mask: Mask) -> tuple[State, StepBack]:
    """One step of the GRU: a = u g + (1 - u) a_prev.

    The gates r and u read [a_prev; x]. The candidate g reads [r a_prev; x].
    """
    a_prev = state[0]
    size = len(a_prev)
    read = mask * a_prev
    joined = np.concatenate([read, x])
    r = sigmoid(p["Wr"] @ joined + p["br"])
    u = sigmoid(p["Wu"] @ joined + p["bu"])
    reset = np.concatenate([r * read, x])
    g = np.tanh(p["Wg"] @ reset + p["bg"])
    a = u * g + (1 - u) * a_prev

    def back(dstate: State, gradients: dict[str, Array]) -> tuple[Array, State]:
        da = dstate[0]
        dg = da * u * (1 - g**2)
        dreset = p["Wg"].T @ dg
        dr = dreset[:size] * read * r * (1 - r)
        du = da * (g - a_prev) * u * (1 - u)
        for gate, dz, factor in (("r", dr, joined), ("u", du, joined), ("g", dg, reset)):
            gradients[f"W{gate}"] += dz @ factor.T
            gradients[f"b{gate}"] += dz.sum(axis=1, keepdims=True)
        djoined = p["Wr"].T @ dr + p["Wu"].T @ du
        dread = djoined[:size] + dreset[:size] * r
        return djoined[size:] + dreset[size:], (mask * dread + (1 - u) * da,)

    return (a,), back


STEPS = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}


def forward(
    cell: str, p: Arrays, xs: Sequence[Array], initial: State, mask: Mask = 1.0
) -> tuple[list[State], list[StepBack]]:
    """Go forward through a sequence; returns the state after each step, and the steps back."""
    states, steps_back = [], []
    state = initial
    for x in xs:
        state, back = STEPS[cell](p, x, state, mask)
        states.append(state)
        steps_back.append(back)
    return states, steps_back


def backward(
    p: Arrays, steps_back: Sequence[StepBack], das: Sequence[Array], initial: State
) -> tuple[dict[str, Array], list[Array], State]:
    """Go back through a sequence, and carry the gradients on all arrays of the state.

    Args:
        p: the parameters.
        steps_back: the steps back that `forward` returned.
        das: the gradient on the hidden state of each step, except through later steps.
        initial: the state before the first step.

    Returns:
        The gradients on the parameters, on each x, and on the initial state.
    """
    gradients = {name: np.zeros_like(array) for name, array in p.items()}
    dstate: State = tuple(np.zeros_like(array) for array in initial)
    dxs = []
    for back, da in zip(reversed(steps_back), reversed(das), strict=True):
        dx, dstate = back((dstate[0] + da, *dstate[1:]), gradients)
        dxs.append(dx)
    return gradients, dxs[::-1], dstate


@dataclass
class StackPass:
    """The result of a pass over one name by a stack of layers.

    Attributes:
        loss: the summed cross-entropy, in nats.
        gradients: on the parameters of each layer.
        dinitial: the gradient on the initial state of each layer.
    """

    loss: float
    gradients: list[dict[str, Array]]
    dinitial: list[State]


def stack_pass(
    cell: str,
    layers: Sequence[Arrays],
    inputs: Sequence[int],
    targets: Sequence[int],
    initial: Sequence[State],
) -> StackPass:
    """Go forward and back through one name, layer by layer.

    Args:
        cell: the cell of every layer, a name in `STEPS`.
        layers: the parameters of each layer; the last has Wya (V, H) and by (V, 1), too.
        inputs: the symbols read.
        targets: the symbols that follow.
        initial: the initial state of each layer, (H, 1) arrays.
    """
    Wya, by = layers[-1]["Wya"], layers[-1]["by"]
    xs = [one_hot(symbol, len(by)) for symbol in inputs]
    steps_back = []
    for p, state in zip(layers, initial, strict=True):
        states, back = forward(cell, p, xs, state)
        steps_back.append(back)
        xs = [after[0] for after in states]
    loss, dys = 0.0, []
    for a, target in zip(xs, targets, strict=True):
        y = softmax(Wya @ a + by)
        loss -= float(np.log(y[target, 0]))
        y[target] -= 1
        dys.append(y)
    das = [Wya.T @ dy for dy in dys]
    gradients, dinitial = [], []
    for p, back, state in zip(layers[::-1], steps_back[::-1], initial[::-1], strict=True):
        own, das, dstate = backward(p, back, das, state)
        gradients.append(own)
        dinitial.append(dstate)
    for a, dy in zip(xs, dys, strict=True):
        gradients[0]["Wya"] += dy @ a.T
        gradients[0]["by"] += dy
    return StackPass(loss, gradients[::-1], dinitial[::-1])


# The course's program.


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


def sample_course(p: Arrays, seed: int, max_length: int = 50) -> list[int]:
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
