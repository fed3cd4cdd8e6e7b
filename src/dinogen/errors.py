"""What can go wrong, as one small tree: every message names the thing, the value and the remedy."""


class DinogenError(Exception):
    """Any failure that the person at the keyboard can do something about."""


class CorpusError(DinogenError):
    """A list of names that cannot be learned from, or a text that is no list of names."""


class SettingError(DinogenError):
    """A setting outside of its range, or one that contradicts another."""


class TrainingError(DinogenError):
    """A training run that came to nothing."""


class RanOutError(DinogenError):
    """Fewer names than were wanted: all that can be found with reasonable effort was given."""


class CheckpointError(DinogenError):
    """A checkpoint that cannot be read, cannot be written, or does not fit what it is used for."""
