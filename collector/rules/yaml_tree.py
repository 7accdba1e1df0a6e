"""YAML text to a tree with places. Nothing is constructed from tags, and a few lines cannot stand for a million nodes."""

from __future__ import annotations

import yaml

from monitor.alerting.model import RuleProblem
from monitor.alerting.rules import RulesError
from monitor.text.tree import Node

MAX_NODES = 200_000
MAX_DEPTH = 20


def read_yaml(text: str, file: str) -> Node | None:
    """The document, None where it is empty. Raises `RulesError` with the line where it is not YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 0)
        raise RulesError((RuleProblem(file, place[0], f"not valid YAML: {error.problem or error}", place[1]),)) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RulesError((RuleProblem(file, 1, f"not valid YAML: {str(error)[:200]}"),)) from None
    return _Reader(file).node(root, 0) if root is not None else None


class _Reader:
    def __init__(self, file: str) -> None:
        self._file = file
        self._nodes = 0

    def node(self, node: yaml.Node, depth: int) -> Node:
        self._nodes += 1
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise RulesError(
                (RuleProblem(self._file, line, "the file is nested too deeply or repeats itself too often", column),)
            )
        if isinstance(node, yaml.SequenceNode):
            return Node(tuple(self.node(child, depth + 1) for child in node.value), "list", line, column)
        if isinstance(node, yaml.MappingNode):
            pairs = tuple((self.node(key, depth + 1), self.node(value, depth + 1)) for key, value in node.value)
            return Node(pairs, "map", line, column)
        quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
        text = "" if not quoted and node.tag == "tag:yaml.org,2002:null" else str(node.value)
        return Node(text, "scalar", line, column, quoted)
