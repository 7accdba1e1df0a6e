"""The StatsD parser reads every form of line, refuses the rest by reason, and equals the slow reference."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.receivers.statsd.parser import FEW, Limits, StatsdParser
from monitor.model.batch import Batch
from tests.collector.receivers.statsd import reference
from tests.collector.receivers.statsd.reference import Sample

NOW = 1_700_000_000.0
FILLER = b"filler.of.some.length:1.25|ms|#env:prod,region:eu\n" * (FEW // 40)
"""Enough lines that a datagram after it takes the way of the columns."""


def unpacked(batches: list[Batch]) -> list[Sample]:
    samples = []
    for batch in batches:
        assert batch.ids.dtype == np.int32
        assert batch.values.dtype == batch.times.dtype == np.float64
        for i, series in enumerate(batch.ids.tolist()):
            key, kind = batch.space.keys[series], batch.space.kinds[series].name
            weight = 1.0 if batch.weights is None else float(batch.weights[i])
            relative = batch.relative is not None and bool(batch.relative[i])
            samples.append(Sample(key.name, key.tags, kind, float(batch.values[i]), float(batch.times[i]), weight, relative))
    return samples


def parse(*datagrams: bytes, parser: StatsdParser | None = None) -> list[Sample]:
    return unpacked((parser or StatsdParser()).feed(list(datagrams), NOW))


def one(line: bytes) -> Sample:
    (sample,) = parse(line)
    return sample


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"hits:1|c", Sample("hits", (), "COUNTER", 1, NOW)),
        (b"hits:-3|c", Sample("hits", (), "COUNTER", -3, NOW)),
        (b"hits:2|c|@0.1", Sample("hits", (), "COUNTER", 20, NOW)),
        (b"temp:21.5|g", Sample("temp", (), "GAUGE", 21.5, NOW)),
        (b"temp:+4|g", Sample("temp", (), "GAUGE", 4, NOW, relative=True)),
        (b"temp:-10|g", Sample("temp", (), "GAUGE", -10, NOW, relative=True)),
        (b"temp:5|g|@0.5", Sample("temp", (), "GAUGE", 5, NOW)),
        (b"wait:320|ms", Sample("wait", (), "DISTRIBUTION", 320, NOW)),
        (b"wait:320|ms|@0.25", Sample("wait", (), "DISTRIBUTION", 320, NOW, weight=4)),
        (b"size:1e3|h", Sample("size", (), "DISTRIBUTION", 1000, NOW)),
        (b"size:.5|d", Sample("size", (), "DISTRIBUTION", 0.5, NOW)),
        (b"hits:1|c|#env:prod,canary", Sample("hits", (("canary", "true"), ("env", "prod")), "COUNTER", 1, NOW)),
        (b"hits:1|c|#url:http://x/,env:", Sample("hits", (("url", "http://x/"),), "COUNTER", 1, NOW)),
        (b"hits:1|c|#a:1|@0.5|c:ci-77|e:it|card:low", Sample("hits", (("a", "1"),), "COUNTER", 2, NOW)),
        (b"hits:1|c|#", Sample("hits", (), "COUNTER", 1, NOW)),
        (b"hits:1|c|T1656581400|#a:1", Sample("hits", (("a", "1"),), "COUNTER", 1, 1656581400.0)),
        (b"temp:7|g|T1656581400", Sample("temp", (), "GAUGE", 7, 1656581400.0)),
        (b"wait:7|ms|T1656581400", Sample("wait", (), "DISTRIBUTION", 7, NOW)),
        (b"_sc|db.up|2", Sample("datadog.service_check", (("check", "db.up"),), "GAUGE", 2, NOW)),
        (
            b"_sc|db.up|3|d:1656581400|h:web1|#a:1,check:no|c:ci-7|m:down|#b:2",
            Sample("datadog.service_check", (("a", "1"), ("check", "db.up"), ("host", "web1")), "GAUGE", 3, 1656581400.0),
        ),
        (
            b"_sc|Redis up|0|#host:b|h:a",
            Sample("datadog.service_check", (("check", "Redis up"), ("host", "b")), "GAUGE", 0, NOW),
        ),
        (b"hits:1|c\r", Sample("hits", (), "COUNTER", 1, NOW)),
        ("größe:1|c".encode(), Sample("größe", (), "COUNTER", 1, NOW)),
        (b"bad\xff:1|c|#k\x1b[2J:v", Sample("bad\ufffd", (("k\ufffd[2J", "v"),), "COUNTER", 1, NOW)),
    ],
)
def test_a_line_becomes_its_sample(line: bytes, expected: Sample) -> None:
    assert one(line) == expected
    assert parse(FILLER + line)[-1] == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hits", "no type"),
        (b"hits:1", "no type"),
        (b"hits|c", "no value"),
        (b"hits:|c", "no value"),
        (b":1|c", "no name"),
        (b"hits:1|", "unknown type"),
        (b"hits:1|q", "unknown type"),
        (b"hits:x|c", "bad value"),
        (b"hits:.|c", "bad value"),
        (b"hits:1.2.3|c", "bad value"),
        (b"hits:1_0|c", "bad value"),
        (b"hits: 1|c", "bad value"),
        (b"hits:nan|c", "bad value"),
        (b"hits:inf|g", "bad value"),
        (b"hits:1e999|g", "bad value"),
        (b"hits:1:x|ms", "bad value"),
        (b"hits::|ms", "bad value"),
        (b"hits:1|c|@0", "bad rate"),
        (b"hits:1|c|@2", "bad rate"),
        (b"hits:1|c|@x", "bad rate"),
        (b"hits:1|c|Tx", "bad timestamp"),
        (b"hits:1|c|T0", "bad timestamp"),
        (b"n" * 257 + b":1|c", "name or tags too long"),
        (b"hits:1|c|#" + b",".join(b"k%d:v" % i for i in range(33)), "name or tags too long"),
        (b"hits:1|c|#k:" + b"v" * 257, "name or tags too long"),
        (b"hits:1|c|" + b"x" * 9000, "line too long"),
        (b"_e{5,5}:title|text", "bad event"),
        (b"_e{0,4}:|text", "bad event"),
        (b"_e{5}:title|text", "bad event"),
        (b"_e{5,4}:titletext|", "bad event"),
        (b"_e{4,4}:title|text", "bad event"),
        (b"_sc|db.up", "bad service check"),
        (b"_sc|db.up|4", "bad service check"),
        (b"_sc||0", "bad service check"),
        (b"_sc|db.up|0|d:x", "bad timestamp"),
        (b"_sc|" + b"x" * 300 + b"|0", "name or tags too long"),
    ],
)
def test_a_malformed_line_is_counted_shown_and_harms_no_neighbour(line: bytes, reason: str) -> None:
    for before in (b"first:1|c\n", FILLER):
        parser = StatsdParser()
        samples = parse(before + line + b"\nlast.one:2|c", parser=parser)
        assert samples[-1] == Sample("last.one", (), "COUNTER", 2, NOW)
        assert len(samples) == before.count(b"\n") + 1
        assert parser.reasons == {reason: 1}
        assert parser.counters.malformed == 1
        assert parser.counters.lines == before.count(b"\n") + 2
        assert parser.malformed[0].reason == reason
        assert parser.malformed[0].line.startswith(line[:100].decode())


def test_a_known_spelling_does_not_excuse_a_line_without_value_or_name() -> None:
    parser = StatsdParser()
    parse(FILLER + b"hits:1|c\nset:x|s", parser=parser)
    assert parse(b"hits:|c\nhits|c\nset:|s\nset|s", parser=parser) == []
    assert parser.reasons == {"no value": 4}


def test_packed_values_are_samples_in_order_and_empty_ones_are_skipped() -> None:
    assert [s.value for s in parse(b"wait:1:2.5::3|ms|@0.5")] == [1, 2.5, 3]
    assert [(s.value, s.relative) for s in parse(b"temp:5:+1:-2|g")] == [(5, False), (1, True), (-2, True)]


def test_timers_are_in_milliseconds() -> None:
    (batch,) = StatsdParser().feed([b"wait:1|ms\nsize:1|h"], NOW)
    assert batch.space.units == ["ms", ""]


def test_set_members_hash_to_integers_exact_in_a_float() -> None:
    samples = parse(b"users:anna|s\nusers:bert|s\nusers:anna|s\nusers:a:b|s\nusers:42|s")
    assert samples[0].value == samples[2].value
    assert len({sample.value for sample in samples}) == 4
    assert all(0 <= s.value < 2**53 and s.value == int(s.value) for s in samples)
    assert (
        samples[0].value == 4_936_053_600_915_080
    )  # the same in every process: `printf anna | b2sum -l 64`, little-endian, >> 11
    assert parse(FILLER + b"users:42|s")[-1].value == samples[4].value


def test_events_and_service_checks_are_read_between_metrics() -> None:
    parser = StatsdParser()
    lines = b"_e{5,4}:title|text|#a:1\n_sc|db.up|0|#a:1|m:fine\n_e{1,1}:1|c\nhits:1|c"
    assert len(parse(lines, parser=parser)) == 2
    assert len(parse(FILLER + lines, parser=parser)) == FILLER.count(b"\n") + 2
    assert (parser.counters.events, parser.counters.service_checks, parser.counters.malformed) == (4, 2, 0)
    assert [event.text for event in parser.take_events()] == ["title: text a:1", "1: c"] * 2
    assert parser.take_events() == []


def test_events_nobody_takes_are_dropped_and_counted() -> None:
    parser = StatsdParser(Limits(events=3))
    parse(b"\n".join(b"_e{1,0}:%d|" % i for i in range(5)), parser=parser)
    assert [event.text for event in parser.take_events()] == ["0", "1", "2"]
    assert (parser.counters.events, parser.counters.events_dropped) == (5, 2)


def test_order_of_arrival_holds_between_plain_and_other_lines() -> None:
    lines = FILLER + b"temperature:5|g\ntemperature:+1|g\ntemperature:7|g\ntemperature:-123456789.5|g"
    tail = parse(lines)[-4:]
    assert [(s.value, s.relative) for s in tail] == [(5, False), (1, True), (7, False), (-123456789.5, True)]


def test_spellings_of_one_series_share_its_id() -> None:
    (batch,) = StatsdParser().feed([b"hits:1|c|#a:1,b:2\nhits:1|c|#b:2,a:1|@0.5\nhits:1|c|T1656581400|#a:1,b:2"], NOW)
    assert batch.ids.tolist() == [0, 0, 0]
    assert len(batch.space) == 1


def test_timestamps_do_not_fill_the_dictionary() -> None:
    parser = StatsdParser(Limits(entries=10))
    for second in range(1, 100):
        parse(b"hits:1|c|T%d" % second, parser=parser)
    assert parser.counters.resets == 0


def test_a_full_dictionary_starts_anew_and_is_counted() -> None:
    parser = StatsdParser(Limits(entries=10))
    first = parser.feed([b"\n".join(b"name%d:1|c" % i for i in range(20))], NOW)
    second = parser.feed([b"name1:1|c"], NOW)
    assert parser.counters.resets == 1
    assert first[0].space is not second[0].space
    assert unpacked(second) == [Sample("name1", (), "COUNTER", 1, NOW)]


def test_a_dictionary_is_bounded_in_bytes_too() -> None:
    parser = StatsdParser(Limits(cache_bytes=1000))
    parse(*(b"%s%d:1|c" % (b"n" * 200, i) for i in range(20)), parser=parser)
    assert parser.counters.resets == 1


def test_memory_of_the_datagrams_may_be_reused() -> None:
    slab = bytearray(FILLER + b"hits.in.total:5|c")
    (batch,) = StatsdParser().feed([memoryview(slab)], NOW)
    slab[:] = bytes(len(slab))
    assert batch.values[-1] == 5


def test_shown_lines_are_few_short_and_escaped() -> None:
    parser = StatsdParser()
    parse(*(b"\x1b[31m\xff" + b"x" * 500 for _ in range(50)), parser=parser)
    assert len(parser.malformed) == 10
    assert parser.malformed[0].line.startswith("\\x1b[31m\\xff" + "x")
    assert len(parser.malformed[0].line) == 120


def test_batches_of_one_feed_are_one_batch_though_it_spans_many_chunks() -> None:
    datagrams = [FILLER] * 100 + [b"hits:1|c|@0.5"]
    (batch,) = StatsdParser().feed(datagrams, NOW)
    assert len(batch) == 100 * FILLER.count(b"\n") + 1


numbers = st.one_of(
    st.from_regex(r"[+-]?[0-9]{0,10}\.?[0-9]{0,10}(e[+-]?[0-9]{1,3})?", fullmatch=True),
    st.integers(-(10**9), 10**9).map(str),
    st.floats().map(repr),
    st.sampled_from(
        ["", "0", ".", "1.", ".1", "00000000", "99999999", "0.000001", "12345678.", "9.999999", "/", "1:2", ":", "1::2"]
    ),
)
names = st.text(st.sampled_from("abc._-é\x00:|\t1"), min_size=0, max_size=9)
fields = st.lists(
    st.sampled_from(["@0.1", "@1", "@", "@7", "#a:1,b", "#", "#,x:,:y", "T1656581400", "Tx", "c:1", "zz", "#b,a:1", ""]),
    max_size=3,
)
types = st.sampled_from(["c", "g", "ms", "h", "d", "s", "m", "", "c\r"])
metrics = st.builds(lambda n, v, t, f: "|".join([f"{n}:{v}", t, *f]).encode(), names, numbers, types, fields)
others = st.lists(
    st.sampled_from(["#a:1,host:x", "h:web1", "d:1656581400", "d:x", "m:a|b", "t:error", "#check:z", "zz"]), max_size=4
)
checks = st.builds(lambda n, s, f: "|".join(["_sc", n, s, *f]).encode(), names, st.sampled_from("01234"), others)
events = st.builds(
    lambda t, b, f: "|".join([f"_e{{{len(t.encode())},{len(b.encode())}}}:{t}|{b}", *f]).encode(), names, names, others
)
lines = st.one_of(metrics, metrics, checks, events)


def mutated(line: bytes, place: int, byte: int, how: int) -> bytes:
    place %= len(line) + 1
    return line[:place] + (b"" if how == 0 else bytes([byte])) + line[place + (how != 2) :]


changed = st.builds(
    mutated, lines, st.integers(0, 60), st.sampled_from(b":|@#.\n\r\x00\xff0-+eT_") | st.integers(0, 255), st.integers(0, 2)
)


def agrees_with_reference(datagrams: list[bytes]) -> None:
    parser = StatsdParser()
    got = unpacked(parser.feed(datagrams, NOW))
    expected: list[Sample] = []
    reasons: list[str] = []
    for datagram in datagrams:
        samples, refused = reference.read(datagram, NOW)
        expected += samples
        reasons += refused
    assert got == expected
    assert parser.reasons == {reason: reasons.count(reason) for reason in reasons}
    assert parser.counters.samples == len(expected)


@given(st.lists(st.one_of(lines, changed), max_size=12))
@settings(max_examples=300, deadline=None)
def test_line_by_line_equals_the_reference(datagrams: list[bytes]) -> None:
    agrees_with_reference(datagrams)


@given(st.lists(st.one_of(lines, changed), max_size=12).map(lambda found: [d.replace(b"\0", b"") for d in found]))
@settings(max_examples=300, deadline=None)
def test_columns_equal_the_reference(datagrams: list[bytes]) -> None:
    agrees_with_reference([FILLER[:-1], *datagrams, *datagrams])


def test_every_number_of_up_to_eight_characters_is_read_as_python_reads_it() -> None:
    rng = random.Random(3)
    texts = [str(i) for i in range(1000)]
    texts += ["".join(rng.choice("0123456789.") for _ in range(rng.randint(1, 9))) for _ in range(20_000)]
    parser = StatsdParser()
    values = iter(unpacked(parser.feed(["\n".join(f"some.name:{text}|d" for text in texts).encode()], NOW)))
    refused = 0
    for text in texts:
        if text.count(".") > 1 or not text.strip("."):
            refused += 1
        else:
            assert math.isclose(next(values).value, float(text), rel_tol=0, abs_tol=0)
    assert parser.reasons == {"bad value": refused}
