"""A hundred thousand spoiled lines: no exception escapes, every line is accounted for, memory stays bounded."""

from __future__ import annotations

import random

from collector.receivers.statsd.parser import Limits, StatsdParser

CASES = 100_000
SEEDS = (
    b"page.views:1|c",
    b"fuel.level:-0.5|g",
    b"song.length:240|h|@0.5",
    b"users.uniques:1234|s",
    b"users.online:1|c|#country:china,environment:production",
    b"request.time:1:2.25:3|ms|@0.1|#a:b|c:83c0a99c|T1656581400",
    b"_e{21,36}:An exception occurred|Cannot parse CSV file from 10.0.0.17|t:warning|#err_type:bad_file",
    b"_sc|Redis connection|2|#env:dev|m:Redis connection timed out after 10s",
)
SPICE = (
    b"|",
    b":",
    b"@",
    b"#",
    b",",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"1e999",
    b"nan",
    b"-",
    b"+",
    b"T9",
    b"\x1b[2J",
    b"|#" * 9,
)


def spoiled(rng: random.Random) -> bytes:
    line = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(0, 4)):
        place = rng.randrange(len(line) + 1)
        match rng.randrange(4):
            case 0:
                line[place:place] = rng.choice(SPICE)
            case 1:
                del line[place : place + rng.randint(1, 6)]
            case 2:
                line[place : place + 1] = rng.randbytes(1)
            case _:
                line[place:place] = line[: rng.randrange(40)]
    return bytes(line)


def test_a_hundred_thousand_spoiled_lines_do_no_harm() -> None:
    rng = random.Random(20260730)
    limits = Limits(entries=5000, cache_bytes=1 << 20)
    parser = StatsdParser(limits)
    sent = samples = 0
    for _ in range(CASES // 250):
        datagrams = [spoiled(rng) for _ in range(250)]
        sent += sum(bool(line.rstrip(b"\r")) for datagram in datagrams for line in datagram.split(b"\n"))
        for size in (1, 49, 200):  # small feeds are read line by line, large ones as columns
            part, datagrams = datagrams[:size], datagrams[size:]
            batches = parser.feed(part, 1.0)
            assert all(event.text.isprintable() and len(event.text) < 4000 for event in parser.take_events())
            for batch in batches:
                samples += len(batch)
                assert len(batch.space) <= limits.entries + 250
                assert int(batch.ids.max()) < len(batch.space)
    counters = parser.counters
    assert counters.lines == sent >= CASES
    assert counters.samples == samples
    assert 0 < counters.malformed == sum(parser.reasons.values())
    assert counters.resets > 0
    assert len(parser.reasons) <= 11
    assert len(parser.malformed) == limits.shown
    assert all(found.line.isprintable() for found in parser.malformed)
    (batch,) = parser.feed([b"still.alive:1|c"], 2.0)
    assert batch.values.tolist() == [1.0]
