"""Commits samples, sends them and says what was committed, until it is killed: python -m … FOLDER URL FIRST_SECOND."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np

from collector.storage.remote.queue import QueueBounds
from collector.storage.remote.settings import RemoteSettings
from collector.storage.remote.writer import RemoteWriter
from tests.collector.storage.remote.receiver import numbered, target_of

SERIES = 5
SETTINGS = RemoteSettings(batch_age=0.0, batch_samples=20, queue=QueueBounds(segment=2000))


async def main(folder: Path, url: str, second: int) -> None:
    writer = RemoteWriter(folder, target_of(url), SETTINGS)
    sending = asyncio.create_task(writer.run())
    refs = writer.intern(list(numbered(SERIES)), [0] * SERIES)
    while not sending.done():
        writer.append(refs, np.full(SERIES, 1000 * second), np.full(SERIES, float(second)))
        if writer.commit():
            print(second, flush=True)
        second += 1
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
