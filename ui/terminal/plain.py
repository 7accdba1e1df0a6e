"""The line stream for pipes and screen readers: a line for each change of an alert, and a summary each minute."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import TYPE_CHECKING, TextIO

from monitor.alerting.model import Alert, State
from ui.client.mirror import Change, Mirror
from ui.terminal.cells import clean
from ui.terminal.places import local_zone
from ui.views.alertbook import AlertBook, state_words, where
from ui.views.format import Words, duration, plural

if TYPE_CHECKING:
    from ui.client.connection import Connection

SUMMARY = 60.0
"""Seconds between two summaries."""
NO_COLLECTOR = 3
"""Exit code when nobody answers, as of the whole command."""
PATIENCE = 10.0
"""Seconds to wait for a collector when only one look is wanted."""
_Told = tuple[str, str, str, bool]


class Teller:
    """Turns changes of a mirror into lines of plain text: no escapes, nothing that moves, each line whole in itself."""

    def __init__(self, mirror: Mirror, words: Words) -> None:
        self._mirror = mirror
        self._words = words
        self._book = AlertBook(mirror)
        self._told: dict[str, _Told] = {}
        self._link = ""

    def changes(self, what: set[Change], now: float) -> list[str]:
        """Lines for what changed: the link, then the alerts, gravest first."""
        lines: list[str] = []
        link = self._link_line()
        if link:
            lines.append(self._stamp(now, link))
        if "alerts" in what or "hello" in what:
            self._book.refresh()
            lines += [self._stamp(now, line) for line in self._alert_lines(now)]
        return lines

    def summary(self, now: float) -> str:
        """`14:22 2 critical and 1 warning firing, 1 silenced; 84 rules judged.`"""
        if not self._mirror.connected:
            return self._stamp(now, "No connection to the collector; what was told before may no longer hold.")
        firing = self._book.firing
        counts = {severity: sum(a.severity == severity for a in firing) for severity in ("critical", "warning", "info")}
        said = ", ".join(f"{count} {severity}" for severity, count in counts.items() if count)
        silenced = len(self._book.group("Silenced"))
        owned = sum(a.ack is not None for a in firing)
        told = self._mirror.rules
        rules = f" {plural(sum(rule.enabled for rule in told.rules), 'rule')} judged." if told is not None else ""
        head = f"{said} firing" if firing else "Nothing is firing"
        extra = (f", {owned} with an owner" if owned else "") + (f", {silenced} silenced" if silenced else "")
        return self._stamp(now, f"{head}{extra}.{rules}")

    def _stamp(self, now: float, text: str) -> str:
        return clean(f"{self._words.clock(now)} {text}")

    def _link_line(self) -> str:
        state = self._mirror.state
        if state.state == self._link:
            return ""
        before, self._link = self._link, state.state
        if state.state == "connected":
            hello = self._mirror.hello
            return f"{'Back' if before == 'lost' else 'Connected'}: {hello.name if hello else state.url}."
        if state.state == "lost":
            return f"Blind: the collector does not answer ({state.reason or 'no reason given'}). Trying again."
        return ""

    def _alert_lines(self, now: float) -> list[str]:
        lines: list[str] = []
        seen: dict[str, _Told] = {}
        groups = ("Firing", "Silenced", "Pending", "Resolved")
        for alert in (alert for group in groups for alert in self._book.group(group)):
            told = (alert.state.value, alert.ack.who if alert.ack else "", alert.severity, bool(alert.silenced_by))
            seen[alert.id] = told
            old = self._told.get(alert.id)
            if told != old and (old is not None or alert.state is not State.RESOLVED):
                lines.append(self._alert_line(alert, now))
        self._told = seen
        return lines

    def _alert_line(self, alert: Alert, now: float) -> str:
        place = where(alert)
        name = self._book.title(alert) + (f", {place}" if place else "")
        value = self._words.text(self._book.value(alert))
        facts = f"{value}, limit {self._book.limit(alert, self._words)}" if alert.state is not State.RESOLVED else ""
        lasting = duration(max(0.0, round(now - alert.since))) if now - alert.since >= 60 else ""
        owner = f"{alert.ack.who} has it" if alert.ack else ""
        note = f"note: {alert.ack.note}" if alert.ack and alert.ack.note else ""
        rest = "; ".join(part for part in (facts, f"for {lasting}" if lasting else "", owner, note) if part)
        return f"{state_words(alert).upper()} {alert.severity}: {name}" + (f": {rest}." if rest else ".")


async def run_plain(url: str, who: str, out: TextIO, once: bool = False) -> int:
    """Write lines to `out` until it is closed; with `once` only the present state. Returns the exit code."""
    from ui.client.connection import Connection

    mirror = Mirror()
    teller = Teller(mirror, Words(local_zone() or Words().zone, " "))
    arrived = asyncio.Event()
    async with Connection(url, mirror, who, client="plain", on_change=lambda changes: arrived.set()) as line:
        with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
            return await (_look(line, mirror, teller, arrived, out) if once else _follow(line, mirror, teller, arrived, out))
    _forget(out)
    return 0


async def _look(line: Connection, mirror: Mirror, teller: Teller, arrived: asyncio.Event, out: TextIO) -> int:
    """The present state, as soon as it was told; `NO_COLLECTOR` when nobody answers."""
    until = time.monotonic() + PATIENCE
    while mirror.rules is None and time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(arrived.wait(), until - time.monotonic())
        arrived.clear()
    now = mirror.time or time.time()
    for text in teller.changes(line.pump(mirror), now):
        print(text, file=out)
    print(teller.summary(now), file=out, flush=True)
    return 0 if mirror.rules is not None else NO_COLLECTOR


async def _follow(line: Connection, mirror: Mirror, teller: Teller, arrived: asyncio.Event, out: TextIO) -> int:
    """Lines as things change and a summary each minute, until `out` is closed."""
    due = time.monotonic() + 2.0
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(arrived.wait(), max(0.05, due - time.monotonic()))
        arrived.clear()
        now = time.time()
        for text in teller.changes(line.pump(mirror), now):
            print(text, file=out, flush=True)
        if time.monotonic() >= due:
            print(teller.summary(now), file=out, flush=True)
            due = time.monotonic() + SUMMARY


def _forget(out: TextIO) -> None:
    """Nobody reads any more: keep the interpreter from complaining about it at exit."""
    if out is sys.stdout:
        import os

        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
