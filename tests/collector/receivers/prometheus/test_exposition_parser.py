"""The parser of expositions: against prometheus_client, against itself without memory, and by statements."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from collector.receivers.prometheus import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.exposition_parser import ExpositionParser
from monitor.model.series import Kind
from tests.collector.receivers.prometheus.expositions import (
    LABEL_NAMES,
    NAMES,
    ROWS,
    TEXTS,
    VALUES,
    Reading,
    Row,
    escaped,
    number,
    reading_of,
    sample_line,
)


def fresh(body: bytes, openmetrics: bool = False) -> Reading:
    """The reading of a parser that has no memory."""
    parser = ExpositionParser(openmetrics)
    return reading_of(parser, parser.parse(body))


def kinds(text: str, openmetrics: bool = False) -> dict[str, Kind | None]:
    parser = ExpositionParser(openmetrics)
    parser.parse(text.encode())
    return {series.name: series.kind for series in parser.series}


def without_empty(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(label for label in labels.items() if label[1]))


@given(st.lists(ROWS, max_size=8))
def test_text_is_read_as_prometheus_client_reads_it(rows: list[Row]) -> None:
    unique = list({(row.name, without_empty(row.labels)): row for row in rows}.values())
    text = "".join(f"{sample_line(row)}\n" for row in unique)
    expected: Reading = {}
    for family in text_families(text):
        for sample in family.samples:
            time = None if sample.timestamp is None else float(sample.timestamp)
            expected[sample.name, without_empty(sample.labels)] = (number(float(sample.value)), time)
    assert fresh(text.encode()) == expected


@st.composite
def openmetrics_texts(draw: st.DrawFn) -> str:
    """Valid OpenMetrics: gauges, counters and histograms with timestamps and exemplars here and there."""
    lines: list[str] = []
    for name in draw(st.lists(st.from_regex(r"[a-z]{1,6}", fullmatch=True), unique=True, max_size=4)):
        kind = draw(st.sampled_from(["gauge", "counter", "histogram", "unknown"]))
        lines.append(f"# TYPE {name} {kind}")
        if draw(st.booleans()):
            lines.append(f"# HELP {name} {escaped(draw(TEXTS))}")
        labels = [f'{key}="{escaped(value)}"' for key, value in draw(st.dictionaries(LABEL_NAMES, TEXTS, max_size=2)).items()]
        labels = [label for label in labels if not label.startswith("le=")]
        stamp = draw(st.sampled_from(["", " 17", " 1.5", " 1e3"]))
        exemplar = draw(st.sampled_from(["", ' # {id="a"} 0.5', ' # {id="a # b"} 1 17.25']))
        inner = ",".join(labels)
        series = f"{{{inner}}}" if labels else ""
        if kind == "histogram":
            counts = sorted(draw(st.lists(st.integers(0, 99), min_size=2, max_size=2)))
            for le, count in zip(("1.0", "+Inf"), counts, strict=True):
                bucket = ",".join([*labels, f'le="{le}"'])
                lines.append(f"{name}_bucket{{{bucket}}} {count}{stamp}{exemplar}")
        elif kind == "counter":
            lines.append(f"{name}_total{series} {draw(st.integers(0, 10**9))}{stamp}{exemplar}")
        else:
            lines.append(f"{name}{series} {number(draw(VALUES))}{stamp}")
    return "".join(f"{line}\n" for line in [*lines, "# EOF"])


@given(openmetrics_texts())
def test_openmetrics_is_read_as_prometheus_client_reads_it(text: str) -> None:
    expected: Reading = {}
    for family in openmetrics_families(text):  # type: ignore[no-untyped-call]  # prometheus_client leaves it so
        for sample in family.samples:
            time = None if sample.timestamp is None else float(sample.timestamp)
            expected[sample.name, without_empty(sample.labels)] = (number(float(sample.value)), time)
    assert fresh(text.encode(), openmetrics=True) == expected


@given(
    st.lists(ROWS, min_size=1, max_size=6),
    st.lists(st.tuples(st.permutations(range(6)), st.integers(0, 6), st.lists(VALUES, min_size=6, max_size=6)), max_size=5),
)
def test_memory_of_earlier_answers_changes_nothing(rows: list[Row], answers: list[tuple[list[int], int, list[float]]]) -> None:
    parser = ExpositionParser(openmetrics=False)
    for order, count, values in answers:
        chosen = [rows[index]._replace(value=values[index]) for index in order[:count] if index < len(rows)]
        body = "".join(f"{sample_line(row)}\n" for row in chosen).encode()
        assert reading_of(parser, parser.parse(body)) == fresh(body)


MUTATIONS = st.sampled_from([b"", b" ", b"\n", b"1", b"e", b"_", b",", b"}", b'"', b"NaN", b"a ", b"\t", b"\xff", b" 17"])


@settings(max_examples=200)
@given(st.lists(ROWS, min_size=1, max_size=4), st.data())
def test_memory_makes_no_mistake_good(rows: list[Row], data: st.DataObject) -> None:
    body = "".join(f"{sample_line(row)}\n" for row in rows).encode()
    at = data.draw(st.integers(0, len(body)))
    until = data.draw(st.integers(at, min(len(body), at + 3)))
    broken = body[:at] + data.draw(MUTATIONS) + body[until:]
    parser = ExpositionParser(openmetrics=False)
    parser.parse(body)
    try:
        expected: Reading | None = fresh(broken)
    except ExpositionError:
        expected = None
    for _ in range(2):
        try:
            found: Reading | None = reading_of(parser, parser.parse(broken))
        except ExpositionError:
            found = None
        assert found == expected


def test_an_unchanged_layout_keeps_its_ids() -> None:
    parser = ExpositionParser(openmetrics=False)
    first = parser.parse(b'a{x="1"} 1\nb 2\n')
    second = parser.parse(b'a{x="1"} 7\nb NaN\n')
    assert second.ids is first.ids
    assert parser.parse(b"b 2\n").ids is not first.ids


def test_kinds_of_the_components_of_a_family() -> None:
    text = (
        "# TYPE requests_total counter\nrequests_total 1\nrequests_created 5\n"
        "# TYPE latency_seconds histogram\n"
        'latency_seconds_bucket{le="+Inf"} 1\nlatency_seconds_sum 1\nlatency_seconds_count 1\n'
        '# TYPE rpc summary\nrpc{quantile="0.5"} 1\nrpc_sum 1\nrpc_count 1\n'
        "# TYPE depth gauge\ndepth 1\n# TYPE item_count gauge\nitem_count 1\nfree 1\nfree_total 1\n"
    )
    counters = {
        "requests_total",
        "latency_seconds_bucket",
        "latency_seconds_sum",
        "latency_seconds_count",
        "rpc_sum",
        "rpc_count",
    }
    gauges = {"rpc", "depth", "item_count", "free", "free_total"}
    expected: dict[str, Kind | None] = dict.fromkeys(counters, Kind.COUNTER)
    assert kinds(text) == expected | dict.fromkeys(gauges, Kind.GAUGE) | {"requests_created": None}


def test_kinds_in_openmetrics() -> None:
    text = (
        "# TYPE r counter\nr_total 1\nr_created 5\n# TYPE g gaugehistogram\n"
        'g_bucket{le="+Inf"} 1\ng_gcount 1\ng_gsum 1\n# TYPE i info\ni_info{v="1"} 1\n# TYPE s stateset\ns{s="on"} 1\n# EOF\n'
    )
    names = ("g_bucket", "g_gcount", "g_gsum", "i_info", "s")
    assert kinds(text, openmetrics=True) == {"r_total": Kind.COUNTER, "r_created": None} | dict.fromkeys(names, Kind.GAUGE)


def test_units_come_from_metadata_or_from_the_name() -> None:
    parser = ExpositionParser(openmetrics=True)
    parser.parse(
        b"# TYPE a_parsecs gauge\n# UNIT a_parsecs parsecs\na_parsecs 1\n"
        b"# TYPE b_seconds counter\nb_seconds_total 1\nc_bytes 1\nd 1\n# EOF\n"
    )
    assert {series.name: series.unit for series in parser.series} == {
        "a_parsecs": "parsecs",
        "b_seconds_total": "s",
        "c_bytes": "bytes",
        "d": "",
    }


def test_timestamps_are_milliseconds_in_text_and_seconds_in_openmetrics() -> None:
    assert fresh(b"a 1 1500\n") == {("a", ()): ("1.0", 1.5)}
    assert fresh(b"a 1 1500\n# EOF\n", openmetrics=True) == {("a", ()): ("1.0", 1500.0)}
    assert fresh(b"a 1 1500\nb 2\n") == {("a", ()): ("1.0", 1.5), ("b", ()): ("2.0", None)}


def test_spellings_of_one_series_are_one_series() -> None:
    parser = ExpositionParser(openmetrics=False)
    ids = {
        int(parser.parse(text).ids[0]) for text in (b'a{x="1",y="2"} 1', b'a { y = "2" , x="1" , z="" } 1', b'a{y="2",x="1"}\t1')
    }
    assert len(ids) == 1


def test_of_a_series_that_stands_twice_the_first_counts_and_with_timestamps_the_last() -> None:
    parser = ExpositionParser(openmetrics=False)
    samples = parser.parse(b"a 1\nb 2\na 3\n")
    assert reading_of(parser, samples) == {("a", ()): ("1.0", None), ("b", ()): ("2.0", None)}
    assert samples.duplicates == 1
    assert fresh(b"a 1 1000\na 3 2000\n") == {("a", ()): ("3.0", 2.0)}


def test_a_changed_type_begins_a_new_generation() -> None:
    parser = ExpositionParser(openmetrics=False)
    parser.parse(b"# TYPE a gauge\na 1\n")
    assert parser.generation == 0
    parser.parse(b"# TYPE a counter\na 1\n")
    assert parser.generation == 1
    assert parser.series[0].kind is Kind.COUNTER
    with pytest.raises(ExpositionError, match="two types"):
        parser.parse(b"# TYPE a counter\n# TYPE a gauge\na 1\n")


def test_series_that_come_and_go_do_not_pile_up() -> None:
    parser = ExpositionParser(openmetrics=False)
    most = 0
    for scrape in range(60):
        body = "".join(f'a{{run="{scrape}-{number}"}} 1\n' for number in range(500))
        parser.parse(body.encode())
        most = max(most, len(parser.series))
    assert most <= 13_000
    assert parser.generation > 0


@pytest.mark.parametrize(
    ("limits", "body"),
    [
        (ExpositionLimits(body_bytes=10), b"abcdefgh 12\n"),
        (ExpositionLimits(samples=2), b"a 1\nb 2\nc 3\n"),
        (ExpositionLimits(labels=1), b'a{x="1",y="2"} 1\n'),
        (ExpositionLimits(name_length=3), b"abcd 1\n"),
        (ExpositionLimits(name_length=3), b'a{abcd="1"} 1\n'),
        (ExpositionLimits(value_length=3), b'a{b="abcd"} 1\n'),
    ],
)
def test_a_text_over_a_limit_is_refused_whole(limits: ExpositionLimits, body: bytes) -> None:
    parser = ExpositionParser(openmetrics=False, limits=limits)
    for _ in range(2):
        with pytest.raises(LimitError):
            parser.parse(body)


def test_the_sample_limit_holds_for_known_lines_too() -> None:
    parser = ExpositionParser(openmetrics=False, limits=ExpositionLimits(samples=2))
    parser.parse(b"a 1\nb 2\n")
    with pytest.raises(LimitError):
        parser.parse(b"a 1\nb 2\na 3\n")


@pytest.mark.parametrize(
    "body",
    [
        b"a 1_0\n",
        b"a 0x1\n",
        b"a\n",
        b"a 1 1 1\n",
        b"1a 1\n",
        b'a{x="1} 1\n',
        b'a{x="1",x="2"} 1\n',
        b"# TYPE a\n",
        b"a \xff\n",
        b"a 1 Inf\n",
    ],
)
def test_what_is_no_exposition_is_refused(body: bytes) -> None:
    with pytest.raises(ExpositionError):
        ExpositionParser(openmetrics=False).parse(body)


def test_openmetrics_counters_may_not_turn_negative_on_the_fast_path() -> None:
    parser = ExpositionParser(openmetrics=True)
    parser.parse(b"# TYPE a counter\na_total 1\n# EOF\n")
    with pytest.raises(ExpositionError, match="negative"):
        parser.parse(b"# TYPE a counter\na_total -1\n# EOF\n")


def test_a_cut_off_openmetrics_answer_is_refused_although_its_lines_are_known() -> None:
    parser = ExpositionParser(openmetrics=True)
    parser.parse(b"a 1\nb 1\n# EOF\n")
    with pytest.raises(ExpositionError, match="EOF"):
        parser.parse(b"a 1\n")


def test_a_hostile_line_costs_time_in_proportion_to_its_length() -> None:
    # Quadratic matching of these would take hours, not fractions of a second.
    spaces = b" " * 2_000_000
    for line in (
        b"a{x" + spaces + b"1",
        b'a{x="1"' + spaces + b"!",
        spaces + b"1",
        b'a{x="' + b"\\" * 1_000_001,
        b"a " + b"1" * 2_000_000 + b"x",
    ):
        for openmetrics in (False, True):
            with pytest.raises(ExpositionError):
                ExpositionParser(openmetrics).parse(line + b"\n# EOF\n")


@given(NAMES)
def test_names_are_kept_as_sent(name: str) -> None:
    assert list(fresh(f"{name} 1\n".encode())) == [(name, ())]


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])
def test_names_may_be_anything_in_quotes(openmetrics: bool) -> None:
    end = "# EOF\n" if openmetrics else ""
    text = (
        '# TYPE "my.met\\"ric" gauge\n# HELP "my.met\\"ric" text\n{"my.met\\"ric","a b"="x = \\"y\\"",c="d"} 1\n'
        'plain{"l.x"="1","m"="2"} 2\n{"ü ber"} 3\n'
    )
    assert fresh((text + end).encode(), openmetrics) == {
        ('my.met"ric', (("a b", 'x = "y"'), ("c", "d"))): ("1.0", None),
        ("plain", (("l.x", "1"), ("m", "2"))): ("2.0", None),
        ("ü ber", ()): ("3.0", None),
    }


def test_quoted_families_have_types_too() -> None:
    text = '# TYPE "a.b" counter\n{"a.b_total"} 1\n# EOF\n'
    assert kinds(text, openmetrics=True) == {"a.b_total": Kind.COUNTER}


@pytest.mark.parametrize(
    "line",
    [
        '{""} 1',
        '{"a" 1',
        '{"a","b"} 1',
        'a{"b"} 1',
        'a{""="x"} 1',
        '{"a",__name__="b"} 1',
        '{b="c"} 1',
        '{"a"}',
        '{"a",,} 1',
        "{} 1",
    ],
)
def test_a_series_has_one_name_and_labels_have_some(line: str) -> None:
    for openmetrics in (False, True):
        with pytest.raises(ExpositionError):
            fresh(f"{line}\n# EOF\n".encode(), openmetrics)


def test_help_and_units_are_comments_in_text() -> None:
    assert fresh(b'# HELP "a b\n# UNIT a-b x\n# HELP\n#TYPE x y\na 1\n') == {("a", ()): ("1.0", None)}
