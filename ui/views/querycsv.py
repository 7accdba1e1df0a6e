"""What is shown as CSV: times in ISO 8601, and no cell that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence

import numpy as np

from ui.views.csvcells import guarded, iso
from ui.views.lines import Track
from ui.views.querychart import Shown, full_name
from ui.views.view import Floats

MOST_CELLS = 2_000_000
_NOT_NAME = re.compile(r"[^A-Za-z0-9]+")


def series_csv(shown: Sequence[Shown]) -> str:
    """One row a time, one column a series, raw values: the answers of a range."""
    columns: list[tuple[str, Floats, Floats]] = []
    for one in shown:
        if one.held is not None:
            for row, labels in enumerate(one.held.labels):
                letter = f"{one.query.letter} " if len(shown) > 1 else ""
                columns.append((letter + (full_name(labels) or one.query.text), one.held.times, one.held.rows[row]))
    return _columns(columns)


def tracks_csv(tracks: Sequence[Track]) -> str:
    """The same of the series picked."""
    return _columns([(track.full_name or track.name, track.times, track.values) for track in tracks])


def moment_csv(shown: Sequence[Shown]) -> str:
    """One row a series: query, time, labels and value of an answer at one moment."""
    names = sorted({name for one in shown if one.held is not None for labels in one.held.labels for name, _ in labels})
    rows: list[list[str]] = [["query", "time", *names, "value"]]
    for one in shown:
        if one.held is None or not len(one.held.times):
            continue
        for row, labels in enumerate(one.held.labels):
            held = dict(labels)
            rows.append(
                [one.query.letter, iso(float(one.held.times[-1]))]
                + [held.get(name, "") for name in names]
                + [_number(float(one.held.rows[row, -1]))]
            )
    return _text(rows)


def histogram_csv(shown: Sequence[Shown]) -> str:
    """One row a bucket: query, time, labels, bounds and count, of the native histograms of an answer at one moment."""
    answers = [(one, one.held, one.held.result) for one in shown if one.held is not None and one.held.result is not None]
    names = sorted({name for _, held, _ in answers for labels in held.labels for name, _ in labels})
    rows: list[list[str]] = [["query", "time", *names, "above", "up to", "count"]]
    for one, held, result in answers:
        for cell in result.histograms:
            own = dict(held.labels[cell.series]) if 0 <= cell.series < len(held.labels) else {}
            head = [one.query.letter, iso(float(held.times[-1])), *(own.get(name, "") for name in names)]
            bounds = zip(cell.lower.tolist(), cell.upper.tolist(), cell.counts.tolist(), strict=False)
            rows += [[*head, _number(low), _number(high), _number(count)] for low, high, count in bounds]
    return _text(rows)


def _columns(columns: Sequence[tuple[str, Floats, Floats]]) -> str:
    if not columns:
        return _text([["time"]])
    times = np.unique(np.concatenate([moments for _, moments, _ in columns]))[: max(1, MOST_CELLS // len(columns))]
    table = np.full((len(times), len(columns)), np.nan)
    for place, (_, moments, values) in enumerate(columns):
        at = times.searchsorted(moments)
        inside = at < len(times)
        table[at[inside], place] = values[inside]
    body = ([iso(t), *map(_number, row)] for t, row in zip(times.tolist(), table.tolist(), strict=True))
    return _text([["time", *(name for name, _, _ in columns)], *body])


def _number(x: float) -> str:
    if math.isnan(x):
        return ""
    return repr(x) if math.isfinite(x) else ("Inf" if x > 0 else "-Inf")


def _text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as text. Numbers are left as they are; everything else is guarded."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cell if _is_number(cell) else guarded(cell) for cell in row])
    return stream.getvalue()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def file_name(words: str, at: float, ending: str) -> str:
    """`lightship-rate-http-requests-20261124-140300.csv`: a name no shell and no file system stumbles over."""
    slug = "-".join(_NOT_NAME.sub(" ", words).lower().split())[:48].strip("-")
    stamp = re.sub(r"[^0-9T]", "", iso(at)[:19]).replace("T", "-")
    return "-".join(part for part in ("lightship", slug, stamp) if part) + ending
