"""The table of docs/threat-model.md: every property is in it, and everything that it names is there."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from operator import attrgetter

import pytest

from tests.serving import ROOT

ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "threat-model.md").read_text("utf-8"))


@cache
def kept_in(name: str) -> frozenset[str]:
    """The names of the tests in this file."""
    tree = ast.parse((ROOT / "tests" / name).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def named(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def place(name: str) -> object:
    """What a dotted name inside the package stands for: a module, and perhaps something in it."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(["blog", *parts[:end]]))
        except ModuleNotFoundError:
            continue
        return attrgetter(".".join(parts[end:]))(module) if end < len(parts) else module
    raise ModuleNotFoundError(name)


def test_every_property_has_its_row() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 33))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_what_a_row_names_exists(row: tuple[str, str, str, str]) -> None:
    _, _, where, which = row
    assert [place(name) for name in named(where)]
    assert named(which)
    for test in named(which):
        file, _, name = test.partition("::")
        assert name in kept_in(file), test
