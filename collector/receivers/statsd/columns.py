"""Reads the plain lines of a whole buffer at once: `name:value|rest` where the value is at most eight digits and a dot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

NEWLINE, COLON, BAR = 10, 58, 124
WIDTH = 8
_BACK = np.arange(-WIDTH, 0)
_TENS = 10.0 ** np.arange(WIDTH)
_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_DOTS = np.uint64(0x2E2E2E2E2E2E2E2E)
_ZEROS = np.uint64(0x3030303030303030)
_ZERO = np.uint64(0x30)
_UPPER = np.uint64(0xF0F0F0F0F0F0F0F0)
_LOWER = np.uint64(0x0F0F0F0F0F0F0F0F)
_SIXES = np.uint64(0x0606060606060606)
_THREES = np.uint64(0x3333333333333333)
_PAIRS = np.uint64(0x00FF00FF00FF00FF)
_QUADS = np.uint64(0x0000FFFF0000FFFF)
_PLACES = np.uint64(0x0706050403020100)
_BYTE = np.uint64(0xFF)
_ONE = np.uint64(1)
_SHIFT_4, _SHIFT_7, _SHIFT_8, _SHIFT_16, _SHIFT_32, _SHIFT_56 = (np.uint64(n) for n in (4, 7, 8, 16, 32, 56))
_PAIR_STEP, _QUAD_STEP, _OCT_STEP = np.uint64(10 * 2**8 + 1), np.uint64(100 * 2**16 + 1), np.uint64(10_000 * 2**32 + 1)


class Scan(NamedTuple):
    """n lines: where they lie in the buffer, each line without its value (where it was plain), and the plain lines' values.

    `starts`, `ends` int64[n]; `keys` n byte strings (a line that is not plain stands whole); `plain` int64[m], m <= n,
    numbers of the plain lines; `values` float64[m].
    """

    starts: Places
    ends: Places
    keys: list[bytes]
    plain: Places
    values: Floats


def scan(raw: bytes, longest: int) -> Scan:
    """Scans a buffer that ends with a newline and holds no NUL byte; lines longer than `longest` are not plain."""
    buffer = np.frombuffer(bytearray(raw), np.uint8)
    marks = np.flatnonzero((buffer == NEWLINE) | (buffer == COLON) | (buffer == BAR))
    signs = buffer[marks]
    newlines = np.flatnonzero(signs == NEWLINE)
    ends = marks[newlines]
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    first = np.empty_like(newlines)
    first[0] = 0
    first[1:] = newlines[:-1] + 1
    second = np.minimum(first + 1, len(marks) - 1)
    colons, bars = marks[first], marks[second]
    lengths = bars - colons - 1
    fits = (signs[first] == COLON) & (signs[second] == BAR) & (lengths > 0) & (lengths <= WIDTH) & (colons > starts)
    fits &= ends - starts <= longest
    if fits.all():
        plain, values = _values(buffer, colons + 1, bars)
    else:
        chosen = np.flatnonzero(fits)
        plain, values = _values(buffer, colons[chosen] + 1, bars[chosen])
        plain = chosen[plain]
    keys = buffer.tobytes().translate(None, b"\0").split(b"\n")
    keys.pop()
    return Scan(starts, ends, keys, plain, values)


def _values(buffer: npt.NDArray[np.uint8], begins: Places, ends: Places) -> tuple[Places, Floats]:
    """Reads the numbers in buffer[begins:ends], blanks them there with NUL, and gives (which could be read, values)."""
    # Columns left of a number repeat its first digit: they are overwritten with zeros below, and blanking them is harmless.
    places = np.maximum(ends[:, None] + _BACK, begins[:, None])
    words = buffer[places].view("<u8")[:, 0]
    lengths = ends - begins
    empty = ((WIDTH - lengths) << 3).astype(np.uint64)
    words = ((words >> empty) << empty) | (_ZEROS & ((_ONE << empty) - _ONE))
    good, values, dotted = _decimals(words)
    good &= ~(dotted & (lengths == 1))
    if good.all():
        buffer[places] = 0
        return np.arange(len(begins)), values
    read = np.flatnonzero(good)
    buffer[places[read]] = 0
    return read, values[read]


def _decimals(words: Words) -> tuple[npt.NDArray[np.bool_], Floats, npt.NDArray[np.bool_]]:
    """Eight characters in each word, first one lowest, as numbers: (is a number, value float64, has a dot).

    Arithmetic on all eight digits at once, after Lemire and Mula; digits and power of ten are both exact in a float64,
    so their quotient is the correctly rounded value, equal to Python's `float`.
    """
    other = words ^ _DOTS
    dots = (other - _ONES) & ~other & _HIGH
    dot = (dots & (~dots + _ONE)) >> _SHIFT_7  # 1 in the byte of the first dot; a second one is no digit and fails below
    dotted = dot != 0
    before = np.where(dotted, dot - _ONE, 0)
    closed = (words & ~(before | (dot * _BYTE))) | ((words & before) << _SHIFT_8) | np.where(dotted, _ZERO, 0)
    good = ((closed & _UPPER) | (((closed + _SIXES) & _UPPER) >> _SHIFT_4)) == _THREES
    digits = closed & _LOWER
    digits = (digits * _PAIR_STEP) >> _SHIFT_8
    digits = ((digits & _PAIRS) * _QUAD_STEP) >> _SHIFT_16
    digits = ((digits & _QUADS) * _OCT_STEP) >> _SHIFT_32
    decimals = (dot * _PLACES) >> _SHIFT_56
    return good, digits.astype(np.float64) / _TENS[decimals.astype(np.int64)], dotted
