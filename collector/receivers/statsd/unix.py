"""DogStatsD over a Unix datagram socket."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from typing import Any

from collector.receivers.statsd.listener import Listener
from collector.receivers.statsd.receiver import Sink

MODE = 0o660


class UnixListener(Listener):
    """Listens on the socket file `path`, made with `mode`, removed at the end; one left behind by a crash is replaced.

    The kernel queues few datagrams (net.unix.max_dgram_qlen) and makes senders wait, so the thread never naps and
    `dropped` stays 0. Options as of `Listener`: `clock`, `limits`, `interval`, `samples`, `receive_buffer`.
    """

    naps = False

    def __init__(self, path: str | os.PathLike[str], sink: Sink, *, mode: int = MODE, **options: Any) -> None:
        super().__init__(sink, **options)
        self.address = os.fspath(path)
        self._mode = mode
        self._made: tuple[int, int] | None = None

    def open(self) -> socket.socket:
        path = self.address
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            _remove_stale(path)
            sock.bind(path)
            os.chmod(path, self._mode)
            self._made = _identity(path)
        except OSError as error:
            sock.close()
            raise OSError(error.errno, _explained(path, error)) from None
        return sock

    def close(self, sock: socket.socket) -> None:
        sock.close()
        # Another collector may have put its own socket there meanwhile.
        with contextlib.suppress(OSError):
            if self._made is not None and _identity(self.address) == self._made:
                os.unlink(self.address)


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _remove_stale(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise OSError(errno.EADDRINUSE, "another program listens there")


def _explained(path: str, error: OSError) -> str:
    begin = f"StatsD cannot listen on the socket {path}"
    if isinstance(error, FileNotFoundError):
        return f"{begin}: its directory does not exist; make it, or choose another path"
    if isinstance(error, PermissionError):
        return f"{begin}: its directory may not be written by this user; choose another path"
    if error.errno is None:  # Python's own check of the length comes without a number
        return f"{begin}: the path has {len(os.fsencode(path))} bytes and at most 107 are allowed; choose a shorter one"
    if error.errno == errno.EADDRINUSE:
        return f"{begin}: another program listens there; stop it, or choose another path"
    if error.errno == errno.EEXIST:
        return f"{begin}: there is a file that is no socket; move it away, or choose another path"
    return f"{begin}: {error.strerror}"
