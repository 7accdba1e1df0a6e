"""What all tests share: Qt draws into memory, and hypothesis is the same on every machine."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# In CI the examples are the same at every run, so half of them find nothing that the other half did not find before.
CI = bool(os.environ.get("CI"))
settings.register_profile("lightship", deadline=None, derandomize=CI, max_examples=50 if CI else 100)
settings.load_profile("lightship")
