"""Learns from any list of names and writes new ones that look as if they belonged to it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dinogen.version import __version__ as __version__

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint as Checkpoint
    from dinogen.checkpoint.reading import load as load
    from dinogen.checkpoint.writing import save as save
    from dinogen.errors import CheckpointError as CheckpointError
    from dinogen.errors import CorpusError as CorpusError
    from dinogen.errors import DinogenError as DinogenError
    from dinogen.errors import RanOutError as RanOutError
    from dinogen.errors import SettingError as SettingError
    from dinogen.errors import TrainingError as TrainingError
    from dinogen.generation.scoring import score as score
    from dinogen.models.language_model import LanguageModel as LanguageModel
    from dinogen.models.mixture import Mixture as Mixture
    from dinogen.models.ngram import NGram as NGram
    from dinogen.models.rnn import RNN as RNN
    from dinogen.text.corpus import Corpus as Corpus
    from dinogen.text.corpus import read_corpus as read_corpus
    from dinogen.training.classic import ClassicRun as ClassicRun
    from dinogen.training.loop import DefaultRun as DefaultRun
    from dinogen.training.settings import Settings as Settings

_HOMES = {
    "Checkpoint": "checkpoint.contents",
    "CheckpointError": "errors",
    "ClassicRun": "training.classic",
    "Corpus": "text.corpus",
    "CorpusError": "errors",
    "DefaultRun": "training.loop",
    "DinogenError": "errors",
    "LanguageModel": "models.language_model",
    "Mixture": "models.mixture",
    "NGram": "models.ngram",
    "RNN": "models.rnn",
    "RanOutError": "errors",
    "SettingError": "errors",
    "Settings": "training.settings",
    "TrainingError": "errors",
    "load": "checkpoint.reading",
    "read_corpus": "text.corpus",
    "save": "checkpoint.writing",
    "score": "generation.scoring",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: ``dinogen --help`` needs none of NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'dinogen' has no attribute {name!r}")
    return getattr(import_module(f"dinogen.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
