"""A test file as commands. What cannot be read becomes a command that fails, so that nothing is left out silently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from monitor.query.history import Labels
from tests.promqltest.series import Point, parse_series, parse_starts
from tests.promqltest.text import BadTestError, duration, metric, number, unquote

_LOAD = re.compile(r"load(?:_(with_nhcb))?\s+(.+?)$")
_INSTANT = re.compile(r"eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$")
_RANGE = re.compile(r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$")
_EXPECT = re.compile(r"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$")
_EXPECT_RANGE = re.compile(r"expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$")


@dataclass(slots=True)
class Loaded:
    """One series of a load: `points` a step apart; `starts` in milliseconds from their samples, None where there is none."""

    labels: Labels
    points: list[Point]
    starts: list[int | None] = field(default_factory=list)


@dataclass(slots=True)
class Load:
    line: int
    step: int
    with_nhcb: bool
    series: list[Loaded]


@dataclass(slots=True)
class Clear:
    line: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """`expect warn msg: …`: `kind` ordered, fail, warn, no_warn, info or no_info; without message and pattern anything does."""

    kind: str
    message: str | None = None
    pattern: str | None = None

    def met_by(self, text: str) -> bool:
        if self.message is not None:
            return text == self.message
        return self.pattern is None or re.search(self.pattern, text) is not None


@dataclass(slots=True)
class Eval:
    """One evaluation and what it is to give. Milliseconds; an instant one has start, end and time alike."""

    line: int
    text: str
    instant: bool
    start: int
    end: int
    step: int = 0
    time: int = 0
    expectations: list[Expectation] = field(default_factory=list)
    expected: dict[Labels, list[Point]] = field(default_factory=dict)
    scalar: Point | None = None
    string: str = ""
    instant_only: bool = False

    def expects(self, kind: str) -> list[Expectation]:
        return [e for e in self.expectations if e.kind == kind]


@dataclass(slots=True)
class Unreadable:
    """A command that cannot be read; it counts as an evaluation that failed where it is one."""

    line: int
    text: str
    why: str


Command = Load | Clear | Eval | Unreadable


def parse_file(text: str) -> list[Command]:
    """All commands in their order."""
    lines = ["" if line.strip().startswith("#") else line.strip() for line in text.split("\n")]
    commands: list[Command] = []
    position = 0
    while position < len(lines):
        if not lines[position]:
            position += 1
            continue
        # A command goes on to the next blank line; `eval` may end earlier.
        end = next((n for n in range(position, len(lines)) if not lines[n]), len(lines))
        try:
            command, position = _command(lines, position, end)
        except (BadTestError, ValueError, re.error) as error:
            command, position = Unreadable(position + 1, lines[position], str(error)), end
        commands.append(command)
    return commands


def _command(lines: list[str], position: int, end: int) -> tuple[Command, int]:
    word = lines[position].split()[0].lower()
    if word == "clear":
        return Clear(position + 1), position + 1
    if word.startswith("load"):
        return _load(lines, position, end), end
    if word.startswith("eval"):
        return _eval(lines, position, end)
    raise BadTestError(f"no command: {lines[position]}")


def _load(lines: list[str], position: int, end: int) -> Load:
    found = _LOAD.match(lines[position])
    if found is None:
        raise BadTestError("load needs a step")
    load = Load(position + 1, duration(found.group(2)), found.group(1) == "with_nhcb", [])
    default: list[int | None] = []
    pending: tuple[Labels, list[int | None]] | None = None
    for line in lines[position + 1 : end]:
        head = line.split()[0]
        if head.endswith("@st"):
            starts = parse_starts(line[len(head) :])
            if head == "@st":
                default = starts
            else:
                pending = (metric(head.removesuffix("@st"))[0], starts)
            continue
        labels, points = parse_series(line)
        if pending is not None and (pending[0] != labels or len(pending[1]) != len(points)):
            raise BadTestError(f"the start timestamps before {line!r} are of another series or another length")
        starts = pending[1] if pending else [default[n % len(default)] for n in range(len(points))] if default else []
        load.series = [s for s in load.series if s.labels != labels]
        load.series.append(Loaded(labels, points, starts))
        pending = None
    if pending is not None:
        raise BadTestError("start timestamps without a series")
    return load


def _eval(lines: list[str], position: int, end: int) -> tuple[Eval, int]:
    command, modifier = _head(lines[position], position + 1)
    if modifier:
        command.expectations.append(Expectation(modifier))
    position += 1
    while position < end:
        line = lines[position]
        position += 1
        if line.startswith(("expected_fail_message", "expected_fail_regexp")):
            word, _, rest = line.partition(" ")
            given = {"message": rest.strip()} if word.endswith("message") else {"pattern": rest.strip()}
            command.expectations = [e for e in command.expectations if e.kind != "fail"]
            command.expectations.append(Expectation("fail", **given))
            break
        if line.split()[0] == "expect":
            _expect(command, line)
            continue
        try:
            value = number(line)
        except BadTestError:
            labels, points = parse_series(line)
            if len(points) > 1 and command.instant and not command.instant_only:
                raise BadTestError("an instant has one value a series") from None
            command.expected[labels] = points
        else:
            command.scalar = Point(value=value)
            break
    return command, position


def _head(line: str, number_of_line: int) -> tuple[Eval, str]:
    instant, ranged = _INSTANT.match(line), _RANGE.match(line)
    if instant is not None:
        at = duration(instant.group(2)) if instant.group(2) else 0
        return Eval(number_of_line, instant.group(3), True, at, at, time=at), instant.group(1) or ""
    if ranged is None:
        raise BadTestError(f"neither an instant nor a range: {line}")
    start, end, step = (duration(part) for part in ranged.group(2, 3, 4))
    if end < start:
        raise BadTestError("the end is before the start")
    return Eval(number_of_line, ranged.group(5), False, start, end, step), ranged.group(1) or ""


def _expect(command: Eval, line: str) -> None:
    spans, found = _EXPECT_RANGE.match(line), _EXPECT.match(line)
    if spans is not None:
        command.start, command.end, command.step = (duration(part) for part in spans.groups())
        command.time, command.instant_only = command.end, True
    elif line.startswith("expect string"):
        command.string, command.instant_only = unquote(line.removeprefix("expect string").strip()), True
    elif found is not None:
        kind, how, what = found.groups()
        message = what.strip() if how == "msg" else None
        command.expectations.append(Expectation(kind, message, what.strip() if how == "regex" else None))
    else:
        raise BadTestError(f"not an expectation: {line}")
