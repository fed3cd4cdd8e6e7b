"""Encodings: what is decoded, what is recognised, and what the message says about other bytes."""

import gzip
import io
import sys
import zipfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import (
    STDIN,
    check_encoding,
    likeliest_encoding,
    read_clean_text,
    read_list,
    read_names,
)
from dinogen.errors import CorpusError
from tests.data.test_sources import Trickle

LISTS = {
    "cp1252": ["José", "Müller", "Zoë", "Núñez", "François", "Bjørn"],
    "cp1250": ["Łukasz", "Świętek", "Zając", "Gąska", "Dąbrowska", "Wróbel"],
    "cp1251": ["Анна", "Сергей", "Иванова", "Дмитрий", "Ольга", "Пётр"],
    "koi8-r": ["Анна", "Сергей", "Иванова", "Дмитрий", "Ольга", "Пётр"],
    "cp866": ["Анна", "Сергей", "Иванова", "Дмитрий", "Ольга", "Пётр"],
    "cp1253": ["Γιώργος", "Ελένη", "Παπαδόπουλος", "Κώστας", "Ιωάννης"],
    "cp1254": ["Işık", "Şahin", "Yıldız", "Öztürk", "Çağla", "Doğan"],
    "cp1255": ["שרה", "דוד", "רחל", "יעקב", "לאה"],
    "cp1256": ["محمد", "فاطمة", "خالد", "عائشة", "يوسف"],
    "cp874": ["สมชาย", "ธนพล", "วิไล", "กนกวรรณ"],
    "mac-roman": ["José", "Müller", "Zoë", "Núñez", "François", "Andrés", "Élodie"],
    "shift_jis": ["さくら", "たかし", "ハナコ", "山田", "佐藤", "ゆうき"],
    "euc-kr": ["김민준", "이서연", "박지후", "최수아"],
    "gb18030": ["王芳", "李伟", "张敏", "刘洋", "陈静", "杨丽", "赵强"],
    "big5": ["陳怡君", "林志豪", "黃淑芬", "張雅婷", "李家豪"],
}
"""Names in the languages that an encoding is used for."""


def encoded(names: list[str], encoding: str) -> bytes:
    """Encode a list."""
    return "".join(f"{name}\r\n" for name in names).encode(encoding)


def refusal(data: bytes, encoding: str | None = None) -> str:
    """Return the message for a list on standard input. It is one line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        with pytest.raises(CorpusError) as caught:
            read_list(STDIN, encoding=encoding)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith("standard input")
    return message


# Decoding.


@pytest.mark.parametrize("encoding", [*LISTS, "utf-16-le", "utf-7", "iso2022_jp"])
def test_any_encoding_can_be_given(encoding: str, tmp_path: Path) -> None:
    """Names are the same as in UTF-8, whatever the encoding."""
    names = LISTS.get(encoding, LISTS["shift_jis"])
    path = tmp_path / "list"
    path.write_bytes(encoded(names, encoding))
    assert read_list(path, encoding=encoding).text.split("\n")[:-1] == names


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-be", "utf-16-le", "utf-32-be"]
)
def test_a_byte_order_mark_tells_the_encoding(encoding: str, tmp_path: Path) -> None:
    """UTF-8, UTF-16 and UTF-32 are decoded if they begin with a byte order mark."""
    names = ["Anna", "Zoë", "山田", "\U00010400\U00010401"]
    mark = "" if encoding in ("utf-8-sig", "utf-16", "utf-32") else "\ufeff"
    (tmp_path / "list").write_bytes(encoded([mark + names[0], *names[1:]], encoding))
    assert [name for part in read_names(tmp_path / "list") for name in part] == names
    assert read_list(tmp_path / "list", encoding=encoding).text.split("\n")[:-1] == names


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.text(st.characters(codec="gb18030", categories=["L"]), min_size=1), min_size=1),
    st.sampled_from(["utf-8", "utf-16", "utf-32", "gb18030", "utf-7"]),
    st.randoms(use_true_random=False),
)
def test_characters_may_cross_the_borders_of_chunks(
    names: list[str], encoding: str, random: Random
) -> None:
    """A stream that arrives a few bytes at a time gives the same names as a file."""
    data = encoded(names, encoding)
    outcomes = []
    for stream in (io.BytesIO(data), Trickle(data, random)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(stream, "ascii"))
            try:
                outcomes.append(read_list(STDIN, encoding=encoding).text)
            except CorpusError as error:
                outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("encoding", ["latin9x", "", "base64", "rot13", "undefined", "hex", "a\0b"])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    """What does not decode bytes to text is no encoding."""
    with pytest.raises(CorpusError, match="is not an encoding that Python knows"):
        check_encoding(encoding)


def test_bytes_that_do_not_fit_the_given_encoding_are_refused() -> None:
    """The message names the line, the byte, the encoding and the option."""
    message = refusal(b"Anna\nBer\x81ta\n", "cp1252")
    assert message == (
        "standard input, line 2: byte 0x81 is not valid cp1252; give its encoding with --encoding"
    )


# Bytes that are not UTF-8.


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.sampled_from(["Anna", "Bo", "", "\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
    ).map("".join),
    st.sampled_from([0xC0, 0xC1, 0xF5, 0xFE, 0xFF]),
    st.randoms(use_true_random=False),
)
def test_names_the_line_of_an_invalid_byte(text: str, bad: int, random: Random) -> None:
    """A byte that is never valid in UTF-8 is refused at any position, with its line."""
    data = text.encode()
    place = random.randrange(len(data) + 1)
    before = data[:place].decode(errors="ignore")
    line = len(
        before.replace("\r\n", "\n")
        .translate(dict.fromkeys(map(ord, "\r\x85\u2028\u2029"), "\n"))
        .split("\n")
    )
    for stream in (io.BytesIO, lambda data: Trickle(data, random)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                sys, "stdin", io.TextIOWrapper(stream(data[:place] + bytes([bad]) + data[place:]))
            )
            with pytest.raises(CorpusError, match=f"standard input, line {line}: byte 0x"):
                list(read_clean_text(STDIN))


@pytest.mark.parametrize(
    "bad",
    [
        b"\xe9",  # é in Latin-1
        "Å".encode()[:1],
        "李".encode()[:2],
        b"\x80",
        b"\xed\xa0\x80",  # one surrogate
        b"\xc0\xaf",  # an overlong slash
        b"\xf4\x90\x80\x80",  # beyond the last code point
    ],
    ids=bytes.hex,
)
def test_refuses_invalid_utf8(bad: bytes) -> None:
    """Incomplete symbols, surrogates and overlong forms are refused, also at the end of a file."""
    for data in (b"Anna\r\nBerta\r\n" + bad, b"Anna\r\nBerta\r\nX" + bad + b"y\nZoe\n"):
        message = refusal(data)
        assert message.startswith(f"standard input, line 3: byte 0x{bad[0]:02x} is not valid UTF-8")


@pytest.mark.parametrize("encoding", LISTS)
def test_the_likeliest_encoding_is_offered(encoding: str) -> None:
    """The message shows the first line that is not UTF-8, decoded, and the option."""
    names = LISTS[encoding]
    message = refusal(b"Anna\nBerta\n" + encoded(names, encoding))
    odd = next(name for name in names if not name.isascii())
    assert f"if it should read {odd!r}, add --encoding {encoding}" in message
    line = 3 + names.index(odd)
    assert message.startswith(f"standard input, line {line}: byte 0x")


def test_other_commands_offer_a_conversion(tmp_path: Path) -> None:
    """A list of another command has no option for its encoding, so it is converted."""
    (tmp_path / "my list").write_bytes(encoded(LISTS["mac-roman"], "mac-roman"))
    with pytest.raises(CorpusError) as caught:
        list(read_names(tmp_path / "my list"))
    path = f"'{tmp_path / 'my list'}'"
    assert str(caught.value).endswith(f"'José', iconv -f macintosh -t utf-8 {path}")


def test_one_wrong_byte_in_utf8_is_not_another_encoding() -> None:
    """Where the rest is UTF-8, the message is about the line alone."""
    for data in ("Zoë\nJosé\n".encode() + b"Jos\xe9\n", b"Jos\xe9\n" + "Zoë\nBjørn\n".encode()):
        message = refusal(data)
        assert "most of the text is; correct this line" in message
        assert "--encoding" not in message


def test_noise_is_no_encoding() -> None:
    """Nothing is offered for bytes that are no plausible text in any encoding."""
    noise = bytes([0xA3, 0x98, 0xC0, 0xA5]) * 10
    assert likeliest_encoding(noise + b"\n") is None
    assert "give its encoding with --encoding" in refusal(noise)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_utf16_without_a_mark_is_named(encoding: str) -> None:
    """It is recognised by its nulls."""
    message = refusal("Anna\r\nBerta\r\nZoë\r\n".encode(encoding))
    assert message.endswith(f"read it with --encoding {encoding}")


# Files that are not text.


def zipped(*names: str) -> bytes:
    """Return a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "Anna\nBerta\n" * 1_000)
    return file.getvalue()


def open_document(kind: str) -> bytes:
    """Return the beginning of an OpenDocument file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
    return file.getvalue()


OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1_000)
SPREADSHEET = "a spreadsheet; export it as CSV and use --column"
BINARY = {
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), SPREADSHEET),
    "ods": (open_document("spreadsheet"), SPREADSHEET),
    "xls": (OLD_OFFICE + "Workbook".encode("utf-16-le"), SPREADSHEET),
    "docx": (zipped("[Content_Types].xml", "word/document.xml"), "a text document"),
    "odt": (open_document("text"), "a text document"),
    "doc": (OLD_OFFICE + "WordDocument".encode("utf-16-le"), "a text document"),
    "rtf": (b"{\\rtf1\\ansi Anna}", "a text document"),
    "zip": (zipped("names.txt"), "an archive; unpack it"),
    "gz": (gzip.compress(b"Anna\nBerta\n"), "compressed by gzip"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
    "png": (b"\x89PNG\r\n\x1a\n", "an image"),
}


@pytest.mark.parametrize("kind", BINARY)
def test_says_what_a_file_is(kind: str) -> None:
    """Office documents, archives and images are called so, with what to do."""
    data, expected = BINARY[kind]
    assert refusal(data).startswith(f"standard input: {expected}")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "language", ["cp1253", "cp1256", "cp874", "euc-kr", "shift_jis", "gb18030"]
)
def test_utf_16_in_any_script_is_recognised(language: str, encoding: str, tmp_path: Path) -> None:
    """Without a byte order mark, and with letters whose first byte is not null."""
    path = tmp_path / "names.txt"
    path.write_bytes("".join(f"{name}\n" for name in LISTS[language]).encode(encoding))
    with pytest.raises(CorpusError) as caught:
        read_list(path)
    expected = f"this is UTF-16 without a byte order mark; read it with --encoding {encoding}"
    assert str(caught.value) == f"{path}: {expected}"
    assert read_list(path, encoding=encoding).text.split("\n")[:-1] == LISTS[language]
