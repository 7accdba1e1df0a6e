"""Puts every question to both and gathers what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from collector.server.prometheus.answer_json import answer_json
from monitor.query.evaluator import Evaluator
from monitor.query.history import Answer, QueryError
from tests.differential.compare import difference
from tests.differential.data import history_of, make, slices
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


def outcomes(count: int = 300) -> Iterator[Outcome]:
    """Of every question, in order."""
    series = make()
    ours = Evaluator(history_of(series))
    with prometheus() as peer:
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
