"""The rules in force: read from a directory of TOML files, re-read when these change, written back when people edit."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from collector.rules.files import (
    MAX_FILES,
    RuleFileError,
    Signature,
    check_name,
    is_prometheus,
    read_text,
    revision_of,
    rule_files,
    write_text,
)
from monitor.alerting.edit import EditError, delete_rule, set_enabled
from monitor.alerting.model import Event, Rule, RuleFile, RuleProblem
from monitor.alerting.rules import RulesError, clashes, parse_rules

if TYPE_CHECKING:
    from monitor.query.rulegroups import RuleGroup

__all__ = ["RuleFileError", "RuleStore"]

IN_FORCE = ".in-force"
"""Hidden directory with the last good version of each file, so that it outlives a restart."""


@dataclass
class _File:
    """`rules` are in force; `wanted` is what the text on disk says, None when it does not parse."""

    name: str
    text: str = ""
    revision: int = 0
    signature: Signature | None = None
    problems: tuple[RuleProblem, ...] = ()
    rules: tuple[Rule, ...] = ()
    wanted: tuple[Rule, ...] | None = None
    groups: tuple[RuleGroup, ...] = ()
    wanted_groups: tuple[RuleGroup, ...] = ()
    saved_by: str = ""
    emptied: Signature | None = None


class RuleStore:
    """Rules of all `*.toml` files of a directory, and groups of Prometheus rules of its `*.yml` files.

    A file that does not parse is refused whole: its last good version stays in force, also after a restart, and its problems
    are told. All calls from one thread; each is a few file operations.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.rules: tuple[Rule, ...] = ()
        """In force, by file name and then in the order of the file; ids are unique. A new tuple when anything changed."""
        self.groups: tuple[RuleGroup, ...] = ()
        """Groups of Prometheus rules in force. A new tuple when anything changed."""
        self.revision = 0
        """Rises whenever rules, files or problems change."""
        self.notice = ""
        """Why the directory cannot be read, "" when all is well."""
        self._files: dict[str, _File] = {}

    @property
    def files(self) -> tuple[RuleFile, ...]:
        """The files as they lie on disk, by name, with what is wrong with them."""
        return tuple(
            RuleFile(name, file.text, file.revision, file.problems)
            for name, file in sorted(self._files.items())
            if file.signature
        )

    def load(self, now: float | None = None) -> tuple[Event, ...]:
        """First reading. An empty or missing directory is given the default rules. Events tell what was refused."""
        with contextlib.suppress(OSError, RuleFileError):  # no room, no right: the rules that are there do
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o755)
            if not any(self.directory.iterdir()):
                self._copy_defaults()
        self._take_up_last_good()
        return tuple(event for event in self.poll(now) if event.kind == "rules_refused")

    def poll(self, now: float | None = None) -> tuple[Event, ...]:
        """Re-read what changed on disk; events say what was taken up or refused, and there are none when nothing changed.

        Changes are seen by time, size and inode, so a poll of some files costs tens of microseconds. A file that was
        emptied counts only when it still is at the next poll: many editors truncate before they write.
        """
        moment = time.time() if now is None else now
        try:
            found = rule_files(self.directory)
            self.notice = ""
        except OSError as error:
            self.notice = f"The rules directory {self.directory} cannot be read: {error.strerror}. The rules stay as they were."
            return ()
        changed = [name for name, signature in found.items() if self._is_changed(name, signature)]
        gone = [name for name, file in self._files.items() if name not in found]
        if not changed and not gone:
            return ()
        for name in gone:
            del self._files[name]
            with contextlib.suppress(OSError):
                (self.directory / IN_FORCE / name).unlink()
        for name in changed:
            self._read(name, found[name])
        self._settle()
        return tuple(_event(self._files[name], moment) for name in changed) + tuple(
            Event(moment, "rules_reloaded", f"{name} was removed; its rules are no longer judged.") for name in gone
        )

    def check(self, name: str, text: str) -> tuple[RuleProblem, ...]:
        """All that would keep this text from being accepted as this file; () when it would be."""
        try:
            check_name(name)
            rules, _ = _parsed(text, name)
        except RulesError as error:
            return error.problems
        except RuleFileError as error:
            return (RuleProblem(name[:80], 1, str(error)),)
        return clashes(rules, {rule.id: rule for rule in self.rules if rule.file != name})

    def save(self, name: str, text: str, base: int, who: str = "", now: float | None = None) -> tuple[int, tuple[Event, ...]]:
        """Write the file; its new revision and what happened.

        `base` is the `RuleFile.revision` the text was edited from, 0 for a file that was not there. Raises `RulesError`
        with the problems of the text, `RuleFileError` when somebody else changed the file first or it cannot be written.
        """
        check_name(name)
        self.poll(now)
        problems = self.check(name, text)
        if problems:
            raise RulesError(problems)
        file = self._files.get(name)
        if (file.revision if file else 0) != base:
            raise RuleFileError(_conflict(name, file))
        if file is None and len(self._files) >= MAX_FILES:
            raise RuleFileError(f"There are {MAX_FILES} rule files already; put the rules into one of them.")
        return self._write(name, text, who, now, f"saved {name}")

    def set_enabled(self, rule_id: str, enabled: bool, who: str = "", now: float | None = None) -> tuple[int, tuple[Event, ...]]:
        """Switch one rule on or off in its file, comments and order intact. Raises `RuleFileError`."""
        what = "switched on" if enabled else "switched off"
        return self._edit(rule_id, who, now, lambda text: set_enabled(text, rule_id, enabled), what)

    def delete(self, rule_id: str, who: str = "", now: float | None = None) -> tuple[int, tuple[Event, ...]]:
        """Take one rule, and the comment right above it, out of its file. Raises `RuleFileError`."""
        return self._edit(rule_id, who, now, lambda text: delete_rule(text, rule_id), "deleted")

    # ------------------------------------------------------------ editing

    def _edit(
        self, rule_id: str, who: str, now: float | None, change: Callable[[str], str], what: str
    ) -> tuple[int, tuple[Event, ...]]:
        self.poll(now)
        rule = next((rule for rule in self.rules if rule.id == rule_id), None)
        if rule is None:
            raise RuleFileError(f"There is no rule {rule_id[:60]!r}.")
        file = self._files[rule.file]
        if file.problems:
            raise RuleFileError(f"{file.name} has errors ({file.problems[0]}); mend it first.")
        try:
            text = change(file.text)
        except (EditError, RulesError) as error:
            raise RuleFileError(str(error)) from None
        return self._write(file.name, text, who, now, f"{what} the rule {rule_id} in {file.name}")

    def _write(self, name: str, text: str, who: str, now: float | None, what: str) -> tuple[int, tuple[Event, ...]]:
        write_text(self.directory / name, text)
        file = self._files.setdefault(name, _File(name))
        signature = rule_files(self.directory).get(name)
        if signature is None:
            raise RuleFileError(f"{name} was written and is gone again; somebody else removed it.")
        self._read(name, signature)
        file.saved_by = who
        self._settle()
        event = Event(time.time() if now is None else now, "rule_saved", f"{who or 'Somebody'} {what}.", who)
        return file.revision, (event,)

    # ------------------------------------------------------------ reading

    def _is_changed(self, name: str, signature: Signature) -> bool:
        file = self._files.get(name)
        if file is None or file.signature is None:
            return True
        if file.signature == signature:
            file.emptied = None
            return False
        if signature.size == 0 and file.text and file.emptied != signature:
            file.emptied = signature
            return False
        return True

    def _read(self, name: str, signature: Signature) -> None:
        file = self._files.setdefault(name, _File(name))
        file.signature, file.saved_by, file.emptied = signature, "", None
        file.wanted, file.problems = None, ()
        try:
            file.text = read_text(self.directory / name)
            file.revision = revision_of(file.text)
            file.wanted, file.wanted_groups = _parsed(file.text, name)
        except RulesError as error:
            file.problems = error.problems
        except RuleFileError as error:
            file.problems = (RuleProblem(name, 1, str(error)),)

    def _settle(self) -> None:
        """Put in force what the files say, all of them at once but for those whose ids are taken by others."""
        refused: dict[str, tuple[RuleProblem, ...]] = {}
        while (clashing := self._first_clash(refused)) is not None:
            refused.update(clashing)
        for name, file in sorted(self._files.items()):
            if file.wanted is None:
                continue
            file.problems = refused.get(name, ())
            if not file.problems:
                file.rules, file.groups = file.wanted, file.wanted_groups
                self._keep_last_good(file)
        rules = tuple(rule for _, file in sorted(self._files.items()) for rule in file.rules)
        self.rules = rules if rules != self.rules else self.rules
        groups = tuple(group for _, file in sorted(self._files.items()) for group in file.groups)
        self.groups = groups if groups != self.groups else self.groups
        self.revision += 1

    def _first_clash(self, refused: Mapping[str, object]) -> dict[str, tuple[RuleProblem, ...]] | None:
        staying = [
            file for file in self._files.values() if file.wanted is None or file.name in refused or file.wanted == file.rules
        ]
        taken = {rule.id: rule for file in staying for rule in file.rules}
        for name, file in sorted(self._files.items()):
            if file in staying or file.wanted is None:
                continue
            problems = clashes(file.wanted, taken)
            if problems:
                return {name: problems}
            taken.update({rule.id: rule for rule in file.wanted})
        return None

    # ------------------------------------------------------------ what outlives a restart

    def _take_up_last_good(self) -> None:
        taken: dict[str, Rule] = {}
        with contextlib.suppress(OSError):
            for name in rule_files(self.directory):
                with contextlib.suppress(RuleFileError, RulesError):
                    rules, groups = _parsed(read_text(self.directory / IN_FORCE / name), name)
                    if not clashes(rules, taken):
                        self._files[name] = _File(name, rules=rules, groups=groups)
                        taken.update({rule.id: rule for rule in rules})

    def _keep_last_good(self, file: _File) -> None:
        path = self.directory / IN_FORCE / file.name
        # A directory nobody may write to works too; only a bad edit together with a restart then costs its rules.
        with contextlib.suppress(OSError, RuleFileError):
            path.parent.mkdir(exist_ok=True)
            if not path.exists() or read_text(path) != file.text:
                write_text(path, file.text)

    def _copy_defaults(self) -> None:
        for default in sorted(resources.files("assets").joinpath("rules").iterdir(), key=lambda entry: entry.name):
            if default.name.endswith(".toml"):
                write_text(self.directory / default.name, default.read_text("utf-8"))


def _parsed(text: str, name: str) -> tuple[tuple[Rule, ...], tuple[RuleGroup, ...]]:
    """What stands in a file of this name. Raises `RulesError`."""
    if is_prometheus(name):
        # Only who has such files pays for a YAML reader and a parser of PromQL.
        from collector.rules.yaml_tree import read_yaml
        from monitor.query.rulegroups import read_groups

        return (), read_groups(read_yaml(text, name), name)
    return parse_rules(text, name), ()


def _event(file: _File, now: float) -> Event:
    if not file.problems:
        count = len(file.rules) + sum(len(group.rules) for group in file.groups)
        return Event(now, "rules_reloaded", f"{file.name} was read: {count} rule{'s' * (count != 1)} in force.")
    more = f" (and {len(file.problems) - 1} more)" if len(file.problems) > 1 else ""
    kept = "its earlier rules stay in force" if file.rules else "none of its rules is in force"
    return Event(now, "rules_refused", f"{file.problems[0]}{more}; {kept}.")


def _conflict(name: str, file: _File | None) -> str:
    if file is None:
        return f"{name} was removed while you edited it. Yours is kept as a draft; save it as a new file."
    who = f"{file.saved_by} saved {name}" if file.saved_by else f"{name} was changed on disk"
    return f"{who} while you edited it. Nothing was written; compare with the file as it is now."
