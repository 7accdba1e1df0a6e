"""Runs the commands of a file against the product's evaluator; one evaluation that fails or breaks is one failure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.query.ast import Aggregate, At, Binary, Call, Expr, Paren, Selector, Subquery, Unary
from monitor.query.evaluator import Evaluator
from monitor.query.format import to_text
from monitor.query.history import Answer, Matrix, QueryError
from monitor.query.memory import MemoryHistory
from monitor.query.parse import parse
from tests.promqltest.commands import Clear, Eval, Load, Unreadable, parse_file
from tests.promqltest.compare import MismatchError, compare
from tests.promqltest.loading import empty_history, load

_OF_THE_QUERY = re.compile(r"(start|end|range|step)\(\)")
_OF_THE_TIME = {"days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year"}
_OF_THE_TIME |= {"predict_linear", "time", "timestamp", "start", "end", "range", "step"}
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong: `cause` in a few words, to count by."""

    line: int
    text: str
    cause: str
    expected: str
    got: str


@dataclass(slots=True)
class Report:
    """How a file went."""

    name: str
    passed: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.passed + len(self.failures)


def run_text(name: str, text: str) -> Report:
    """Runs a file."""
    report = Report(name)
    history = empty_history()
    for command in parse_file(text):
        if isinstance(command, Clear):
            history = empty_history()
        elif isinstance(command, Load):
            failure = _load(history, command)
            report.failures += [failure] if failure is not None else []
        elif isinstance(command, Unreadable):
            report.failures.append(Failure(command.line, command.text, "unreadable test", "", command.why))
        else:
            failure = run_eval(history, command)
            if failure is None:
                report.passed += 1
            else:
                report.failures.append(failure)
    return report


def _load(history: MemoryHistory, command: Load) -> Failure | None:
    try:
        load(history, command)
    except Exception as error:  # the evaluations that follow tell what this one load cost
        return Failure(command.line, "load", f"load: {_gist(str(error))}", "", repr(error))
    return None


def run_eval(history: MemoryHistory, command: Eval) -> Failure | None:
    """Evaluates as Prometheus' runner does: an instant also fixed by `@` and from other times, and each as a range round it."""
    try:
        _evaluate(history, command)
    except MismatchError as error:
        return Failure(command.line, command.text, error.cause, str(error.expected), str(error.got))
    except QueryError as error:
        return Failure(command.line, command.text, f"error: {_gist(str(error))}", "an answer", str(error))
    except Exception as error:  # whatever breaks is one failure, and the rest goes on
        return Failure(
            command.line, command.text, f"crash: {type(error).__name__}: {_gist(str(error))}", "an answer", repr(error)
        )
    return None


def _gist(text: str) -> str:
    return re.sub(r"\d+(:\d+)?", "N", text)[:70]


def _evaluate(history: MemoryHistory, command: Eval) -> None:
    evaluator = Evaluator(history)
    if not command.instant:
        answer = _guarded(command, lambda: evaluator.range(command.text, command.start, command.end, command.step))
        if answer is not None:
            compare(command, answer)
        return
    for expression, time in _variants(command):
        answer = _guarded(command, lambda e=expression, t=time: evaluator.instant(e, t))
        if answer is None:
            continue
        _compare_at(command, expression, time, answer)
        if not command.instant_only and _OF_THE_QUERY.search(command.text) is None:
            _in_a_range(evaluator, command, expression, time, answer)


def _compare_at(command: Eval, expression: str, time: int, answer: Answer) -> None:
    try:
        compare(command, answer)
    except MismatchError as error:
        if expression != command.text or time != command.time:
            raise MismatchError(f"fixed by @, {error.cause}", error.expected, f"{error.got} at {time}") from None
        raise


def _guarded(command: Eval, evaluate: object) -> Answer | None:
    """The answer with annotations as expected; None where the evaluation failed as it should."""
    assert callable(evaluate)
    fails = command.expects("fail")
    try:
        answer: Answer = evaluate()
    except QueryError as error:
        if not fails:
            raise
        if not fails[0].met_by(str(error)):
            wanted = fails[0].message or fails[0].pattern
            if not fails[0].met_by(re.sub(r"^\d+:\d+: parse error: ", "", str(error))):
                raise MismatchError("error text", wanted, str(error)) from None
        return None
    if fails:
        raise MismatchError("no error", fails[0].message or fails[0].pattern or "an error", answer.kind)
    _check_annotations(command, "warn", answer.warnings)
    _check_annotations(command, "info", answer.infos)
    return answer


def _check_annotations(command: Eval, kind: str, found: tuple[str, ...]) -> None:
    wanted = command.expects(kind)
    if command.expects(f"no_{kind}") and found:
        raise MismatchError(f"{kind} too many", "none", found)
    if not wanted:
        return
    missing = [e.message or e.pattern for e in wanted if not any(e.met_by(text) for text in found)]
    if missing or not found:
        raise MismatchError(f"{kind} missing" if not found else f"{kind} text", missing or "any", found)
    extra = [text for text in found if not any(e.met_by(text) for e in wanted)]
    if extra:
        raise MismatchError(f"{kind} too many", [e.message or e.pattern for e in wanted], extra)


def _in_a_range(evaluator: Evaluator, command: Eval, expression: str, time: int, instant: Answer) -> None:
    answer = evaluator.range(expression, time - _MINUTE, time + _MINUTE, _MINUTE)
    if command.expects("ordered"):
        return
    assert answer.matrix is not None
    middle = answer.matrix
    rows = [row for row in range(len(middle.labels)) if middle.present[row, 1]]
    histograms = None if middle.histograms is None else middle.histograms[rows, 1:2]
    labels = tuple(middle.labels[row] for row in rows)
    one = Matrix(labels, middle.times[1:2], middle.values[rows, 1:2], middle.present[rows, 1:2], histograms)
    try:
        compare(command, dataclasses.replace(answer, kind=instant.kind, matrix=one, raw=()))
    except MismatchError as error:
        raise MismatchError(f"in a range, {error.cause}", error.expected, error.got) from None


def _variants(command: Eval) -> Iterator[tuple[str, int]]:
    yield command.text, command.time
    try:
        expression = parse(command.text)
    except QueryError:
        return
    if any(isinstance(node, Call) and node.func in _OF_THE_TIME for node in _walk(expression)):
        return
    at = command.time
    fixed = to_text(_fixed(expression, at))  # written out, so that notes have their places
    for time in (-10 * at, 0, at // 5, at, 10 * at) if at else (-1000, 0, 1000):
        yield fixed, time


def _walk(node: Expr) -> Iterator[Expr]:
    yield node
    for child in _children(node).values():
        for one in child if isinstance(child, tuple) else (child,):
            yield from _walk(one)


def _children(node: Expr) -> dict[str, Expr | tuple[Expr, ...]]:
    if isinstance(node, Call):
        return {"args": node.args}
    if isinstance(node, Binary):
        return {"left": node.left, "right": node.right}
    if isinstance(node, Aggregate):
        return {"expr": node.expr} if node.param is None else {"expr": node.expr, "param": node.param}
    if isinstance(node, Paren | Unary | Subquery):
        return {"expr": node.expr}
    return {}


def _fixed(node: Expr, time: int) -> Expr:
    """The expression with every selector fixed at a time, where it is not already; inside a fixed subquery nothing changes."""
    if isinstance(node, Selector | Subquery) and node.at is None:
        fixed: Expr = dataclasses.replace(node, at=At(time))
        return fixed
    if isinstance(node, Selector | Subquery):
        return node
    changed: dict[str, object] = {}
    for name, child in _children(node).items():
        changed[name] = tuple(_fixed(one, time) for one in child) if isinstance(child, tuple) else _fixed(child, time)
    return dataclasses.replace(node, **changed) if changed else node  # type: ignore[arg-type]  # fields of the node itself
