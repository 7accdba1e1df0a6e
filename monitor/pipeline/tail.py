"""Sampling of traces when they are whole: errors, slow ones and rare ones are kept, of the rest a share."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.model.spans import Spans, Status, joined_spans, no_spans
from monitor.pipeline.sampling import sampled, threshold_of

Bools = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]

STEP = 0.5
"""Seconds between two decisions: what is due meanwhile waits for the next."""
MAX_OPERATIONS = 10_000
_RARE_SPAN = 60.0
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ERROR, _SLOW, _RARE = 4, 2, 1


@dataclass(frozen=True, slots=True)
class TailPolicies:
    """Which traces are kept.

    `errors`: with a span of status error. `slower_than`: seconds from the first start to the last end, None for off.
    `rare`: with an operation of a service that was seen less often than this in about the last minute, 0 for off. `share`:
    this part of all others, by their ids as in head sampling. `traces_per_second`: at most so many on average, None for any;
    beyond it the least telling go. Raises `ValueError`.
    """

    errors: bool = True
    slower_than: float | None = None
    rare: int = 0
    share: float = 0.1
    traces_per_second: float | None = None

    def __post_init__(self) -> None:
        threshold_of(self.share)
        if self.slower_than is not None and not self.slower_than > 0:
            raise ValueError(f"tail sampling: slower_than is {self.slower_than!r}; it is a number of seconds above 0")
        if self.traces_per_second is not None and not self.traces_per_second > 0:
            raise ValueError(f"tail sampling: traces_per_second is {self.traces_per_second!r}; it is a number above 0")


@dataclass(slots=True)
class TailCounters:
    """Traces and spans by what became of them."""

    kept_traces: int = 0
    kept_spans: int = 0
    dropped_traces: int = 0
    dropped_spans: int = 0
    limited_traces: int = 0
    """Would have been kept, but for `traces_per_second`."""
    shed_traces: int = 0
    """Decided before they were whole, for want of room, and dropped."""
    shed_spans: int = 0
    late_spans: int = 0
    """Came after their trace was decided, and shared its fate."""

    def figures(self) -> dict[str, float]:
        """Counters by name."""
        return {f"tail_{name}_total": float(count) for name, count in asdict(self).items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Traces:
    """The traces within some spans: `of` int64[spans] is each one's trace; the rest is one a trace."""

    of: npt.NDArray[np.int64]
    keys: Keys
    ids: npt.NDArray[np.uint64]
    first: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    reasons: npt.NDArray[np.int8]
    seconds: npt.NDArray[np.float64]


class TailSampler:
    """Holds the spans of a trace for `wait` seconds from its first, then decides; not for many threads at once.

    At most `max_spans` are held: beyond that the least telling traces are shed, and counted. The fate of `max_decided` traces is
    remembered for spans that come late.
    """

    def __init__(self, policies: TailPolicies, wait: float = 10.0, max_spans: int = 100_000, max_decided: int = 200_000) -> None:
        self._policies, self._wait, self._max_spans, self._max_decided = policies, wait, max_spans, max_decided
        self._parts: list[Spans] = []
        self._arrived: list[npt.NDArray[np.float64]] = []
        self._held = 0
        self._next = -np.inf
        self._budget_at: float | None = None
        self._budget = 0.0
        self._kept, self._dropped = _Fates(max_decided), _Fates(max_decided)
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
            keys = _keys(spans)
            kept, dropped = self._kept.holds(keys), self._dropped.holds(keys)
            late = kept | dropped
            if late.any():
                self.counters.late_spans += int(np.count_nonzero(late))
                self.counters.kept_spans += int(np.count_nonzero(kept))
                self.counters.dropped_spans += int(np.count_nonzero(late & ~kept))
                released.append(spans.take(kept))
                spans = spans.take(~late)
            if len(spans):
                self._parts.append(spans)
                self._arrived.append(np.full(len(spans), now))
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

    def _gathered(self) -> Spans:
        spans = joined_spans(self._parts)
        self._parts, self._arrived = [spans], [np.concatenate(self._arrived)]
        return spans

    def _keep_waiting(self, spans: Spans, which: Bools) -> None:
        left = _with_own_texts(spans.take(which))
        self._parts, self._arrived = ([left], [self._arrived[0][which]]) if len(left) else ([], [])
        self._held = len(left)

    def _decide(self, now: float, before: float) -> Spans:
        if not any(len(arrived) and arrived[0] <= before for arrived in self._arrived):
            return no_spans()
        spans = self._gathered()
        traces = self._traces(spans, self._arrived[0])
        due = traces.first <= before
        reasons = self._with_rare(traces, spans, due, now)
        wanted = due & ((reasons > 0) | sampled(traces.ids, threshold_of(self._policies.share)))
        keep = self._within_rate(wanted, reasons, traces.seconds, now)
        self._tell(traces, due, keep)
        released = _with_own_texts(spans.take(keep[traces.of]))
        self._keep_waiting(spans, ~due[traces.of])
        return released

    def _tell(self, traces: _Traces, due: Bools, keep: Bools) -> None:
        counters, gone = self.counters, due & ~keep
        counters.kept_traces += int(np.count_nonzero(keep))
        counters.kept_spans += int(traces.sizes[keep].sum())
        counters.dropped_traces += int(np.count_nonzero(gone))
        counters.dropped_spans += int(traces.sizes[gone].sum())
        self._kept.add(traces.keys[keep])
        self._dropped.add(traces.keys[gone])

    def _traces(self, spans: Spans, arrived: npt.NDArray[np.float64]) -> _Traces:
        keys, places, of, sizes = np.unique(_keys(spans), return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(of, kind="stable")
        begins = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)[:-1]))
        first = np.minimum.reduceat(arrived[order], begins)
        ends = np.maximum.reduceat((spans.starts + spans.durations)[order], begins)
        seconds = (ends - np.minimum.reduceat(spans.starts[order], begins)) / 1e9
        reasons = np.zeros(len(keys), np.int8)
        if self._policies.errors:
            wrong = np.maximum.reduceat((spans.statuses == Status.ERROR)[order], begins)
            reasons[wrong] |= _ERROR
        if self._policies.slower_than is not None:
            reasons[seconds > self._policies.slower_than] |= _SLOW
        return _Traces(of, keys, spans.traces[places], first, sizes, reasons, seconds)

    def _with_rare(self, traces: _Traces, spans: Spans, due: Bools, now: float) -> npt.NDArray[np.int8]:
        """The reasons, with that of rare operations; counts the operations of the traces that are due."""
        if not self._policies.rare:
            return traces.reasons
        self._fade(now)
        counted = np.flatnonzero(due[traces.of])
        width = len(spans.texts)
        pairs, where, counts = np.unique(
            spans.services[counted].astype(np.int64) * width + spans.names[counted], return_inverse=True, return_counts=True
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
        reasons[traces.of[counted[rare]]] |= _RARE
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
        spans = self._gathered()
        traces = self._traces(spans, self._arrived[0])
        chance = sampled(traces.ids, threshold_of(self._policies.share))
        worth = traces.reasons.astype(np.int64) * 2 + chance
        order = np.lexsort((traces.seconds, worth))
        excess = self._held - self._max_spans * 9 // 10
        count = int(np.searchsorted(np.cumsum(traces.sizes[order]), excess)) + 1
        gone = np.zeros(len(order), np.bool_)
        gone[order[:count]] = True
        self.counters.shed_traces += int(np.count_nonzero(gone))
        self.counters.shed_spans += int(traces.sizes[gone].sum())
        self._dropped.add(traces.keys[gone])
        self._keep_waiting(spans, ~gone[traces.of])


class _Fates:
    """Keys of the traces that met one fate, the latest of them up to a bound."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rounds: list[Keys] = []
        self._sorted: Keys | None = np.empty(0, np.uint64)

    def add(self, keys: Keys) -> None:
        if not len(keys):
            return
        self._rounds.append(keys[-self._most :])
        while sum(map(len, self._rounds)) > self._most:
            self._rounds.pop(0)
        self._sorted = None

    def holds(self, keys: Keys) -> Bools:
        """bool[n]: which of the keys are among them."""
        if self._sorted is None:
            self._sorted = np.sort(np.concatenate(self._rounds)) if self._rounds else np.empty(0, np.uint64)
        if not len(self._sorted):
            return np.zeros(len(keys), np.bool_)
        places = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        found: Bools = self._sorted[places] == keys
        return found


def _with_own_texts(spans: Spans) -> Spans:
    """The spans over a table of just their own texts, where theirs is much longer: a table that is handed on would only grow."""
    if len(spans.texts) <= 64 + 6 * len(spans):
        return spans
    used, moved = np.unique(np.concatenate(((0,), spans.services, spans.names, spans.peers)), return_inverse=True)
    places = moved.astype(np.int32)[1:].reshape(3, len(spans))
    texts = tuple(spans.texts[place] for place in used.tolist())
    return replace(spans, texts=texts, services=places[0], names=places[1], peers=places[2])


def _keys(spans: Spans) -> Keys:
    """One number a trace id; two ids share one with a chance of 2**-64."""
    keys: Keys = spans.traces[:, 1] ^ (spans.traces[:, 0] * _MIX)
    return keys
