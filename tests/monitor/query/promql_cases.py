"""Histories for tests of the evaluator: blocks with holes and markers, what was asked of them, answers as plain rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from monitor.model.matchers import Matcher
from monitor.query.history import STALE, Answer, Block, Hints, Labels, Metadata, Millis, Selected
from tests.monitor.query.slow_promql import Points

Sample = float | None
"""A value; NaN; or None for a staleness marker."""


def labels(name: str = "metric", **tags: str) -> Labels:
    return tuple(sorted({"__name__": name, **tags}.items()))


@dataclass
class BlockHistory:
    """A history of given blocks; remembers what it was asked. Implements `History`."""

    blocks: Sequence[Block]
    resolution: int = 0
    asked: list[tuple[int, int, Hints]] = field(default_factory=list)

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """See `History`."""
        self.asked.append((start, end, hints))
        found = []
        for block in self.blocks:
            rows = [row for row, own in enumerate(block.labels) if all(m.test(dict(own).get(m.name, "")) for m in matchers)]
            inside = (block.times >= start) & (block.times <= end)
            if rows:
                present = block.present[np.ix_(np.array(rows), inside)] if block.present is not None else None
                cells = block.histograms[np.ix_(np.array(rows), inside)] if block.histograms is not None else None
                values = block.values[np.ix_(np.array(rows), inside)]
                found.append(Block(tuple(block.labels[row] for row in rows), block.times[inside], values, present, cells))
        return Selected(tuple(found), self.resolution)

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """See `History`."""
        return [own for block in self.blocks for own in block.labels]

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        return []

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        return []

    def metadata(self) -> dict[str, Metadata]:
        """See `History`."""
        return {}


def block(series: dict[Labels, list[Sample | str]], times: Sequence[int]) -> Block:
    """Series over shared times; "_" is a hole, None a staleness marker."""
    values = np.zeros((len(series), len(times)))
    present = np.ones(values.shape, bool)
    for row, samples in enumerate(series.values()):
        for column, sample in enumerate(samples):
            if isinstance(sample, str):
                present[row, column] = False
            else:
                values[row, column : column + 1] = np.array([STALE if sample is None else sample])
    return Block(tuple(series), np.array(times, np.int64), values, None if present.all() else present)


def points_of(samples: Sequence[Sample | str], times: Sequence[int]) -> Points:
    """The samples that count in a range."""
    return [(time, sample) for time, sample in zip(times, samples, strict=True) if isinstance(sample, int | float)]


def rows(answer: Answer) -> dict[Labels, dict[int, float]]:
    """An answer's floats by series and time."""
    matrix = answer.matrix
    assert matrix is not None
    found: dict[Labels, dict[int, float]] = {}
    for row, own in enumerate(matrix.labels):
        found[own] = {
            int(time): float(matrix.values[row, column])
            for column, time in enumerate(matrix.times)
            if matrix.present[row, column]
        }
    return found


def close(got: float, wanted: float, relative: float = 1e-9, absolute: float = 0.0) -> bool:
    if math.isnan(wanted):
        return math.isnan(got)
    return math.isclose(got, wanted, rel_tol=relative, abs_tol=absolute)


PLAIN = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
CANCELLING = st.sampled_from((1e100, -1e100, 1.0, 3.0, 1e-9, 1e16, -1e16, 0.0, 0.1))
ODD = st.sampled_from((math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -1e308, 5e-324))


@dataclass(frozen=True)
class Case:
    """Series over shared times, and a range query's span."""

    series: dict[Labels, list[Sample | str]]
    times: list[int]
    start: int
    end: int
    step: int
    range: int

    @property
    def history(self) -> BlockHistory:
        return BlockHistory([block(self.series, self.times)])

    @property
    def steps(self) -> Millis:
        return np.arange(self.start, self.end + 1, self.step, dtype=np.int64)


@st.composite
def cases(draw: st.DrawFn, values: st.SearchStrategy[float] = PLAIN, holes: bool = True) -> Case:
    """Irregular times, holes, markers; spans that begin before and end after the samples."""
    gaps = draw(st.lists(st.integers(1, 90_000), min_size=1, max_size=40))
    times = (1_000_000 + np.cumsum(gaps)).tolist()
    sample: st.SearchStrategy[Sample | str] = values
    if holes:
        sample = st.one_of(values, values, values, values, st.just("_"), st.none())
    count = draw(st.integers(1, 3))
    series = {labels(job=str(row)): draw(st.lists(sample, min_size=len(times), max_size=len(times))) for row in range(count)}
    start = draw(st.integers(900_000, times[-1]))
    step = draw(st.integers(1, 60_000))
    return Case(series, times, start, start + step * draw(st.integers(0, 30)), step, draw(st.integers(1, 400_000)))
