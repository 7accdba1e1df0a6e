"""All receivers of one collector, opened from its settings."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from collector.receivers.host import HostReceiver
from collector.receivers.prometheus import Scraper, ScrapeTarget
from collector.receivers.prometheus.target import TargetHealth
from collector.receivers.statsd import UdpListener, UnixListener
from monitor.model.batch import Batch
from monitor.settings.load import Settings

Sink = Callable[[Sequence[Batch]], None]


class Receivers:
    """Host, StatsD and scrapes. `sink` takes what they get, from any thread."""

    def __init__(self, settings: Settings, sink: Sink) -> None:
        self._settings = settings
        self._sink = sink
        self._host = HostReceiver() if settings["host"] else None
        self._statsd: list[UdpListener | UnixListener] = []
        self._scraper: Scraper | None = None

    async def open(self, stack: contextlib.AsyncExitStack) -> None:
        """Start listening. Raises `OSError` with a sentence for the user when an address is taken."""
        for address in self._settings["statsd"]:
            self._start(
                UdpListener(address.host, address.port, self._sink, receive_buffer=self._settings["statsd_buffer"]), stack
            )
        if self._settings["statsd_socket"]:
            self._start(UnixListener(self._settings["statsd_socket"], self._sink), stack)
        targets = [ScrapeTarget(**entry) for entry in self._settings.tables["scrape"]]
        if targets:
            self._scraper = Scraper(targets, self._sink, time.time)
            task = asyncio.create_task(self._scraper.run(), name="scraper")
            stack.push_async_callback(_cancel, task)

    def _start(self, listener: UdpListener | UnixListener, stack: contextlib.AsyncExitStack) -> None:
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

    def summary(self) -> str:
        """What is open, for the log."""
        parts = [f"statsd {listener.address}" for listener in self._statsd]
        parts += ["this host"] if self._host is not None else []
        parts += [f"{len(self._settings.tables['scrape'])} scrape targets"] if self._scraper else []
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
                ("statsd_kernel_dropped_total", listener.dropped),
                ("statsd_errors_total", listener.errors),
            ):
                figures[name] = figures.get(name, 0.0) + value
        if self._scraper is not None:
            health = self._scraper.health()
            figures["scrape_targets"] = len(health)
            figures["scrape_targets_down"] = sum(not target.up for target in health)
        return figures

    def notes(self) -> list[str]:
        """Sentences about what is wrong: malformed lines, targets that do not answer."""
        notes = [f"malformed StatsD line ({reason}): {line}" for listener in self._statsd for reason, line in listener.malformed]
        if self._scraper is not None:
            notes += [f"{target.url} does not answer: {target.error}" for target in self._scraper.health() if target.error]
        return notes


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
