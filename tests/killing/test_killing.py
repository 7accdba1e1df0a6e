"""What was acknowledged outlives kill -9 and is there once; `python -m tests.killing` does it a hundred times."""

from __future__ import annotations

from pathlib import Path

from tests.killing.run import killed


def test_points_and_spans_that_were_acknowledged_outlive_kills_and_are_there_once(tmp_path: Path) -> None:
    told = killed(tmp_path, 2)
    assert told["whole"], told
