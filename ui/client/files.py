"""Files a person asked for: written new, never over another."""

from __future__ import annotations

from pathlib import Path

MOST_NAMES = 1_000


def write_new(folder: Path, name: str, content: bytes) -> Path:
    """A new file of this name in a folder; where there is one, `name-2.csv` and so on. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, dot, ending = name.rpartition(".")
    for number in range(1, MOST_NAMES):
        path = folder / (name if number == 1 else f"{stem}-{number}{dot}{ending}")
        try:
            with path.open("xb") as stream:
                stream.write(content)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, f"there are {MOST_NAMES} files of that name", str(folder / name))


def tilde(path: Path) -> str:
    """A path as people write it, their own folder as ~."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
