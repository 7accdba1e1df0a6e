"""Kills a writer again and again, and looks each time whether everything it was told to be safe is there, once and right.

`python -m tests.collector.storage.history.kill_loop --rounds 200` prints what it found; exit code 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from collector.storage.history.tools.check import check
from monitor.model.matchers import Matcher
from monitor.model.series import Kind
from monitor.query.history import Block, Hints, Labels

START = 1_764_000_000_000 // 14_400_000 * 14_400_000
NOW = START / 1000 + 86_400
LASTING, LIFE = 10, 5
"""Series that are written every second, and seconds that a passing one lives."""
_ALL = (Matcher("__name__", "!=", ""),)
_RAW = Hints(range=1)

Ticks = npt.NDArray[np.int64]


def series(number: int) -> Labels:
    """The lasting ones first, then those that come and go."""
    return (("__name__", "kill.values"), ("n", str(number)))


DISTRIBUTION: Labels = (("__name__", "kill.waits"),)
LATE: Labels = (("__name__", "kill.late"),)


def values(number: int, ticks: Ticks) -> npt.NDArray[np.float64]:
    """What a series says at each second."""
    return number * 1e6 + ticks * 7919 % 10007 / 8


def open_store(folder: Path) -> HistoryStore:
    """With background work that is always busy."""
    settings = HistorySettings(keep=(1e9, 1e9, 1e9, 1e9), quiet=0.0, fold_samples=400, fold_age=0.2, segment_bytes=20_000)
    return HistoryStore(folder, settings, clock=lambda: NOW)


def write_tick(store: HistoryStore, tick: int) -> bool:
    """One second of everything, and whether it is safe."""
    numbers = [*range(LASTING), LASTING + tick // LIFE]
    refs = store.intern([series(number) for number in numbers], [Kind.GAUGE] * len(numbers))
    at = np.array([tick])
    told = np.array([values(number, at)[0] for number in numbers])
    store.append(refs, np.full(len(refs), START + tick * 1000), told)
    late, waits = store.intern([LATE, DISTRIBUTION], [Kind.GAUGE, Kind.DISTRIBUTION])
    if tick % 10 == 9:  # ten seconds at once, the oldest last
        ticks = np.arange(tick, tick - 10, -1)
        store.append(np.full(10, late), START + ticks * 1000, values(0, ticks))
    count = np.array([tick % 5 + 1.0])
    bins, sums = np.array([8000], np.int32), np.array([float(tick)])
    store.append_histograms(np.array([waits]), START + at * 1000, np.array([0, 1]), bins, count, sums)
    return store.commit()


def writer(folder: Path, tick: int) -> None:
    """Writes for ever, and says each second that is safe."""
    store = open_store(folder)
    store.start()
    print("open", flush=True)
    while True:
        if write_tick(store, tick):
            print(tick, flush=True)
        tick += 1


@dataclass
class Found:
    """`wrong`: sentences on what must not be; empty when all is well. `told`: what the store said of itself, and how often."""

    ticks: int = 0
    samples: int = 0
    wrong: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


def look(store: HistoryStore, acknowledged: int, whole: bool = True) -> Found:
    """Compares all there is with all there should be up to a second; a few seconds after it may be there or not.

    `whole`: everything up to there has to be there; otherwise what is there has to be right.
    """
    found = Found()
    seen: dict[Labels, dict[int, float]] = {}
    for block in store.select(_ALL, 0, 1 << 50, _RAW).blocks:
        for row, labels in enumerate(block.labels):
            if labels in seen:
                found.wrong.append(f"{labels} is there twice")
            seen[labels] = _right(labels, block, row, found, whole)
    expected = {series(n): np.arange(acknowledged + 1) for n in range(LASTING)}
    expected[DISTRIBUTION] = np.arange(acknowledged + 1)
    expected[LATE] = np.arange((acknowledged + 1) // 10 * 10)
    for life in range(acknowledged // LIFE + 1):
        expected[series(LASTING + life)] = np.arange(life * LIFE, min(life * LIFE + LIFE, acknowledged + 1))
    for labels, ticks in expected.items():
        lacking = set(ticks.tolist()) - seen.get(labels, {}).keys()
        if lacking and whole:
            found.wrong.append(f"{labels} lacks {len(lacking)} acknowledged samples, the first of second {min(lacking)}")
    found.ticks = max((tick for known in seen.values() for tick in known), default=-1) + 1
    found.samples = sum(map(len, seen.values()))
    return found


def _right(labels: Labels, block: Block, row: int, found: Found, whole: bool) -> dict[int, float]:
    """The samples of a series by second, after a look at each."""
    held = np.ones(len(block.times), np.bool_) if block.present is None else block.present[row]
    times = block.times[held]
    if (np.diff(times) <= 0).any():
        found.wrong.append(f"{labels} has a sample twice")
    ticks, odd = (times - START) // 1000, (times - START) % 1000
    if odd.any():
        found.wrong.append(f"{labels} has a sample of a time that was never written")
    if labels == DISTRIBUTION:
        return _right_counts(block, row, ticks, found, whole)
    number = int(dict(labels)["n"]) if labels[0][1] == "kill.values" else 0
    wrong = block.values[row][held] != values(number, ticks)
    if wrong.any():
        found.wrong.append(f"{labels} has {int(wrong.sum())} wrong numbers, the first at second {ticks[wrong][0]}")
    return dict.fromkeys(ticks.tolist(), 1.0)


def _right_counts(block: Block, row: int, ticks: Ticks, found: Found, whole: bool) -> dict[int, float]:
    """Running sums: each second's growth is what was written then, if the second before is there."""
    assert block.histograms is not None
    counts = np.array([cell.count for cell in block.histograms[row]])
    sums = np.array([cell.sum for cell in block.histograms[row]])
    after = np.flatnonzero(np.diff(ticks) == 1) + 1
    grown = (np.diff(counts)[after - 1] == ticks[after] % 5 + 1) & (np.diff(sums)[after - 1] == ticks[after])
    if not grown.all():
        found.wrong.append(f"the distribution grew wrongly at second {ticks[after][~grown][0]}")
    if whole and len(ticks) and counts[-1] != (np.arange(ticks[-1] + 1) % 5 + 1).sum():
        found.wrong.append("the distribution counts something else than what was observed")
    return dict.fromkeys(ticks.tolist(), 1.0)


def run(folder: Path, rounds: int, seed: int = 1, say: bool = False) -> Found:
    """Kills `rounds` writers; what was wrong over all of them."""
    chance = random.Random(seed)
    total, acknowledged = Found(), -1
    for number in range(rounds):
        acknowledged = _killed(folder, acknowledged, chance)
        store = open_store(folder)
        found = look(store, acknowledged)
        for problem in store.problems:
            total.told[problem.partition(": ")[2] or problem] += 1
        store.close()
        total.ticks, total.samples = found.ticks, found.samples
        total.wrong += [f"round {number}: {sentence}" for sentence in found.wrong]
        if say and number % 20 == 19:
            print(f"round {number + 1}: {found.samples} samples of {found.ticks} seconds, {len(total.wrong)} wrong", flush=True)
    report = check(folder)
    total.wrong += report.problems
    return total


def _killed(folder: Path, acknowledged: int, chance: random.Random) -> int:
    """Starts a writer where the one before ended, and kills it: while it opens, or some time after; the last second it said."""
    command = [sys.executable, "-m", "tests.collector.storage.history.kill_loop", "--write", str(folder), str(acknowledged + 1)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    wanted = chance.choice((0, 1, 3, 10, 30, 60))
    for line in process.stdout:
        if line.strip().isdigit():
            acknowledged = int(line)
            wanted -= 1
        if wanted <= 0:
            break
    time.sleep(chance.random() * 0.02)  # anywhere within a second's writing
    process.send_signal(signal.SIGKILL)
    rest = [line for line in process.stdout.read().split(b"\n")[:-1] if line.strip().isdigit()]
    process.stdout.close()
    process.wait()
    return int(rest[-1]) if rest else acknowledged


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.write:
        writer(Path(flags.write[0]), int(flags.write[1]))
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder) / "history", flags.rounds, flags.seed, say=True)
    for sentence in found.wrong[:50]:
        print(sentence)
    for sentence, count in found.told.most_common():
        print(f"{count} times it said: {sentence}")
    print(f"{flags.rounds} kills: {found.samples} samples of {found.ticks} seconds, {len(found.wrong)} things wrong")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
