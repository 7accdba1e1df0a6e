"""From the text of a configuration file and the environment to checked settings; every problem names file, line and key."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from monitor.settings.declared import BY_NAME, ONE_OF, REQUIRED, SETTINGS, TABLES
from monitor.settings.setting import Setting
from monitor.text.toml_map import TomlMap


class Problem(msgspec.Struct, frozen=True):
    """`line` 0: not from a file."""

    source: str
    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.source}, line {self.line}" if self.line else self.source
        return f"{place}: {self.key}: {self.reason}" if self.key else f"{place}: {self.reason}"


class SettingsError(ValueError):
    """The configuration cannot be used; `problems` has all that is wrong with it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Settings(msgspec.Struct, frozen=True):
    """Checked settings by name, tables as tuples of such maps, and where each value came from."""

    values: dict[str, Any]
    tables: dict[str, tuple[dict[str, Any], ...]]
    written: dict[str, Any]
    sources: dict[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def shown(self) -> dict[str, Any]:
        """The settings as they may be shown: without secrets, and without the passwords in addresses."""
        secret = {setting.name for setting in SETTINGS if setting.secret}
        return {name: "***" if name in secret and value else without_password(value) for name, value in self.written.items()}

    @property
    def shown_tables(self) -> dict[str, tuple[dict[str, Any], ...]]:
        """The tables as they may be shown: without secrets, and without the passwords in addresses."""
        secret = {(name, setting.name) for name, settings in TABLES.items() for setting in settings if setting.secret}
        return {
            name: tuple(
                {key: "***" if (name, key) in secret and value else without_password(value) for key, value in entry.items()}
                for entry in entries
            )
            for name, entries in self.tables.items()
        }


def load_settings(
    file_text: str = "", file_name: str = "", environ: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """Defaults, then the file, then LIGHTSHIP_… variables, then command-line flags (None: not given). Raises `SettingsError`."""
    problems: list[Problem] = []
    written: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
    sources: dict[str, str] = {}
    tables: dict[str, tuple[dict[str, Any], ...]] = dict.fromkeys(TABLES, ())
    parsed = _parse(file_text, file_name, problems)
    locator = Locator(file_text if parsed else "")
    for key, value in parsed.items():
        if key in TABLES:
            tables[key] = _read_table(key, value, file_name, locator, problems)
        elif key in BY_NAME:
            written[key] = value
            sources[key] = f"{file_name}, line {locator.line(key)}"
        else:
            problems.append(_unknown(file_name, locator.line(key), key, [*BY_NAME, *TABLES]))
    for setting in SETTINGS:
        given = (environ or {}).get(setting.env)
        if given is not None:
            written[setting.name], sources[setting.name] = given, setting.env
    for key, value in (flags or {}).items():
        if value is not None:
            written[key], sources[key] = value, "--" + key.replace("_", "-")
    values = _read_values(written, sources, file_name, locator, problems)
    if problems:
        raise SettingsError(tuple(sorted(problems, key=lambda problem: problem.line)))
    return Settings(values, tables, written, sources)


def without_password(value: Any) -> Any:
    """The value; of an address with a password, also one in a list, the address with *** in its place."""
    if isinstance(value, tuple):
        return tuple(map(without_password, value))
    if not isinstance(value, str) or "://" not in value or "@" not in value:
        return value
    scheme, _, rest = value.partition("://")
    place, slash, path = rest.partition("/")
    who, _, host = place.rpartition("@")
    user, colon, _ = who.partition(":")
    return f"{scheme}://{user}:***@{host}{slash}{path}" if colon else value


class Locator:
    """Lines (from 1) of keys in the file; 0 where there is none."""

    def __init__(self, text: str) -> None:
        self._map = TomlMap(text)

    def line(self, *path: str | int) -> int:
        place = self._map.find(path)
        return self._map.position(place.key_start)[0] if place else 0


def _parse(text: str, name: str, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = getattr(error, "lineno", 0) or _line_in(str(error))
        problems.append(Problem(name, line, "", f"not valid TOML: {error}"))
        return {}


def _line_in(message: str) -> int:
    _, found, rest = message.partition("at line ")
    digits = rest.split(",")[0].strip(") ")
    return int(digits) if found and digits.isdecimal() else 0


def _read_values(
    written: dict[str, Any], sources: dict[str, str], file_name: str, locator: Locator, problems: list[Problem]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        try:
            values[setting.name] = setting.read(written[setting.name])
        except ValueError as error:
            source = sources.get(setting.name, "")
            from_file = bool(file_name) and source.startswith(file_name)
            line = locator.line(setting.name) if from_file else 0
            problems.append(Problem(file_name if from_file else source, line, setting.name, str(error)))
    return values


def _read_table(name: str, given: Any, file_name: str, locator: Locator, problems: list[Problem]) -> tuple[dict[str, Any], ...]:
    known = {setting.name: setting for setting in TABLES[name]}
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        problems.append(Problem(file_name, locator.line(name), name, f"write each one under its own [[{name}]]"))
        return ()
    return tuple(_read_entry(name, index, entry, known, file_name, locator, problems) for index, entry in enumerate(given))


def _read_entry(
    table: str,
    index: int,
    entry: dict[str, Any],
    known: dict[str, Setting],
    file_name: str,
    locator: Locator,
    problems: list[Problem],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in known.values():
        line = locator.line(table, index, setting.name)
        if setting.name in REQUIRED.get(table, ()) and not entry.get(setting.name):
            problems.append(Problem(file_name, line, f"{table}.{setting.name}", "is missing; every one needs it"))
            continue
        try:
            values[setting.name] = setting.read(entry.get(setting.name, setting.default))
        except ValueError as error:
            problems.append(Problem(file_name, line, f"{table}.{setting.name}", str(error)))
    among = ONE_OF.get(table, ())
    if among and not any(entry.get(name) for name in among):
        reason = f"is missing; every one needs it, or {', '.join(among[1:])}"
        problems.append(Problem(file_name, locator.line(table, index, among[0]), f"{table}.{among[0]}", reason))
    unknown = [key for key in entry if key not in known]
    problems.extend(_unknown(file_name, locator.line(table, index, key), key, list(known), f"{table}.") for key in unknown)
    return values


def _unknown(file_name: str, line: int, key: str, known: list[str], prefix: str = "") -> Problem:
    close = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"
    return Problem(file_name, line, prefix + key, f"no such setting; {hint}")
