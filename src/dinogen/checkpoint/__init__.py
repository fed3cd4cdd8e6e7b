"""Checkpoints: plain data, the schema of the file, reading and writing."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.checkpoint.archive import (
        MAX_ARRAYS as MAX_ARRAYS,
        MAX_FILE as MAX_FILE,
        Archive as Archive,
        unpack as unpack,
    )
    from dinogen.checkpoint.checkpoint import (
        NETWORK as NETWORK,
        NGRAM as NGRAM,
        Checkpoint as Checkpoint,
        HeldOut as HeldOut,
        HistoryRow as HistoryRow,
        Lineage as Lineage,
        ResumeState as ResumeState,
        TrainingStats as TrainingStats,
    )
    from dinogen.checkpoint.fields import (
        Boolean as Boolean,
        Checked as Checked,
        Choice as Choice,
        Converted as Converted,
        Field as Field,
        Integer as Integer,
        ListOf as ListOf,
        Malformed as Malformed,
        MapOf as MapOf,
        Name as Name,
        Nullable as Nullable,
        Number as Number,
        Record as Record,
        Scalar as Scalar,
        Symbol as Symbol,
        Text as Text,
        Unsupported as Unsupported,
        Word as Word,
    )
    from dinogen.checkpoint.reading import (
        load_checkpoint as load_checkpoint,
    )
    from dinogen.checkpoint.schema import (
        FORMAT as FORMAT,
        HEADER as HEADER,
        MAX_HIDDEN_SIZE as MAX_HIDDEN_SIZE,
        MAX_LAYERS as MAX_LAYERS,
        MAX_RESUME_ARRAYS as MAX_RESUME_ARRAYS,
        MEMBER_KINDS as MEMBER_KINDS,
        ArraySpec as ArraySpec,
        describe as describe,
        from_parts as from_parts,
        to_parts as to_parts,
    )
    from dinogen.checkpoint.writing import (
        NO_FILE as NO_FILE,
        Stamp as Stamp,
        check_replaceable as check_replaceable,
        check_writable as check_writable,
        save as save,
        write_whole as write_whole,
    )

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "archive": ["Archive", "MAX_ARRAYS", "MAX_FILE", "unpack"],
        "checkpoint": [
            "Checkpoint",
            "HeldOut",
            "HistoryRow",
            "Lineage",
            "NETWORK",
            "NGRAM",
            "ResumeState",
            "TrainingStats",
        ],
        "fields": [
            "Boolean",
            "Checked",
            "Choice",
            "Converted",
            "Field",
            "Integer",
            "ListOf",
            "Malformed",
            "MapOf",
            "Name",
            "Nullable",
            "Number",
            "Record",
            "Scalar",
            "Symbol",
            "Text",
            "Unsupported",
            "Word",
        ],
        "reading": ["load_checkpoint"],
        "schema": [
            "ArraySpec",
            "FORMAT",
            "HEADER",
            "MAX_HIDDEN_SIZE",
            "MAX_LAYERS",
            "MAX_RESUME_ARRAYS",
            "MEMBER_KINDS",
            "describe",
            "from_parts",
            "to_parts",
        ],
        "writing": [
            "NO_FILE",
            "Stamp",
            "check_replaceable",
            "check_writable",
            "save",
            "write_whole",
        ],
    },
)
