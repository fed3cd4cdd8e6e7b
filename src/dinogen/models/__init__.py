"""Language models: they give the probability of each next symbol."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.models.blend import Blend as Blend
    from dinogen.models.language_model import (
        MAX_BLOCK as MAX_BLOCK,
        MIN_BLOCK as MIN_BLOCK,
        MIN_PROBABILITY as MIN_PROBABILITY,
        LanguageModel as LanguageModel,
        max_block_size as max_block_size,
    )
    from dinogen.models.mixture import (
        PRIOR_COUNT as PRIOR_COUNT,
        Mixture as Mixture,
        fit_weights as fit_weights,
        mix as mix,
    )
    from dinogen.models.network.cell import Cell as Cell, CellPass as CellPass
    from dinogen.models.network.elman import ElmanCell as ElmanCell
    from dinogen.models.network.gru import GruCell as GruCell
    from dinogen.models.network.layers import (
        Embedding as Embedding,
        LayerMasks as LayerMasks,
        Projection as Projection,
        Readout as Readout,
        Recurrent as Recurrent,
        cross_entropy as cross_entropy,
        soft_cross_entropy as soft_cross_entropy,
        softmax as softmax,
    )
    from dinogen.models.network.lstm import LstmCell as LstmCell
    from dinogen.models.network.network import (
        CELLS as CELLS,
        MAX_PARAMETERS as MAX_PARAMETERS,
        Backpropagated as Backpropagated,
        Network as Network,
        NetworkConfig as NetworkConfig,
    )
    from dinogen.models.network.parameters import Parameters as Parameters, Workspace as Workspace
    from dinogen.models.network.products import (
        multiply as multiply,
        multiply_transposed as multiply_transposed,
        step_product as step_product,
    )
    from dinogen.models.ngram.automaton import Automaton as Automaton, dense_rows as dense_rows
    from dinogen.models.ngram.counts import (
        Level as Level,
        count as count,
        whole_counts as whole_counts,
    )
    from dinogen.models.ngram.kneser_ney import (
        NGram as NGram,
        estimate_discounts as estimate_discounts,
    )
    from dinogen.models.ngram.orders import likelihoods_by_order as likelihoods_by_order
    from dinogen.models.ngram.tree import GramTree as GramTree
    from dinogen.models.scoring import (
        distributions as distributions,
        likelihoods as likelihoods,
        mean_nats as mean_nats,
        next_probabilities as next_probabilities,
        score as score,
    )

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "blend": ["Blend"],
        "language_model": [
            "LanguageModel",
            "MAX_BLOCK",
            "MIN_BLOCK",
            "MIN_PROBABILITY",
            "max_block_size",
        ],
        "mixture": ["Mixture", "PRIOR_COUNT", "fit_weights", "mix"],
        "scoring": ["distributions", "likelihoods", "mean_nats", "next_probabilities", "score"],
        "network.cell": ["Cell", "CellPass"],
        "network.elman": ["ElmanCell"],
        "network.gru": ["GruCell"],
        "network.layers": [
            "Embedding",
            "LayerMasks",
            "Projection",
            "Readout",
            "Recurrent",
            "cross_entropy",
            "soft_cross_entropy",
            "softmax",
        ],
        "network.lstm": ["LstmCell"],
        "network.network": [
            "Backpropagated",
            "CELLS",
            "MAX_PARAMETERS",
            "Network",
            "NetworkConfig",
        ],
        "network.parameters": ["Parameters", "Workspace"],
        "network.products": ["multiply", "multiply_transposed", "step_product"],
        "ngram.automaton": ["Automaton", "dense_rows"],
        "ngram.counts": ["Level", "count", "whole_counts"],
        "ngram.kneser_ney": ["NGram", "estimate_discounts"],
        "ngram.orders": ["likelihoods_by_order"],
        "ngram.tree": ["GramTree"],
    },
)
