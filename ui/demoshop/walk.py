"""One request on its way through the services: what takes time, what asks whom, what fails, as spans and logs."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ui.demoshop.happened import CLIENT, SERVER, Attributes, Log, Span, Value
from ui.demoshop.incidents import Conditions
from ui.demoshop.services import SERVICES, slowdown

MILLISECOND = 1_000_000


class FailedError(Exception):
    """A piece of work that did not succeed: the message says why, `status` is the HTTP status that is answered."""

    def __init__(self, message: str, status: int = 500, raised: str = "") -> None:
        super().__init__(message)
        self.status, self.raised = status, raised


class Walk:
    """Begins at `now` (nanoseconds since the epoch). `spans` and `logs` fill in the order in which things begin."""

    def __init__(self, chance: random.Random, now: int, conditions: Conditions) -> None:
        self.chance, self.now, self.conditions = chance, now, conditions
        self.trace = chance.getrandbits(128) | 1
        self.spans: list[Span] = []
        self.logs: list[Log] = []
        self._above: list[Span] = []

    @property
    def here(self) -> Span:
        """The span that is being worked on."""
        return self._above[-1]

    @contextmanager
    def span(self, service: str, name: str, kind: int, attributes: Attributes | None = None) -> Iterator[Span]:
        """What happens within is its; a `FailedError` marks it and goes on upwards."""
        parent = self._above[-1].span if self._above else 0
        version = self.conditions.releases.get(service, SERVICES[service].version)
        one = Span(
            self.trace,
            self.chance.getrandbits(63) | 1,
            parent,
            service,
            name,
            kind,
            self.now,
            attributes=attributes or {},
            version=version,
        )
        self.spans.append(one)
        self._above.append(one)
        try:
            yield one
        except FailedError as failure:
            one.error = one.error or str(failure)
            one.raised, failure.raised = failure.raised, ""  # the exception is told where it began, and only there
            raise
        finally:
            one.end = self.now
            self._above.pop()

    def spend(self, milliseconds: float, spread: float = 0.3, service: str = "") -> None:
        """So much time by the median, log-normal; `service` makes it longer under its load."""
        busy = slowdown(service, self.conditions.load) if service else 1.0
        self.now += int(self.chance.lognormvariate(math.log(milliseconds * busy), spread) * MILLISECOND)

    @contextmanager
    def served(self, service: str, method: str, route: str, attributes: Attributes | None = None) -> Iterator[Span]:
        """A server span of a request that somebody sent. Within it a `FailedError` becomes the status that is answered."""
        told: Attributes = {"http.request.method": method, "http.route": route, "url.scheme": "http", **(attributes or {})}
        with self.span(service, f"{method} {route}", SERVER, told) as one:
            one.attributes["http.response.status_code"] = 200
            try:
                yield one
            except FailedError as failure:
                one.attributes["http.response.status_code"] = failure.status
                raise

    @contextmanager
    def asked(self, caller: str, service: str, method: str, route: str) -> Iterator[Span]:
        """A request from one service to another: the caller's span and, within it, the other's."""
        told: Attributes = {
            "http.request.method": method,
            "server.address": service,
            "peer.service": service,
            "http.route": route,
        }
        with self.span(caller, f"{method} {service}", CLIENT, told) as outside:
            self.spend(0.4)
            try:
                with self.served(service, method, route) as inside:
                    yield inside
            except FailedError as failure:
                outside.attributes["http.response.status_code"] = failure.status
                raise FailedError(f"{service} answered {failure.status}: {failure}"[:200], 502) from None
            outside.attributes["http.response.status_code"] = 200
            self.spend(0.4)

    def stored(self, service: str, system: str, database: str, statement: str, milliseconds: float, spread: float = 0.35) -> Span:
        """A question to a database; returns its span."""
        words = statement.split()
        table = words[-1] if len(words) > 1 else database
        told: Attributes = {
            "db.system.name": system,
            "db.namespace": database,
            "db.operation.name": words[0],
            "db.query.text": statement,
        }
        with self.span(service, f"{words[0]} {table}", CLIENT, told) as one:
            self.spend(milliseconds, spread)
        return one

    def follow(self, cause: Span, work: Callable[[Walk], None]) -> None:
        """Work that another span gave rise to, at `now`, after that span ended."""
        self._above.append(cause)
        try:
            work(self)
        finally:
            self._above.pop()

    def log(self, severity: int, service: str, body: str, **attributes: Value) -> None:
        """A record at this moment, of the span that is being worked on."""
        span = self._above[-1].span if self._above else 0
        if SERVICES[service].json_logs:
            line = {"msg": body, "trace_id": f"{self.trace:032x}", "span_id": f"{span:016x}", **attributes}
            self.logs.append(Log(self.now, severity, service, json.dumps(line), self.trace, span, {}, trace_in_text=True))
        else:
            self.logs.append(Log(self.now, severity, service, body, self.trace, span, attributes))
