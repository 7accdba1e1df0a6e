"""Sends what fires to Alertmanagers, as Prometheus does: at once when it changes, then every minute, and its end for a while.

Source: Prometheus, notifier (queue, batches, each Alertmanager by itself) and rules/alerting.go (`sendAlerts`: resend delay, end
four times as far ahead, resolved ones for 15 minutes). What does not get through is tried again, and only its newest state.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from collector.actions.outgoing import Outgoing
from collector.receivers.prometheus.access import Access, AccessError, Client
from collector.receivers.prometheus.target import Policy, ScrapeTarget
from collector.server.alertmanager.moments import moment_text
from collector.server.alertmanager.names import SENDER_HEADER
from collector.storage.remote.sender import client_session
from collector.storage.remote.target import bare, shown

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger("lightship")

MAX_QUEUE = 10_000
"""Alerts that wait for one Alertmanager; beyond it the oldest go, and come again with the next minute's."""
BATCH = 64
RESEND = 60.0
PATIENCE = 10.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
_REFUSAL_SHOWN = 600.0
FIGURES: dict[str, str] = {
    "alertmanager_alerts_sent_total": "Alerts that Alertmanagers took, each time.",
    "alertmanager_alerts_dropped_total": "Alerts that were not sent because too many waited, or were refused for good.",
    "alertmanager_send_failures_total": "Attempts to send to an Alertmanager that failed.",
    "alertmanager_queue": "Alerts that wait for an Alertmanager.",
    "alertmanagers_down": "Alertmanagers that take nothing now.",
}
_encode = msgspec.json.Encoder().encode


class RefusedError(Exception):
    """It understood and refuses; the same again would be refused too."""


@dataclass
class _Peer:
    """One Alertmanager. `queue`: the newest state of each alert that it lacks, oldest first."""

    url: str
    client: Client
    queue: OrderedDict[str, Outgoing] = field(default_factory=OrderedDict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    dropped: int = 0
    failures: int = 0
    trouble: str = ""
    refusal: tuple[str, float] = ("", float("-inf"))

    @property
    def shown(self) -> str:
        return shown(self.url)

    def put(self, alert: Outgoing) -> None:
        self.queue.pop(alert.fingerprint, None)
        self.queue[alert.fingerprint] = alert
        while len(self.queue) > MAX_QUEUE:
            self.queue.popitem(last=False)
            self.dropped += 1
        self.changed.set()


class Alertmanagers:
    """`put` takes what is due, from the event loop; `run` sends it, to each by itself: one that is down holds up no other."""

    def __init__(
        self,
        urls: Sequence[str],
        access: Access,
        interval: float,
        instance: str = "",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        """`urls`: what stands before /api/v2/alerts, with user and password where each has its own. `interval`: seconds between
        judgements; `instance`: by which another Lightship knows its sender. Raises `ValueError` where the settings clash.
        """
        self._ahead = 4 * max(interval, RESEND)
        self._instance = instance
        self._clock = clock
        self._sleep = sleep
        self._peers = [_Peer(url, Client(ScrapeTarget(url, policy=Policy(access=access)).access)) for url in dict.fromkeys(urls)]

    def __bool__(self) -> bool:
        return bool(self._peers)

    @property
    def urls(self) -> tuple[str, ...]:
        """Where alerts are posted, without who posts them."""
        return tuple(f"{peer.shown.rstrip('/')}/api/v2/alerts" for peer in self._peers)

    def put(self, alerts: Sequence[Outgoing]) -> None:
        """These are to be sent to all, in place of what waits of the same ones."""
        for peer in self._peers:
            for alert in alerts:
                peer.put(alert)

    async def run(self) -> None:
        """Until cancelled."""
        if not self._peers:
            return
        async with client_session() as session:
            await asyncio.gather(*(self._serve(session, peer) for peer in self._peers))

    async def _serve(self, session: aiohttp.ClientSession, peer: _Peer) -> None:
        attempt = 0
        while True:
            if not peer.queue:
                peer.changed.clear()
                await peer.changed.wait()
            batch = [alert for alert, _ in zip(peer.queue.values(), range(BATCH), strict=False)]
            try:
                await self._post(session, peer, batch)
            except RefusedError as error:
                _settle(peer, batch)
                peer.dropped += len(batch)
                peer.failures += 1
                peer.trouble, peer.refusal = "", (str(error), self._clock())
                log.warning("the Alertmanager at %s refused %d alerts: %s", peer.shown, len(batch), error)
            except Exception as error:
                peer.failures += 1
                if not peer.trouble:
                    log.warning("the Alertmanager at %s takes no alerts: %s", peer.shown, _why(error))
                peer.trouble = _why(error)
                await self._sleep(min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt, 10)) * random.uniform(0.8, 1.2))
                attempt += 1
            else:
                if peer.trouble:
                    log.info("the Alertmanager at %s takes alerts again", peer.shown)
                _settle(peer, batch)
                peer.sent += len(batch)
                peer.trouble, attempt = "", 0

    async def _post(self, session: aiohttp.ClientSession, peer: _Peer, batch: Sequence[Outgoing]) -> None:
        """Raises `RefusedError` where trying again is of no use."""
        import aiohttp

        now = self._clock()
        body = await asyncio.to_thread(_encode, [_posted(alert, now + self._ahead) for alert in batch])
        headers = {"Content-Type": "application/json", "User-Agent": "Lightship", **await peer.client.headers()}
        if self._instance:
            headers[SENDER_HEADER] = self._instance
        async with session.post(
            f"{bare(peer.url).rstrip('/')}/api/v2/alerts",
            data=body,
            headers=headers,
            allow_redirects=False,
            ssl=await peer.client.tls(),
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        ) as answer:
            if answer.status // 100 == 2:
                return
            said = (await answer.content.read(300)).decode("utf-8", "replace").strip()
            why = f"it answers with status {answer.status}{f': {said}' if said.isprintable() and said else ''}"
            if answer.status // 100 == 4 and answer.status not in (401, 403, 404, 408, 429):
                raise RefusedError(why)
            raise ConnectionError(why)

    # ------------------------------------------------------------ how it goes

    def figures(self) -> dict[str, float]:
        """For health."""
        return {
            "alertmanager_alerts_sent_total": sum(peer.sent for peer in self._peers),
            "alertmanager_alerts_dropped_total": sum(peer.dropped for peer in self._peers),
            "alertmanager_send_failures_total": sum(peer.failures for peer in self._peers),
            "alertmanager_queue": sum(len(peer.queue) for peer in self._peers),
            "alertmanagers_down": sum(bool(peer.trouble) for peer in self._peers),
        }

    def notes(self) -> list[str]:
        """Alertmanagers that take nothing, or have refused something lately, in sentences."""
        now = self._clock()
        notes = []
        for peer in self._peers:
            why, when = peer.refusal
            if peer.trouble:
                notes.append(f"The Alertmanager at {peer.shown} takes no alerts ({len(peer.queue):,} wait): {peer.trouble}")
            elif why and 0 <= now - when < _REFUSAL_SHOWN:
                notes.append(f"The Alertmanager at {peer.shown} refused alerts: {why}")
        return notes


def _settle(peer: _Peer, batch: Sequence[Outgoing]) -> None:
    """These are with it; what has changed meanwhile still waits."""
    for alert in batch:
        if peer.queue.get(alert.fingerprint) is alert:
            del peer.queue[alert.fingerprint]


def _posted(alert: Outgoing, ahead: float) -> dict[str, Any]:
    shown_alert: dict[str, Any] = {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": moment_text(alert.starts),
        "endsAt": moment_text(ahead if alert.ended is None else alert.ended),
    }
    if alert.generator:
        shown_alert["generatorURL"] = alert.generator
    return shown_alert


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:g} s"
    if not isinstance(error, (AccessError, OSError)) and not type(error).__module__.startswith("aiohttp"):
        log.exception("sending to an Alertmanager failed unexpectedly")
    return (str(error) or type(error).__name__)[:300]
