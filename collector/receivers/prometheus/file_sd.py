"""Discovery from files: JSON and YAML, named by globs, read again when they change."""

from __future__ import annotations

import glob
import itertools
import json
import os
from pathlib import Path
from typing import Any

from collector.receivers.prometheus.discovery import DiscoveryError, Group, groups_of

LOOK_EVERY = 5.0
"""Seconds between two looks at the folders."""
MOST_FILES = 1000
MOST_BYTES = 16 << 20
_Stamp = tuple[int, int, int]


class FileDiscovery:
    """The targets in the files that some patterns name. A file that cannot be read keeps the targets it last had."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = patterns
        self._files: dict[str, tuple[_Stamp, list[Group]]] = {}
        self._problems: dict[str, str] = {}
        self._too_many = False

    def problems(self) -> list[str]:
        """Sentences about files that cannot be used."""
        further = [f"file_sd names more than {MOST_FILES} files; the rest is left out"] if self._too_many else []
        return [f"targets in {name}: {problem}" for name, problem in sorted(self._problems.items())] + further

    def groups(self) -> list[Group]:
        """What the last look found."""
        return [group for _, (_, groups) in sorted(self._files.items()) for group in groups]

    def look(self) -> bool:
        """Read what has changed; whether there is anything new. To be called in a thread."""
        names: list[str] = []
        for pattern in self._patterns:
            names += itertools.islice(glob.iglob(pattern), MOST_FILES + 1)
        self._too_many = len(set(names)) > MOST_FILES
        names = sorted(set(names))[:MOST_FILES]
        changed = False
        for name in self._files.keys() - set(names):
            del self._files[name]
            changed = True
        self._problems = {name: problem for name, problem in self._problems.items() if name in names}
        for name in names:
            changed |= self._look_at(name)
        return changed

    def _look_at(self, name: str) -> bool:
        before = self._files.get(name)
        try:
            found = os.stat(name)
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if before is not None and before[0] == stamp:
                return False
            groups = groups_of(_read(name), {"__meta_filepath": name})
        except (OSError, DiscoveryError) as error:
            self._problems[name] = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
            return False
        self._problems.pop(name, None)
        self._files[name] = stamp, groups
        return before is None or before[1] != groups


def _read(name: str) -> Any:
    with Path(name).open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise DiscoveryError(f"it has more than {MOST_BYTES} bytes")
    try:
        text = data.decode()
        if name.endswith(".json"):
            return json.loads(text)
        if name.endswith((".yml", ".yaml")):
            return _yaml(text)
    except (ValueError, RecursionError) as error:
        raise DiscoveryError(f"it cannot be read: {str(error)[:200] or type(error).__name__}") from None
    raise DiscoveryError("its name ends neither with .json nor with .yml or .yaml")


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise DiscoveryError(f"it is no YAML: {' '.join(str(error).split())[:200]}") from None
