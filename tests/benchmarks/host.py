"""What reading this host once a second costs: CPU share of a core and memory of `HostReceiver.collect` alone."""

from __future__ import annotations

import argparse
import os
import time

from tests.benchmarks.report import report

BAR_PERCENT, AIM_PERCENT = 1.3, 0.6


def resident_mib() -> float:
    """Resident memory of this process in MiB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Print one JSON line: CPU percent of a core at 1 Hz, milliseconds a call (median, worst), series, memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    before = resident_mib()
    from collector.receivers.host import HostReceiver

    receiver = HostReceiver()
    receiver.collect(time.time())
    costs: list[float] = []
    series = 0
    began, busy = time.monotonic(), time.process_time()
    for _ in range(arguments.seconds):
        time.sleep(max(0.0, began + len(costs) + 1 - time.monotonic()))
        start = time.process_time()
        batches = receiver.collect(time.time())
        costs.append(time.process_time() - start)
        series = max(series, sum(map(len, batches)))
    percent = 100.0 * (time.process_time() - busy) / (time.monotonic() - began)
    costs.sort()
    result = {
        "cpu_percent": round(percent, 3),
        "ms_median": round(1000 * costs[len(costs) // 2], 3),
        "ms_worst": round(1000 * costs[-1], 3),
        "series": series,
        "rss_mib": round(resident_mib(), 1),
        "rss_before_import_mib": round(before, 1),
    }
    report("host", result, {"cpu_percent": (BAR_PERCENT, AIM_PERCENT)})


if __name__ == "__main__":
    main()
