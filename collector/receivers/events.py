"""Events over HTTP: `POST /api/v1/events` with {"text": …, "kind": …, "tags": {…}, "at": seconds}, or a list of such."""

from __future__ import annotations

import time

import msgspec
from aiohttp import web

from collector.receivers.accept import Accept
from collector.server.bodies import BodyError, read_body
from monitor.alerting.model import HappeningError, happening

MOST_BYTES = 1 << 20
MOST_AT_ONCE = 1000


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    kind: str = "event"
    who: str = ""
    tags: dict[str, str] = {}
    at: float | None = None


_decoder = msgspec.json.Decoder(_Told | list[_Told])


class EventReceiver:
    """Deploys, changes and incidents that programs tell."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self.taken = self.refused = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api/v1/events", self._post)]

    async def _post(self, request: web.Request) -> web.Response:
        try:
            told = _decoder.decode(await read_body(request, MOST_BYTES))
            many = told if isinstance(told, list) else [told]
            if len(many) > MOST_AT_ONCE:
                raise BodyError(413, f"{len(many)} events in one request, at most {MOST_AT_ONCE} are taken")
            now = time.time()
            events = [happening(now if one.at is None else one.at, one.kind, one.text, one.who, one.tags.items()) for one in many]
        except BodyError as error:
            return self._refuse(error.status, str(error))
        except (msgspec.MsgspecError, HappeningError, UnicodeDecodeError) as error:
            return self._refuse(400, f'{error}. Send JSON such as {{"text": "api 1.4", "kind": "deploy"}}.')
        self._accept.events(events)
        self.taken += len(events)
        return web.json_response({"status": "success", "events": len(events)})

    def _refuse(self, status: int, why: str) -> web.Response:
        self.refused += 1
        return web.json_response({"status": "error", "error": why}, status=status)

    def figures(self) -> dict[str, float]:
        """Health figures by name."""
        return {"events_told_total": self.taken, "events_refused_total": self.refused}
