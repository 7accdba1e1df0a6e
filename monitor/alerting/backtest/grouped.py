"""Series judged together by labels they share, over a stretch of time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.alerting.backtest.past import Past
from monitor.alerting.conditions import QueryCondition
from monitor.alerting.model import Rule
from monitor.alerting.named import AGGREGATES
from monitor.model.series import SeriesKey

Bools = npt.NDArray[np.bool_]


def holding_value(condition: QueryCondition) -> float:
    """A value that meets the condition's comparison, which the expression has made already."""
    return {"gt": np.inf, "gte": np.inf, "lt": -np.inf, "lte": -np.inf, "eq": condition.value}.get(condition.operator, np.inf)


def groups_of(by: tuple[str, ...], past: Past, keys: list[SeriesKey]) -> npt.NDArray[np.intp]:
    """The place of each series' group; the groups are added to `keys`."""
    known: dict[SeriesKey, int] = {}
    places = []
    for key in past.keys:
        tags = dict(key.tags)
        group = SeriesKey(key.name, tuple(sorted((name, tags[name]) for name in by if name in tags)))
        if group not in known:
            known[group] = len(keys)
            keys.append(group)
        places.append(known[group])
    return np.array(places, np.intp)


def aggregated(
    rule: Rule, values: npt.NDArray[np.float64], gone: Bools, groups: npt.NDArray[np.intp], count: int
) -> tuple[npt.NDArray[np.float64], Bools]:
    """The aggregate of each group at each time; a group is gone when all of its series are."""
    totals, absent = np.full((count, values.shape[1]), np.nan), np.ones((count, values.shape[1]), np.bool_)
    for column in range(values.shape[1]):
        there = ~np.isnan(values[:, column]) & ~gone[:, column]
        absent[groups[~gone[:, column]], column] = False
        if there.any():
            present, group = np.unique(groups[there], return_inverse=True)
            totals[present, column] = AGGREGATES[rule.aggregate](values[there, column], group.astype(np.int32), len(present))
    return totals, absent
