"""The reference page of all settings, written from their declaration."""

from __future__ import annotations

from typing import Any

from monitor.settings.declared import SETTINGS, TABLES
from monitor.settings.setting import Setting


def toml_value(value: Any) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(entry)}" for key, entry in value.items()) + " }" if value else "{}"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def reference_page() -> str:
    """Markdown of docs/settings.md."""
    parts = [
        "# Settings\n",
        "This page is written from `monitor/settings/declared.py` by `lightship config reference`; a test keeps it true.\n",
        "A setting is taken from the first of: a command-line flag, its environment variable, the configuration file "
        "(`--config FILE`, else `lightship.toml` in the user's configuration folder), its default.\n",
        "| setting | environment | type | default | what it is |",
        "|---|---|---|---|---|",
        *[_row(setting, setting.env) for setting in SETTINGS],
    ]
    for name, settings in TABLES.items():
        parts += [f"\n## `[[{name}]]`, any number\n", "| key | type | default | what it is |", "|---|---|---|---|"]
        parts += [_row(setting) for setting in settings]
    return "\n".join(parts) + "\n"


def _row(setting: Setting, env: str = "") -> str:
    example = f" Example: `{setting.example}`." if setting.example else ""
    kind = setting.kind.name.replace("|", "\\|")
    cells = [
        f"`{setting.name}`",
        *([f"`{env}`"] if env else []),
        kind,
        f"`{toml_value(setting.default)}`",
        setting.help + example,
    ]
    return "| " + " | ".join(cells) + " |"
