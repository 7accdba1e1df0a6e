"""A database of ours that is not what was written: telling so, and setting its files aside under a dated name."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error means that the file is not what was written (and not that it is locked, full or forbidden)."""
    code = getattr(error, "sqlite_errorcode", 0)
    if str(error) == "unsupported file format" or str(error).startswith("Could not decode"):  # nobody ever wrote that
        return True
    if not isinstance(error, sqlite3.OperationalError):
        return isinstance(error, sqlite3.DatabaseError)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code == sqlite3.SQLITE_IOERR_SHORT_READ


def set_aside(path: Path, stamp: str) -> Path:
    """Moves the database and what lies beside it out of the way; where it is now. `stamp` goes into the name."""
    aside = path.with_name(f"{path.stem}-damaged-{stamp}{path.suffix}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}-damaged-{stamp}-{number}{path.suffix}")
    for tail in ("", "-wal", "-shm"):
        piece = Path(f"{path}{tail}")
        if piece.exists():
            os.replace(piece, f"{aside}{tail}")
    return aside


def damage_in(connection: sqlite3.Connection) -> str:
    """What is damaged in a database, "" for nothing: reads all pages, a second a gigabyte or so, and closes the connection."""
    try:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        return "" if found == "ok" else " ".join(found.split())[:200]
    except sqlite3.DatabaseError as error:
        return str(error) if is_damage(error) else ""
    finally:
        connection.close()
