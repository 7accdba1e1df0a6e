"""A copy of the database's first page, beside it: without that page nothing of the file can be read, with it all the rest can.

The page holds the header and the schema, which change only when tables do. What else stands in the header (the number of pages,
free ones) is worked out anew.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_MAGIC = b"lightship first page 1\n"
_SQLITE = b"SQLite format 3\x00"
_LEAF = 0x0D
_CRC = struct.Struct("<I")


def remember(path: Path, connection: sqlite3.Connection) -> None:
    """Copies the first page of a database that was found whole, if it says another schema than the copy. A disk that is full or
    read-only is no reason not to go on.
    """
    with contextlib.suppress(OSError, sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        page = _first_page(path)
        known = _known(path)
        if page[100:101] != bytes([_LEAF]) or (known is not None and known[100:] == page[100:]):
            return  # a schema of several pages is not covered
        partial = _copy_of(path).with_suffix(".partial")
        with partial.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(_MAGIC + _CRC.pack(zlib.crc32(page)) + page)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, _copy_of(path))


def header_damage(path: Path) -> str:
    """What is wrong with the part of the header that never changes, "" for nothing known: SQLite may read on with it, wrongly."""
    known = _known(path)
    with contextlib.suppress(OSError):
        if known is not None and (header := _bytes_at_start(path, 24)) and header != known[:24]:
            return "its header is damaged"
    return ""


@contextlib.contextmanager
def mended(path: Path) -> Iterator[None]:
    """Inside, the database has the first page it should have, so that the rest can be read; afterwards the one it had."""
    known = _known(path)
    with contextlib.ExitStack() as back:
        if known is not None:
            with contextlib.suppress(OSError):
                damaged = _bytes_at_start(path, len(known))
                page = _renumbered(known, path.stat().st_size)
                if _fixed_parts(damaged) != _fixed_parts(page):
                    back.callback(_write_at_start, path, damaged)
                    _write_at_start(path, page)
        yield


def _copy_of(path: Path) -> Path:
    return path.with_suffix(".first-page")


def _first_page(path: Path) -> bytes:
    header = _bytes_at_start(path, 100)
    (size,) = struct.unpack_from(">H", header, 16)
    return _bytes_at_start(path, 65536 if size == 1 else size)


def _known(path: Path) -> bytes | None:
    try:
        data = _copy_of(path).read_bytes()
    except OSError:
        return None
    page = data[len(_MAGIC) + _CRC.size :]
    if not data.startswith(_MAGIC) or len(page) < 512 or not page.startswith(_SQLITE):
        return None
    return page if _CRC.unpack_from(data, len(_MAGIC))[0] == zlib.crc32(page) else None


def _renumbered(page: bytes, file_size: int) -> bytes:
    """The page with the file's number of pages in its header and no free ones, as far as reading goes."""
    header = bytearray(page)
    struct.pack_into(">I", header, 28, file_size // len(page))
    struct.pack_into(">II", header, 32, 0, 0)
    header[92:96] = header[24:28]  # the number of pages holds for this change
    return bytes(header)


def _fixed_parts(page: bytes) -> tuple[bytes, ...]:
    """What does not change with the rows (SQLite file format, "The Database Header")."""
    return page[:24], page[40:92], page[100:]


def _bytes_at_start(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _write_at_start(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
