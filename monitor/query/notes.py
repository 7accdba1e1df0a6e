"""What a query's answer has to be read with: warnings and infos, in Prometheus' words and at their place in the text.

Source: Prometheus, util/annotations/annotations.go.
"""

from __future__ import annotations

import math

from monitor.query.ast import NOWHERE, Expr, Span, String
from monitor.query.quoting import go_quote

MAX_NOTES = 100
"""Of each kind; what comes beyond is counted, not kept."""

ADDITION, SUBTRACTION, AGGREGATION = "addition", "subtraction", "aggregation"


class Notes:
    """Collects notes while a query is evaluated. The same words are kept once, at the place that said them last."""

    def __init__(self, text: str = "") -> None:
        self._text = text
        self._warnings: dict[str, Span] = {}
        self._infos: dict[str, Span] = {}
        self._omitted: dict[str, int] = {}

    def warn(self, message: str, span: Span) -> None:
        self._keep("warning", self._warnings, message, span)

    def info(self, message: str, span: Span) -> None:
        self._keep("info", self._infos, message, span)

    def _keep(self, kind: str, kept: dict[str, Span], message: str, span: Span) -> None:
        whole = f"PromQL {kind}: {message}"
        if whole in kept or len(kept) < MAX_NOTES:
            kept[whole] = span
        else:
            self._omitted[kind] = self._omitted.get(kind, 0) + 1

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._shown("warning", self._warnings)

    @property
    def infos(self) -> tuple[str, ...]:
        return self._shown("info", self._infos)

    def _shown(self, kind: str, kept: dict[str, Span]) -> tuple[str, ...]:
        shown = tuple(message + self._place(span) for message, span in kept.items())
        more = self._omitted.get(kind, 0)
        return (*shown, f"{more} more {kind} annotations omitted") if more else shown

    def _place(self, span: Span) -> str:
        if span == NOWHERE:
            return ""
        start = span[0]
        return f" ({self._text.count(chr(10), 0, start) + 1}:{start - self._text.rfind(chr(10), 0, start)})"

    def source(self, expr: Expr | None) -> str:
        """An expression's own text, where the query's is known; else a string as Go quotes it."""
        if expr is None or not self._text:
            return go_quote(expr.value) if isinstance(expr, String) else ""
        return self._text[slice(*expr.span)]

    def mixed_samples(self, name: str, span: Span) -> None:
        self.warn(f"encountered a mix of histograms and floats for metric name {go_quote(name)}", span)

    def mixed_aggregation(self, span: Span) -> None:
        self.warn("encountered a mix of histograms and floats for aggregation", span)

    def mixed_buckets(self, name: str, span: Span) -> None:
        words = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
        self.warn(f"{words} {go_quote(name)}", span)

    def mixed_classic(self, name: str, span: Span) -> None:
        self.warn("vector contains a mix of classic and native histograms" + _for_metric(name), span)

    def overlapping_starts(self, name: str, span: Span) -> None:
        words = "sample has start time that overlaps with previous sample timestamp"
        self.warn(f"{words} for metric {go_quote(name)}", span)

    def not_a_counter(self, name: str, span: Span) -> None:
        self.warn(f"this native histogram metric is not a counter: {go_quote(name)}", span)

    def not_a_gauge(self, name: str, span: Span) -> None:
        self.warn(f"this native histogram metric is not a gauge: {go_quote(name)}", span)

    def collided_resets(self, operation: str, span: Span) -> None:
        self.warn(f"conflicting counter resets during histogram {operation}", span)

    def reconciled_bounds(self, operation: str, span: Span) -> None:
        self.info(f"mismatched custom buckets were reconciled during {operation}", span)

    def bad_quantile(self, quantile: float, span: Span) -> None:
        self.warn(f"quantile value should be between 0 and 1, got {go_float(quantile)}", span)

    def bad_ratio(self, ratio: float, cap: float, span: Span) -> None:
        words = f"ratio value should be between -1 and 1, got {go_float(ratio)}, capping to {go_float(cap)}"
        self.warn(words, span)

    def bad_bucket(self, name: str, label: str, span: Span) -> None:
        words = f'bucket label "le" is missing or has a malformed value of {go_quote(label)}'
        self.warn(words + _for_metric(name), span)

    def maybe_no_counter(self, name: str, span: Span) -> None:
        words = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        self.info(f"{words} {go_quote(name)}", span)

    def ignored_in_aggregation(self, operation: str, span: Span) -> None:
        self.info(f"ignored histogram in {operation} aggregation", span)

    def ignored_in_range(self, name: str, span: Span) -> None:
        words = "ignored histograms in a range containing both floats and histograms for metric name"
        self.info(f"{words} {go_quote(name)}", span)

    def incompatible_types(self, left: str, operator: str, right: str, span: Span) -> None:
        words = f"incompatible sample types encountered for binary operator {go_quote(operator)}"
        self.info(f"{words}: {left} {operator} {right}", span)

    def incompatible_layout(self, operator: str, span: Span) -> None:
        self.warn(f"incompatible bucket layout encountered for binary operator {operator}", span)

    def sort_in_range(self, span: Span) -> None:
        self.warn("sort is ineffective for range queries since results are always ordered by labels", span)

    def nan_quantile(self, name: str, skewed: bool, span: Span) -> None:
        effect = "result is skewed higher" if skewed else "result is NaN"
        self.info(f"input to histogram_quantile has NaN observations, {effect}" + _for_metric(name), span)

    def nan_fraction(self, name: str, span: Span) -> None:
        words = "input to histogram_fraction has NaN observations, which are excluded from all fractions"
        self.info(words + _for_metric(name), span)

    def forced_monotonic(self, name: str, span: Span) -> None:
        see = "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile"
        self.info(f"input to histogram_quantile needed to be fixed for monotonicity (see {see})" + _for_metric(name), span)


def _for_metric(name: str) -> str:
    return f" for metric name {go_quote(name)}" if name else ""


def go_float(value: float) -> str:
    """A float as Go's %g and FormatFloat(v, 'g', -1) show it."""
    special = _special(value)
    if special:
        return special
    sign, digits, exponent = _shortest(value)
    if exponent < -4 or exponent >= 6:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return sign + _plain(digits, exponent)


def plain_float(value: float) -> str:
    """A float without an exponent: Go's FormatFloat(v, 'f', -1)."""
    special = _special(value)
    if special:
        return special
    sign, digits, exponent = _shortest(value)
    return sign + _plain(digits, exponent)


def metrics_float(value: float) -> str:
    """A float as OpenMetrics writes it in a label: `1.0`, `0.99`."""
    shown = go_float(value)
    return shown if any(mark in shown for mark in ".eNI") else shown + ".0"


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "" if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")


def _shortest(value: float) -> tuple[str, str, int]:
    """Sign, the shortest digits that tell the value, and the exponent of the first of them."""
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole) - 1 - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    return sign, digits, (leading + int(power or 0)) if value else 0


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits.ljust(exponent + 1, "0")
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
