"""What all tests share: Qt draws into memory, and hypothesis is the same on every machine."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

settings.register_profile("lightship", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("lightship")
