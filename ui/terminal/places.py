"""Where this machine keeps a person's drafts, and the zone its clock shows."""

from __future__ import annotations

import os
from datetime import datetime, tzinfo
from pathlib import Path

from ui.views.drafts import DraftStore, FileDrafts


def draft_store(environ: dict[str, str] | None = None) -> DraftStore:
    """Drafts under XDG_STATE_HOME (or ~/.local/state), the terminal's apart from the desktop's."""
    environ = dict(os.environ) if environ is None else environ
    base = environ.get("XDG_STATE_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return FileDrafts(root / "lightship" / "drafts-terminal.json")


def local_zone() -> tzinfo | None:
    """The zone of this machine, of the TZ variable where it is set; None when there is none."""
    name = os.environ.get("TZ", "").lstrip(":")
    if name and not name.startswith("/"):
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            pass
    return datetime.now().astimezone().tzinfo
