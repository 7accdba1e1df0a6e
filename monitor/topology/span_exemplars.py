"""Exemplars of what spans say in numbers: of each operation the slowest span of a tick, and the slowest of each status."""

from __future__ import annotations

import numpy as np

from monitor.model.batch import Floats, Ids
from monitor.model.exemplars import Exemplars, label_column
from monitor.model.series import KeySpace
from monitor.model.spans import Spans


def slowest(space: KeySpace, latency: Ids, calls: Ids, spans: Spans, seconds: Floats, times: Floats) -> Exemplars:
    """Of n spans with the ids of their latency and of their calls (-1: none), `seconds` long and ended at `times`.

    On a latency stands how long it took, on calls 1: an operation's failed calls are a series of their own, so that the slowest
    that failed has its place.
    """
    of_latency, of_calls = _slowest_of(latency, seconds), _slowest_of(calls, seconds)
    places = np.concatenate((of_latency, of_calls))
    return Exemplars(
        space,
        np.concatenate((latency[of_latency], calls[of_calls])),
        times[places],
        np.concatenate((seconds[of_latency], np.ones(len(of_calls)))),
        spans.traces[places],
        spans.ids[places],
        label_column([()] * len(places)),
        np.ones(len(places), np.bool_),
    )


def _slowest_of(ids: Ids, seconds: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Of each id the place of its longest."""
    order = np.lexsort((seconds, ids))
    last = np.ones(len(order), np.bool_)
    last[:-1] = ids[order][1:] != ids[order][:-1]
    order = order[last]
    found: np.ndarray[tuple[int], np.dtype[np.intp]] = order[ids[order] >= 0]
    return found
