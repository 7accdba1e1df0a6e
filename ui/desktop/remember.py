"""What the window remembers from one start to the next: its place, its page, its theme."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

USUAL = "http://127.0.0.1:7070"


def drafts_path(url: str = "") -> Path:
    """Where drafts of this person's desktop are kept; beside the window's memory when that has a place of its own.

    Each collector that is not the usual one has a file of its own: a draft of its rules means nothing to another.
    """
    place = "" if url in ("", USUAL) else "-" + re.sub(r"[^A-Za-z0-9.]+", "-", url.partition("://")[2] or url).strip("-.")[:80]
    name = f"drafts-desktop{place}.json"
    given = os.environ.get("LIGHTSHIP_UI_STATE")
    if given:
        return Path(given).with_name(name)
    root = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(root) / "lightship" / name


@dataclass
class Memory:
    """A file of settings; `path` None is the person's own place."""

    path: Path | None = None

    def _store(self) -> QSettings:
        given = self.path or (Path(os.environ["LIGHTSHIP_UI_STATE"]) if "LIGHTSHIP_UI_STATE" in os.environ else None)
        if given is not None:
            return QSettings(str(given), QSettings.Format.IniFormat)
        return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "lightship", "desktop")

    def word(self, name: str) -> str:
        found = self._store().value(name, "")
        return found if isinstance(found, str) else ""

    def geometry(self) -> QByteArray:
        found = self._store().value("geometry", QByteArray())
        return found if isinstance(found, QByteArray) else QByteArray()

    def keep(self, geometry: QByteArray, page: str, theme: str) -> None:
        """Written at once; a folder that cannot be written to costs the memory, never the close."""
        store = self._store()
        store.setValue("geometry", geometry)
        store.setValue("page", page)
        store.setValue("theme", theme)
        store.sync()
