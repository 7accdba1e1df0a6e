"""Receivers that are programs: the notice on standard input as JSON, never a shell, and an end put to what takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.actions import bodies
from collector.actions.receiver import NotToldError
from collector.actions.words import plain
from monitor.alerting.notice import Notice

LATER = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""
_MOST_OUTPUT = 4_000
"""Bytes of its output that are kept, the last ones."""
_LOOK = 0.02
"""Seconds between two looks whether it has ended."""
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME")
"""Variables of our own environment that a program gets."""
ON_A_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XAUTHORITY")


@dataclass(frozen=True, slots=True)
class Program:
    """Implements `Receiver`. It is told with exit code 0, tried again after 75, given up after any other."""

    command: Sequence[str]
    folder: Path
    timeout: float

    async def tell(self, notice: Notice) -> str | None:
        """See `Receiver`."""
        told = {
            "LIGHTSHIP_KEY": notice.key,
            "LIGHTSHIP_RECEIVER": notice.receiver,
            "LIGHTSHIP_STATUS": notice.status,
            "LIGHTSHIP_REASON": notice.reason,
        }
        environment = {name: value.replace("\0", "") for name, value in told.items()}
        await run(self.command, bodies.encoded(bodies.native(notice)), self.folder, self.timeout, environment)
        return None

    async def close(self) -> None:
        """See `Receiver`."""


async def run(
    command: Sequence[str],
    given: bytes,
    folder: Path,
    patience: float,
    environment: Mapping[str, str],
    passed_on: Sequence[str] = (),
) -> None:
    """Runs it in a group of processes of its own, all of which end with it. Raises `NotToldError` unless it exits with 0.

    `given`: its standard input; it may leave it unread. `environment`: added to the few variables passed on.
    """
    name = plain(os.path.basename(command[0]), 60)
    inherited = {key: os.environ[key] for key in (*_PASSED_ON, *passed_on) if key in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE if given else DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=inherited | dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise NotToldError(f"{name} cannot be started: {getattr(error, 'strerror', None) or error}") from None
    try:
        async with asyncio.timeout(patience):
            output = await _fed(process, given)
    except TimeoutError:
        raise NotToldError(f"{name} was ended after {patience:g} s") from None
    finally:
        await _end(process)
    code = process.returncode
    if code:
        said = plain(output.decode("utf-8", "replace"), 200)
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"exited with {code}"
        raise NotToldError(f"{name} {how}{': ' if said else ''}{said}", code != LATER and code > 0)


async def _fed(process: Process, given: bytes) -> bytes:
    """The end of its output once it has exited; what a child it left behind may still write is not waited for."""
    kept = bytearray()
    feeding = asyncio.create_task(_feed(process, given))
    reading = asyncio.create_task(_read(process, kept))
    try:
        await _exited(process)
        await asyncio.wait([reading], timeout=0.1)
    finally:
        for task in (feeding, reading):
            task.cancel()
        await asyncio.gather(feeding, reading, return_exceptions=True)
    return bytes(kept)


async def _feed(process: Process, given: bytes) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(given)
        await process.stdin.drain()
    process.stdin.close()


async def _read(process: Process, kept: bytearray) -> None:
    assert process.stdout is not None
    while piece := await process.stdout.read(65_536):
        kept += piece
        del kept[: max(0, len(kept) - _MOST_OUTPUT)]


async def _end(process: Process) -> None:
    """Kills whatever of its group is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()  # its pipes, which a child that left the group may hold open
    await _exited(process)
    await asyncio.sleep(0)  # the ends of its pipes are let go of in the next turn


async def _exited(process: Process) -> None:
    # Waiting for the process itself waits for whoever holds its output open, too.
    while process.returncode is None:  # noqa: ASYNC110 - nothing tells of the exit alone
        await asyncio.sleep(_LOOK)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
