"""YAML as people type it: text, lists and fields, and nothing else.

Every scalar stays the text that stands there, so that `NO`, `010` and `12:30:00` are neither false nor 8 nor
45000; no tag and no alias is followed, and no name may come twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

from blog.content import FrontMatterError, Value

At = Callable[[Any], int]  # the line of a mark, in the whole file

MAX_DEPTH = 8

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# The parser in C is six times as fast, which a folder of a thousand articles feels at every start.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(source: str, line: int) -> Value:
    """YAML of one document that begins on a line of a file; FrontMatterError for all that is not plain."""

    def at(mark: Any) -> int:
        # YAML ends lines at three more characters, where no editor counts one.
        return line + (source.count("\n", 0, mark.index) if mark else 0)

    # Taken one by one, events stop at nesting that is too deep. The tree of libyaml would end the process.
    nodes: Iterator[yaml.Event] = filter(_is_node, yaml.parse(source, Loader=_LOADER))
    try:
        first = next(nodes, None)
        value = {} if first is None else _node(first, nodes, at, 0)
        if (more := next(nodes, None)) is not None:
            what = "a second document begins"
            raise FrontMatterError(at(more.start_mark), what, "Leave one block of fields")
    except FrontMatterError:
        raise
    except yaml.MarkedYAMLError as error:
        what = f"this is not YAML ({error.problem or error.context})"
        fix = 'Put a value with a colon, a bracket or a quote in it into quotes: title: "On giving: part one"'
        raise FrontMatterError(at(error.problem_mark or error.context_mark), what, fix) from error
    except (yaml.YAMLError, ValueError) as error:
        raise FrontMatterError(line, "this is not YAML", "Look for odd characters") from error
    return value


def _is_node(event: yaml.Event) -> bool:
    return isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent)


def _node(event: yaml.Event, rest: Iterator[yaml.Event], at: At, depth: int) -> Value:
    """A YAML value as text, lists and dicts."""
    here = event.start_mark
    if isinstance(event, yaml.AliasEvent):
        raise FrontMatterError(
            at(here), "a value refers to another one", "Write the value out, without * and &"
        )
    if getattr(event, "tag", None) not in (None, "!", "tag:yaml.org,2002:str"):
        raise FrontMatterError(
            at(here), "tags with an exclamation mark are not read", "Write the value alone"
        )
    if isinstance(event, yaml.ScalarEvent):
        return None if event.implicit[0] and event.value in _NULLS else str(event.value)
    if depth > MAX_DEPTH:
        raise FrontMatterError(
            at(here), "lists lie too deep in each other", "Write each value on a line of its own"
        )
    if isinstance(event, yaml.SequenceStartEvent):
        return [_node(item, rest, at, depth + 1) for item in _items(rest)]
    fields: dict[str, Value] = {}
    for key in _items(rest):
        name = _node(key, rest, at, depth + 1)
        if not isinstance(name, str) or name in {"<<", *fields}:
            what = f"the field {name[:60]} is there twice" if isinstance(name, str) else "a field has no name"
            raise FrontMatterError(at(key.start_mark), what, "Write each name once, and a colon after it")
        fields[name] = _node(next(rest), rest, at, depth + 1)
    return fields


def _items(rest: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    for event in rest:
        if isinstance(event, yaml.CollectionEndEvent):
            return
        yield event
