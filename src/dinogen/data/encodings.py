"""Encodings: from bytes to text, chunk by chunk, and what to say about bytes that are no text."""

import codecs
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dinogen.errors import CorpusError

ZIP_MARK = b"PK\x03\x04"
"""The first bytes of a zip archive."""

_UTF8 = "utf-8"
_HEAD = 4_096
"""The number of bytes that are read to see what a file is, if the first line is longer."""

_ARCHIVE_HEAD = 1 << 16
"""The number of bytes that are read to see what an archive holds."""

_LONGEST_MARK = 4
"""The number of bytes of the longest byte order mark."""

# The one of UTF-32 begins with that of UTF-16.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: _UTF8,
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_BYTE_ORDER_MARK = "\ufeff"


class _Kind(NamedTuple):
    """A kind of file that is not text.

    Attributes:
        what: what it is.
        remedy: what to do with it.
        for_names: what to add for a list of names.
    """

    what: str
    remedy: str
    for_names: str = ""

    def message(self, *, is_text: bool) -> str:
        """Return what to say about a list, or about running text."""
        return f"{self.what}; {self.remedy}" + ("" if is_text else self.for_names)


_ONE_PER_LINE = ", with one name per line"
_SPREADSHEET = _Kind("a spreadsheet", "export it as CSV", " and use --column")
_DOCUMENT = _Kind("a text document", "save it as plain text in UTF-8", _ONE_PER_LINE)
_IMAGE = _Kind("an image", "give a text file", " with one name per line")
_ARCHIVE = _Kind("an archive", "unpack it")
_MARKS = {
    b"%PDF-": _Kind("a PDF document", "copy its text into a text file", _ONE_PER_LINE),
    b"{\\rtf": _DOCUMENT,
    b"\x1f\x8b": _Kind("compressed by gzip", "unpack it: gunzip"),
    b"BZh91AY&SY": _Kind("compressed by bzip2", "unpack it: bunzip2"),
    b"\xfd7zXZ": _Kind("compressed by xz", "unpack it: unxz"),
    b"\x28\xb5\x2f\xfd": _Kind("compressed by zstd", "unpack it: unzstd"),
    b"7z\xbc\xaf": _ARCHIVE,
    b"Rar!\x1a": _ARCHIVE,
    b"\x89PNG": _IMAGE,
    b"\xff\xd8\xff": _IMAGE,
    b"GIF87a": _IMAGE,
    b"GIF89a": _IMAGE,
    b"SQLite format 3": _Kind("a database", "export what it holds as text", _ONE_PER_LINE),
    b"PAR1\x15": _Kind("a Parquet file", "export it as CSV", " and use --column"),
}
"""What files with these first bytes are, and what to do."""

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ZIPPED = {
    (b"xl/", b"opendocument.spreadsheet"): _SPREADSHEET,
    (b"word/", b"opendocument.text"): _DOCUMENT,
    (b"ppt/", b"opendocument.presentation"): _DOCUMENT,
    (b"application/epub",): _Kind("an e-book", "save it as plain text in UTF-8", _ONE_PER_LINE),
    (b"version.npy", b"meta.npy"): _Kind("a checkpoint", "give what it was trained on"),
}
"""What zip archives are that contain one of these texts."""


# Of four bytes of text in mostly Latin letters, those that are null, and one that is not.
_NULLS = {
    "utf-32-le": ((2, 3), 0),
    "utf-32-be": ((0, 1), 3),
    "utf-16-le": ((1, 3), 0),
    "utf-16-be": ((0, 2), 1),
}


class UndecodableError(Exception):
    """Bytes that are not text in an encoding.

    Attributes:
        before: the text before the first invalid byte that was not yielded.
        data: the bytes from the first invalid one on, as far as they were read.
    """

    def __init__(self, before: str, data: bytes) -> None:
        super().__init__()
        self.before = before
        self.data = data


def check_encoding(name: str) -> None:
    """Check that Python can decode text in an encoding.

    Raises:
        CorpusError: if it cannot.
    """
    try:
        info = codecs.lookup(name)
        # Codecs such as base64 and rot13 do not turn bytes into text.
        decoder = info.incrementaldecoder
        known = decoder is not None and isinstance(decoder().decode(b""), str)
    except (LookupError, ValueError, TypeError):
        known = False
    if not known:
        raise CorpusError(
            f"{name!r} is not an encoding that Python knows; common ones are utf-8, utf-16, "
            "cp1252, cp1250, cp1251, shift_jis, euc-kr, gb18030 and big5"
        )


def decode(
    chunks: Iterable[bytes], source: str, encoding: str | None = None, *, is_text: bool = False
) -> Iterator[str]:
    """Decode the bytes of a list or a text as they arrive.

    Args:
        chunks: the bytes, in any parts.
        source: the name of the list or text in messages.
        encoding: the encoding; None for UTF-8, or what the byte order mark says.
        is_text: whether it is running text, for messages.

    Raises:
        CorpusError: for a file of another kind, and for UTF-16 without a byte order mark.
        UndecodableError: for bytes that are not text.
    """
    unread = iter(chunks)
    head = _read_head(unread)
    _refuse_binary(head, source, is_text=is_text)
    if encoding is None:
        marks = (name for mark, name in _BYTE_ORDER_MARKS.items() if head.startswith(mark))
        encoding = next(marks, None) or _utf8(head, source)
    else:
        check_encoding(encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    mark = _BYTE_ORDER_MARK
    for chunk in _with_end(head, unread):
        try:
            text = decoder.decode(chunk, not chunk)
        except UnicodeError as error:
            data, start = chunk, 0
            if isinstance(error, UnicodeDecodeError):
                data, start = error.object, error.start
            before = data[:start].decode(encoding, "replace").removeprefix(mark)
            raise UndecodableError(before, data[start:]) from None
        if text:
            yield text.removeprefix(mark)
            mark = ""


def _with_end(head: bytes, unread: Iterator[bytes]) -> Iterator[bytes]:
    """Yield all bytes, and then an empty chunk for the end."""
    if head:
        yield head
    yield from unread
    yield b""


def _read_head(unread: Iterator[bytes]) -> bytes:
    """Read the first line, or at least `_HEAD` bytes, or `_ARCHIVE_HEAD` bytes of an archive."""
    head = b""
    for chunk in unread:
        head += chunk
        limit = _ARCHIVE_HEAD if head.startswith((ZIP_MARK, _OLD_OFFICE)) else _HEAD
        if len(head) >= limit or (limit == _HEAD and b"\n" in head and len(head) >= _LONGEST_MARK):
            break
    return head


def _refuse_binary(head: bytes, source: str, *, is_text: bool) -> None:
    """Refuse office documents, archives and other files that are not text."""
    found = [kind for mark, kind in _MARKS.items() if head.startswith(mark)]
    if head.startswith(_OLD_OFFICE):
        is_document = "WordDocument".encode("utf-16-le") in head
        found = [_DOCUMENT if is_document else _SPREADSHEET]
    if head.startswith(ZIP_MARK):
        found = [
            kind for texts, kind in _ZIPPED.items() if any(text in head for text in texts)
        ] or [_ARCHIVE]
    if found:
        raise CorpusError(f"{source}: {found[0].message(is_text=is_text)}")


def _utf8(head: bytes, source: str) -> str:
    """Return the name of UTF-8, and refuse UTF-16 and UTF-32 without a byte order mark."""
    whole = head[: len(head) // 4 * 4]
    if b"\0" in whole:
        zeros = [whole[place::4].count(0) * 4 / len(whole) for place in range(4)]
        for encoding, (with_nulls, without) in _NULLS.items():
            is_latin = min(zeros[place] for place in with_nulls) > 0.3 and zeros[without] < 0.1
            if is_latin or _is_text(whole, encoding):
                raise CorpusError(
                    f"{source}: this is {encoding[:6].upper()} without a byte order mark; read it "
                    f"with --encoding {encoding}"
                )
    return _UTF8


def _is_text(data: bytes, encoding: str) -> bool:
    """Tell whether bytes are lines of letters in an encoding, and nothing that lists never have."""
    text = data.decode(encoding, "ignore")
    # Controls, surrogates, private use, unassigned.
    odd = {"Cc", "Cs", "Co", "Cn"}
    symbols = set(text) - {"\n", "\r"}
    return "\n" in text and not any(unicodedata.category(symbol) in odd for symbol in symbols)
