"""Exemplars of a scrape: out of the lines of OpenMetrics and the messages of protobuf, to columns of a target's series."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.protobuf.wire import Budget, as_double, as_message, as_signed, as_text, fields
from collector.receivers.prometheus.limits import ExpositionError
from collector.receivers.prometheus.line import ExemplarText, Labels, rest_of, shortened
from monitor.model.batch import Ids
from monitor.model.exemplars import MOST_AT_ONCE, ExemplarColumns, Exemplars, TooManyCharactersError
from monitor.model.series import KeySpace

MARK = b"#"
"""What stands before an exemplar, and nowhere else in what follows the series on a line."""


class ParsedExemplar(NamedTuple):
    """`series` is the parser's id."""

    series: int
    told: ExemplarText


def without_exemplars(
    tokens: list[bytes], prefixes: Sequence[bytes], ids: Ids, keep: npt.NDArray[np.int64] | None
) -> tuple[list[bytes], tuple[ParsedExemplar, ...]]:
    """Of what follows the series on each line the values alone, and the exemplars.

    `ids` are the series of the lines `keep` (None: of all). Raises `ExpositionError`.
    """
    found: list[ParsedExemplar] = []
    plain = list(tokens)
    series = np.full(len(tokens), -1, np.int32)
    series[slice(None) if keep is None else keep] = ids
    for place, token in enumerate(tokens):
        if MARK not in token:
            continue
        try:
            told = rest_of(token.decode(), openmetrics=True).exemplar
        except (ExpositionError, UnicodeDecodeError) as error:
            reason = "not valid UTF-8" if isinstance(error, UnicodeDecodeError) else error
            raise ExpositionError(f"{shortened(prefixes[place].decode('utf-8', 'replace'))}: {reason}") from None
        plain[place] = token.partition(b" " + MARK)[0]
        if told is not None and series[place] >= 0 and len(found) < MOST_AT_ONCE:
            found.append(ParsedExemplar(int(series[place]), told))
    return plain, tuple(found)


def exemplar_in(message: memoryview, budget: Budget) -> ExemplarText:
    """`io.prometheus.client.Exemplar`. Raises `ProtobufError`."""
    labels: list[tuple[str, str]] = []
    exemplar, timestamp = math.nan, None
    for number, wire, value, _ in fields(message, budget):
        if number == 1:
            pair = {inner: as_text(text, kind) for inner, kind, text, _ in fields(as_message(value, wire), budget)}
            labels.append((pair.get(1, ""), pair.get(2, "")))
        elif number == 2:
            exemplar = as_double(value, wire)
        elif number == 3:
            parts = {inner: as_signed(held, kind) for inner, kind, held, _ in fields(as_message(value, wire), budget)}
            timestamp = parts.get(1, 0) + parts.get(2, 0) / 1e9
    return ExemplarText(tuple(labels), exemplar, timestamp)


def columns_of(found: Sequence[ParsedExemplar], named: Callable[[Ids], Ids], space: KeySpace, started: float) -> Exemplars | None:
    """As the target's series have them; `named` gives the ids of a parser's, -1 for series that are left out.

    Those without a time get `started`; labels that are too long leave their exemplar out.
    """
    columns = ExemplarColumns()
    ids = named(np.array([each.series for each in found], np.int32))
    for series, (_, told) in zip(ids.tolist(), found, strict=True):
        if series < 0:
            continue
        stamped = told.timestamp is not None
        try:
            columns.put(series, told.timestamp or started, told.value, _sound(told.labels), stamped=stamped)
        except TooManyCharactersError:
            columns.left_out += 1
    return columns.batch(space) if len(columns) else None


def _sound(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0])
