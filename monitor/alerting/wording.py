"""Rules and alerts in plain words: sentences, numbers, summaries with their placeholders filled in."""

from __future__ import annotations

import re

from monitor.alerting.conditions import (
    AbsenceCondition,
    CompositeCondition,
    PredictiveCondition,
    QueryCondition,
    RateCondition,
    ScoreCondition,
)
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
PLAIN_PLACEHOLDERS = ("value", "threshold", "name", "severity", "detail")
_MAX_TEXT = 1000
_MAX_FILLED = 4000


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
    text = f"when {_met(rule, kind)}"
    if rule.for_seconds:
        text += f" for {duration_words(rule.for_seconds)}"
    condition = rule.condition
    if condition.recovery is not None and condition.operator in _PAST_RECOVERY:
        text += f", until it is {_PAST_RECOVERY[condition.operator]} {number_text(condition.recovery)}"
    if rule.keep_firing_for:
        text += f", and for {duration_words(rule.keep_firing_for)} after"
    if rule.no_data == "alert":
        text += "; also when there are no data"
    if rule.enabled:
        return f"Alerts {rule.severity} {text}."
    return f"Switched off; would alert {rule.severity} {text}."


def _met(rule: Rule, kind: Kind | None) -> str:
    """When the condition holds, as the words after "when"."""
    condition = rule.condition
    limit = f"{COMPARISON_WORDS[condition.operator]} {number_text(condition.value)}"
    if isinstance(condition, QueryCondition):
        return f"{_shortened(condition.expression)} gives a series"
    if isinstance(condition, CompositeCondition):
        by = f", for each {', '.join(condition.by)}" if condition.by else ""
        return f"{condition.expression} holds of the rules{by}"
    if isinstance(condition, AbsenceCondition):
        return f"nothing comes from {rule.selector} for {duration_words(condition.window)}"
    subject = _subject(rule, kind)
    if isinstance(condition, RateCondition):
        unit = " %" if condition.unit == "percent" else ""
        return f"the change of {subject} against {duration_words(condition.against)} earlier is {limit}{unit}"
    if isinstance(condition, PredictiveCondition):
        way = "rises above" if condition.operator in ("gt", "gte") else "falls below"
        sure = f"{100 * condition.confidence:g} % sure, from the last {duration_words(condition.window)}"
        return f"{subject} {way} {number_text(condition.value)} within {duration_words(condition.horizon)} ({sure})"
    if isinstance(condition, ScoreCondition):
        return f"the detector {condition.detector} gives {subject} a score {limit}"
    return f"{subject} is {limit}"


def _subject(rule: Rule, kind: Kind | None) -> str:
    condition = rule.condition
    field = condition.field
    if field == DEFAULT_FIELD and kind is not None:
        field = judged_field(field, kind)
    subject = f"{field_words(field)} {rule.selector}".strip()
    if rule.group_by is not None:
        over = f" for each {', '.join(rule.group_by)}" if rule.group_by else " together"
        subject = f"{_AGGREGATE_WORDS[rule.aggregate]} {subject}{over}"
    if field not in WITHOUT_WINDOW and not isinstance(condition, PredictiveCondition):
        subject += f" over {duration_words(condition.window)}"
    return subject


_AGGREGATE_WORDS = {
    "sum": "the sum of",
    "mean": "the mean of",
    "min": "the lowest of",
    "max": "the highest of",
    "count": "the number of series of",
}


def _shortened(text: str, limit: int = 200) -> str:
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def title(rule: Rule) -> str:
    """The rule's name, or its id."""
    return rule.name or rule.id


def summary(rule: Rule, alert: Alert) -> str:
    """The rule's summary with its placeholders filled in; a sentence of our own when it has none."""
    if not rule.summary and isinstance(rule.condition, QueryCondition) and alert.detail:
        return f"{title(rule)}: {alert.detail}"[:_MAX_TEXT]  # an annotation, filled in where the rule was judged
    if not rule.summary:
        return f"{title(rule)}: {reading(alert)}"
    return _filled(rule.summary, rule, alert)


def flapping_words(alert: Alert) -> str:
    """What is added to its summary while it flaps, "" otherwise."""
    return " It is flapping; its turns are not told one by one until it has settled." if alert.flapping is not None else ""


def description(rule: Rule, alert: Alert) -> str:
    """The rule's description with its placeholders filled in, "" when it has none."""
    return _filled(rule.description, rule, alert)


def _filled(text: str, rule: Rule, alert: Alert) -> str:
    labels = dict(alert.labels)
    plain = {
        "value": number_text(alert.value),
        "threshold": number_text(alert.threshold),
        "name": title(rule),
        "severity": alert.severity,
        "detail": alert.detail,
    }

    def fill(found: re.Match[str]) -> str:
        name = found.group(1).strip()
        if name.startswith("labels."):
            return labels.get(name.removeprefix("labels."), "")
        return plain.get(name, found.group())

    return PLACEHOLDER.sub(fill, text)[: _MAX_TEXT if text is rule.summary else _MAX_FILLED]


def reading(alert: Alert) -> str:
    """`errors{env="prod"} is 140, above 100.`, with what else is known of it."""
    name = series_text(alert)
    more = f" ({alert.detail})" if alert.detail else ""
    if alert.value is None:
        return f"{name} has no data{more}."
    if alert.threshold == 0 and alert.operator == "ne":
        return f"{name} is {number_text(alert.value)}{more}."  # a query's series is an alert whatever its value
    limit = f"{COMPARISON_WORDS[alert.operator]} {number_text(alert.threshold)}"
    return f"{name} is {number_text(alert.value)}, {limit}{more}."


def series_text(alert: Alert) -> str:
    """The series of an alert as people write it; the labels alone where a query has taken its name away."""
    if alert.series is None:
        return dict(alert.labels).get("__name__", alert.rule_id)
    if alert.series.name or alert.series.tags:
        return alert.series.label()
    return alert.rule_id
