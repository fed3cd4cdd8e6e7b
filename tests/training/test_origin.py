"""The origin of a training: what is kept of a trained network, and when the base is used."""

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint import save
from dinogen.data import Names, digest, read_corpus
from dinogen.errors import CheckpointError
from dinogen.models import CELLS, Network, NetworkConfig
from dinogen.training import (
    BASE,
    MAX_NAMES,
    MIN_GAIN,
    MIN_SHARE,
    NO_ORIGIN,
    TRIAL_NAMES,
    DefaultRun,
    Origin,
    Settings,
    Trainer,
    choose_origin,
    load_origin,
)
from tests.conftest import CORPORA
from tests.origins import ALPHABET, corpus_of, make_origin, set_up

kinds = pytest.mark.parametrize(("cell", "layers"), [(cell, n) for cell in CELLS for n in (1, 3)])

SYMBOL_ARRAYS = {"Wax", "Wya", "by"}
"""The arrays with numbers of each symbol. The `Wax` of a higher layer reads hidden units."""


def slices(network: Network, symbol: int) -> dict[str, np.ndarray]:
    """Return the numbers of one symbol, by the name of the array."""
    p = network.parameters
    return {"Wax": p["Wax"][..., symbol, :], "Wya": p["Wya"][:, symbol], "by": p["by"][symbol]}


# The first network.


@kinds
def test_common_symbols_keep_their_weights(cell: str, layers: int, tmp_path: Path) -> None:
    """The same symbol has the same numbers, wherever its index moves to; so has the end."""
    origin = make_origin("bdeknz", cell=cell, layers=layers)
    vocabulary = corpus_of(tmp_path, "dán", "eda", "zend").vocabulary
    assert vocabulary.symbols == ("a", "d", "e", "n", "z", "á")
    started = origin.start(vocabulary, seed=1)
    assert started.config == NetworkConfig(7, 8, cell, layers)
    for old, new in {0: 0, 2: 2, 3: 3, 5: 4, 6: 5}.items():
        for name, numbers in slices(started, new).items():
            np.testing.assert_array_equal(numbers, slices(origin.network, old)[name], err_msg=name)


@kinds
def test_the_weights_of_new_symbols_are_drawn(cell: str, layers: int, tmp_path: Path) -> None:
    """They are those of the initial network of the seed; another seed draws others."""
    origin = make_origin("bde", cell=cell, layers=layers)
    vocabulary = corpus_of(tmp_path, "abe", "ebö").vocabulary
    settings = Settings(seed=7, hidden_size=8, steps=1, cell=cell, layers=layers, holdout=0.0)
    run = DefaultRun(corpus_of(tmp_path, "abe", "ebö"), settings)
    assert run.trainer
    initial = run.trainer.network
    started, other = (origin.start(vocabulary, seed) for seed in (7, 8))
    for new in (1, 4):
        for name, numbers in slices(started, new).items():
            np.testing.assert_array_equal(numbers, slices(initial, new)[name], err_msg=name)
            if name != "by":
                assert (numbers != slices(other, new)[name]).all()


@kinds
def test_all_other_weights_are_kept(cell: str, layers: int, tmp_path: Path) -> None:
    """Recurrent weights, biases and higher layers do not depend on the symbols."""
    origin = make_origin(cell=cell, layers=layers)
    started = origin.start(corpus_of(tmp_path, "Əli", "Zoë").vocabulary, seed=1)
    others = [name for name in started.parameters if name not in SYMBOL_ARRAYS]
    assert len(others) == 3 * layers - 1
    for name in others:
        np.testing.assert_array_equal(
            started.parameters[name], origin.network.parameters[name], err_msg=name
        )


@kinds
def test_the_same_symbols_give_the_same_network(cell: str, layers: int) -> None:
    """A network over the same vocabulary is unchanged, and is a copy."""
    origin = make_origin(cell=cell, layers=layers)
    before = origin.network.parameters.vector.copy()
    started = origin.start(origin.vocabulary, seed=1)
    assert started.config == origin.network.config
    np.testing.assert_array_equal(started.parameters.vector, before)
    started.parameters.vector.fill(0)
    np.testing.assert_array_equal(origin.network.parameters.vector, before)


@kinds
def test_symbols_that_vanish_change_only_their_own_share(
    cell: str, layers: int, tmp_path: Path
) -> None:
    """Among the symbols that are left, the probabilities keep their proportions."""
    origin = make_origin("abcd", cell=cell, layers=layers)
    vocabulary = corpus_of(tmp_path, "ab", "bd").vocabulary
    state, p = origin.network.begin(1)  # (1, 5)
    own_state, own = origin.start(vocabulary, seed=1).begin(1)  # (1, 4)
    for symbol, own_symbol in ((1, 1), (4, 3), (2, 2)):
        kept = p[0, [0, 1, 2, 4]]
        np.testing.assert_allclose(own[0], kept / kept.sum(), rtol=1e-5)
        state, p = origin.network.advance(state, np.array([symbol]))
        own_state, own = origin.start(vocabulary, seed=1).advance(own_state, np.array([own_symbol]))


def test_nothing_in_common(tmp_path: Path) -> None:
    """With other symbols throughout, the end alone is known."""
    origin, corpus = make_origin(), corpus_of(tmp_path, "Άννα", "Νίκη")
    started = origin.start(corpus.vocabulary, seed=1)
    np.testing.assert_array_equal(started.parameters["by"][1:], 0)
    assert started.parameters["by"][0] == origin.network.parameters["by"][0]
    assert origin.lineage(corpus.vocabulary).symbols == 0


# Its digest and its record.


@pytest.mark.parametrize("cell", CELLS)
def test_the_digest_changes_with_every_parameter(cell: str) -> None:
    """A change of one number in any array gives another digest, and undoing it gives the same."""
    origin = make_origin(cell=cell)
    digests = {origin.digest}
    for array in origin.network.parameters.values():
        for place in (0, array.size - 1):
            before = array.flat[place]
            array.flat[place] = np.nextafter(before, np.float32(9))
            digests.add(origin.digest)
            array.flat[place] = before
    assert len(digests) == 1 + 2 * len(origin.network.parameters)
    assert origin.digest == make_origin(cell=cell, name="other.npz").digest


def test_the_digest_changes_with_the_symbols_and_the_kind() -> None:
    """The same numbers mean something else with other symbols, or in another network."""
    network = make_origin("ab", cell="gru", layers=1).network
    origins = [make_origin(symbols, cell="gru", layers=1) for symbols in ("ab", "ac", "abc")]
    same = [origin._replace(network=network) for origin in origins[:2]]
    assert len({origin.digest for origin in (*origins, *same)}) == 3
    # 3 units and 5 symbols make as many parameters as 1 unit and 15 symbols.
    one, other = (Network(NetworkConfig(V, H)) for V, H in ((5, 3), (15, 1)))
    np.testing.assert_array_equal(one.parameters.vector, other.parameters.vector)
    shapes = [origins[0]._replace(network=network).digest for network in (one, other)]
    assert shapes[0] != shapes[1]


def test_the_lineage_describes_the_origin(tmp_path: Path) -> None:
    """It has the name, the digest, the network, and how many symbols of the list it knew."""
    origin = make_origin("abcde", name="a path.npz", cell="gru", layers=3, hidden=5)
    lineage = origin.lineage(corpus_of(tmp_path, "Äbte", "Cáde").vocabulary)
    assert lineage._asdict() == {
        "name": "a path.npz",
        "digest": origin.digest,
        "cell": "gru",
        "layers": 3,
        "hidden_size": 5,
        "symbols": 4,
        "steps": 0,
        "nats_per_symbol": None,
    }


# What it has learned.


def test_it_knows_the_names_that_it_has_learned(tmp_path: Path) -> None:
    """Names are compared as texts: the indices of their symbols differ between two vocabularies."""
    learned = corpus_of(tmp_path, "Anna", "Bert", "Zoë", "Ida-Lou")
    network = Network(NetworkConfig(len(learned.vocabulary), 4))
    origin = Origin("x", network, learned.vocabulary, learned.known)
    other = corpus_of(tmp_path, "Ida-Lou", "Anna", "Œuvre", "Zoë", "Bert")
    found = origin.names(other.vocabulary).find(other.names)
    assert found[[0, 1, 3, 4]].all()
    assert origin.names(learned.vocabulary).find(learned.names).all()
    np.testing.assert_array_equal(np.sort(digest(learned.names)), learned.known)


def test_few_other_names_pass_for_known_ones(tmp_path: Path) -> None:
    """About 2 % do by mistake; also names with symbols that the origin does not have."""
    texts = ["".join(letters) for letters in product("abcdefgh", repeat=4)]
    learned = corpus_of(tmp_path, *texts[::2])
    network = Network(NetworkConfig(len(learned.vocabulary), 4))
    origin = Origin("x", network, learned.vocabulary, learned.known)
    known = origin.names(learned.vocabulary)
    assert known.find(learned.names).all()
    others = corpus_of(tmp_path, *texts[1::2])
    assert origin.names(others.vocabulary).find(others.names).mean() < 0.05
    foreign = corpus_of(tmp_path, *(f"{text}é" for text in texts))
    assert origin.names(foreign.vocabulary).find(foreign.names).mean() < 0.05
    # Near copies are not looked up: only names that are known are near.
    np.testing.assert_array_equal(known.near(learned.names), known.find(learned.names))


def test_known_names_are_translated_once_more(tmp_path: Path) -> None:
    """Read in a third vocabulary, by way of the second one, they are the same names."""
    learned = corpus_of(tmp_path, "Anna", "Bert", "Zoë")
    network = Network(NetworkConfig(len(learned.vocabulary), 4))
    origin = Origin("x", network, learned.vocabulary, learned.known)
    second = corpus_of(tmp_path, "Zoë", "Natan", "Bert").vocabulary
    third = corpus_of(tmp_path, "Øyë-Zoë", "Anna", "Zoë", "Bert")
    # (U,) the index of each symbol of the third vocabulary in the second one, V if it is not there
    indices = {"\n": 0} | {symbol: i for i, symbol in enumerate(second.symbols, start=1)}
    symbols = ["\n", *third.vocabulary.symbols]
    read = np.array([indices.get(symbol, len(second)) for symbol in symbols], dtype=np.uint32)
    assert len(second) in read
    found = origin.names(second).translated(read).find(third.names)
    assert found[1:].all()


# When the base is used.


@pytest.fixture
def gain(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What trials return, instead of learning anything: the last number of the list."""
    gains = [MIN_GAIN]
    monkeypatch.setattr(Origin, "trial", lambda *_: gains[-1])
    return gains


@pytest.mark.parametrize(("names", "helps"), [(MAX_NAMES, True), (MAX_NAMES + 1, False)])
def test_it_helps_with_short_lists(
    names: int, helps: bool, gain: list[float], tmp_path: Path
) -> None:
    """A list of more than `MAX_NAMES` names is learned from scratch."""
    letters = "abcdefghij"
    list_of = ["".join(letters[int(digit)] for digit in f"{i:05}") for i in range(names)]
    corpus = corpus_of(tmp_path, *list_of)
    assert corpus.stats.names == names
    assert make_origin().helps(corpus, seed=1) is helps


def test_it_helps_with_symbols_that_it_knows(gain: list[float], tmp_path: Path) -> None:
    """The share counts each symbol as often as it occurs, not each kind of symbol."""
    origin = make_origin("ab")
    for rare in (1, 5, 10, 50):
        names = ["ab" * 50, *("a" * i + "bé" for i in range(1, rare + 1))]
        corpus = corpus_of(tmp_path, *names)
        text = "".join(f"{name}\n" for name in names)
        share = 1 - text.count("é") / len(text)
        assert origin.helps(corpus, seed=1) is (share >= MIN_SHARE)
    assert not origin.helps(corpus_of(tmp_path, "Άννα", "Νίκη"), seed=1)
    assert origin.helps(corpus_of(tmp_path, "Ab", "Ba"), seed=1)


def test_it_does_not_help_with_another_unit(gain: list[float], tmp_path: Path) -> None:
    """Words are other symbols, even if they have one letter."""
    corpus = corpus_of(tmp_path, "a b", "b a", unit="word")
    assert not make_origin("ab").helps(corpus, seed=1)


def test_it_helps_if_a_trial_says_so(gain: list[float], tmp_path: Path) -> None:
    """The gain must be `MIN_GAIN` at least."""
    corpus = corpus_of(tmp_path, "Anna", "Berta")
    assert make_origin().helps(corpus, seed=1)
    gain.append(MIN_GAIN - 1e-9)
    assert not make_origin().helps(corpus, seed=1)


def test_a_trained_network_gains_more_in_a_trial_than_a_random_one() -> None:
    """A network that has learned similar names predicts others better than n-grams alone."""
    corpus = read_corpus([CORPORA / "edda.txt"])
    run = set_up(corpus, None, hidden_size=16, steps=300)
    list(run.train())
    assert run.trainer
    network = run.trainer.best_network
    trained = Origin("x", network, corpus.vocabulary, corpus.known)
    before = network.parameters.vector.copy()
    gain = trained.trial(corpus, seed=1)
    random = make_origin(cell="rnn", layers=1, hidden=16, scale=1.0).trial(corpus, seed=1)
    assert gain > random + 0.05
    assert gain == trained.trial(corpus, seed=1)
    assert gain != trained.trial(corpus, seed=2)
    np.testing.assert_array_equal(network.parameters.vector, before)


def test_a_trial_learns_some_names_and_is_tested_on_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No name is in both parts, however many names there are, and the parts are small."""
    given: list[Names] = []
    init = Trainer.__init__

    def record(trainer: Trainer, network: Any, validation: Names, *args: Any, **more: Any) -> None:
        given.append(validation)
        init(trainer, network, validation, *args, **more)

    def learn(trainer: Trainer, names: Names) -> None:
        given.append(names)
        learn_from(trainer, names)

    learn_from = Trainer.learn_from
    monkeypatch.setattr(Trainer, "__init__", record)
    monkeypatch.setattr(Trainer, "learn_from", learn)
    for count in (9, 400, 2_500):
        names = ["".join("abcdefghij"[int(digit)] for digit in f"{i:04}") for i in range(count)]
        corpus = corpus_of(tmp_path, *names)
        given.clear()
        make_origin(hidden=2, layers=1).trial(corpus, seed=1)
        test, training = (digest(part) for part in given)
        assert not np.isin(test, training).any()
        assert np.isin([*test, *training], corpus.known).all()
        assert len(test) < len(training) <= TRIAL_NAMES
        assert len(test) + len(training) <= count


def test_a_list_that_is_too_short_for_a_trial_gains_nothing(tmp_path: Path) -> None:
    """Of three names, none can be set aside."""
    assert make_origin().trial(corpus_of(tmp_path, "Anna", "Berta", "Carl"), seed=1) == 0


def test_the_network_is_tuned_or_taught() -> None:
    """The same cell and layers are tuned, in the size of the origin unless another one is given."""
    origin = make_origin(cell="lstm", layers=2, hidden=8)
    tuned = {"start": "tuned", "hidden_size": 8}
    same: dict[str, Any] = {"cell": "lstm", "layers": 2}
    for given in (same, {**same, "hidden_size": None}, {**same, "hidden_size": 8, "seed": 1}):
        assert origin.network_settings(given) == tuned
    others: list[dict[str, Any]] = [
        *({}, {"cell": None, "layers": None}, {"cell": "lstm"}, {"layers": 2}, {"hidden_size": 8}),
        *({**same, "hidden_size": 9}, {**same, "cell": "gru"}, {**same, "layers": 3}),
    ]
    for given in others:
        assert origin.network_settings(given) == {"start": "taught"}
    # Without a choice, a network is a vanilla RNN of one layer.
    plain = make_origin(cell="rnn", layers=1, hidden=5)
    assert plain.network_settings({}) == {"start": "tuned", "hidden_size": 5}


def test_the_settings_of_a_teacher(tmp_path: Path) -> None:
    """They have the network of the origin, and what is given."""
    origin = make_origin(cell="gru", layers=3, hidden=5)
    stats = corpus_of(tmp_path, *(f"{a}{b}" for a in "abcde" for b in "fghij")).stats
    found = origin.settings(stats, 9, holdout=0.2)
    assert (found.seed, found.holdout, found.start) == (9, 0.2, "tuned")
    assert (found.cell, found.layers, found.hidden_size) == ("gru", 3, 5)


# Loading and choosing.


def saved(folder: Path, **given: Any) -> str:
    """Train a model for a step, and return its path."""
    options = {name: given.pop(name) for name in ("unit",) if name in given}
    corpus = corpus_of(folder, "ab ba", "ba ba", "ab ab", **options)
    run = set_up(corpus, None, steps=1, order=1, **{"hidden_size": 4, **given})
    list(run.train())
    save(run.checkpoint(), folder / "model.npz")
    return str(folder / "model.npz")


def test_an_origin_is_loaded_from_a_checkpoint(tmp_path: Path) -> None:
    """It has the best network of the checkpoint, its symbols and its names."""
    path = saved(tmp_path, cell="gru")
    origin = load_origin(path)
    assert (origin.name, origin.network.config.cell) == (path, "gru")
    assert origin.vocabulary.symbols == (" ", "a", "b")
    assert len(origin.known) == 3


def test_the_bundled_base_is_loaded_by_name() -> None:
    """It knows the letters of most lists, and its name is not a path."""
    origin = load_origin(BASE)
    assert origin.name == BASE
    assert set(ALPHABET) <= {*origin.vocabulary.symbols}
    assert len(origin.known) > MAX_NAMES


def test_what_cannot_be_an_origin(tmp_path: Path) -> None:
    """A missing file, another file, and n-grams alone are refused with the path."""
    with pytest.raises(CheckpointError, match=r"absent\.npz: no such checkpoint"):
        load_origin(str(tmp_path / "absent.npz"))
    with pytest.raises(CheckpointError, match=r"edda\.txt: not a dinogen checkpoint"):
        load_origin(str(CORPORA / "edda.txt"))
    with pytest.raises(CheckpointError, match=r"model\.npz: has no network to start from; name"):
        load_origin(saved(tmp_path, hidden_size=0))


@pytest.mark.parametrize("name", ["a" * 256, "a\x1b[2J.npz", "a\nb.npz", "\udcff.npz"])
def test_a_path_that_cannot_be_recorded(name: str) -> None:
    """It is refused before any training, because the checkpoint could not be saved."""
    with pytest.raises(CheckpointError, match="cannot be recorded; start from a copy"):
        load_origin(name)


def test_the_choice_of_an_origin(gain: list[float], tmp_path: Path) -> None:
    """Without a name, the base is used where it helps; with a name, that one, for any list."""
    path = saved(tmp_path)
    short = corpus_of(tmp_path, "Anna", "Berta")
    foreign = corpus_of(tmp_path, "ᚠᚢᚦ", "ᚨᚱᚲ")
    assert choose_origin(NO_ORIGIN, short, seed=1) is None
    chosen = choose_origin(None, short, seed=1)
    assert chosen is not None
    assert chosen.name == BASE
    assert choose_origin(None, foreign, seed=1) is None
    gain.append(0.0)
    assert choose_origin(None, short, seed=1) is None
    for corpus in (short, foreign):
        for name in (BASE, path):
            found = choose_origin(name, corpus, seed=1)
            assert found is not None
            assert found.name == name


def test_a_long_list_does_not_load_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The length of the list decides first, and ``none`` loads nothing either."""
    monkeypatch.setattr(sys.modules[Origin.__module__], "BUNDLED_BASE", tmp_path / "away.npz")
    corpus = corpus_of(tmp_path, *map(str, range(MAX_NAMES + 1)))
    assert choose_origin(None, corpus, seed=1) is None
    short = corpus_of(tmp_path, "Anna", "Berta")
    assert choose_origin(NO_ORIGIN, short, seed=1) is None
    with pytest.raises(CheckpointError, match=r"away\.npz: no such checkpoint"):
        choose_origin(None, short, seed=1)


def test_an_origin_of_another_unit_is_refused(tmp_path: Path) -> None:
    """A network of characters cannot learn words, nor the other way round."""
    words = corpus_of(tmp_path, "a b", "b a", unit="word")
    with pytest.raises(CheckpointError, match="base: has learned symbols, and the list is"):
        choose_origin(BASE, words, seed=1)
    assert choose_origin(None, words, seed=1) is None
    path = saved(tmp_path, unit="word")
    with pytest.raises(CheckpointError, match=r"has learned words.*change --unit"):
        choose_origin(path, corpus_of(tmp_path, "Anna", "Berta"), seed=1)
    assert choose_origin(path, words, seed=1) is not None
