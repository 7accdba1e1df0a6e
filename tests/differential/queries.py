"""300 queries over the shop: some chosen, most grown from a grammar with a fixed seed; all in the language of Prometheus 2.42."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.differential.data import LENGTH, START

CHOSEN = """
up == 0
sum(up) / count(up)
sum without (instance) (rate(http_requests_total[5m]))
sum by (code) (rate(http_requests_total[5m])) / ignoring (code) group_left () sum(rate(http_requests_total[5m]))
1 - avg by (instance) (rate(cpu_seconds_total{mode="idle"}[2m])) / 15
histogram_quantile(0.9, sum by (le) (rate(request_duration_seconds_bucket[5m])))
histogram_quantile(0.5, rate(request_duration_seconds_bucket{path="/buy"}[3m]))
histogram_quantile(0.99, sum by (le, instance) (increase(request_duration_seconds_bucket[10m])))
histogram_quantile(1.5, sum by (le) (rate(request_duration_seconds_bucket[5m])))
rate(request_duration_seconds_sum[5m]) / rate(request_duration_seconds_count[5m])
topk(3, rate(http_requests_total[5m]))
bottomk by (job) (2, temperature_celsius)
topk by (zone) (1, sum by (zone, code) (rate(http_requests_total[7m])))
quantile(0.75, temperature_celsius)
quantile by (sensor) (0.1, temperature_celsius)
count_values("state", up)
count_values by (zone) ("version", build_info)
stddev by (sensor) (temperature_celsius)
stdvar(node_load1)
group by (zone) (up)
node_load1 and on (instance) (up == 1)
node_load1 unless on (instance) (up == 0)
node_load1 > 2.5 or temperature_celsius > 60
up * on (instance, job) group_left (version) build_info
build_info * on (instance) group_right (version) node_load1
node_load1 + on (instance) up
absent(nothing{job="x", zone="y"})
absent(up)
absent_over_time(nothing[5m])
absent_over_time(up{instance="host0:9100"}[3m])
sum(increase(http_requests_total{code="500"}[1h]))
max_over_time(rate(http_requests_total{code="200"}[2m])[31m7ms:1m])
avg_over_time(sum(up)[17m7ms:30s])
quantile_over_time(0.9, node_load1[10m])
rate(http_requests_total[5m] offset 10m)
rate(http_requests_total[5m]) / rate(http_requests_total[5m] offset 1h)
node_load1 - node_load1 offset 5m
node_load1 @ 1700003000
sum(rate(http_requests_total[5m] @ end()))
rate(http_requests_total[5m] @ start())
predict_linear(disk_used_bytes[30m], 3600)
deriv(disk_used_bytes[20m])
delta(temperature_celsius{sensor="cpu"}[10m])
idelta(temperature_celsius[2m])
irate(http_requests_total{method="get"}[2m])
resets(http_requests_total[1h])
changes(up[30m])
label_replace(up, "host", "$1", "instance", "(.*):.*")
label_join(node_load1, "where", "/", "job", "zone")
sort_desc(node_load1)
sort(sum by (instance) (temperature_celsius))
clamp(node_load1, 1, 2.5)
clamp_min(node_load1, 2)
clamp_max(temperature_celsius, 40)
round(temperature_celsius, 5)
vector(time())
scalar(sum(up)) + 1
time() - timestamp(node_load1)
hour(vector(1700000000)) + minute()
day_of_week(timestamp(up)) + day_of_month() + days_in_month() + month() + year() + day_of_year()
node_load1{zone=~"a|c", job!="edge"}
{__name__=~"node_.*|up", zone="a"}
{job!~"edge|", __name__="up"}
count({__name__=~".+"})
sum by (job) (up) > bool 1
-node_load1 ^ 2
2 ^ -1 * node_load1 % 0.7
node_load1 / 0
sum(http_requests_total) atan2 count(up)
sgn(delta(node_load1[5m]))
last_over_time(temperature_celsius[4m])
present_over_time(up[1m])
stddev_over_time(node_load1[15m]) + stdvar_over_time(node_load1[15m])
count_over_time(up[5m]) - sum_over_time(up[5m])
max(max_over_time(temperature_celsius[1h])) - min(min_over_time(temperature_celsius[1h]))
rate(jobs_started_total[10m])
max_over_time(rate(jobs_started_total[15m])[21m7ms:1m])
holt(1
sum(rate(node_load1))
"text"
3 + 4 * 2
""".strip().splitlines()

_GAUGES = ("node_load1", "temperature_celsius", "disk_used_bytes", "up")
_COUNTERS = ("http_requests_total", "cpu_seconds_total", "request_duration_seconds_count", "request_duration_seconds_sum")
_MATCHERS = (
    "",
    "",
    '{job="node"}',
    '{zone!="a"}',
    '{instance=~"host[12].*"}',
    '{instance!~"host0:9100"}',
    '{job=~"node|edge", zone="b"}',
    '{missing=""}',
)
_COUNTER_RANGES = ("rate", "increase", "irate", "resets")
_GAUGE_RANGES = (
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "present_over_time",
    "delta",
    "idelta",
    "deriv",
    "changes",
)
_RANGES = ("47s", "1m", "2m", "5m", "10m", "23m", "1h")
_OFFSETS = ("", "", "", " offset 2m", " offset 17m", " offset -1m")
_MATHS = (
    "abs",
    "ceil",
    "floor",
    "exp",
    "sqrt",
    "ln",
    "log2",
    "log10",
    "sgn",
    "sin",
    "cos",
    "tanh",
    "atan",
    "deg",
    "rad",
    "asinh",
)
_AGGREGATIONS = ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group")
_GROUPINGS = ("", " by (instance)", " by (job, zone)", " without (instance)", " by (zone)", " by (nothing)")


class Grower:
    """Expressions from a grammar, each as different from the one before as the dice want."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def query(self) -> str:
        return self._vector(self._rng.choice((1, 2, 2, 3)))

    def _vector(self, depth: int) -> str:
        if depth == 0:
            return self._leaf()
        kinds: tuple[Callable[[int], str], ...] = (
            self._aggregation,
            self._aggregation,
            self._arithmetic,
            self._matched,
            self._math,
            self._compared,
            self._set,
            self._subquery,
            self._quantile,
            self._picked,
        )
        return self._rng.choice(kinds)(depth - 1)

    def _leaf(self) -> str:
        rng = self._rng
        kind = rng.random()
        if kind < 0.3:
            return f"{rng.choice(_GAUGES)}{rng.choice(_MATCHERS)}{rng.choice(_OFFSETS)}"
        if kind < 0.65:
            return f"{rng.choice(_COUNTER_RANGES)}({self._range(_COUNTERS)})"
        if kind < 0.7:
            return f"quantile_over_time({rng.choice((0, 0.3, 0.95, 1))}, {self._range(_GAUGES)})"
        if kind < 0.75:
            return f"predict_linear({self._range(_GAUGES)}, {rng.choice((60, 3600))})"
        return f"{rng.choice(_GAUGE_RANGES)}({self._range(_GAUGES)})"

    def _range(self, names: tuple[str, ...]) -> str:
        rng = self._rng
        return f"{rng.choice(names)}{rng.choice(_MATCHERS)}[{rng.choice(_RANGES)}]{rng.choice(_OFFSETS)}"

    def _aggregation(self, depth: int) -> str:
        rng = self._rng
        return f"{rng.choice(_AGGREGATIONS)}{rng.choice(_GROUPINGS)} ({self._vector(depth)})"

    def _arithmetic(self, depth: int) -> str:
        rng = self._rng
        sides = [f"({self._vector(depth)})", str(rng.choice((2, 0.5, -3, 1e6, 0)))]
        rng.shuffle(sides)
        return f" {rng.choice('+-*/%^')} ".join(sides)

    def _matched(self, depth: int) -> str:
        rng = self._rng
        left, right = (f"sum by (instance, zone) ({self._vector(depth)})" for _ in range(2))
        matching = rng.choice(("", "on (instance) ", "ignoring (zone) ", "on (instance, zone) "))
        return f"{left} {rng.choice('+-*/')} {matching}{right}"

    def _compared(self, depth: int) -> str:
        rng = self._rng
        op = rng.choice((">", "<", ">=", "!=", "== bool", "> bool", "<= bool"))
        return f"({self._vector(depth)}) {op} {rng.choice((0, 1, 2.5, 40))}"

    def _set(self, depth: int) -> str:
        rng = self._rng
        op, on = rng.choice(("and", "or", "unless")), rng.choice(("", " on (instance)", " ignoring (code)", " on (zone, job)"))
        return f"({self._vector(depth)}) {op}{on} ({self._vector(depth)})"

    def _math(self, depth: int) -> str:
        return f"{self._rng.choice(_MATHS)}({self._vector(depth)})"

    def _subquery(self, depth: int) -> str:
        # Some milliseconds more than whole seconds: a step never falls on the edge of the range.
        rng = self._rng
        span = rng.choice(("5m7ms", "11m7ms", "31m7ms"))
        func = rng.choice(("avg", "max", "min", "sum", "count", "last"))
        return f"{func}_over_time(({self._vector(depth)})[{span}:{rng.choice(('30s', '1m', '90s'))}])"

    def _quantile(self, depth: int) -> str:
        rng = self._rng
        by = rng.choice(("le", "le, instance", "le, job, path"))
        buckets = f"request_duration_seconds_bucket{rng.choice(_MATCHERS)}[{rng.choice(_RANGES[2:])}]"
        inner = f"{rng.choice(('rate', 'increase'))}({buckets})"
        return f"histogram_quantile({rng.choice((0, 0.25, 0.5, 0.9, 0.999, 1))}, sum by ({by}) ({inner}))"

    def _picked(self, depth: int) -> str:
        rng = self._rng
        if rng.random() < 0.3:
            return f"quantile{rng.choice(_GROUPINGS)} ({rng.choice((0.1, 0.5, 0.99))}, {self._vector(depth)})"
        return f"{rng.choice(('topk', 'bottomk'))}{rng.choice(_GROUPINGS)} ({rng.choice((1, 3))}, {self._vector(depth)})"


@dataclass(frozen=True)
class Question:
    """An instant query when `step` is 0. Seconds."""

    text: str
    start: int
    end: int
    step: int = 0

    def __str__(self) -> str:
        when = f"{self.start}..{self.end} every {self.step} s" if self.step else f"at {self.start}"
        return f"{self.text}  ({when})"


def questions(count: int = 300, seed: int = 7) -> list[Question]:
    """The chosen ones, then grown ones, no text twice; half are asked of a range."""
    rng, grower = random.Random(seed), Grower(seed)
    texts = dict.fromkeys(CHOSEN)
    while len(texts) < count:
        texts[grower.query()] = None
    return [_placed(text, number, rng) for number, text in enumerate(texts)]


def _placed(text: str, number: int, rng: random.Random) -> Question:
    start = START + rng.randrange(0, LENGTH // 2, 10)
    end = min(start + rng.choice((600, 1800, 3600)), START + LENGTH + 400)
    if number % 2 or text.startswith(('"', "sort")):
        return Question(text, end, end)
    return Question(text, start, end, rng.choice((15, 30, 60, 97)))
