"""The routes of Alertmanager's HTTP API, version 2.

Sources: Alertmanager, api/v2/openapi.yaml and api/v2/api.go. It differs where that helps: a silence that matches everything is
refused, `DELETE` of one that has ended does nothing, and ids of silences are understood in the form they have here too.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from collector.rules.received import ReceivedAlerts, ReceivedError, received
from collector.server.alertmanager.config import config_yaml
from collector.server.alertmanager.filters import FilterError, read_filters, read_receiver
from collector.server.alertmanager.moments import moment_text
from collector.server.alertmanager.names import SENDER_HEADER, silence_name, silence_uuid
from collector.server.alertmanager.reading import PostedError, read_alerts, read_silence
from collector.server.alertmanager.shapes import Wanted, alerts_json, groups_json, silence_json, silences_json
from collector.server.alertmanager.standing import NoSilenceError, NotStoredError, Standing
from collector.server.bodies import BodyError, read_body
from collector.server.origins import Origins
from monitor.alerting.outcome import CommandError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREFIXES = ("/api/v2", "/alertmanager/api/v2")
MOST_BYTES = 16 << 20
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_METHODS = {"silence/{id}": "GET, DELETE", "silences": "GET, POST", "alerts": "GET, POST"}
_WORTH_COMPRESSING = 1400
"""Bytes: less than that fits one packet anyway."""
_TRUE = ("1", "t", "true", "yes", "y", "on", "ok", "enabled")
_encode = msgspec.json.Encoder().encode


class AlertmanagerApi:
    """`routes()` are added to the HTTP side. `version`: of this program; `started`: seconds since the epoch; `instance`: by which
    it knows what it has posted itself.
    """

    def __init__(
        self,
        standing: Standing,
        taken: ReceivedAlerts,
        origins: Origins,
        version: str,
        started: float,
        instance: str,
    ) -> None:
        self._standing = standing
        self._received = taken
        self._origins = origins
        self._version, self._started = version, started
        self._instance = instance
        self._requests = self._refused = 0

    def routes(self) -> list[web.RouteDef]:
        """All routes, under each of `PREFIXES`."""
        gets: dict[str, Handler] = {
            "status": self._status,
            "receivers": self._receivers,
            "alerts": self._alerts,
            "alerts/groups": self._groups,
            "silences": self._silences,
            "silence/{id}": self._silence,
        }
        found: list[web.RouteDef] = []
        for prefix in PREFIXES:
            found += [web.get(f"{prefix}/{path}", self._handled(handler)) for path, handler in gets.items()]
            found += [
                web.post(f"{prefix}/alerts", self._handled(self._post_alerts)),
                web.post(f"{prefix}/silences", self._handled(self._post_silence)),
                web.delete(f"{prefix}/silence/{{id}}", self._handled(self._delete_silence)),
            ]
            found += [web.options(f"{prefix}/{path}", self._preflight(_METHODS.get(path, "GET"))) for path in gets]
        return found

    def figures(self) -> dict[str, float]:
        """For health."""
        return {"alertmanager_requests_total": self._requests, "alertmanager_refused_total": self._refused}

    # ------------------------------------------------------------ what there is

    async def _status(self, request: web.Request) -> web.StreamResponse:
        standing = self._standing
        routing = standing.desk.routing
        original = await asyncio.to_thread(
            config_yaml, standing.root, routing.inhibitions, tuple(routing.times), standing.receivers()
        )
        shown = {
            "cluster": {"peers": [], "status": "disabled"},
            "config": {"original": original},
            "uptime": moment_text(self._started),
            "versionInfo": {
                "branch": "",
                "buildDate": "",
                "buildUser": "",
                "goVersion": "",
                "revision": "lightship",
                "version": self._version,
            },
        }
        return await _answered(request, shown)

    async def _receivers(self, request: web.Request) -> web.StreamResponse:
        return await _answered(request, [{"name": name} for name in self._standing.receivers()])

    async def _alerts(self, request: web.Request) -> web.StreamResponse:
        return await _answered(request, await alerts_json(self._standing, _wanted(request)))

    async def _groups(self, request: web.Request) -> web.StreamResponse:
        return await _answered(request, await groups_json(self._standing, _wanted(request)))

    async def _silences(self, request: web.Request) -> web.StreamResponse:
        matchers = read_filters(request.query.getall("filter", ()))
        return await _answered(request, silences_json(self._standing, matchers))

    async def _silence(self, request: web.Request) -> web.StreamResponse:
        silence = self._standing.silences.get(silence_name(request.match_info["id"]))
        if silence is None:
            self._refused += 1
            return web.Response(status=404, headers=_HEADERS)  # without a word, as there
        return await _answered(request, silence_json(silence, self._standing.clock()))

    # ------------------------------------------------------------ what is posted

    async def _post_alerts(self, request: web.Request) -> web.StreamResponse:
        sender = request.headers.get(SENDER_HEADER, "")
        if sender == self._instance:
            return _refusal(400, "these are alerts of this collector itself: take its own address out of `alertmanagers`")
        posted = read_alerts(await _body(request))
        now, problems, full = self._standing.clock(), [], False
        for number, each in enumerate(posted):
            if number % 500 == 499:
                await asyncio.sleep(0)
            try:
                alert, cut = received(
                    each.labels, each.annotations, each.starts, each.ends, each.generator, now, relayed=bool(sender)
                )
            except ReceivedError as error:
                self._received.refuse()
                problems.append(str(error))
                continue
            try:
                self._received.put(alert, cut)
            except ReceivedError as error:
                problems.append(str(error))
                full = True
        if problems:
            return self._refuse(503 if full else 400, "; ".join(dict.fromkeys(problems))[:1000])
        return web.Response(headers=_HEADERS)

    async def _post_silence(self, request: web.Request) -> web.StreamResponse:
        wanted = read_silence(await _body(request))
        if wanted.starts >= wanted.ends:
            return self._refuse(400, "Failed to create silence: start time must be before end time")
        if wanted.ends < self._standing.clock():
            return self._refuse(400, "Failed to create silence: end time can't be in the past")
        return await _answered(request, {"silenceID": silence_uuid(self._standing.set_silence(wanted))})

    async def _delete_silence(self, request: web.Request) -> web.StreamResponse:
        self._standing.expire_silence(silence_name(request.match_info["id"]), "Alertmanager API")
        return web.Response(headers=_HEADERS)

    # ------------------------------------------------------------ around all of them

    def _handled(self, handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def handle(request: web.Request) -> web.StreamResponse:
            self._requests += 1
            if not self._origins.admits_request(request):
                self._origins.refused += 1
                why = "A page of this origin may not ask here; list the origin under `origins` in the settings."
                return self._refuse(403, why)
            try:
                answer = await handler(request)
            except PostedError as error:
                answer = self._refuse(error.status, {"code": error.code, "message": str(error)})
            except BodyError as error:
                answer = self._refuse(error.status, {"code": error.status, "message": str(error)})
            except NoSilenceError:
                answer = self._refuse(404, "silence not found")
            except NotStoredError as error:
                answer = self._refuse(500, str(error))
            except (CommandError, FilterError) as error:
                answer = self._refuse(400, str(error))
            answer.headers.extend(_cors(request))
            return answer

        return handle

    def _preflight(self, methods: str) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if not self._origins.admits(request.headers.get("Origin"), request.headers.get("Host")):
                self._origins.refused += 1
                return web.Response(status=403)
            allowed = {"Access-Control-Allow-Methods": methods, "Access-Control-Allow-Headers": "Content-Type"}
            return web.Response(headers=_cors(request) | allowed)

        return answer

    def _refuse(self, status: int, why: Any) -> web.Response:
        self._refused += 1
        return _refusal(status, why)


def _cors(request: web.Request) -> dict[str, str]:
    """For a page that was admitted: its browser may show it the answer."""
    origin = request.headers.get("Origin")
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}


def _refusal(status: int, why: Any) -> web.Response:
    return web.Response(body=_encode(why), status=status, content_type="application/json", headers=_HEADERS)


async def _answered(request: web.Request, shown: Any) -> web.StreamResponse:
    packs = "gzip" in request.headers.get("Accept-Encoding", "").lower()
    body, packed = await asyncio.to_thread(_written, shown, packs)
    encoding = {"Content-Encoding": "gzip"} if packed else {}
    return web.Response(body=body, content_type="application/json", headers=_HEADERS | encoding)


def _written(shown: Any, packs: bool) -> tuple[bytes, bool]:
    body = _encode(shown)
    return (gzip.compress(body, 1), True) if packs and len(body) >= _WORTH_COMPRESSING else (body, False)


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        why = f'unsupported media type "{request.content_type[:60]}", only [application/json] are allowed'
        raise PostedError(415, 415, why)
    return await read_body(request, MOST_BYTES)


def _wanted(request: web.Request) -> Wanted:
    query = request.query
    pattern = read_receiver(query.get("receiver"))
    return Wanted(
        read_filters(query.getall("filter", ())),
        active=_flag(query, "active"),
        silenced=_flag(query, "silenced"),
        inhibited=_flag(query, "inhibited"),
        muted=_flag(query, "muted"),
        receiver=lambda name: pattern is None or pattern.fullmatch(name) is not None,
    )


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "")
    return not text or text.lower() in _TRUE
