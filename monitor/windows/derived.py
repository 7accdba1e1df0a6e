"""Derived metrics: gauges worked out of other series at each tick, joined by their tags."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import numpy as np

from monitor.model.batch import Floats, Ids
from monitor.model.matchers import NAME_TAG, Selector
from monitor.model.series import Kind, Tags, series_key
from monitor.model.table import SeriesTable
from monitor.windows.columns import Columns
from monitor.windows.fold import empty_delta
from monitor.windows.formula import Node, operands_of, parse_formula, work_out
from monitor.windows.frame import Delta


class Derived(msgspec.Struct, frozen=True):
    """A metric by formula. Counters enter as sum over `window` seconds, gauges as last, distributions as mean, sets as unique.

    Series are joined when their tags are the same, leaving out tags that the formula fixes (`hits{tier="l1"}`); the result
    has the tags that are left. Where an operand is missing nothing is sent; 0 / 0 is NaN.
    """

    name: str
    formula: str
    window: float = 60
    unit: str = ""


_FIELD_OF = {Kind.COUNTER: "sum", Kind.GAUGE: "last", Kind.DISTRIBUTION: "mean", Kind.SET: "unique"}


@dataclass(slots=True, eq=False)
class _Joined:
    """Rows of each operand, place by place, and the tags of each place."""

    tags: list[Tags]
    rows: dict[Selector, Ids]


class _Metric:
    def __init__(self, derived: Derived) -> None:
        self.derived = derived
        self.tree: Node = parse_formula(derived.formula)
        self.selectors = operands_of(self.tree)
        self.joined = _Joined([], {})
        self.revision = -1

    def join(self, table: SeriesTable) -> None:
        """Finds the operands' series again when the table has changed."""
        if self.revision == table.revision:
            return
        self.revision = table.revision
        found = [_by_tags(table, selector) for selector in self.selectors]
        shared = set(found[0]).intersection(*found[1:])
        tags = sorted(shared)
        rows = {
            selector: np.array([some[key] for key in tags], np.int32)
            for selector, some in zip(self.selectors, found, strict=True)
        }
        self.joined = _Joined(tags, rows)


class DerivedMetrics:
    """All derived metrics of an engine. Raises `FormulaError` for a formula that cannot be read."""

    def __init__(self, derived: tuple[Derived, ...], table: SeriesTable, columns: Columns) -> None:
        self._table = table
        self._columns = columns
        self._metrics = [_Metric(one) for one in derived]

    def sample(self, now: float) -> Delta:
        """One gauge sample for each metric and tags, of the second that ended at `now`; a metric may use those before it
        as they were at the last tick."""
        results: dict[tuple[int, Tags], float] = {}
        for number, metric in enumerate(self._metrics):
            metric.join(self._table)
            if metric.joined.tags:
                values = work_out(metric.tree, self._operands(metric))
                results.update(((number, tags), value) for tags, value in zip(metric.joined.tags, values.tolist(), strict=True))
        # Rows are given out only now: a table that grew would be longer than the columns above.
        rows: dict[int, float] = {}
        for (number, tags), value in results.items():
            derived = self._metrics[number].derived
            rows[self._table.intern(series_key(derived.name, tags), Kind.GAUGE, derived.unit)] = value
        return _samples(rows, now)

    def _operands(self, metric: _Metric) -> dict[Selector, Floats]:
        window = metric.derived.window
        operands = {}
        for selector, rows in metric.joined.rows.items():
            kinds = self._table.kinds[rows]
            values = np.full(len(rows), np.nan)
            for kind, field in _FIELD_OF.items():
                mine = kinds == kind
                if mine.any():
                    values[mine] = self._columns.column(field, window)[rows[mine]]
            operands[selector] = values
        return operands


def _by_tags(table: SeriesTable, selector: Selector) -> dict[Tags, int]:
    """Rows of a selector by the tags it leaves open; where two share them the lower row counts."""
    fixed = {matcher.name for matcher in selector.matchers if matcher.op == "=" and matcher.name != NAME_TAG}
    found: dict[Tags, int] = {}
    for row in table.select(selector).tolist():
        info = table.info(row)
        if info is not None:
            found.setdefault(tuple(pair for pair in info.key.tags if pair[0] not in fixed), row)
    return found


def _samples(rows: dict[int, float], now: float) -> Delta:
    if not rows:
        return empty_delta(now)
    order = sorted(rows)
    values = np.array([rows[row] for row in order])
    said = ~np.isnan(values)
    size = len(order)
    return replace(
        empty_delta(now),
        rows=np.array(order, np.int32),
        seconds=np.full(size, int(now) - 1, np.int64),
        counts=said.astype(np.float64),
        sums=np.where(said, values, 0.0),
        mins=np.where(said, values, np.inf),
        maxs=np.where(said, values, -np.inf),
        lasts=values,
        last_times=np.full(size, now - 1.0),
    )
