"""Puts every question to both and gathers what differs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from collector.server.prometheus.answer_json import answer_json
from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.series import Kind
from monitor.query.evaluator import Evaluator
from monitor.query.history import Answer, History, QueryError
from tests.differential.compare import difference
from tests.differential.data import LENGTH, START, Series, history_of, make, slices
from tests.differential.explained import explanation
from tests.differential.peer import Peer, prometheus
from tests.differential.queries import Question, questions


@dataclass(frozen=True)
class Outcome:
    """`differs`: "" when both said the same; `reason`: why they may differ, "" when nobody knows."""

    question: Question
    differs: str
    reason: str = ""

    @property
    def good(self) -> bool:
        return not self.differs or bool(self.reason)


@contextmanager
def stored(series: Series) -> Iterator[History]:
    """The embedded history: the first half of the series in chunks, the others in its journal."""
    settings = HistorySettings(out_of_order=1e9)
    with tempfile.TemporaryDirectory(prefix="history") as folder:
        store = HistoryStore(Path(folder), settings, clock=lambda: START + LENGTH + 60.0)
        try:
            refs = store.intern(list(series), [int(Kind.GAUGE)] * len(series))
            for number, (ref, (times, values)) in enumerate(zip(refs.tolist(), series.values(), strict=True)):
                store.append(np.full(len(times), ref), times, values)
                if number == len(series) // 2:
                    store.fold()
            assert store.commit()
            yield store
        finally:
            store.close()


@contextmanager
def in_memory(series: Series) -> Iterator[History]:
    yield history_of(series)


KEEPERS: dict[str, Callable[[Series], AbstractContextManager[History]]] = {"memory": in_memory, "embedded": stored}


def outcomes(count: int = 300, keeper: str = "memory") -> Iterator[Outcome]:
    """Of every question, in order; ours keeps the samples as `keeper` says."""
    series = make()
    with prometheus() as peer, KEEPERS[keeper](series) as history:
        ours = Evaluator(history)
        peer.write(slices(series))
        for question in questions(count):
            mine, other = _ours(ours, question), _theirs(peer, question)
            differs = difference(mine, other)
            yield Outcome(question, differs, explanation(question, mine, other) if differs else "")


def _ours(evaluator: Evaluator, question: Question) -> dict[str, Any]:
    try:
        if question.step:
            answer = evaluator.range(question.text, question.start * 1000, question.end * 1000, question.step * 1000)
        else:
            answer = evaluator.instant(question.text, question.start * 1000)
            answer = Answer(answer.kind, answer.matrix, answer.raw, answer.text, meta={"time": question.start * 1000})
    except QueryError as error:
        return {"status": "error", "errorType": error.kind, "error": str(error)}
    return dict(msgspec.json.decode(b"".join(answer_json(answer))))


def _theirs(peer: Peer, question: Question) -> dict[str, Any]:
    if question.step:
        return peer.ask("query_range", query=question.text, start=question.start, end=question.end, step=question.step)
    return peer.ask("query", query=question.text, time=question.start)
