"""A hundred thousand broken expositions: nothing but the typed error escapes, and memory stays bounded."""

from __future__ import annotations

import random

import numpy as np
import pytest

from collector.receivers.prometheus import ExpositionError, ExpositionLimits
from collector.receivers.prometheus.exposition_parser import ExpositionParser

CASES = 100_000
SEEDS = (
    b'# HELP a text\n# TYPE a counter\na_total{x="1",y="b\\"c"} 5 17 # {id="q"} 0.5 1\na_created 4\n# EOF\n',
    b'# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n# EOF\n',
    b'# TYPE s summary\ns{quantile="0.5"} NaN\ns_sum 1\ns_count 2\n# EOF\n',
    b"# TYPE g gauge\n# UNIT g_seconds seconds\ng 1e5\ng2{} -Inf 1700000000000\n\n# comment\n# EOF\n",
)
PIECES = (
    *(bytes([byte]) for byte in range(256)),
    *(
        b"# EOF\n",
        b"# TYPE ",
        b"NaN",
        b"1e999",
        b" # {",
        b'le="',
        b"\xf0\x9f\x98\x80",
        b"\\",
        b'"}',
        b"9" * 400,
        b"\r\n",
        b"_total",
    ),
)


def broken(chance: random.Random) -> bytes:
    body = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(4):
            case 0:
                body[at : at + chance.randint(0, 6)] = chance.choice(PIECES)
            case 1:
                del body[at : at + chance.randint(1, 20)]
            case 2:
                body[at:at] = chance.choice(SEEDS)[: chance.randint(0, 60)]
            case _:
                body[at : at + 1] = chance.randbytes(chance.randint(0, 3))
    return bytes(body)


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])
def test_no_other_exception_escapes_and_memory_is_bounded(openmetrics: bool) -> None:
    chance = random.Random(20)
    limits = ExpositionLimits(body_bytes=4096, samples=50, labels=8, name_length=64, value_length=64)
    parser = ExpositionParser(openmetrics, limits)
    refused = longest = 0
    for _ in range(CASES // 2):
        try:
            samples = parser.parse(broken(chance))
        except ExpositionError as error:
            refused += 1
            longest = max(longest, len(str(error)))
        else:
            assert len(samples.ids) == len(samples.values) <= limits.samples
            assert len(np.unique(samples.ids)) == len(samples.ids)
            assert samples.times is None or len(samples.times) == len(samples.ids)
        assert len(parser.series) <= 10_000 + 5 * limits.samples
    assert longest < 600
    assert 0 < refused < CASES // 2
