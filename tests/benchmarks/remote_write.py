"""What remote write costs from an unpacked request to batches, in CPU seconds per million samples: requests as Prometheus sends
them, with 2,000 series of one sample each and with ten, of both versions.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from collector.protobuf.columns import SeriesColumns
from collector.protobuf.write import decode_write_v1, encode_write_v1, encode_write_v2
from collector.receivers.remote_write.negotiation import Version
from collector.receivers.remote_write.receiver import RemoteWriteReceiver
from monitor.query.history import Labels, Metadata
from tests.benchmarks.report import report
from tests.collector.receivers.remote_write.recording import Recording

BAR, AIM = 4.0, 1.5
ENCODERS = {Version.V1: encode_write_v1, Version.V2: encode_write_v2}
_BEGIN = 1_700_000_000_000
_FAMILIES = 40


def series(count: int) -> tuple[Labels, ...]:
    """Names and labels as of a web service, sorted."""
    found = []
    for number in range(count):
        labels = {
            "__name__": f"http_requests_{number % _FAMILIES}_total",
            "code": str(200 + number % 4),
            "env": "production",
            "handler": f"/api/v1/item/{number // 10}",
            "instance": f"web{number % 50:02d}:9090",
            "job": "api",
            "method": ("GET", "POST", "PUT")[number % 3],
            "number": str(number),
        }
        found.append(tuple(sorted(labels.items())))
    return tuple(sorted(found))


def requests(version: Version, count: int, samples: int, messages: int) -> list[bytes]:
    """Requests of the same series one after the other, a third of the values 0."""
    names, chance = series(count), np.random.default_rng(5)
    about = {f"http_requests_{number}_total": Metadata("counter", "Requests answered.") for number in range(_FAMILIES)}
    found = []
    for message in range(messages):
        times = np.tile(_BEGIN + 15_000 * (message * samples + np.arange(samples)), count)
        values = np.where(chance.random(len(times)) < 1 / 3, 0.0, chance.integers(1, 1 << 40, len(times)).astype(np.float64))
        columns = SeriesColumns(names, np.arange(count + 1) * samples, times, values, metadata=about)
        found.append(ENCODERS[version](columns))
    return found


def cost(version: Version, count: int, samples: int, messages: int) -> tuple[float, float]:
    """Of the first request, which names all series for the first time, and the median of the later ones."""
    receiver = RemoteWriteReceiver(Recording())
    spent = []
    for body in requests(version, count, samples, messages):
        began = time.process_time()
        receiver.take(body, version)
        spent.append((time.process_time() - began) / (count * samples) * 1e6)
    return spent[0], statistics.median(spent[1:])


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=60)
    arguments = parser.parse_args()
    figures: dict[str, float] = {"series": arguments.series}
    for version in Version:
        for samples in (1, 10):
            first, later = cost(version, arguments.series, samples, arguments.messages // samples + 5)
            name = f"{version.name.lower()}_x{samples}"
            figures[f"{name}_cpu_s_per_million"] = round(later, 2)
            figures[f"{name}_first"] = round(first, 1)
    body = requests(Version.V1, arguments.series, 1, 1)[0]
    began = time.process_time()
    decode_write_v1(body)
    figures["field_by_field"] = round((time.process_time() - began) / arguments.series * 1e6, 1)
    report("remote_write", figures, {name: (BAR, AIM) for name in figures if name.endswith("per_million")})


if __name__ == "__main__":
    main()
