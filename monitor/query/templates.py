"""Labels and annotations of Prometheus rules, which are templates: filled in, or the mistake as Prometheus writes it.

A template may ask queries of its own. Nothing is waited for here: what a template asks and `Answers` does not know yet is
noted, and whoever judges the rule asks it and fills the template in again.
"""

from __future__ import annotations

import functools
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from monitor.query.history import Answer, QueryError
from monitor.query.template_functions import FUNCTIONS, Sample, sample
from monitor.text.gotemplate import Bounds, Template, TemplateError, TemplateSyntaxError, execute, parse
from monitor.text.gotemplate.builtins import CallError, Known
from monitor.text.gotemplate.values import Struct, TextMap

MAX_QUERIES = 100
"""So many different queries the templates of one rule may ask at a judgement."""
MAX_SAMPLES = 10_000
_BOUNDS = Bounds()
_OWN = ("query", "externalURL", "pathPrefix")
_NAMES = frozenset({*FUNCTIONS, *_OWN})
_BUILTIN = frozenset(
    "and or not eq ne lt le gt ge index slice len print println printf html js urlquery".split()  # noqa: SIM905  # as a list it is a page
)
_BEFORE = len("{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}")
"""What Prometheus puts before each template; columns of errors count it."""
_VARIABLES = ("$labels", "$externalLabels", "$externalURL", "$value")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rule's templates know of where they are: the labels of the whole server, and its address."""

    external_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    external_url: str = ""


NOWHERE = Surroundings()


class UnansweredError(Exception):
    """A template asks what nobody has answered yet; `Answers.wanted` says what."""


@dataclass(slots=True)
class Answers:
    """Queries of templates at one judgement: those answered, and those `wanted` since."""

    known: dict[str, Answer | str] = field(default_factory=dict)
    """The answer to each query, or why there is none."""
    wanted: set[str] = field(default_factory=set)

    def taken(self) -> list[str]:
        """What is wanted, which is to be answered now."""
        wanted, self.wanted = sorted(self.wanted), set()
        return wanted

    def ask(self, query: str) -> list[Sample]:
        """The series of the answer. Raises `UnansweredError`, and `CallError` where the query failed."""
        answer = self.known.get(query)
        if answer is None:
            if len(self.known) + len(self.wanted) >= MAX_QUERIES and query not in self.wanted:
                raise CallError(f"the templates of a rule may ask {MAX_QUERIES} different queries at most")
            self.wanted.add(query)
            raise UnansweredError
        if isinstance(answer, str):
            raise CallError(answer)
        return _samples(answer)


def expand(
    text: str,
    labels: Mapping[str, str],
    value: float,
    name: str = "",
    around: Surroundings = NOWHERE,
    answers: Answers | None = None,
) -> str:
    """The template of the alert `name`, filled in; `<error expanding template: …>` where it cannot be.

    Raises `UnansweredError`.
    """
    if "{{" not in text:
        return text
    title = f"__alert_{name}"
    read = _read(text)
    if isinstance(read, TemplateSyntaxError):
        line = text.count("\n", 0, read.at) + 1
        return f"<error expanding template: error parsing template {title}: template: {title}:{line}: {read}>"
    known = {
        "Labels": TextMap(labels),
        "ExternalLabels": TextMap(around.external_labels),
        "ExternalURL": around.external_url,
        "Value": value,
    }
    try:
        variables = dict(zip(_VARIABLES, known.values(), strict=True))
        return execute(read, Struct(known), _functions(around, answers or Answers()), variables, title, _BOUNDS, _BEFORE)
    except TemplateError as error:
        return f"<error expanding template: error executing template {title}: {error}>"
    except (ArithmeticError, RecursionError, TypeError, LookupError, AttributeError) as error:
        return f"<error expanding template: panic expanding template {title}: {type(error).__name__}>"


def problem_of(text: str) -> str:
    """Why a text is no template, "" when it is one."""
    read = _read(text) if "{{" in text else None
    return str(read) if isinstance(read, TemplateSyntaxError) else ""


@functools.lru_cache(maxsize=4096)
def _read(text: str) -> Template | TemplateSyntaxError:
    try:
        return parse(text, _NAMES | _BUILTIN, _VARIABLES)
    except TemplateSyntaxError as error:
        return error
    except RecursionError:
        return TemplateSyntaxError("too deeply nested", 0)


def _functions(around: Surroundings, answers: Answers) -> dict[str, Known]:
    return FUNCTIONS | {
        "query": Known(answers.ask, ("text",)),
        "externalURL": Known(lambda: around.external_url, ()),
        "pathPrefix": Known(lambda: urllib.parse.urlsplit(around.external_url).path, ()),
    }


def _samples(answer: Answer) -> list[Sample]:
    if answer.kind not in ("vector", "scalar") or answer.matrix is None:
        raise CallError("query result is not a vector or scalar")
    matrix = answer.matrix
    if len(matrix.labels) > MAX_SAMPLES:
        raise CallError(f"the query gives {len(matrix.labels):,} series (at most {MAX_SAMPLES:,} in a template)")
    values, present = matrix.values[:, 0].tolist(), matrix.present[:, 0].tolist()
    return [sample(dict(labels), value) for labels, value, there in zip(matrix.labels, values, present, strict=True) if there]


def failed(error: QueryError) -> str:
    """What a template is told of a query that failed."""
    return str(error)[:300]
