"""Receivers over HTTP: a notice becomes a letter, signed where a key is set, and is posted."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collector.actions import bodies, chats, words
from collector.actions.posting import Letter, Post
from monitor.alerting.notice import Notice

SIGNATURE = "X-Lightship-Signature"
JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"

Making = Callable[[Notice], tuple[bytes, str]]
"""Body and its type."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Implements `Receiver`."""

    post: Post
    url: str
    make: Making
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    clock: Callable[[], float] = time.time

    async def tell(self, notice: Notice) -> str | None:
        """See `Receiver`."""
        body, content_type = self.make(notice)
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Lightship",
            **self.headers,
            "Idempotency-Key": header_safe(notice.key),
        }
        if self.secret:
            headers[SIGNATURE] = signature(self.secret, round(self.clock()), body)
        await self.post.send(Letter(self.url, body, headers))
        return None

    async def close(self) -> None:
        """See `Receiver`."""
        await self.post.close()


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 with the secret over "<seconds>." and the body: no old one passes for new."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def header_safe(text: str) -> str:
    """As it may stand in a header: ASCII that can be seen; of what else there is, a digest, so that it stays unique."""
    if text.isascii() and text.isprintable() and len(text) <= 255:
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def native_body(notice: Notice) -> tuple[bytes, str]:
    """Our own form."""
    return within(notice, lambda told: bodies.encoded(bodies.native(told)), bodies.MAX_BODY), JSON_TYPE


def alertmanager_body(notice: Notice) -> tuple[bytes, str]:
    """What Alertmanager posts."""
    return within(notice, lambda told: bodies.encoded(bodies.alertmanager_webhook(told)), bodies.MAX_BODY), JSON_TYPE


def alerts_body(lasting: float) -> Making:
    """What Alertmanager takes."""

    def make(notice: Notice) -> tuple[bytes, str]:
        return bodies.encoded(bodies.alertmanager_alerts(notice, lasting)), JSON_TYPE

    return make


def templated(template: str) -> Making:
    """The template filled in: as JSON where it looks like some, else as plain text."""
    as_json = looks_like_json(template)

    def make(notice: Notice) -> tuple[bytes, str]:
        said = words.filled(template, notice, words.in_json if as_json else str)
        return said.encode("utf-8", "replace"), JSON_TYPE if as_json else TEXT_TYPE

    return make


def chat(form: Callable[[Notice, str], object], template: str, most: int) -> Making:
    """A service for people: its form, with the filled template in place of the usual text. `most`: bytes it takes."""

    def make(notice: Notice) -> tuple[bytes, str]:
        said = words.filled(template, notice) if template else ""
        return within(notice, lambda told: bodies.encoded(form(told, said)), most), JSON_TYPE

    return make


def slack_body(template: str) -> Making:
    """A Slack hook."""
    return chat(chats.slack, template, 100_000)


def teams_body(template: str) -> Making:
    """A Teams workflow."""
    return chat(chats.teams, template, 27_000)


def discord_body(template: str) -> Making:
    """A Discord webhook."""
    return chat(chats.discord, template, 100_000)


def pagerduty_body(routing_key: str, template: str) -> Making:
    """PagerDuty's Events v2."""
    return chat(lambda notice, said: chats.pagerduty(notice, routing_key, said), template, 500_000)


def ntfy_body(topic: str, template: str) -> Making:
    """ntfy."""
    return chat(lambda notice, said: chats.ntfy(notice, topic, said), template, 100_000)


def looks_like_json(template: str) -> bool:
    """Whether a template is of JSON: it begins as an object or a list, and not with a placeholder."""
    begun = template.lstrip()
    return begun.startswith("[") or (begun.startswith("{") and begun[1:].lstrip()[:1] in ('"', "}"))


def within(notice: Notice, encode: Callable[[Notice], bytes], most: int) -> bytes:
    """The body with as many alerts as fit into `most` bytes; one is always there, cut by the form itself."""
    body, kept = encode(notice), len(notice.alerts)
    while len(body) > most and kept > 1:
        kept = max(1, min(kept - 1, kept * most // len(body)))
        body = encode(bodies.fewer(notice, kept))
    return body
