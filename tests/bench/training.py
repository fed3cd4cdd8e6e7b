"""Training speed: the engine, the literal loops, PyTorch, and the products alone."""

from collections.abc import Callable
from itertools import islice, pairwise
from typing import Any

import numpy as np

from dinogen.models.parameters import Parameters
from dinogen.models.rnn import RNN, RNNConfig
from dinogen.text.corpus import Corpus
from dinogen.text.packing import Packed
from dinogen.training.batching import Batches
from dinogen.training.classic import PRINT_EVERY, ClassicRun
from dinogen.training.loop import initialise
from dinogen.training.optimizer import clip_by_global_norm, descend
from tests import literal
from tests.bench.timing import side_by_side
from tests.networks import as_columns

BATCH_SIZE, UPDATES, SLOW_UPDATES, CLASSIC_STEPS = 32, 40, 2, 150
RATE, MOMENTUM, CLIP = 0.01, 0.9, 1.0

Rival = Callable[[], object]


def measure(corpus: Corpus, hidden_size: int) -> dict[str, float]:
    """Microseconds an update, plain SGD with momentum and clipping, without dropout."""
    batches = Batches(corpus.names, BATCH_SIZE, seed=1)
    packed = [batches[step] for step in range(UPDATES)]
    symbols = len(corpus.vocabulary)
    rivals = {
        "dinogen": engine(packed, symbols, hidden_size),
        "limit": limit(packed, symbols, hidden_size),
    }
    if (torch := pytorch(packed, symbols, hidden_size)) is not None:
        rivals["pytorch"] = torch
    seconds = side_by_side(rivals)
    figures = {name: s / UPDATES * 1e6 for name, s in seconds.items()}
    slow = side_by_side({"": loops(corpus, packed[:SLOW_UPDATES], hidden_size)}, rounds=3)[""]
    return figures | {"literal": slow / SLOW_UPDATES * 1e6}


def measure_classic(corpus: Corpus) -> dict[str, float]:
    """Microseconds an iteration of the classic recipe, one name each."""
    starts, symbols = corpus.names.starts.tolist(), corpus.names.symbols.tolist()
    names = [symbols[i : j - 1] for i, j in pairwise(starts)]
    # Names are sampled at the first iteration, and then not within the ones that are timed.
    ours = ClassicRun(corpus, steps=PRINT_EVERY).train()
    next(ours)

    def fast() -> None:
        for _ in islice(ours, CLASSIC_STEPS):
            pass

    def plain() -> None:
        p = literal.start_course(len(corpus.vocabulary))
        for _ in literal.train_course(p, names, CLASSIC_STEPS):
            pass

    seconds = side_by_side({"dinogen": fast, "literal": plain})
    return {name: s / CLASSIC_STEPS * 1e6 for name, s in seconds.items()}


def engine(packed: list[Packed], symbols: int, hidden_size: int) -> Rival:
    """The engine with its optimiser."""
    model = initialise(RNNConfig(symbols, hidden_size), seed=1)
    velocity = Parameters(model.config.shapes, np.float32)

    def run() -> None:
        for b in packed:
            a0 = model.start(b.sizes[0])
            gradients = model.loss_and_gradients(b.inputs, b.targets, b.sizes, a0).gradients
            gradients.vector /= len(b.targets)
            clip_by_global_norm(gradients, CLIP)
            descend(model.parameters, gradients, velocity, RATE, MOMENTUM)

    return run


def limit(packed: list[Packed], symbols: int, hidden_size: int) -> Rival:
    """The same matrix products and tanh calls, with nothing around them."""
    random = np.random.default_rng(1)

    def room(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    H, V, longest = hidden_size, symbols, max(len(b.inputs) for b in packed)
    Waa, Wya, Wya_T = room(H, H) / H, room(H, V), room(V, H)
    a, dz, da, one_hot, logits = (room(longest, n) for n in (H, H, H, V, V))
    product, gaa, gya, gax = room(BATCH_SIZE, H), room(H, H), room(H, V), room(V, H)

    def run() -> None:
        for b in packed:
            S, end = len(b.inputs), 0
            for n in b.sizes:
                start, end = end, end + n
                np.dot(dz[start:end], Waa, out=product[:n])
                np.tanh(a[start:end], out=da[start:end])
            np.dot(a[:S], Wya, out=logits[:S])
            np.dot(logits[:S], Wya_T, out=da[:S])
            for n in reversed(b.sizes):
                np.dot(dz[end - n : end], Waa, out=product[:n])
                end -= n
            np.dot(one_hot[:S].T, dz[:S], out=gax)
            np.dot(a[:S].T, dz[:S], out=gaa)
            np.dot(a[:S].T, one_hot[:S], out=gya)

    return run


def loops(corpus: Corpus, packed: list[Packed], hidden_size: int) -> Rival:
    """The literal loops: a product per step and name, one-hot inputs, float64."""
    p = as_columns(RNN(RNNConfig(len(corpus.vocabulary), hidden_size)))
    a0 = np.zeros((hidden_size, 1))
    starts, symbols = corpus.names.starts.tolist(), corpus.names.symbols.tolist()
    names = [symbols[starts[row] : starts[row + 1]] for b in packed for row in b.rows]

    def run() -> None:
        for name in names:
            literal.forward_backward(p, [0, *name[:-1]], name, a0)

    return run


def pytorch(packed: list[Packed], symbols: int, hidden_size: int) -> Rival | None:
    """The same network as ``nn.RNN``, on padded batches; None where torch is not installed."""
    try:
        import torch
        from torch import nn
    except ImportError:
        return None
    torch.set_num_threads(1)

    class Network(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(symbols, hidden_size)
            self.rnn = nn.RNN(hidden_size, hidden_size)
            self.readout = nn.Linear(hidden_size, symbols)

        def forward(self, inputs: Any) -> Any:
            return self.readout(self.rnn(self.embedding(inputs))[0])

    batches = []
    for b in packed:
        shape = (len(b.sizes), b.sizes[0])
        inputs, targets = np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
        end = 0
        for t, n in enumerate(b.sizes):
            start, end = end, end + n
            inputs[t, :n], targets[t, :n] = b.inputs[start:end], b.targets[start:end]
        batches.append((torch.from_numpy(inputs), torch.from_numpy(targets)))
    network = Network()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)

    def run() -> None:
        for inputs, targets in batches:
            optimizer.zero_grad()
            logits = network(inputs).view(-1, symbols)
            nn.functional.cross_entropy(logits, targets.view(-1), ignore_index=-1).backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()

    return run
