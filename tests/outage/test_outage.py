"""What was sent while exports had nowhere to go arrives afterwards; `python -m tests.outage` has them wait for ten minutes."""

from __future__ import annotations

from pathlib import Path

from tests.outage.run import outage


def test_all_that_was_accepted_arrives_after_an_outage_and_a_kill_in_order(tmp_path: Path) -> None:
    told = outage(tmp_path, 3.0)
    assert told["whole"], told
