"""Which spans are kept: a share of all traces, and with tail sampling those that tell something. All were counted before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from collector.held import STORED, HeldJournal
from collector.receivers.accept import NotAcceptedError
from monitor.model.spans import Spans, no_spans
from monitor.pipeline.fates import Fate, Fates, Keys, keys_of
from monitor.pipeline.sampling import head_sampled
from monitor.pipeline.tail import STEP, TailPolicies, TailSampler
from monitor.settings.load import Settings

log = logging.getLogger("lightship")

_ROOM_NOTED = 300.0
"""Seconds for which health tells that traces were shed."""


class Sampling:
    """`take`, `tick` and `stop` in one thread; `commit` in another that is one as well.

    With tail sampling spans are in a journal before they are answered (`collector.held`); decided traces go to `keep` whole, and
    until then nobody finds any of them.
    """

    def __init__(
        self, settings: Settings, folder: Path, keep: Callable[[Spans], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`keep` takes spans for the store and the exports, False when it cannot; `clock` never goes back. Spans that another
        process held are taken on. Raises `OSError` with a sentence for the user.
        """
        self._share: float = settings["trace_share"]
        self._keep, self._clock = keep, clock
        self._tail = _tail(settings) if settings["tail"] else None
        self._wait: float = settings["tail_wait"]
        self._released: list[Keys] = []
        """Traces that were given to `keep` since the last commit."""
        self._owed: list[Spans] = []
        """Kept spans that it could not take."""
        self._decided_at = float("-inf")
        self._shed_told = 0
        self._shed_at = float("-inf")
        self.head_dropped = 0
        self.failing = ""
        """Why spans that wait are not safe now."""
        held = folder / "held"
        self._journal: HeldJournal | None = None
        if self._tail is not None or held.exists():
            try:
                self._journal = HeldJournal(held)
                self._take_on(self._journal)
            except OSError as error:
                why = f"{held} cannot be used ({error.strerror}): spans wait there for their traces. Check its owner and mode."
                raise OSError(error.errno, why) from error

    def take(self, spans: Spans) -> None:
        """What is to be kept of spans that were accepted is in the store, or in the journal, with the next commit.

        Raises `NotAcceptedError`: then none of them was taken.
        """
        if self._owed:
            raise NotAcceptedError("more spans wait for the disk than may", 1.0)
        before = len(spans)
        spans = head_sampled(spans, self._share)
        self.head_dropped += before - len(spans)
        if self._tail is None:
            if len(spans) and not self._keep(spans):
                raise NotAcceptedError("more spans wait for the disk than may", 1.0)
        elif len(spans):
            assert self._journal is not None
            now = self._clock()
            try:
                self._journal.append(spans, now)
            except OSError as error:
                self.failing = f"spans that wait for their traces cannot be kept safely: {error.strerror}"
                raise NotAcceptedError(self.failing, 1.0) from None
            self._hand_on(self._tail.take(spans, now), now)

    def tick(self) -> None:
        """Decides what is due. To be called once a second."""
        now = self._clock()
        while self._owed and self._keep(self._owed[0]):
            self._released.append(np.unique(keys_of(self._owed[0])))
            del self._owed[0]  # only now: a commit that finds nothing owed lets go of the journal
        if self._tail is not None:
            self._hand_on(self._tail.take(no_spans(), now), now)
            if self._tail.counters.shed_traces > self._shed_told:
                self._shed_told, self._shed_at = self._tail.counters.shed_traces, now

    @property
    def unsettled(self) -> bool:
        """Whether a commit has something to do."""
        if self._journal is None:
            return False
        return bool(self._released) or self._journal.oldest < self._decided_at - self._hold

    def commit(self, store: Callable[[], bool]) -> bool:
        """`store` commits what `keep` took. Whether all that was taken is safe now."""
        if self._journal is None:
            return store()
        try:
            self._journal.sync()
            self.failing = ""
        except OSError as error:
            self.failing = f"spans that wait for their traces cannot be written: {error.strerror}"
            return False
        released, decided = list(self._released), self._decided_at
        owing = bool(self._owed)
        if not store():
            return False
        if released:
            self._journal.decide(STORED, np.concatenate(released))
            del self._released[: len(released)]
        if not owing:
            self._journal.forget(decided - self._hold)
        return True

    def stop(self) -> None:
        """Decides all that waits. A commit is to follow."""
        if self._tail is not None:
            now = self._clock()
            self._hand_on(self._tail.flush(now), now)
            self._decided_at = float("inf")

    def close(self) -> None:
        """After `stop` and the commit."""
        if self._journal is not None:
            self._journal.close()

    def figures(self) -> dict[str, float]:
        """Counters and gauges by name."""
        tail = self._tail.counters.figures() if self._tail is not None else {}
        held = {"tail_held_spans": float(self._tail.held)} if self._tail is not None else {}
        journal = {"tail_held_bytes": float(self._journal.bytes)} if self._journal is not None else {}
        return {"head_dropped_spans_total": float(self.head_dropped)} | tail | held | journal

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        said = [f"{self.failing}. Their senders are asked to come again; free some space."] if self.failing else []
        if self._tail is not None and self._clock() - self._shed_at < _ROOM_NOTED:
            counters = self._tail.counters
            said.append(
                f"{counters.shed_traces:,} traces ({counters.shed_spans:,} spans) were dropped before they were whole, the least "
                "telling first: more spans came than tail_max_spans lets wait. Raise it, or shorten tail_wait."
            )
        return said + (self._journal.problems[-3:] if self._journal is not None else [])

    @property
    def _hold(self) -> float:
        """Seconds after which a span's trace is decided for sure."""
        return self._wait + 2 * STEP

    def _hand_on(self, kept: Spans, now: float) -> None:
        assert self._tail is not None
        assert self._journal is not None
        if len(kept):
            self._give(kept)
        for fate, keys in self._tail.decided():
            self._journal.decide(fate, keys)
        self._decided_at = now

    def _give(self, spans: Spans) -> None:
        if self._keep(spans):
            self._released.append(np.unique(keys_of(spans)))
        else:
            self._owed.append(spans)

    def _take_on(self, journal: HeldJournal) -> None:
        """What another process held when it ended: decided traces that may not be stored are, the others wait again."""
        known = [(fate, keys) for fate, keys in journal.fates() if fate == STORED or fate in set(Fate)]
        stored, dropped = Fates(1 << 62), Fates(1 << 62)
        for fate, keys in known:
            if fate == STORED:
                stored.add(keys)
                continue
            if fate == Fate.DROPPED:
                dropped.add(keys)
            if self._tail is not None:
                self._tail.remember(Fate(fate), keys)
        now, count = self._clock(), 0
        for spans in journal.spans(now):
            keys = keys_of(spans)
            spans = spans.take(~stored.holds(keys))
            count += len(spans)
            # Where it was switched off meanwhile, what was answered and not dropped is kept.
            spans = spans.take(~dropped.holds(keys_of(spans))) if self._tail is None else self._tail.take(spans, now)
            if len(spans):
                self._give(spans)
        if count:
            log.info("%d spans waited for their traces when the collector ended; they wait again", count)
        for problem in journal.problems:
            log.warning("%s", problem)
        self._decided_at = now if self._tail is not None else float("inf")


def _tail(settings: Settings) -> TailSampler:
    policies = TailPolicies(
        errors=settings["tail_errors"],
        slower_than=settings["tail_slower_than"] or None,
        rare=settings["tail_rare"],
        share=settings["tail_share"],
        traces_per_second=settings["tail_traces_per_second"] or None,
    )
    return TailSampler(policies, settings["tail_wait"], settings["tail_max_spans"])
