"""Sampling of traces when they are whole: errors, slow ones and rare ones are kept, of the rest a share."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.spans import Numbers, Spans, Status, joined_spans, no_spans, with_own_texts
from monitor.pipeline.fates import Fate, Fates, Keys, keys_of
from monitor.pipeline.sampling import at_threshold, sampled, threshold_of, told_by, without_threshold
from monitor.pipeline.tail_policies import TailCounters, TailPolicies

__all__ = ["STEP", "TailCounters", "TailPolicies", "TailSampler"]

Bools = npt.NDArray[np.bool_]

STEP = 0.5
"""Seconds between two decisions: what is due meanwhile waits for the next."""
MAX_OPERATIONS = 10_000
_RARE_SPAN = 60.0
_ERROR, _SLOW, _RARE = 4, 2, 1


@dataclass(frozen=True, slots=True, eq=False)
class _Traces:
    """The traces within some spans: `of` int64[spans] is each one's trace; the rest is one a trace."""

    of: npt.NDArray[np.int64]
    keys: Keys
    randoms: Numbers
    sizes: npt.NDArray[np.int64]
    reasons: npt.NDArray[np.int8]
    seconds: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Spans that wait and came at once."""

    spans: Spans
    keys: Keys
    arrived: float


class TailSampler:
    """Holds the spans of a trace for `wait` seconds from its first, then decides; not for many threads at once.

    At most `max_spans` are held: beyond that the least telling traces are shed, and counted. The fate of `max_decided` traces is
    remembered for spans that come late.

    Kept spans that were drawn by chance tell the threshold and the count of it; those that were chosen keep what they told. With
    `traces_per_second` no threshold is told: none says what a rate left out.
    """

    def __init__(self, policies: TailPolicies, wait: float = 10.0, max_spans: int = 100_000, max_decided: int = 200_000) -> None:
        self._policies, self._wait, self._max_spans, self._max_decided = policies, wait, max_spans, max_decided
        self._parts: list[_Part] = []
        self._held = 0
        self._next = -np.inf
        self._budget_at: float | None = None
        self._budget = 0.0
        self._threshold = threshold_of(policies.share)
        self._fates = {fate: Fates(max_decided) for fate in Fate}
        self._decided: list[tuple[Fate, Keys]] = []
        self._seen: dict[tuple[str, str], float] = {}
        self._seen_at: float | None = None
        self.counters = TailCounters()

    @property
    def held(self) -> int:
        """Spans that wait for their traces to be whole."""
        return self._held

    def take(self, spans: Spans, now: float) -> Spans:
        """Takes spans in and returns those that are kept, by traces decided until `now` (seconds, never going back)."""
        released = []
        if len(spans):
            keys = keys_of(spans)
            met = {fate: self._fates[fate].holds(keys) for fate in Fate}
            late = np.logical_or.reduce(list(met.values()))
            if late.any():
                kept = met[Fate.CHOSEN] | met[Fate.DRAWN]
                self.counters.late_spans += int(np.count_nonzero(late))
                self.counters.kept_spans += int(np.count_nonzero(kept))
                self.counters.dropped_spans += int(np.count_nonzero(late & ~kept))
                released.append(self._released(spans, kept, met[Fate.DRAWN]))
                spans, keys = spans.take(~late), keys[~late]
            if len(spans):
                self._parts.append(_Part(_with_own_texts(spans), keys, now))
                self._held += len(spans)
        if self._held and now >= self._next:
            self._next = now + min(STEP, self._wait)
            released.append(self._decide(now, now - self._wait))
        if self._held > self._max_spans:
            self._shed()
        return joined_spans([each for each in released if len(each)])

    def flush(self, now: float) -> Spans:
        """Decides all that is held, as at a stop."""
        return self._decide(now, np.inf) if self._held else no_spans()

    def decided(self) -> list[tuple[Fate, Keys]]:
        """The traces decided since this was asked last, by their keys (`keys_of`)."""
        decided, self._decided = self._decided, []
        return decided

    def remember(self, fate: Fate, keys: Keys) -> None:
        """Traces that were decided before this sampler was made."""
        self._fates[fate].add(keys)

    def _meet(self, fates: Iterator[tuple[Fate, Keys]]) -> None:
        for fate, keys in fates:
            if len(keys):
                self._fates[fate].add(keys)
                self._decided.append((fate, keys))

    def _released(self, spans: Spans, kept: Bools, drawn: Bools) -> Spans:
        """Those that are kept, telling by what chance."""
        if self._policies.traces_per_second is not None:
            return without_threshold(spans.take(kept))
        chosen, by_chance = spans.take(kept & ~drawn), spans.take(kept & drawn)
        return joined_spans([each for each in (chosen, at_threshold(by_chance, self._threshold)) if len(each)])

    def _decide(self, now: float, before: float) -> Spans:
        """Touches only the spans that are due: most of what waits is left as it lies."""
        spans = joined_spans(self._due(before))
        if not len(spans):
            return spans
        traces = self._traces(spans)
        reasons = self._with_rare(traces, spans, now)
        wanted = (reasons > 0) | sampled(traces.randoms, self._threshold)
        keep = self._within_rate(wanted, reasons, traces.seconds, now)
        self._tell(traces, keep, keep & (reasons == 0))
        return _with_own_texts(self._released(spans, keep[traces.of], (reasons == 0)[traces.of]))

    def _due(self, before: float) -> list[Spans]:
        """Takes out the spans of all traces of which one came before that."""
        count = bisect.bisect_right(self._parts, before, key=lambda part: part.arrived)
        if not count:
            return []
        due, waiting = self._parts[:count], self._parts[count:]
        keys = np.unique(np.concatenate([part.keys for part in due]))
        found = [part.spans for part in due]
        if waiting:
            later = np.concatenate([part.keys for part in waiting])
            places = np.minimum(np.searchsorted(keys, later), len(keys) - 1)
            taken, waiting = _split(waiting, keys[places] == later)
            found += taken
        self._parts = waiting
        self._held -= sum(map(len, found))
        return found

    def _tell(self, traces: _Traces, keep: Bools, drawn: Bools) -> None:
        counters = self.counters
        counters.kept_traces += int(np.count_nonzero(keep))
        counters.kept_spans += int(traces.sizes[keep].sum())
        counters.dropped_traces += int(np.count_nonzero(~keep))
        counters.dropped_spans += int(traces.sizes[~keep].sum())
        which = ((Fate.CHOSEN, keep & ~drawn), (Fate.DRAWN, drawn), (Fate.DROPPED, ~keep))
        self._meet((fate, traces.keys[some]) for fate, some in which)

    def _traces(self, spans: Spans) -> _Traces:
        keys, places, of, sizes = np.unique(keys_of(spans), return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(of, kind="stable")
        begins = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)[:-1]))
        ends = np.maximum.reduceat((spans.starts + spans.durations)[order], begins)
        seconds = (ends - np.minimum.reduceat(spans.starts[order], begins)) / 1e9
        reasons = np.zeros(len(keys), np.int8)
        if self._policies.errors:
            wrong = np.maximum.reduceat((spans.statuses == Status.ERROR)[order], begins)
            reasons[wrong] |= _ERROR
        if self._policies.slower_than is not None:
            reasons[seconds > self._policies.slower_than] |= _SLOW
        return _Traces(of, keys, told_by(spans).randomness[places], sizes, reasons, seconds)

    def _with_rare(self, traces: _Traces, spans: Spans, now: float) -> npt.NDArray[np.int8]:
        """The reasons, with that of rare operations; counts the operations."""
        if not self._policies.rare:
            return traces.reasons
        self._fade(now)
        width = len(spans.texts)
        pairs, where, counts = np.unique(
            spans.services.astype(np.int64) * width + spans.names, return_inverse=True, return_counts=True
        )
        before = np.array([self._known(spans.texts[pair // width], spans.texts[pair % width]) for pair in pairs.tolist()])
        order = np.argsort(where, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        rare = before[where] + rank < self._policies.rare
        for pair, count, known in zip(pairs.tolist(), counts.tolist(), before.tolist(), strict=True):
            if np.isfinite(known):
                self._seen[spans.texts[pair // width], spans.texts[pair % width]] = known + count
        reasons = traces.reasons.copy()
        reasons[traces.of[rare]] |= _RARE
        return reasons

    def _known(self, service: str, name: str) -> float:
        """How often an operation was seen; infinitely often where there is no room to count another."""
        seen = self._seen.get((service, name))
        if seen is None and len(self._seen) < MAX_OPERATIONS:
            seen = self._seen[service, name] = 0.0
        return np.inf if seen is None else seen

    def _fade(self, now: float) -> None:
        """What was seen counts less as it ages: half of it after 40 seconds, so that a steady rate counts as one minute of it."""
        passed = 0.0 if self._seen_at is None else max(now - self._seen_at, 0.0)
        self._seen_at = now
        share = float(np.exp(-passed / _RARE_SPAN))
        self._seen = {operation: left for operation, seen in self._seen.items() if (left := seen * share) >= 0.05}

    def _within_rate(self, wanted: Bools, reasons: npt.NDArray[np.int8], seconds: npt.NDArray[np.float64], now: float) -> Bools:
        rate = self._policies.traces_per_second
        if rate is None:
            return wanted
        most = max(rate * max(self._wait, 1.0), 1.0)
        self._budget = most if self._budget_at is None else min(most, self._budget + rate * max(now - self._budget_at, 0.0))
        self._budget_at = now
        places = np.flatnonzero(wanted)
        room = int(self._budget)
        if len(places) > room:
            best = places[np.lexsort((-seconds[places], -reasons[places]))][:room]
            self.counters.limited_traces += len(places) - room
            wanted = np.zeros(len(wanted), np.bool_)
            wanted[best] = True
        self._budget -= float(np.count_nonzero(wanted))
        return wanted

    def _shed(self) -> None:
        """Lets the least telling traces go until a tenth of the room is free: those nothing speaks for, then the quickest."""
        traces = self._traces(joined_spans([part.spans for part in self._parts]))
        chance = sampled(traces.randoms, self._threshold)
        worth = traces.reasons.astype(np.int64) * 2 + chance
        order = np.lexsort((traces.seconds, worth))
        excess = self._held - self._max_spans * 9 // 10
        count = int(np.searchsorted(np.cumsum(traces.sizes[order]), excess)) + 1
        gone = np.zeros(len(order), np.bool_)
        gone[order[:count]] = True
        self.counters.shed_traces += int(np.count_nonzero(gone))
        self.counters.shed_spans += int(traces.sizes[gone].sum())
        self._meet(iter([(Fate.DROPPED, traces.keys[gone])]))
        _, self._parts = _split(self._parts, gone[traces.of])
        self._held = sum(len(part.spans) for part in self._parts)


def _split(parts: list[_Part], which: Bools) -> tuple[list[Spans], list[_Part]]:
    """The spans of the parts, one after the other, that are taken out, and what is left of the parts."""
    taken, left, begin = [], [], 0
    for part in parts:
        mine = which[begin : begin + len(part.spans)]
        begin += len(part.spans)
        if not mine.any():
            left.append(part)
            continue
        taken.append(part.spans.take(mine))
        if not mine.all():
            left.append(_Part(_with_own_texts(part.spans.take(~mine)), part.keys[~mine], part.arrived))
    return taken, left


def _with_own_texts(spans: Spans) -> Spans:
    """Over a table of just their own texts, where theirs is much longer: a table that is handed on would only grow."""
    return spans if len(spans.texts) <= 64 + 6 * len(spans) else with_own_texts(spans)
