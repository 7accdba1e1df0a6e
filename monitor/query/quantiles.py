"""Quantiles of plain numbers, as PromQL takes them: between two values in proportion, NaN below everything.

Source: Prometheus, promql/quantile.go (quantile).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.query.history import Mask, Values


def quantiles_of(values: Values, q: Values, present: Mask | None = None) -> Values:
    """Quantiles over the last axis: float64 [..., N, K] and q float64 [N] give float64 [..., N]. Values that are not `present`
    (same shape as `values`) do not count; without any the quantile is NaN. q below 0 gives -Inf, above 1 +Inf, NaN NaN.
    """
    size = values.shape[-1]
    if present is None:
        if len(q) and size and (q == q[0]).all() and 0 <= q[0] <= 1 and not np.isnan(values).any():
            return _same_for_all(values, float(q[0]))
        count = np.full(values.shape[:-1], size)
        ordered = np.sort(values, axis=-1)
        missing = np.isnan(values).sum(axis=-1)
    else:
        count = present.sum(axis=-1)
        ordered = np.sort(np.where(present, values, np.inf), axis=-1)
        missing = (np.isnan(values) & present).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        rank = np.where(np.isnan(q), 0.0, np.clip(q, 0.0, 1.0)) * np.maximum(count - 1, 0)
        lower = np.floor(rank)
        low = _at(ordered, lower, missing)
        high = _at(ordered, np.minimum(lower + 1, np.maximum(count - 1, 0)), missing)
        weight = rank - lower
        found: Values = low * (1 - weight) + high * weight
    found = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, found))
    return np.where((count == 0) | np.isnan(q), np.nan, found)


def _same_for_all(values: Values, q: float) -> Values:
    """One quantile of rows of one length without NaN: only its two values have to come to their places."""
    rank = q * (values.shape[-1] - 1)
    low = int(rank)
    high = min(low + 1, values.shape[-1] - 1)
    ordered = np.partition(values, (low, high), axis=-1)
    weight = rank - low
    found: Values = ordered[..., low] * (1 - weight) + ordered[..., high] * weight
    return found


def _at(ordered: Values, rank: Values, missing: npt.NDArray[np.int64]) -> Values:
    """The value of a rank; numpy sorts NaN to the end where PromQL has it at the start."""
    place: npt.NDArray[np.int64] = rank.astype(np.int64) - missing
    taken = np.take_along_axis(ordered, np.clip(place, 0, ordered.shape[-1] - 1)[..., np.newaxis], axis=-1)[..., 0]
    found: Values = np.where(place < 0, np.nan, taken)
    return found
