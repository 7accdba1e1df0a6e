"""`lightship history`: back up, check, export, import and delete what a collector keeps, from the command line."""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from collector.folders import default_data_folder
from collector.history_flags import UsageError, build_parser, iso, matchers_of, size, span_of
from collector.storage.history.settings import HistorySettings
from collector.storage.history.tools.folder import ToolError, history_of, importing, opened
from monitor.query.history import QueryError
from monitor.settings.load import Settings, SettingsError

OK, FAILED, USAGE, DAMAGED = 0, 1, 2, 3


def main(arguments: Sequence[str], read_settings: Callable[[argparse.Namespace], Settings]) -> int:
    """Runs one verb. `read_settings`: of these flags, raising `SettingsError`."""
    flags = build_parser(_VERBS).parse_args(arguments)
    try:
        return int(flags.run(flags, _Place(read_settings(flags))))
    except (UsageError, SettingsError) as error:
        return _complain(str(error), USAGE)
    except (ToolError, QueryError) as error:
        return _complain(str(error), FAILED)
    except sqlite3.Error as error:
        return _complain(f"The history cannot be read: {error}. 'lightship history check' tells what is damaged.", FAILED)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _complain(f"That did not work: {error.strerror or error}.", FAILED)
    except KeyboardInterrupt:
        return _complain("Interrupted.", FAILED)


class _Place:
    """Where the history is, and how long it keeps what."""

    def __init__(self, settings: Settings) -> None:
        self.data = Path(settings["data"]).expanduser() if settings["data"] else default_data_folder()
        keep = (settings["history_raw"], settings["history_10s"], settings["history_1m"], settings["history_1h"])
        self.settings = HistorySettings(
            keep=keep, max_bytes=settings["history_size"], out_of_order=settings["history_out_of_order"]
        )

    @property
    def history(self) -> Path:
        return history_of(self.data)


# Verbs


def _backup(flags: argparse.Namespace, place: _Place) -> int:
    from collector.storage.history.tools.backup import back_up

    done = back_up(place.history, flags.destination)
    print(f"Backed up to {flags.destination}: {size(done.bytes)}, {done.records} records of the journal among it.")
    return OK


def _restore(flags: argparse.Namespace, place: _Place) -> int:
    from collector.folders import FolderLock, FolderTakenError
    from collector.storage.history.tools.backup import restore

    lock = FolderLock(place.data)
    try:
        lock.take()
    except FolderTakenError as error:
        raise ToolError(f"{error} Stop it first: this replaces its history.") from None
    try:
        aside = restore(flags.backup, place.data / "history")
    finally:
        lock.free()
    print(f"Restored from {flags.backup}." + (f" The history before is in {aside}." if aside else ""))
    return OK


def _check(flags: argparse.Namespace, place: _Place) -> int:
    from collector.storage.history.tools.check import check, repair

    progress = _Progress(flags.quiet)
    if flags.repair:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        done = repair(place.data, place.settings, stamp, progress.say)
        progress.end()
        for sentence in done:
            print(sentence)
    report = check(place.history, progress.say)
    progress.end()
    if flags.json:
        names = ("chunks", "samples", "series", "records", "problems", "more_problems")
        figures = {name: getattr(report, name) for name in names}
        print(json.dumps(figures, indent=2))
    else:
        for problem in report.problems:
            print(problem)
        if report.more_problems:
            print(f"And {report.more_problems} more.")
        seen = f"{report.chunks} chunks with {report.samples} samples, {report.series} series"
        print(f"{seen}, {report.records} records of the journal.")
        print("Nothing is wrong." if report.whole else "The history is damaged. 'lightship history check --repair' mends it.")
    return OK if report.whole else DAMAGED


def _export(flags: argparse.Namespace, place: _Place) -> int:
    from collector.storage.history.tools.export import export, written_to

    matchers, (start, end) = matchers_of(flags.match), span_of(flags)
    progress = _Progress(flags.quiet)
    with _history_to_read(place) as store, contextlib.ExitStack() as files:
        out: IO[bytes] = files.enter_context(written_to(flags.output)) if flags.output else sys.stdout.buffer
        if flags.format == "parquet" and not flags.output:
            raise UsageError("Parquet needs a file: name one with -o FILE.")
        told = lambda series, samples: progress.say(f"{series} series, {samples} samples")  # noqa: E731 - one line, used once
        written = export(store, matchers, start, end, flags.format, out, told)
        out.flush()
    progress.end()
    if flags.output:
        print(f"{written} samples written to {flags.output}.")
    return OK


def _delete(flags: argparse.Namespace, place: _Place) -> int:
    matchers, (start, end) = matchers_of(flags.match), span_of(flags)
    place.history  # noqa: B018 - says so when there is none
    with opened(place.data, place.settings) as store:
        count = len(store.series(matchers, start, end))
        if not flags.yes:
            print(f"This would delete the samples of {count} series from {iso(start)} to {iso(end)}. Say --yes to do it.")
            return OK
        count = store.delete(matchers, start, end)
        store.step()
    print(f"Deleted the samples of {count} series from {iso(start)} to {iso(end)}.")
    return OK


def _stats(flags: argparse.Namespace, place: _Place) -> int:
    from collector.storage.history.tools.stats import stats

    figures: dict[str, Any] = stats(place.history)
    if flags.json:
        print(json.dumps(figures, indent=2))
        return OK
    print(f"{figures['series']} series of {figures['metrics']} metrics, {figures['label_pairs']} labels")
    print(f"{size(figures['database_bytes'])} in the database, {size(figures['journal_bytes'])} in the journal")
    for name, tier in figures["tiers"].items():
        if tier["samples"]:
            span = f"{iso(tier['first'])} to {iso(tier['last'])}"
            each = f"{size(tier['bytes']):>10}  {tier['bytes_a_sample']} bytes each"
            print(f"{name:5} {tier['samples']:>14,} samples  {each}  {span}")
    return OK


def _import_openmetrics(flags: argparse.Namespace, place: _Place) -> int:
    from collector.storage.history.tools.intake import Importer
    from collector.storage.history.tools.openmetrics import import_openmetrics

    progress = _Progress(flags.quiet)
    with opened(place.data, importing(place.settings)) as store:
        importer = Importer(store)
        try:
            import_openmetrics(importer, flags.file, lambda lines, samples: progress.say(f"{lines} lines, {samples} samples"))
        finally:
            progress.end()
            _taken(importer)
    return OK


def _import_prometheus(flags: argparse.Namespace, place: _Place) -> int:
    from collector.storage.history.tools.intake import Importer
    from collector.storage.history.tools.prometheus import PrometheusImport

    matchers_of(flags.match)
    if not flags.start:
        raise UsageError("An import needs --start TIME: from when on samples are to be taken.")
    start, end = span_of(flags)
    progress = _Progress(flags.quiet)
    with opened(place.data, importing(place.settings)) as store:
        importer = Importer(store)
        work = PrometheusImport(importer, flags.url, flags.match, start, end, place.data / "history")
        try:
            work.run(lambda done, samples: progress.say(f"up to {iso(done)}, {samples} samples"))
        finally:
            progress.end()
            _taken(importer)
        if work.resumed:
            print(f"It went on from {iso(work.resumed)}, where the import before had stopped.")
        if work.histograms:
            print(f"{work.histograms} samples of native histograms were left out: the API does not tell them exactly.")
    return OK


_VERBS = {
    "backup": _backup,
    "restore": _restore,
    "check": _check,
    "export": _export,
    "delete": _delete,
    "stats": _stats,
    "import openmetrics": _import_openmetrics,
    "import prometheus": _import_prometheus,
}


# Within


def _history_to_read(place: _Place) -> contextlib.AbstractContextManager[Any]:
    """The history; of a running collector a copy of it as it is now, in a folder beside it that goes afterwards."""
    place.history  # noqa: B018 - says so when there is none
    try:
        return opened(place.data, place.settings) if _is_free(place.data) else _copied(place)
    except OSError as error:
        raise ToolError(str(error.strerror or error)) from None


def _is_free(data: Path) -> bool:
    from collector.folders import FolderLock, FolderTakenError

    lock = FolderLock(data)
    try:
        lock.take()
    except FolderTakenError:
        return False
    lock.free()
    return True


@contextlib.contextmanager
def _copied(place: _Place) -> Iterator[Any]:
    import tempfile

    from collector.storage.history.tools.backup import back_up

    with tempfile.TemporaryDirectory(prefix="export-", dir=place.data) as folder:
        back_up(place.history, Path(folder) / "history")
        with opened(Path(folder), place.settings) as store:
            yield store


def _taken(importer: Any) -> None:
    print(f"{importer.samples} samples of {importer.series} series were taken in.")
    if importer.left_out:
        print(f"{importer.left_out} were left out: they are of the future, or of series that there is no room for.")


class _Progress:
    """One line on the error output that is written over, at most five times a second; nothing where that is no terminal."""

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._last = 0.0
        self._width = 0

    def say(self, text: str) -> None:
        now = time.monotonic()
        if self._shown and now - self._last > 0.2:
            self._last = now
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = len(text)

    def end(self) -> None:
        if self._shown and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()


def _complain(message: str, code: int) -> int:
    print(f"lightship: {message}", file=sys.stderr)
    return code
