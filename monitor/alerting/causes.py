"""Which of several alerts is probably the cause of the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from monitor.alerting.model import SEVERITIES, Alert

Calls = Mapping[str, Collection[str]]
"""Service -> the services it calls."""
MAX_REACHED = 5_000


def service_of(alert: Alert) -> str:
    """The service an alert is about, "" where it does not say."""
    labels = dict(alert.labels)
    return next((labels[name] for name in ("service", "service_name", "server") if labels.get(name)), "")


def probable_cause(alerts: Sequence[Alert], calls: Calls) -> Alert:
    """The most upstream in the graph of calls (it depends on no other that alerts), then the earliest, then the most severe.

    A failure travels from the called to the caller. Services that call each other in a circle are equally far upstream. At least
    one alert is given.
    """
    services = {service for alert in alerts if (service := service_of(alert))}
    reached = {service: _reached(service, calls) for service in services} if len(services) > 1 else {}
    depends = {
        service: sum(other in within and service not in reached[other] for other in services if other != service)
        for service, within in reached.items()
    }
    return min(
        alerts,
        key=lambda alert: (
            depends.get(service_of(alert), 0),
            alert.fired_at if alert.fired_at is not None else alert.since,
            SEVERITIES.index(alert.severity),
            alert.id,
        ),
    )


def _reached(service: str, calls: Calls) -> set[str]:
    """All services that a request to this one may come to."""
    found: set[str] = set()
    waiting = [service]
    while waiting and len(found) < MAX_REACHED:
        for called in calls.get(waiting.pop(), ()):
            if called not in found:
                found.add(called)
                waiting.append(called)
    return found
