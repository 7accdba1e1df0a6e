"""What a history holds, read from its files while a collector may be writing."""

from __future__ import annotations

from pathlib import Path

from collector.storage.history.opening import DATABASE
from collector.storage.history.settings import TIER_NAMES
from collector.storage.history.tools.folder import JOURNAL, reading


def stats(history: Path) -> dict[str, object]:
    """Bytes, series, and of each tier samples, bytes, chunks, bytes a sample, first and last time (ms, None: empty)."""
    journal = [path.stat().st_size for path in (history / JOURNAL).glob("*.journal")]
    database = [path.stat().st_size for path in history.glob(f"{DATABASE}*")]
    with reading(history / DATABASE) as connection:
        tiers = {}
        for tier, name in enumerate(TIER_NAMES):
            sums = ", ".join(f"coalesce(sum({column}), 0)" for column in ("samples", "bytes", "chunks"))
            samples, size, chunks = connection.execute(f"SELECT {sums} FROM spans WHERE tier = ?", (tier,)).fetchone()
            first, last = connection.execute("SELECT min(first), max(last) FROM chunks WHERE tier = ?", (tier,)).fetchone()
            each = round(size / samples, 3) if samples else None
            counted = {"samples": samples, "bytes": size, "chunks": chunks}
            tiers[name] = {**counted, "bytes_a_sample": each, "first": first, "last": last}
        (series,) = connection.execute("SELECT count(*) FROM series").fetchone()
        (labels,) = connection.execute("SELECT count(*) FROM label_pairs").fetchone()
        metrics = connection.execute(
            "SELECT value, count(*) FROM label_pairs JOIN label_names ON label_names.id = label_pairs.name "
            "WHERE label_names.name = '__name__' GROUP BY value"
        ).fetchall()
    return {
        "database_bytes": sum(database),
        "journal_bytes": sum(journal),
        "series": series,
        "metrics": len(metrics),
        "label_pairs": labels,
        "tiers": tiers,
    }
