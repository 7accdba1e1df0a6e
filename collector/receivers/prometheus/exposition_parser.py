"""From the text of an exposition to columns, at its fastest when a target's next answer looks like its last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from collector.receivers.prometheus.dictionary import Dictionary, ParsedSeries, TypeChangedError
from collector.receivers.prometheus.exemplars import MARK, ParsedExemplar, without_exemplars
from collector.receivers.prometheus.layout import Layout, read_layout
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.native import NativeSample
from collector.receivers.prometheus.numbers import numbers_of
from collector.receivers.prometheus.openmetrics import check_openmetrics
from monitor.model.batch import Floats, Ids
from monitor.query.history import Metadata

_CHECK_AGAIN_LINES = 20_000
"""A longer OpenMetrics text is validated as a whole (15 us a line) at first sight only, not whenever a series is added."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """n samples. `ids` int32[n], unique, into the parser's `series` (the same array as last time when the text kept its
    layout); `values` float64[n]; `times` float64[n] seconds, NaN where the text has none, or None where it has none at all.
    `native` are the native histograms beside them, one a series; only protobuf has such. `exemplars` are of series among `ids`
    and `native`.
    """

    ids: Ids
    values: Floats
    times: Floats | None
    duplicates: int
    native: tuple[NativeSample, ...] = ()
    exemplars: tuple[ParsedExemplar, ...] = ()


class Parser(Protocol):
    """Parser of one target's answers in one format; it remembers the target's series.

    `series` only grows until `generation` changes, which it does when a declared type changed or too many series have come
    and gone; ids count from zero again then.
    """

    @property
    def generation(self) -> int: ...

    @property
    def series(self) -> list[ParsedSeries]: ...

    def parse(self, body: bytes) -> Samples:
        """The samples of one answer. Raises `ExpositionError` and nothing else; then nothing of the answer counts."""

    def take_described(self) -> dict[str, Metadata]:
        """What answers said of families that is new since the last call."""


class ExpositionParser:
    """`Parser` of text and OpenMetrics; it remembers the target's lines."""

    def __init__(self, openmetrics: bool, limits: ExpositionLimits | None = None) -> None:
        self.openmetrics = openmetrics
        self.limits = limits or ExpositionLimits()
        self.generation = 0
        self._dictionary = Dictionary(openmetrics, self.limits)
        self._layout: Layout | None = None
        self._live = 0
        self._unchecked = True

    @property
    def series(self) -> list[ParsedSeries]:
        """The series met so far, by id."""
        return self._dictionary.series

    def parse(self, body: bytes) -> Samples:
        """The samples of one answer. Raises `ExpositionError` and nothing else; then nothing of the answer counts."""
        if len(body) > self.limits.body_bytes:
            raise LimitError(f"the answer is longer than {self.limits.body_bytes} bytes")
        lines = body.split(b"\n")
        found = self._layout.tokens_of(lines, len(body)) if self._layout is not None else None
        if self._layout is not None and found is not None:
            return self._samples(self._layout, *found)
        try:
            return self._parse_anew(lines)
        except ExpositionError:
            # Lines of a refused text are known from now on, but nothing vouches for how they stand together.
            self._unchecked = True
            raise

    def take_described(self) -> dict[str, Metadata]:
        """See `Parser`."""
        return self._dictionary.take_described()

    def _parse_anew(self, lines: list[bytes]) -> Samples:
        if self._dictionary.is_overgrown(self._live):
            self._forget()
        try:
            layout, tokens = self._read(lines)
        except TypeChangedError:
            self._forget()
            layout, tokens = self._read(lines)
        met_new = self._dictionary.met_new and len(lines) <= _CHECK_AGAIN_LINES
        if self.openmetrics and (self._unchecked or met_new):
            self._validate(lines)
        samples = self._samples(layout, tokens, b",".join(tokens))
        self._layout, self._live, self._unchecked = layout, len(layout.ids), False
        return samples

    def _read(self, lines: list[bytes]) -> tuple[Layout, list[bytes]]:
        self._dictionary.begin()
        return read_layout(lines, self._dictionary)

    def _forget(self) -> None:
        self._dictionary = Dictionary(self.openmetrics, self.limits)
        self._layout = None
        self._unchecked = True
        self.generation += 1

    def _validate(self, lines: list[bytes]) -> None:
        try:
            texts = [line.decode() for line in lines]
        except UnicodeDecodeError:
            raise ExpositionError("the text is not valid UTF-8") from None
        if texts and texts[-1] == "":
            texts.pop()
        check_openmetrics(texts, self.limits)

    def _samples(self, layout: Layout, tokens: list[bytes], joined: bytes) -> Samples:
        exemplars: tuple[ParsedExemplar, ...] = ()
        if self.openmetrics and MARK in joined:
            tokens, exemplars = without_exemplars(tokens, layout.prefixes, layout.ids, layout.keep)
            joined = b",".join(tokens)
        values, times = numbers_of(tokens, joined, layout.prefixes, self.openmetrics)
        if self.openmetrics and not bool((values[layout.counters] >= 0).all()):
            raise ExpositionError("a counter or bucket is negative or NaN")
        keep = layout.keep
        if keep is None:
            return Samples(layout.ids, values, times, 0, exemplars=exemplars)
        stamps = None if times is None else times[keep]
        return Samples(layout.ids, values[keep], stamps, len(tokens) - len(keep), exemplars=exemplars)
