"""The HTTP API of Prometheus over the collector's history: what Grafana, promtool and scripts ask."""

from collector.server.prometheus.api import PrometheusApi
from collector.server.prometheus.info import (
    ActiveAlert,
    ApiInfo,
    DroppedTarget,
    RuleGroupView,
    RuleView,
    Runtime,
    TargetView,
    TsdbFigures,
)

__all__ = [
    "ActiveAlert",
    "ApiInfo",
    "DroppedTarget",
    "PrometheusApi",
    "RuleGroupView",
    "RuleView",
    "Runtime",
    "TargetView",
    "TsdbFigures",
]
