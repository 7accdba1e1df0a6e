"""Scrapes all targets, each at its own pace and never twice at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collector.decompress import DecompressionError, decompress
from collector.receivers.prometheus.exposition_parser import ExpositionParser, Samples
from collector.receivers.prometheus.fetch import Answer, FetchError, fetch
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits
from collector.receivers.prometheus.series import ScrapeCounters, TargetSeries
from collector.receivers.prometheus.target import ScrapeTarget, TargetHealth
from monitor.model.batch import Batch

if TYPE_CHECKING:
    import aiohttp

_LOG = logging.getLogger(__name__)

MAX_AT_ONCE = 32
_INLINE = 64 * 1024
"""Bytes: longer answers are parsed in a thread so that the event loop goes on."""
_MAX_ERROR = 300

Sink = Callable[[Sequence[Batch]], None]
Clock = Callable[[], float]


class TargetScrape:
    """One target: its parser, its series and how it fares."""

    def __init__(
        self, target: ScrapeTarget, sink: Sink, clock: Clock, counters: ScrapeCounters, limits: ExpositionLimits
    ) -> None:
        self.target = target
        self._sink = sink
        self._clock = clock
        self._counters = counters
        self._limits = limits
        self._series = TargetSeries(target.tags, target.honor_labels, counters)
        self._parser = ExpositionParser(openmetrics=True, limits=limits)
        self._ask_openmetrics = True
        tags = target.tags
        self.health = TargetHealth(target.shown_url, tags["job"], tags["instance"], False, "", None, 0.0, 0, 0)

    async def scrape(self, session: aiohttp.ClientSession) -> None:
        """Scrape once and hand on what came; a failure is noted, not raised."""
        import aiohttp

        started, began = self._clock(), time.monotonic()
        timeout = min(self.target.timeout, self.target.interval)
        samples: Samples | None = None
        error = ""
        try:
            async with asyncio.timeout(timeout):
                answer = await fetch(
                    session, self.target.url, patience=timeout, limit=self._limits.body_bytes, openmetrics=self._ask_openmetrics
                )
            samples = await self._parse(answer)
        except TimeoutError:
            error = f"no complete answer within {timeout:g} s"
        except (FetchError, DecompressionError, ExpositionError, aiohttp.ClientError, OSError) as problem:
            error = str(problem) or type(problem).__name__
        duration = time.monotonic() - began
        self._counters.scrapes += 1
        if samples is not None:
            batches = self._series.taken(samples, self._parser, started, duration)
        else:
            self._counters.failed += 1
            batches = self._series.failed(started, duration)
        self._note(started, duration, error, samples)
        self._sink(batches)

    async def _parse(self, answer: Answer) -> Samples:
        if answer.openmetrics != self._parser.openmetrics:
            self._parser = ExpositionParser(answer.openmetrics, self._limits)
        try:
            if len(answer.body) <= _INLINE and not answer.encoding:
                return self._parser.parse(answer.body)
            return await asyncio.to_thread(self._decode_and_parse, answer)
        except ExpositionError:
            if answer.openmetrics:
                # Some exporters write OpenMetrics that others let pass; most of them write the older format well.
                self._ask_openmetrics = False
            raise

    def _decode_and_parse(self, answer: Answer) -> Samples:
        return self._parser.parse(decompress(answer.body, answer.encoding, self._limits.body_bytes))

    def _note(self, started: float, duration: float, error: str, samples: Samples | None) -> None:
        before, error = self.health, error[:_MAX_ERROR]
        if error and error != before.error:
            _LOG.warning("scrape of %s failed: %s", before.url, error)
        elif before.error and not error:
            _LOG.info("scrape of %s works again", before.url)
        count = len(samples.values) if samples is not None else 0
        self.health = TargetHealth(
            before.url, before.job, before.instance, not error, error, started, duration, count, self._series.live
        )


class Scraper:
    """Scrapes `targets` until cancelled; `sink` gets the batches, `clock` says the time (seconds since the epoch)."""

    def __init__(self, targets: Sequence[ScrapeTarget], sink: Sink, clock: Clock, limits: ExpositionLimits | None = None) -> None:
        self.counters = ScrapeCounters()
        self._clock = clock
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        bounds = limits or ExpositionLimits()
        self._scrapes = [TargetScrape(target, sink, clock, self.counters, bounds) for target in targets]

    def health(self) -> list[TargetHealth]:
        """How each target fares, in the order given."""
        return [scrape.health for scrape in self._scrapes]

    async def run(self) -> None:
        """Scrape every target at its interval until cancelled."""
        async with make_session() as session, asyncio.TaskGroup() as tasks:
            for scrape in self._scrapes:
                tasks.create_task(self._repeat(scrape, session), name=f"scrape {scrape.health.url}")

    async def _repeat(self, scrape: TargetScrape, session: aiohttp.ClientSession) -> None:
        interval, offset = scrape.target.interval, scrape.target.offset
        due = _next_due(self._clock(), interval, offset)
        while True:
            while (wait := due - self._clock()) > 0:
                if wait > interval:
                    due = _next_due(self._clock(), interval, offset)  # the clock was set back
                    continue
                await asyncio.sleep(wait)
            async with self._at_once:
                try:
                    await scrape.scrape(session)
                except Exception:
                    # A mistake of ours in one target must not end the scrapes of the others.
                    _LOG.exception("scrape of %s ended unexpectedly", scrape.health.url)
            following = _next_due(self._clock(), interval, offset)
            self.counters.missed += max(0, round((following - due) / interval) - 1)
            due = following


def make_session() -> aiohttp.ClientSession:
    """A session that decodes nothing by itself, keeps no cookies and reads no proxy from the environment."""
    import aiohttp

    return aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=2 * MAX_AT_ONCE),
        max_line_size=8190,
        max_field_size=8190,
    )


def _next_due(now: float, interval: float, offset: float) -> float:
    """The first moment after `now` that lies `offset` into an interval."""
    turns = (now - offset) // interval + 1
    due = offset + turns * interval
    return due if due > now else due + interval
