"""Receivers made as the settings make them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from collector.actions.receiver import Receiver
from collector.actions.receivers import Receivers, receivers_of
from monitor.settings.load import load_settings


def tables(text: str) -> tuple[dict[str, Any], ...]:
    tomllib.loads(text)
    return load_settings(text, "lightship.toml").tables["receiver"]


def receivers(text: str, folder: Path = Path()) -> Receivers:
    return receivers_of(tables(text), folder)


def receiver(text: str, folder: Path = Path()) -> Receiver:
    return receivers(f'[[receiver]]\nname = "oncall"\n{text}\n', folder).by_name["oncall"]
