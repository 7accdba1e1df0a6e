"""Sampling by chance: traces by their own identity, so that all who look decide alike, and events with their weights.

A trace's randomness R is the lowest 56 bits of its id (W3C Trace Context level 2, random flag), or `rv` where its state tells
one; it is kept where R >= T, the rejection threshold of `ot=th:…` (OpenTelemetry, TraceState: Probability Sampling).
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Batch
from monitor.model.series import Kind
from monitor.model.spans import Numbers, Spans

RANGE = 1 << 56
_MASK = np.uint64(RANGE - 1)
_TH = re.compile(r"[0-9a-f]{1,14}")
_RV = re.compile(r"[0-9a-f]{14}")


def threshold_of(probability: float) -> int:
    """The threshold that lets this share of traces through: 0 for all, 2**56 for none. Raises `ValueError` outside 0 to 1."""
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"a sampling probability of {probability!r}: it is a number from 0 (none) to 1 (all)")
    return RANGE - round(probability * RANGE)


def threshold_text(threshold: int) -> str:
    """As `th` writes it: 14 hexadecimal digits, zeros at the end left out, "0" for all. Raises `ValueError` for none at all."""
    if not 0 <= threshold < RANGE:
        raise ValueError("a threshold that lets nothing through cannot be written: nothing is there to bear it")
    return f"{threshold:014x}".rstrip("0") or "0"


def adjusted_count(threshold: int) -> float:
    """How many traces each one that came through stands for."""
    return RANGE / (RANGE - threshold) if threshold < RANGE else 0.0


def read_state(tracestate: str) -> tuple[int | None, int | None]:
    """Threshold and explicit randomness of the member `ot` in a `tracestate`; None where it tells none, or none that is valid."""
    for member in tracestate[:4096].split(","):
        key, _, value = member.strip().partition("=")
        if key == "ot":
            told = dict(part.split(":", 1) for part in value.split(";") if ":" in part)
            th, rv = told.get("th", ""), told.get("rv", "")
            return (
                int(th.ljust(14, "0"), 16) if _TH.fullmatch(th) else None,
                int(rv, 16) if _RV.fullmatch(rv) else None,
            )
    return None, None


def randomness(traces: Numbers) -> npt.NDArray[np.uint64]:
    """uint64[n] below 2**56 of trace ids uint64[n, 2] (high, low)."""
    return traces[:, 1] & _MASK


def sampled(traces: Numbers, threshold: int) -> npt.NDArray[np.bool_]:
    """bool[n]: which traces a threshold lets through. Who lets more through lets these through too."""
    if threshold >= RANGE:
        return np.zeros(len(traces), np.bool_)
    return randomness(traces) >= np.uint64(threshold)


def head_sampled(spans: Spans, probability: float) -> Spans:
    """The spans of this share of all traces: of each trace all or none, here and wherever the same is decided."""
    threshold = threshold_of(probability)
    return spans if threshold == 0 else spans.take(sampled(spans.traces, threshold))


def thin(batch: Batch, keep: float, random: np.random.Generator) -> Batch:
    """About the share `keep` of a batch's increments and observations, each standing for 1 / `keep` of them.

    A counter's values are multiplied, a distribution's weights (Horvitz-Thompson: sums and counts keep their expected values).
    Readings, members of sets, staleness markers and what only the history takes stay as they are. Raises `ValueError`.
    """
    if not 0.0 < keep <= 1.0:
        raise ValueError(f"thinning to a share of {keep!r}: it is a number above 0 (never reached) and at most 1 (all)")
    if keep == 1.0 or len(batch) == 0 or not batch.windowed:
        return batch
    present, where = np.unique(batch.ids, return_inverse=True)
    kinds = np.array([batch.space.kinds[number] for number in present.tolist()], np.int8)[where]
    counters = (kinds == Kind.COUNTER) & ~np.isnan(batch.values)
    observed = kinds == Kind.DISTRIBUTION
    stays = ~(counters | observed) | (random.random(len(batch)) < keep)
    weights = batch.weights
    if observed.any():
        weights = (np.ones(len(batch)) if weights is None else weights) * np.where(observed, 1.0 / keep, 1.0)
    return replace(
        batch,
        ids=batch.ids[stays],
        values=np.where(counters, batch.values / keep, batch.values)[stays],
        times=batch.times[stays],
        weights=None if weights is None else weights[stays],
        relative=None if batch.relative is None else batch.relative[stays],
    )
