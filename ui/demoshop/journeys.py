"""What customers do: each function is one request to the edge, walked through the services behind it."""

from __future__ import annotations

from collections.abc import Callable

from ui.demoshop.happened import CLIENT, DEBUG, ERROR, INFO, INTERNAL, WARN, Attributes
from ui.demoshop.ordering import check_out
from ui.demoshop.walk import FailedError, Walk

CUSTOMERS = 900
_BROWSERS = ("Firefox/146.0", "Chrome/143.0", "Safari/26.1", "ShopApp/8.3 (Android)", "ShopApp/8.2 (iOS)")


def walked(walk: Walk) -> None:
    """One customer's request, drawn from what customers do."""
    shares = [journey[0] for journey in JOURNEYS]
    (_, method, route, behind), *_ = walk.chance.choices(JOURNEYS, shares)
    _through_the_edge(walk, method, route, behind)


def _through_the_edge(walk: Walk, method: str, route: str, behind: Callable[[Walk], None]) -> None:
    chance = walk.chance
    customer = f"c{chance.randrange(CUSTOMERS):04d}"
    told = {
        "client.address": f"198.51.100.{chance.randrange(1, 255)}",
        "enduser.id": customer,
        "user_agent.original": chance.choice(_BROWSERS),
    }
    try:
        with walk.served("edge", method, route, {**told}) as root:
            walk.spend(0.9, service="edge")
            if walk.conditions.load > 2.0 and chance.random() < 0.06:
                walk.log(WARN, "edge", "upstream queue is full: request turned away", route=route)
                raise FailedError("upstream queue is full", 503)
            try:
                with walk.asked("edge", "web", method, route):
                    walk.spend(2.5, service="web")
                    behind(walk)
                    walk.spend(4, service="web")  # the page is put together
            finally:
                walk.spend(0.6)
    except FailedError:
        pass
    status = root.attributes["http.response.status_code"]
    took = (root.end - root.start) / 1e6
    severity = ERROR if root.error else INFO
    walk.log(severity, "edge", f'"{method} {route} HTTP/2" {status} {took:.0f} ms', route=route, status=status)


def _product(walk: Walk) -> None:
    with walk.asked("web", "catalog", "GET", "/products/{id}"):
        _from_cache(walk, "catalog", "SELECT * FROM products")
        walk.spend(2.2, service="catalog")
    with walk.asked("web", "inventory", "GET", "/stock/{sku}"):
        walk.stored("inventory", "postgresql", "inventory", "SELECT level FROM stock", 1.8)
        walk.spend(1.5, service="inventory")
    _recommended(walk)


def _home(walk: Walk) -> None:
    with walk.asked("web", "catalog", "GET", "/front"):
        _from_cache(walk, "catalog", "SELECT * FROM campaigns")
        walk.spend(2.0, service="catalog")
    _recommended(walk)


def _search(walk: Walk) -> None:
    with walk.asked("web", "search", "GET", "/search"):
        begun = latest = walk.now
        for shard in range(3):  # asked at once; the slowest is waited for
            walk.now = begun
            told: Attributes = {
                "db.system.name": "opensearch",
                "db.namespace": "products",
                "db.operation.name": "search",
                "shard": shard,
            }
            with walk.span("search", "search products", CLIENT, told):
                walk.spend(9, 0.45, service="search")
            latest = max(latest, walk.now)
        walk.now = latest
        if latest - begun > 60_000_000:
            walk.log(WARN, "search", f"slow shard: {(latest - begun) / 1e6:.0f} ms", index="products")
        if latest - begun > 600_000_000:
            raise FailedError("search: no answer from all shards in time", 504, "ShardTimeout")
        with walk.span("search", "rank results", INTERNAL, {"results": walk.chance.randrange(3, 120)}):
            walk.spend(5, service="search")


def _cart(walk: Walk) -> None:
    with walk.asked("web", "cart", "POST", "/cart/items"):
        walk.stored("cart", "redis", "carts", "HGETALL", 0.5)
        with walk.asked("cart", "catalog", "GET", "/prices/{sku}"):
            _from_cache(walk, "catalog", "SELECT amount FROM prices")
        walk.stored("cart", "redis", "carts", "HSET", 0.5)
        walk.spend(1.2, service="cart")
    if walk.chance.random() < 0.15:
        walk.log(INFO, "cart", "voucher applied", voucher="WELCOME10")


def _sign_in(walk: Walk) -> None:
    with walk.asked("web", "users", "POST", "/sessions"):
        walk.stored("users", "postgresql", "users", "SELECT * FROM accounts", 2.2)
        with walk.span("users", "verify password", INTERNAL):
            walk.spend(42, 0.12, service="users")
        if walk.chance.random() < 0.04:
            walk.log(WARN, "users", "wrong password", account=f"c{walk.chance.randrange(CUSTOMERS):04d}")
            walk.here.attributes["http.response.status_code"] = 401
            return
        walk.stored("users", "redis", "sessions", "SETEX", 0.4)
        walk.log(INFO, "users", "signed in")


def _from_cache(walk: Walk, service: str, statement: str) -> None:
    """A look into the cache, and behind it where it has nothing."""
    found = walk.chance.random() < 0.88
    walk.stored(service, "redis", service, "GET", 0.45).attributes["cache.hit"] = found
    if not found:
        walk.log(DEBUG, service, "cache miss", cache=service)
        walk.stored(service, "postgresql", service, statement, 4.5)


def _recommended(walk: Walk) -> None:
    """What else might be liked. The page does without where nobody answers."""
    try:
        with walk.asked("web", "recommendations", "GET", "/recommendations"):
            conditions = walk.conditions
            if conditions.restarting:
                raise FailedError("no worker is ready", 503, "WorkerNotReady")
            walk.stored("recommendations", "redis", "features", "MGET", 0.8)
            with walk.span("recommendations", "score", INTERNAL, {"model": "shop-rank"}):
                walk.spend(11 * (1 + 14 * conditions.leak**4), service="recommendations")
            if conditions.leak > 0.75 and walk.chance.random() < 0.2:
                walk.log(
                    WARN, "recommendations", f"garbage collection took {1200 * conditions.leak**4:.0f} ms: memory is nearly full"
                )
    except FailedError:
        walk.log(WARN, "web", "page without recommendations: recommendations does not answer")


JOURNEYS: tuple[tuple[float, str, str, Callable[[Walk], None]], ...] = (
    (0.32, "GET", "/products/{id}", _product),
    (0.24, "GET", "/search", _search),
    (0.13, "GET", "/", _home),
    (0.13, "POST", "/cart/items", _cart),
    (0.07, "POST", "/sessions", _sign_in),
    (0.11, "POST", "/checkout", check_out),
)
"""Share of the requests, method, route, and what happens behind the web service."""
