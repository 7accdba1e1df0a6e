"""One [[rule]] table: every key checked, every problem reported with its place and, where it is plain, its mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

from monitor.alerting.checked_table import CONTROL, CheckedTable, Report, kind_of, nearest, quoted, quoted_number, shown
from monitor.alerting.fields import DEFAULT_FIELD
from monitor.alerting.model import SEVERITIES, Comparison, Condition, Rule
from monitor.alerting.wording import PLACEHOLDER, PLAIN_PLACEHOLDERS
from monitor.model.matchers import NAME_TAG, Matcher, Selector, SelectorError, parse_matchers, parse_selector
from monitor.model.series import MAX_NAME, MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS
from monitor.text.toml_map import Path
from monitor.windows.frame import FIELDS, is_field

MIN_WINDOW, MAX_WINDOW = 1.0, 3600.0
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
)
_CONDITION_KEYS = ("type", "operator", "value", "window", "field", "recovery")
_OPERATORS: tuple[Comparison, ...] = get_args(Comparison)
_OPERATOR_SYMBOLS = {
    ">": "gt",
    ">=": "gte",
    "≥": "gte",
    "<": "lt",
    "<=": "lte",
    "≤": "lte",
    "=": "eq",
    "==": "eq",
    "!=": "ne",
    "≠": "ne",
}
_FIELD_WORDS = {"avg": "mean", "average": "mean", "median": "p50", "maximum": "max", "minimum": "min", "total": "sum"}
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
    selector = _selector(reader)
    condition = _condition(reader)
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
    )
    return rule if len(report.problems) == before else None


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


def _condition(reader: CheckedTable) -> Condition:
    table = reader.table.get("condition")
    example = '{ type = "threshold", operator = "gt", value = 100, window = "5m" }'
    if not isinstance(table, dict):
        if table is None:
            reader.missing("condition", f"condition = {example}")
        else:
            reader.refuse("condition", f"condition is {kind_of(table)}; write {example}")
        return Condition("gt", 0.0, 300.0, DEFAULT_FIELD)
    inner = CheckedTable(table, (*reader.path, "condition"), reader.report)
    reader.report.unknown_keys(inner.path, table, _CONDITION_KEYS)
    inner.choice("type", ("threshold",), {}, None)
    chosen = inner.choice("operator", _OPERATORS, _OPERATOR_SYMBOLS, None)
    operator: Comparison = next(known for known in _OPERATORS if known == chosen)
    value = inner.number("value")
    if "value" not in table:
        inner.missing("value", "value = 100")
    if "window" not in table:
        inner.missing("window", 'window = "5m"')
    window = inner.duration("window", 300.0, MIN_WINDOW, MAX_WINDOW)
    recovery = inner.number("recovery")
    if value is not None and recovery is not None:
        _check_recovery(inner, operator, value, recovery)
    return Condition(operator, value or 0.0, window, _field(inner), recovery)


def _check_recovery(reader: CheckedTable, operator: Comparison, value: float, recovery: float) -> None:
    if operator in ("eq", "ne"):
        reader.refuse("recovery", f"recovery has no meaning with operator {operator}; take it out")
    elif operator in ("gt", "gte") and recovery > value:
        reader.refuse("recovery", f"recovery must not be above value ({value:g}): the alert would end and start again")
    elif operator in ("lt", "lte") and recovery < value:
        reader.refuse("recovery", f"recovery must not be below value ({value:g}): the alert would end and start again")


def _field(reader: CheckedTable) -> str:
    field = reader.table.get("field", DEFAULT_FIELD)
    if isinstance(field, str) and is_field(field):
        return field
    if not isinstance(field, str):
        reader.refuse("field", f"field is {kind_of(field)}; write text in quotes")
    else:
        meant = _FIELD_WORDS.get(field.lower()) or nearest(field.lower(), FIELDS)
        advice = f'did you mean "{meant}"?' if meant else f"known are {', '.join(FIELDS)} and any quantile (p99.9)"
        reader.refuse("field", f'unknown field "{shown(field)}"; {advice}', quoted(meant))
    return DEFAULT_FIELD


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
