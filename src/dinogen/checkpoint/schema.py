"""The schema of a checkpoint, declared once for writing and for reading.

A checkpoint file holds one JSON text and arrays. `HEADER` declares the fields of the JSON text that
are attributes of a `Checkpoint`. `MEMBER_KINDS` declares each kind of model: the fields that
describe it, and its arrays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.checkpoint import (
    NETWORK,
    NGRAM,
    Checkpoint,
    HeldOut,
    HistoryRow,
    Lineage,
    ResumeState,
    TrainingStats,
)
from dinogen.checkpoint.fields import (
    Boolean,
    Checked,
    Choice,
    Converted,
    Field,
    Integer,
    ListOf,
    Malformed,
    MapOf,
    Name,
    Nullable,
    Number,
    Record,
    Scalar,
    Symbol,
    Text,
    Word,
    json_object,
)
from dinogen.data.bloom import MAX_BYTES, BloomFilter
from dinogen.data.case import CaseRule
from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.hangul import is_syllable
from dinogen.data.known import OriginNames
from dinogen.data.marks import MAX_PAIRS
from dinogen.data.shapes import MAX_SHAPES_SIZE, WordShape
from dinogen.data.statistics import CorpusStats, TextStats
from dinogen.data.units import CHARACTER, MAX_WORDS, UNITS, WORD
from dinogen.data.vocabulary import MAX_VOCABULARY_SIZE, Vocabulary
from dinogen.generation.decoding import Decoding
from dinogen.generation.options import BOUNDS
from dinogen.models.language_model import LanguageModel
from dinogen.models.mixture import Mixture
from dinogen.models.network.network import CELLS, MAX_PARAMETERS, Network, NetworkConfig
from dinogen.models.ngram.automaton import MAX_TABLE, dense_rows
from dinogen.models.ngram.kneser_ney import MAX_DISCOUNT, MAX_GRAMS, MIN_DISCOUNT, NGram
from dinogen.models.ngram.tree import GramTree

FORMAT = 5
"""The version of the schema. Raise it when older files cannot be read any more, or when older
versions could not read new files. A new required field does the former."""

HEADER_NAME = "meta"
"""The array that holds the JSON text."""

_KNOWN = "known"
_ORIGIN = "origin"
_RESUME = "resume"

# Limits for untrusted files.

MAX_HIDDEN_SIZE = 4_096
MAX_LAYERS = 16
MAX_MEMBERS = 16
MAX_NUMBERS = MAX_PARAMETERS + MAX_GRAMS + MAX_TABLE
"""The maximum number of parameters and table entries of all members together."""

MAX_ROWS = 1 << 12
MAX_SYMBOLS = 0x110000
MAX_FIELDS = 64
MAX_SAMPLES = 100
MAX_RESUME_ARRAYS = 192
MAX_DIMENSIONS = 4

_DTYPES: Mapping[str, type[np.floating]] = {
    "float16": np.float16,
    "float32": np.float32,
    "float64": np.float64,
}

AnyArray = NDArray[Any]


class ArraySpec(NamedTuple):
    """The dtype and the shape of an array."""

    dtype: type[np.generic]
    shape: tuple[int, ...]


class ArraySource(Protocol):
    """The source from which arrays are read."""

    @property
    def names(self) -> set[str]:
        """The names of all arrays."""
        ...

    def array(self, name: str, dtype: type[np.generic], shape: tuple[int, ...]) -> AnyArray:
        """Read an array and check its dtype, its shape, and that its numbers are finite."""
        ...


# The fields of the JSON text.


class VocabularyField:
    """A vocabulary. In JSON, it is an object with the unit and the symbols."""

    def read(self, value: object, name: str) -> Vocabulary:
        """See `Field.read`."""
        values = json_object(value, name)
        unit = UNITS[Choice((*UNITS,)).read(values.get("unit"), "unit")]
        symbol = Symbol("\t") if unit is CHARACTER else Word()
        symbols = ListOf(symbol, MAX_SYMBOLS).read(values.get("symbols"), name)
        if symbols != sorted(set(symbols)):
            raise Malformed(f"{name} is not in order")
        if all(map(str.isspace, symbols)):
            raise Malformed(f"{name} has only white space, of which no name can be made")
        if any(map(is_syllable, symbols)) and unit is CHARACTER:
            raise Malformed(f"{name} has a syllable instead of its letters")
        vocabulary = Vocabulary(symbols, unit)
        if unit is WORD and vocabulary.size > MAX_VOCABULARY_SIZE:
            raise Malformed(f"{name} is too long")
        return vocabulary

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return {"unit": value.unit.name, "symbols": [*value.symbols]}


def _check_corpus(corpus: CorpusStats) -> str | None:
    """Return what is wrong with the statistics of a corpus, if anything."""
    distinct = corpus.lines - corpus.duplicates
    if distinct < 2 or corpus.names not in (distinct, corpus.lines):
        return "has numbers of lines, names and duplicates that contradict each other"
    if corpus.shortest > corpus.longest:
        return "has a shortest name that is longer than the longest"
    return None


def _check_text(text: TextStats) -> str | None:
    """Return what is wrong with the statistics of running text, if anything."""
    if not text.texts <= text.lines <= text.symbols:
        return "has numbers of texts, lines and symbols that contradict each other"
    return None


def _check_pairs(numbers: list[int]) -> str | None:
    """Return what is wrong with pairs of neighbours, which are written one after the other."""
    pairs = [*zip(numbers[::2], numbers[1::2], strict=False)]
    if len(numbers) % 2 or any(one >= other for one, other in pairwise(pairs)):
        return "is not in order"
    return None


def _check_history(history: list[HistoryRow]) -> str | None:
    """Return what is wrong with a history, if anything."""
    if any(before.step > after.step for before, after in pairwise(history)):
        return "is not in order"
    if any(before.losses.keys() != after.losses.keys() for before, after in pairwise(history)):
        return "has rows with different losses"
    return None


class HistoryRowField:
    """A row of the history. In JSON, step and losses are fields of one object."""

    def read(self, value: object, name: str) -> HistoryRow:
        """See `Field.read`."""
        row = dict(json_object(value, name))
        step = Integer(low=1).read(row.pop("step", None), "step")
        samples = ListOf(Text(), MAX_SAMPLES).read(row.pop("samples", []), "samples")
        return HistoryRow(step, MapOf(Nullable(Number()), MAX_FIELDS).read(row, name), samples)

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        samples = {"samples": list(value.samples)} if value.samples else {}
        return {"step": value.step, **value.losses, **samples}


def _check_shapes(shapes: list[WordShape]) -> str | None:
    """Return what is wrong with the word shapes of a case rule, if anything."""
    if sum(node.size for node in shapes) > MAX_SHAPES_SIZE:
        return "is too long"
    if len({node.text for node in shapes}) < len(shapes):
        return "has two shapes for one beginning of a word"
    return None


class CaseInfo(NamedTuple):
    """A case rule in the JSON text."""

    fold: bool
    capital_after: frozenset[str]
    shapes: tuple[WordShape, ...]


SHAPE = Checked(Text(), lambda shape: "has other signs than X and x" if shape.strip("Xx") else None)

CASE = Converted(
    Record(
        CaseInfo,
        {
            "fold": Boolean(),
            "capital_after": Converted(ListOf(Symbol("\n"), MAX_SYMBOLS), frozenset, sorted),
            "shapes": Converted(
                Checked(
                    ListOf(
                        Record(WordShape, {"text": Text(newlines=True), "shape": SHAPE}),
                        MAX_SHAPES_SIZE,
                    ),
                    _check_shapes,
                ),
                tuple,
                list,
            ),
        },
    ),
    lambda info: CaseRule(*info),
    lambda case: CaseInfo(*case),
)

NAMES: Field[CorpusStats] = Checked(
    Record(
        CorpusStats,
        {
            "lines": Integer(low=2),
            "names": Integer(low=2),
            "duplicates": Integer(),
            "shortest": Integer(low=1, high=MAX_WORDS),
            "longest": Integer(low=1, high=MAX_WORDS),
            "sha256": Text(),
            "weight": Nullable(Number(low=0)),
        },
    ),
    _check_corpus,
)

TEXT: Field[TextStats] = Checked(
    Record(
        TextStats,
        {
            "texts": Integer(low=1),
            "lines": Integer(low=1),
            "symbols": Integer(low=2),
            "sha256": Text(),
        },
    ),
    _check_text,
)


class CorpusField:
    """The statistics of a corpus. In JSON, ``content`` says whether it is names or text.

    Attributes:
        kinds: the statistics of each content.
    """

    kinds: Mapping[str, Field[Any]] = {"names": NAMES, "text": TEXT}

    def read(self, value: object, name: str) -> CorpusStats | TextStats:
        """See `Field.read`."""
        content = json_object(value, name).get("content")
        kind = Choice((*self.kinds,)).read(content, f"the content of {name}")
        stats: CorpusStats | TextStats = self.kinds[kind].read(value, name)
        return stats

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return {"content": value.content, **self.kinds[value.content].write(value)}


PAIRS = Converted(
    Checked(ListOf(Integer(high=MAX_SYMBOLS), 2 * MAX_PAIRS), _check_pairs),
    lambda numbers: np.array(numbers, dtype=np.uint32).reshape(-1, 2),
    lambda pairs: pairs.reshape(-1).tolist(),
)

DECODING = Record(
    Decoding,
    {
        "temperature": Number(*BOUNDS["temperature"]),
        "top_k": Nullable(Integer(1, MAX_SYMBOLS)),
        "top_p": Nullable(Number(*BOUNDS["top_p"])),
        "min_p": Nullable(Number(*BOUNDS["min_p"])),
        "keep": Number(*BOUNDS["keep"]),
    },
)

TRAINING = Record(
    TrainingStats,
    {
        "seed": Integer(high=2**64 - 1),
        "steps": Integer(),
        "seconds": Number(low=0),
        "interrupted": Boolean(),
        "settings": MapOf(Scalar(), MAX_FIELDS),
    },
)

HELD_OUT = Record(
    HeldOut,
    {
        "size": Integer(low=1),
        "nats_per_symbol": Number(),
        "members": MapOf(Number(), MAX_MEMBERS),
        "frequencies": Number(),
    },
)

LINEAGE = Record(
    Lineage,
    {
        "name": Text(),
        "digest": Text(),
        "cell": Choice((*CELLS,)),
        "layers": Integer(low=1, high=MAX_LAYERS),
        "hidden_size": Integer(low=1, high=MAX_HIDDEN_SIZE),
        "symbols": Integer(),
        "steps": Integer(),
        "nats_per_symbol": Nullable(Number()),
    },
)

HEADER: Mapping[str, Field[Any]] = {
    "version": Text(),
    "recipe": Name(),
    "vocabulary": VocabularyField(),
    "case": CASE,
    "corpus": CorpusField(),
    "pairs": PAIRS,
    "decoding": DECODING,
    "training": TRAINING,
    "lineage": Nullable(LINEAGE),
    "held_out": Nullable(HELD_OUT),
    "history": Checked(ListOf(HistoryRowField(), MAX_ROWS), _check_history),
}
"""The attributes of a `Checkpoint` that are stored in its JSON text."""


# The members of the mixture.

M = TypeVar("M", bound=LanguageModel)
Info = TypeVar("Info")

DTYPE = Converted(Choice((*_DTYPES,)), _DTYPES.__getitem__, lambda dtype: np.dtype(dtype).name)


@dataclass(frozen=True, eq=False)
class MemberKind(Generic[M, Info]):
    """How one kind of model is stored.

    Attributes:
        type: the class of the model.
        info: the fields that describe a model.
        describe: returns the values of these fields.
        size: returns the number of parameters or table entries of a model of V symbols.
        max_size: the maximum of ``size``.
        specs: returns the dtypes and shapes of the arrays of a model of V symbols, by name.
        arrays: returns the arrays of a model, by the same names.
        build: builds a model of V symbols from its arrays; raises `Malformed`.
    """

    type: type[M]
    info: Record[Info]
    describe: Callable[[M], Info]
    size: Callable[[Info, int], int]
    max_size: int
    specs: Callable[[Info, int], Mapping[str, ArraySpec]]
    arrays: Callable[[M], Mapping[str, AnyArray]]
    build: Callable[[Info, int, Mapping[str, AnyArray]], M]


class NetworkInfo(NamedTuple):
    """The description of a network."""

    cell: str
    layers: int
    hidden_size: int
    dtype: type[np.floating]

    def config(self, vocab_size: int) -> NetworkConfig:
        """Return the configuration of a network of V symbols."""
        return NetworkConfig(vocab_size, self.hidden_size, self.cell, self.layers)


def _describe_network(network: Network) -> NetworkInfo:
    """Return the description of a network."""
    config = network.config
    dtype = network.parameters.vector.dtype.type
    return NetworkInfo(config.cell, config.layers, config.hidden_size, dtype)


def _build_network(info: NetworkInfo, vocab_size: int, arrays: Mapping[str, AnyArray]) -> Network:
    """Build a network of V symbols from its arrays. In float16 it is stored, but never computed."""
    dtype = np.float32 if info.dtype is np.float16 else info.dtype
    network = Network(info.config(vocab_size), dtype)
    network.parameters.fill(arrays)
    return network


class NGramInfo(NamedTuple):
    """The description of an n-gram model."""

    order: int
    contexts: int
    grams: int


def _describe_ngram(ngram: NGram) -> NGramInfo:
    """Return the description of an n-gram model."""
    return NGramInfo(ngram.order, ngram.tree.contexts, len(ngram.tree.symbols) - 1)


def _ngram_specs(info: NGramInfo, vocab_size: int) -> Mapping[str, ArraySpec]:
    """Return the dtypes and shapes of the arrays of an n-gram model, by name."""
    tree = {
        name: ArraySpec(dtype, (info.grams + 1,))
        for name, dtype in GramTree.dtypes(vocab_size).items()
    }
    return {**tree, "discounts": ArraySpec(np.float64, (info.order, len(MAX_DISCOUNT)))}


def _build_ngram(info: NGramInfo, vocab_size: int, arrays: Mapping[str, AnyArray]) -> NGram:
    """Build an n-gram model of V symbols from its arrays, and check that they are valid."""
    tree = GramTree(**{name: arrays[name] for name in GramTree._fields})
    if not tree.is_sound(info.order, vocab_size):
        raise Malformed("its n-grams are not a tree")
    if tree.contexts != info.contexts:
        raise Malformed("its number of contexts is not what it says")
    discounts = arrays["discounts"]
    if not ((discounts >= MIN_DISCOUNT) & (discounts <= MAX_DISCOUNT)).all():
        raise Malformed("its discounts are out of bounds")
    return NGram(tree, discounts, vocab_size)


_NETWORK_KIND = "network"
_NGRAM_KIND = "ngram"

MEMBER_KINDS: Mapping[str, MemberKind[Any, Any]] = {
    _NETWORK_KIND: MemberKind(
        type=Network,
        info=Record(
            NetworkInfo,
            {
                "cell": Choice((*CELLS,)),
                "layers": Integer(low=1, high=MAX_LAYERS),
                "hidden_size": Integer(low=1, high=MAX_HIDDEN_SIZE),
                "dtype": DTYPE,
            },
        ),
        describe=_describe_network,
        size=lambda info, vocab_size: info.config(vocab_size).parameter_count,
        max_size=MAX_PARAMETERS,
        specs=lambda info, vocab_size: {
            name: ArraySpec(info.dtype, shape)
            for name, shape in info.config(vocab_size).shapes.items()
        },
        arrays=lambda network: network.parameters,
        build=_build_network,
    ),
    _NGRAM_KIND: MemberKind(
        type=NGram,
        info=Record(
            NGramInfo,
            {
                "order": Integer(low=1, high=MAX_NAME_LENGTH),
                "contexts": Integer(low=1),
                "grams": Integer(low=1, high=MAX_GRAMS),
            },
        ),
        describe=_describe_ngram,
        # The tables of a small tree can be large.
        size=lambda info, V: info.grams + dense_rows(info.contexts, V) * V,
        max_size=MAX_GRAMS + MAX_TABLE,
        specs=_ngram_specs,
        arrays=lambda ngram: {**ngram.tree._asdict(), "discounts": ngram.discounts},
        build=_build_ngram,
    ),
}
"""The kinds of models, by the name that a checkpoint stores."""


class MemberEntry(NamedTuple):
    """A member of the mixture in the JSON text: its kind, its weight and its description."""

    kind: str
    weight: float
    info: Any


class MemberField:
    """A member of the mixture. In JSON, kind, weight and description are fields of one object."""

    def read(self, value: object, name: str) -> MemberEntry:
        """See `Field.read`."""
        values = json_object(value, name)
        kind = Choice((*MEMBER_KINDS,)).read(values.get("kind"), f"the kind of {name}")
        weight = Number(0, 1).read(values.get("weight"), f"the weight of {name}")
        return MemberEntry(kind, weight, MEMBER_KINDS[kind].info.read(value, name))

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        info = MEMBER_KINDS[value.kind].info.write(value.info)
        return {"kind": value.kind, "weight": value.weight, **info}


class ResumeEntry(NamedTuple):
    """The resume state in the JSON text: the numbers, and the dtype and shape of each array."""

    numbers: Mapping[str, int | float]
    arrays: Mapping[str, ArraySpec]


def _check_members(entries: Mapping[str, MemberEntry]) -> str | None:
    """Return what is wrong with the names of members, if anything."""
    # These are the prefixes of other arrays.
    for name in (_ORIGIN, _RESUME):
        if name in entries:
            return f"has a member named {name}"
    return None


_MEMBER_ENTRIES = Checked(MapOf(MemberField(), MAX_MEMBERS), _check_members)

_ORIGIN_ENTRY = Nullable(
    Checked(
        Integer(low=1, high=MAX_BYTES),
        lambda size: "is not a power of two" if size & (size - 1) else None,
    )
)
"""The size of the filter of the origin's names, in bytes."""

_RESUME_ENTRY = Record(
    ResumeEntry,
    {
        "numbers": MapOf(Number(), MAX_FIELDS, Name(dotted=True)),
        "arrays": MapOf(
            Record(
                ArraySpec,
                {
                    "dtype": DTYPE,
                    "shape": Converted(
                        ListOf(Integer(high=MAX_PARAMETERS), MAX_DIMENSIONS), tuple, list
                    ),
                },
            ),
            MAX_RESUME_ARRAYS,
            Name(dotted=True),
        ),
    },
)


# The whole checkpoint.


def to_parts(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """Split a checkpoint into the object of its JSON text and its arrays, by name.

    Raises:
        Malformed: for a field that `from_parts` would refuse.
    """
    header = _header(checkpoint)
    # What is written can be read again.
    _read_header(header)
    arrays = {
        _KNOWN: checkpoint.known,
        **{
            f"{name}.{array_name}": array
            for name, member in checkpoint.mixture.members.items()
            for array_name, array in MEMBER_KINDS[_kind_of(member)].arrays(member).items()
        },
        **{f"{_RESUME}.{name}": array for name, array in checkpoint.resume.arrays.items()},
    }
    if checkpoint.origin_names:
        names = checkpoint.origin_names
        arrays |= {f"{_ORIGIN}.bits": names.digests.bits, f"{_ORIGIN}.read": names.read}
    return header, arrays


def _header(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the object of the JSON text."""
    entries = {
        name: _entry(member, checkpoint.mixture.weights[name])
        for name, member in checkpoint.mixture.members.items()
    }
    names = checkpoint.origin_names
    resume = ResumeEntry(
        checkpoint.resume.numbers,
        {
            name: ArraySpec(array.dtype.type, array.shape)
            for name, array in checkpoint.resume.arrays.items()
        },
    )
    return {
        "format": FORMAT,
        **{name: field.write(getattr(checkpoint, name)) for name, field in HEADER.items()},
        "members": _MEMBER_ENTRIES.write(entries),
        "origin_names": _ORIGIN_ENTRY.write(names and len(names.digests.bits)),
        "resume": _RESUME_ENTRY.write(resume),
    }


def _entry(member: LanguageModel, weight: float) -> MemberEntry:
    """Return the entry of a member in the JSON text."""
    kind = _kind_of(member)
    return MemberEntry(kind, weight, MEMBER_KINDS[kind].describe(member))


def _kind_of(member: LanguageModel) -> str:
    """Return the name of a member's kind."""
    for name, kind in MEMBER_KINDS.items():
        if isinstance(member, kind.type):
            return name
    raise Malformed(f"a model of the class {type(member).__name__} cannot be stored")


def from_parts(header: Mapping[str, object], source: ArraySource) -> Checkpoint:
    """Build a checkpoint from its parts. The inverse of `to_parts`.

    All names, dtypes, shapes and sizes are checked before an array is read.

    Args:
        header: the object of the JSON text, untrusted.
        source: the source of the arrays, untrusted.

    Raises:
        Malformed: if any part is invalid.
    """
    values = _read_header(header)
    entries: dict[str, MemberEntry] = values.pop("members")
    resume: ResumeEntry = values.pop("resume")
    filter_size: int | None = values.pop("origin_names")
    if problem := _contradiction(values, entries):
        raise Malformed(problem)
    V = len(values["vocabulary"])
    _check_sizes(entries, V)
    corpus: CorpusStats | TextStats = values["corpus"]
    names = corpus.distinct if isinstance(corpus, CorpusStats) else 0
    known = {_KNOWN: ArraySpec(np.uint64, (names,))}
    specs = {name: MEMBER_KINDS[entry.kind].specs(entry.info, V) for name, entry in entries.items()}
    origin: dict[str, ArraySpec] = {}
    if filter_size:
        bits, read = ArraySpec(np.uint8, (filter_size,)), ArraySpec(np.uint32, (V + 1,))
        origin = {"bits": bits, "read": read}
    groups = {"": known, **specs, _ORIGIN: origin, _RESUME: resume.arrays}
    _check_names(source.names, groups)
    members = {
        name: MEMBER_KINDS[entry.kind].build(entry.info, V, _read(source, name, specs[name]))
        for name, entry in entries.items()
    }
    try:
        mixture = Mixture(members, {name: entry.weight for name, entry in entries.items()})
    except ValueError as error:
        raise Malformed(str(error)) from None
    digests = _read(source, "", known)[_KNOWN]
    if not (digests[1:] > digests[:-1]).all():
        raise Malformed("its digests are not in order")
    state = ResumeState(_read(source, _RESUME, resume.arrays), resume.numbers)
    learned = _origin_names(_read(source, _ORIGIN, origin))
    return Checkpoint(mixture=mixture, known=digests, resume=state, origin_names=learned, **values)


def _origin_names(arrays: Mapping[str, AnyArray]) -> OriginNames | None:
    """Build the names of the origin from their arrays, if there are any."""
    if not arrays:
        return None
    if arrays["read"].max() > MAX_SYMBOLS:
        raise Malformed("the symbols of its origin are out of bounds")
    return OriginNames(BloomFilter(arrays["bits"]), arrays["read"])


def _read_header(header: Mapping[str, object]) -> dict[str, Any]:
    """Check all fields of the JSON text, and convert them."""
    whole: Record[dict[str, Any]] = Record(
        dict,
        {
            **HEADER,
            "members": _MEMBER_ENTRIES,
            "origin_names": _ORIGIN_ENTRY,
            "resume": _RESUME_ENTRY,
        },
    )
    return whole.read(header, "its description")


def _contradiction(values: Mapping[str, Any], entries: Mapping[str, MemberEntry]) -> str | None:
    """Return how fields contradict each other, if they do."""
    history, held_out, corpus = values["history"], values["held_out"], values["corpus"]
    is_text = isinstance(corpus, TextStats)
    if not is_text and values["vocabulary"].unit is CHARACTER:
        if corpus.longest > MAX_NAME_LENGTH:
            return "its names are longer than names can be"
        if "\t" in values["vocabulary"]:
            return "its names have tabs"
    if values["pairs"].size and values["pairs"].max() >= len(values["vocabulary"]):
        return "its pairs have symbols that its vocabulary has not"
    if history and history[-1].step > values["training"].steps:
        return "its history has more steps than its training"
    if held_out and held_out.members.keys() != entries.keys():
        return "its held-out losses are not those of its members"
    if held_out and held_out.size > (corpus.symbols if is_text else corpus.names):
        return f"it has more held-out {'symbols' if is_text else 'names'} than it has in all"
    return None


def _check_sizes(entries: Mapping[str, MemberEntry], vocab_size: int) -> None:
    """Refuse members that are too large, alone or together."""
    total = 0
    for name, entry in entries.items():
        kind = MEMBER_KINDS[entry.kind]
        size = kind.size(entry.info, vocab_size)
        total += size
        if size > kind.max_size or total > MAX_NUMBERS:
            raise Malformed(f"its member {name} is too large")


def _check_names(names: set[str], groups: Mapping[str, Mapping[str, ArraySpec]]) -> None:
    """Check that a file has exactly the expected arrays, given as groups by prefix."""
    expected = {_join(prefix, name) for prefix, specs in groups.items() for name in specs}
    for missing in sorted(expected - names):
        raise Malformed(f"the array {missing} is missing")
    if names - expected - {HEADER_NAME}:
        raise Malformed("it has unknown arrays")


def _read(source: ArraySource, prefix: str, specs: Mapping[str, ArraySpec]) -> dict[str, AnyArray]:
    """Read a group of arrays, which share a prefix."""
    return {name: source.array(_join(prefix, name), *spec) for name, spec in specs.items()}


def _join(prefix: str, name: str) -> str:
    """Return the name of an array in the file."""
    return f"{prefix}.{name}" if prefix else name


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Describe a checkpoint as one JSON object: what ``dinogen inspect --json`` prints."""
    header = _header(checkpoint)
    entries: Mapping[str, Any] = header["members"]
    networks = {
        name: member
        for name, member in checkpoint.mixture.members.items()
        if isinstance(member, Network)
    }
    for name, network in networks.items():
        entries[name]["parameters"] = network.config.parameter_count
    first = next(iter(networks.values()), None)
    config = first.config if first else NetworkConfig(len(checkpoint.vocabulary), 0)
    arrays: Mapping[str, AnyArray] = first.parameters if first else {}
    ngrams = [entry for entry in entries.values() if entry["kind"] == _NGRAM_KIND]
    held_out = checkpoint.held_out
    return {
        "format": FORMAT,
        "version": header["version"],
        "recipe": header["recipe"],
        "model": {
            "cell": config.cell,
            "layers": config.layers,
            "hidden_size": config.hidden_size,
            "parameters": first.config.parameter_count if first else 0,
            "arrays": {
                name: {"shape": [*array.shape], "parameters": array.size}
                for name, array in arrays.items()
            },
            "members": entries,
        },
        "ngram": {name: ngrams[0][name] for name in NGramInfo._fields} if ngrams else None,
        "weights": {NETWORK: 0.0, NGRAM: 0.0, **checkpoint.mixture.weights},
        "unit": header["vocabulary"]["unit"],
        "symbols": header["vocabulary"]["symbols"],
        "case": header["case"],
        "corpus": header["corpus"],
        "decoding": header["decoding"],
        "training": header["training"],
        "lineage": header["lineage"],
        "heldout": held_out
        and {
            "symbols" if checkpoint.corpus.content == "text" else "names": held_out.size,
            "nats_per_symbol": held_out.nats_per_symbol,
            NETWORK: None,
            NGRAM: None,
            **held_out.members,
            "frequencies": held_out.frequencies,
        },
        "history": header["history"],
    }
