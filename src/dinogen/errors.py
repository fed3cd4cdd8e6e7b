"""Exceptions. Each message says what is wrong, where, and what to do."""

from collections.abc import Iterable


class DinogenError(Exception):
    """Base class of all errors that a user can correct."""


class CorpusError(DinogenError):
    """A corpus cannot be read, is not a list of names or running text, or is too small."""


class SettingError(DinogenError):
    """A setting is out of range or contradicts another setting."""


class TrainingError(DinogenError):
    """Training failed."""


class RanOutError(DinogenError):
    """Fewer names were found than were requested.

    Attributes:
        names: the names that were found, if `Model.sample` raises it; else none.
    """

    def __init__(self, message: str, names: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.names = [*names]


class CheckpointError(DinogenError):
    """A checkpoint cannot be read or written, or does not fit its use."""


def os_reason(error: OSError) -> str:
    """Return what the operating system says about an error, as part of a message."""
    return (error.strerror or str(error)).lower()
