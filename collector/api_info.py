"""What the Prometheus API tells of this collector: rules of both kinds, alerts, targets, settings and figures."""

from __future__ import annotations

import importlib.metadata
import math
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from collector.rules.groups import GroupState
from collector.server.prometheus.info import (
    ActiveAlert,
    DroppedTarget,
    RuleGroupView,
    RuleView,
    Runtime,
    TargetView,
    TsdbFigures,
)
from monitor.alerting.conditions import CompositeCondition, QueryCondition
from monitor.alerting.durations import format_duration
from monitor.alerting.fields import judged_field
from monitor.alerting.model import SYMBOL, Alert, Rule, State
from monitor.alerting.wording import summary
from monitor.model.series import Kind
from monitor.query.fields import field_expr
from monitor.query.format import to_text
from monitor.query.groupstate import GroupAlert, RuleState
from monitor.settings.declared import SETTINGS
from monitor.settings.reference import toml_value
from monitor.windows.frame import quantile_of

if TYPE_CHECKING:
    from collector.service import Service

_PROMQL = {**SYMBOL, "gte": ">=", "lte": "<=", "eq": "==", "ne": "!="}


class ServiceInfo:
    """`collector.server.prometheus.info.ApiInfo` of a running service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def version(self) -> str:
        return importlib.metadata.version("lightship")

    def runtime(self) -> Runtime:
        service = self._service
        raw = format_duration(service.settings["history_raw"])
        return Runtime(
            started=service.started,
            host=service.name,
            config_loaded=service.started,
            corruptions=round(service.health.values.get("history_damaged_total", 0.0)),
            threads=threading.active_count(),
            cpus=os.cpu_count() or 1,
            retention=f"{raw} or {service.settings['history_size'] >> 20}MiB",
        )

    def flags(self) -> Mapping[str, str]:
        written = self._service.settings.shown
        return {setting.name.replace("_", "-"): toml_value(written[setting.name]).strip('"') for setting in SETTINGS}

    def config(self) -> str:
        """The scrapes as Prometheus would have them, without passwords."""
        targets = self._service.receivers.targets()
        lines = ["scrape_configs:"] if targets else []
        for target in targets:
            lines += [
                f"- job_name: {toml_value(target.job)}",
                f"  scrape_interval: {format_duration(target.interval)}",
                f"  static_configs: [{{targets: [{toml_value(target.instance)}]}}]",
            ]
        return "\n".join([*lines, ""])

    def tsdb(self) -> TsdbFigures:
        past = self._service.past
        since = past.since()
        names = past.history.label_values("__name__", (), 0, 1 << 62)
        return TsdbFigures(
            series=len(self._service.engine.table),
            label_pairs=len(names),
            first=round(since * 1000) if math.isfinite(since) else 0,
            last=round(self._service.engine.now * 1000),
        )

    def rule_groups(self) -> Sequence[RuleGroupView]:
        return [*map(_group, self._service.told.groups.groups), *self._own_groups()]

    def alerts(self) -> Sequence[ActiveAlert]:
        return [alert for group in self.rule_groups() for rule in group.rules for alert in rule.alerts]

    def targets(self) -> Sequence[TargetView]:
        return [
            TargetView(
                pool=health.job,
                url=health.url,
                labels=health.labels,
                discovered=health.discovered,
                health="unknown" if health.last_scrape is None else "up" if health.up else "down",
                last_error=health.error,
                last_scrape=health.last_scrape or 0.0,
                last_duration=health.duration,
                interval=health.interval,
                timeout=health.timeout,
            )
            for health in self._service.receivers.targets()
        ]

    def dropped_targets(self) -> Sequence[DroppedTarget]:
        return [DroppedTarget(target.discovered) for target in self._service.receivers.dropped_targets()]

    def alertmanagers(self) -> Sequence[str]:
        return self._service.alertmanaging.urls

    def _own_groups(self) -> list[RuleGroupView]:
        """The product's own rules, a group a file: judged at every tick."""
        service = self._service
        by_rule: dict[str, list[Alert]] = {}
        for alert in service.desk.book.alerts.values():
            if alert.state in (State.PENDING, State.FIRING):
                by_rule.setdefault(alert.rule_id, []).append(alert)
        files: dict[str, list[RuleView]] = {}
        for rule in service.rules.rules:
            if rule.enabled:
                view = _own(rule, self._kind(rule), by_rule.get(rule.id, []), service.engine.now)
                files.setdefault(rule.file, []).append(view)
        interval: float = service.settings["interval"]
        return [
            RuleGroupView(
                name=file.removesuffix(".toml"), file=file, rules=rules, interval=interval, last_evaluation=service.engine.now
            )
            for file, rules in files.items()
        ]

    def _kind(self, rule: Rule) -> Kind:
        """Of the series it watches; of none that is there, what its field says."""
        table = self._service.engine.table
        rows = table.select(rule.selector)
        if len(rows):
            return Kind(int(table.kinds[rows[0]]))
        return Kind.DISTRIBUTION if quantile_of(rule.condition.field) is not None else Kind.GAUGE


def _group(state: GroupState) -> RuleGroupView:
    return RuleGroupView(
        name=state.group.name,
        file=state.group.file,
        rules=[_rule(rule) for rule in state.rules],
        interval=state.interval,
        limit=state.group.limit,
        evaluation_time=state.took,
        last_evaluation=state.judged_at,
    )


def _rule(state: RuleState) -> RuleView:
    rule = state.rule
    return RuleView(
        name=rule.name,
        query=rule.expr,
        record=bool(rule.record),
        labels=dict(rule.labels),
        annotations=dict(rule.annotations),
        state=state.state if state.judged_at else "unknown",
        duration=rule.for_seconds,
        keep_firing_for=rule.keep_firing_for,
        alerts=[_alert(alert) for alert in state.alerts.values() if alert.state != "inactive"],
        health=state.health,
        last_error=state.error,
        evaluation_time=state.took,
        last_evaluation=state.judged_at / 1000,
    )


def _alert(alert: GroupAlert) -> ActiveAlert:
    return ActiveAlert(
        labels=dict(alert.labels),
        annotations=dict(alert.annotations),
        state=alert.state,
        active_at=alert.active_at / 1000,
        value=alert.value,
        keep_firing_since=(alert.kept_since or 0) / 1000,
    )


def _own(rule: Rule, kind: Kind, alerts: Sequence[Alert], now: float) -> RuleView:
    firing = any(alert.state is State.FIRING for alert in alerts)
    return RuleView(
        name=rule.id,
        query=promql(rule, kind),
        labels={"severity": rule.severity, **dict(rule.labels)},
        annotations={"summary": rule.name or rule.id, **({"runbook_url": rule.runbook_url} if rule.runbook_url else {})},
        state="firing" if firing else "pending" if alerts else "inactive",
        duration=rule.for_seconds,
        alerts=[
            ActiveAlert(
                labels=dict(alert.labels),
                annotations={"summary": summary(rule, alert)},
                state="firing" if alert.state is State.FIRING else "pending",
                active_at=alert.active_at or alert.since,
                value=math.nan if alert.value is None else alert.value,
            )
            for alert in alerts
        ],
        last_evaluation=now,
    )


def promql(rule: Rule, kind: Kind) -> str:
    """One of the product's own rules as the expression that says the same of series of this kind."""
    condition = rule.condition
    if isinstance(condition, QueryCondition | CompositeCondition):
        return condition.expression
    expr = field_expr(kind, judged_field(condition.field, kind), rule.selector.matchers, round(condition.window * 1000))
    shown = to_text(expr) if expr is not None else str(rule.selector)
    return f"{shown} {_PROMQL[condition.operator]} {condition.value:g}"
