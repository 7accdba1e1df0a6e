"""The routes of Prometheus' HTTP API: parameters in, `QueryService` and `ApiInfo` asked, envelopes out.

Source: prometheus.io, querying/api, version 3; web/api/v1/api.go where the page says too little.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from collector.query import QueryService
from collector.server.origins import Origins
from collector.server.prometheus import status_json
from collector.server.prometheus.answer_json import answer_json
from collector.server.prometheus.exemplars_json import exemplars_json
from collector.server.prometheus.info import ApiInfo
from collector.server.prometheus.parameters import BadDataError, NotFoundError, Parameters, invalid, label_name
from collector.server.prometheus.remote_read import remote_read
from collector.server.prometheus.reply import failed, failure, sent, succeeded
from collector.server.prometheus.tree_json import tree_json
from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.history import Answer, Matrix, ParseError, QueryError
from monitor.query.parse import parse

log = logging.getLogger("lightship")

T = TypeVar("T")
Handler = Callable[[web.Request, Parameters], Awaitable[web.StreamResponse]]
_MOST_FIELDS = 1000
_LOOK = 0.25
"""Seconds between looks at whether the client is still there."""
_TRUNCATED = "results truncated due to limit"


class PrometheusApi:
    """`routes()` are added to an aiohttp application whose `client_max_size` bounds the bodies of requests.

    `clock` gives seconds since the epoch. `origins`: which web pages may ask; programs send no Origin and may.
    """

    def __init__(
        self,
        query: QueryService,
        info: ApiInfo,
        *,
        clock: Callable[[], float] = time.time,
        origins: Origins | None = None,
    ) -> None:
        self._query = query
        self._info = info
        self._clock = clock
        self._origins = origins or Origins()

    def routes(self) -> list[web.RouteDef]:
        """All routes, under `/api/v1`."""
        both: dict[str, Handler] = {
            "query": self._instant,
            "query_range": self._range,
            "query_exemplars": self._exemplars,
            "format_query": self._format,
            "parse_query": self._parse,
            "series": self._series,
            "labels": self._labels,
        }
        only_get: dict[str, Handler] = {
            "label/{name}/values": self._label_values,
            "metadata": self._metadata,
            "targets": self._targets,
            "targets/metadata": self._targets_metadata,
            "rules": self._rules,
            "alerts": self._alerts,
            "alertmanagers": self._alertmanagers,
            "status/buildinfo": self._buildinfo,
            "status/runtimeinfo": self._runtimeinfo,
            "status/flags": self._flags,
            "status/config": self._config,
            "status/tsdb": self._tsdb,
        }
        routes = [web.get(f"/api/v1/{path}", self._handled(handler)) for path, handler in (both | only_get).items()]
        routes += [web.post(f"/api/v1/{path}", self._handled(handler)) for path, handler in both.items()]
        return [*routes, web.post("/api/v1/read", self._guarded(lambda request: remote_read(request, self._query)))]

    # ------------------------------------------------------------ queries

    async def _instant(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        limit, at = asked.number("limit"), asked.time("time", self._now())
        timeout, lookback = asked.timeout(), asked.lookback()
        query = asked.text("query")
        answer = await _while_there(request, _named(self._query.instant(query, at, within=timeout, lookback=lookback)))
        if answer.kind == "string":
            answer = replace(answer, meta={"time": at})
        return await self._answered(request, asked, answer, limit)

    async def _range(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        start, end = asked.time("start"), asked.time("end")
        if end < start:
            raise invalid("end", "end timestamp must not be before start time")
        step = asked.duration("step")
        if step is None:
            raise invalid("step", 'cannot parse "" to a valid duration')
        if step <= 0:
            raise invalid("step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
        if (end - start) // step > self._query.limits.max_points - 1:
            raise BadDataError(
                f"exceeded maximum resolution of {self._query.limits.max_points - 1:,} points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        limit, timeout, lookback = asked.number("limit"), asked.timeout(), asked.lookback()
        query = asked.text("query")
        work = _named(self._query.range(query, start, end, step, within=timeout, lookback=lookback))
        return await self._answered(request, asked, await _while_there(request, work), limit)

    async def _answered(self, request: web.Request, asked: Parameters, answer: Answer, limit: int) -> web.StreamResponse:
        warnings: tuple[str, ...] = ()
        if limit:
            answer, cut = _cut(answer, limit)
            warnings = (_TRUNCATED,) if cut else ()
        return await sent(request, answer_json(answer, warnings, asked.stats(answer.samples)))

    async def _exemplars(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        start, end = asked.span()
        found = await _named(self._query.exemplars(asked.text("query"), start, end))
        return await succeeded(request, *await asyncio.to_thread(exemplars_json, found))

    async def _format(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, self._query.format(_checked(asked.text("query"))))

    async def _parse(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, tree_json(parse(_checked(asked.text("query")))))

    # ------------------------------------------------------------ what there is

    async def _series(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        (start, end), limit, sets = asked.span(), asked.number("limit"), asked.matcher_sets(required=True)
        found = await _while_there(request, self._query.series(sets, start, end, limit))
        return await self._listed(request, [dict(labels) for labels in found], limit)

    async def _labels(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        (start, end), limit, sets = asked.span(), asked.number("limit"), asked.matcher_sets()
        return await self._listed(request, await _while_there(request, self._query.label_names(sets, start, end, limit)), limit)

    async def _label_values(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        name = label_name(request.match_info["name"])
        (start, end), limit, sets = asked.span(), asked.number("limit"), asked.matcher_sets()
        work = self._query.label_values(name, sets, start, end, limit)
        return await self._listed(request, await _while_there(request, work), limit)

    async def _listed(self, request: web.Request, found: list[Any], limit: int) -> web.StreamResponse:
        most = limit or self._query.limits.max_series - 1
        if len(found) <= most:
            return await succeeded(request, found)
        return await succeeded(request, found[:most], (_TRUNCATED,))

    async def _metadata(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, status_json.wanted_metadata(await self._query.metadata(), asked))

    # ------------------------------------------------------------ what the collector tells of itself

    async def _targets(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        active, dropped = self._info.targets(), self._info.dropped_targets()
        return await succeeded(request, status_json.targets(active, dropped, asked))

    async def _targets_metadata(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        metric, limit, chosen = asked.text("metric"), asked.number("limit", -1), asked.matcher_sets(name="match_target")
        known = await self._query.metadata()
        now = self._now()
        found: list[dict[str, Any]] = []
        for target in self._info.targets():
            if chosen and not all(matcher.test(target.labels.get(matcher.name, "")) for matcher in chosen[0]):
                continue
            own = [Matcher(name, "=", target.labels.get(name, "")) for name in ("job", "instance")]
            names = await self._query.label_values(NAME_TAG, [own], now - self._query.limits.lookback, now)
            for name in [metric] if metric in names else [] if metric else names:
                if name in known and (limit < 0 or len(found) < limit):
                    entry = {"type": known[name].type, "help": known[name].help, "unit": known[name].unit}
                    found.append({"target": dict(target.labels), **({} if metric else {"metric": name}), **entry})
        if not found:
            raise NotFoundError("specified metadata not found")
        return await succeeded(request, found)

    async def _rules(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, status_json.rules(self._info.rule_groups(), asked))

    async def _alerts(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, {"alerts": [status_json.alert(each) for each in self._info.alerts()]})

    async def _alertmanagers(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        told = [{"url": url} for url in self._info.alertmanagers()]
        return await succeeded(request, {"activeAlertmanagers": told, "droppedAlertmanagers": []})

    async def _buildinfo(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, status_json.buildinfo(self._info))

    async def _runtimeinfo(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, status_json.runtimeinfo(self._info, self._clock()))

    async def _flags(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, dict(self._info.flags()))

    async def _config(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        return await succeeded(request, {"yaml": self._info.config()})

    async def _tsdb(self, request: web.Request, asked: Parameters) -> web.StreamResponse:
        limit = asked.number("limit", 10)
        if not 0 < limit <= 10_000:
            raise invalid("limit", "limit must be a positive number" if not limit else "limit must not exceed 10000")
        return await succeeded(request, status_json.tsdb(self._info.tsdb(), limit))

    # ------------------------------------------------------------ round every request

    def _handled(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def read(request: web.Request) -> web.StreamResponse:
            return await handler(request, await _parameters(request))

        return self._guarded(read)

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if not self._origins.admits_request(request):
                return failure("bad_data", "a page of this origin may not ask; list it under `origins`", 403)
            try:
                return await handler(request)
            except QueryError as error:
                return failed(error)
            except (web.HTTPException, ConnectionError):
                raise
            except Exception:
                log.exception("a request for %s failed", request.path)
                return failure("internal", "an error inside the collector; its log says more")

        return handle

    def _now(self) -> int:
        return int(self._clock() * 1000)


async def _parameters(request: web.Request) -> Parameters:
    """The form's fields, then the query string's. Raises `BadDataError`; 413 for a body that is too long."""
    pairs: list[tuple[str, str]] = []
    try:
        if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
            body = (await request.read()).decode("utf-8")
            pairs += parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
        pairs += parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise BadDataError(f"error parsing form values: {error}") from None
    return Parameters(pairs)


async def _while_there(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; it is cancelled when the client goes away meanwhile, as nobody would read the answer."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait((task,), timeout=_LOOK))[0]:
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("the client went away")
        return task.result()
    finally:
        task.cancel()


async def _named(work: Awaitable[T]) -> T:
    """Errors of the query's text name the parameter it came in."""
    try:
        return await work
    except ParseError as error:
        raise invalid("query", error) from None


def _checked(query: str) -> str:
    try:
        parse(query)
    except ParseError as error:
        raise invalid("query", error) from None
    return query


def _cut(answer: Answer, limit: int) -> tuple[Answer, bool]:
    """The first series of an answer, and whether there are more."""
    matrix = answer.matrix
    if matrix is None:
        return replace(answer, raw=answer.raw[:limit]), len(answer.raw) > limit
    if answer.kind not in ("vector", "matrix") or len(matrix.labels) <= limit:
        return answer, False
    cells = matrix.histograms[:limit] if matrix.histograms is not None else None
    kept = Matrix(matrix.labels[:limit], matrix.times, matrix.values[:limit], matrix.present[:limit], cells)
    return replace(answer, matrix=kept), True
