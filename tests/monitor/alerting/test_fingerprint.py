"""Alerts have stable ids and labels that do not collide."""

from __future__ import annotations

from monitor.alerting.fingerprint import alert_id, alert_labels, fingerprint
from monitor.model.series import Kind, series_key
from tests.monitor.alerting.fakes import make_rule


def test_the_fingerprint_is_alertmanagers() -> None:
    labels = [("alertname", "DemoAlert"), ("server", "ni3"), ("severity", "critical")]
    assert fingerprint(labels) == fingerprint(reversed(labels)) == "8a07086b74f3ba78"


def test_an_id_depends_on_rule_series_and_kind_and_on_nothing_else() -> None:
    series = series_key("m", [("s", "a")])
    first = alert_id("r", series, Kind.GAUGE)
    others = {
        alert_id("r2", series, Kind.GAUGE),
        alert_id("r", series_key("m", [("s", "b")]), Kind.GAUGE),
        alert_id("r", series, Kind.COUNTER),
    }
    assert first not in others
    assert len(others) == 3
    assert len(first) == 16


def test_tags_whose_names_are_taken_are_kept_as_exported() -> None:
    rule = make_rule(more='labels = {team = "shop"}')
    tags = [("severity", "bad"), ("team", "web"), ("exported_team", "old"), ("s", "a")]
    assert dict(alert_labels(rule, series_key("m", tags))) == {
        "__name__": "m",
        "alertname": "r",
        "severity": "warning",
        "exported_severity": "bad",
        "team": "shop",
        "exported_exported_team": "web",
        "exported_team": "old",
        "s": "a",
    }
