"""Alerts, groups and silences in the shapes of Alertmanager's API.

Source: its openapi.yaml: gettableAlert, alertGroup, gettableSilence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from collector.server.alertmanager.filters import meets
from collector.server.alertmanager.moments import moment_text
from collector.server.alertmanager.names import fingerprint_of, silence_uuid
from collector.server.alertmanager.standing import Place, Standing, active_silences
from monitor.alerting.model import Alert, Silence
from monitor.alerting.silences import silence_state
from monitor.model.matchers import Matcher

Json = dict[str, Any]

RENEWED = 300.0
"""Seconds for which what fires now is told to go on."""
_SLICE = 200
"""Alerts looked at before others have a turn."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for: by their labels, by what keeps them quiet, and by the receiver's name."""

    matchers: tuple[Matcher, ...] = ()
    active: bool = True
    silenced: bool = True
    inhibited: bool = True
    muted: bool = True
    receiver: Callable[[str], bool] = lambda _: True


async def alerts_json(standing: Standing, wanted: Wanted) -> list[Json]:
    """All that are asked for, by fingerprint."""
    found = [alert for alert, _ in await _found(standing, wanted)]
    return sorted(found, key=lambda alert: str(alert["fingerprint"]))


async def groups_json(standing: Standing, wanted: Wanted) -> list[Json]:
    """The groups with such alerts, by labels and receiver."""
    groups: dict[Place, list[Json]] = {}
    for alert, places in await _found(standing, wanted):
        for place in places:
            if wanted.receiver(place.receiver):
                groups.setdefault(place, []).append(alert)
    ordered = sorted(groups.items(), key=lambda item: (item[0].group, item[0].receiver))
    return [
        {
            "alerts": sorted(alerts, key=lambda alert: str(alert["fingerprint"])),
            "labels": dict(place.group),
            "receiver": {"name": place.receiver},
        }
        for place, alerts in ordered
    ]


async def _found(standing: Standing, wanted: Wanted) -> list[tuple[Json, tuple[Place, ...]]]:
    quiet = standing.quiet_times()
    found = []
    for number, alert in enumerate(standing.firing(), 1):
        if number % _SLICE == 0:
            await asyncio.sleep(0)
        if not meets(wanted.matchers, dict(alert.labels)):
            continue
        places = standing.places(alert)
        if any(wanted.receiver(place.receiver) for place in places):
            shown = _alert_json(standing, alert, places, quiet)
            if _is_wanted(shown["status"], wanted):
                found.append((shown, places))
    return found


def _is_wanted(status: Json, wanted: Wanted) -> bool:
    return (
        (wanted.active or status["state"] != "active")
        and (wanted.silenced or not status["silencedBy"])
        and (wanted.inhibited or not status["inhibitedBy"])
        and (wanted.muted or not status["mutedBy"])
    )


def _alert_json(standing: Standing, alert: Alert, places: Iterable[Place], quiet: frozenset[str]) -> Json:
    said, now = standing.said(alert), standing.clock()
    annotations = dict(said.annotations)
    if alert.ack is not None:
        note = f": {alert.ack.note}" if alert.ack.note else ""
        annotations.setdefault("acknowledged", f"by {alert.ack.who}{note}")
    silenced = [silence_uuid(name) for name in active_silences(alert, standing.silences)]
    inhibited = [fingerprint_of(other.labels) for other in standing.inhibited_by(alert)]
    shown: Json = {
        "annotations": annotations,
        "endsAt": moment_text(said.ends if said.ends is not None else now + RENEWED),
        "fingerprint": fingerprint_of(alert.labels),
        "receivers": [{"name": name} for name in dict.fromkeys(place.receiver for place in places)],
        "startsAt": moment_text(said.starts),
        "status": {
            "inhibitedBy": inhibited,
            "mutedBy": list(standing.muted_by(alert, quiet)),
            "silencedBy": silenced,
            "state": "suppressed" if silenced or inhibited else "active",
        },
        "updatedAt": moment_text(said.updated if said.updated is not None else now),
        "labels": dict(alert.labels),
    }
    if said.generator:
        shown["generatorURL"] = said.generator
    return shown


def silences_json(standing: Standing, matchers: tuple[Matcher, ...]) -> list[Json]:
    """Those with such matchers: active ones by their end, then those to come by their beginning, then those that are over."""
    now = standing.clock()

    def place(silence: Silence) -> tuple[int, float]:
        state = silence_state(silence, now)
        return {"active": (0, silence.ends), "pending": (1, silence.starts), "expired": (2, -silence.ends)}[state]

    kept = (each for each in standing.silences.values() if meets(matchers, {m.name: m.value for m in each.matchers}))
    return [silence_json(silence, now) for silence in sorted(kept, key=place)]


def silence_json(silence: Silence, now: float) -> Json:
    """One silence. It is told to be changed last when it was made, or ended by somebody."""
    return {
        "id": silence_uuid(silence.id),
        "status": {"state": silence_state(silence, now)},
        "updatedAt": moment_text(silence.ends if silence.expired_by else silence.created_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": moment_text(silence.ends),
        "matchers": [
            {"isEqual": m.op in ("=", "=~"), "isRegex": m.op in ("=~", "!~"), "name": m.name, "value": m.value}
            for m in silence.matchers
        ],
        "startsAt": moment_text(silence.starts),
    }
