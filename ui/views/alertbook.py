"""Alerts as pages need them: grouped, ordered, by series, and as rows in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from monitor.alerting.fields import judged_field
from monitor.alerting.model import Alert, Rule, State
from monitor.model.matchers import NAME_TAG
from monitor.model.series import Kind, SeriesInfo, SeriesKey
from ui.client.mirror import Mirror
from ui.views.chart import shape_of
from ui.views.format import NO_DATA, Words, against, sanitise, value
from ui.views.index import where_first
from ui.views.strips import Strip, firing_strip, merged_strip
from ui.views.units import PLAIN, Unit, unit_of
from ui.views.view import AlertRow, Shape, Value

GROUPS = ("Firing", "Pending", "Silenced", "Resolved", "Silences")
SORTS = ("severity", "newest", "name", "value")
GRAVITY = {"critical": 0, "warning": 1, "info": 2}
SIDE = {"gt": "above", "gte": "at least", "lt": "below", "lte": "at most", "eq": "equal to", "ne": "not"}
WITHIN = "· "
"""Stands before the name of an alert under the line of its incident."""
_OWN_LABELS = frozenset((NAME_TAG, "alertname", "severity"))


class AlertBook:
    """What follows from the mirror's alerts and rules; recomputed when they change."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._groups: dict[str, list[Alert]] = {}
        self._by_series: dict[SeriesKey, list[Alert]] = {}
        self._rules: tuple[object, dict[str, Rule]] = (None, {})
        self._rows: dict[str, tuple[object, AlertRow]] = {}
        self.revision = 0
        self.refresh()

    def refresh(self) -> None:
        """The mirror's alerts have changed."""
        groups: dict[str, list[Alert]] = {name: [] for name in GROUPS[:4]}
        by_series: dict[SeriesKey, list[Alert]] = defaultdict(list)
        for alert in self._mirror.alerts.values():
            group = group_of(alert)
            if group:
                groups[group].append(alert)
            if alert.series is not None:
                by_series[alert.series].append(alert)
        for alerts in groups.values():
            alerts.sort(key=gravest_first)
        self._groups, self._by_series = groups, by_series
        self._rows = {i: held for i, held in self._rows.items() if i in self._mirror.alerts}
        self.revision += 1

    def group(self, name: str) -> list[Alert]:
        """Alerts of a group, gravest first."""
        return self._groups.get(name, [])

    def silenced_count(self, silence: str) -> int:
        """How many alerts a silence holds back now."""
        return sum(silence in a.silenced_by for a in self._groups["Silenced"])

    @property
    def firing(self) -> list[Alert]:
        """Firing and not silenced, gravest first."""
        return self._groups["Firing"]

    def of_series(self, key: SeriesKey) -> list[Alert]:
        """Alerts on one series."""
        return self._by_series.get(key, [])

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Rules in force by id."""
        told = self._mirror.rules
        if self._rules[0] is not told:
            self._rules = (told, {rule.id: rule for rule in (*told.rules, *told.told)} if told else {})
        return self._rules[1]

    def strip(self, alert: Alert, now: float) -> Strip:
        """The alert's firing strip: 24 hours, newest last."""
        return firing_strip(alert, now, silenced_from=self.silenced_from(alert))

    def silenced_from(self, alert: Alert) -> float | None:
        """Since when nobody is told of it; None when people are."""
        starts = [s.starts for i in alert.silenced_by if (s := self._mirror.silences.get(i)) is not None]
        return min(starts, default=alert.since if alert.silenced_by else None)

    def series_strip(self, key: SeriesKey, now: float) -> Strip:
        """The strip of a series: all its alerts together."""
        alerts = self.of_series(key)
        return merged_strip(alerts, now) if alerts else (None,) * 24

    @property
    def known(self) -> int:
        """How many alerts are known at all."""
        return len(self._mirror.alerts)

    def told(self) -> list[Alert]:
        """Alerts that nobody has silenced, whatever their state."""
        return [a for a in self._mirror.alerts.values() if not a.silenced_by]

    # ------------------------------------------------------------ words

    def title(self, alert: Alert) -> str:
        """The rule's name, or its id."""
        rule = self.rules.get(alert.rule_id)
        return sanitise((rule.name if rule else "") or alert.rule_id, 120)

    def series_info(self, alert: Alert) -> SeriesInfo | None:
        """The series judged, when the collector has it now."""
        row = self._mirror.row_of(alert.series) if alert.series is not None else None
        return self._mirror.series.get(row) if row is not None else None

    def field(self, alert: Alert) -> str:
        """The window's field that was judged."""
        rule, info = self.rules.get(alert.rule_id), self.series_info(alert)
        field = rule.condition.field if rule else "value"
        return judged_field(field, info.kind if info else Kind.GAUGE)

    def unit(self, alert: Alert) -> Unit:
        """The unit of the value judged."""
        info = self.series_info(alert)
        return unit_of(info, self.field(alert)) if info is not None else PLAIN

    def value(self, alert: Alert, shape: Shape | None = None) -> Value:
        """The value now; "no data" when there is none."""
        if alert.value is None or alert.no_data:
            return NO_DATA
        return against(alert.value, alert.threshold, self.unit(alert), shape)

    def limit(self, alert: Alert, words: Words) -> str:
        """`above 1 %`."""
        return f"{SIDE[alert.operator]} {words.text(value(alert.threshold, self.unit(alert)))}"

    def row(self, alert: Alert, now: float, words: Words, *, marked: bool = False, within: bool = False) -> AlertRow:
        """An alert in words. `within`: it stands under the line of its incident."""
        key = (alert, marked, within, int(now // 60), words, self._mirror.rules, self.series_info(alert))
        held = self._rows.get(alert.id)
        if held is None or held[0] != key:
            held = self._rows[alert.id] = (key, self._row(alert, now, words, marked, within))
        return held[1]

    def _row(self, alert: Alert, now: float, words: Words, marked: bool, within: bool) -> AlertRow:
        shape = shape_of_alert(alert)
        return AlertRow(
            id=alert.id,
            shape=shape,
            severity=shape_of(alert.severity),
            state=state_words(alert),
            name=f"{WITHIN}{self.title(alert)}" if within else self.title(alert),
            where=where(alert),
            value=self.value(alert, shape_of(alert.severity) if alert.state is State.FIRING else None),
            limit=self.limit(alert, words),
            age=words.age(alert.since, now),
            acked_by=sanitise(alert.ack.who, 40) if alert.ack else "",
            strip=self.strip(alert, now),
            group=group_of(alert) or "Resolved",
            marked=marked,
            detail=self.detail(alert, words),
        )

    def detail(self, alert: Alert, words: Words) -> str:
        """`p95 over 5 min above 1 s`."""
        rule = self.rules.get(alert.rule_id)
        if rule is None:
            return self.limit(alert, words)
        return f"{field_label(self.field(alert), rule.condition.window, words)} {self.limit(alert, words)}"

    def haystack(self, alert: Alert) -> str:
        """All its text in lower case, for the filter."""
        parts = [self.title(alert), alert.rule_id, alert.severity, alert.state.value, alert.ack.who if alert.ack else ""]
        return " ".join((*parts, *(f"{name}={found}" for name, found in alert.labels))).lower()

    def lookup(self, alert: Alert, key: str) -> str | None:
        """The value of a filter's key: severity, state, rule, name, owner or a label."""
        match key:
            case "severity":
                return alert.severity
            case "state":
                return "silenced" if alert.silenced_by else alert.state.value
            case "rule" | "alertname":
                return alert.rule_id
            case "name":
                return self.title(alert)
            case "owner" | "ack" | "who":
                return alert.ack.who if alert.ack else ""
        return dict(alert.labels).get(key)


def group_of(alert: Alert) -> str:
    """The group an alert is listed in; "" for one that never fired."""
    if alert.state in (State.FIRING, State.PENDING) and alert.silenced_by:
        return "Silenced"
    return {State.FIRING: "Firing", State.PENDING: "Pending", State.RESOLVED: "Resolved"}.get(alert.state, "")


def gravest_first(alert: Alert) -> tuple[int, float, str]:
    """The order of alerts: severity, then newest start."""
    return GRAVITY.get(alert.severity, 1), -alert.since, alert.id


def newest_first(alert: Alert) -> tuple[float, str]:
    return -alert.since, alert.id


def shape_of_alert(alert: Alert) -> Shape:
    """The silhouette of an alert's state."""
    if alert.silenced_by and alert.state in (State.FIRING, State.PENDING):
        return "silenced"
    if alert.no_data and alert.state in (State.FIRING, State.PENDING):
        return "unknown"
    if alert.state is State.FIRING:
        return shape_of(alert.severity)
    return "pending" if alert.state is State.PENDING else "ok"


def state_words(alert: Alert) -> str:
    """`firing`, `pending`, `silenced`, `no data`, `resolved`."""
    if alert.silenced_by and alert.state in (State.FIRING, State.PENDING):
        return "silenced"
    return "no data" if alert.no_data and alert.state is State.FIRING else alert.state.value


def where(alert: Alert) -> str:
    """The labels that say where, service and host first: `orders-db, prod`; the series' name when it has no tags."""
    tags = alert.series.tags if alert.series is not None else tuple(t for t in alert.labels if t[0] not in _OWN_LABELS)
    words = [sanitise(v, 60) for _, v in where_first(tags) if v]
    return ", ".join(words[:4]) or sanitise(dict(alert.labels).get(NAME_TAG, ""), 80)


def field_label(field: str, window: float, words: Words) -> str:
    """`p95 over 5 min`, `rate over 1 min`, `last value`."""
    names = {"last": "last value", "rate": "rate", "per_minute": "rate a minute", "sum": "sum", "age": "age of the last value"}
    name = names.get(field, field)
    return name if field in ("last", "age") else f"{name} over {words.lasting(window)}"


def worst(alerts: Iterable[Alert]) -> Shape | None:
    """The gravest shape among alerts that fire; None when none does."""
    firing = [a for a in alerts if a.state is State.FIRING]
    return shape_of_alert(min(firing, key=gravest_first)) if firing else None
