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

UPDATES, SLOW_UPDATES, CLASSIC_STEPS = 20, 2, 150
RATE, MOMENTUM, CLIP = 0.01, 0.9, 1.0

GATES = {"rnn": 1, "gru": 3, "lstm": 4}

Function = Callable[[], object]


def measure(
    corpus: Corpus, cell: str, layers: int, hidden_size: int, batch_size: int
) -> dict[str, Any]:
    """Return microseconds per update: SGD with momentum and clipping, without dropout."""
    config = NetworkConfig(len(corpus.vocabulary), hidden_size, cell, layers)
    batches = Batches(corpus.names, batch_size, seed=1)
    batch = [batches[step] for step in range(UPDATES)]
    candidates = {
        "dinogen": dinogen(batch, config),
        "limit": products(batch, config),
        "pytorch": pytorch(batch, config, packed=True),
        "pytorch, padded": pytorch(batch, config, packed=False),
    }
    functions = {name: run for name, run in candidates.items() if run is not None}
    seconds = time_in_turns(functions)
    figures: dict[str, Any] = {name: s / UPDATES * 1e6 for name, s in seconds.items()}
    figures["network"] = f"{cell} {layers} × {hidden_size}, batch {batch_size}"
    if cell == "rnn":
        slow = time_in_turns({"": loops(corpus, batch[:SLOW_UPDATES], config)}, rounds=3)[""]
        figures["literal"] = slow / SLOW_UPDATES * 1e6
    return figures


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


def dinogen(batch: list[Batch], config: NetworkConfig) -> Function:
    """Train with the package's network and optimiser."""
    model = Network(config)
    model.initialise(random_stream(1, Purpose.INITIALISE))
    velocity = Parameters(model.config.shapes, np.float32)

    def run() -> None:
        for b in batch:
            gradients = model.loss_and_gradients(b).gradients
            clip_by_global_norm(gradients, CLIP, 1 / len(b.targets))
            descend(model.parameters, gradients, velocity, RATE, MOMENTUM)

    return run


def products(batch: list[Batch], config: NetworkConfig) -> Function:
    """Compute the same matrix products and tanh calls, and nothing else.

    The products of all gates of a step are one product.
    """
    random = np.random.default_rng(1)

    def draw(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    H, V = config.hidden_size, config.vocab_size
    S, N = max(len(b.inputs) for b in batch), max(b.batch_sizes[0] for b in batch)
    G = GATES[config.cell] * H
    Waa, Waa_T, Wya, Wya_T = draw(H, G) / H, draw(G, H) / H, draw(H, V), draw(V, H)
    a, z, dz, da, logits, one_hot = (draw(S, n) for n in (H, G, G, H, V, V))
    forward, backward = draw(N, G), draw(N, H)
    gaa, gax, gya = draw(H, G), draw(V, G), draw(H, V)
    is_lstm = config.cell == "lstm"

    def run() -> None:
        for b in batch:
            S = len(b.inputs)
            for layer in range(config.layers):
                if layer:
                    np.dot(a[:S], Waa, out=dz[:S])
                end = 0
                for n in b.batch_sizes:
                    start, end = end, end + n
                    np.dot(a[start:end], Waa, out=forward[:n])
                    np.tanh(z[start:end], out=dz[start:end])
                    if is_lstm:
                        np.tanh(a[start:end], out=da[start:end])
            np.dot(a[:S], Wya, out=logits[:S])
            np.dot(logits[:S], Wya_T, out=da[:S])
            np.dot(a[:S].T, logits[:S], out=gya)
            for layer in range(config.layers):
                end = S
                for n in reversed(b.batch_sizes):
                    np.dot(dz[end - n : end], Waa_T, out=backward[:n])
                    end -= n
                np.dot(a[:S].T, dz[:S], out=gaa)
                if layer:
                    np.dot(a[:S].T, dz[:S], out=gaa)
                    np.dot(dz[:S], Waa_T, out=da[:S])
                else:
                    np.dot(one_hot[:S].T, dz[:S], out=gax)

    return run


def loops(corpus: Corpus, batch: list[Batch], config: NetworkConfig) -> Function:
    """Run the literal loops: a product per step and name, one-hot inputs, float64."""
    p = as_columns(Network(config))
    a0 = np.zeros((config.hidden_size, 1))
    starts, symbols = corpus.names.starts.tolist(), corpus.names.symbols.tolist()
    names = [symbols[starts[row] : starts[row + 1]] for b in batch for row in b.rows]

    def run() -> None:
        for name in names:
            literal.forward_backward(p, [0, *name[:-1]], name, a0)

    return run


def pytorch(batch: list[Batch], config: NetworkConfig, *, packed: bool) -> Function | None:
    """Train the same network with PyTorch's own layers; None without torch.

    The inputs are one-hot vectors, as here. An embedding as large as the hidden state takes longer.

    Args:
        batch: the batches.
        config: the network.
        packed: whether the sequences are packed, or padded to the length of the longest.
    """
    try:
        import torch
        from torch import nn
        from torch.nn.utils.rnn import PackedSequence
    except ImportError:
        return None
    torch.set_num_threads(1)
    H, V = config.hidden_size, config.vocab_size
    layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[config.cell]

    class Net(nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.one_hot = torch.eye(V)
            self.recurrent = layer(V, H, config.layers)
            self.readout = nn.Linear(H, V)

        def forward(self, inputs: Any, sizes: Any) -> Any:
            x = self.one_hot[inputs]
            if packed:
                return self.readout(self.recurrent(PackedSequence(x, sizes))[0].data)
            return self.readout(self.recurrent(x)[0]).view(-1, V)

    batches = []
    for b in batch:
        inputs, targets = b.inputs.astype(np.int64), b.targets.astype(np.int64)
        if not packed:
            shape = (len(b.batch_sizes), b.batch_sizes[0])
            running = np.arange(shape[1]) < np.array(b.batch_sizes)[:, np.newaxis]
            padded_inputs, padded_targets = np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
            padded_inputs[running], padded_targets[running] = inputs, targets
            inputs, targets = padded_inputs, padded_targets
        tensors = map(torch.from_numpy, (inputs, targets))
        batches.append((*tensors, torch.tensor(b.batch_sizes)))
    network = Net()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)

    def run() -> None:
        for inputs, targets, sizes in batches:
            optimizer.zero_grad()
            logits = network(inputs, sizes)
            nn.functional.cross_entropy(logits, targets.view(-1), ignore_index=-1).backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()

    return run
