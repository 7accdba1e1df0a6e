"""Values and timestamps of many samples at once, as strictly as the formats want them."""

from __future__ import annotations

from itertools import repeat
from operator import contains

import numpy as np

from collector.receivers.prometheus.limits import ExpositionError
from collector.receivers.prometheus.line import rest_of, shortened
from monitor.model.batch import Floats

_DIGITS = b"0123456789.eE+-, "
_WORDS = (b"nan", b"infinity", b"inf")


def numbers_of(tokens: list[bytes], joined: bytes, prefixes: list[bytes], openmetrics: bool) -> tuple[Floats, Floats | None]:
    """Values float64[n] and times float64[n] in seconds (NaN where a sample has none), or None where no sample has one.

    `tokens` are what follows the series on each line, `joined` the same with commas between, `prefixes` name the series in
    errors. Raises `ExpositionError`.
    """
    # What float() takes and the formats do not ("1_000", line ends, "0x1") shows in what is left besides digits.
    left = joined.translate(None, _DIGITS).lower()
    for word in _WORDS:
        left = left.replace(word, b"")
    if not left:
        try:
            return _plain(tokens, joined, 1.0 if openmetrics else 1000.0)
        except ValueError:
            pass
    return _one_by_one(tokens, prefixes, openmetrics)


def _plain(tokens: list[bytes], joined: bytes, ticks: float) -> tuple[Floats, Floats | None]:
    """Values, and times where every token is a value and a timestamp (`ticks` a second). Raises ValueError on anything else."""
    count = len(tokens)
    blanks = joined.count(b" ")
    if blanks == 0:
        return np.fromiter(map(float, tokens), np.float64, count), None
    if blanks != count or not all(map(contains, tokens, repeat(b" "))):
        raise ValueError("some tokens have timestamps and some not")
    both = np.fromiter(map(float, joined.replace(b" ", b",").split(b",")), np.float64, 2 * count).reshape(count, 2)
    times = both[:, 1] / ticks
    if not bool(np.isfinite(times).all()):
        raise ValueError("a timestamp is not finite")
    return np.ascontiguousarray(both[:, 0]), times


def _one_by_one(tokens: list[bytes], prefixes: list[bytes], openmetrics: bool) -> tuple[Floats, Floats | None]:
    """The same where exemplars, mixed timestamps or mistakes are among the tokens."""
    values = np.empty(len(tokens))
    times = np.full(len(tokens), np.nan)
    for position, token in enumerate(tokens):
        try:
            rest = rest_of(token.decode(), openmetrics)
        except (ExpositionError, UnicodeDecodeError) as error:
            reason = "not valid UTF-8" if isinstance(error, UnicodeDecodeError) else error
            raise ExpositionError(f"{shortened(prefixes[position].decode('utf-8', 'replace'))}: {reason}") from None
        values[position] = rest.value
        if rest.timestamp is not None:
            times[position] = rest.timestamp
    return values, None if bool(np.isnan(times).all()) else times
