"""`lightship query`: PromQL from the command line, as a table, CSV or JSON."""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from monitor.alerting.durations import DurationError, parse_duration
from monitor.wire.messages import Message, Query, QueryResult, Reply
from ui.command.ask import Conversation, conversation
from ui.command.exits import NOTHING, OK, REFUSED, USAGE, CommandError
from ui.command.show import WHOLE, complain, print_json, print_table
from ui.views.csvcells import guarded, iso
from ui.views.format import sanitise

STEPS = 250
"""A range is asked for in about so many steps when nobody says."""


def run(arguments: argparse.Namespace) -> int:
    with conversation(arguments.url, arguments.timeout) as talk:
        answer = _ask(talk, _request(talk, arguments))
    for note in (*answer.warnings, *answer.infos, *_told(answer)):
        complain(sanitise(note, WHOLE))
    if arguments.json:
        print_json(_plain(answer))
    elif answer.kind == "string":
        print(sanitise(answer.text, WHOLE))
    elif arguments.csv:
        _write_csv(answer)
    elif answer.labels:
        _table(answer)
    if answer.labels or answer.text:
        return OK
    raise CommandError("Nothing answers to that now. 'lightship get {}' lists the series there are.", NOTHING)


def _request(talk: Conversation, arguments: argparse.Namespace) -> Query:
    now = talk.hello.time
    end = _moment(arguments.end, now, "--end") if arguments.end else now
    if not arguments.last and not arguments.start:
        return Query(talk.number(), arguments.expr, end, end, 0.0, arguments.limit)
    start = _moment(arguments.start, now, "--start") if arguments.start else end - _duration(arguments.last, "--last")
    if start >= end:
        raise CommandError("The start must be before the end.", USAGE)
    step = _duration(arguments.step, "--step") if arguments.step else float(max(1, math.ceil((end - start) / STEPS)))
    return Query(talk.number(), arguments.expr, start, end, step, arguments.limit)


def _duration(text: str, flag: str) -> float:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise CommandError(f"{flag}: {error}", USAGE) from None


def _moment(text: str, now: float, flag: str) -> float:
    """Seconds since the epoch, ISO 8601 (UTC where no zone is named), or -2h for two hours ago."""
    if text.startswith("-"):
        return now - _duration(text[1:], flag)
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{flag}: {text!r} is no time; write 2026-11-24T09:00, 1764000000 or -2h", USAGE) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ask(talk: Conversation, request: Query) -> QueryResult:
    talk.send(request)
    while True:
        message: Message = talk.receive(max(talk.timeout, 130.0))
        if isinstance(message, QueryResult) and message.id == request.id:
            return message
        if isinstance(message, Reply) and message.id == request.id:
            raise CommandError(_pointed(request.expr, message), REFUSED)


def _pointed(expr: str, reply: Reply) -> str:
    """The error, with the place in the query marked where it has one."""
    place = reply.result if isinstance(reply.result, dict) else {}
    line, column = int(place.get("line", 0)), int(place.get("column", 0))
    lines = expr.split("\n")
    if not 1 <= line <= len(lines) or not 1 <= column <= len(lines[line - 1]) + 1:
        return reply.error
    marks = "^" * max(1, min(int(place.get("end", column + 1)), len(lines[line - 1]) + 1) - column)
    shown = sanitise(lines[line - 1], WHOLE)
    return f"Line {line}, column {column}: {reply.error}\n  {shown}\n  {' ' * (column - 1)}{marks}"


def _told(answer: QueryResult) -> Iterator[str]:
    if answer.resolution:
        yield f"Answered from what is kept every {answer.resolution:g} s."
    if answer.total > len(answer.labels):
        yield f"{answer.total - len(answer.labels):,} more series are not shown; raise --limit."


def series_text(labels: tuple[tuple[str, str], ...]) -> str:
    """Labels as PromQL writes them, the name first."""
    name = dict(labels).get("__name__", "")
    rest = ", ".join(f'{key}="{value}"' for key, value in labels if key != "__name__")
    return sanitise(name + (f"{{{rest}}}" if rest or not name else ""), WHOLE)


def _number(value: float) -> str:
    if math.isnan(value):
        return "no data"
    return (
        f"{value:.0f}"
        if value == int(value or 0) and abs(value) < 1e15
        else f"{value:.6g}"
        if math.isfinite(value)
        else str(value)
    )


def _columns(answer: QueryResult) -> list[list[float]]:
    width = len(answer.times)
    return [answer.values[i * width : (i + 1) * width].tolist() for i in range(len(answer.labels))]


def _table(answer: QueryResult) -> None:
    rows = _columns(answer)
    cells = {cell.series: cell for cell in answer.histograms}
    if len(answer.times) == 1:
        shown = [
            [series_text(labels), f"{cells[i].count:g} observed, sum {cells[i].sum:g}" if i in cells else _number(row[0])]
            for i, (labels, row) in enumerate(zip(answer.labels, rows, strict=True))
        ]
        print_table(["SERIES", "VALUE"], shown, right=(1,))
        return
    table = []
    for labels, row in zip(answer.labels, rows, strict=True):
        known = [value for value in row if not math.isnan(value)]
        figures = (known[-1], min(known), max(known), sum(known) / len(known)) if known else (math.nan,) * 4
        table.append([series_text(labels), str(len(known)), *map(_number, figures)])
    print_table(["SERIES", "POINTS", "LAST", "MIN", "MAX", "MEAN"], table, right=range(1, 6))


def _write_csv(answer: QueryResult) -> None:
    """One row a time, one column a series. Cells that a spreadsheet would take for a formula are guarded."""
    writer = csv.writer(sys.stdout)
    writer.writerow(["time", *(guarded(series_text(labels)) for labels in answer.labels)])
    rows = _columns(answer)
    for i, time in enumerate(answer.times.tolist()):
        writer.writerow([iso(time), *("" if math.isnan(row[i]) else repr(row[i]) for row in rows)])


def _plain(answer: QueryResult) -> dict[str, Any]:
    series = [
        {"labels": dict(labels), "values": [None if math.isnan(value) else value for value in row]}
        for labels, row in zip(answer.labels, _columns(answer), strict=True)
    ]
    return {
        "kind": answer.kind,
        "times": answer.times.tolist(),
        "series": series,
        "text": answer.text,
        "step": answer.step,
        "resolution": answer.resolution,
        "total": answer.total,
        "warnings": list(answer.warnings),
        "infos": list(answer.infos),
    }
