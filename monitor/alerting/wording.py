"""Rules and alerts in plain words: sentences, numbers, summaries with their placeholders filled in."""

from __future__ import annotations

import re

from monitor.alerting.durations import duration_words
from monitor.alerting.fields import DEFAULT_FIELD, WITHOUT_WINDOW, field_words, judged_field
from monitor.alerting.model import Alert, Comparison, Rule
from monitor.model.series import Kind

COMPARISON_WORDS: dict[Comparison, str] = {
    "gt": "above",
    "gte": "at or above",
    "lt": "below",
    "lte": "at or below",
    "eq": "equal to",
    "ne": "not equal to",
}
_PAST_RECOVERY: dict[Comparison, str] = {"gt": "at or below", "gte": "below", "lt": "at or above", "lte": "above"}
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PLAIN_PLACEHOLDERS = ("value", "threshold", "name", "severity")
_MAX_TEXT = 1000


def number_text(value: float | None) -> str:
    """A number for people: 4 significant digits, thousands apart; None and NaN are "no data"."""
    if value is None or value != value:
        return "no data"
    if abs(value) >= 1e15 or abs(value) < 1:
        return f"{value:.4g}"
    whole = int(value)
    if value == whole:
        return f"{whole:,}"
    digits = max(0, 4 - len(str(abs(whole))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def sentence(rule: Rule, kind: Kind | None = None) -> str:
    """What the rule does, in one sentence. With the `kind` of its series a missing field is named too."""
    condition = rule.condition
    field = condition.field
    if field == DEFAULT_FIELD and kind is not None:
        field = judged_field(field, kind)
    subject = f"{field_words(field)} {rule.selector}".strip()
    if field not in WITHOUT_WINDOW:
        subject += f" over {duration_words(condition.window)}"
    text = f"when {subject} is {COMPARISON_WORDS[condition.operator]} {number_text(condition.value)}"
    if rule.for_seconds:
        text += f" for {duration_words(rule.for_seconds)}"
    if condition.recovery is not None and condition.operator in _PAST_RECOVERY:
        text += f", until it is {_PAST_RECOVERY[condition.operator]} {number_text(condition.recovery)}"
    if rule.enabled:
        return f"Alerts {rule.severity} {text}."
    return f"Switched off; would alert {rule.severity} {text}."


def title(rule: Rule) -> str:
    """The rule's name, or its id."""
    return rule.name or rule.id


def summary(rule: Rule, alert: Alert) -> str:
    """The rule's summary with its placeholders filled in; a sentence of our own when it has none."""
    if not rule.summary:
        return f"{title(rule)}: {reading(alert)}"
    labels = dict(alert.labels)
    plain = {
        "value": number_text(alert.value),
        "threshold": number_text(alert.threshold),
        "name": title(rule),
        "severity": alert.severity,
    }

    def fill(found: re.Match[str]) -> str:
        name = found.group(1).strip()
        if name.startswith("labels."):
            return labels.get(name.removeprefix("labels."), "")
        return plain.get(name, found.group())

    return PLACEHOLDER.sub(fill, rule.summary)[:_MAX_TEXT]


def reading(alert: Alert) -> str:
    """`errors{env="prod"} is 140, above 100.`"""
    name = series_text(alert)
    if alert.value is None:
        return f"{name} has no data."
    limit = f"{COMPARISON_WORDS[alert.operator]} {number_text(alert.threshold)}"
    return f"{name} is {number_text(alert.value)}, {limit}."


def series_text(alert: Alert) -> str:
    """The series of an alert as people write it."""
    return alert.series.label() if alert.series is not None else dict(alert.labels).get("__name__", alert.rule_id)
