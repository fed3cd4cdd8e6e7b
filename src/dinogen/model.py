"""Trained models, as users of the library see them: load, sample, score and save."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from reprlib import repr as shorten
from typing import TYPE_CHECKING, Unpack
from unicodedata import normalize

from dinogen.arguments import as_items, as_path, convert
from dinogen.bounds import as_seed, check, in_words, new_seed
from dinogen.bundled import BUNDLED
from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.checkpoint.reading import load_checkpoint
from dinogen.data.statistics import TextStats
from dinogen.errors import CheckpointError, RanOutError, SettingError
from dinogen.generation.namer import Namer
from dinogen.generation.options import (
    BOUNDS,
    Options,
    SamplingOptions,
    TextOptions,
    given_options,
)
from dinogen.generation.rules import NameRules
from dinogen.threads import one_thread

if TYPE_CHECKING:
    from dinogen.generation.writer import Piece, Writer
    from dinogen.inspection.scores import Score


class Sampler(ABC):
    """What writes names or running text: a model, or a blend of models."""

    @property
    @abstractmethod
    def writes_text(self) -> bool:
        """Whether it writes running text, and not names."""

    @property
    @abstractmethod
    def namer(self) -> Namer:
        """The namer, which draws names as indices and spells them.

        Raises:
            CheckpointError: if it writes running text.
        """

    @property
    @abstractmethod
    def writer(self) -> "Writer":
        """The writer, which writes running text piece by piece.

        Raises:
            CheckpointError: if it writes names.
        """

    def sample(
        self,
        n: int = 10,
        seed: int | str | None = None,
        *,
        skip: int = 0,
        **options: Unpack[SamplingOptions],
    ) -> list[str]:
        """Draw names, or write texts, as ``dinogen sample`` prints them.

        Any number of threads may do this at the same time.

        Args:
            n: how many names or texts.
            seed: the random seed, a number or a text; None for a new one, which gives other names
                each time. The same seed and options give the same names or texts for any n.
            skip: how many candidates to skip at the start of the stream of names.
            options: attributes of `dinogen.generation.Options`, such as temperature and prefix; for
                running text, of `dinogen.generation.TextOptions`.

        Raises:
            SettingError: for an option that is unknown, of a wrong type, or does not fit the model,
                a number out of range, and constraints that no name can satisfy.
            RanOutError: if fewer than n names were found; it has them.
        """
        found: list[str] = []
        try:
            for text in self._draw(convert("n", n, int), seed, skip, options):
                found.append(text)  # noqa: PERF402
        except RanOutError as error:
            raise RanOutError(str(error), found) from None
        return found

    def stream(
        self, seed: int | str | None = None, *, skip: int = 0, **options: Unpack[SamplingOptions]
    ) -> Iterator[str]:
        """Return an endless iterator of names, or of texts, which are drawn as they are needed.

        Its first n items are those of `sample` for the same seed and options. It ends only with an
        error, if no other name can be found. The arguments are checked at once, and not when the
        first item is drawn. One iterator belongs to one thread.

        Args:
            seed: see `sample`.
            skip: see `sample`.
            options: see `sample`.

        Raises:
            SettingError: see `sample`.
            RanOutError: while the items are drawn, if no other name can be found. It has no names:
                they have been yielded.
        """
        return self._draw(None, seed, skip, options)

    def _draw(
        self, n: int | None, seed: int | str | None, skip: int, given: SamplingOptions
    ) -> Iterator[str]:
        """Check all arguments, and return an iterator of names or texts; endless without n."""
        chosen_seed = new_seed() if seed is None else as_seed(seed)
        skip = convert("skip", skip, int)
        check("skip", skip, BOUNDS)
        if not self.writes_text:
            namer = self.namer
            drawn = namer.draw(n, chosen_seed, self.options(**given), skip=skip)
            return (name for block in drawn for name in namer.spell(block.names))
        options = self.text_options(skip=skip or None, **given)
        texts = int(BOUNDS["n"][1]) if n is None else n
        return _join(self.writer.write(texts, chosen_seed, options))

    @staticmethod
    def options(**given: Unpack[SamplingOptions]) -> Options:
        """Return the sampling options of names.

        Options without a value are left out, and so are flags that are not set.

        Raises:
            SettingError: for an unknown option, one of running text, and a wrong value.
        """
        chosen, misfit = given_options(given, is_text=False)
        if misfit:
            raise SettingError(
                f"{in_words(misfit.option)} {misfit.reason}; min length and max length are for "
                "names"
            )
        return Options(**chosen)

    @staticmethod
    def text_options(skip: int | None = None, **given: Unpack[SamplingOptions]) -> TextOptions:
        """Return the options of running text.

        Options without a value are left out, and so are flags that are not set.

        Raises:
            SettingError: for an unknown option, one of names, and a wrong value.
        """
        chosen, misfit = given_options({"skip": skip, **given}, is_text=True)
        if misfit:
            raise SettingError(f"{in_words(misfit.option)} {misfit.reason}")
        return TextOptions(**chosen)


def _join(pieces: "Iterable[Piece]") -> Iterator[str]:
    """Yield texts from their pieces."""
    parts: list[str] = []
    for piece in pieces:
        parts.append(piece.text)
        if piece.is_last:
            yield "".join(parts)
            parts.clear()


class Model(Sampler):
    """A trained model that writes names or running text.

    It is not changed by its methods, so any number of threads may share it.

    Attributes:
        checkpoint: the data of the model: members, vocabulary, statistics and history.
        path: the file that it was loaded from; None if it was not.
    """

    def __init__(self, checkpoint: Checkpoint, path: str | Path | None = None) -> None:
        self.checkpoint = checkpoint
        self.path = path

    def __repr__(self) -> str:
        from dinogen.inspection.wording import describe_model

        source = "" if self.path is None else f"; {str(self.path)!r}"
        return f"<Model of {describe_model(self.checkpoint)}{source}>"

    @property
    def writes_text(self) -> bool:
        """See `Sampler.writes_text`."""
        return isinstance(self.checkpoint.corpus, TextStats)

    @cached_property
    def writer(self) -> "Writer":
        """See `Sampler.writer`."""
        if not self.writes_text:
            raise CheckpointError("the model writes names, and not running text")
        from dinogen.generation.writer import Writer

        data = self.checkpoint
        return Writer(data.mixture, data.vocabulary, data.decoding, data.case)

    @cached_property
    def namer(self) -> Namer:
        """See `Sampler.namer`."""
        data = self.checkpoint
        return Namer(
            data.mixture,
            data.vocabulary,
            data.case,
            data.known_names,
            NameRules.for_corpus(data.names, data.vocabulary, data.pairs),
            data.decoding,
        )

    @one_thread()
    def score(self, texts: str | Iterable[str]) -> "list[Score]":
        """Score given names or texts: the more nats, the less likely.

        Names are read like those of a list: in any case, and without the white space around them.
        Each running text is read from its start to its last symbol, line ends included. Scores are
        those of the model itself, at temperature 1 and without truncation.

        Args:
            texts: names, or running texts for a model of running text. A ``str`` is one of them.

        Returns:
            The score of each, in their order. One with a symbol that the model does not know has
            infinite nats, and the score says which symbol.

        Raises:
            SettingError: for anything but a text, and for a name with several lines.
        """
        from dinogen.inspection.passages import score_text
        from dinogen.inspection.scores import score_names

        given = [texts] if isinstance(texts, str) else as_items("texts", texts, "names or texts")
        for number, text in enumerate(given, start=1):
            if not isinstance(text, str):
                raise SettingError(f"text {number} must be a text, not {shorten(text)}")
        if self.writes_text:
            return [score_text(self.checkpoint, text) for text in given]
        names = [normalize("NFC", name.strip()) for name in given]
        for number, name in enumerate(names, start=1):
            if len(name.splitlines()) > 1:
                raise SettingError(
                    f"name {number}: {shorten(name)} has several lines; score each name alone"
                )
        found = score_names(self.checkpoint, names)
        return [replace(score, text=text) for score, text in zip(found, given, strict=True)]

    def save(self, path: str | Path) -> None:
        """Write the model to a checkpoint file. A checkpoint that is there is replaced.

        Raises:
            CheckpointError: if it cannot be written, or if another file is there. A file at the
                path is then unchanged.
        """
        from dinogen.checkpoint.writing import check_replaceable, save

        target = as_path("path", path)
        if Path(target).is_file():
            check_replaceable(target)
        save(self.checkpoint, target)


def load(path: str | Path | None = None) -> Model:
    """Load a model from a checkpoint file.

    Args:
        path: the path of the file. None for the dinosaurs that come with dinogen: always these, in
            any folder, and whatever the environment variables say.

    Raises:
        CheckpointError: for a file that cannot be read, or that is not a checkpoint.
    """
    path = BUNDLED if path is None else path
    return Model(load_checkpoint(as_path("path", path)), path)
