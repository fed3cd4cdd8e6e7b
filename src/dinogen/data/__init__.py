"""Data: from bytes to sequences of symbol indices, and back."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.data.batches import (
        Batch as Batch,
        Batches as Batches,
        pack as pack,
        resample as resample,
    )
    from dinogen.data.bloom import BloomFilter as BloomFilter
    from dinogen.data.case import CaseRule as CaseRule, merge_variants as merge_variants
    from dinogen.data.cleaning import (
        MAX_NAME_LENGTH as MAX_NAME_LENGTH,
        clean as clean,
        clean_parts as clean_parts,
        clean_text as clean_text,
    )
    from dinogen.data.corpus import (
        Corpus as Corpus,
        hold_out as hold_out,
        read_corpus as read_corpus,
    )
    from dinogen.data.detection import likeliest_encoding as likeliest_encoding
    from dinogen.data.encodings import check_encoding as check_encoding
    from dinogen.data.given import GivenNames as GivenNames
    from dinogen.data.hangul import (
        letter_forms as letter_forms,
        may_follow as may_follow,
        show_letter as show_letter,
        to_letters as to_letters,
        to_syllables as to_syllables,
    )
    from dinogen.data.known import (
        KnownList as KnownList,
        KnownNames as KnownNames,
        OriginNames as OriginNames,
    )
    from dinogen.data.lists import NameList as NameList, read_list as read_list
    from dinogen.data.marks import (
        MAX_PAIRS as MAX_PAIRS,
        NO_PAIRS as NO_PAIRS,
        is_mark as is_mark,
        learn_pairs as learn_pairs,
    )
    from dinogen.data.merging import (
        Translation as Translation,
        merge_cases as merge_cases,
        merge_pairs as merge_pairs,
        merge_vocabularies as merge_vocabularies,
    )
    from dinogen.data.search import NearCopies as NearCopies, TextSearch as TextSearch
    from dinogen.data.sequences import (
        END as END,
        Names as Names,
        Sequences as Sequences,
        Texts as Texts,
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
    from dinogen.data.statistics import (
        MAX_HELD_OUT_SYMBOLS as MAX_HELD_OUT_SYMBOLS,
        CorpusStats as CorpusStats,
        TextStats as TextStats,
    )
    from dinogen.data.tables import (
        Columns as Columns,
        as_column as as_column,
        parse_weight as parse_weight,
        sniff_delimiter as sniff_delimiter,
    )
    from dinogen.data.texts import (
        TextCorpus as TextCorpus,
        hold_out_text as hold_out_text,
        read_texts as read_texts,
    )
    from dinogen.data.units import (
        CHARACTER as CHARACTER,
        MAX_WORD_LENGTH as MAX_WORD_LENGTH,
        MAX_WORDS as MAX_WORDS,
        UNITS as UNITS,
        WORD as WORD,
        Unit as Unit,
    )
    from dinogen.data.visibility import (
        JOINERS as JOINERS,
        TEXT_CONTROLS as TEXT_CONTROLS,
        StrayError as StrayError,
        has_stray as has_stray,
        is_visible as is_visible,
        joins as joins,
        keeps_joiners as keeps_joiners,
        refuse_stray as refuse_stray,
    )
    from dinogen.data.vocabulary import (
        MAX_VOCABULARY_SIZE as MAX_VOCABULARY_SIZE,
        Vocabulary as Vocabulary,
    )
    from dinogen.data.windows import Windows as Windows

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "batches": ["Batch", "Batches", "pack", "resample"],
        "case": ["CaseRule", "merge_variants"],
        "cleaning": ["MAX_NAME_LENGTH", "clean", "clean_parts", "clean_text"],
        "corpus": ["Corpus", "hold_out", "read_corpus"],
        "detection": ["likeliest_encoding"],
        "encodings": ["check_encoding"],
        "given": ["GivenNames"],
        "hangul": ["letter_forms", "may_follow", "show_letter", "to_letters", "to_syllables"],
        "bloom": ["BloomFilter"],
        "known": ["KnownList", "KnownNames", "OriginNames"],
        "lists": ["NameList", "read_list"],
        "marks": ["MAX_PAIRS", "NO_PAIRS", "is_mark", "learn_pairs"],
        "merging": ["Translation", "merge_cases", "merge_pairs", "merge_vocabularies"],
        "search": ["NearCopies", "TextSearch"],
        "sequences": ["END", "Names", "Sequences", "Texts", "contains", "digest"],
        "shapes": ["MAX_SHAPES_SIZE", "WordShape"],
        "sources": ["STDIN", "read_clean_text", "read_names", "source_name"],
        "spelling": ["spell", "write_word"],
        "statistics": ["MAX_HELD_OUT_SYMBOLS", "CorpusStats", "TextStats"],
        "tables": ["Columns", "as_column", "parse_weight", "sniff_delimiter"],
        "texts": ["TextCorpus", "hold_out_text", "read_texts"],
        "visibility": [
            "JOINERS",
            "TEXT_CONTROLS",
            "StrayError",
            "has_stray",
            "is_visible",
            "joins",
            "keeps_joiners",
            "refuse_stray",
        ],
        "units": ["CHARACTER", "MAX_WORDS", "MAX_WORD_LENGTH", "UNITS", "WORD", "Unit"],
        "vocabulary": ["MAX_VOCABULARY_SIZE", "Vocabulary"],
        "windows": ["Windows"],
    },
)
