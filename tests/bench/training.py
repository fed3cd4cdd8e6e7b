"""Training speed, compared with literal loops, PyTorch, and the matrix products alone."""

from collections.abc import Callable
from itertools import islice, pairwise
from typing import Any

import numpy as np

from dinogen.data import Batch, Batches, Corpus
from dinogen.models import Network, NetworkConfig, Parameters
from dinogen.rng import Purpose, random_stream
from dinogen.training import PRINT_EVERY, ClassicRun, clip_by_global_norm, descend
from tests import literal
from tests.bench.timing import time_in_turns
from tests.networks import as_columns

BATCH_SIZE, UPDATES, SLOW_UPDATES, CLASSIC_STEPS = 32, 40, 2, 150
RATE, MOMENTUM, CLIP = 0.01, 0.9, 1.0

Function = Callable[[], object]


def measure(corpus: Corpus, hidden_size: int) -> dict[str, float]:
    """Return microseconds per update: SGD with momentum and clipping, without dropout."""
    batches = Batches(corpus.names, BATCH_SIZE, seed=1)
    batch = [batches[step] for step in range(UPDATES)]
    symbols = len(corpus.vocabulary)
    functions = {
        "dinogen": dinogen(batch, symbols, hidden_size),
        "limit": products(batch, symbols, hidden_size),
    }
    if (torch := pytorch(batch, symbols, hidden_size)) is not None:
        functions["pytorch"] = torch
    seconds = time_in_turns(functions)
    figures = {name: s / UPDATES * 1e6 for name, s in seconds.items()}
    slow = time_in_turns({"": loops(corpus, batch[:SLOW_UPDATES], hidden_size)}, rounds=3)[""]
    return figures | {"literal": slow / SLOW_UPDATES * 1e6}


def measure_classic(corpus: Corpus) -> dict[str, float]:
    """Return microseconds per iteration of the classic recipe, one name each."""
    starts, symbols = corpus.names.starts.tolist(), corpus.names.symbols.tolist()
    names = [symbols[i : j - 1] for i, j in pairwise(starts)]
    # The first iteration samples names; the ones that are timed do not.
    updates = ClassicRun(corpus, steps=PRINT_EVERY).train()
    next(updates)

    def fast() -> None:
        for _ in islice(updates, CLASSIC_STEPS):
            pass

    def slow() -> None:
        p = literal.initial_course_network(len(corpus.vocabulary))
        for _ in literal.train_course(p, names, CLASSIC_STEPS):
            pass

    seconds = time_in_turns({"dinogen": fast, "literal": slow})
    return {name: s / CLASSIC_STEPS * 1e6 for name, s in seconds.items()}


def dinogen(batch: list[Batch], symbols: int, hidden_size: int) -> Function:
    """Train with the package's network and optimiser."""
    model = Network(NetworkConfig(symbols, hidden_size))
    model.initialise(random_stream(1, Purpose.INITIALISE))
    velocity = Parameters(model.config.shapes, np.float32)

    def run() -> None:
        for b in batch:
            gradients = model.loss_and_gradients(b).gradients
            gradients.vector /= len(b.targets)
            clip_by_global_norm(gradients, CLIP)
            descend(model.parameters, gradients, velocity, RATE, MOMENTUM)

    return run


def products(batch: list[Batch], symbols: int, hidden_size: int) -> Function:
    """Compute the same matrix products and tanh calls, and nothing else."""
    random = np.random.default_rng(1)

    def draw(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    H, V, longest = hidden_size, symbols, max(len(b.inputs) for b in batch)
    Waa, Wya, Wya_T = draw(H, H) / H, draw(H, V), draw(V, H)
    a, dz, da, one_hot, logits = (draw(longest, n) for n in (H, H, H, V, V))
    product, gaa, gya, gax = draw(BATCH_SIZE, H), draw(H, H), draw(H, V), draw(V, H)

    def run() -> None:
        for b in batch:
            S, end = len(b.inputs), 0
            for n in b.batch_sizes:
                start, end = end, end + n
                np.dot(dz[start:end], Waa, out=product[:n])
                np.tanh(a[start:end], out=da[start:end])
            np.dot(a[:S], Wya, out=logits[:S])
            np.dot(logits[:S], Wya_T, out=da[:S])
            for n in reversed(b.batch_sizes):
                np.dot(dz[end - n : end], Waa, out=product[:n])
                end -= n
            np.dot(one_hot[:S].T, dz[:S], out=gax)
            np.dot(a[:S].T, dz[:S], out=gaa)
            np.dot(a[:S].T, one_hot[:S], out=gya)

    return run


def loops(corpus: Corpus, batch: list[Batch], hidden_size: int) -> Function:
    """Run the literal loops: a product per step and name, one-hot inputs, float64."""
    p = as_columns(Network(NetworkConfig(len(corpus.vocabulary), hidden_size)))
    a0 = np.zeros((hidden_size, 1))
    starts, symbols = corpus.names.starts.tolist(), corpus.names.symbols.tolist()
    names = [symbols[starts[row] : starts[row + 1]] for b in batch for row in b.rows]

    def run() -> None:
        for name in names:
            literal.forward_backward(p, [0, *name[:-1]], name, a0)

    return run


def pytorch(batch: list[Batch], symbols: int, hidden_size: int) -> Function | None:
    """Train the same network as ``nn.RNN``, on padded batches; None without torch."""
    try:
        import torch
        from torch import nn
    except ImportError:
        return None
    torch.set_num_threads(1)

    class Rnn(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(symbols, hidden_size)
            self.rnn = nn.RNN(hidden_size, hidden_size)
            self.readout = nn.Linear(hidden_size, symbols)

        def forward(self, inputs: Any) -> Any:
            return self.readout(self.rnn(self.embedding(inputs))[0])

    batches = []
    for b in batch:
        shape = (len(b.batch_sizes), b.batch_sizes[0])
        inputs, targets = np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
        end = 0
        for t, n in enumerate(b.batch_sizes):
            start, end = end, end + n
            inputs[t, :n], targets[t, :n] = b.inputs[start:end], b.targets[start:end]
        batches.append((torch.from_numpy(inputs), torch.from_numpy(targets)))
    network = Rnn()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)

    def run() -> None:
        for inputs, targets in batches:
            optimizer.zero_grad()
            logits = network(inputs).view(-1, symbols)
            nn.functional.cross_entropy(logits, targets.view(-1), ignore_index=-1).backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()

    return run
