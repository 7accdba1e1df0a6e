"""Unit tests of rules come out as with Debian's promtool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from collector.rules.trying import try_file
from tests.collector.rules.unit_test_files import FILES, RULES
from tests.peers import need

pytestmark = pytest.mark.peer


@pytest.mark.parametrize(("name", "text"), FILES, ids=[name for name, _ in FILES])
def test_a_file_of_unit_tests_passes_or_fails_as_with_promtool(name: str, text: str, tmp_path: Path) -> None:
    promtool = need("promtool", "prometheus")
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "tests.yml").write_text(text)
    done = subprocess.run([promtool, "test", "rules", str(tmp_path / "tests.yml")], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    ours = try_file(str(tmp_path / "tests.yml"))
    assert (done.returncode == 0) == (not ours.failures and not ours.error), (said, ours)
    assert len(re.findall(r"^\s+exp: ?", said, re.MULTILINE)) == sum("expected" in failure for failure in ours.failures), (
        said,
        ours,
    )
