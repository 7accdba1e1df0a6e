"""Programs of others that tests speak to: missing is a failure in CI and a skip with a reason elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def need(program: str, package: str) -> str:
    """The program's path. `package` is Debian's, installed by `packaging/bootstrap --test`."""
    found = shutil.which(program) or (program if Path(program).exists() else None)
    if found is not None:
        return found
    message = f"{program} is missing: install Debian's {package}, or run packaging/bootstrap --test"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
