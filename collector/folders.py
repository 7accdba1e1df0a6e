"""Where a collector keeps its data, and the lock that lets only one collector use a folder."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from monitor.settings import places


class FolderTakenError(RuntimeError):
    """Another collector uses this data folder."""


def default_data_folder() -> Path:
    """The data folder of this user."""
    return Path(places.data_folder(os.environ, sys.platform, str(Path.home())))


def default_config_file() -> Path:
    """The configuration file of this user."""
    return Path(places.config_file(os.environ, sys.platform, str(Path.home())))


def host_name() -> str:
    """This machine's name without its domain."""
    return socket.gethostname().split(".")[0] or "localhost"


class FolderLock:
    """Held while a collector runs; freed by the system whatever way the process ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "collector.lock"
        self._file: BinaryIO | None = None

    def take(self) -> None:
        """Raises `FolderTakenError` naming who holds it, `OSError` with a sentence when the folder cannot be used."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._path.open("a+b")
        except OSError as error:
            text = f"The data folder {self._path.parent} cannot be used: {error.strerror}. Choose another with --data DIR."
            raise OSError(error.errno, text) from None
        try:
            _lock(file)
        except OSError:
            file.seek(0)
            holder = file.read(32).decode("ascii", "replace").strip() or "unknown"
            file.close()
            raise FolderTakenError(
                f"Another collector (process {holder}) uses {self._path.parent}. "
                "Attach to it with 'lightship up', or give this one its own folder with --data DIR."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
        self._file = file

    def free(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock(file: BinaryIO) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
