"""The shape of the package: imports go one way, one module speaks to the network, files stay small."""

from __future__ import annotations

import ast
import graphlib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "blog"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def dotted(path: Path) -> str:
    """blog/markup/comment.py is blog.markup.comment, and blog/__init__.py is blog."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path): ast.parse(path.read_text("utf-8")) for path in FILES}


@cache
def imported(name: str) -> frozenset[str]:
    """Every module named by an import, wherever it stands; `from blog import db` names blog.db."""
    found = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            wholes = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {whole if whole in MODULES else node.module for whole in wholes}
    return frozenset(found)


def test_imports_go_one_way():
    graph = {name: imported(name) & MODULES.keys() for name in MODULES}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_nobody_inside_imports_the_application_factory():
    assert [name for name in MODULES if "blog" in imported(name)] == []


def users(*wanted: str) -> set[str]:
    """The modules that import one of these, or something inside it."""
    inside = tuple(f"{name}." for name in wanted)
    return {
        name for name in MODULES if any(used in wanted or used.startswith(inside) for used in imported(name))
    }


def test_one_module_speaks_to_akismet():
    assert users("akismet", "httpx") == {"blog.wire"}
    # The connections below it are in a file of their own, which nobody else uses.
    assert users("httpcore") <= {"blog.lines"}
    assert users("blog.lines") <= {"blog.wire"}


def test_nothing_else_can_reach_out():
    ways = ("socket", "ssl", "urllib.request", "http.client", "smtplib", "asyncio", "requests", "urllib3")
    talk = {"blog.wire", "blog.lines", "blog.deadline", "blog.mail"}
    # These only listen and answer.
    assert users(*ways) <= talk | {"blog.connection", "blog.crowd", "blog.door", "blog.serve"}


PLAIN = ["articles", "frontmatter", "rules", "text", "markup.article", "markup.comment"]


@pytest.mark.parametrize("name", PLAIN)
def test_what_works_on_plain_values_knows_neither_flask_nor_the_database(name):
    used = imported(f"blog.{name}")
    assert not {
        module for module in used if module.startswith(("flask", "sqlalchemy", "blog.db", "blog.wire"))
    }


def test_no_module_is_a_bag():
    bags = {"utils", "util", "helpers", "helper", "services", "managers", "manager", "base", "common", "misc"}
    assert [name for name in MODULES if bags & set(name.split("."))] == []


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_a_file_fits_in_one_sitting(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("name", MODULES)
def test_a_function_fits_on_one_screen(name):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(MODULES[name]) if isinstance(node, kinds)]
    long = [f"{node.name}:{node.lineno}" for node in functions if (node.end_lineno or 0) - node.lineno >= 60]
    assert long == []
