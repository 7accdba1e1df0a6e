"""The flags of `lightship history`, and how its selectors, times and sizes are read and written."""

from __future__ import annotations

import argparse
import contextlib
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector.folders import default_config_file
from monitor.alerting.durations import DurationError, parse_duration
from monitor.model.matchers import Matcher
from monitor.query.ast import Selector
from monitor.query.history import ParseError
from monitor.query.parse import parse

_HELP = """\
Exit codes: 0 done, 1 it could not be done, 2 wrong flags or settings, 3 the history is damaged (check).
Backup, check, stats and export work while the collector runs; the others want it stopped.
Times are 2026-11-24T09:00 (UTC where no zone is named), 1764000000, or -2h for two hours ago."""
_AGO = re.compile(r"-\d")
_FORMATS = ("csv", "openmetrics", "parquet")

Verb = Callable[[argparse.Namespace, Any], int]


class UsageError(Exception):
    """Flags that make no sense."""


def build_parser(verbs: Mapping[str, Verb]) -> argparse.ArgumentParser:
    """The command line; what it parses has the verb's function as `run`."""
    parser = argparse.ArgumentParser(
        prog="lightship history",
        description="What the collector keeps.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subs = parser.add_subparsers(metavar="backup | restore | check | export | import | delete | stats", required=True)

    def verb(name: str, text: str, under: Any = subs, prefix: str = "") -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = under.add_parser(
            name, description=text, epilog=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub._negative_number_matcher = _AGO  # so that -2h is a time and no flag
        sub.set_defaults(run=verbs[prefix + name])
        sub.add_argument("--data", metavar="DIR", help="the collector's data folder")
        sub.add_argument("--config", metavar="FILE", help=f"configuration file ({default_config_file()})")
        sub.add_argument("--quiet", action="store_true", help="no progress on the error output")
        return sub

    sub = verb("backup", "Copy the history as it is now to a new folder, while the collector runs or not.")
    sub.add_argument("destination", metavar="FOLDER", type=Path)
    sub = verb("restore", "Put a backup in the place of the history, which is set aside. Stop the collector first.")
    sub.add_argument("backup", metavar="FOLDER", type=Path)
    sub = verb("check", "Read all of the history and say what is damaged; exit code 3 when something is.")
    text = "give up what cannot be read and mend the rest; stop the collector first"
    sub.add_argument("--repair", action="store_true", help=text)
    sub.add_argument("--json", action="store_true", help="print JSON for programs")
    sub = verb("export", "Write samples to a file or the output.")
    _selection(sub)
    sub.add_argument("--format", choices=_FORMATS, default="csv", help="csv (default), openmetrics or parquet")
    sub.add_argument("-o", "--output", metavar="FILE", type=Path, help="a new file; the output when left out")
    sub = verb("delete", "Delete samples. Stop the collector first.")
    _selection(sub)
    sub.add_argument("--yes", action="store_true", help="do it; without this, only say what would go")
    sub = verb("stats", "What is kept, and what it takes.")
    sub.add_argument("--json", action="store_true", help="print JSON for programs")
    sources = subs.add_parser("import", description="Take samples in. Stop the collector first.").add_subparsers(
        metavar="openmetrics | prometheus", required=True
    )
    sub = verb("openmetrics", "Take in OpenMetrics text with timestamps; .gz is unpacked.", sources, "import ")
    sub.add_argument("file", metavar="FILE", type=Path)
    text = "Take in what a Prometheus server keeps, through its HTTP API. Started again, it goes on where it stopped."
    sub = verb("prometheus", text, sources, "import ")
    sub.add_argument("url", metavar="URL", help="http://host:9090; user:password@host where it asks for one")
    _selection(sub)
    return parser


def _selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--match", metavar="SELECTOR", required=True, help="which series, as in 'up{job=\"node\"}'")
    parser.add_argument("--start", metavar="TIME", help="from when on (the beginning)")
    parser.add_argument("--end", metavar="TIME", help="until when (now)")


def matchers_of(text: str) -> tuple[Matcher, ...]:
    """Of `--match`. Raises `UsageError`."""
    try:
        expr = parse(text)
    except ParseError as error:
        raise UsageError(f"--match: {error}") from None
    if not isinstance(expr, Selector) or expr.is_range or expr.offset or expr.offset_expr or expr.at:
        raise UsageError("--match: a selector of series is expected, as in 'up{job=\"node\"}'")
    return expr.matchers


def span_of(flags: argparse.Namespace) -> tuple[int, int]:
    """`--start` and `--end`, milliseconds. Raises `UsageError`."""
    now = time.time()
    start = _moment(flags.start, now, "--start") if flags.start else 0.0
    end = _moment(flags.end, now, "--end") if flags.end else now
    if start > end:
        raise UsageError("The start must be before the end.")
    return round(start * 1000), round(end * 1000)


def _moment(text: str, now: float, flag: str) -> float:
    try:
        if text.startswith("-"):
            return now - parse_duration(text[1:])
        with contextlib.suppress(ValueError):
            return _bounded(float(text))
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, DurationError, OverflowError):
        raise UsageError(f"{flag}: {text!r} is no time; write 2026-11-24T09:00, 1764000000 or -2h") from None


def _bounded(seconds: float) -> float:
    if not abs(seconds) < 1e11:
        raise OverflowError
    return seconds


def iso(time_ms: int) -> str:
    """A time for people, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} bytes" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError
