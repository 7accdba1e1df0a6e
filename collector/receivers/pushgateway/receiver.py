"""The routes of the Pushgateway's API. A group's metrics stay as they were pushed, are stated again and again, and end when it is
deleted (or, where a time to live is set, when nobody pushed to it for so long).

A push is text, OpenMetrics or protobuf. What a native histogram has more than at the push before was observed at this one.

Sources: prometheus/pushgateway, README ("API", "About metric inconsistencies") and handler/push.go. Difference: bounds are told
as 413 and 507.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec
from aiohttp import web

from collector.receivers.accept import Accept, NotAcceptedError
from collector.receivers.descriptions import Descriptions
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.pushgateway.families import Family, Form, InconsistentError, families_in
from collector.receivers.pushgateway.grouping import BadGroupingError, grouping_of
from collector.receivers.pushgateway.groups import FullError, Group, Groups, PushLimits
from collector.receivers.pushgateway.listing import group_json
from collector.receivers.pushgateway.native import check_natives
from collector.receivers.pushgateway.stating import Statements, Undo
from collector.server.bodies import BodyError, read_body
from monitor.model.batch import Batch, HistogramBatch
from monitor.query.history import Labels, Metadata

REPEAT = 15.0
"""Seconds after which groups are stated again: a minute then has enough for a rate."""
_PROTOBUF = "application/vnd.google.protobuf"
_FORMS: dict[str, Form] = {_PROTOBUF: "protobuf", "application/openmetrics-text": "openmetrics"}
_MESSAGE = "io.prometheus.client.metricfamily"
_Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(slots=True)
class PushCounters:
    """What came since the start. `refused` pushes contradicted themselves or others or were too much."""

    pushes: int = 0
    deletes: int = 0
    refused: int = 0
    expired: int = 0


class PushReceiver:
    """`clock`: seconds since the epoch. `ttl`: seconds after its last push that a group ends, None: never. `descriptions` takes
    what pushes say of their metrics.

    The collector calls `repeat` at each tick, keeps `state()` when `revision` has changed, and gives it to `restore` at its next
    start.
    """

    def __init__(
        self,
        accept: Accept,
        clock: Callable[[], float],
        ttl: float | None = None,
        limits: PushLimits | None = None,
        descriptions: Descriptions | None = None,
    ) -> None:
        self._descriptions = descriptions
        self._accept = accept
        self._clock = clock
        self._ttl = ttl
        self._limits = limits or PushLimits()
        self._groups = Groups(self._limits)
        self._statements = Statements(3 * (self._limits.series + 2 * self._limits.groups))
        self._one_at_a_time = asyncio.Lock()
        self._due = -math.inf
        self.counters = PushCounters()
        self._last_refusal = ""

    @property
    def revision(self) -> int:
        """Rises with every change of what `state` gives."""
        return self._groups.revision

    def routes(self) -> list[web.RouteDef]:
        found = [web.get("/api/v1/metrics", self._list)]
        for prefix, is_base64 in (("/metrics/job/", False), ("/metrics/job@base64/", True)):
            path = prefix + "{group:.*}"
            found += [
                web.put(path, self._pushing(is_base64, replace=True)),
                web.post(path, self._pushing(is_base64, replace=False)),
                web.delete(path, self._deleting(is_base64)),
            ]
        return found

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return {
            "pushgateway_groups": float(len(self._groups)),
            "pushgateway_series": float(self._groups.series),
            "pushgateway_pushes_total": float(self.counters.pushes),
            "pushgateway_deletes_total": float(self.counters.deletes),
            "pushgateway_refused_total": float(self.counters.refused),
            "pushgateway_expired_groups_total": float(self.counters.expired),
        }

    def notes(self) -> list[str]:
        """What was refused last, in a sentence."""
        return [f"a push was refused: {self._last_refusal}"] if self._last_refusal else []

    def repeat(self, now: float) -> list[Batch]:
        """Every `REPEAT` seconds what all groups say, and the end of those whose time is over; nothing in between."""
        if self._due - REPEAT <= now < self._due:
            return []
        self._due = now + REPEAT
        batches: list[Batch] = []
        if self._ttl is not None:
            for labels in self._groups.expired(now - self._ttl):
                group = self._groups.drop(labels)
                if group is not None:
                    self.counters.expired += 1
                    batches += self._statements.ended(group, None, now)[0]
        self._statements.make_room()
        return [*batches, *self._statements.of(self._groups, now)[0]]

    def state(self) -> bytes:
        """All groups, as MessagePack."""
        return msgspec.msgpack.encode(list(self._groups))

    def restore(self, state: bytes) -> None:
        """Groups as `state` gave them; those that do not fit are left out. Raises `ValueError` for what is no such state."""
        try:
            groups = msgspec.msgpack.decode(state, type=list[Group])
        except msgspec.MsgspecError as error:
            raise ValueError(f"the kept groups of the Pushgateway cannot be read: {error}") from None
        for group in groups:
            try:
                self._groups.pushed(group.labels, group.families, True, group.pushed)
                self._statements.make_room()
                self._statements.named(group)
                check_natives(group.series())
            except (FullError, ValueError) as error:
                self._refuse(f"a kept group is left out: {error}")
                continue
            self._groups.put(group)
            self._describe(group)

    async def _list(self, request: web.Request) -> web.Response:
        told = {"status": "success", "data": [group_json(group) for group in self._groups]}
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")

    def _pushing(self, is_base64: bool, replace: bool) -> _Handler:
        async def push(request: web.Request) -> web.Response:
            self.counters.pushes += 1
            try:
                labels = grouping_of(request.match_info["group"], is_base64)
                body = await read_body(request, self._limits.body_bytes)
                await self._push(labels, body, request.headers.get("Content-Type", ""), replace)
            except BodyError as error:
                return self._failed(error.status, str(error))
            except LimitError as error:
                return self._failed(413, str(error))
            except (BadGroupingError, ExpositionError) as error:
                return self._failed(400, str(error))
            except InconsistentError as error:
                return self._failed(400, f"pushed metrics are invalid or inconsistent with existing metrics: {error}")
            except FullError as error:
                return self._failed(507, str(error))
            except NotAcceptedError as error:
                return _later(error)
            return web.Response(status=200)

        return push

    def _deleting(self, is_base64: bool) -> _Handler:
        async def delete(request: web.Request) -> web.Response:
            self.counters.deletes += 1
            try:
                await self._delete(grouping_of(request.match_info["group"], is_base64))
            except BadGroupingError as error:
                return self._failed(400, str(error))
            except NotAcceptedError as error:
                return _later(error)
            return web.Response(status=202)

        return delete

    async def _push(self, labels: Labels, body: bytes, content_type: str, replace: bool) -> None:
        form = _form_of(content_type)
        limits = ExpositionLimits(body_bytes=self._limits.body_bytes, samples=self._limits.group_series)
        async with self._one_at_a_time:
            now = self._clock()
            try:
                families = families_in(body, form, labels, now, limits)
                await self._change(labels, families, replace, now)
            except InconsistentError:
                self._note_failure(labels, now)
                raise

    def _note_failure(self, labels: Labels, now: float) -> None:
        """The group tells when a push of it failed; one whose own labels are over the bounds is not kept, as nothing can be told
        of it.
        """
        refused = self._groups.refused(labels, now)
        if refused is not None:
            with contextlib.suppress(InconsistentError):
                self._statements.make_room()
                self._statements.named(refused)
                self._groups.put(refused)

    async def _change(self, labels: Labels, families: list[Family], replace: bool, now: float) -> None:
        group = self._groups.pushed(labels, families, replace, now)
        self._statements.make_room()
        before = self._groups.get(labels)
        undos: list[Undo] = []
        batches: list[Batch | HistogramBatch] = []
        self._statements.named(group)
        for made, undo in (
            *([self._statements.ended(before, group, now)] if before is not None else []),
            self._statements.of([group], now),
        ):
            batches += made
            undos.insert(0, undo)
        batches += self._statements.observed(before, group, now)
        self._describe(group)
        # In place before it is accepted: what is stated again meanwhile is this already.
        self._groups.put(group)
        await self._accepted(batches, undos, labels, before)

    async def _delete(self, labels: Labels) -> None:
        async with self._one_at_a_time:
            before = self._groups.drop(labels)
            if before is None:
                return
            self._statements.make_room()
            batches, undo = self._statements.ended(before, None, self._clock())
            await self._accepted(batches, [undo], labels, before)

    async def _accepted(
        self, batches: Sequence[Batch | HistogramBatch], undos: list[Undo], labels: Labels, before: Group | None
    ) -> None:
        """Hands on; where that fails, the group is again what it was before."""
        try:
            await self._accept.metrics(batches)
        except BaseException:
            for undo in undos:
                undo()
            if before is None:
                self._groups.drop(labels)
            else:
                self._groups.put(before)
            raise

    def _describe(self, group: Group) -> None:
        if self._descriptions is not None:
            for family in group.families:
                kind = "unknown" if family.type == "untyped" else family.type
                self._descriptions.tell(family.name, Metadata(kind, family.help))

    def _failed(self, status: int, why: str) -> web.Response:
        self._refuse(why)
        return web.Response(status=status, text=f"{why}\n")

    def _refuse(self, why: str) -> None:
        self.counters.refused += 1
        self._last_refusal = why[:400]


def _form_of(content_type: str) -> Form:
    """Whatever is neither protobuf nor OpenMetrics is text, as the Pushgateway has it. Raises `ExpositionError`."""
    media_type, *rest = (part.strip() for part in content_type.lower().split(";"))
    form = _FORMS.get(media_type, "text")
    if form == "protobuf":
        given = {name.strip(): value.strip(' "') for name, _, value in (part.partition("=") for part in rest)}
        if given.get("proto", _MESSAGE) != _MESSAGE or given.get("encoding", "delimited") != "delimited":
            raise ExpositionError("of protobuf, only io.prometheus.client.MetricFamily is taken, in the encoding delimited")
    return form


def _later(error: NotAcceptedError) -> web.Response:
    return web.Response(status=503, text=f"{error}\n", headers={"Retry-After": str(max(1, math.ceil(error.retry_after)))})
