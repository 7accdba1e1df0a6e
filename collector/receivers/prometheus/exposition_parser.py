"""From the text of an exposition to columns, at its fastest when a target's next answer looks like its last."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress, repeat
from operator import contains
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from collector.receivers.prometheus.families import TEXT_TYPES, TYPES, kind_of, unit_of
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.line import METRIC_NAME, Labels, labels_of, rest_of, series_of, shortened
from collector.receivers.prometheus.openmetrics import check_openmetrics
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind

_PLAIN_NUMBERS = b"0123456789.eE+-, "
_WORDS = (b"nan", b"infinity", b"inf")
_SPARE_SERIES = 10_000
_CHECK_AGAIN_LINES = 20_000
"""A longer OpenMetrics text is validated as a whole (10 us a line) at first sight only, not whenever a series is added."""


class ParsedSeries(NamedTuple):
    """A series as the target names it. Labels are sorted, those with empty values left out; kind None: not a series."""

    name: str
    labels: Labels
    kind: Kind | None
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """n samples. `ids` int32[n], unique, into the parser's `series` (the same array as last time when the text kept its
    layout); `values` float64[n]; `times` float64[n] seconds, NaN where the text has none, or None where it has none at all.
    """

    ids: Ids
    values: Floats
    times: Floats | None
    duplicates: int


@dataclass(slots=True, eq=False)
class _Layout:
    """The lines of one text without its values."""

    is_sample: list[bool]
    is_metadata: list[bool]
    metadata: list[bytes]
    prefixes: list[bytes]
    ids: Ids
    keep: npt.NDArray[np.int64] | None
    not_negative: npt.NDArray[np.int64]
    prefix_bytes: int
    metadata_bytes: int


class ExpositionParser:
    """Parser of one target's answers in one format; it remembers the target's lines.

    `series` only grows until `generation` changes, which it does when a declared type changed or too many series have come
    and gone; ids count from zero again then.
    """

    def __init__(self, openmetrics: bool, limits: ExpositionLimits | None = None) -> None:
        self.openmetrics = openmetrics
        self.limits = limits or ExpositionLimits()
        self.generation = 0
        self._forget_all()

    def _forget_all(self) -> None:
        self.series: list[ParsedSeries] = []
        self._by_key: dict[tuple[str, Labels], int] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._known: dict[bytes, int] = {}
        self._metadata: set[bytes] = set()
        self._types: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._layout: _Layout | None = None
        self._live = 0

    def parse(self, body: bytes) -> Samples:
        """The samples of one answer. Raises `ExpositionError` and nothing else; then nothing of the answer counts."""
        if len(body) > self.limits.body_bytes:
            raise LimitError(f"the answer is longer than {self.limits.body_bytes} bytes")
        lines = body.split(b"\n")
        samples = self._parse_as_before(lines, len(body))
        if samples is None:
            samples = self._parse_anew(lines)
        self._live = len(samples.ids)
        return samples

    def _parse_as_before(self, lines: list[bytes], length: int) -> Samples | None:
        layout = self._layout
        if layout is None or len(lines) != len(layout.is_sample):
            return None
        is_sample = layout.is_sample
        if list(compress(lines, layout.is_metadata)) != layout.metadata:
            return None
        tokens = list(map(bytes.removeprefix, compress(lines, is_sample), layout.prefixes))
        joined = b",".join(tokens)
        # The lengths add up only if every line really began with its prefix.
        written = length - (len(lines) - 1) - layout.metadata_bytes
        if written - layout.prefix_bytes != len(joined) - max(0, len(tokens) - 1):
            return None
        return self._samples(layout, tokens, joined)

    def _parse_anew(self, lines: list[bytes]) -> Samples:
        if len(self.series) > _SPARE_SERIES + 4 * self._live or len(self._known) > 2 * (_SPARE_SERIES + 4 * self._live):
            self._begin_anew()
        first_time = self._layout is None
        reader = _Reader(self)
        try:
            layout, tokens = reader.read(lines)
        except _TypeChangedError:
            self._begin_anew()
            first_time = True
            reader = _Reader(self)
            layout, tokens = reader.read(lines)
        if self.openmetrics and reader.met_new and (first_time or len(lines) <= _CHECK_AGAIN_LINES):
            self._validate(lines)
        samples = self._samples(layout, tokens, b",".join(tokens))
        self._layout = layout
        return samples

    def _begin_anew(self) -> None:
        live = self._live
        self._forget_all()
        self._live = live
        self.generation += 1

    def _validate(self, lines: list[bytes]) -> None:
        try:
            texts = [line.decode() for line in lines]
        except UnicodeDecodeError:
            raise ExpositionError("the text is not valid UTF-8") from None
        if texts and texts[-1] == "":
            texts.pop()
        check_openmetrics(texts, self.limits)

    def _samples(self, layout: _Layout, tokens: list[bytes], joined: bytes) -> Samples:
        values, times = self._numbers(layout, tokens, joined)
        if self.openmetrics and len(layout.not_negative) and not bool((values[layout.not_negative] >= 0).all()):
            raise ExpositionError("a counter or bucket is negative or NaN")
        keep = layout.keep
        if keep is None:
            return Samples(layout.ids, values, times, 0)
        return Samples(layout.ids, values[keep], None if times is None else times[keep], len(tokens) - len(keep))

    def _numbers(self, layout: _Layout, tokens: list[bytes], joined: bytes) -> tuple[Floats, Floats | None]:
        # What float() takes and the formats do not ("1_000", line ends, "0x1") shows in what is left besides digits.
        left = joined.translate(None, _PLAIN_NUMBERS).lower()
        for word in _WORDS:
            left = left.replace(word, b"")
        if not left:
            try:
                return _plain_numbers(tokens, joined, 1.0 if self.openmetrics else 1000.0)
            except ValueError:
                pass
        return self._odd_numbers(layout, tokens)

    def _odd_numbers(self, layout: _Layout, tokens: list[bytes]) -> tuple[Floats, Floats | None]:
        """Values with timestamps, exemplars or mistakes among them."""
        values = np.empty(len(tokens))
        times = np.full(len(tokens), np.nan)
        openmetrics = self.openmetrics
        for position, token in enumerate(tokens):
            try:
                rest = rest_of(token.decode(), openmetrics)
            except (ExpositionError, UnicodeDecodeError) as error:
                series = layout.prefixes[position].decode("utf-8", "replace")
                reason = "the text is not valid UTF-8" if isinstance(error, UnicodeDecodeError) else error
                raise ExpositionError(f"{shortened(series)}: {reason}") from None
            values[position] = rest.value
            if rest.timestamp is not None:
                times[position] = rest.timestamp
        return values, times if not bool(np.isnan(times).all()) else None

    def series_id(self, name: str, label_text: str) -> int:
        """The id of a series, given one at its first sight. Raises `ExpositionError` or `LimitError`."""
        if len(name) > self.limits.name_length:
            raise LimitError(f"the name {shortened(name)} has more than {self.limits.name_length} characters")
        shared = self._pairs.setdefault
        # The same few pairs stand in thousands of series: kept once they take a tenth of the memory.
        labels = tuple(sorted([shared(label, label) for label in labels_of(label_text, self.limits) if label[1]]))
        found = self._by_key.get((name, labels))
        if found is None:
            found = self._by_key[name, labels] = len(self.series)
            kind = kind_of(name, self._types)
            self.series.append(ParsedSeries(name, labels, kind, unit_of(name, self._units)))
        return found


def _plain_numbers(tokens: list[bytes], joined: bytes, ticks: float) -> tuple[Floats, Floats | None]:
    """Values, and times where every token is a value and a timestamp (`ticks` a second). Raises ValueError on anything else."""
    count = len(tokens)
    blanks = joined.count(b" ")
    if blanks == 0:
        return np.fromiter(map(float, tokens), np.float64, count), None
    if blanks != count or not all(map(contains, tokens, repeat(b" "))):
        raise ValueError("some tokens have timestamps and some not")
    numbers = joined.replace(b" ", b",").split(b",")
    both = np.fromiter(map(float, numbers), np.float64, 2 * count).reshape(count, 2)
    times = both[:, 1] / ticks
    if not bool(np.isfinite(times).all()):
        raise ValueError("a timestamp is not finite")
    return np.ascontiguousarray(both[:, 0]), times


def _without_duplicates(series: Ids, tokens: list[bytes]) -> npt.NDArray[np.int64] | None:
    """Positions to keep so that each series stands once, or None where it does already.

    Without timestamps the first sample of a series counts, as in Prometheus; with them the last, which is the newest.
    """
    unique, first = np.unique(series, return_index=True)
    if len(unique) == len(series):
        return None
    if any(b" " in token for token in tokens):
        _, from_end = np.unique(series[::-1], return_index=True)
        return np.sort(len(series) - 1 - from_end).astype(np.int64)
    return np.sort(first).astype(np.int64)


class _TypeChangedError(Exception):
    """A family is declared with another type than before."""


class _Reader:
    """One walk over the lines of an answer whose layout is not the last one."""

    def __init__(self, parser: ExpositionParser) -> None:
        self._parser = parser
        self.met_new = False
        self._declared_here: set[str] = set()

    def read(self, lines: list[bytes]) -> tuple[_Layout, list[bytes]]:
        """The layout and what follows the series on each sample line. Raises `ExpositionError`, `_TypeChangedError`."""
        known = self._parser._known
        most = self._parser.limits.samples
        is_sample: list[bool] = []
        metadata: list[bytes] = []
        prefixes: list[bytes] = []
        tokens: list[bytes] = []
        ids: list[int] = []
        for line in lines:
            cut = line.rfind(b" ") + 1
            prefix = line[:cut]
            series = known.get(prefix)
            if series is None:
                if self._is_metadata(line):
                    is_sample.append(False)
                    metadata.append(line)
                    continue
                prefix, series = self._new_sample(line)
                cut = len(prefix)
                if len(ids) >= most:
                    raise LimitError(f"the answer has more than {most} samples")
            is_sample.append(True)
            prefixes.append(prefix)
            tokens.append(line[cut:])
            ids.append(series)
        if len(ids) > most:
            raise LimitError(f"the answer has more than {most} samples")
        if self._parser.openmetrics:
            self._check_end(lines)
        return self._layout(is_sample, metadata, prefixes, tokens, ids), tokens

    def _layout(
        self, is_sample: list[bool], metadata: list[bytes], prefixes: list[bytes], tokens: list[bytes], ids: list[int]
    ) -> _Layout:
        series = np.array(ids, np.int32)
        keep = _without_duplicates(series, tokens)
        parsed = self._parser.series
        counters = [position for position, number in enumerate(ids) if parsed[number].kind is Kind.COUNTER]
        return _Layout(
            is_sample=is_sample,
            is_metadata=[not sample for sample in is_sample],
            metadata=metadata,
            prefixes=prefixes,
            ids=series if keep is None else series[keep],
            keep=keep,
            not_negative=np.array(counters, np.int64),
            prefix_bytes=sum(map(len, prefixes)),
            metadata_bytes=sum(map(len, metadata)),
        )

    @staticmethod
    def _check_end(lines: list[bytes]) -> None:
        last = len(lines) - 1 if lines[-1] else len(lines) - 2
        if last < 0 or lines[last] != b"# EOF":
            raise ExpositionError("the last line must be # EOF (was the answer cut off?)")

    def _new_sample(self, line: bytes) -> tuple[bytes, int]:
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise ExpositionError(f"not valid UTF-8: {line[:80]!r}") from None
        parser = self._parser
        found = series_of(text, parser.openmetrics)
        prefix = text[: found.length].encode()
        series = parser._known.get(prefix)
        if series is None:
            self.met_new = True
            series = parser._known[prefix] = parser.series_id(found.name, found.label_text)
        return prefix, series

    def _is_metadata(self, line: bytes) -> bool:
        parser = self._parser
        if line in parser._metadata:
            return True
        stripped = line if parser.openmetrics else line.strip(b" \t\r")
        if stripped and not stripped.startswith(b"#"):
            return False
        if stripped:
            self.met_new = True
            self._describe(stripped)
            if len(parser._metadata) > 2 * (_SPARE_SERIES + parser._live):
                parser._metadata.clear()
            parser._metadata.add(line)
        return True

    def _describe(self, line: bytes) -> None:
        try:
            words = line.decode().split(" " if self._parser.openmetrics else None, 3)
        except UnicodeDecodeError:
            raise ExpositionError(f"not valid UTF-8: {line[:80]!r}") from None
        if len(words) < 4 or words[0] != "#":
            if words[:2] == ["#", "TYPE"]:
                raise ExpositionError(f"a TYPE line needs a name and a type: {shortened(' '.join(words))}")
            return
        keyword, family, text = words[1:]
        if keyword == "TYPE":
            self._declare(family, text)
        elif keyword == "UNIT" and self._parser.openmetrics:
            self._parser._units[family] = text

    def _declare(self, family: str, declared: str) -> None:
        if METRIC_NAME.fullmatch(family) is None:
            raise ExpositionError(f"not a metric name: {shortened(family)}")
        if declared not in (TYPES if self._parser.openmetrics else TEXT_TYPES):
            raise ExpositionError(f"unknown type {shortened(declared)} of {shortened(family)}")
        before = self._parser._types.setdefault(family, declared)
        if before != declared:
            if family in self._declared_here:
                raise ExpositionError(f"{shortened(family)} has two types")
            raise _TypeChangedError
        self._declared_here.add(family)
