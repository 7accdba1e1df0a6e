"""The log action: one line of JSON for each notification, in a file that is rotated by size."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.alerting.model import Notification

MAX_BYTES = 10 << 20
KEEP = 5


class LineFile:
    """Appends lines of JSON to `path`; at `max_bytes` it becomes `path.1`, that `path.2`, up to `keep`.

    All outside text is escaped to ASCII: no line break, terminal sequence or text direction mark of a label gets into a
    terminal. One caller at a time.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep

    def append(self, record: Mapping[str, Any]) -> None:
        """One line, on the disk when this returns. Raises `OSError` when the disk refuses."""
        data = (json.dumps(record, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._rotate(len(data))
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        with os.fdopen(handle, "rb+") as file:
            # A line that a kill or a full disk cut short must not swallow this one.
            if file.seek(0, os.SEEK_END) and _last_byte(file.fileno()) != b"\n":
                data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _rotate(self, coming: int) -> None:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size + coming <= self._max_bytes:
            return
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                os.replace(older, self._numbered(number + 1))
        if self._keep:
            os.replace(self._path, self._numbered(1))
        else:
            self._path.unlink()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


class LogAction:
    """A line in a `LineFile` for each notification; after a kill the same `id` may stand there twice."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        self._file = LineFile(path, max_bytes, keep)

    def tell(self, notification: Notification, number: int) -> None:
        """Write one line. Raises `OSError` when the disk refuses."""
        self._file.append(log_record(notification, number))


def log_record(notification: Notification, number: int) -> dict[str, Any]:
    """What a line holds; numbers that JSON cannot write are null."""
    alert, rule = notification.alert, notification.rule
    return {
        "time": _iso(notification.at),
        "id": number,
        "kind": notification.kind,
        "severity": alert.severity,
        "rule": alert.rule_id,
        "name": rule.name,
        "text": notification.text,
        "value": _number(alert.value),
        "operator": alert.operator,
        "threshold": _number(alert.threshold),
        "since": _iso(alert.fired_at),
        "labels": dict(alert.labels),
        "alert": alert.id,
        "suppressed": alert.suppressed_count,
        "runbook_url": rule.runbook_url,
    }


def _last_byte(handle: int) -> bytes:
    return os.pread(handle, 1, os.fstat(handle).st_size - 1)


def _number(value: float | None) -> float | None:
    return value if value is not None and abs(value) < float("inf") else None


def _iso(moment: float | None) -> str | None:
    try:
        return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None
