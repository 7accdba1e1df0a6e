"""Debian's amtool routes the same alerts the same way."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from pathlib import Path

from monitor.alerting.routing import Route
from tests.monitor.alerting.routing.alerts import route
from tests.peers import need

VALUES = {
    "team": ("shop", "cart", ""),
    "severity": ("critical", "warning"),
    "env": ("prod", "dev", ""),
    "service": ("a", "b-1", ""),
}
TREE = route(
    "root",
    routes=(
        route("audit", 'env="prod"', go_on=True, routes=(route("audit-critical", 'severity="critical"', go_on=True),)),
        route(
            "team",
            'team=~"shop|cart", severity!="info"',
            routes=(route("crit", 'severity="critical"'), route("b", 'service=~"b.*"')),
        ),
        route("none", 'service!~".+"', go_on=True),
        route("rest", 'service!="a"'),
    ),
)


def _written(node: Route) -> dict[str, object]:
    matchers = [str(matcher) for matcher in node.matchers]
    return {
        "receiver": node.receiver,
        **({"matchers": matchers} if matchers else {}),
        **({"continue": True} if node.go_on else {}),
        "routes": [_written(child) for child in node.routes],
    }


def test_alerts_go_where_amtool_says_they_would_go(tmp_path: Path) -> None:
    amtool = need("amtool", "prometheus-alertmanager")
    config = tmp_path / "alertmanager.json"  # YAML takes JSON
    receivers = [{"name": node.receiver} for node in TREE.walk()]
    config.write_text(json.dumps({"route": _written(TREE), "receivers": receivers}))
    sets = [dict(zip(VALUES, values, strict=True)) for values in itertools.product(*VALUES.values())]
    for labels in random.Random(7).sample(sets, 25):
        told = {name: value for name, value in labels.items() if value}
        asked = [
            amtool,
            "config",
            "routes",
            "test",
            f"--config.file={config}",
            *(f"{name}={value}" for name, value in told.items()),
        ]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
        assert ",".join(node.receiver for node in TREE.find(told)) == answer, told
