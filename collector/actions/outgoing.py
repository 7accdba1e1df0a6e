"""Which alerts are due to be sent to Alertmanagers: a pure state machine beside the alert book, time is an argument.

Source: Prometheus, rules/alerting.go (`needsSending`): at once when it begins or ends, then again and again; an end for 15 min.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from collector.server.alertmanager.names import fingerprint_of, legal_labels
from collector.server.alertmanager.said import Said
from monitor.alerting.model import Alert, State

Pairs = tuple[tuple[str, str], ...]

RESEND = 60.0
KEEP_RESOLVED = 900.0


class Outgoing(msgspec.Struct, frozen=True):
    """One alert as an Alertmanager gets it. `ended` None: it fires. Times are seconds since the epoch."""

    fingerprint: str
    labels: Pairs
    annotations: Pairs
    starts: float
    ended: float | None = None
    generator: str = ""


class Resending:
    """What is to be sent, and when it was sent last, by the alert's id."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[Outgoing, float]] = {}
        self._firing: dict[str, set[str]] = {}
        self._held: set[str] = set()
        self._revision = -1
        self._next = math.inf

    def __len__(self) -> int:
        return len(self._sent)

    def due(self, now: float, revision: int, alerts: Mapping[str, Alert], said: Callable[[Alert], Said]) -> list[Outgoing]:
        """Those that began or ended since the last call, and those whose minute is over. `revision`: of the book."""
        due: list[Outgoing] = []
        if revision != self._revision:
            since, self._revision = self._revision, revision
            for alert in alerts.values():
                if alert.revision > since or revision < since:
                    self._changed(now, alert, said, due)
        if now >= self._next or self._next - now > 2 * RESEND:
            self._again(now, alerts, said, due)
        return due

    def _changed(self, now: float, alert: Alert, said: Callable[[Alert], Said], due: list[Outgoing]) -> None:
        before = self._sent.get(alert.id)
        if alert.state is State.FIRING:
            if before is None or before[0].ended is not None or before[0].labels != legal_labels(alert.labels):
                self._send(now, alert, said(alert), due)
        elif alert.state is State.RESOLVED and alert.resolved_at is not None:
            fires = before is not None and before[0].ended is None
            recent = before is None and now - alert.resolved_at < KEEP_RESOLVED
            if fires or recent:
                self._send(now, alert, said(alert), due)

    def _send(self, now: float, alert: Alert, words: Said, due: list[Outgoing]) -> None:
        if words.relayed:  # its own sender may post it meanwhile, and then it goes on
            self._held.add(alert.id)
            self._next = min(self._next, now + RESEND)
            return
        before = self._sent.get(alert.id)
        if before is not None:
            self._calm(alert.id, before[0])
        labels = legal_labels(alert.labels)
        made = Outgoing(fingerprint_of(labels), labels, words.annotations, words.starts, None, words.generator)
        if alert.state is State.FIRING:
            self._firing.setdefault(made.fingerprint, set()).add(alert.id)
        else:
            # What is said of it by now may be less than was said while it fired.
            made = replace(before[0] if before is not None else made, ended=alert.resolved_at)
        self._put(now, alert.id, made, due)

    def _put(self, now: float, name: str, made: Outgoing, due: list[Outgoing]) -> None:
        self._sent[name] = made, now
        self._next = min(self._next, now + RESEND)
        if made.ended is None or not self._firing.get(made.fingerprint):  # another one with such labels goes on
            due.append(made)

    def _again(self, now: float, alerts: Mapping[str, Alert], said: Callable[[Alert], Said], due: list[Outgoing]) -> None:
        self._next = math.inf
        held, self._held = self._held, set()
        for name in held:
            alert = alerts.get(name)
            if alert is not None and alert.state is State.FIRING and name not in self._sent:
                self._send(now, alert, said(alert), due)
        for name, (made, at) in list(self._sent.items()):
            alert = alerts.get(name)
            over = made.ended is not None and not 0 <= now - made.ended < KEEP_RESOLVED
            if over or alert is None:
                del self._sent[name]
                self._calm(name, made)
            elif 0 <= now - at < RESEND:
                self._next = min(self._next, at + RESEND)
            elif made.ended is None:
                self._send(now, alert, said(alert), due)
            else:
                self._put(now, name, made, due)

    def _calm(self, name: str, made: Outgoing) -> None:
        others = self._firing.get(made.fingerprint)
        if others is not None:
            others.discard(name)
            if not others:
                del self._firing[made.fingerprint]
