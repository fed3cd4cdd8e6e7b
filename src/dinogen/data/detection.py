"""Detection: the likeliest encoding of bytes that are not UTF-8."""

import re
from collections.abc import Callable

_SAMPLE = 1 << 15
"""The maximum number of bytes that are looked at."""

_MIN_SCORE = 0.6
"""The minimum share of plausible symbols. Below it, no encoding is proposed."""

_UNCOMMON = 0.9
"""What a letter that is not among the commonest of its script counts."""

Plausibility = Callable[[str], float]
"""From 0 to 1: how plausible a symbol beyond ASCII is."""


def _alphabet(letters: str, share: float = 1.0) -> Plausibility:
    """Return the plausibility of symbols in languages with such letters beyond a to z."""
    expected = {*letters, *letters.upper(), *"’‘“”–"}
    return lambda symbol: share * (symbol in expected)


def _script(letters: str, common: str = "") -> Plausibility:
    """Return the plausibility of symbols in a script, given as a class for a pattern."""
    pattern = re.compile(f"[{letters}]", re.IGNORECASE)

    def plausibility(symbol: str) -> float:
        if not pattern.match(symbol):
            return 0.0
        return 1.0 if not common or symbol.lower() in common else _UNCOMMON

    return plausibility


def _code_points(encoding: str, first: int, last: int, more: str = "") -> Plausibility:
    """Return the plausibility of ideographs: the common ones stand together in a national code.

    Args:
        encoding: the national code.
        first: the first byte of the first common ideographs in it.
        last: the first byte of the last ones.
        more: other expected symbols, as a class for a pattern.
    """
    pattern = re.compile(f"[{more}]") if more else None

    def plausibility(symbol: str) -> float:
        if pattern and pattern.match(symbol):
            return 1.0
        return float(first <= symbol.encode(encoding, "replace")[0] <= last)

    return plausibility


_WESTERN = (
    "àâçéèêëîïôùûüÿœæ",  # French
    "äöüß",  # German
    "áéíóúñüï",  # Spanish
    "ãõáâàçéêíóôúü",  # Portuguese
    "àèéìíòóùúîçï",  # Italian, Catalan
    "åäöéøæü",  # Swedish, Danish, Norwegian, Finnish
)
_CENTRAL = (
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "ăâîşţ",  # Romanian
    "čćđšž",  # Croatian, Slovene
)
_CYRILLIC = _script("а-яёђѓєѕіїјљњћќўџґ", "аеинорст")
_JAPANESE = _code_points("shift_jis", 0x88, 0x97, "ぁ-ヾ々")

_CANDIDATES: tuple[tuple[str, Plausibility], ...] = (
    *(("cp1252", _alphabet(letters)) for letters in _WESTERN),
    ("cp1254", _alphabet("çğıİöşüâî")),
    *(("cp1250", _alphabet(letters)) for letters in (*_CENTRAL, "áéíóöőúüű")),
    *(("iso8859-2", _alphabet(letters)) for letters in _CENTRAL),
    *(("cp1257", _alphabet(letters)) for letters in ("āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž")),
    ("cp1252", _alphabet("áðéíóúýþæö")),  # Icelandic
    ("cp1252", _alphabet("".join(_WESTERN), _UNCOMMON)),
    *(("mac-roman", _alphabet(letters)) for letters in _WESTERN),
    *(("cp850", _alphabet(letters)) for letters in _WESTERN),
    ("cp1253", _script("α-ωάέήίόύώϊϋ")),
    ("cp1251", _CYRILLIC),
    ("koi8-r", _CYRILLIC),
    ("cp866", _CYRILLIC),
    ("cp1255", _script("א-ת")),
    ("cp1256", _script("ء-ْپچژگک")),
    ("euc-kr", _script("가-힣")),
    ("shift_jis", _JAPANESE),
    ("gb18030", _code_points("gb2312", 0xB0, 0xD7)),
    ("big5", _code_points("big5", 0xA4, 0xC6)),
    ("euc-jp", _JAPANESE),
    ("cp874", _script("ก-๎")),
)
"""Encodings and what their texts consist of. Of equally plausible ones, the first one is taken."""


def likeliest_encoding(data: bytes) -> str | None:
    """Return the encoding in which bytes are the most plausible text; None if none fits well.

    Args:
        data: bytes that are not UTF-8, from the start of a line on.
    """
    lines = re.split(rb"[\r\n]+", data)
    if len(lines) > 1:
        # The last line may be incomplete.
        del lines[-1]
    sample = b"\n".join(line for line in lines if not line.isascii())[:_SAMPLE]
    scores = {name: 0.0 for name, _ in _CANDIDATES}
    for name, plausibility in _CANDIDATES:
        scores[name] = max(scores[name], _score(sample, name, plausibility))
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= _MIN_SCORE else None


def is_mostly_utf8(data: bytes) -> bool:
    """Tell whether there are more symbols beyond ASCII in UTF-8 than bytes that are not UTF-8."""
    text = data[:_SAMPLE].decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return sum(symbol > "\x7f" for symbol in text) - wrong > wrong


def _score(sample: bytes, encoding: str, plausibility: Plausibility) -> float:
    """Return the plausibility of bytes in an encoding: a mean over the symbols beyond ASCII."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        # Only the sample may end within a symbol.
        if error.start < _SAMPLE - 4 or encoding[:2] == "cp":
            return 0.0
        text = sample[: error.start].decode(encoding)
    total, count = 0.0, 0
    for before, symbol in zip("\n" + text, text, strict=False):
        if symbol > "\x7f" or before > "\x7f":
            # No word goes on with a capital, or with letters of another script, as words in a wrong
            # encoding often do.
            total -= before.islower() and symbol.isupper()
            total -= (
                before.isalpha() and symbol.isalpha() and _is_latin(before) != _is_latin(symbol)
            )
        if symbol > "\x7f":
            total += plausibility(symbol)
            count += 1
    return total / count if count else 0.0


def _is_latin(letter: str) -> bool:
    """Tell whether a letter is Latin. No encoding of one byte has Latin letters beyond U+024F."""
    return letter <= "\u024f"
