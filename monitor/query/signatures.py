"""Every function of the language, what it takes and gives, a sentence of help and an example: for parsing, completion and help.

The table follows Prometheus' promql/parser/functions.go (main), experimental functions among them.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.query.ast import ValueType


class Signature(NamedTuple):
    """`parameters` and `types` run side by side. `variadic`: how often the last may stand, -1 for any number; 0: exactly once."""

    name: str
    parameters: tuple[str, ...]
    types: tuple[ValueType, ...]
    returns: ValueType
    help: str
    example: str
    variadic: int = 0
    experimental: bool = False

    @property
    def least(self) -> int:
        return len(self.types) - (1 if self.variadic else 0)

    @property
    def most(self) -> int | None:
        """None for any number."""
        if self.variadic < 0:
            return None
        return self.least + self.variadic

    def __str__(self) -> str:
        """`clamp(v instant-vector, min scalar, max scalar)`, what may be left out marked with `?` or `…`."""
        words = {"vector": "instant-vector", "matrix": "range-vector", "scalar": "scalar", "string": "string"}
        shown = [f"{name} {words[kind]}" for name, kind in zip(self.parameters, self.types, strict=True)]
        if shown and self.variadic:
            shown[-1] += "?" if self.variadic == 1 else " …"
        return f"{self.name}({', '.join(shown)})"


_TYPES: dict[str, ValueType] = {"v": "vector", "m": "matrix", "s": "scalar", "t": "string"}


def _rows(returns: ValueType, table: str, *, experimental: bool = False) -> dict[str, Signature]:
    """One signature a line: `name | parameter:type … | help | example`, lines that begin with spaces go on with the one before.
    The last parameter may end in ? (optional), * (any number) or *N (at most N).
    """
    found: dict[str, Signature] = {}
    for line in table.strip().replace("\n    ", " ").splitlines():
        name, words, text, example = (part.strip() for part in line.split("|"))
        parameters: list[str] = []
        types: list[ValueType] = []
        variadic = 0
        for word in words.split():
            parameter, _, kind = word.partition(":")
            parameters.append(parameter)
            types.append(_TYPES[kind[0]])
            variadic = {"": 0, "?": 1, "*": -1}[kind[1:2]] if len(kind) < 3 else int(kind[2:])
        found[name] = Signature(name, tuple(parameters), tuple(types), returns, text, example, variadic, experimental)
    return found


_SAMPLE_BY_SAMPLE = """
abs | v:v | The absolute value of every sample. | abs(delta(room_temperature[10m]))
absent | v:v | 1 when the vector is empty, nothing otherwise: to alert on what is missing. | absent(up{job="api"})
acos | v:v | The arc cosine, in radians. | acos(direction)
acosh | v:v | The inverse hyperbolic cosine. | acosh(ratio)
asin | v:v | The arc sine, in radians. | asin(direction)
asinh | v:v | The inverse hyperbolic sine. | asinh(ratio)
atan | v:v | The arc tangent, in radians. | atan(slope)
atanh | v:v | The inverse hyperbolic tangent. | atanh(ratio)
ceil | v:v | Rounds up to a whole number. | ceil(queue_length)
clamp | v:v min:s max:s | Holds values between a lower and an upper bound. | clamp(cpu_usage, 0, 1)
clamp_max | v:v max:s | Values above the bound become the bound. | clamp_max(cpu_usage, 1)
clamp_min | v:v min:s | Values below the bound become the bound. | clamp_min(free_bytes, 0)
cos | v:v | The cosine of an angle in radians. | cos(rad(direction))
cosh | v:v | The hyperbolic cosine. | cosh(ratio)
day_of_month | v:v? | The day of the month (1 to 31, UTC) of a time in seconds; now if left out. | day_of_month()
day_of_week | v:v? | The day of the week (0 is Sunday, UTC) of a time in seconds; now if left out. | day_of_week() == 0
day_of_year | v:v? | The day of the year (1 to 366, UTC) of a time in seconds; now if left out. | day_of_year()
days_in_month | v:v? | How many days the month has (UTC) of a time in seconds; now if left out. | days_in_month()
deg | v:v | Radians to degrees. | deg(angle)
exp | v:v | e to the power of the value. | exp(growth)
floor | v:v | Rounds down to a whole number. | floor(queue_length)
histogram_avg | v:v | The mean of what a native histogram holds. | histogram_avg(rate(latency[5m]))
histogram_count | v:v | How many observations a native histogram holds. | histogram_count(rate(latency[5m]))
histogram_fraction | lower:s upper:s v:v | The share of observations between two bounds.
    | histogram_fraction(0, 0.2, rate(latency[5m]))
histogram_quantile | q:s v:v | A quantile (0 to 1) of a histogram, native or classic.
    | histogram_quantile(0.99, rate(latency[5m]))
histogram_stddev | v:v | The estimated standard deviation in a native histogram. | histogram_stddev(rate(latency[5m]))
histogram_stdvar | v:v | The estimated variance in a native histogram. | histogram_stdvar(rate(latency[5m]))
histogram_sum | v:v | The sum of the observations in a native histogram. | histogram_sum(rate(latency[5m]))
hour | v:v? | The hour of the day (0 to 23, UTC) of a time in seconds; now if left out. | hour() >= 9
label_join | v:v target:t separator:t source:t* | Joins labels into one. | label_join(up, "at", ":", "job", "instance")
label_replace | v:v target:t replacement:t source:t regex:t | Sets a label from another by a regular expression.
    | label_replace(up, "host", "$1", "instance", "(.*):.*")
ln | v:v | The natural logarithm. | ln(requests)
log10 | v:v | The decimal logarithm. | log10(requests)
log2 | v:v | The binary logarithm. | log2(bytes)
minute | v:v? | The minute of the hour (0 to 59) of a time in seconds; now if left out. | minute()
month | v:v? | The month (1 to 12, UTC) of a time in seconds; now if left out. | month() == 12
rad | v:v | Degrees to radians. | rad(direction_degrees)
round | v:v to:s? | Rounds to the nearest whole number, or multiple of the second argument. | round(temperature, 0.5)
sgn | v:v | 1 for positive values, -1 for negative ones, 0 for 0. | sgn(delta(queue_length[5m]))
sin | v:v | The sine of an angle in radians. | sin(rad(direction))
sinh | v:v | The hyperbolic sine. | sinh(ratio)
sort | v:v | Series by value, lowest first (of an instant query). | sort(free_bytes)
sort_desc | v:v | Series by value, highest first (of an instant query). | sort_desc(cpu_usage)
sqrt | v:v | The square root. | sqrt(variance)
tan | v:v | The tangent of an angle in radians. | tan(rad(direction))
tanh | v:v | The hyperbolic tangent. | tanh(ratio)
timestamp | v:v | When each sample was taken, in seconds since 1970. | time() - timestamp(up)
vector | s:s | A number as a vector of one series without labels. | vector(1)
year | v:v? | The year (UTC) of a time in seconds; now if left out. | year()
"""

_OVER_TIME = """
absent_over_time | m:m | 1 when the range has no sample, nothing otherwise. | absent_over_time(up{job="api"}[1h])
avg_over_time | m:m | The mean of a series' samples in the range. | avg_over_time(cpu_usage[5m])
changes | m:m | How often the value changed in the range. | changes(process_start_time_seconds[1h])
count_over_time | m:m | How many samples the range has. | count_over_time(up[1h])
delta | m:m | How far a gauge moved in the range, extrapolated to its ends. | delta(temperature[2h])
deriv | m:m | A gauge's slope per second, by linear regression. | deriv(free_bytes[1h])
idelta | m:m | The difference of the last two samples. | idelta(temperature[5m])
increase | m:m | How much a counter grew in the range, resets accounted for. | increase(http_requests_total[1h])
irate | m:m | A counter's growth per second between its last two samples. | irate(http_requests_total[5m])
last_over_time | m:m | The newest sample in the range. | last_over_time(backup_size_bytes[1d])
max_over_time | m:m | The highest sample in the range. | max_over_time(queue_length[1h])
min_over_time | m:m | The lowest sample in the range. | min_over_time(free_bytes[1d])
predict_linear | m:m seconds:s | A gauge's value so many seconds ahead, by linear regression.
    | predict_linear(free_bytes[6h], 4 * 3600) < 0
present_over_time | m:m | 1 for every series with a sample in the range. | present_over_time(up[1h])
quantile_over_time | q:s m:m | A quantile (0 to 1) of a series' samples in the range.
    | quantile_over_time(0.95, queue_length[1h])
rate | m:m | A counter's growth per second over the range, resets accounted for. | rate(http_requests_total[5m])
resets | m:m | How often a counter went back in the range. | resets(http_requests_total[1d])
stddev_over_time | m:m | The standard deviation of a series' samples in the range. | stddev_over_time(temperature[1h])
stdvar_over_time | m:m | The variance of a series' samples in the range. | stdvar_over_time(temperature[1h])
sum_over_time | m:m | The sum of a series' samples in the range. | sum_over_time(errors[1h])
"""

_EXPERIMENTAL = """
double_exponential_smoothing | m:m smoothing:s trend:s | A gauge smoothed, its trend followed.
    | double_exponential_smoothing(cpu_usage[1h], 0.5, 0.5)
first_over_time | m:m | The oldest sample in the range. | first_over_time(backup_size_bytes[1d])
histogram_quantiles | v:v label:t q:s more:s*9 | Several quantiles of a histogram at once, told apart by a label.
    | histogram_quantiles(rate(latency[5m]), "quantile", 0.5, 0.99)
holt_winters | m:m smoothing:s trend:s | The old name of double_exponential_smoothing. | holt_winters(cpu_usage[1h], 0.5, 0.5)
info | v:v labels:v? | Adds the labels of matching info series (target_info).
    | info(rate(http_requests_total[5m]), {version=~".+"})
mad_over_time | m:m | The median absolute deviation of a series' samples in the range. | mad_over_time(cpu_usage[1h])
sort_by_label | v:v label:t* | Series by the values of labels, in natural order (of an instant query).
    | sort_by_label(up, "instance")
sort_by_label_desc | v:v label:t* | Series by the values of labels, in reverse natural order.
    | sort_by_label_desc(up, "instance")
start_timestamp | v:v | When each sample's series began, in seconds since 1970, where that is known. | start_timestamp(up)
ts_of_first_over_time | m:m | When the oldest sample in the range was taken. | ts_of_first_over_time(up[1h])
ts_of_last_over_time | m:m | When the newest sample in the range was taken. | ts_of_last_over_time(up[1h])
ts_of_max_over_time | m:m | When the highest sample in the range was taken (the last of equals).
    | ts_of_max_over_time(queue_length[1h])
ts_of_min_over_time | m:m | When the lowest sample in the range was taken (the last of equals).
    | ts_of_min_over_time(free_bytes[1d])
"""

_SCALARS = """
pi | | The number π. | pi()
scalar | v:v | The value of a vector's only series; NaN unless there is exactly one. | scalar(sum(up))
time | | The time of evaluation, in seconds since 1970. | time() - process_start_time_seconds
"""

_EXPERIMENTAL_SCALARS = """
end | | When the query ends, in seconds since 1970. | end() - start()
max_of | a:s b:s | The larger of two numbers. | max_of(step(), 60)
min_of | a:s b:s | The smaller of two numbers. | min_of(range(), 3600)
range | | How long the query's span is, in seconds. | range() / 2
start | | When the query starts, in seconds since 1970. | time() - start()
step | | The seconds between evaluations of the query. | rate(errors_total[5m]) * step()
"""

FUNCTIONS: dict[str, Signature] = dict(
    sorted(
        {
            **_rows("vector", _SAMPLE_BY_SAMPLE),
            **_rows("vector", _OVER_TIME),
            **_rows("vector", _EXPERIMENTAL, experimental=True),
            **_rows("scalar", _SCALARS),
            **_rows("scalar", _EXPERIMENTAL_SCALARS, experimental=True),
        }.items()
    )
)
"""By name, in order."""

_AGGREGATIONS = """
avg | v:v | The mean over series. | avg by (job) (cpu_usage)
count | v:v | How many series there are. | count by (job) (up == 0)
group | v:v | 1 for every group that has a series. | group by (job) (up)
max | v:v | The highest value over series. | max by (instance) (temperature)
min | v:v | The lowest value over series. | min(free_bytes)
stddev | v:v | The standard deviation over series. | stddev(cpu_usage)
stdvar | v:v | The variance over series. | stdvar(cpu_usage)
sum | v:v | The sum over series. | sum by (service) (rate(http_requests_total[5m]))
bottomk | k:s v:v | The k series with the lowest values. | bottomk(5, free_bytes)
quantile | q:s v:v | A quantile (0 to 1) over series. | quantile(0.9, cpu_usage)
topk | k:s v:v | The k series with the highest values. | topk(5, rate(http_requests_total[5m]))
count_values | label:t v:v | How many series have each value, the value in a label. | count_values("version", build_version)
"""

_EXPERIMENTAL_AGGREGATIONS = """
limitk | k:s v:v | Any k series of each group, always the same ones. | limitk(10, up)
limit_ratio | ratio:s v:v | About that share of the series, always the same ones; negative for the others.
    | limit_ratio(0.1, up)
"""

AGGREGATIONS: dict[str, Signature] = dict(
    sorted(
        {
            **_rows("vector", _AGGREGATIONS),
            **_rows("vector", _EXPERIMENTAL_AGGREGATIONS, experimental=True),
        }.items()
    )
)
"""By name, in order. All take `by (labels)` or `without (labels)`."""

PARAMETER_AGGREGATIONS = frozenset(name for name, signature in AGGREGATIONS.items() if len(signature.types) == 2)

WORDS: dict[str, str] = {
    "by": "Groups an aggregation by these labels: sum by (job) (up).",
    "without": "Groups an aggregation by all labels but these: sum without (instance) (up).",
    "on": "Matches two vectors on these labels only: a / on (job) b.",
    "ignoring": "Matches two vectors on all labels but these: a / ignoring (code) b.",
    "group_left": "Many series on the left may match one on the right; its listed labels are copied over.",
    "group_right": "Many series on the right may match one on the left; its listed labels are copied over.",
    "fill": "What stands in for a series missing on either side: a + fill(0) b.",
    "fill_left": "What stands in for a series missing on the left: a + fill_left(0) b.",
    "fill_right": "What stands in for a series missing on the right: a + fill_right(0) b.",
    "bool": "A comparison answers 0 or 1 instead of dropping series: up == bool 1.",
    "offset": "Looks back in time: up offset 1h.",
    "anchored": "A range reaches to the sample at or before its start, so nothing is extrapolated: increase(x[5m] anchored).",
    "smoothed": "A range is interpolated at both ends: rate(x[5m] smoothed).",
    "and": "Series of the left side that also are on the right.",
    "or": "All series of the left side, and those of the right that match none of them.",
    "unless": "Series of the left side that are not on the right.",
    "atan2": "The angle of a point by its two coordinates, in radians.",
}
"""Keywords and operators that are words, with their help."""

SYMBOLS: dict[str, str] = {
    "+": "Sum.",
    "-": "Difference.",
    "*": "Product.",
    "/": "Quotient.",
    "%": "Remainder.",
    "^": "Power; binds to the right.",
    "==": "Equal: keeps the series where it holds.",
    "!=": "Not equal: keeps the series where it holds.",
    "<": "Less: keeps the series where it holds.",
    "<=": "Less or equal: keeps the series where it holds.",
    ">": "Greater: keeps the series where it holds.",
    ">=": "Greater or equal: keeps the series where it holds.",
    "</": "Keeps of a native histogram what lies below a value.",
    ">/": "Keeps of a native histogram what lies above a value.",
    "@": "Reads at a fixed time: up @ 1609746000, up @ end().",
}
"""Operators that are signs, with their help."""
