"""What the engine gives out: a frame a tick, columns on request, recent history, and the delta that makes it durable."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind, SeriesInfo

FIELDS = (
    "value",
    "last",
    "count",
    "sum",
    "min",
    "max",
    "mean",
    "rate",
    "per_minute",
    "p50",
    "p90",
    "p95",
    "p99",
    "unique",
    "age",
)
"""Fields a window answers; any `pNN` or `pNN.N` (0 < NN < 100) is a quantile too. `value` is the kind's own field, below."""

PRIMARY: dict[Kind, str] = {Kind.GAUGE: "last", Kind.COUNTER: "rate", Kind.DISTRIBUTION: "p99", Kind.SET: "unique"}


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """All that one tick folded in, aggregated by series and second: enough to rebuild windows and history after a restart.

    `added`: series that got a row since the last delta. `gone`: rows given up. Per (row, second) m entries:
    `rows` int32[m], `seconds` int64[m] (slot start), `counts`, `sums`, `mins`, `maxs`, `lasts`,
    `last_times` float64[m].
    Histogram entries k: `hist_rows` int32[k], `hist_seconds` int64[k], `hist_bins` int32[k], `hist_counts` float64[k].
    Set members s: `set_rows` int32[s], `set_seconds` int64[s], `set_hashes` float64[s].
    """

    time: float
    added: tuple[SeriesInfo, ...]
    gone: Ids
    rows: Ids
    seconds: npt.NDArray[np.int64]
    counts: Floats
    sums: Floats
    mins: Floats
    maxs: Floats
    lasts: Floats
    last_times: Floats
    hist_rows: Ids
    hist_seconds: npt.NDArray[np.int64]
    hist_bins: Ids
    hist_counts: Floats
    set_rows: Ids
    set_seconds: npt.NDArray[np.int64]
    set_hashes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One tick. `time` is the end of the last closed second; `rows` int32[n] the live series; `delta` what came in."""

    time: float
    number: int
    rows: Ids
    delta: Delta


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A field over time for some rows. `times` float64[t] are step ends; `values` float64[rows, t], NaN where there is no data.

    `step` is the resolution answered with, in seconds: coarser than asked for when the past is only kept so finely.
    """

    rows: Ids
    times: Floats
    values: npt.NDArray[np.float64]
    step: float
    field: str
    window: float = 0.0


class Counters(msgspec.Struct):
    """What went in and what was lost on the way, since the start."""

    points: int = 0
    late: int = 0
    dropped_late: int = 0
    dropped_future: int = 0
    dropped_invalid: int = 0
    dropped_backlog: int = 0
    overflowed: int = 0
    expired_series: int = 0
    ticks: int = 0


def quantile_of(name: str) -> float | None:
    """0.99 for "p99", 0.999 for "p99.9"; None when the name is not a quantile's."""
    if len(name) < 2 or name[0] != "p" or not (name[1].isdigit()):
        return None
    try:
        percent = float(name[1:])
    except ValueError:
        return None
    return percent / 100 if 0 < percent < 100 else None


def is_field(name: str) -> bool:
    """Whether the engine can answer this field."""
    return name in FIELDS or quantile_of(name) is not None
