"""A writer that is killed at any moment: what it said it had committed is with the receiver in the end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from collector.storage.remote.writer import RemoteWriter
from tests.collector.storage.remote.killed_writer import SERIES, SETTINGS
from tests.collector.storage.remote.receiver import Receiver, numbered, receiving, sent, target_of


async def test_what_was_committed_arrives_through_kill_after_kill(tmp_path: Path) -> None:
    async with receiving(Receiver()) as receiver:
        committed = -1
        for lines in (1, 30, 3, 80, 45):
            writer = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.collector.storage.remote.killed_writer",
                str(tmp_path),
                receiver.url,
                str(committed + 1),
                stdout=asyncio.subprocess.PIPE,
            )
            assert writer.stdout is not None
            for _ in range(lines):
                committed = int(await writer.stdout.readline())
            writer.kill()
            rest = (await writer.stdout.read()).split(b"\n")[:-1]
            committed = int(rest[-1]) if rest else committed
            await writer.wait()
        await sent(RemoteWriter(tmp_path, target_of(receiver.url), SETTINGS))
        found = receiver.samples()
        assert set(found) == set(numbered(SERIES))
        for samples in found.values():
            times = {time // 1000 for time, _ in samples}
            assert set(range(committed + 1)) <= times, "nothing of what was told is missing"
            assert times <= set(range(committed + 2)), "at most one more than was told"
            assert all(value == time / 1000 for time, value in samples)
