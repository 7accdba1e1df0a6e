"""`lightship alerts`: what fires, who has it, and what is silenced."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

from monitor.alerting.model import SYMBOL, Alert, Silence
from monitor.wire.messages import Alerts, Rules
from ui.command.ask import Conversation, conversation
from ui.command.exits import OK
from ui.command.show import print_json, print_table
from ui.views.format import duration, number

_ORDER = {"critical": 0, "warning": 1, "info": 2}


@dataclass(slots=True)
class Lists:
    """Alerts, silences and rules as the collector has them now."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    rules: Rules | None = None
    time: float = 0.0


def fetch(talk: Conversation, who: str = "") -> Lists:
    """Ask for the lists and wait until both have come."""
    talk.resume(who)
    lists = Lists()
    seen_alerts = False
    while not (seen_alerts and lists.rules is not None):
        message = talk.receive()
        if isinstance(message, Alerts):
            seen_alerts = True
            lists.time = message.time
            lists.alerts.update((alert.id, alert) for alert in message.alerts)
            lists.silences.update((silence.id, silence) for silence in message.silences)
        elif isinstance(message, Rules):
            lists.rules = message
    return lists


def run(arguments: argparse.Namespace) -> int:
    if arguments.what:
        from ui.command import noise

        return noise.run(arguments)
    with conversation(arguments.url, arguments.timeout) as talk:
        lists = fetch(talk)
    if arguments.silences:
        silences = sorted(lists.silences.values(), key=lambda silence: silence.ends)
        print_json(silences) if arguments.json else _print_silences(silences, time.time())
        return OK
    alerts = sorted(lists.alerts.values(), key=lambda alert: (_ORDER[alert.severity], -alert.since))
    shown = [alert for alert in alerts if not arguments.state or alert.state == arguments.state]
    if arguments.json:
        print_json(shown)
    elif shown:
        _print_alerts(shown, time.time())
    else:
        rules = len(lists.rules.rules) if lists.rules else 0
        print(f"Nothing is {arguments.state or 'firing'}. {rules} rules are judged.")
    return OK


def _print_alerts(alerts: list[Alert], now: float) -> None:
    rows = [
        [
            short_id(alert.id),
            alert.severity,
            "silenced" if alert.silenced_by and alert.state == "firing" else str(alert.state),
            alert.rule_id,
            where(alert),
            "no data" if alert.value is None else number(alert.value),
            f"{SYMBOL[alert.operator]} {number(alert.threshold)}",
            duration(max(0.0, now - alert.since)),
            alert.ack.who if alert.ack else "",
        ]
        for alert in alerts
    ]
    print_table(["ID", "SEVERITY", "STATE", "RULE", "WHERE", "VALUE", "LIMIT", "AGE", "WHO HAS IT"], rows, right=(5,))


def short_id(identity: str) -> str:
    """As much of an alert's or silence's id as people need to name it; what all silences' ids begin with is left out."""
    return identity.removeprefix("silence-")[:8]


def is_called(identity: str, text: str) -> bool:
    """Whether `text` is an id or its beginning, as `short_id` shows it or whole."""
    return identity.startswith(text) or identity.removeprefix("silence-").startswith(text)


def where(alert: Alert) -> str:
    """The tags that tell this alert from the others of its rule."""
    return ",".join(f"{name}={value}" for name, value in alert.labels if name not in ("alertname", "severity", "__name__"))


def _print_silences(silences: list[Silence], now: float) -> None:
    if not silences:
        print("Nothing is silenced.")
        return
    rows = [
        [
            short_id(silence.id),
            "pending" if now < silence.starts else "active" if silence.active(now) else "ended",
            ", ".join(str(matcher) for matcher in silence.matchers),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(silence.ends)),
            silence.created_by,
            silence.comment,
        ]
        for silence in silences
    ]
    print_table(["ID", "STATE", "MATCHES", "UNTIL", "BY", "BECAUSE"], rows)
