"""What was met before is read quickly, all else field by field, and nobody can tell which."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.protobuf.columns import MessageBounds, SeriesColumns
from collector.protobuf.timeseries import label_fields
from collector.protobuf.wire import ProtobufError, bytes_field, text_field
from collector.receivers.remote_write.careful import CarefulReader
from collector.receivers.remote_write.found import Found
from collector.receivers.remote_write.negotiation import Version
from collector.receivers.remote_write.reader import RequestReader
from collector.receivers.remote_write.series import WrittenSeries
from monitor.model.series import Kind, series_key
from monitor.query.history import STALE, Labels
from tests.collector.protobuf.messages import FLOATS, slow_samples
from tests.collector.receivers.remote_write.written import ENCODERS, encoded, labels

T = 1_700_000_000_000
NAMES = st.sampled_from(["up", "requests_total", "größe", "a.b", "x" * 16])
VALUES = st.one_of(st.sampled_from(["", "seven77", "sixteen-letters!", "\x10\x09\x12\x07\x10", "é" * 100]), st.text(max_size=20))
LABELS = st.builds(
    lambda name, more: tuple(sorted({"__name__": name, **more}.items())),
    NAMES,
    st.dictionaries(st.sampled_from(["a", "job", "zone"]), VALUES, max_size=3),
)
TIMES = st.one_of(st.integers(T, T + 10**9), st.integers(-5, 2**45), st.just(0))
SAMPLES = st.lists(st.tuples(TIMES, st.one_of(FLOATS, st.just(0.0), st.just(STALE))), max_size=12)
BOUNDS = MessageBounds(series=50, samples=1000, labels=10, symbols=200, buckets=50, fields=20_000)


def rows(found: Found, series: WrittenSeries) -> list[tuple[str, int, bytes]]:
    """Comparable, whatever their order: series, time and the bits of the value."""
    names = [series.book.space.keys[number].label() for number in found.ids.tolist()]
    bits = [value.tobytes() for value in found.values]
    return sorted(zip(names, found.times.tolist(), bits, strict=True))


@settings(deadline=None)
@given(st.lists(st.tuples(LABELS, SAMPLES), max_size=6), st.sampled_from(Version))
def test_a_request_is_the_same_at_first_sight_and_later(
    written: list[tuple[Labels, list[tuple[int, float]]]], version: Version
) -> None:
    flat = [one for _, samples in written for one in samples]
    column = SeriesColumns(
        tuple(name for name, _ in written),
        np.cumsum([0] + [len(samples) for _, samples in written], dtype=np.int64),
        np.array([time for time, _ in flat], np.int64),
        np.array([value for _, value in flat], np.float64),
    )
    expected = sorted((key(name), time, np.array([value]).tobytes()) for name, samples in written for time, value in samples)
    series = WrittenSeries(1000)
    reader = RequestReader(series)
    for body in (ENCODERS[version](column), ENCODERS[version](column)):
        found = reader.read(body, version)
        assert rows(found, series) == expected
        assert not found.refused.first


def key(name: Labels) -> str:
    return series_key(dict(name)["__name__"], [pair for pair in name if pair[0] != "__name__" and pair[1]]).label()


@pytest.mark.parametrize("version", Version)
def test_what_is_known_is_not_read_field_by_field_again(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = {labels("up", job=f"j{n}", long="v" * 100): [(T + n, float(n)), (T + 1000 + n, STALE)] for n in range(200)}
    series = WrittenSeries(1000)
    reader = RequestReader(series)
    first = rows(reader.read(encoded(version, samples, {"up": "gauge"}), version), series)

    def never(*_: object) -> None:
        raise AssertionError("a known series was read field by field")

    monkeypatch.setattr(CarefulReader, "series_v1", never)
    monkeypatch.setattr(CarefulReader, "series_v2", never)
    backwards = dict(reversed(samples.items()))
    assert rows(reader.read(encoded(version, backwards, {"up": "gauge"}), version), series) == first


def test_zeros_that_go_leaves_out_are_zeros() -> None:
    series = WrittenSeries(1000)
    reader = RequestReader(series)
    head = label_fields(labels("up", job="api"))
    body = bytes_field(1, head + slow_samples([T], [1.0]))
    zeros = bytes_field(1, head + b"\x12\x07" + slow_samples([T + 1], [0.0])[11:] + slow_samples([T + 2], [3.0]))
    for message in (body, zeros):
        found = reader.read(message, Version.V1)
    assert [(row[1], np.frombuffer(row[2])[0]) for row in rows(found, series)] == [(T + 1, 0.0), (T + 2, 3.0)]
    assert "12071" in zeros.hex()


def test_symbols_numbered_otherwise_are_the_same_series() -> None:
    series = WrittenSeries(1000)
    reader = RequestReader(series)
    one, two = labels("up", job="a"), labels("up", job="b")
    reader.read(encoded(Version.V2, {one: [(T, 1.0)], two: [(T, 2.0)]}), Version.V2)
    found = reader.read(encoded(Version.V2, {two: [(T, 2.0)], one: [(T, 1.0)]}), Version.V2)
    assert [name for name, _, _ in rows(found, series)] == ['up{job="a"}', 'up{job="b"}']


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([("job", "a"), ("__name__", "up")], "not sorted"),
        ([("__name__", "up"), ("job", "a"), ("job", "b")], "comes twice"),
        ([("job", "a")], "__name__ is missing"),
        ([("__name__", ""), ("job", "a")], "__name__ is missing"),
        ([("", "x"), ("__name__", "up")], "no name"),
        ([("__name__", "up"), ("a\x00b", "x")], "control characters"),
        ([("__name__", "up\nhelp")], "control characters"),
        ([("__name__", "u" * 257)], "over the bound"),
        ([("__name__", "up"), *((f"l{n:02}", "v") for n in range(33))], "over the bound"),
    ],
)
def test_a_bad_series_is_named_and_the_good_ones_are_kept(pairs: list[tuple[str, str]], why: str) -> None:
    series = WrittenSeries(1000)
    bad = b"".join(bytes_field(1, text_field(1, name) + text_field(2, value)) for name, value in pairs) + slow_samples([T], [1.0])
    good = label_fields(labels("fine")) + slow_samples([T], [2.0])
    reader = RequestReader(series)
    for _ in range(2):
        found = reader.read(bytes_field(1, good) + bytes_field(1, bad) + bytes_field(1, good), Version.V1)
        assert why in found.refused.first
        assert found.refused.series == 1
        assert [name for name, _, _ in rows(found, series)] == ["fine", "fine"]


@pytest.mark.parametrize(
    ("name", "declared", "kind"),
    [
        ("requests_total", "", Kind.COUNTER),
        ("request_seconds_count", "", Kind.COUNTER),
        ("request_seconds_bucket", "", Kind.COUNTER),
        ("queue_depth", "", Kind.GAUGE),
        ("requests_total", "gauge", Kind.GAUGE),
        ("jobs_count", "gauge", Kind.GAUGE),
        ("requests", "counter", Kind.COUNTER),
        ("request_seconds_sum", "histogram", Kind.COUNTER),
        ("request_seconds_count", "summary", Kind.COUNTER),
        ("request_seconds", "summary", Kind.GAUGE),
        ("sizes_bucket", "gaugehistogram", Kind.GAUGE),
        ("requests_total", "unknown", Kind.COUNTER),
    ],
)
def test_metadata_tells_the_kind_and_else_the_name(name: str, declared: str, kind: Kind) -> None:
    series = WrittenSeries(1000)
    types = {name: declared} if declared else None
    found = RequestReader(series).read(encoded(Version.V2, {labels(name): [(T, 1.0)]}, types), Version.V2)
    assert series.book.space.kinds[int(found.ids[0])] is kind


def test_later_metadata_of_2_0_wins_for_senders_of_1_0_too() -> None:
    series = WrittenSeries(1000)
    reader = RequestReader(series)
    plain = encoded(Version.V1, {labels("jobs_count"): [(T, 1.0)]})
    kinds = []
    for body, version in (
        (plain, Version.V1),
        (encoded(Version.V2, {labels("jobs_count"): [(T, 1.0)]}, {"jobs_count": "gauge"}), Version.V2),
        (plain, Version.V1),
    ):
        kinds.append(series.book.space.kinds[int(reader.read(body, version).ids[0])])
    assert kinds == [Kind.COUNTER, Kind.GAUGE, Kind.GAUGE]
    assert series.changed == 1


def test_a_sender_of_ever_new_series_fills_no_memory() -> None:
    series = WrittenSeries(100)
    reader = RequestReader(series)
    for n in range(50):
        reader.read(encoded(Version.V1, {labels("up", n=f"{n}-{m}"): [(T, 1.0)] for m in range(20)}), Version.V1)
    assert len(series.book.space) <= 120
    assert len(series.quick) <= 220
    assert series.book.begun == 9


@pytest.mark.parametrize("version", Version)
def test_more_than_may_be_is_refused(version: Version) -> None:
    reader = RequestReader(WrittenSeries(1000), BOUNDS)
    many = encoded(version, {labels("up", n=str(n)): [(T, 1.0)] for n in range(50)})
    reader.read(many, version)
    with pytest.raises(ProtobufError, match=r"more than .* series"):
        reader.read(encoded(version, {labels("up", n=str(n)): [(T, 1.0)] for n in range(51)}), version)
    with pytest.raises(ProtobufError, match=r"more than .* samples"):
        reader.read(encoded(version, {labels("up", n="1"): [(T + n, 1.0) for n in range(1001)]}), version)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(Version))
def test_a_damaged_request_raises_nothing_but_the_typed_error(data: st.DataObject, version: Version) -> None:
    reader = RequestReader(WrittenSeries(1000), BOUNDS)
    body = encoded(version, {labels("up", n=str(n)): [(T, 1.0), (T + 1, 0.0)] for n in range(5)}, {"up": "gauge"})
    reader.read(body, version)
    hurt = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        hurt[data.draw(st.integers(0, len(hurt) - 1))] = data.draw(st.integers(0, 255))
    for message in (bytes(hurt), bytes(hurt[: data.draw(st.integers(0, len(hurt)))]), data.draw(st.binary(max_size=40))):
        with contextlib.suppress(ProtobufError):
            reader.read(message, version)
