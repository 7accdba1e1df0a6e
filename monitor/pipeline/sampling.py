"""Sampling of traces by their own identity, so that all who look decide alike.

A trace's randomness R is the lowest 56 bits of its id (W3C Trace Context level 2, random flag), or `rv` where its state tells
one; it is kept where R >= T, the rejection threshold of `ot=th:…` (OpenTelemetry, TraceState: Probability Sampling).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.model.spans import Numbers, Spans

RANGE = 1 << 56
MOST_STATE = 512
"""Characters of a `tracestate` that is kept whole (W3C Trace Context, 3.3.1.5); of a longer one only what is told here is."""
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
    told = dict(part.split(":", 1) for part in _member(tracestate).split(";") if ":" in part)
    th, rv = told.get("th", ""), told.get("rv", "")
    return int(th.ljust(14, "0"), 16) if _TH.fullmatch(th) else None, int(rv, 16) if _RV.fullmatch(rv) else None


def kept_state(tracestate: str) -> str:
    """A sender's `tracestate` as it is carried: whole, or of a very long one only the member `ot`, where that is of use."""
    if len(tracestate) <= MOST_STATE:
        return tracestate
    told = _member(tracestate)
    return f"ot={told}" if 0 < len(told) <= MOST_STATE // 2 else ""


def written_state(tracestate: str, threshold: int | None) -> str:
    """The `tracestate` with this threshold in its member `ot`, which then is the first; None takes the threshold out."""
    parts = [part for part in _member(tracestate).split(";") if part and not part.startswith("th:")]
    if threshold is not None:
        parts.insert(0, f"th:{threshold_text(threshold)}")
    others = [member for member in map(str.strip, tracestate.split(",")) if member and not member.startswith("ot=")]
    return ",".join([f"ot={';'.join(parts)}", *others] if parts else others)


def _member(tracestate: str) -> str:
    for member in tracestate[:4096].split(","):
        key, _, value = member.strip().partition("=")
        if key == "ot":
            return value
    return ""


def count_told(tracestate: str) -> float:
    """How many spans one with this state stands for: 1 where it tells no threshold."""
    threshold = read_state(tracestate)[0]
    return adjusted_count(threshold) if threshold is not None else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What spans tell of their sampling, uint64 a span: their randomness, and the threshold they came through, 0 for none."""

    randomness: Numbers
    thresholds: Numbers


def told_by(spans: Spans) -> Told:
    """Of each different state read once."""
    randoms, thresholds = randomness(spans.traces), np.zeros(len(spans), np.uint64)
    if spans.states.any():
        found, where = np.unique(spans.states, return_inverse=True)
        read = [read_state(spans.texts[place]) for place in found.tolist()]
        explicit = np.array([rv is not None for _, rv in read], np.bool_)[where]
        randoms = np.where(explicit, np.array([rv or 0 for _, rv in read], np.uint64)[where], randoms)
        thresholds = np.array([th or 0 for th, _ in read], np.uint64)[where]
    return Told(randoms, thresholds)


def randomness(traces: Numbers) -> npt.NDArray[np.uint64]:
    """uint64[n] below 2**56 of trace ids uint64[n, 2] (high, low)."""
    return traces[:, 1] & _MASK


def sampled(randoms: Numbers, threshold: int) -> npt.NDArray[np.bool_]:
    """bool[n]: which traces of this randomness a threshold lets through. Who lets more through lets these through too."""
    return randoms >= np.uint64(threshold)


def head_sampled(spans: Spans, probability: float) -> Spans:
    """The spans of this share of all traces: of each trace all or none, here and wherever the same is decided.

    What was sampled before by the same rule to a smaller share comes through whole. What is left tells its new threshold and
    count (`at_threshold`).
    """
    threshold = threshold_of(probability)
    if threshold == 0:
        return spans
    return at_threshold(spans.take(sampled(told_by(spans).randomness, threshold)), threshold)


def at_threshold(spans: Spans, threshold: int) -> Spans:
    """Spans that came through a threshold, telling so in `counts` and `states`.

    Of thresholds by the same randomness the higher one counts. Where another chance had left some out already (a count without
    a threshold, or a threshold that their randomness does not reach), counts multiply, and no threshold is told: none says it.
    """
    if threshold == 0 or not len(spans):
        return spans
    told = told_by(spans)
    before = _counts(told.thresholds)
    alike = (told.randomness >= told.thresholds) & (np.abs(spans.counts - before) <= 1e-9 * before)
    highest = np.maximum(told.thresholds, np.uint64(threshold))
    counts = np.where(alike, _counts(highest), spans.counts * adjusted_count(threshold))
    return _restated(replace(spans, counts=counts), np.where(alike, highest, np.uint64(RANGE)))


def without_threshold(spans: Spans) -> Spans:
    """The spans without one in their states: for those that were chosen by what no threshold says."""
    return _restated(spans, np.full(len(spans), RANGE, np.uint64)) if spans.states.any() else spans


def _restated(spans: Spans, thresholds: Numbers) -> Spans:
    """With a threshold each written into their states, 2**56 for none. Each different state is written once."""
    both = np.stack((spans.states.astype(np.uint64), thresholds), axis=1)
    if (both == both[:1]).all():  # np.unique of rows is slow, and this is what nearly always is
        found, where = both[:1], np.zeros(len(both), np.int64)
    else:
        found, where = np.unique(both, axis=0, return_inverse=True)
    written = [written_state(spans.texts[state], told if told < RANGE else None) for state, told in found.tolist()]
    places = [len(spans.texts) + place if text else 0 for place, text in enumerate(written)]
    return replace(spans, texts=(*spans.texts, *written), states=np.array(places, np.int32)[where.reshape(-1)])


def _counts(thresholds: Numbers) -> npt.NDArray[np.float64]:
    return RANGE / (np.uint64(RANGE) - thresholds).astype(np.float64)
