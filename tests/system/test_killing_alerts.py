"""Kill -9 in an incident loses no notice; `python -m tests.killing_alerts` does it two hundred times."""

from __future__ import annotations

from pathlib import Path

from tests.killing_alerts import killed


def test_no_notice_is_lost_and_none_is_told_twice_but_with_its_key(tmp_path: Path) -> None:
    told = killed(tmp_path / "one", 2)
    assert told["whole"], told
