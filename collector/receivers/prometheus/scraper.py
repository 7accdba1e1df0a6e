"""Scrapes all targets of all jobs, each at its own pace and never twice at once, and follows what discovery finds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from collector.receivers.accept import Accept
from collector.receivers.descriptions import Descriptions
from collector.receivers.prometheus.discovery import Group
from collector.receivers.prometheus.file_sd import LOOK_EVERY, FileDiscovery
from collector.receivers.prometheus.http_sd import HttpDiscovery
from collector.receivers.prometheus.job import ScrapeJob
from collector.receivers.prometheus.limits import ExpositionLimits
from collector.receivers.prometheus.scrape import Clock, Sink, TargetScrape
from collector.receivers.prometheus.series import ScrapeCounters
from collector.receivers.prometheus.target import DroppedTarget, Identity, ScrapeTarget, TargetHealth
from monitor.model.exemplars import ExemplarSink

if TYPE_CHECKING:
    import aiohttp

__all__ = ["MAX_AT_ONCE", "Scraper", "TargetScrape", "make_session"]

_LOG = logging.getLogger(__name__)

MAX_AT_ONCE = 32
_MOST_NOTES = 20


class _Job:
    """A job's sources, and the scrapes of the targets they have now."""

    def __init__(self, job: ScrapeJob) -> None:
        self.job = job
        self.files = FileDiscovery(job.file_sd) if job.file_sd else None
        self.https = [HttpDiscovery(url, job.discovery, job.sd_refresh) for url in job.http_sd]
        self.scrapes: dict[Identity, TargetScrape] = {}
        self.tasks: dict[Identity, asyncio.Task[None]] = {}
        self.dropped: list[DroppedTarget] = []
        self.too_many = ""
        """Why none of its targets is scraped."""

    @property
    def _sources(self) -> list[FileDiscovery | HttpDiscovery]:
        return [self.files, *self.https] if self.files is not None else [*self.https]

    def groups(self) -> list[Group]:
        """What is known of targets beside the address of the settings."""
        return [*self.job.static(), *(group for source in self._sources for group in source.groups())]

    def problems(self) -> list[str]:
        """Sentences about discovery that fails and targets that cannot be scraped."""
        notes = [problem for source in self._sources for problem in source.problems()]
        notes += [self.too_many] if self.too_many else []
        return notes + [f"a target of {self.job.name} is left out: {target.reason}" for target in self.dropped if target.reason]


class Scraper:
    """Scrapes `jobs` (or plain targets) until cancelled.

    `sink` gets the batches and `accept` the histograms, which are kept as they come; `clock` says the time (seconds since the
    epoch). `descriptions` takes what targets say of their metrics, `exemplars` those of their samples.
    """

    def __init__(
        self,
        jobs: Sequence[ScrapeJob | ScrapeTarget],
        sink: Sink,
        clock: Clock,
        limits: ExpositionLimits | None = None,
        accept: Accept | None = None,
        descriptions: Descriptions | None = None,
        exemplars: ExemplarSink | None = None,
    ) -> None:
        self.counters = ScrapeCounters()
        self._descriptions, self._exemplars = descriptions, exemplars
        self._sink = sink
        self._accept = accept
        self._clock = clock
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        self._bounds = limits or ExpositionLimits()
        self._plain = {number: self._scrape_of(target) for number, target in enumerate(jobs) if isinstance(target, ScrapeTarget)}
        self._jobs = [_Job(job) for job in jobs if isinstance(job, ScrapeJob)]
        for job in self._jobs:
            self._arrange(job, None)

    def health(self) -> list[TargetHealth]:
        """How each target fares, in the order given and found."""
        return [scrape.health for scrape in self._scrapes()]

    def dropped(self) -> list[DroppedTarget]:
        """What relabelling dropped and what cannot be scraped; bounded."""
        return [target for job in self._jobs for target in job.dropped]

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        health = self.health()
        return {
            "scrape_targets": len(health),
            "scrape_targets_down": sum(not target.up for target in health),
            "scrape_targets_dropped": len(self.dropped()),
            **self.counters.figures(),
        }

    def notes(self) -> list[str]:
        """Sentences about what is wrong; bounded."""
        whole = {job.too_many for job in self._jobs}  # told once, not for each target
        down = [_trouble(target) for target in self.health() if target.error and target.error not in whole]
        notes = [note for job in self._jobs for note in job.problems()] + down
        further = [f"and {len(notes) - _MOST_NOTES} more scrapes that fail"] if len(notes) > _MOST_NOTES else []
        return notes[:_MOST_NOTES] + further

    async def run(self) -> None:
        """Scrape every target at its interval until cancelled."""
        async with make_session() as session, asyncio.TaskGroup() as tasks:
            for number, scrape in self._plain.items():
                tasks.create_task(self._repeat(scrape, session), name=f"scrape {number}")
            for job in self._jobs:
                tasks.create_task(self._follow(job, session), name=f"scrapes of {job.job.name}")

    async def _follow(self, job: _Job, session: aiohttp.ClientSession) -> None:
        """Keep the scrapes of one job to what its sources say."""
        try:
            self._arrange(job, session)
            async with asyncio.TaskGroup() as tasks:
                if job.files is not None:
                    tasks.create_task(self._follow_files(job, job.files, session))
                for source in job.https:
                    tasks.create_task(self._follow_http(job, source, session))
                tasks.create_task(asyncio.Event().wait())  # without sources: until cancelled
        finally:
            await _ended(job.tasks.values())

    async def _follow_files(self, job: _Job, source: FileDiscovery, session: aiohttp.ClientSession) -> None:
        while True:
            try:
                if await asyncio.to_thread(source.look):
                    self._arrange(job, session)
            except Exception:
                _LOG.exception("discovery of %s ended a look unexpectedly", job.job.name)
            await asyncio.sleep(min(LOOK_EVERY, job.job.sd_refresh))

    async def _follow_http(self, job: _Job, source: HttpDiscovery, session: aiohttp.ClientSession) -> None:
        while True:
            try:
                if await source.look(session):
                    self._arrange(job, session)
            except Exception:
                _LOG.exception("discovery of %s ended a look unexpectedly", job.job.name)
            await asyncio.sleep(job.job.sd_refresh)

    def _arrange(self, job: _Job, session: aiohttp.ClientSession | None) -> None:
        """Begin scrapes of new targets, end those of targets that went; without a session nothing runs yet."""
        targets, job.dropped = job.job.scraped(job.groups())
        job.too_many = job.job.too_many(len(targets))
        wanted = {target.identity: target for target in targets}
        for identity in [identity for identity, scrape in job.scrapes.items() if wanted.get(identity) != scrape.target]:
            scrape, task = job.scrapes.pop(identity), job.tasks.pop(identity, None)
            if task is None:
                continue
            task.cancel()
            task.add_done_callback(partial(_end, scrape))
        job.scrapes = {identity: job.scrapes.get(identity) or self._scrape_of(target) for identity, target in wanted.items()}
        for scrape in job.scrapes.values():
            scrape.refused = job.too_many
        if session is not None:
            for identity, scrape in job.scrapes.items():
                if identity not in job.tasks:
                    job.tasks[identity] = asyncio.create_task(self._repeat(scrape, session))

    def _scrapes(self) -> Iterable[TargetScrape]:
        return [*self._plain.values(), *(scrape for job in self._jobs for scrape in job.scrapes.values())]

    def _scrape_of(self, target: ScrapeTarget) -> TargetScrape:
        return TargetScrape(
            target, self._sink, self._clock, self.counters, self._bounds, self._accept, self._descriptions, self._exemplars
        )

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


def _trouble(target: TargetHealth) -> str:
    what = "is not taken" if target.answered else "does not answer"
    return f"{target.url} of {target.job} {what}: {target.error}"


def _end(scrape: TargetScrape, _task: asyncio.Task[None]) -> None:
    scrape.end()


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


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
