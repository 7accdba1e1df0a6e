"""The receivers that answer their senders: OTLP, remote write, Pushgateway, Datadog traces. Opened once there is a history."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from aiohttp import web

from collector.receivers.accept import Accept
from collector.receivers.datadog import DatadogReceiver, DatadogServer
from collector.receivers.descriptions import Descriptions
from collector.receivers.events import EventReceiver
from collector.receivers.otlp import DEFAULT_RESOURCE_TAGS, OtlpGrpc, OtlpHttp, OtlpReceiver
from collector.receivers.otlp.resuming import LastTotals
from collector.receivers.pushgateway import PushReceiver
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.server.http import taken
from collector.server.origins import Origins
from monitor.model.batch import Batch
from monitor.model.exemplars import ExemplarSink
from monitor.settings.address import Address
from monitor.settings.declared import BY_NAME
from monitor.settings.load import Settings

log = logging.getLogger("lightship")

TRY_AGAIN = 30.0
"""Seconds after which a port that another program had is tried again."""


class Listener(Protocol):
    """Something that listens on an address."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Answering:
    """`routes` are served on the HTTP side; listeners of their own are opened by `open`.

    A port that nobody chose (it is the protocol's own) and another program has is told, and tried again until it is free: so
    that Lightship can be looked at beside what it is to replace.
    """

    def __init__(
        self,
        settings: Settings,
        accept: Accept,
        file: Path,
        exemplars: ExemplarSink | None = None,
        descriptions: Descriptions | None = None,
        totals: LastTotals | None = None,
    ) -> None:
        """`file` keeps what should outlive the process: pushed groups. `exemplars` takes those of samples; None: nobody does.
        `descriptions` takes what senders say of their metrics; `totals` knows the running totals of before the start.
        """
        self._settings = settings
        self._file, self._saved_revision = file, -1
        self._origins = Origins(settings["origins"])
        tags = (*DEFAULT_RESOURCE_TAGS, *settings["otlp_tags"])
        self._otlp = OtlpReceiver(accept, tags, exemplars=exemplars, descriptions=descriptions, totals=totals)
        self._remote_write = RemoteWriteReceiver(accept, descriptions=descriptions, exemplars=exemplars)
        self._push = PushReceiver(accept, time.time, settings["push_ttl"] or None, descriptions=descriptions)
        self._datadog = DatadogReceiver(accept)
        self._events = EventReceiver(accept)
        self._told: dict[str, str] = {}
        self._open: list[str] = []
        self._restore()

    def routes(self) -> list[web.RouteDef]:
        """For the HTTP side; pages of other origins may not send."""
        parts = (self._otlp, self._remote_write, self._push, self._events)
        return self._origins.guarded([route for part in parts for route in part.routes()])

    async def open(self, stack: contextlib.AsyncExitStack) -> None:
        """Start listening. Raises `OSError` with a sentence when an address that somebody chose cannot be had."""
        for setting, make in (
            ("otlp_grpc", lambda at: OtlpGrpc(self._otlp, at.host, at.port)),
            ("otlp_http", lambda at: OtlpHttp(self._otlp, at.host, at.port, self._origins)),
            ("datadog", lambda at: DatadogServer(self._datadog, at.host, at.port, self._origins)),
        ):
            for address in self._settings[setting]:
                await self._listen(stack, setting, address, make)

    async def _listen(
        self, stack: contextlib.AsyncExitStack, setting: str, address: Address, make: Callable[[Address], Listener]
    ) -> None:
        try:
            await self._start(stack, setting, address, make)
        except OSError as error:
            why = taken(f"TCP {address}", setting.replace("_", "-"), error)
            if list(self._settings[setting]) != list(BY_NAME[setting].read(BY_NAME[setting].default)):
                raise OSError(error.errno, why) from None
            log.warning("%s Going on without %s.", why, setting)
            self._told[setting] = f"{setting} does not listen: {why}"
            trying = asyncio.create_task(self._until_free(stack, setting, address, make), name=f"waiting for {address}")
            stack.push_async_callback(_cancelled, trying)

    async def _until_free(
        self, stack: contextlib.AsyncExitStack, setting: str, address: Address, make: Callable[[Address], Listener]
    ) -> None:
        while True:
            await asyncio.sleep(TRY_AGAIN)
            with contextlib.suppress(OSError):
                await self._start(stack, setting, address, make)
                del self._told[setting]
                log.info("%s listens on %s now", setting, address)
                return

    async def _start(
        self, stack: contextlib.AsyncExitStack, setting: str, address: Address, make: Callable[[Address], Listener]
    ) -> None:
        listener = make(address)
        await listener.start()
        stack.push_async_callback(listener.stop)
        self._open.append(f"{setting} {address}")

    def repeat(self, now: float) -> list[Batch]:
        """What is told at each tick without anybody sending: pushed groups, every 15 s."""
        if self._push.revision != self._saved_revision:
            self.save()
        return self._push.repeat(now)

    def save(self) -> None:
        """Write down what should outlive the process, if it changed."""
        revision = self._push.revision
        unfinished = self._file.with_suffix(".unfinished")
        try:
            unfinished.write_bytes(self._push.state())
            unfinished.replace(self._file)
            self._saved_revision = revision
            self._told.pop("pushed", None)
        except OSError as error:
            self._told["pushed"] = f"pushed groups cannot be kept over a restart: {error.strerror}"

    def _restore(self) -> None:
        try:
            self._push.restore(self._file.read_bytes())
            self._saved_revision = self._push.revision
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("pushed groups of before the restart cannot be read (%s); they begin empty", error)

    def summary(self) -> str:
        """What is open, for the log."""
        return ", ".join(self._open)

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        parts = [part.figures() for part in (self._otlp, self._remote_write, self._push, self._datadog, self._events)]
        refused = {"pages_refused_total": float(self._origins.refused)}
        return refused | {name: value for part in parts for name, value in part.items()}

    def notes(self) -> list[str]:
        """What is wrong, in sentences."""
        told: Sequence[Sequence[str]] = (
            self._otlp.notes(),
            self._remote_write.notes(),
            self._push.notes(),
            self._datadog.notes(),
        )
        return [*self._told.values(), *(note for part in told for note in part)]


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
