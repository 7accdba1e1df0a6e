"""One [[rule]] table: every key checked, every problem reported with its place and, where it is plain, its mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

from monitor.alerting.checked_table import CONTROL, CheckedTable, Report, kind_of, nearest, quoted, quoted_number, shown
from monitor.alerting.condition_reader import WITHOUT_METRIC, condition_type, read_condition, read_labels
from monitor.alerting.conditions import AbsenceCondition, Aggregate, QueryCondition
from monitor.alerting.flapping_reader import read_flapping
from monitor.alerting.model import SEVERITIES, NoData, Rule, Schedule
from monitor.alerting.routing.times import TimeIntervalError, read_interval
from monitor.alerting.wording import PLACEHOLDER, PLAIN_PLACEHOLDERS
from monitor.model.matchers import NAME_TAG, Matcher, Selector, SelectorError, parse_matchers, parse_selector
from monitor.model.series import MAX_NAME, MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS
from monitor.text.toml_map import Path

MAX_WAIT = 30 * 86_400.0
RESERVED_LABELS = ("alertname", "severity", NAME_TAG)

_RULE_KEYS = (
    "id",
    "name",
    "metric",
    "tags",
    "condition",
    "severity",
    "actions",
    "cooldown",
    "for",
    "summary",
    "runbook_url",
    "enabled",
    "labels",
    "description",
    "keep_firing_for",
    "no_data",
    "group_by",
    "aggregate",
    "schedule",
    "flapping",
)
NOTHING = Selector((Matcher(NAME_TAG, "=", ""),))
"""The selector of a rule that names what it watches in its condition: no series has an empty name."""
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
_ACTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,127}")
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028-\u202e\u2066-\u2069]")


def read_rule(table: dict[str, Any], number: int, report: Report) -> Rule | None:
    """The rule of the table, None when it has problems (which are in the report)."""
    before = len(report.problems)
    path: Path = ("rule", number)
    report.unknown_keys(path, table, _RULE_KEYS)
    reader = CheckedTable(table, path, report)
    name = reader.pattern("id", _ID, "letters, digits and _ . : - (at most 128)", required=True)
    free = condition_type(table) in WITHOUT_METRIC
    selector = NOTHING if free else _selector(reader)
    if free and ("metric" in table or "tags" in table):
        reader.refuse(
            "metric" if "metric" in table else "tags", "this type of condition names what it watches itself; take it out"
        )
    condition = read_condition(reader)
    group_by = None if free else read_labels(reader, "group_by")
    rule = Rule(
        id=name,
        selector=selector,
        condition=condition,
        severity=_severity(reader),
        name=reader.text("name", 200),
        actions=_actions(reader),
        cooldown=reader.duration("cooldown", 300.0, 0.0, MAX_WAIT),
        for_seconds=reader.duration("for", 0.0, 0.0, MAX_WAIT),
        summary=_summary(reader),
        runbook_url=_runbook(reader),
        enabled=reader.flag("enabled", True),
        labels=_labels(reader),
        file=report.file,
        line=report.line(path),
        description=reader.text("description", 4000),
        keep_firing_for=reader.duration("keep_firing_for", 0.0, 0.0, MAX_WAIT),
        no_data=_no_data(reader),
        group_by=group_by,
        aggregate=_aggregate(reader, group_by),
        schedule=_schedule(reader),
        flapping=read_flapping(reader),
    )
    _check_grouping(reader, rule)
    return rule if len(report.problems) == before else None


def _no_data(reader: CheckedTable) -> NoData:
    aliases = {"alerting": "alert", "fire": "alert", "resolve": "ok", "normal": "ok", "last": "keep", "keep_last": "keep"}
    chosen = reader.choice("no_data", get_args(NoData), aliases, "keep")
    return next(known for known in get_args(NoData) if known == chosen)


def _aggregate(reader: CheckedTable, group_by: tuple[str, ...] | None) -> Aggregate:
    if "aggregate" in reader.table and group_by is None:
        reader.refuse("aggregate", "aggregate needs group_by; group_by = [] takes all series together")
    chosen = reader.choice("aggregate", get_args(Aggregate), {"avg": "mean", "average": "mean", "total": "sum"}, "sum")
    return next(known for known in get_args(Aggregate) if known == chosen)


def _schedule(reader: CheckedTable) -> Schedule | None:
    said = reader.table.get("schedule")
    if said is None:
        return None
    if not isinstance(said, dict):
        reader.refuse(
            "schedule", f'schedule is {kind_of(said)}; write {{ times = ["09:00-17:00"], weekdays = ["monday:friday"] }}'
        )
        return None
    try:
        read_interval(said)
    except TimeIntervalError as error:
        reader.refuse("schedule", f"schedule: {error}")
        return None
    parts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else (value,) for key, value in said.items()}
    return Schedule(**(parts | {"time_zone": said.get("time_zone", "UTC")}))


def _check_grouping(reader: CheckedTable, rule: Rule) -> None:
    if rule.group_by is not None and isinstance(rule.condition, AbsenceCondition):
        reader.refuse("group_by", "absence is judged for each series; take group_by out")
    if rule.no_data == "alert" and isinstance(rule.condition, AbsenceCondition | QueryCondition):
        reader.refuse("no_data", "this condition always has data; take no_data out")


def _selector(reader: CheckedTable) -> Selector:
    metric = reader.table.get("metric")
    matchers: tuple[Matcher, ...] = ()
    if metric is None:
        reader.missing("metric", 'metric = "name" or metric = ["part", "part"]')
    elif isinstance(metric, list):
        matchers = _metric_parts(reader, metric)
    elif isinstance(metric, str):
        try:
            matchers = parse_selector(metric[:10_000]).matchers
        except SelectorError as error:
            reader.refuse("metric", f"metric: {error}")
        else:
            if not matchers:
                reader.refuse("metric", "metric selects everything; name a metric")
    else:
        reader.refuse("metric", f"metric is {kind_of(metric)}; write text or a list of parts")
    return Selector(matchers + _tags(reader))


def _metric_parts(reader: CheckedTable, parts: list[Any]) -> tuple[Matcher, ...]:
    for number, part in enumerate(parts):
        if not isinstance(part, str) or not part:
            reader.report.add((*reader.path, "metric", number), "each part of metric is text", quoted_number(part))
            return ()
    name = ".".join(parts)
    if not 0 < len(name) <= MAX_NAME:
        reader.refuse("metric", f"the metric's name has {len(name)} characters (1 to {MAX_NAME})")
        return ()
    if any(sign in name for sign in '{}"\n'):
        reader.refuse("metric", "parts cannot hold a selector; write metric = 'name{tag=\"value\"}' or use tags")
        return ()
    return (Matcher(NAME_TAG, "=", name),)


def _tags(reader: CheckedTable) -> tuple[Matcher, ...]:
    tags = reader.table.get("tags")
    if tags is None:
        return ()
    if isinstance(tags, str):
        try:
            return parse_matchers(tags[:10_000])
        except SelectorError as error:
            reader.refuse("tags", f"tags: {error}")
            return ()
    if isinstance(tags, dict):
        return tuple(Matcher(key, "=", value) for key, value in _pairs(reader, "tags", tags))
    reader.refuse("tags", f'tags is {kind_of(tags)}; write {{env = "prod"}} or \'env="prod", host=~"web.*"\'')
    return ()


def _severity(reader: CheckedTable) -> Any:
    aliases = {
        "crit": "critical",
        "error": "critical",
        "high": "critical",
        "warn": "warning",
        "low": "info",
        "information": "info",
    }
    return reader.choice("severity", SEVERITIES, aliases, "warning")


def _actions(reader: CheckedTable) -> tuple[str, ...]:
    actions = reader.table.get("actions", ["log"])
    if not isinstance(actions, list):
        reader.refuse("actions", f'actions is {kind_of(actions)}; write a list: actions = ["log"]', _as_list(actions))
        return ()
    if len(actions) > 16:
        reader.refuse("actions", f"{len(actions)} actions (at most 16)")
        return ()
    for number, action in enumerate(actions):
        if not isinstance(action, str) or not _ACTION.fullmatch(action):
            reader.report.add((*reader.path, "actions", number), 'an action is named with letters, digits and _ . -, as in "log"')
            return ()
    return tuple(dict.fromkeys(actions))


def _summary(reader: CheckedTable) -> str:
    text = reader.text("summary", 500)
    for found in PLACEHOLDER.finditer(text):
        name = found.group(1).strip()
        if name in PLAIN_PLACEHOLDERS or (name.startswith("labels.") and len(name) > len("labels.")):
            continue
        meant = nearest(name, PLAIN_PLACEHOLDERS)
        advice = f"did you mean {{{meant}}}?" if meant else "known are {value}, {threshold}, {name}, {severity} and {labels.NAME}"
        reader.refuse("summary", f"summary: unknown placeholder {{{shown(name)}}}; {advice}")
        break
    return text


def _runbook(reader: CheckedTable) -> str:
    url = reader.text("runbook_url", 2048)
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        reader.refuse("runbook_url", "runbook_url is not an address; write https://…")
        return ""
    if parts.scheme not in ("http", "https") or not host:
        fix = f"https://{url}" if "://" not in url and re.match(r"[\w-]+(\.[\w-]+)+(/|$)", url) else ""
        reader.refuse("runbook_url", "runbook_url must begin with http:// or https:// and name a host", quoted(fix))
    elif _CONTROL_OR_SPACE.search(url):
        reader.refuse("runbook_url", "runbook_url contains a space or control character")
    return url


def _labels(reader: CheckedTable) -> tuple[tuple[str, str], ...]:
    labels = reader.table.get("labels")
    if labels is None:
        return ()
    if not isinstance(labels, dict):
        reader.refuse("labels", f'labels is {kind_of(labels)}; write {{team = "shop"}}')
        return ()
    pairs = _pairs(reader, "labels", labels)
    for key, _ in pairs:
        if key in RESERVED_LABELS:
            reader.report.add(
                (*reader.path, "labels", key), f'the label "{key}" is set by Lightship; choose another name', at_key=True
            )
        elif not _LABEL.fullmatch(key):
            reason = f'the label name "{shown(key)}" may only have letters, digits and _ .'
            reader.report.add((*reader.path, "labels", key), reason, at_key=True)
    return tuple(sorted(pairs))


def _pairs(reader: CheckedTable, key: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    if len(table) > MAX_TAGS:
        reader.refuse(key, f"{key} has {len(table)} entries (at most {MAX_TAGS})")
        return []
    pairs = []
    for name, value in table.items():
        where = (*reader.path, key, name)
        if not isinstance(value, str):
            reader.report.add(where, f"{shown(name)} is {kind_of(value)}; write text in quotes", quoted_number(value))
        elif not name or len(name) > MAX_TAG_KEY or len(value) > MAX_TAG_VALUE or CONTROL.search(name + value):
            reader.report.add(where, f"{shown(name)} is empty, over its length or has a control character")
        else:
            pairs.append((name, value))
    return pairs


def _as_list(value: object) -> str:
    return f"[{quoted(value)}]" if isinstance(value, str) and _ACTION.fullmatch(value) else ""
