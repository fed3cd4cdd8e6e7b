"""Learns from lists of names or running text, and writes more that looks as if it belonged."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports
from dinogen.version import __version__ as __version__

if TYPE_CHECKING:
    from dinogen.checkpoint.checkpoint import Checkpoint as Checkpoint
    from dinogen.checkpoint.writing import save as save
    from dinogen.data.corpus import Corpus as Corpus, read_corpus as read_corpus
    from dinogen.data.texts import TextCorpus as TextCorpus, read_texts as read_texts
    from dinogen.errors import (
        CheckpointError as CheckpointError,
        CorpusError as CorpusError,
        DinogenError as DinogenError,
        RanOutError as RanOutError,
        SettingError as SettingError,
        TrainingError as TrainingError,
    )
    from dinogen.model import (
        BlendedModel as BlendedModel,
        Model as Model,
        blend as blend,
        load as load,
    )
    from dinogen.models.language_model import LanguageModel as LanguageModel
    from dinogen.models.mixture import Mixture as Mixture
    from dinogen.models.network.network import Network as Network
    from dinogen.models.ngram.kneser_ney import NGram as NGram
    from dinogen.models.scoring import score as score
    from dinogen.training.classic import ClassicRun as ClassicRun
    from dinogen.training.default import DefaultRun as DefaultRun
    from dinogen.training.settings import Settings as Settings

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "checkpoint.checkpoint": ["Checkpoint"],
        "checkpoint.writing": ["save"],
        "data.corpus": ["Corpus", "read_corpus"],
        "data.texts": ["TextCorpus", "read_texts"],
        "errors": [
            "CheckpointError",
            "CorpusError",
            "DinogenError",
            "RanOutError",
            "SettingError",
            "TrainingError",
        ],
        "model": ["BlendedModel", "Model", "blend", "load"],
        "models.language_model": ["LanguageModel"],
        "models.mixture": ["Mixture"],
        "models.network.network": ["Network"],
        "models.ngram.kneser_ney": ["NGram"],
        "models.scoring": ["score"],
        "training.classic": ["ClassicRun"],
        "training.default": ["DefaultRun"],
        "training.settings": ["Settings"],
    },
)
