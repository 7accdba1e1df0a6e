"""A notice as JSON for programs: our own form, and those of Alertmanager. Always the same bytes for the same notice."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from collector.actions.teller import headline
from collector.actions.words import common_labels, finite, group_key, iso
from monitor.alerting.fingerprint import fingerprint
from monitor.alerting.notice import Notice, Noticed

MAX_BODY = 1 << 20
"""Bytes. Alerts beyond it are left out and counted in the body."""
NEVER = "0001-01-01T00:00:00Z"
"""How Alertmanager writes the end of what has none."""
_MAX_TEXT = 4_000
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")


def native(notice: Notice) -> dict[str, Any]:
    """Our own form, version 1: `docs/alerting.md` describes it."""
    return {
        "version": 1,
        "key": notice.key,
        "group_key": group_key(notice),
        "receiver": notice.receiver,
        "status": notice.status,
        "reason": notice.reason,
        "time": iso(notice.at),
        "title": headline(notice)[:_MAX_TEXT],
        "group": dict(notice.group),
        "common_labels": common_labels(notice),
        "truncated": notice.truncated,
        "alerts": [_native_alert(noticed) for noticed in notice.alerts],
    }


def _native_alert(noticed: Noticed) -> dict[str, Any]:
    alert = noticed.alert
    return {
        "status": "firing" if noticed.ended is None else "resolved",
        "id": alert.id,
        "rule": alert.rule_id,
        "severity": alert.severity,
        "summary": noticed.summary[:_MAX_TEXT],
        "description": noticed.description[:_MAX_TEXT],
        "runbook_url": noticed.runbook_url[:_MAX_TEXT],
        "value": finite(alert.value),
        "operator": alert.operator,
        "threshold": finite(alert.threshold),
        "since": iso(alert.fired_at),
        "ended": iso(noticed.ended),
        "labels": dict(alert.labels),
    }


def alertmanager_webhook(notice: Notice) -> dict[str, Any]:
    """What Alertmanager posts to a webhook, version 4 (Alertmanager, docs/configuration.md, webhook_config)."""
    alerts = [_webhook_alert(noticed) for noticed in notice.alerts]
    return {
        "version": "4",
        "groupKey": group_key(notice),
        "truncatedAlerts": notice.truncated,
        "status": notice.status,
        "receiver": notice.receiver,
        "groupLabels": dict(notice.group),
        "commonLabels": common_labels(notice),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": "",
        "alerts": alerts,
    }


def _webhook_alert(noticed: Noticed) -> dict[str, Any]:
    alert = noticed.alert
    return {
        "status": "firing" if noticed.ended is None else "resolved",
        "labels": dict(alert.labels),
        "annotations": _annotations(noticed),
        "startsAt": iso(alert.fired_at) or NEVER,
        "endsAt": iso(noticed.ended) or NEVER,
        "generatorURL": "",
        "fingerprint": fingerprint(alert.labels),
    }


def alertmanager_alerts(notice: Notice, lasting: float) -> list[dict[str, Any]]:
    """What Alertmanager's `POST /api/v2/alerts` takes. What fires is said to end after `lasting` seconds unless it is told again.

    Labels get the names that every Alertmanager takes; `__name__` is told as `metric`.
    """
    return [
        {
            "labels": {_label_name(name): value for name, value in noticed.alert.labels if value},
            "annotations": _annotations(noticed),
            "startsAt": iso(noticed.alert.fired_at) or iso(notice.at),
            "endsAt": iso(noticed.ended if noticed.ended is not None else notice.at + lasting),
        }
        for noticed in notice.alerts
    ]


def _label_name(name: str) -> str:
    if name == "__name__":
        return "metric"
    legal = _NO_NAME.sub("_", name)
    return f"_{legal}" if not legal or legal[0].isdecimal() else legal


def _annotations(noticed: Noticed) -> dict[str, str]:
    told = {"summary": noticed.summary, "description": noticed.description, "runbook_url": noticed.runbook_url}
    return {name: value[:_MAX_TEXT] for name, value in told.items() if value}


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    first = maps[0] if maps else {}
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in maps)}


def fewer(notice: Notice, kept: int) -> Notice:
    """The notice with its first `kept` alerts; the others are counted."""
    left = len(notice.alerts) - kept
    return msgspec.structs.replace(notice, alerts=notice.alerts[:kept], truncated=notice.truncated + left)


def encoded(body: Any) -> bytes:
    """JSON of a body; what was no Unicode (a lone surrogate) is told as a question mark."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return msgspec.json.encode(_sound(body))


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_sound(name): _sound(each) for name, each in value.items()}
    return [_sound(each) for each in value] if isinstance(value, list) else value
