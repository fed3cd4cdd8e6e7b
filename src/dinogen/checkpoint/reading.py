"""Reading a checkpoint file, which is untrusted input."""

import json
from pathlib import Path

from dinogen.checkpoint.archive import Archive, open_without_blocking, unpack
from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.checkpoint.fields import Integer, Malformed, Unsupported, json_object
from dinogen.checkpoint.schema import FORMAT, HEADER_NAME, from_parts
from dinogen.errors import CheckpointError, os_reason

MAX_HEADER = 1 << 24
"""The maximum size of the JSON text in bytes, far more than any history and vocabulary need."""


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    No byte of it is ever executed or unpickled. The types, shapes and bounds of its numbers are
    checked before use.

    Raises:
        CheckpointError: for a file that cannot be read, or that `save` did not write.
    """
    try:
        with open(path, "rb", opener=open_without_blocking) as file, unpack(file) as archive:
            return from_parts(_read_header(archive), archive)
    except Unsupported as problem:
        raise CheckpointError(f"{path}: {problem}") from None
    except Malformed as problem:
        raise CheckpointError(
            f"{path}: not a dinogen checkpoint, or a damaged one ({problem}); "
            "make one with: dinogen train LIST"
        ) from None
    except MemoryError:
        raise CheckpointError(
            f"{path}: needs more memory than is available; use a smaller one"
        ) from None
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: no such checkpoint; check the path, or make one with: "
            f"dinogen train LIST -o {path}"
        ) from None
    except IsADirectoryError:
        raise CheckpointError(f"{path}: a directory; name a checkpoint in it") from None
    except OSError as error:
        raise CheckpointError(f"{path}: {os_reason(error)}; check the path") from None


def _read_header(archive: Archive) -> dict[str, object]:
    """Read the JSON object of a checkpoint of this format."""
    if HEADER_NAME not in archive.names:
        raise Unsupported("an .npz file, but not a dinogen checkpoint; name one of dinogen's")
    try:
        text = archive.text(HEADER_NAME, MAX_HEADER)
        values = json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        raise Malformed("its description is not JSON") from None
    header = dict(json_object(values, "its description"))
    version = Integer(low=1).read(header.get("format"), "format")
    if version != FORMAT:
        raise Unsupported(
            f"written in format {version} by another version of dinogen, but this one reads format "
            f"{FORMAT}; "
            + ("upgrade dinogen" if version > FORMAT else "train it again with: dinogen train LIST")
        )
    return header


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build a JSON object. Refuses two fields of one name, which programs read differently."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError
    return values
