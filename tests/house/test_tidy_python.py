"""House rules about Python that need its syntax tree, each proved on a planted violation."""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

FUNCTION_LINES_MAX = 60


class Module(NamedTuple):
    """A Python file: its path from the project's root, and all nodes of its syntax, once."""

    path: str
    nodes: list[ast.AST]


def parsed(path: str, text: str) -> Module:
    """A file of this text; its module is the first node."""
    return Module(path, list(ast.walk(ast.parse(text))))


Functions = ast.FunctionDef | ast.AsyncFunctionDef
# Documented in spite of their names.
PUBLIC = {"_exit", "_asdict", "_fields", "_make", "_replace"}


def functions(module: Module) -> list[Functions]:
    """All of them, nested ones too."""
    return [node for node in module.nodes if isinstance(node, Functions)]


def undocumented(module: Module) -> Iterator[str]:
    """A module of the service that does not say what it owns."""
    tree = module.nodes[0]
    assert isinstance(tree, ast.Module)
    if module.path.startswith("service/") and not ast.get_docstring(tree):
        yield "its first line must say what it owns"


def long_functions(module: Module) -> Iterator[str]:
    """Functions that do not fit on a screen."""
    for function in functions(module):
        lines = (function.end_lineno or 0) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield f"{function.name} has {lines} lines, {FUNCTION_LINES_MAX} at most"


def is_private(name: str) -> bool:
    """Whether a library keeps the name for itself."""
    return name.startswith("_") and not name.endswith("__") and name not in PUBLIC


def borrowings(module: Module) -> Iterator[tuple[ast.alias, str]]:
    """Each imported name of a library, with its whole dotted name."""
    for node in module.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            of = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if (of + alias.name).split(".")[0] != "falgate":
                    yield alias, of + alias.name


def owner(attribute: ast.Attribute) -> str:
    """The name that a chain of attributes starts from."""
    node: ast.expr = attribute
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def private_names(module: Module) -> Iterator[str]:
    """Names that a library keeps for itself, imported or reached for."""
    borrowed = set()
    for alias, whole in borrowings(module):
        borrowed.add(alias.asname or alias.name.split(".")[0])
        if any(is_private(part) for part in whole.split(".")):
            yield f"line {alias.lineno}: {whole} is private to its library"
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and is_private(node.attr) and owner(node) in borrowed:
            yield f"line {node.lineno}: {ast.unparse(node)} is private to its library"


def asserting(tree: ast.AST, others: set[str]) -> bool:
    """Whether it asserts, itself or by calling one of the others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in {"raises", "warns", "fail"} | others or name.startswith("assert_"):
                return True
    return False


def unasserting(module: Module) -> Iterator[str]:
    """Tests that cannot fail but by breaking down."""
    if not module.path.startswith("tests/"):
        return
    checks: set[str] = set()
    found = functions(module)
    # Twice, for a check that calls a check.
    for _ in range(2):
        checks |= {
            each.name for each in found if each.name not in checks and asserting(each, checks)
        }
    for function in found:
        if function.name.startswith("test_") and function.name not in checks:
            yield f"{function.name} asserts nothing"


CALLS = {"get", "post", "put", "patch", "delete", "head", "request", "Client", "AsyncClient"}


def impatient(module: Module) -> Iterator[str]:
    """Calls of httpx with its own patience, 5 seconds, which a busy machine uses up."""
    for node in module.nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        named = {keyword.arg for keyword in node.keywords}
        of_httpx = owner(node.func) == "httpx" and node.func.attr in CALLS
        if of_httpx and not named & {"timeout", "transport", None}:
            yield f"line {node.lineno}: {ast.unparse(node.func)} needs a timeout"


RULES: dict[str, tuple[Callable[[Module], Iterator[str]], str, str]] = {
    "docstring": (undocumented, "service/falgate/x.py", "x = 1\n"),
    "short_functions": (long_functions, "tests/x.py", "def f():\n" + "    pass\n" * 60),
    "private_module": (private_names, "service/falgate/x.py", "from redis._parsers import Base"),
    "private_import": (private_names, "service/falgate/x.py", "from redis import _compat"),
    "private_attribute": (private_names, "tests/x.py", "import redis\nredis.asyncio._x()"),
    "patience": (impatient, "tests/x.py", "import httpx\nhttpx.get('http://x')\n"),
    "assertion": (unasserting, "tests/x.py", "async def test_x():\n    await go()\n"),
}
KEPT = '''"""Owns x."""
import os
from falgate.redis import _keys
def check(x):
    assert x
def test_x():
    check(_keys._one)
    os._exit(0)
'''


def test_the_project_keeps_every_rule(files: dict[str, str]) -> None:
    """In one test, so that each file is parsed once."""
    modules = [parsed(path, text) for path, text in files.items() if path[-3:] == ".py"]
    rules = {rule: name for name, (rule, _, _) in RULES.items()}

    assert len(modules) > 1
    assert [
        f"{module.path}: {name}: {complaint}"
        for module in modules
        for rule, name in rules.items()
        for complaint in rule(module)
    ] == []


@pytest.mark.parametrize("name", RULES)
def test_a_rule_sees_its_planted_violation(name: str) -> None:
    rule, path, planted = RULES[name]

    assert len(list(rule(parsed(path, planted)))) == 1
    assert list(rule(parsed(path, KEPT))) == []
