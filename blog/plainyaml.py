"""YAML as people type it: text, lists and fields, and nothing else.

Every scalar stays the text that stands there, so that `NO`, `010` and `12:30:00` are neither false nor 8 nor
45000; no tag and no alias is followed, and no name may come twice.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from blog.content import FrontMatterError, Value

MAX_DEPTH = 8

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# The parser in C is six times as fast, which a folder of a thousand articles feels at every start.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(source: str, line: int) -> Value:
    """YAML of one document that begins on a line of a file; FrontMatterError for all that is not plain."""
    # Taken one by one, events stop at nesting that is too deep. The tree of libyaml would end the process.
    nodes: Iterator[yaml.Event] = filter(_is_node, yaml.parse(source, Loader=_LOADER))
    try:
        first = next(nodes, None)
        value = {} if first is None else _node(first, nodes, line, 0)
        if (more := next(nodes, None)) is not None:
            raise FrontMatterError(_line(more, line), "a second document begins", "Leave one block of fields")
    except FrontMatterError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"this is not YAML ({error.problem or error.context})"
        fix = 'Put a value with a colon, a bracket or a quote in it into quotes: title: "On giving: part one"'
        raise FrontMatterError(line + (mark.line if mark else 0), what, fix) from error
    except (yaml.YAMLError, ValueError) as error:
        raise FrontMatterError(line, "this is not YAML", "Look for odd characters") from error
    return value


def _is_node(event: yaml.Event) -> bool:
    return isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent)


def _line(event: yaml.Event, line: int) -> int:
    return line + (event.start_mark.line if event.start_mark else 0)


def _node(event: yaml.Event, rest: Iterator[yaml.Event], line: int, depth: int) -> Value:
    """A YAML value as text, lists and dicts."""
    here = _line(event, line)
    if isinstance(event, yaml.AliasEvent):
        raise FrontMatterError(here, "a value refers to another one", "Write the value out, without * and &")
    if getattr(event, "tag", None) not in (None, "!", "tag:yaml.org,2002:str"):
        raise FrontMatterError(here, "tags with an exclamation mark are not read", "Write the value alone")
    if isinstance(event, yaml.ScalarEvent):
        return None if event.implicit[0] and event.value in _NULLS else str(event.value)
    if depth > MAX_DEPTH:
        raise FrontMatterError(
            here, "lists lie too deep in each other", "Write each value on a line of its own"
        )
    if isinstance(event, yaml.SequenceStartEvent):
        return [_node(item, rest, line, depth + 1) for item in _items(rest)]
    fields: dict[str, Value] = {}
    for key in _items(rest):
        name = _node(key, rest, line, depth + 1)
        if not isinstance(name, str) or name in {"<<", *fields}:
            what = f"the field {name[:60]} is there twice" if isinstance(name, str) else "a field has no name"
            raise FrontMatterError(_line(key, line), what, "Write each name once, and a colon after it")
        fields[name] = _node(next(rest), rest, line, depth + 1)
    return fields


def _items(rest: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    for event in rest:
        if isinstance(event, yaml.CollectionEndEvent):
            return
        yield event
