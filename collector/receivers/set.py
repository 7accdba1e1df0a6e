"""All receivers of one collector, opened from its settings."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import Callable, Sequence
from typing import Any

from collector.receivers.accept import Accept
from collector.receivers.descriptions import Descriptions
from collector.receivers.host import HostReceiver
from collector.receivers.prometheus import DroppedTarget, ScrapeJob, Scraper, TargetHealth
from collector.receivers.statsd import EventSink, TcpListener, UdpListener, UnixListener
from monitor.model.batch import Batch
from monitor.model.exemplars import ExemplarSink
from monitor.settings.load import Settings

Sink = Callable[[Sequence[Batch]], None]


class Receivers:
    """Host, StatsD and scrapes. `sink` takes what they get, from any thread."""

    def __init__(self, settings: Settings, sink: Sink, events: EventSink | None = None) -> None:
        """`events` takes DogStatsD's events, from any thread."""
        self._settings = settings
        self._sink = sink
        self._host = HostReceiver() if settings["host"] else None
        self._events = events
        self._statsd: list[UdpListener | UnixListener | TcpListener] = []
        self._scraper: Scraper | None = None

    async def open(self, stack: contextlib.AsyncExitStack) -> None:
        """Start listening. Raises `OSError` with a sentence for the user when an address is taken."""
        for address in self._settings["statsd"]:
            buffer = self._settings["statsd_buffer"]
            self._start(UdpListener(address.host, address.port, self._sink, receive_buffer=buffer, events=self._events), stack)
        if self._settings["statsd_socket"]:
            self._start(UnixListener(self._settings["statsd_socket"], self._sink, events=self._events), stack)
        for address in self._settings["statsd_tcp"]:
            self._start(TcpListener(address.host, address.port, self._sink, events=self._events), stack)

    def scrape(
        self,
        stack: contextlib.AsyncExitStack,
        accept: Accept,
        descriptions: Descriptions | None = None,
        exemplars: ExemplarSink | None = None,
    ) -> None:
        """Start scraping; `accept` takes the histograms, `descriptions` what targets say of metrics, `exemplars` those of
        samples. Raises `OSError` with a sentence where a [[scrape]] cannot be.
        """
        jobs = [_job(number, entry) for number, entry in enumerate(self._settings.tables["scrape"], 1)]
        if jobs:
            self._scraper = Scraper(jobs, self._sink, time.time, accept=accept, descriptions=descriptions, exemplars=exemplars)
            task = asyncio.create_task(self._scraper.run(), name="scraper")
            stack.push_async_callback(_cancel, task)

    def _start(self, listener: UdpListener | UnixListener | TcpListener, stack: contextlib.AsyncExitStack) -> None:
        listener.start()
        stack.callback(listener.stop)
        self._statsd.append(listener)

    def collect(self, now: float) -> list[Batch]:
        """What is read at each tick: the host."""
        return self._host.collect(now) if self._host is not None else []

    @property
    def statsd_address(self) -> str:
        """The first StatsD address, "" when there is none."""
        return str(self._statsd[0].address) if self._statsd else ""

    def targets(self) -> list[TargetHealth]:
        """How each scraped target fares, in the order of the settings."""
        return self._scraper.health() if self._scraper is not None else []

    def dropped_targets(self) -> list[DroppedTarget]:
        """What relabelling dropped and what cannot be scraped."""
        return self._scraper.dropped() if self._scraper is not None else []

    def summary(self) -> str:
        """What is open, for the log."""
        parts = [f"statsd {listener.address}" for listener in self._statsd]
        parts += ["this host"] if self._host is not None else []
        parts += [f"{len(self._settings.tables['scrape'])} scrape jobs"] if self._settings.tables["scrape"] else []
        return ", ".join(parts) or "no receiver"

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        figures: dict[str, float] = {}
        for listener in self._statsd:
            counters = listener.counters
            for name, value in (
                ("statsd_datagrams_total", counters.datagrams),
                ("statsd_bytes_total", counters.bytes),
                ("statsd_lines_total", counters.lines),
                ("statsd_malformed_total", counters.malformed),
                ("statsd_events_total", counters.events + counters.service_checks),
                ("statsd_events_dropped_total", counters.events_dropped),
                ("statsd_refused_total", listener.refused if isinstance(listener, TcpListener) else 0),
                ("statsd_kernel_dropped_total", listener.dropped),
                ("statsd_errors_total", listener.errors),
            ):
                figures[name] = figures.get(name, 0.0) + value
        if self._scraper is not None:
            figures |= self._scraper.figures()
        return figures

    def notes(self) -> list[str]:
        """Sentences about what is wrong: malformed lines, targets that do not answer."""
        notes = [f"malformed StatsD line ({reason}): {line}" for listener in self._statsd for reason, line in listener.malformed]
        if self._scraper is not None:
            notes += self._scraper.notes()
        return notes


def _job(number: int, entry: dict[str, Any]) -> ScrapeJob:
    try:
        return ScrapeJob(**entry)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"The {number}. [[scrape]] cannot be used: {error}.") from None


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
