"""The message that tries a rule on the past."""

from __future__ import annotations

from monitor.wire.base import Request, tag


class BacktestRule(Request, frozen=True, tag=tag):
    """What a rule would have said. `rule`: the id of one in force; or `text`: rules as they would stand in `file` (by its ending
    TOML, or Prometheus' YAML), of which `rule` names one ("" all, 50 at most). The `last` seconds up to `end` (0: now), judged
    every `step` (0: as fine as the bounds allow).

    Result: {"tests": [monitor.alerting.backtest.Backtest]}. Nobody is told, nothing is kept. One at a time; refused meanwhile.
    """

    last: float
    rule: str = ""
    text: str = ""
    file: str = "rule.toml"
    end: float = 0.0
    step: float = 0.0
