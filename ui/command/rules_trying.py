"""`lightship rules test` and `lightship rules backtest`."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from monitor.alerting.backtest.outcome import Backtest, Fired
from monitor.alerting.durations import DurationError, parse_duration, rough_duration
from monitor.wire.backtest import BacktestRule
from ui.command.ask import conversation
from ui.command.exits import FAILED, OK, USAGE, CommandError
from ui.command.show import complain, print_json, print_table
from ui.views.format import plural, sanitise

SHOWN = 20
PATIENCE = 130.0


class _Tried(msgspec.Struct):
    file: str
    tests: int = 0
    failures: list[str] = []
    error: str = ""
    warnings: list[str] = []


def test(arguments: argparse.Namespace) -> int:
    """Exit code 0 when all came out as expected, 1 when some did not, 2 when a file is none of tests."""
    if importlib.util.find_spec("yaml") is None:
        raise CommandError("The collector is not installed here, which runs tests of rules; install lightship[collector]")
    command = [sys.executable, "-m", "collector.rules.trying", *arguments.files]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise CommandError(f"The tests could not be run: {done.stderr.decode(errors='replace').strip()[-300:]}")
    tried = [msgspec.json.decode(line, type=_Tried) for line in done.stdout.splitlines()]
    if arguments.json:
        print_json({"files": tried})
    else:
        for each in tried:
            _show(each)
    return USAGE if any(each.error for each in tried) else FAILED if any(each.failures for each in tried) else OK


def _show(tried: _Tried) -> None:
    name = sanitise(tried.file)
    for warning in tried.warnings:
        complain(sanitise(warning))
    if tried.error:
        complain(f"{name}: {sanitise(tried.error)}")
    elif not tried.failures:
        print(f"{name}: {plural(tried.tests, 'expectation')}, all met.")
    else:
        print(f"{name}: {len(tried.failures)} of {plural(tried.tests, 'expectation')} not met.")
        for failure in tried.failures:
            print("  " + "\n  ".join(sanitise(line) for line in failure.splitlines()))


def backtest(arguments: argparse.Namespace) -> int:
    """What rules would have said; exit code 0 whatever it was."""
    last, step = _seconds(arguments.last, "--last"), _seconds(arguments.step, "--step") if arguments.step else 0.0
    text, file = "", "rule.toml"
    if arguments.what.endswith((".toml", ".yml", ".yaml")):
        file = Path(arguments.what).name
        try:
            text = Path(arguments.what).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{arguments.what} cannot be read: {error}", USAGE) from None
    rule = arguments.rule if text else arguments.what
    with conversation(arguments.url, arguments.timeout) as talk:
        talk.timeout = max(talk.timeout, PATIENCE)
        result = talk.ask(BacktestRule(id=talk.number(), last=last, rule=rule, text=text, file=file, step=step))
    tests = msgspec.convert(result["tests"], list[Backtest])
    if arguments.json:
        print_json({"tests": tests})
        return OK
    for found in tests:
        _tell(found)
    return OK


def _seconds(text: str, flag: str) -> float:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise CommandError(f"{flag}: {error}", USAGE) from None


def _tell(found: Backtest) -> None:
    span = rough_duration(found.end - found.start)
    print(f"{sanitise(found.rule)}: over {span} on {plural(found.series, 'series', 'series')}")
    if not found.firings:
        print("  It would not have fired.")
    else:
        share = 100 * found.covered / max(found.step, found.end - found.start)
        print(
            f"  It would have fired {plural(found.firings, 'time')} for {plural(found.alerts, 'alert')}, "
            f"in {share:.3g} % of the time; the longest for {rough_duration(found.longest)}."
        )
        flaps = f"{plural(found.flaps, 'firing')} within 15 minutes of the one before"
        print(f"  {plural(found.notified, 'notification')} before grouping; {flaps}.")
        rows = [[_time(fired.start), _length(fired, found.end), _labels(fired.labels)] for fired in found.fired[-SHOWN:]]
        print_table(["FIRED AT (UTC)", "FOR", "WHAT"], rows)
        left = found.firings - len(rows)
        if left:
            print(f"  and {plural(left, 'firing')} before these; --json shows up to 1,000")
    for note in found.notes:
        print(f"  {sanitise(note)}")


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _length(fired: Fired, end: float) -> str:
    return rough_duration(fired.end - fired.start) if fired.end is not None else f"{rough_duration(end - fired.start)} so far"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    own = [f'{name}="{text}"' for name, text in labels if name not in ("alertname", "severity")]
    return sanitise("{" + ", ".join(own) + "}")
