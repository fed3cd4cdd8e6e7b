"""Data: from bytes to sequences of symbol indices, and back."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.data.batches import Batch as Batch, Batches as Batches, pack as pack
    from dinogen.data.case import CaseRule as CaseRule, merge_variants as merge_variants
    from dinogen.data.cleaning import (
        MAX_NAME_LENGTH as MAX_NAME_LENGTH,
        clean as clean,
        is_visible as is_visible,
    )
    from dinogen.data.corpus import (
        Corpus as Corpus,
        CorpusStats as CorpusStats,
        hold_out as hold_out,
        read_corpus as read_corpus,
    )
    from dinogen.data.search import NearCopies as NearCopies, TextSearch as TextSearch
    from dinogen.data.sequences import (
        END as END,
        Names as Names,
        contains as contains,
        digest as digest,
    )
    from dinogen.data.shapes import MAX_SHAPES_SIZE as MAX_SHAPES_SIZE, WordShape as WordShape
    from dinogen.data.sources import (
        STDIN as STDIN,
        read_clean_text as read_clean_text,
        read_names as read_names,
        source_name as source_name,
    )
    from dinogen.data.spelling import spell as spell, write_word as write_word
    from dinogen.data.vocabulary import Vocabulary as Vocabulary

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "batches": ["Batch", "Batches", "pack"],
        "case": ["CaseRule", "merge_variants"],
        "cleaning": ["MAX_NAME_LENGTH", "clean", "is_visible"],
        "corpus": ["Corpus", "CorpusStats", "hold_out", "read_corpus"],
        "search": ["NearCopies", "TextSearch"],
        "sequences": ["END", "Names", "contains", "digest"],
        "shapes": ["MAX_SHAPES_SIZE", "WordShape"],
        "sources": ["STDIN", "read_clean_text", "read_names", "source_name"],
        "spelling": ["spell", "write_word"],
        "vocabulary": ["Vocabulary"],
    },
)
