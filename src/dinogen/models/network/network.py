"""The recurrent network: an embedding, a stack of recurrent layers, a readout."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dinogen.data.batches import Batch
from dinogen.data.sequences import END
from dinogen.models.language_model import Array, Rows, Symbols
from dinogen.models.network.cell import Cell, CellState
from dinogen.models.network.elman import ElmanCell
from dinogen.models.network.gru import GruCell
from dinogen.models.network.layers import (
    NO_MASKS,
    Embedding,
    LayerMasks,
    Projection,
    Readout,
    Recurrent,
    softmax,
)
from dinogen.models.network.lstm import LstmCell
from dinogen.models.network.parameters import Parameters, Shapes, Workspace

NetworkState = tuple[CellState, ...]
"""The state of each layer, from the first to the last."""

CELLS: Mapping[str, type[Cell]] = {"rnn": ElmanCell, "gru": GruCell, "lstm": LstmCell}
"""The cells by the name that settings and checkpoints use."""

MAX_PARAMETERS = 1 << 25
"""The maximum number of parameters. A resumable checkpoint stores the best parameters, the current
ones and the velocity: 384 MiB in float32."""


class NetworkConfig(NamedTuple):
    """The kind and the size of a network.

    Attributes:
        vocab_size: V symbols, the end of a name included.
        hidden_size: H hidden units in each layer.
        cell: the kind of cell, a name in `CELLS`.
        layers: the number of recurrent layers.
    """

    vocab_size: int
    hidden_size: int
    cell: str = "rnn"
    layers: int = 1

    @property
    def layer_shapes(self) -> list[Shapes]:
        """The shapes of the arrays of each recurrent layer."""
        cell = CELLS[self.cell](self.hidden_size)
        inputs = [self.vocab_size] + [self.hidden_size] * (self.layers - 1)
        return [cell.shapes(size) for size in inputs]

    @property
    def shapes(self) -> Shapes:
        """The shapes of all arrays. Inputs are on the left of a product: ``x @ Wax``."""
        shapes = {
            layer_prefix(layer) + name: shape
            for layer, own in enumerate(self.layer_shapes)
            for name, shape in own.items()
        }
        return shapes | dict(Readout.shapes(self.hidden_size, self.vocab_size))

    @property
    def parameter_count(self) -> int:
        """The number of parameters."""
        return sum(map(prod, self.shapes.values()))


def layer_prefix(layer: int) -> str:
    """Return the prefix of the names of a layer's arrays; empty for the first layer."""
    return f"layer{layer + 1}." if layer else ""


class Backpropagated(NamedTuple):
    """The result of a pass forward and backward. The arrays are valid until the next pass.

    Attributes:
        loss: the summed cross-entropy in nats.
        gradients: the gradient on every parameter.
        dstate: the gradient on the initial state.
        state: the state after the last step, of the names that are still running then.
    """

    loss: float
    gradients: Parameters
    dstate: NetworkState
    state: NetworkState


class Network:
    """A recurrent network over symbols; a `LanguageModel`.

    The first layer computes a_t = cell(Wax[x_t] + ba, a_{t-1}). Each other layer reads the hidden
    states below it. The last hidden states give p(x_{t+1} | x_1 ... x_t) = softmax(a_t Wya + by).
    This is the language model of Mikolov et al. (2010), equations 1 to 5.

    Attributes:
        config: the kind and size of the network.
        parameters: the arrays of `NetworkConfig.shapes`.
    """

    def __init__(
        self,
        config: NetworkConfig,
        dtype: DTypeLike = np.float32,
        parameters: Parameters | None = None,
    ) -> None:
        """Set up a network.

        Args:
            config: the kind and size of the network.
            dtype: the dtype of all arrays, unless parameters are given.
            parameters: arrays to share with another network of this kind; zeros if left out.
        """
        self.config = config
        self.parameters = Parameters(config.shapes, dtype) if parameters is None else parameters
        dtype = self.parameters.vector.dtype
        cell = CELLS[config.cell]
        self._layers = [
            Recurrent(cell(config.hidden_size), Projection() if layer else Embedding())
            for layer in range(config.layers)
        ]
        self._readout = Readout()
        self._arrays = self._by_layer(self.parameters)
        self._workspaces = [Workspace(dtype) for _ in range(config.layers + 1)]

    def _by_layer(self, parameters: Parameters) -> list[dict[str, Array]]:
        """Return the arrays of each recurrent layer and of the readout, by names without prefix."""
        groups = [
            parameters.group(layer_prefix(layer), shapes)
            for layer, shapes in enumerate(self.config.layer_shapes)
        ]
        readout = Readout.shapes(self.config.hidden_size, self.config.vocab_size)
        return [*groups, parameters.group("", readout)]

    @cached_property
    def _gradients(self) -> tuple[Parameters, list[dict[str, Array]]]:
        """Memory for the gradients: as a whole, and by layer. Only training allocates it."""
        gradients = Parameters(self.config.shapes, self.parameters.vector.dtype)
        return gradients, self._by_layer(gradients)

    def initialise(self, random: np.random.Generator) -> None:
        """Draw initial parameters, in place."""
        *recurrent, readout = self._arrays
        for number, (layer, p) in enumerate(zip(self._layers, recurrent, strict=True)):
            cell = layer.cell
            scale = 1 / np.sqrt(self.config.hidden_size) if number else cell.embedding_scale
            cell.initialise(p, random, scale)
        self._readout.initialise(readout, random)

    # The language model: one symbol of each name at a time.

    @property
    def vocab_size(self) -> int:
        """See `LanguageModel.vocab_size`."""
        return self.config.vocab_size

    def begin(self, n: int) -> tuple[NetworkState, Array]:
        """See `LanguageModel.begin`: the network reads `END`, as after the name before."""
        return self.advance(self.blank(n), np.full(n, END))

    def blank(self, n: int) -> NetworkState:
        """See `LanguageModel.blank`."""
        return tuple(layer.cell.blank(n, self.parameters.vector.dtype) for layer in self._layers)

    def advance(self, state: NetworkState, symbols: Symbols) -> tuple[NetworkState, Array]:
        """See `LanguageModel.advance`."""
        x: NDArray[Any] = symbols
        after = []
        for layer, p, before in zip(self._layers, self._arrays[:-1], state, strict=True):
            cell_state = layer.step(p, x, before)
            after.append(cell_state)
            x = cell_state[0]  # (N, H)
        return tuple(after), softmax(self._readout.logits(self._arrays[-1], x)).T  # (N, V)

    def select(self, state: NetworkState, rows: Rows) -> NetworkState:
        """See `LanguageModel.select`."""
        return tuple([tuple([array[rows] for array in layer]) for layer in state])

    # Training: all symbols of a batch at once.

    def loss_and_gradients(
        self,
        batch: Batch,
        state: NetworkState | None = None,
        masks: Sequence[LayerMasks] | None = None,
    ) -> Backpropagated:
        """Backpropagate through time (Werbos 1990) over a batch, without truncation.

        Args:
            batch: N packed names of S symbols.
            state: the state of the N names before the first step; `blank` if left out.
            masks: the dropout masks of each layer; no dropout if left out.
        """
        gradients, (*recurrent_gradients, readout_gradients) = self._gradients
        if state is None:
            state = self.blank(batch.batch_sizes[0])
        *recurrent, readout = self._arrays
        x: NDArray[Any] = batch.inputs
        after, backward_passes = [], []
        for layer, p, before, mask, workspace in zip(
            self._layers,
            recurrent,
            state,
            masks or [NO_MASKS] * len(self._layers),
            self._workspaces[:-1],
            strict=True,
        ):
            x, end_state, backward = layer.forward(p, x, batch.batch_sizes, before, mask, workspace)
            after.append(end_state)
            backward_passes.append(backward)
        loss, da = self._readout.loss(readout, readout_gradients, x, batch, self._workspaces[-1])
        dstate: list[CellState] = []
        for backward, own in zip(
            reversed(backward_passes), reversed(recurrent_gradients), strict=True
        ):
            dx, initial = backward(da, own)
            dstate.append(initial)
            if dx is not None:
                da = dx  # (S, H)
        return Backpropagated(loss, gradients, tuple(reversed(dstate)), tuple(after))
