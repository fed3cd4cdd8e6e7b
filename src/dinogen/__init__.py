"""Learns from lists of names or running text, and writes more that looks as if it belonged."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports
from dinogen.version import __version__ as __version__

if TYPE_CHECKING:
    from dinogen.blending import BlendedModel as BlendedModel, blend as blend
    from dinogen.checkpoint.checkpoint import Checkpoint as Checkpoint
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
    from dinogen.generation.options import SamplingOptions as SamplingOptions
    from dinogen.inspection.scores import Score as Score
    from dinogen.learning import TrainingSettings as TrainingSettings, train as train
    from dinogen.model import Model as Model, load as load
    from dinogen.training.default import DefaultRun as DefaultRun
    from dinogen.training.run import Progress as Progress

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "blending": ["BlendedModel", "blend"],
        "checkpoint.checkpoint": ["Checkpoint"],
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
        "generation.options": ["SamplingOptions"],
        "inspection.scores": ["Score"],
        "learning": ["TrainingSettings", "train"],
        "model": ["Model", "load"],
        "training.default": ["DefaultRun"],
        "training.run": ["Progress"],
    },
)
