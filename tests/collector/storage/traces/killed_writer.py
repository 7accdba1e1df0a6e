"""Appends, commits and says so, with background work in between, until it is killed: python -m … FOLDER FIRST_ROUND."""

from __future__ import annotations

import sys
from pathlib import Path

from collector.storage.traces.questions import LogSearch, TraceSearch
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.store import TraceStore
from tests.collector.storage.traces.samples import BASE, NOW, LogRow, Row, hex_of, logs_of, spans_of

TRACES = 7
"""Each round's spans belong to this many traces in turn, which so come in many batches."""


def open_store(folder: Path) -> TraceStore:
    """With background work that is always busy."""
    return TraceStore(folder, TraceSettings(keep=1e9, merge=3, block_rows=60, rest=0.5), clock=lambda: NOW)


def row_of(number: int) -> Row:
    """The one span of a round."""
    detail = {"attributes": {"number": number, "text": f"round {number} " + "x" * (number % 50)}}
    return Row(
        (1, number % TRACES + 1),
        number + 1,
        number % 5,
        number,
        number % 97,
        f"s{number % 3}",
        f"op {number % 11}",
        detail=detail,
    )


def write_round(store: TraceStore, number: int, life: int = 0) -> bool:
    """`life`: a round that was committed and not acknowledged is written again by the next one."""
    store.append_spans(spans_of([row_of(number)]))
    store.append_logs(logs_of([LogRow(number, f"{number} {life}", service=f"s{number % 3}")]))
    return store.commit()


def look(store: TraceStore, acknowledged: int, whole: bool = True) -> tuple[list[str], int]:
    """What is wrong with a store that should have all rounds up to one, and how many spans it has.

    A few rounds after it may be there or not. `whole` False: what there is has to be right, but need not be all.
    """
    wrong: list[str] = []
    seen: set[int] = set()
    for trace in range(1, TRACES + 1):
        answer = store.trace(hex_of((1, trace)), limit=1 << 20)
        for span in answer.spans:
            number = int(span.span, 16) - 1
            row = row_of(number)
            right = (
                number % TRACES + 1 == trace
                and number not in seen
                and (span.service, span.operation, span.start_ns) == (row.service, row.name, BASE + number * 1_000_000)
                and span.attributes == {"number": str(number), "text": row.detail["attributes"]["text"]}
                and int(span.parent or "0", 16) == row.parent
            )
            if not right:
                wrong.append(f"span {number} of trace {trace} is not what was written, or there twice")
            seen.add(number)
    logs = store.logs(LogSearch(limit=1 << 20)).logs
    told = [one.body for one in logs]
    times = {int(one.body.split()[0]): one.time for one in logs}
    if len(set(told)) < len(told) or any(time != (BASE + number * 1_000_000) / 1e9 for number, time in times.items()):
        wrong.append("a log is there twice or is not what was written")
    summed = sum(summary.spans for summary in store.search(TraceSearch(limit=100)))
    if summed != len(seen) and whole:
        wrong.append(f"a search counts {summed} spans, of {len(seen)}")
    lacking = {number for number in range(acknowledged + 1) if number not in seen or number not in times}
    if whole and lacking:
        wrong.append(f"{len(lacking)} acknowledged rounds are lacking, the first is {min(lacking)}")
    return wrong, len(seen)


def main(folder: Path, number: int) -> None:
    store = open_store(folder)
    store.start()
    print("open", flush=True)
    life = number
    while True:
        if write_round(store, number, life):
            print(number, flush=True)
        if number % 5 == 4:
            store.step()
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
