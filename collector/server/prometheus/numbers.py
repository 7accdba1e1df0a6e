"""Numbers and timestamps as Prometheus' JSON has them, whole columns at a time.

A value is a string: the shortest digits that tell it from its neighbours, no exponent for 1e-6 <= |v| < 1e21, Go's `e-07` and
`e+21` beyond (util/jsonutil/marshal.go). msgspec writes a row of doubles several times faster than `repr` does; where its
exponents differ from Go's, which is rare, a number is written again.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from monitor.query.history import Millis, Values

_encode = msgspec.json.Encoder().encode
_PLAIN_LEAST, _PLAIN_MOST = 1e-5, 1e16
"""Between these msgspec writes no exponent."""


def go_float(value: float) -> str:
    """One value: 1, 0.5, 1e-07, +Inf, NaN."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    if size != 0 and (size < 1e-6 or size >= 1e21):
        mantissa, _, exponent = repr(value).partition("e")
        return f"{mantissa.removesuffix('.0')}e{exponent}"
    text = repr(value)
    return np.format_float_positional(value, trim="-") if "e" in text else text.removesuffix(".0")


def go_floats(values: Values) -> list[bytes]:
    """float64 [N]: each value's text."""
    if not len(values):
        return []
    # What msgspec cannot write (null) or writes with an exponent is replaced below, so only its place counts here.
    texts: list[bytes] = _encode(values.tolist())[1:-1].replace(b".0,", b",").removesuffix(b".0").split(b",")
    sizes = np.abs(values)
    odd = ~((sizes >= _PLAIN_LEAST) & (sizes < _PLAIN_MOST)) & (values != 0)
    for place in np.flatnonzero(odd).tolist():
        texts[place] = go_float(float(values[place])).encode()
    return texts


def timestamp(millis: int) -> str:
    """Seconds, with three digits after the point where they are not whole."""
    seconds, rest = divmod(abs(millis), 1000)
    sign = "-" if millis < 0 else ""
    return f"{sign}{seconds}.{rest:03}" if rest else f"{sign}{seconds}"


def timestamps(times: Millis) -> list[bytes]:
    """int64 [N]: each time's text."""
    return [timestamp(time).encode() for time in times.tolist()]
