"""The whole collector watching this host at 1 Hz with nobody looking: CPU of one core and memory."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.product import cpu_seconds, own_figure, resident_mb
from tests.benchmarks.report import report
from tests.running import collector

WARM_SECONDS = 10.0
SECONDS = 40.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as one:
        time.sleep(WARM_SECONDS)
        before = cpu_seconds(one.pid)
        time.sleep(SECONDS)
        percent = 100 * (cpu_seconds(one.pid) - before) / SECONDS
        figures = {
            "cpu_percent": round(percent, 2),
            "rss_mb": round(resident_mb(one.pid), 1),
            "series": own_figure(one, "series"),
        }
    report("idle", figures, {"cpu_percent": (1.3, 0.6), "rss_mb": (90, 60)})


if __name__ == "__main__":
    main()
