"""What one setting is: its name, type, default and a sentence."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.settings.kinds import Kind


class Setting(msgspec.Struct, frozen=True):
    """One setting. `default` is written as a person would write it in the file; `env` is its environment variable."""

    name: str
    kind: Kind
    default: Any
    help: str
    example: str = ""
    secret: bool = False
    """Never shown: not by the command, the API or a log."""

    @property
    def env(self) -> str:
        return "LIGHTSHIP_" + self.name.upper()

    def read(self, written: Any) -> Any:
        """The value as the collector uses it. Raises `ValueError` saying what is wrong with `written` and what to write."""
        return self.kind.read(written)
