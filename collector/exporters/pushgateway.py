"""Export to a Pushgateway: the newest values of selected series, pushed every few seconds.

A push replaces the one before, so nothing is queued: what could not be pushed is superseded by the next, also after a restart.
"""

from __future__ import annotations

import asyncio
import random as random_numbers
import time
from collections.abc import Callable, Mapping

from collector.exporters.exporter import FIGURES, Patience, TakesNothing
from collector.exporters.formats import Format
from collector.exporters.metrics_page import Queries, collected, pieces_of
from collector.storage.remote.request import Answered, Reply, post, settled
from collector.storage.remote.sender import client_session
from collector.storage.remote.target import RemoteTarget, shown
from monitor.query.history import QueryError
from monitor.windows.frame import Frame
from monitor.wire.push import TEXT_TYPE, group_url

MOST_SERIES = 50_000
_JOB = "lightship"


class PushgatewayExporter(TakesNothing):
    """Implements `Exporter`. `tags` name the group; its job is "lightship" unless they say another."""

    def __init__(
        self,
        name: str,
        target: RemoteTarget,
        selector: str,
        tags: Mapping[str, str],
        queries: Queries,
        *,
        interval: float = 15.0,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        """`selector`: in PromQL. Raises `PushError` when the tags can name no group."""
        self.name = name
        grouping = {label: value for label, value in tags.items() if label != "job"}
        self._target, self._selector, self._queries = target, selector, queries
        self._url = group_url(target.write_url, tags.get("job", _JOB), grouping)
        self._interval, self._patience, self._clock, self._random = interval, patience or Patience(), clock, random
        self._due = asyncio.Event()
        self._last = 0.0
        self._failing = self._refusal = ""
        self._figures = dict.fromkeys(FIGURES, 0.0)

    def take(self, frame: Frame) -> None:
        """See `Exporter`."""
        if not 0 <= frame.time - self._last < self._interval:
            self._last = frame.time
            self._due.set()

    async def run(self) -> None:
        """See `Exporter`."""
        async with client_session() as session:
            attempt = 0
            while True:
                await self._due.wait()
                self._due.clear()
                body, series = await self._exposition()
                if not series:
                    continue
                headers = {**self._target.all_headers(self._target.write_url), "Content-Type": TEXT_TYPE}
                answered = await post(session, self._url, headers, body, patience=self._patience.answer, method="PUT")
                reply = settled(answered, self._clock()) if isinstance(answered, Answered) else answered
                self._noted(reply, series, len(body))
                if reply.kind == "again":
                    await asyncio.sleep(self._patience.after(attempt, self._random(), reply.wait))
                    attempt += 1
                    self._due.set()
                else:
                    attempt = 0

    async def _exposition(self) -> tuple[bytes, int]:
        """The text and how many samples are in it."""
        wanted = Format()
        try:
            gathered = await collected(self._queries, [self._selector], wanted, round(self._clock() * 1000), MOST_SERIES)
        except QueryError as error:
            self._failing = f"what is to be pushed cannot be read: {error}"
            return b"", 0
        body = await asyncio.to_thread(lambda: b"".join(pieces_of(gathered.families, wanted)))
        return body, sum(len(family.samples) for family in gathered.families)

    def _noted(self, reply: Reply, series: int, size: int) -> None:
        figures = self._figures
        figures["export_requests_total"] += 1
        figures["export_bytes_total"] += size
        self._failing = reply.reason if reply.kind == "again" else ""
        if reply.kind == "done":
            figures["export_sent_total"] += series
            self._refusal = ""
        elif reply.kind == "again":
            figures["export_failures_total"] += 1
        else:
            figures["export_refused_total"] += series
            self._refusal = reply.reason

    def close(self) -> None:
        """See `Exporter`."""

    def figures(self) -> dict[str, float]:
        """See `Exporter`."""
        return self._figures | {"export_failing": 1.0 if self._failing else 0.0}

    def notes(self) -> list[str]:
        """See `Exporter`."""
        where = shown(self._target.write_url)
        found = [f"{where} takes no metrics ({self._failing})"] if self._failing else []
        return [*found, *([f"{where} refused the last push: {self._refusal}"] if self._refusal else [])]
