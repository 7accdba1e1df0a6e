"""Prometheus' own tests of PromQL against the product's evaluator (half of them; the files keep their licence beside them)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promqltest.runner import run_text

SUITE = Path(__file__).parents[3].parent / "shared" / "data" / "promql"
FILES = (
    "aggregators",
    "at_modifier",
    "collision",
    "duration_expression",
    "extended_vectors",
    "fill-modifier",
    "functions",
    "histograms",
    "info",
    "limit",
    "literals",
    "name_label_dropping",
    "native_histograms",
    "operators",
    "range_queries",
    "selectors",
    "staleness",
    "start_timestamps",
    "subquery",
    "trig_functions",
    "type_and_unit",
)

needs_suite = pytest.mark.skipif(
    not SUITE.is_dir(), reason="Prometheus' PromQL tests are not beside the repository (shared/data/promql)"
)


@needs_suite
@pytest.mark.parametrize("name", FILES)
def test_the_evaluator_answers_as_prometheus_does(name: str) -> None:
    report = run_text(name, (SUITE / f"{name}.test").read_text("utf-8"))
    shown = [f"{f.line}: {f.text}\n  {f.cause}: expected {f.expected}, got {f.got}" for f in report.failures]
    assert report.total > 0
    assert not shown, f"{report.passed}/{report.total}\n" + "\n".join(shown)
