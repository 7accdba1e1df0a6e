"""What a person is writing and has not saved: kept through page changes, refreshes, lost links and restarts."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Protocol

import msgspec

MAX_DRAFTS = 32
MAX_BYTES = 4 << 20


class SilenceDraft(msgspec.Struct, frozen=True):
    """A silence being written. `alerts`: ids it was begun for; `touched`: a person has typed in it.

    `silence`: id of the one that is being edited; its end `ends` stays for as long as `duration` is `kept`.
    """

    matchers: str = ""
    duration: str = "2h"
    reason: str = ""
    end_when_resolved: bool = False
    alerts: tuple[str, ...] = ()
    touched: bool = False
    field: str = "reason"
    silence: str = ""
    ends: float = 0.0
    kept: str = ""


class RuleDraft(msgspec.Struct, frozen=True):
    """A rule file being edited: the draft, and the saved text and revision it was begun from."""

    file: str
    text: str
    saved: str
    base: int
    line: int = 0

    @property
    def dirty(self) -> bool:
        return self.text != self.saved


class QueryDraft(msgspec.Struct, frozen=True):
    """One query of Explore. `slot` (from 0) is its letter and its colour."""

    text: str = ""
    slot: int = 0
    hidden: bool = False


class SavedQuery(msgspec.Struct, frozen=True):
    """A query kept under a name."""

    name: str
    text: str


class QueryDesk(msgspec.Struct, frozen=True):
    """Explore's queries, those that were run (newest last), those kept by name, and how answers are looked at."""

    queries: tuple[QueryDraft, ...] = ()
    history: tuple[str, ...] = ()
    saved: tuple[SavedQuery, ...] = ()
    view: str = "chart"


class Drafts(msgspec.Struct, frozen=True):
    """All drafts of one person."""

    silence: SilenceDraft | None = None
    rules: dict[str, RuleDraft] = msgspec.field(default_factory=dict)
    queries: QueryDesk = QueryDesk()


class DraftStore(Protocol):
    """Where drafts outlive the program. Neither call raises: a draft is worth less than a working screen."""

    def load(self) -> Drafts: ...

    def save(self, drafts: Drafts) -> None: ...


class MemoryDrafts:
    """Drafts for as long as this object lives, through the same JSON as the file's."""

    def __init__(self) -> None:
        self.content = b""

    def load(self) -> Drafts:
        return decode(self.content)

    def save(self, drafts: Drafts) -> None:
        self.content = encode(drafts)


class FileDrafts:
    """Drafts in one JSON file, replaced whole so that a crash leaves the old or the new, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problem = ""

    def load(self) -> Drafts:
        try:
            if self._path.stat().st_size > MAX_BYTES:
                return Drafts()
            return decode(self._path.read_bytes())
        except FileNotFoundError:
            return Drafts()
        except OSError as error:
            self.problem = f"Drafts cannot be read: {error.strerror}"
            return Drafts()

    def save(self, drafts: Drafts) -> None:
        temporary = ""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".drafts-")
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(encode(drafts))
            os.replace(temporary, self._path)
            self.problem = ""
        except OSError as error:
            self.problem = f"Drafts are not kept: {error.strerror}"
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def encode(drafts: Drafts) -> bytes:
    """JSON, indented, for people who look into the file."""
    return msgspec.json.format(msgspec.json.encode(drafts), indent=1)


def decode(content: bytes) -> Drafts:
    """Drafts from JSON; nothing from what cannot be read."""
    if not content:
        return Drafts()
    try:
        return msgspec.json.decode(content, type=Drafts)
    except (msgspec.MsgspecError, json.JSONDecodeError, UnicodeDecodeError):
        return Drafts()


class Desk:
    """The drafts of this session; each change is stored."""

    def __init__(self, store: DraftStore) -> None:
        self._store = store
        self._drafts = store.load()
        self.refused: tuple[SilenceDraft, str] | None = None
        """The draft that would keep too many quiet, and what the collector said to it; not stored."""

    @property
    def silence(self) -> SilenceDraft | None:
        return self._drafts.silence

    @silence.setter
    def silence(self, draft: SilenceDraft | None) -> None:
        self._keep(msgspec.structs.replace(self._drafts, silence=draft))

    @property
    def queries(self) -> QueryDesk:
        return self._drafts.queries

    @queries.setter
    def queries(self, desk: QueryDesk) -> None:
        self._keep(msgspec.structs.replace(self._drafts, queries=desk))

    def rule(self, file: str) -> RuleDraft | None:
        """The draft of a file, None when it is not being edited."""
        return self._drafts.rules.get(file)

    @property
    def rules(self) -> tuple[RuleDraft, ...]:
        return tuple(self._drafts.rules.values())

    def put_rule(self, draft: RuleDraft) -> None:
        """Keep the draft of a file; of more than `MAX_DRAFTS` the oldest is given up."""
        rules = {name: held for name, held in self._drafts.rules.items() if name != draft.file}
        while len(rules) >= MAX_DRAFTS:
            rules.pop(next(iter(rules)))
        self._keep(msgspec.structs.replace(self._drafts, rules=rules | {draft.file: draft}))

    def drop_rule(self, file: str) -> None:
        """Throw the draft of a file away."""
        self._keep(msgspec.structs.replace(self._drafts, rules={n: d for n, d in self._drafts.rules.items() if n != file}))

    def _keep(self, drafts: Drafts) -> None:
        if drafts != self._drafts:
            self._drafts = drafts
            self._store.save(drafts)
