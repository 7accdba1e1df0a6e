"""Requests of the demonstration's shop: their spans and logs, made from a number and the same each time."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable

from monitor.wire import messages as m
from monitor.wire.tracing import SpanEvent

PACE = 0.9
"""Seconds between two requests that are kept."""
INCIDENT = 1_791_986_620.0
"""When order_lines began to be locked: 14:03:40 of the demonstration's day."""
_ODD = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_BACK = pow(_ODD, -1, 1 << 64)
_VERSIONS = {"orders": "2.31.0", "catalog": "5.0.3", "edge": "1.9.2"}
_LEVELS = {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR"}
Attributes = dict[str, str]


def trace_of(number: int) -> str:
    """The id of a request; `number_of` leads back."""
    return f"{(number * 0xBF58476D1CE4E5B9 + 77) & _MASK:016x}{number * _ODD & _MASK:016x}"


def number_of(trace: str) -> int:
    """The number of a trace's request, -1 for what is none."""
    try:
        number = int(trace[-16:], 16) * _BACK & _MASK
    except ValueError:
        return -1
    return number if number < 1 << 40 and trace_of(number).endswith(trace.lower()) else -1


class Request:
    """One request of the shop: its spans and logs, and a clock that goes on as calls are made."""

    def __init__(self, number: int) -> None:
        self.number, self.trace = number, trace_of(number)
        self.chance = random.Random(number)
        self.now = self.begin = number * PACE + self.chance.uniform(0.0, 0.6 * PACE)
        self.spans: list[m.SpanInfo] = []
        self.logs: list[m.LogInfo] = []
        self.late: dict[str, float] = {}
        """Seconds by which a service's clock is late."""
        self.above: list[str] = []
        """Ids of the spans that are open, the innermost last."""
        self._count = 0

    def spend(self, milliseconds: float, spread: float = 0.35) -> None:
        """Let time pass, lognormally round so many milliseconds."""
        self.now += milliseconds * self.chance.lognormvariate(0.0, spread) / 1000.0

    def call(
        self,
        service: str,
        operation: str,
        kind: str,
        inside: Callable[[], str | None],
        attributes: Attributes | None = None,
        peer: tuple[str, str] = ("", ""),
        events: tuple[tuple[str, Attributes], ...] = (),
    ) -> str:
        """A span round what happens `inside`, which says why it failed."""
        self._count += 1
        span, parent = f"{(self.number * 977 + self._count * _ODD) & _MASK:016x}", self.above[-1] if self.above else ""
        self.above.append(span)
        start = self.now
        failed = inside() or ""
        self.above.pop()
        skew = self.late.get(service, 0.0)
        shown = start - skew
        told = tuple(SpanEvent(shown + (i + 1) * (self.now - start) / (len(events) + 1), *e) for i, e in enumerate(events))
        if failed and kind == "server":
            error = {"exception.type": "OperationalError" if "lock" in failed else "GatewayError", "exception.message": failed}
            told = (*told, SpanEvent(self.now - skew - 2e-4, "exception", error))
        resource = {"service.name": service, "service.version": _VERSIONS.get(service, "3.4.1"), "host.name": "harbour-1"}
        self.spans.append(
            m.SpanInfo(
                span,
                parent,
                service,
                operation,
                kind,
                "error" if failed else "unset",
                shown,
                self.now - start,
                int(shown * 1e9),
                failed,
                attributes or {},
                resource,
                f"shop.{service}",
                told,
                (),
                *peer,
            )
        )
        return failed

    def log(self, severity: int, service: str, body: str, **attributes: str) -> None:
        """A record of the span that is open."""
        span = self.above[-1] if self.above else ""
        resource = {"service.name": service, "host.name": "harbour-1"}
        where = {name.replace("_", "."): text for name, text in attributes.items()}
        self.logs.append(
            m.LogInfo(self.now, severity, _LEVELS[severity], service, body, self.trace, span, where, resource),
        )

    def query(self, service: str, database: str, statement: str, milliseconds: float, failed: str = "") -> str:
        """A client span to a database."""
        table = statement.rsplit(" ", 1)[-1]
        attributes = {"db.system": "redis" if "redis" in database else "postgresql", "db.statement": statement}

        def inside() -> str:
            self.spend(milliseconds, 0.25)
            return failed

        verb = statement.split(" ", 1)[0]
        return self.call(service, f"{verb} {table}", "client", inside, attributes, (database, "database"))


def _http(method: str, route: str, status: int = 200) -> Attributes:
    return {"http.request.method": method, "http.route": route, "http.response.status_code": str(status)}


class _Checkout:
    """One order: paid, then stored; since the incident its lines wait for a lock, and some give up."""

    def __init__(self, request: Request) -> None:
        self.request, self.chance = request, request.chance
        self.locked = request.begin >= INCIDENT
        self.order = str(8000 + request.number % 2000)
        self.fails = self.chance.random() < (0.18 if self.locked else 0.0008)
        self.wait = 1500.0 * self.chance.uniform(0.6, 1.5) if self.locked else 7.0
        self.why = "canceling statement due to lock timeout" if self.fails else ""
        request.late = {"payments": 0.21} if request.number % 3 == 0 else {}

    def run(self) -> None:
        """The whole request, and the mail that follows when it went well."""
        attributes = _http("POST", "/checkout", 502 if self.fails else 201)
        self.request.call("edge", "POST /checkout", "server", self._front, attributes)
        if not self.fails:
            self._mail()

    def _front(self) -> str | None:
        request, status = self.request, 502 if self.fails else 201
        request.spend(2)
        failed = request.call("checkout", "POST /checkout", "server", self._order_it, _http("POST", "/checkout", status))
        request.spend(1.5)
        request.log(17 if failed else 9, "edge", f'"POST /checkout" {status}', client_address="203.0.113.9")
        return "upstream answered 502" if failed else None

    def _order_it(self) -> str | None:
        request = self.request
        request.spend(4)
        request.call("checkout", "check cart", "internal", lambda: request.spend(3))
        peer, attributes = ("payments", "service"), _http("POST", "/charge")
        request.call("checkout", "POST payments/charge", "client", self._to_payments, attributes, peer)
        again = self.locked and self.chance.random() < 0.3
        retry = (("retry", {"attempt": "2", "reason": "timeout after 1 s"}),) if again else ()
        peer, attributes = ("orders", "service"), _http("POST", "/orders")
        failed = request.call("checkout", "POST orders/orders", "client", self._to_orders, attributes, peer, retry)
        request.spend(3)
        if failed:
            request.log(17, "checkout", f"checkout of order {self.order} failed: orders answered 500", order_id=self.order)
        return f"orders answered 500: {failed}" if failed else None

    def _to_payments(self) -> str | None:
        self.request.spend(1)
        return self.request.call("payments", "POST /charge", "server", self._pay, _http("POST", "/charge"))

    def _pay(self) -> None:
        request = self.request
        request.spend(6)
        peer, attributes = ("card-gateway", "host"), _http("POST", "/v1/charges")
        took = 210 if self.locked else 150
        request.call("payments", "POST /v1/charges", "client", lambda: request.spend(took), attributes, peer)
        request.spend(2)
        request.log(9, "payments", f"charged order {self.order}", order_id=self.order)

    def _to_orders(self) -> str | None:
        self.request.spend(1)
        status = 500 if self.fails else 201
        return self.request.call("orders", "POST /orders", "server", self._store, _http("POST", "/orders", status))

    def _store(self) -> str | None:
        request, order = self.request, self.order
        request.spend(3)
        request.query("orders", "orders-db", "SELECT stock FROM items", 4)
        request.query("orders", "orders-db", "INSERT INTO orders", 5)
        failed = request.query("orders", "orders-db", "UPDATE order_lines", self.wait, self.why)
        if failed:
            request.log(17, "orders", f"order {order} not stored: {failed}", order_id=order, db_system="postgresql")
            return failed
        if self.wait > 500:
            slow = f"slow query: UPDATE order_lines waited {self.wait:.0f} ms for a lock"
            request.log(13, "orders", slow, order_id=order)
        topic = {"messaging.system": "kafka", "messaging.destination.name": "events"}
        request.call("orders", "events publish", "producer", lambda: request.spend(1.2), topic, ("events-kafka", "queue"))
        request.log(9, "orders", f"order {order} stored", order_id=order)
        return None

    def _mail(self) -> None:
        request = self.request
        request.above.append(request.spans[-1].span)
        request.spend(30)
        peer, attributes = ("events-kafka", "queue"), {"messaging.system": "kafka"}
        request.call("mailer", "events process", "consumer", self._send, attributes, peer)
        request.above.pop()

    def _send(self) -> None:
        request = self.request
        request.spend(40)
        request.call("mailer", "smtp send", "client", lambda: request.spend(180), {"server.address": "mail.shop.example"})
        request.log(9, "mailer", f"confirmation of order {self.order} sent", order_id=self.order)


def _page(request: Request, route: str, service: str, inside: Callable[[Request], None]) -> None:
    def served() -> None:
        request.spend(2)
        inside(request)
        request.spend(2)

    def front() -> None:
        request.spend(1.5)
        request.call(service, f"GET {route}", "server", served, _http("GET", route))
        request.spend(1)
        request.log(9, "edge", f'"GET {route}" 200', client_address="198.51.100.7")

    request.call("edge", f"GET {route}", "server", front, _http("GET", route))


def _catalog(request: Request) -> None:
    hit = request.chance.random() < 0.8
    request.query("catalog", "catalog-redis", "GET product", 0.6)
    if not hit:
        request.log(5, "catalog", "cache miss: product")
        request.query("catalog", "catalog-db", "SELECT * FROM products", 5)
    request.call("catalog", "render", "internal", lambda: request.spend(6))


def _search(request: Request) -> None:
    begin = request.now
    latest = begin
    for shard in range(3):  # asked at once, the slowest is waited for
        request.now = begin
        attributes = {"db.system": "opensearch", "shard": str(shard)}
        peer = ("search-index", "database")
        request.call("search", "search products", "client", lambda: request.spend(14, 0.5), attributes, peer)
        latest = max(latest, request.now)
    request.now = latest
    request.call("search", "rank", "internal", lambda: request.spend(9))
    if latest - begin > 0.03:
        request.log(13, "search", f"shard answered after {(latest - begin) * 1000:.0f} ms", shard="2")


def _cart(request: Request) -> None:
    request.query("cart", "cart-redis", "GET cart", 0.5)
    if request.chance.random() < 0.02:
        request.log(13, "cart", "session without a cart: a new one was made")
    request.call("cart", "price lines", "internal", lambda: request.spend(4))


@functools.lru_cache(maxsize=8192)
def made(number: int) -> Request:
    """The request of a number, the same at each call."""
    request = Request(number)
    drawn = request.chance.random()
    if drawn < 0.28:
        _Checkout(request).run()
    elif drawn < 0.62:
        _page(request, "/products/{id}", "catalog", _catalog)
    elif drawn < 0.84:
        _page(request, "/search", "search", _search)
    else:
        _page(request, "/cart", "cart", _cart)
    request.spans.sort(key=lambda span: span.start_ns)
    return request
