"""Prometheus' own tests of PromQL against the product's evaluator (half of them; the files keep their licence beside them)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promqltest.runner import run_text

SUITE = Path(__file__).parents[3].parent / "shared" / "data" / "promql"
CORE = (
    "aggregators",
    "at_modifier",
    "collision",
    "functions",
    "histograms",
    "literals",
    "operators",
    "range_queries",
    "selectors",
    "staleness",
    "subquery",
    "trig_functions",
    "name_label_dropping",
)
FLOORS = {**dict.fromkeys(CORE, 0.97), "native_histograms": 0.80}

needs_suite = pytest.mark.skipif(
    not SUITE.is_dir(), reason="Prometheus' PromQL tests are not beside the repository (shared/data/promql)"
)


@needs_suite
@pytest.mark.parametrize("name", FLOORS)
def test_the_evaluator_answers_as_prometheus_does(name: str) -> None:
    report = run_text(name, (SUITE / f"{name}.test").read_text("utf-8"))
    assert report.total > 0
    shown = "\n".join(f"{f.line}: {f.text}\n  {f.cause}: expected {f.expected}, got {f.got}" for f in report.failures)
    assert report.passed >= FLOORS[name] * report.total, f"{report.passed}/{report.total}\n{shown}"
