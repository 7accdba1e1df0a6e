"""Thinning of samples by chance, each that is left standing for those left out, so that sums, counts and rates keep their
expected values (Horvitz-Thompson).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Batch
from monitor.model.series import Kind

Floats = npt.NDArray[np.float64]
Share = float | Floats


BOTH = (Kind.COUNTER, Kind.DISTRIBUTION)


def thin(batch: Batch, keep: Share, random: np.random.Generator, kinds: Collection[Kind] = BOTH) -> Batch:
    """About the share `keep` (one, or float64[n], a share a sample) of a batch's increments and observations, or of one of them,
    each standing for 1 / `keep`.

    A counter's values are multiplied, a distribution's weights. Readings, members of sets, staleness markers and what comes from
    senders that count for themselves (a raw space: their increments are few, and the history has them exact) stay as they are.
    Raises `ValueError`.
    """
    if not (np.greater(keep, 0.0) & np.less_equal(keep, 1.0)).all():
        raise ValueError(f"thinning to a share of {keep!r}: it is a number above 0 (never reached) and at most 1 (all)")
    if len(batch) == 0 or not batch.windowed or batch.space.raw or np.all(np.equal(keep, 1.0)):
        return batch
    found = kinds_of(batch)
    counted = (found == Kind.COUNTER) & ~np.isnan(batch.values) & (Kind.COUNTER in kinds)
    observed = (found == Kind.DISTRIBUTION) & (Kind.DISTRIBUTION in kinds)
    shares = np.where(counted | observed, keep, 1.0)
    stays = random.random(len(batch)) < shares
    weights = batch.weights
    if (observed & (shares < 1.0)).any():
        weights = (np.ones(len(batch)) if weights is None else weights) / np.where(observed, shares, 1.0)
    return at(replace(batch, values=np.where(counted, batch.values / shares, batch.values), weights=weights), stays)


def latest(batch: Batch) -> Batch:
    """Of each gauge's readings only the last of a second: the windows' last value, which is what a gauge is, stays exact.

    Changes (`relative`) and staleness markers stay all, and so does a reading before one of them; so does a raw space.
    """
    if len(batch) == 0 or not batch.windowed or batch.space.raw:
        return batch
    readings = (kinds_of(batch) == Kind.GAUGE) & ~np.isnan(batch.values)
    if not readings.any():
        return batch
    order = np.lexsort((np.arange(len(batch)), np.floor(batch.times), batch.ids))
    followed = np.zeros(len(batch), np.bool_)
    one, after = order[:-1], order[1:]
    same = (batch.ids[one] == batch.ids[after]) & (np.floor(batch.times[one]) == np.floor(batch.times[after]))
    plain = readings if batch.relative is None else readings & ~batch.relative
    followed[one] = same & plain[one] & plain[after]
    return at(batch, ~followed)


def at(batch: Batch, which: npt.NDArray[Any]) -> Batch:
    """The samples at places, or where a bool array is true."""
    return replace(
        batch,
        ids=batch.ids[which],
        values=batch.values[which],
        times=batch.times[which],
        weights=None if batch.weights is None else batch.weights[which],
        relative=None if batch.relative is None else batch.relative[which],
    )


def kinds_of(batch: Batch) -> npt.NDArray[np.int8]:
    """int8[n]: the kind of each sample's series."""
    present, where = np.unique(batch.ids, return_inverse=True)
    return np.array([batch.space.kinds[number] for number in present.tolist()], np.int8)[where]
