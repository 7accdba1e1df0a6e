"""Where things lie on a user's machine: paths computed from the environment, none of them touched here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath


def data_folder(environ: Mapping[str, str], platform: str, home: str) -> str:
    """`lightship` in the user's data folder. `platform` as in `sys.platform`."""
    if given := environ.get("LIGHTSHIP_DATA"):
        return given
    if platform == "win32":
        return str(PurePath(environ.get("LOCALAPPDATA") or PurePath(home, "AppData", "Local"), "lightship"))
    if platform == "darwin":
        return str(PurePath(home, "Library", "Application Support", "lightship"))
    return str(PurePath(environ.get("XDG_DATA_HOME") or PurePath(home, ".local", "share"), "lightship"))


def config_file(environ: Mapping[str, str], platform: str, home: str) -> str:
    """`lightship.toml` in the user's configuration folder."""
    if platform in ("win32", "darwin"):
        return str(PurePath(data_folder({**environ, "LIGHTSHIP_DATA": ""}, platform, home), "lightship.toml"))
    return str(PurePath(environ.get("XDG_CONFIG_HOME") or PurePath(home, ".config"), "lightship", "lightship.toml"))
