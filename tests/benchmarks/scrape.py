"""What a scrape costs from text to batch, in CPU seconds per million samples, beside prometheus_client's parser in one run."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.series import ScrapeCounters, TargetSeries
from tests.benchmarks.report import report

BAR, AIM = 1.5, 1.0
_FAMILIES = (
    ("http_requests_total", "counter"),
    ("http_request_duration_seconds_bucket", "counter"),
    ("node_cpu_seconds_total", "counter"),
    ("process_resident_memory_bytes", "gauge"),
    ("queue_depth", "gauge"),
    ("temperature_celsius", "gauge"),
)


def expositions(series: int, count: int) -> list[bytes]:
    """`count` answers of one target with `series` series: layout fixed, values moving."""
    chance = random.Random(5)
    rows: list[tuple[str, str, str]] = []
    for family, kind in _FAMILIES:
        for number in range(-(-series // len(_FAMILIES))):
            labels = (
                f'instance="web{number % 50:02d}",method="{("GET", "POST", "PUT")[number % 3]}",'
                f'path="/api/v1/item/{number // 150}",code="{(200, 404, 500)[number // 3 % 3]}",'
                f'le="{(0.005, 0.01, 0.1, 1)[number // 9 % 4]}"'
            )
            rows.append((family, kind, f"{family}{{{labels}}}"))
    values = [chance.random() * 1e6 for _ in rows]
    bodies: list[bytes] = []
    for _ in range(count):
        lines: list[str] = []
        last = ""
        for position, (family, kind, text) in enumerate(rows):
            if family != last:
                lines += [f"# HELP {family} help text for {family}", f"# TYPE {family} {kind}"]
                last = family
            if kind == "counter":
                values[position] += chance.randint(0, 50)
                lines.append(f"{text} {int(values[position])}")
            else:
                values[position] *= 1 + chance.gauss(0, 0.01)
                lines.append(f"{text} {values[position]:.4f}")
        bodies.append(("\n".join(lines) + "\n").encode())
    return bodies


def cost(work: Callable[[], int]) -> float:
    """CPU seconds per million samples of `work`, which says how many it handled."""
    began = time.process_time()
    samples = work()
    return (time.process_time() - began) / samples * 1e6


def steady(bodies: list[bytes], rounds: int) -> tuple[float, list[float]]:
    """Cost of the first answer and of each later one, parse and batch together."""
    parser = ExpositionParser(openmetrics=False)
    target = TargetSeries({"job": "bench", "instance": "localhost:1"}, False, ScrapeCounters())
    clock = 1_700_000_000.0

    def scrape(body: bytes) -> int:
        nonlocal clock
        clock += 5.0
        samples = parser.parse(body)
        target.taken(samples, parser, clock, 0.0)
        return len(samples.values)

    first = cost(partial(scrape, bodies[0]))
    later = [cost(partial(scrape, body)) for body in (bodies * rounds)[1:]]
    return first, later


def with_timestamps(body: bytes) -> bytes:
    """The same answer with a timestamp on every sample."""
    return b"".join(line + (b"\n" if line.startswith(b"#") else b" 1700000000000\n") for line in body.splitlines())


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    bodies = expositions(arguments.series, 4)
    first, later = steady(bodies, arguments.rounds)
    later.sort()
    _, stamped = steady([with_timestamps(body) for body in bodies[:2]], 2)
    # Their parser needs half a minute for a million: a tenth of one answer tells as much.
    sample = b"\n".join(bodies[0].split(b"\n")[: arguments.series // 10]).decode()
    theirs = cost(lambda: sum(len(family.samples) for family in text_string_to_metric_families(sample)))
    median = later[len(later) // 2]
    result = {
        "series": arguments.series,
        "cpu_s_per_million": round(median, 3),
        "best": round(later[0], 3),
        "worst": round(later[-1], 3),
        "first_answer": round(first, 2),
        "with_timestamps": round(sorted(stamped)[len(stamped) // 2], 3),
        "prometheus_client": round(theirs, 2),
        "times_faster": round(theirs / median, 1),
    }
    report("scrape", result, {"cpu_s_per_million": (BAR, AIM)})


if __name__ == "__main__":
    main()
