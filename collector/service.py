"""The collector put together: receivers feed the engine, a tick a second feeds rules, journal and stream."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from collector.actions.receivers import Receivers as TellingReceivers
from collector.actions.receivers import receivers_of
from collector.admission import Admission
from collector.alertmanaging import Alertmanaging
from collector.alerts import AlertDesk
from collector.api_info import ServiceInfo
from collector.backend import CollectorBackend
from collector.exemplars import KeptExemplars
from collector.exporters.build import Exports, exporters_of
from collector.exporters.metrics_page import MetricsPage
from collector.folders import FolderLock, default_data_folder, host_name
from collector.health import Health
from collector.histories import open_history
from collector.inflow import Inflow
from collector.parts import Parts
from collector.past import Past
from collector.pipeline import Pipeline
from collector.receivers.answering import Answering
from collector.receivers.descriptions import Descriptions
from collector.receivers.otlp.resuming import LastTotals
from collector.receivers.set import Receivers
from collector.rewind.server import Rewinds
from collector.rewind.source import Kept
from collector.rules.store import RuleStore
from collector.rules.told import Told
from collector.server.http import HttpServer, taken
from collector.server.origins import Origins
from collector.server.prometheus.api import PrometheusApi
from collector.server.stream import StreamLimits, StreamServer
from collector.storage.journal import Journal
from collector.storage.restoring import restored
from collector.storage.state import StateError, StateStore
from collector.tracing import Tracing
from collector.watching import Pace, engine_figures, warn_of_strangers
from monitor.alerting.durations import rough_duration
from monitor.alerting.model import Event
from monitor.alerting.routing.reader import Routing, RoutingError, read_routing
from monitor.engine import Derived, Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.query.groupstate import Sample
from monitor.settings.address import Address
from monitor.settings.load import Settings
from monitor.windows.frame import Frame

log = logging.getLogger("lightship")

SETTLE = 0.12
"""Seconds after the full second at which a tick begins, so that what was sent in that second has arrived.

Longer than a StatsD listener gathers lines before it hands them on."""
SYNC_TICKS = 5
"""The journal is forced to disk every so many ticks: what a power cut, not a kill, may cost."""
CLOCK_BACK = 60.0
"""Seconds that the clock may be set back before everything begins anew; a smaller step is waited out."""


class Service:
    """One collector. `run()` returns when `stop()` was called; everything it opened is closed then."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name: str = settings["name"] or host_name()
        self.data = Path(settings["data"]).expanduser() if settings["data"] else default_data_folder()
        self._lock = FolderLock(self.data)
        self._stopping = asyncio.Event()
        self._begin()

    def _begin(self) -> None:
        """All that knows what time it is, as new."""
        settings = self.settings
        self.engine = self._new_engine()
        self.health = Health()
        self.started = time.time()
        self.restored_seconds = 0.0
        self.rules = RuleStore(Path(settings["rules"]).expanduser() if settings["rules"] else self.data / "rules")
        self._parts = Parts()
        self._inflow = Inflow()
        self._pace = Pace()

    def _new_engine(self) -> Engine:
        return Engine(_engine_settings(self.settings))

    def stop(self) -> None:
        """Ask `run()` to end; safe to call from a signal handler of the loop."""
        self._stopping.set()

    def take(self, batches: Sequence[Batch]) -> None:
        """Where receivers put what they got, from any thread; the tick takes it on. Never waits."""
        self._inflow.take(batches)

    @property
    def stream_url(self) -> str:
        """Address of the stream, with the port that was got."""
        return f"ws://{Address(self.stream.host, self.stream.port)}"

    async def run(self, ready: Callable[[str, str], None] | None = None) -> None:
        """Open everything, tick until stopped. Raises `OSError` or `FolderTakenError` with a sentence for the user."""
        self._lock.take()
        try:
            set_back = await self._live(ready)
            while set_back:
                self._begin()
                set_back = await self._live(None, f"The clock was set back by {rough_duration(set_back)}.")
        except StateError as error:
            raise OSError(errno.EIO, str(error)) from error
        finally:
            self._lock.free()

    async def _live(self, ready: Callable[[str, str], None] | None, why: str = "") -> float:
        """From opening everything to closing it; by how many seconds the clock was set back, 0 when `stop()` was called."""
        async with contextlib.AsyncExitStack() as stack:
            await self._open(stack, why)
            if ready is not None:
                ready(self.http.url, self.stream_url)
            return await self._ticks()

    async def _open(self, stack: contextlib.AsyncExitStack, why: str) -> None:
        self.pipeline = Pipeline(self.settings)
        self.state = StateStore(self.data / "state.sqlite3")
        stack.callback(self.state.close)
        self.journal = Journal(self.data / "journal") if self.settings["journal"] else None
        self.receivers = Receivers(self.settings, self.take, self._events_from_a_thread(asyncio.get_running_loop()))
        await self.receivers.open(stack)
        self._open_storage(stack)
        self._open_admission(stack)
        _until_closed(stack, self.past.send(), "remote write")
        _until_closed(stack, self.exports.run(), "exports")
        self.told = Told(self.past.queries.instant, self._write_rules, self.past.history)
        routing, receivers = self._telling()
        stack.push_async_callback(receivers.close)
        self.desk = AlertDesk(self.engine, self.rules, self.state, self.data, time.time(), routing, receivers)
        self._open_alertmanaging(stack)
        await self._open_server(stack)
        await self.answering.open(stack)
        self._watch_health()
        if self.journal is not None:
            stack.callback(self.journal.close)
        _until_closed(stack, self.told.run(), "rules that ask")
        _until_closed(stack, self.desk.teller.run(), "telling receivers")
        self.desk.note_start(self.started, self.restored_seconds, why)
        warn_of_strangers(self.settings)
        log.info("%s is up: stream %s, http %s, %s", self.name, self.stream_url, self.http.url, self.receivers.summary())

    def _open_storage(self, stack: contextlib.AsyncExitStack) -> None:
        """Exports, the windows of before, the history, spans and logs."""
        self.exports = self._new_exports()
        stack.callback(self.exports.close)
        with ThreadPoolExecutor(1, "lightship-open") as beside:  # what arrives meanwhile waits in the queue
            opening = beside.submit(open_history, self.settings, self.data / "history")
            if self.journal is not None:
                self.engine, self.restored_seconds = restored(self.journal, self._new_engine, time.time())
        self.past = Past(
            self.settings,
            self.data / "history",
            self.engine,
            lambda: self.started - self.restored_seconds,
            opening.result(),
            self.exports.recorded,
        )
        stack.push_async_callback(self.past.close_client)
        stack.callback(self.past.close)
        self.tracing = Tracing(self.settings, self.data / "traces", self.exports)
        stack.callback(self.tracing.close)

    def _open_admission(self, stack: contextlib.AsyncExitStack) -> None:
        """The way in for what answers its senders, and for scraped histograms."""
        self.descriptions = Descriptions()
        self.past.queries.described = self.descriptions.added_to
        self.exemplars = self._kept_exemplars(stack)
        sink = self.exemplars.take if self.exemplars is not None else None
        self.admission = Admission(
            self.past.recorder,
            self._inflow.offer,
            self.past.committed,
            self.tracing.intake,
            self.remember,
            self.pipeline,
        )
        self.receivers.scrape(stack, self.admission, self.descriptions, sink)
        totals = LastTotals(self.past.history, time.time)
        self.answering = Answering(self.settings, self.admission, self.data / "pushed.msgpack", sink, self.descriptions, totals)
        stack.callback(self.answering.save)

    def _kept_exemplars(self, stack: contextlib.AsyncExitStack) -> KeptExemplars | None:
        settings = self.settings
        if not settings["exemplars"]:
            return None
        late = settings["history_out_of_order"]
        kept = KeptExemplars(settings["exemplars"], late, self.data / "exemplars.packed", self.pipeline.exemplars)
        stack.callback(kept.close)
        self.past.queries.find_exemplars = kept.find
        kept.share = self.exports.exemplars
        return kept

    def _open_alertmanaging(self, stack: contextlib.AsyncExitStack) -> None:
        """Alertmanager's API, and sending to Alertmanagers."""
        try:
            self.alertmanaging = Alertmanaging(self, time.time())
        except ValueError as error:
            raise OSError(errno.EINVAL, f"alertmanagers: {error}") from None
        _until_closed(stack, self.alertmanaging.run(), "sending to Alertmanagers")

    async def _open_server(self, stack: contextlib.AsyncExitStack) -> None:
        """The stream and the HTTP side."""
        self.backend = CollectorBackend(self)
        api = PrometheusApi(self.past.queries, ServiceInfo(self), origins=Origins(tuple(self.settings["origins"])))
        exemplars = self.exemplars.snapshot if self.exemplars is not None else None
        self.page = MetricsPage(self.backend.metrics, self.past.queries, self.settings["expose"], exemplars=exemplars)
        routes = [web.get("/metrics", self.page.answer), *api.routes(), *self.answering.routes(), *self.alertmanaging.routes()]
        self.http = HttpServer(self.settings["http"], self.backend, routes)
        address = self.settings["stream"]
        self.stream = StreamServer(
            address.host,
            address.port,
            self.backend,
            limits=StreamLimits(clients=self.settings["clients"]),
            rewinds=self._rewinds(),
            allowed_origins=tuple(self.settings["origins"]),
        )
        await self._listen(address)
        stack.push_async_callback(self.stream.close)
        await self.http.start()
        stack.push_async_callback(self.http.stop)

    def _new_exports(self) -> Exports:
        tables = self.settings.tables["export"]
        try:
            return Exports(exporters_of(tables, self.data / "exports", lambda: self.engine.table, lambda: self.past.queries))
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error)) from None

    def _telling(self) -> tuple[Routing, TellingReceivers]:
        tables = self.settings.tables
        try:
            return read_routing(tables), receivers_of(tables["receiver"], self.data)
        except RoutingError as error:
            raise OSError(errno.EINVAL, str(error)) from None

    async def _listen(self, address: Address) -> None:
        try:
            await self.stream.start()
        except OSError as error:
            raise OSError(error.errno, taken(f"TCP {address}", "stream", error)) from None

    async def _ticks(self) -> float:
        """Tick until `stop()` was called (0) or the clock was set back far (by how many seconds)."""
        interval: float = self.settings["interval"]
        due = _next_due(time.time(), interval)
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                # Never longer than an interval, whatever the clock does meanwhile.
                await asyncio.wait_for(self._stopping.wait(), min(interval, max(0.0, due - time.time())))
                break
            now = time.time()
            if self.engine.now - now > CLOCK_BACK:
                log.warning("the clock was set back by %s; everything begins anew", rough_duration(round(due - now)))
                return float(round(due - now))
            self._pace.late = max(0.0, now - due)
            self.tick(now)
            after = _next_due(time.time(), interval)
            if due < after <= due + 60 * interval:
                self._pace.missed += round((after - due) / interval) - 1
            due = after
        return 0.0

    def tick(self, now: float) -> None:
        """Fold in what has come, judge the rules, write the journal, send the frame. One bad part does not stop the others."""
        began = time.perf_counter()
        last_moment = now - now % 1.0 - 0.001
        frame: Frame | None = None
        with self._parts.one("Reading this host"):
            self._inflow.put(self.receivers.collect(last_moment))
        with self._parts.one("Measuring the collector itself"):
            self._inflow.put(self.health.batches(last_moment))
        with self._parts.one("Reading spans"):
            self._inflow.put(self.tracing.tick(now))
        with self._parts.one("Repeating what was pushed"):
            self.take(self.answering.repeat(last_moment))
        with self._parts.one("Taking in exemplars"):
            if self.exemplars is not None:
                if self.tracing.exemplars is not None:
                    self.exemplars.take(self.tracing.exemplars)
                self.exemplars.tick(now)
        for ready, batches in self._inflow.messages():
            with self._parts.one("Taking in samples"):
                for batch in batches if ready else self.pipeline.samples(batches):
                    self._take_in(batch)
        with self._parts.one("Computing the windows"):
            frame = self.engine.tick(now)
        if frame is not None:
            self._share(frame)
        else:
            with self._parts.one("Gathering the collector's figures"):
                self.health.gather()
        self._pace.seconds = time.perf_counter() - began

    def _take_in(self, batch: Batch) -> None:
        self.past.recorder.take(batch)
        if batch.windowed:
            self.engine.ingest(batch)

    def _share(self, frame: Frame) -> None:
        """What follows from a frame."""
        changed: set[str] = set()
        with self._parts.one("Writing the journal"):
            self._record(frame)
        with self._parts.one("Writing the history"):
            self.past.record(frame)
        with self._parts.one("Exporting"):
            self.exports.take(frame)
        with self._parts.one("Judging the rules"):
            told = self.told.look(self.rules) | self.alertmanaging.look(frame.time)
            foreign = (*self.told.rules, *self.alertmanaging.rules)
            changed = self.desk.judge(frame.time, foreign, {**self.told.answers, **self.alertmanaging.answers})
            if told:
                changed.add("rules")
        with self._parts.one("Sending to Alertmanagers"):
            self.alertmanaging.send(frame.time)
        with self._parts.one("Gathering the collector's figures"):
            self.health.gather()
        with self._parts.one("Sending the stream"):
            self.stream.publish_tick(frame)
        with self._parts.one("Sending what changed"):
            self.publish(changed)

    def _write_rules(self, samples: Sequence[Sample], at: int) -> None:
        """What a rule of a group made: into the history now, into the windows with the next tick."""
        self._inflow.put([replace(batch, raw=False) for batch in self.past.write(samples, at)], ready=True)

    def _rewinds(self) -> Rewinds:
        return Rewinds(Kept(self.past.kept, self.state, self.past.archive, self.backend.hello, _engine_settings(self.settings)))

    def _record(self, frame: Frame) -> None:
        if self.journal is None:
            return
        live = tuple(self.engine.table.added_since(0)[0]) if self.journal.wants_table(frame.time) else None
        self.journal.append(frame.delta, live)
        if frame.number % SYNC_TICKS == 0:
            self.journal.sync(frame.time)

    def _events_from_a_thread(self, loop: asyncio.AbstractEventLoop) -> Callable[[list[Event]], None]:
        def hand_over(events: list[Event]) -> None:
            loop.call_soon_threadsafe(self.remember, events)

        return hand_over

    def remember(self, events: Sequence[Event]) -> None:
        """Keep events that were told from outside, and tell them to everybody."""
        self.desk.remember(events, time.time())
        self.publish({"events"})

    def publish(self, changed: set[str]) -> None:
        """Send what changed at once: any of "alerts", "rules", "events"."""
        if "alerts" in changed:
            self.stream.publish_alerts()
        if "rules" in changed:
            self.stream.publish_rules()
        if "events" in changed:
            self.stream.publish_events()

    def _watch_health(self) -> None:
        self.health.add(self._own_figures, self._notes)
        self.health.add(self._inflow.figures, self._inflow.notes)
        self.health.add(self.receivers.figures, self.receivers.notes)
        self.health.add(self.answering.figures, self.answering.notes)
        self.health.add(self.tracing.figures, self.tracing.notes)
        self.health.add(self.admission.figures)
        self.health.add(self.pipeline.figures, self.pipeline.notes)
        self.health.add(self.stream.figures)
        self.health.add(self.desk.figures, self.desk.notes)
        self.health.add(self.past.figures, self.past.notes)
        self.health.add(self.told.figures, self.told.notes)
        self.health.add(self.alertmanaging.figures, self.alertmanaging.notes)
        self.health.add(self.exports.figures, self.exports.notes)
        self.health.add(self.page.figures)
        self.health.add(self.descriptions.figures)
        if self.exemplars is not None:
            self.health.add(self.exemplars.figures, self.exemplars.notes)
        self.health.gather()

    def _own_figures(self) -> dict[str, float]:
        figures = engine_figures(self.engine, self.settings["series_limit"], self._pace, self._inflow.shed, self.journal)
        return {**figures, "tick_failures_total": self._parts.failures, "start_time_seconds": self.started}

    def _notes(self) -> list[str]:
        return self._parts.notes() + ([self.journal.failed] if self.journal and self.journal.failed else [])


def _until_closed(stack: contextlib.AsyncExitStack, work: Coroutine[Any, Any, None], name: str) -> None:
    """Runs beside everything else, and is ended when the stack closes."""
    stack.push_async_callback(_ended, asyncio.create_task(work, name=name))


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _next_due(now: float, interval: float) -> float:
    return (now - SETTLE) // interval * interval + interval + SETTLE


def _engine_settings(settings: Settings) -> EngineSettings:
    return EngineSettings(
        windows=settings["windows"],
        lateness=settings["lateness"],
        series_limit=settings["series_limit"],
        idle_expiry=settings["idle_expiry"],
        derived=tuple(Derived(**entry) for entry in settings.tables["derived"]),
    )
