"""Rules, alerts, targets and status as Prometheus' JSON has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from collector.server.prometheus.info import (
    ActiveAlert,
    ApiInfo,
    DroppedTarget,
    RuleGroupView,
    RuleView,
    TargetView,
    TsdbFigures,
)
from collector.server.prometheus.numbers import go_float
from collector.server.prometheus.parameters import BadDataError, Parameters, invalid
from monitor.model.matchers import Matcher, promql_name
from monitor.query.durations import show_duration

API_VERSION = "3.5.0"
"""The version of Prometheus whose API this is; Grafana asks for it to know what it may ask."""
_NEVER = "0001-01-01T00:00:00Z"


def buildinfo(info: ApiInfo) -> dict[str, str]:
    return {
        "version": API_VERSION,
        "revision": f"lightship-{info.version}",
        "branch": "lightship",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
        "application": "Lightship",
    }


def runtimeinfo(info: ApiInfo, now: float) -> dict[str, Any]:
    runtime = info.runtime()
    return {
        "startTime": moment(runtime.started),
        "CWD": "",
        "hostname": runtime.host,
        "serverTime": moment(now),
        "reloadConfigSuccess": True,
        "lastConfigTime": moment(runtime.config_loaded or runtime.started),
        "corruptionCount": runtime.corruptions,
        "goroutineCount": runtime.threads,
        "GOMAXPROCS": runtime.cpus,
        "GOMEMLIMIT": 0,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": runtime.retention,
    }


def tsdb(figures: TsdbFigures, limit: int) -> dict[str, Any]:
    def listed(pairs: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
        return [{"name": name, "value": number} for name, number in pairs[:limit]]

    return {
        "headStats": {
            "numSeries": figures.series,
            "numLabelPairs": figures.label_pairs,
            "chunkCount": figures.chunks,
            "minTime": figures.first,
            "maxTime": figures.last,
        },
        "seriesCountByMetricName": listed(figures.series_by_metric),
        "labelValueCountByLabelName": listed(figures.values_by_label),
        "memoryInBytesByLabelName": listed(figures.bytes_by_label),
        "seriesCountByLabelValuePair": listed(figures.series_by_pair),
    }


# ---------------------------------------------------------------- targets


def targets(active: Sequence[TargetView], dropped: Sequence[DroppedTarget], asked: Parameters) -> dict[str, Any]:
    state, pool = asked.text("state").lower(), asked.text("scrapePool")
    shown: dict[str, Any] = {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}}
    if state in ("", "any", "active"):
        shown["activeTargets"] = [_target(target) for target in active if not pool or target.pool == pool]
    if state in ("", "any", "dropped"):
        shown["droppedTargets"] = [{"discoveredLabels": dict(target.discovered)} for target in dropped]
    for target in active:
        shown["droppedTargetCounts"].setdefault(target.pool, 0)
    for lost in dropped:
        job = lost.discovered.get("job", "")
        shown["droppedTargetCounts"][job] = shown["droppedTargetCounts"].get(job, 0) + 1
    return shown


def _target(target: TargetView) -> dict[str, Any]:
    return {
        "discoveredLabels": dict(target.discovered),
        "labels": dict(target.labels),
        "scrapePool": target.pool,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": target.last_error,
        "lastScrape": moment(target.last_scrape),
        "lastScrapeDuration": target.last_duration,
        "health": target.health,
        "scrapeInterval": show_duration(round(target.interval * 1000)),
        "scrapeTimeout": show_duration(round(target.timeout * 1000)),
    }


# ---------------------------------------------------------------- rules and alerts


def rules(groups: Sequence[RuleGroupView], asked: Parameters) -> dict[str, Any]:
    """With Prometheus' filters: `type`, `rule_name[]`, `rule_group[]`, `file[]`, `match[]`, `exclude_alerts`, and pages by
    `group_limit` and `group_next_token`.
    """
    kind = asked.text("type").lower()
    if kind not in ("", "alert", "record"):
        raise invalid("type", f'not supported value "{kind}"')
    names, group_names, files = asked.all("rule_name[]"), asked.all("rule_group[]"), asked.all("file[]")
    sets = asked.matcher_sets()
    with_alerts = not _truth(asked, "exclude_alerts")
    filtered = bool(names or sets or kind)
    found = []
    for group in groups:
        if (group_names and group.name not in group_names) or (files and group.file not in files):
            continue
        kept = [rule for rule in group.rules if _asked_for(rule, kind, names, sets)]
        if kept or not filtered:
            found.append(_group(group, [_rule(rule, with_alerts) for rule in kept]))
    return _page(found, asked)


def _asked_for(rule: RuleView, kind: str, names: Sequence[str], sets: Sequence[Sequence[Matcher]]) -> bool:
    return (
        (not kind or (kind == "record") == rule.record)
        and (not names or rule.name in names)
        and (not sets or any(all(m.test(rule.labels.get(m.name, "")) for m in matchers) for matchers in sets))
    )


def _page(groups: list[dict[str, Any]], asked: Parameters) -> dict[str, Any]:
    limit, token = asked.number("group_limit"), asked.text("group_next_token")
    if token and not limit:
        raise invalid("group_limit", "group_limit needs to be set in order to paginate over the groups")
    if not limit:
        return {"groups": groups}
    tokens = [f"{group['file']};{group['name']}" for group in groups]
    start = 0
    if token:
        if token not in tokens:
            raise BadDataError(f"invalid group_next_token '{token[:200]}'. were rule groups changed?")
        start = tokens.index(token)
    shown: dict[str, Any] = {"groups": groups[start : start + limit]}
    if start + limit < len(groups):
        shown["groupNextToken"] = tokens[start + limit]
    return shown


def _group(group: RuleGroupView, shown: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": group.name,
        "file": group.file,
        "rules": shown,
        "interval": group.interval,
        "limit": group.limit,
        "evaluationTime": group.evaluation_time,
        "lastEvaluation": moment(group.last_evaluation),
    }


def _rule(rule: RuleView, with_alerts: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": rule.name, "query": rule.query, "health": rule.health}
    if rule.labels or not rule.record:
        shown["labels"] = dict(rule.labels)
    if rule.last_error:
        shown["lastError"] = rule.last_error
    shown |= {"evaluationTime": rule.evaluation_time, "lastEvaluation": moment(rule.last_evaluation)}
    if rule.record:
        return shown | {"type": "recording"}
    return shown | {
        "state": rule.state,
        "duration": rule.duration,
        "keepFiringFor": rule.keep_firing_for,
        "annotations": dict(rule.annotations),
        "alerts": [alert(each) for each in rule.alerts] if with_alerts else [],
        "type": "alerting",
    }


def alert(each: ActiveAlert) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "labels": dict(each.labels),
        "annotations": dict(each.annotations),
        "state": each.state,
        "activeAt": moment(each.active_at),
        "value": _scientific(each.value),
    }
    if each.keep_firing_since:
        shown["keepFiringSince"] = moment(each.keep_firing_since)
    return shown


def _scientific(value: float) -> str:
    """An alert's value has an exponent always (strconv 'e' -1)."""
    if value != value or value in (float("inf"), float("-inf")):
        return go_float(value)
    # The shortest digits that round-trip, one before the point.
    return next(text for precision in range(17) if float(text := f"{value:.{precision}e}") == value)


def _truth(asked: Parameters, name: str) -> bool:
    text = asked.text(name)
    if text.lower() not in ("", "0", "1", "t", "f", "true", "false"):
        raise invalid(name, f'error converting {name}: strconv.ParseBool: parsing "{text[:100]}": invalid syntax')
    return text.lower() in ("1", "t", "true")


def moment(seconds: float) -> str:
    """RFC 3339 with milliseconds; Go's zero time for 0."""
    if not seconds:
        return _NEVER
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wanted_metadata(known: Mapping[str, Any], asked: Parameters) -> dict[str, list[dict[str, str]]]:
    """`/api/v1/metadata`: one entry a metric, filtered by `metric`, cut at `limit`."""
    limit, per_metric, name = asked.number("limit", -1), asked.number("limit_per_metric", -1), asked.text("metric")
    found: dict[str, list[dict[str, str]]] = {}
    if name and name not in known:
        name = next((sent for sent in known if promql_name(sent) == name), name)
    for metric in [name] if name else sorted(known):
        if 0 <= limit <= len(found):
            break
        entry = known.get(metric)
        if entry is not None:
            shown = [{"type": entry.type, "help": entry.help, "unit": entry.unit}]
            found[metric] = shown[:per_metric] if per_metric > 0 else shown
    return found
