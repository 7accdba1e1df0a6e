"""The collector's own exposition: both formats, negotiation, and what promtool would say."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from collector.exporters.exposition import Metric, own_families
from collector.exporters.formats import Format, format_of
from collector.exporters.text import text_pieces
from collector.receivers.prometheus.exposition_parser import ExpositionParser
from tests.peers import need

METRICS = [
    Metric("lightship_statsd_lines_total", "counter", "StatsD lines received.", 12),
    Metric("lightship_series", "gauge", "Series that have a row now.", 3),
    Metric(
        "lightship_points_dropped_total",
        "counter",
        "Samples that were dropped, by reason.",
        {(("reason", "late"),): 1.0, (("reason", 'odd "\\\n'),): 2.0},
    ),
    Metric("lightship_tick_seconds", "gauge", "What the last tick cost.", 0.0125, "seconds"),
    Metric("lightship_build_info", "info", "Version, as a label.", {(("version", "0.1.0"),): 1.0}),
]


def render(metrics: Sequence[Metric], openmetrics: bool) -> bytes:
    return b"".join(text_pieces(own_families(metrics), Format("openmetrics" if openmetrics else "text")))


def test_text_is_what_prometheus_reads() -> None:
    assert render(METRICS, openmetrics=False).decode() == (
        "# HELP lightship_statsd_lines_total StatsD lines received.\n"
        "# TYPE lightship_statsd_lines_total counter\n"
        "lightship_statsd_lines_total 12\n"
        "# HELP lightship_series Series that have a row now.\n"
        "# TYPE lightship_series gauge\n"
        "lightship_series 3\n"
        "# HELP lightship_points_dropped_total Samples that were dropped, by reason.\n"
        "# TYPE lightship_points_dropped_total counter\n"
        'lightship_points_dropped_total{reason="late"} 1\n'
        'lightship_points_dropped_total{reason="odd \\"\\\\\\n"} 2\n'
        "# HELP lightship_tick_seconds What the last tick cost.\n"
        "# TYPE lightship_tick_seconds gauge\n"
        "lightship_tick_seconds 0.0125\n"
        "# HELP lightship_build_info Version, as a label.\n"
        "# TYPE lightship_build_info gauge\n"
        'lightship_build_info{version="0.1.0"} 1\n'
    )


def test_openmetrics_names_families_without_their_suffix_and_ends_with_eof() -> None:
    lines = render(METRICS, openmetrics=True).decode().splitlines()
    assert "# TYPE lightship_statsd_lines counter" in lines
    assert "# UNIT lightship_tick_seconds seconds" in lines
    assert "# TYPE lightship_build info" in lines
    assert lines[-1] == "# EOF"


@pytest.mark.parametrize("openmetrics", [False, True])
def test_both_formats_are_read_back_by_prometheus_client_and_by_us(openmetrics: bool) -> None:
    body = render(METRICS, openmetrics)
    families = openmetrics_families if openmetrics else text_families
    read = {
        (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
        for family in families(body.decode())
        for sample in family.samples
    }
    assert read == {(metric.name, labels): value for metric in METRICS for labels, value in metric.samples()}
    parser = ExpositionParser(openmetrics)
    samples = parser.parse(body)
    ours = [(parser.series[series].name, parser.series[series].labels) for series in samples.ids.tolist()]
    assert dict(zip(ours, samples.values.tolist(), strict=True)) == read


@given(st.floats())
def test_every_value_survives(value: float) -> None:
    body = render([Metric("a", "gauge", "", value)], openmetrics=True)
    (read,) = ExpositionParser(openmetrics=True).parse(body).values.tolist()
    assert read == value or (math.isnan(read) and math.isnan(value))


@given(st.text())
def test_every_label_value_survives(value: str) -> None:
    parser = ExpositionParser(openmetrics=True)
    parser.parse(render([Metric("a", "gauge", value, {(("x", value),): 1.0})], openmetrics=True))
    read = dict(parser.series[0].labels).get("x", "")
    assert read == value.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("text/html, */*;q=0.8", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("application/openmetrics-text; version=1.0.0; q=0.3, text/plain; q=0.5", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nonsense, text/plain;q=0.1", False),
        ("APPLICATION/OPENMETRICS-TEXT;Q=0.9", True),
        ("application/openmetrics-text;q=0.4,*/*;q=0.9", False),
    ],
)
def test_the_reader_gets_the_format_it_prefers(accept: str, openmetrics: bool) -> None:
    wanted = format_of(accept)
    assert wanted.form == ("openmetrics" if openmetrics else "text")
    assert wanted.content_type.startswith("application/openmetrics-text" if openmetrics else "text/plain")


@given(st.text(max_size=200))
def test_no_accept_header_breaks_negotiation(accept: str) -> None:
    assert format_of(accept).form in ("text", "openmetrics", "protobuf")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("9lives", "gauge", "h", 1.0), "no metric name"),
        (("lines", "counter", "h", 1.0), "must be named lines_total"),
        (("build", "info", "h", 1.0), "must be named build_info"),
        (("tick", "gauge", "h", 1.0, "seconds"), "does not end with its unit"),
        (("a", "gauge", "h", {(("1x", "y"),): 1.0}), "no label name"),
    ],
)
def test_a_metric_that_would_be_refused_cannot_be_made(arguments: tuple[object, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Metric(*arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_a_family_stands_once() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        render([Metric("a_total", "counter", "h", 1.0), Metric("a", "gauge", "h", 1.0)], openmetrics=False)


@pytest.mark.peer
def test_promtool_has_nothing_to_say() -> None:
    promtool = need("promtool", "prometheus")
    exposition = render(METRICS, openmetrics=False)
    run = subprocess.run([promtool, "check", "metrics"], input=exposition, capture_output=True, timeout=30, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
