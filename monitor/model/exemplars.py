"""Exemplars on their way in: single observations that tell which trace they are of, as columns beside the samples.

Source: OpenMetrics 1.0, "Exemplars": an exemplar has labels (128 characters of names and values at most), a value, and may have a
time. Which labels name a trace nobody says; `trace_id` and `span_id` are what all senders write today.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.series import KeySpace, Tags

Numbers = npt.NDArray[np.uint64]
Labels = npt.NDArray[np.object_]

MOST_CHARACTERS = 128
"""Of all names and values of an exemplar's labels (OpenMetrics 1.0)."""
MOST_AT_ONCE = 20_000
"""Exemplars of one request or answer; further ones are left out."""
TRACE, SPAN = "trace_id", "span_id"
_TRACE_NAMES = frozenset((TRACE, "traceID", "traceId", "TraceID", "traceid", "trace-id"))
_SPAN_NAMES = frozenset((SPAN, "spanID", "spanId", "SpanID", "spanid", "span-id"))
_TRACE_HEX, _SPAN_HEX = re.compile(r"[0-9a-fA-F]{16}(?:[0-9a-fA-F]{16})?"), re.compile(r"[0-9a-fA-F]{16}")
_AS_WRITTEN = re.compile(r"[0-9a-f]*")
_LOW = (1 << 64) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Exemplars:
    """n exemplars in order of arrival.

    `ids` int32[n] are ids of `space`; `times` float64[n] seconds since the epoch; `values` float64[n]; `traces` uint64[n, 2]
    (high, low) and `spans` uint64[n], 0 where there is none; `labels` object[n]: the other labels, `Tags` sorted by name;
    `stamped` bool[n]: whether the sender told the time (else it is that of the scrape).
    """

    space: KeySpace
    ids: Ids
    times: Floats
    values: Floats
    traces: Numbers
    spans: Numbers
    labels: Labels
    stamped: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, which: npt.NDArray[np.bool_]) -> Exemplars:
        """Those at which `which` is true."""
        columns = self.ids, self.times, self.values, self.traces, self.spans, self.labels, self.stamped
        return Exemplars(self.space, *(column[which] for column in columns))  # type: ignore[arg-type]  # each of its own type


ExemplarSink = Callable[[Exemplars], None]
"""Where receivers put exemplars, from any thread. Never waits: what cannot be kept is counted."""


class TooManyCharactersError(ValueError):
    """The labels of an exemplar are longer than they may be."""


class ExemplarColumns:
    """Gathers the exemplars of one request. Those beyond `MOST_AT_ONCE` are counted in `left_out`."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._times: list[float] = []
        self._values: list[float] = []
        self._traces: list[tuple[int, int]] = []
        self._spans: list[int] = []
        self._labels: list[Tags] = []
        self._stamped: list[bool] = []
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._ids)

    def put(
        self,
        series: int,
        time: float,
        value: float,
        labels: Iterable[tuple[str, str]],
        trace: int = 0,
        span: int = 0,
        stamped: bool = True,
    ) -> None:
        """One exemplar of a series' id. `trace` of 128 bits and `span` of 64 where the sender does not write them as labels.

        Raises `TooManyCharactersError`.
        """
        if len(self._ids) >= MOST_AT_ONCE:
            self.left_out += 1
            return
        found_trace, found_span, others = told_apart(labels)
        trace, span = trace or found_trace, span or found_span
        self._ids.append(series)
        self._times.append(time)
        self._values.append(value)
        self._traces.append((trace >> 64, trace & _LOW))
        self._spans.append(span)
        self._labels.append(others)
        self._stamped.append(stamped)

    def batch(self, space: KeySpace) -> Exemplars:
        """All of them."""
        return Exemplars(
            space,
            np.array(self._ids, np.int32),
            np.array(self._times, np.float64),
            np.array(self._values, np.float64),
            np.array(self._traces, np.uint64).reshape(-1, 2),
            np.array(self._spans, np.uint64),
            label_column(self._labels),
            np.array(self._stamped, np.bool_),
        )


def label_column(labels: list[Tags]) -> Labels:
    """object[n] of label sets; a plain `np.array` would make a table of them."""
    column: Labels = np.empty(len(labels), object)
    column[:] = labels
    return column


def told_apart(labels: Iterable[tuple[str, str]]) -> tuple[int, int, Tags]:
    """Trace, span and the other labels, sorted. A trace or span that is not spelled as we spell it stays a label as well, so
    that it is given on as it came. Raises `TooManyCharactersError`.
    """
    trace = span = characters = 0
    others: dict[str, str] = {}
    for name, value in labels:
        characters += len(name) + len(value)
        if characters > MOST_CHARACTERS:
            raise TooManyCharactersError(f"an exemplar's labels have more than {MOST_CHARACTERS} characters")
        if name in _TRACE_NAMES and _TRACE_HEX.fullmatch(value):
            trace = int(value, 16)
            if name == TRACE and trace and value == f"{trace:032x}":
                continue
        elif name in _SPAN_NAMES and _SPAN_HEX.fullmatch(value):
            span = int(value, 16)
            if name == SPAN and span and _AS_WRITTEN.fullmatch(value):
                continue
        if value:
            others[name] = value
    return trace, span, tuple(sorted(others.items()))


def all_labels(trace: int, span: int, others: Tags) -> Tags:
    """The labels as they are given on, sorted by name: with `trace_id` (32 hex digits) and `span_id` (16), unless the others
    tell them already.
    """
    names = {name for name, _ in others}
    told = [*others]
    if trace and not names & _TRACE_NAMES:
        told.append((TRACE, f"{trace:032x}"))
    if span and not names & _SPAN_NAMES:
        told.append((SPAN, f"{span:016x}"))
    return tuple(sorted(told)) if len(told) > len(others) else others


def bounded(labels: Iterable[tuple[str, str]], room: int = MOST_CHARACTERS) -> list[tuple[str, str]]:
    """The first of these labels for which there is room: what a sender filtered out of a series may be of any length."""
    kept: list[tuple[str, str]] = []
    for name, value in labels:
        room -= len(name) + len(value)
        if room < 0:
            break
        kept.append((name, value))
    return kept
