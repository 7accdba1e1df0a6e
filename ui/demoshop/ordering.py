"""Buying: cart, account, stock, the order and its payment, and what a queue does with the order afterwards."""

from __future__ import annotations

from ui.demoshop.happened import CLIENT, CONSUMER, ERROR, INFO, PRODUCER, WARN, Attributes
from ui.demoshop.services import MAIL_RELAY, PROVIDER, TOPIC
from ui.demoshop.walk import FailedError, Walk

STATEMENT_TIMEOUT_MS = 2500.0
PROVIDER_TIMEOUT_MS = 3000.0
SCAN_MS = 900.0
"""What the statement without its index takes at the worst, by the median."""


def check_out(walk: Walk) -> None:
    """A customer buys. The order is published at the end; `delivered` is what becomes of it."""
    with walk.asked("web", "checkout", "POST", "/checkout"):
        walk.spend(2, service="checkout")
        with walk.asked("checkout", "cart", "GET", "/cart"):
            walk.stored("cart", "redis", "carts", "HGETALL", 0.5)
            walk.spend(0.8, service="cart")
        with walk.asked("checkout", "users", "GET", "/accounts/{id}"):
            walk.stored("users", "postgresql", "users", "SELECT * FROM accounts", 2.0)
            walk.spend(1, service="users")
        value = round(walk.chance.lognormvariate(3.7, 0.6), 2)
        number = f"{walk.chance.randrange(10_000, 99_999)}"
        try:
            with walk.asked("checkout", "orders", "POST", "/orders"):
                _place(walk, number)
            with walk.asked("checkout", "payments", "POST", "/charges"):
                _charge(walk, value)
            _publish(walk, number)
        except FailedError as failure:
            walk.log(ERROR, "checkout", f"order {number} could not be completed: {failure}", order_id=number)
            raise
        walk.here.attributes["shop.order.value"] = value
        walk.log(INFO, "checkout", f"order {number} completed", order_id=number, value=value)


def _place(walk: Walk, number: str) -> None:
    with walk.asked("orders", "inventory", "POST", "/reservations"):
        walk.stored("inventory", "postgresql", "inventory", "UPDATE stock", 2.5)
        walk.spend(1.5, service="inventory")
    if walk.chance.random() < 0.012:
        raise FailedError("a line of the order is out of stock", 409, "OutOfStock")
    _history(walk)
    walk.stored("orders", "postgresql", "orders", "INSERT INTO orders", 3.2)
    walk.spend(3, service="orders")
    walk.log(INFO, "orders", f"order {number} written", order_id=number)


def _history(walk: Walk) -> None:
    """The customer's earlier orders: by an index, or without it over the whole table."""
    ill = walk.conditions.database
    told: Attributes = {"db.system.name": "postgresql", "db.namespace": "orders", "db.operation.name": "SELECT"}
    told["db.query.text"] = "SELECT * FROM order_history WHERE customer = $1 ORDER BY placed_at DESC"
    with walk.span("orders", "SELECT order_history", CLIENT, told) as one:
        began = walk.now
        walk.spend(2.8 * (SCAN_MS / 2.8) ** ill, 0.35 + 0.35 * ill)
        took = (walk.now - began) / 1e6
        if took > STATEMENT_TIMEOUT_MS:
            walk.now = one.start + int(STATEMENT_TIMEOUT_MS * 1e6)
            walk.log(ERROR, "orders", f"canceling statement due to statement timeout after {STATEMENT_TIMEOUT_MS:.0f} ms")
            raise FailedError("canceling statement due to statement timeout", 504, "QueryCanceled")
        if took > 400:
            walk.log(WARN, "orders", f"slow statement: {took:.0f} ms, sequential scan on order_history", rows=1_840_112)


def _charge(walk: Walk, value: float) -> None:
    """Asks the provider, twice where it fails at once."""
    walk.spend(2, service="payments")
    for attempt in (1, 2):
        try:
            _provider(walk, attempt)
        except FailedError as failure:
            walk.log(WARN, "payments", f"attempt {attempt} at {PROVIDER} failed: {failure}", attempt=attempt)
            if attempt == 2 or failure.status == 504:
                walk.log(ERROR, "payments", "card could not be charged", provider=PROVIDER)
                raise FailedError(f"{PROVIDER}: {failure}", 502) from None
            walk.spend(60)
        else:
            break
    walk.stored("payments", "postgresql", "payments", "INSERT INTO charges", 2.6)
    walk.log(INFO, "payments", "card charged", amount=value, currency="EUR")


def _provider(walk: Walk, attempt: int) -> None:
    ill = walk.conditions.provider
    told: Attributes = {"http.request.method": "POST", "server.address": PROVIDER, "url.path": "/v1/charges", "attempt": attempt}
    with walk.span("payments", f"POST {PROVIDER}", CLIENT, told) as one:
        drawn = walk.chance.random()
        if drawn < 0.18 * ill:
            walk.now += int(PROVIDER_TIMEOUT_MS * 1e6)
            raise FailedError("no answer within 3 s", 504, "ReadTimeout")
        walk.spend(95 * (1 + 4 * ill), 0.4)
        failed = drawn < 0.004 + 0.6 * ill
        one.attributes["http.response.status_code"] = 503 if failed else 201
        if failed:
            raise FailedError("503 Service Unavailable", 503, "ProviderError")


def _publish(walk: Walk, number: str) -> None:
    told = {"messaging.system": "kafka", "messaging.destination.name": TOPIC, "messaging.operation.type": "send"}
    with walk.span("checkout", f"{TOPIC} publish", PRODUCER, {**told}):
        walk.spend(1.6)
    walk.log(INFO, "checkout", f"order {number} published", topic=TOPIC, order_id=number)


def delivered(walk: Walk) -> None:
    """The mail to the customer, by whoever took the order from the queue."""
    told = {"messaging.system": "kafka", "messaging.destination.name": TOPIC, "messaging.operation.type": "process"}
    with walk.span("mailer", f"{TOPIC} process", CONSUMER, {**told}):
        with walk.span("mailer", "render mail", 1, {"template": "order-confirmation"}):
            walk.spend(22)
        with walk.span("mailer", "SMTP DATA", CLIENT, {"server.address": MAIL_RELAY, "network.protocol.name": "smtp"}):
            walk.spend(430, 0.3)
        walk.log(INFO, "mailer", "confirmation sent", relay=MAIL_RELAY)


def shipped(walk: Walk) -> None:
    """The parcel: inventory takes the order from the queue too."""
    told = {"messaging.system": "kafka", "messaging.destination.name": TOPIC, "messaging.operation.type": "process"}
    with walk.span("inventory", f"{TOPIC} process", CONSUMER, {**told}):
        walk.stored("inventory", "postgresql", "inventory", "UPDATE reservations", 3.0)
        walk.spend(4, service="inventory")
