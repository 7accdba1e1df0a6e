"""Exports as the settings want them, and all of them together as the collector speaks to them."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collector.exporters.exporter import FIGURES, Exporter, bounds_of
from collector.exporters.metrics_page import Queries, checked_selector
from collector.exporters.otlp import SIGNALS, OtlpExporter
from collector.exporters.pushgateway import PushgatewayExporter
from collector.exporters.samples import SampleExporter
from collector.exporters.statsd import StatsdExporter
from collector.storage.remote.both import BothSinks, Kept
from collector.storage.remote.target import RemoteTarget, shown
from monitor.model.exemplar_table import Snapshot
from monitor.model.logs import Logs
from monitor.model.matchers import NAME_TAG, Selector, SelectorError, parse_selector
from monitor.model.spans import Spans
from monitor.model.table import SeriesTable
from monitor.query.history import ParseError
from monitor.windows.frame import Frame
from monitor.wire.push import PushError

log = logging.getLogger("lightship")

KINDS = ("remote_write", "otlp", "statsd", "pushgateway")
PROTOCOLS = {"otlp": ("grpc", "http"), "statsd": ("dogstatsd", "statsd")}
"""Of each kind; the first is the usual one."""
EVERYTHING = '{__name__=~".+"}'
_MOST_NOTES = 20


def exporters_of(
    tables: Sequence[Mapping[str, Any]], folder: Path, table: Callable[[], SeriesTable], queries: Callable[[], Queries]
) -> list[Exporter]:
    """An exporter for each `[[export]]`, its queue in a folder of its own inside `folder`. `table` and `queries` are asked when
    they are needed.

    Raises `ValueError` with a sentence for a table that cannot be, `OSError` when a queue cannot be opened; none is left open.
    """
    made: list[Exporter] = []
    taken: set[str] = set()
    try:
        for settings in tables:
            where = folder / _folder_name(settings)
            if where.name in taken:
                raise ValueError(f"two exports go to {_told(settings)}; give them one [[export]], or different addresses")
            taken.add(where.name)
            made.append(_one(settings, where, table, queries))
    except BaseException:
        for exporter in made:
            exporter.close()
        raise
    return made


def _one(settings: Mapping[str, Any], folder: Path, table: Callable[[], SeriesTable], queries: Callable[[], Queries]) -> Exporter:
    kind, url = settings.get("kind", ""), settings.get("url", "")
    if kind not in KINDS:
        raise ValueError(f"an export is of one of the kinds {', '.join(KINDS)}, not {kind!r}")
    protocol: Any = settings.get("protocol") or PROTOCOLS.get(kind, ("",))[0]
    if kind in PROTOCOLS and protocol not in PROTOCOLS[kind]:
        raise ValueError(f"the export to {shown(url)} speaks {' or '.join(PROTOCOLS[kind])}, not {protocol!r}")
    written = settings.get("selector") or EVERYTHING
    try:
        selector = parse_selector(written)
        if kind == "pushgateway":
            checked_selector(written)
    except (SelectorError, ParseError) as error:
        raise ValueError(f"the selector of the export to {shown(url)} cannot be read: {error}") from None
    selector = _without_nothing(selector)
    tags, bounds = dict(settings.get("tags") or {}), bounds_of(settings.get("queue") or 256 << 20)
    name = f"{kind} {_told(settings)}"
    if kind == "statsd":
        return StatsdExporter(name, folder, url, selector, tags, bounds, table, protocol=protocol)
    target = RemoteTarget(url, url, dict(settings.get("headers") or {}), bearer=settings.get("token") or "")
    if kind == "remote_write":
        return SampleExporter(name, folder, target, selector, tags, bounds)
    if kind == "otlp":
        signals = tuple(signal for signal in SIGNALS if signal in (settings.get("signals") or SIGNALS))
        return OtlpExporter(name, folder, target, selector, tags, bounds, protocol=protocol, signals=signals)
    try:
        return PushgatewayExporter(name, target, written, tags, _Later(queries), interval=settings.get("interval") or 15.0)
    except PushError as error:
        raise ValueError(str(error)) from None


def _told(settings: Mapping[str, Any]) -> str:
    url = str(settings.get("url", ""))
    return shown(url) if urlsplit(url).scheme in ("http", "https") else url[:200]


def _folder_name(settings: Mapping[str, Any]) -> str:
    """The same after a restart, also when other exports come and go."""
    what = "\0".join(str(settings.get(part) or "") for part in ("kind", "url", "selector", "tags"))
    return f"{settings.get('kind', '')}-{hashlib.sha256(what.encode('utf-8', 'replace')).hexdigest()[:12]}"


def _without_nothing(selector: Selector) -> Selector:
    """Everything is found faster by no matcher at all."""
    kept = tuple(m for m in selector.matchers if (m.name, m.op, m.value) != (NAME_TAG, "=~", ".+"))
    return Selector(kept)


class _Later:
    """Queries of a service that is there only once its exporters are."""

    def __init__(self, queries: Callable[[], Queries]) -> None:
        self._queries = queries

    async def instant(self, query: str, time: int) -> Any:
        return await self._queries().instant(query, time)

    async def metadata(self) -> Any:
        return await self._queries().metadata()


class Exports:
    """All exporters as one. What one of them does wrong is logged and told, and keeps no other from its work."""

    def __init__(self, exporters: Sequence[Exporter]) -> None:
        self._exporters = tuple(exporters)
        self._failed: dict[str, str] = {}

    def recorded(self, near: Kept) -> Kept:
        """The sink that the recorder is to write to: `near`, and every exporter that wants what the history keeps."""
        far = [sink for exporter in self._exporters if (sink := exporter.sink) is not None]
        return functools.reduce(BothSinks, far, near)

    def take(self, frame: Frame) -> None:
        """A tick."""
        self._each("a tick", lambda exporter: exporter.take(frame))

    def spans(self, spans: Spans) -> None:
        """Spans that were accepted."""
        self._each("spans", lambda exporter: exporter.spans(spans))

    def exemplars(self, fresh: Snapshot) -> None:
        """Exemplars that were kept; remote write takes them."""
        self._each("exemplars", lambda exporter: exporter.exemplars(fresh) if isinstance(exporter, SampleExporter) else None)

    def logs(self, logs: Logs) -> None:
        """Log records that were accepted."""
        self._each("log records", lambda exporter: exporter.logs(logs))

    def commit(self) -> None:
        """Returns when the spans and log records handed over before are in the queues on disk, as far as those can be written;
        in any thread.
        """
        self._each("what it was handed onto the disk", lambda exporter: exporter.commit())

    def _each(self, what: str, give: Callable[[Exporter], None]) -> None:
        for exporter in self._exporters:
            try:
                give(exporter)
            except Exception as error:
                if exporter.name not in self._failed:
                    log.exception("the export %s failed to take %s", exporter.name, what)
                self._failed[exporter.name] = f"the export {exporter.name} failed to take {what}: {type(error).__name__}"

    async def run(self) -> None:
        """Sends until cancelled."""
        await asyncio.gather(*(self._run(exporter) for exporter in self._exporters))

    async def _run(self, exporter: Exporter) -> None:
        try:
            await exporter.run()
        except Exception as error:
            log.exception("the export %s has ended", exporter.name)
            self._failed[exporter.name] = f"the export {exporter.name} has ended by a mistake of ours: {type(error).__name__}"

    def close(self) -> None:
        """After `run` was cancelled."""
        for exporter in self._exporters:
            exporter.close()

    def figures(self) -> dict[str, float]:
        """For health, summed up over all."""
        parts = [exporter.figures() for exporter in self._exporters]
        return {name: sum(part.get(name, 0.0) for part in parts) for name in FIGURES}

    def notes(self) -> list[str]:
        """For health."""
        found = [*self._failed.values(), *(note for exporter in self._exporters for note in exporter.notes())]
        return found[:_MOST_NOTES]
