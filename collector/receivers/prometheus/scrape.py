"""One target scraped: asked, parsed, named, and how it fares."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from collector.decompress import DecompressionError, decompress
from collector.receivers.accept import Accept, NotAcceptedError
from collector.receivers.descriptions import Descriptions
from collector.receivers.prometheus.access import AccessError, Client
from collector.receivers.prometheus.exposition_parser import ExpositionParser, Parser, Samples
from collector.receivers.prometheus.fetch import Answer, FetchError, Format, accepted, fetch
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.protobuf import ProtobufParser
from collector.receivers.prometheus.series import Batches, ScrapeCounters, TargetSeries
from collector.receivers.prometheus.target import ScrapeTarget, TargetHealth
from monitor.model.batch import Batch, HistogramBatch
from monitor.model.exemplars import ExemplarSink

if TYPE_CHECKING:
    import aiohttp

_LOG = logging.getLogger(__name__)

_INLINE = 64 * 1024
"""Bytes: longer answers are parsed in a thread so that the event loop goes on."""
_MAX_ERROR = 300

Sink = Callable[[Sequence[Batch]], None]
Clock = Callable[[], float]


class TargetScrape:
    """One target: its parser, its series and how it fares."""

    def __init__(
        self,
        target: ScrapeTarget,
        sink: Sink,
        clock: Clock,
        counters: ScrapeCounters,
        limits: ExpositionLimits,
        accept: Accept | None = None,
        descriptions: Descriptions | None = None,
        exemplars: ExemplarSink | None = None,
    ) -> None:
        self.target = target
        self._exemplars = exemplars
        self._accept = accept
        self._descriptions = descriptions
        self._sink = sink
        self._clock = clock
        self._counters = counters
        most = target.policy.body_bytes
        self._limits = replace(limits, body_bytes=min(most, limits.body_bytes)) if most else limits
        self._url = target.shown_url
        self._client = Client(target.access)
        tags = target.tags
        self._series = TargetSeries(tags, target.honor_labels, counters, target.policy)
        self._format = Format.OPENMETRICS
        self._parser: Parser = ExpositionParser(openmetrics=True, limits=self._limits)
        self._ask_openmetrics = True
        self.refused = ""
        """Why it is not even asked: its job has too many targets."""
        self.health = TargetHealth(
            target.shown_url,
            tags["job"],
            tags["instance"],
            False,
            "",
            None,
            0.0,
            0,
            0,
            tags,
            target.discovered,
            target.interval,
            target.timeout,
        )

    async def scrape(self, session: aiohttp.ClientSession) -> None:
        """Scrape once and hand on what came; a failure is noted, not raised."""
        started, began = self._clock(), time.monotonic()
        samples, error, answered = (None, self.refused, False) if self.refused else await self._asked(session)
        duration = time.monotonic() - began
        self._counters.scrapes += 1
        batches, error = self._made(samples, error, started, duration)
        self._counters.failed += bool(error)
        self._note(started, duration, error, samples, answered or samples is not None)
        await self._hand_on(batches)

    async def _asked(self, session: aiohttp.ClientSession) -> tuple[Samples | None, str, bool]:
        """Its samples, or why there are none, and whether it had answered."""
        import aiohttp

        timeout = min(self.target.timeout, self.target.interval)
        try:
            async with asyncio.timeout(timeout):
                accept = accepted(self._ask_openmetrics, self.target.policy.native_histograms)
                answer = await fetch(
                    session, self._url, self._client, accept=accept, patience=timeout, limit=self._limits.body_bytes
                )
            samples = await self._parse(answer)
            if self._descriptions is not None:
                self._descriptions.tell_all(self._parser.take_described())
            return samples, "", True
        except TimeoutError:
            return None, f"no complete answer within {timeout:g} s", False
        except (FetchError, DecompressionError, ExpositionError) as problem:
            return None, str(problem), True
        except (AccessError, aiohttp.ClientError, OSError) as problem:
            return None, str(problem) or type(problem).__name__, False

    async def _hand_on(self, batches: Batches) -> None:
        self._sink([batch for batch in batches if isinstance(batch, Batch)])
        histograms = [batch for batch in batches if isinstance(batch, HistogramBatch)]
        if self._accept is not None and histograms:
            try:
                await self._accept.metrics(histograms)
            except NotAcceptedError:
                # Those of the next scrape tell what was observed since this one: what these told is lost.
                self._counters.histograms_lost += sum(map(len, histograms))

    def end(self) -> None:
        """It is no target any more: its series say nothing from now on."""
        self._sink([batch for batch in self._series.ended(self._clock()) if isinstance(batch, Batch)])

    def _made(self, samples: Samples | None, error: str, started: float, duration: float) -> tuple[Batches, str]:
        scraped = 0
        if samples is not None:
            try:
                batches = self._series.taken(samples, self._parser, started, duration)
                self._tell_exemplars(samples, started)
                return batches, ""
            except LimitError as over:
                error, scraped = str(over), len(samples.values) + len(samples.native)
        return self._series.failed(started, duration, scraped), error

    def _tell_exemplars(self, samples: Samples, started: float) -> None:
        found = self._series.exemplars(samples, started) if self._exemplars is not None else None
        if self._exemplars is not None and found is not None:
            self._exemplars(found)

    async def _parse(self, answer: Answer) -> Samples:
        if answer.format is not self._format:
            self._format = answer.format
            protobuf = answer.format is Format.PROTOBUF
            self._parser = (
                ProtobufParser(self._limits)
                if protobuf
                else ExpositionParser(openmetrics=answer.format is Format.OPENMETRICS, limits=self._limits)
            )
        try:
            if len(answer.body) <= _INLINE and not answer.encoding:
                return self._parser.parse(answer.body)
            return await asyncio.to_thread(self._decode_and_parse, answer)
        except ExpositionError:
            if answer.format is Format.OPENMETRICS:
                # Some exporters write OpenMetrics that others let pass; most of them write the older format well.
                self._ask_openmetrics = False
            raise

    def _decode_and_parse(self, answer: Answer) -> Samples:
        return self._parser.parse(decompress(answer.body, answer.encoding, self._limits.body_bytes))

    def _note(self, started: float, duration: float, error: str, samples: Samples | None, answered: bool) -> None:
        before, error = self.health, error[:_MAX_ERROR]
        if error and error != before.error:
            _LOG.warning("scrape of %s failed: %s", before.url, error)
        elif before.error and not error:
            _LOG.info("scrape of %s works again", before.url)
        count = len(samples.values) + len(samples.native) if samples is not None else 0
        self.health = replace(
            before,
            up=not error,
            error=error,
            last_scrape=started,
            duration=duration,
            samples=count,
            series=self._series.live,
            answered=answered,
        )
