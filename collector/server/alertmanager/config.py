"""The routes of the settings in the form of an Alertmanager's configuration, without any address or secret of a receiver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monitor.alerting.durations import format_duration
from monitor.alerting.routing import Inhibition, Route
from monitor.model.matchers import Matcher


def config_yaml(root: Route, inhibitions: Iterable[Inhibition], times: Iterable[str], receivers: Iterable[str]) -> str:
    """YAML that amtool reads: the tree, whom it tells, what inhibits what."""
    import yaml

    written: dict[str, Any] = {
        "global": {"resolve_timeout": "5m"},
        "route": _route(root, None),
        "inhibit_rules": [
            {
                "source_matchers": _matchers(rule.source),
                "target_matchers": _matchers(rule.target),
                "equal": list(rule.equal),
            }
            for rule in inhibitions
        ],
        "time_intervals": [{"name": name, "time_intervals": []} for name in times],
        "receivers": [{"name": name} for name in receivers],
        "templates": [],
    }
    kept = {key: value for key, value in written.items() if value or key == "templates"}
    return str(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True))


def _route(route: Route, above: Route | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"receiver": route.receiver}
    if route.group_by and (above is None or route.group_by != above.group_by):
        shown["group_by"] = list(route.group_by)
    shown["continue"] = route.go_on
    if route.matchers:
        shown["matchers"] = _matchers(route.matchers)
    for key in ("group_wait", "group_interval", "repeat_interval"):
        value = getattr(route.timing, key)
        if above is None or value != getattr(above.timing, key):
            shown[key] = format_duration(value) if value else "0s"
    if route.mute:
        shown["mute_time_intervals"] = list(route.mute)
    if route.active:
        shown["active_time_intervals"] = list(route.active)
    if route.routes:
        shown["routes"] = [_route(each, route) for each in route.routes]
    return shown


def _matchers(matchers: Iterable[Matcher]) -> list[str]:
    return [str(matcher) for matcher in matchers]
