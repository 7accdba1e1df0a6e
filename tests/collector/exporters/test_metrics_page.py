"""`/metrics`: everything collected, in the forms that scrapers ask for."""

from __future__ import annotations

import asyncio
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from collector.exporters.exposition import Metric, own_families
from collector.exporters.families import families_of
from collector.exporters.formats import Format, format_of
from collector.exporters.text import text_pieces
from collector.protobuf.wire import Budget, fields, varint_at
from monitor.model.series import Kind
from monitor.query.history import Labels, Metadata
from tests.collector.exporters.exposed import OBSERVED, exposed, named, put, shop
from tests.peers import need

EVERYTHING = '{__name__=~".+"}'
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


async def test_without_a_selector_the_page_is_the_collectors_own() -> None:
    async with exposed(shop()) as page:
        status, kind, body = await page.get()
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert body.decode() == (
            "# HELP lightship_series Series that have a row now.\n# TYPE lightship_series gauge\nlightship_series 4\n"
        )


async def test_a_selector_adds_what_it_finds_with_totals_and_last_values() -> None:
    async with exposed(shop()) as page:
        _, _, body = await page.get('{__name__=~"shop.orders|shop.depth|shop.gone"}')
        lines = body.decode().splitlines()
    assert "# TYPE shop_orders_total counter" in lines
    assert 'shop_orders_total{region="us"} 30' in lines
    assert 'shop_depth{queue="odd \\"one\\"\\n"} 4.5' in lines
    assert not any("gone" in line for line in lines)


async def test_selectors_of_the_setting_are_there_for_every_reader() -> None:
    async with exposed(shop(), always=["shop_depth"]) as page:
        assert b"shop_depth" in (await page.get())[2]
        assert page.page.figures()["exposition_series_total"] == 1


async def test_two_selectors_find_series_that_differ_in_their_name_only() -> None:
    sink = shop()
    put(sink, named("shop.weight", region="eu"), Kind.GAUGE, 1)
    async with exposed(sink) as page:
        body = (await page.get('{__name__="shop.orders"}', '{__name__=~"shop.w.*"}', "shop_weight"))[2].decode()
    assert 'shop_orders_total{region="eu"} 12' in body
    assert body.count('shop_weight{region="eu"} 1') == 1


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
async def test_distributions_are_classic_histograms_that_add_up(accept: str) -> None:
    read = openmetrics_families if accept == OPENMETRICS else text_families
    async with exposed(shop()) as page:
        body = (await page.get(EVERYTHING, accept=accept))[2].decode()
    families = {family.name: family for family in read(body)}
    latency = families["shop_latency"]
    assert latency.type == "histogram"
    buckets = {float(s.labels["le"]): s.value for s in latency.samples if s.name.endswith("_bucket")}
    assert buckets == {le: float((le >= OBSERVED).sum()) for le in buckets}
    assert buckets[np.inf] == len(OBSERVED)
    assert next(s.value for s in latency.samples if s.name.endswith("_sum")) == pytest.approx(OBSERVED.sum())


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
async def test_histograms_and_summaries_of_others_are_families_again(accept: str) -> None:
    read = openmetrics_families if accept == OPENMETRICS else text_families
    async with exposed(shop()) as page:
        families = {f.name: f for f in read((await page.get(EVERYTHING, accept=accept))[2].decode())}
    assert (families["job_seconds"].type, families["gc_seconds"].type) == ("histogram", "summary")
    assert [s.value for s in families["job_seconds"].samples] == [3, 5, 6, 6, 7.5]
    assert [s.value for s in families["gc_seconds"].samples] == [0.25, 9, 3]


def messages(body: bytes) -> dict[str, list[bytes]]:
    """Metrics of each family by its name."""
    found: dict[str, list[bytes]] = {}
    data, at = memoryview(body), 0
    while at < len(data):
        size, at = varint_at(data, at)
        parts = [(n, bytes(v)) for n, _, v, _ in fields(data[at : at + size], Budget(10**6)) if not isinstance(v, int)]
        found[next(v for n, v in parts if n == 1).decode()] = [v for n, v in parts if n == 4]
        at += size
    return found


async def test_protobuf_has_native_histograms() -> None:
    async with exposed(shop()) as page:
        _, kind, body = await page.get(EVERYTHING, accept=PROTOBUF)
    assert kind.startswith("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
    found = messages(body)
    assert set(found) >= {"lightship_series", "shop_orders_total", "shop_latency", "job_seconds", "gc_seconds"}
    (latency,) = found["shop_latency"]
    histogram = next(v for n, _, v, _ in fields(memoryview(latency), Budget(100)) if n == 7)
    numbers = {n: v for n, _, v, _ in fields(memoryview(histogram), Budget(10_000))}  # type: ignore[arg-type]
    assert numbers[1] == len(OBSERVED)
    assert numbers[5] == 12  # schema 6
    assert {12, 13} <= set(numbers)


async def test_a_reader_of_utf_8_gets_names_as_they_were_sent() -> None:
    async with exposed(shop()) as page:
        _, kind, body = await page.get(EVERYTHING, accept="text/plain;version=1.0.0;escaping=allow-utf-8")
    assert kind == "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    assert '# TYPE "shop.orders_total" counter\n{"shop.orders_total",region="eu"} 12\n' in body.decode()


@pytest.mark.parametrize(
    ("selector", "said"),
    [("rate(x[1m])", "a selector of series is expected"), ("{", "parse error"), ('{x=~".*"}', "non-empty matcher")],
)
async def test_what_is_no_selector_is_refused_with_a_sentence(selector: str, said: str) -> None:
    async with exposed(shop()) as page:
        status, _, body = await page.get(selector)
        assert status == 400
        assert said in body.decode()
        assert page.page.figures()["exposition_refused_total"] == 1


async def test_more_series_than_an_exposition_may_have_are_refused() -> None:
    async with exposed(shop(), most=3) as page:
        status, _, body = await page.get(EVERYTHING)
    assert (status, body) == (400, b"more than 3 series are selected, the most of one exposition; select fewer\n")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (PROMETHEUS_3, Format("openmetrics", "allow-utf-8", True)),
        (f"{PROTOBUF};q=0.7,{PROMETHEUS_3}", Format("protobuf")),
        ("text/plain;version=0.0.4;escaping=allow-utf-8", Format("text")),
        ("application/openmetrics-text;escaping=underscores", Format("openmetrics", "underscores", True)),
        ("application/openmetrics-text;escaping=dots", Format("openmetrics", "underscores", True)),
        ("application/vnd.google.protobuf", Format("text")),
        ("text/plain;q=0.1,*/*;q=0.9", Format("text")),
        ("", Format("text")),
    ],
)
def test_form_and_escaping_are_negotiated(accept: str, wanted: Format) -> None:
    assert format_of(accept) == wanted


LABELS = st.dictionaries(st.text(min_size=1, max_size=6), st.text(min_size=1, max_size=6), max_size=3)


@given(
    series=st.lists(
        st.tuples(st.text(min_size=1, max_size=8), LABELS, st.sampled_from(["counter", "gauge", "unknown"])), max_size=8
    )
)
def test_whatever_names_there_are_the_text_can_be_read(series: list[tuple[str, dict[str, str], str]]) -> None:
    values: dict[Labels, float] = {tuple(sorted({**tags, "__name__": name}.items())): 1.0 for name, tags, _ in series}
    metadata = {name: Metadata(kind) for name, _, kind in series}
    gathered = families_of({**values}, metadata, "underscores")
    body = b"".join(text_pieces(gathered.families, Format())).decode()
    read = [sample for family in text_families(body) for sample in family.samples]
    assert len(read) + gathered.duplicates == len(values)
    names = [line.split()[2] for line in body.split("\n") if line.startswith("# TYPE ")]
    assert len(set(names)) == len(names)


@pytest.mark.peer
async def test_promtool_has_nothing_to_say() -> None:
    promtool = need("promtool", "prometheus")
    async with exposed(shop()) as page:
        body = (await page.get(EVERYTHING))[2]
    checked = await asyncio.to_thread(subprocess.run, [promtool, "check", "metrics"], input=body, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_large_exposition_comes_in_pieces() -> None:
    values: dict[Labels, float] = {named("load", host=f"h{n}"): float(n) for n in range(20_000)}
    families = [*own_families([Metric("a", "gauge", "h", 1.0)]), *families_of({**values}, {}, "underscores").families]
    pieces = list(text_pieces(families, Format()))
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 200_000
    assert b"".join(pieces).count(b"\nload{") == 20_000
