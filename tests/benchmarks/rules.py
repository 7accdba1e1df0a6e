"""CPU share of judging many rules a second: `python -m tests.benchmarks.rules [--rules 10000] [--series 10]`."""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from monitor.alerting.book import AlertBook
from monitor.alerting.model import Rule
from monitor.alerting.rules import MAX_RULES, parse_rules
from monitor.engine import Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key

START = 1_700_000_000.0
WARM = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--series", type=int, default=10, help="series a rule")
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--firing", type=float, default=0.001, help="share of series over the limit")
    given = parser.parse_args()
    count = given.rules * given.series
    engine, space, book = Engine(EngineSettings(series_limit=count + 100)), KeySpace(), AlertBook()
    ids = np.array(
        [
            space.add(series_key(f"load.rule{number // given.series}", [("host", str(number % given.series))]), Kind.GAUGE)
            for number in range(count)
        ],
        np.int32,
    )
    rules = [rule for first in range(0, given.rules, MAX_RULES) for rule in _rules(first, min(first + MAX_RULES, given.rules))]
    random = np.random.default_rng(7)
    over = random.random(count) < given.firing
    judged, ticked = [], []
    for tick in range(WARM + given.ticks):
        now = START + tick
        values = random.random(count) * 50 + np.where(over, 100.0, 0.0)
        engine.ingest(Batch(space, ids, values, np.full(count, now + 0.5)))
        began = time.process_time()
        frame = engine.tick(now + 1)
        between = time.process_time()
        book.judge(frame.time, rules, engine)
        ended = time.process_time()
        if tick >= WARM:
            ticked.append(between - began)
            judged.append(ended - between)
    told = {
        "rules": given.rules,
        "series": count,
        "alerts": len(book.alerts),
        "judge_ms_median": round(float(np.median(judged)) * 1e3, 1),
        "judge_ms_most": round(max(judged) * 1e3, 1),
        "windows_ms_median": round(float(np.median(ticked)) * 1e3, 1),
        "cpu_share_judging": round(float(np.median(judged)), 4),
    }
    print(json.dumps(told))


def _rules(first: int, last: int) -> list[Rule]:
    text = "".join(
        f'[[rule]]\nid = "r{number}"\nmetric = "load.rule{number}"\nactions = []\n'
        'condition = { type = "threshold", operator = "gt", value = 90, window = "5m", field = "last" }\n'
        for number in range(first, last)
    )
    return list(parse_rules(text, f"{first}.toml"))


if __name__ == "__main__":
    main()
