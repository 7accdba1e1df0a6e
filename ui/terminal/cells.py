"""Text measured and cut by terminal cells; nothing that could move the cursor or turn the reading order gets through."""

from __future__ import annotations

import functools
import unicodedata

from rich.cells import get_character_cell_size

ELLIPSIS = "…"
_COUNTERPARTS = {
    "-": "·–—−─━╌▃▄",
    "|": "‖│║▐▕▏",
    ":": "┆┊",
    "+": "├┬┴┼╭╮╰╯┤└",
    "=": "═▅▆",
    "#": "▇█▓",
    "_": "▁▂",
    "~": "…◐",
    "'": "‘’",
    '"': "“”",
    "<": "◀←≤",
    ">": "▶→≥",
    "v": "▼↓",
    "^": "↑",
    "*": "●",
    "X": "◆",
    "!": "▲",
    ".": "✓",
    "z": "⊘▒",
    "?": "░",
    "x": "×",
    "u": "µ",
    "o": "°",
    "2": "²",
    "0": "∅",
}
_ASCII = str.maketrans({sign: plain for plain, signs in _COUNTERPARTS.items() for sign in signs})
_SPACES = str.maketrans(dict.fromkeys("\t\n\r\v\f\x85\u00a0\u2007\u2009\u200a\u202f\u2028\u2029\u3000", " "))
_UNSURE = {
    **dict.fromkeys(range(0x1F3FB, 0x1F400)),  # skin tones: one picture with the sign before in some terminals, two in others
    **{0x1F1E6 + i: chr(ord("A") + i) for i in range(26)},  # flags are pairs of letters
}
_HARMLESS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc")


def clean(text: str) -> str:
    """Text as it may be painted: what controls, turns, joins, combines or has no width is gone, all spaces are plain ones."""
    if text.isascii() and text.isprintable():
        return text
    return _clean(text[:4096])


@functools.lru_cache(maxsize=2048)
def _clean(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).translate(_SPACES)
    return "".join(c for c in plain.translate(_UNSURE) if unicodedata.category(c) not in _HARMLESS and get_character_cell_size(c))


def to_ascii(text: str) -> str:
    """Clean text in ASCII alone: the product's own signs have a counterpart, everything else becomes a question mark."""
    return text if text.isascii() else text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def width(text: str) -> int:
    """Cells that clean text takes."""
    return len(text) if text.isascii() else sum(map(get_character_cell_size, text))


def cut(text: str, room: int) -> str:
    """Clean text cut at the end to at most `room` cells, with an ellipsis where something is missing."""
    text = clean(text)
    if room <= 0:
        return ""
    if (len(text) if text.isascii() else width(text)) <= room:
        return text
    if text.isascii():
        return text[: room - 1] + ELLIPSIS
    kept, used = [], 0
    for c in text:
        used += get_character_cell_size(c)
        if used > room - 1:
            break
        kept.append(c)
    return "".join(kept) + ELLIPSIS


def cut_middle(text: str, room: int) -> str:
    """Clean text cut in the middle, for names whose end tells them apart."""
    text = clean(text)
    if width(text) <= room:
        return text
    if room < 5 or not text.isascii():
        return cut(text, room)
    tail = (room - 1) // 2
    return text[: room - 1 - tail] + ELLIPSIS + text[-tail:]


def cut_at_word(text: str, room: int) -> str:
    """Clean text shortened at a word, as sentences are."""
    text = clean(text)
    if width(text) <= room:
        return text
    short = cut(text, room)[:-1]
    space = len(short) if text[len(short) : len(short) + 1] == " " else short.rfind(" ")
    return short[:space].rstrip(",;: ") + ELLIPSIS if space > room // 2 else cut(text, room)


def wrap(text: str, room: int, lines: int) -> list[str]:
    """Clean text in at most `lines` lines of `room` cells, broken at words; the last one is cut when it does not fit."""
    words = clean(text).split(" ")
    out: list[str] = []
    line = ""
    for i, word in enumerate(words):
        trial = f"{line} {word}" if line else word
        if width(trial) <= room:
            line = trial
            continue
        if len(out) == lines - 1:
            return [*out, cut_at_word(" ".join([line, *words[i:]]).strip(), room)]
        if line:
            out.append(line)
        line = cut(word, room)
    return [*out, line] if line else out
