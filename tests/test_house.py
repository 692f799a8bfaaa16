"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "simulate"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

MAY_IMPORT = {
    "base": set[str](),
    "symbolic": {"base"},
    "solver": {"base"},
    "exchange": {"base", "symbolic", "solver"},
    "kernels": {"base", "symbolic", "solver"},
    "biology": {"base", "symbolic", "solver", "kernels"},
    "regimen": {"base", "symbolic", "solver", "kernels"},
    "cohort": {"base", "symbolic", "solver", "kernels", "regimen"},
    "evidence": {"base", "symbolic", "solver", "kernels", "biology", "regimen", "cohort"},
    "trials": {"base", "symbolic", "solver", "kernels", "biology", "regimen", "cohort", "evidence"},
    "inference": {"base"},
}
MAY_IMPORT["studies"] = set(MAY_IMPORT)
MAY_IMPORT["figures"] = set(MAY_IMPORT)
MAY_IMPORT["results"] = set(MAY_IMPORT)
MAY_IMPORT["api"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT)
"""A layer may import itself and these; `base` is every module directly in the package."""

TOP = {"simulate", "simulate.__main__"}
"""The front doors may import anything."""

HEAVY = ("numpy", "scipy", "sympy", "numba", "matplotlib", "xarray", "pint", "pandas")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(path)))


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Keep no tree of any file for other tests."""
    yield
    tree.cache_clear()
    nodes.cache_clear()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else "base"


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_imports_point_down() -> None:
    upward = []
    for path in SOURCES:
        module = module_of(path)
        if module in TOP:
            continue
        layer = layer_of(module)
        for node in nodes(path):
            for name in imported(node):
                if name.split(".")[0] == "simulate" and layer_of(name) not in MAY_IMPORT[layer] | {layer}:
                    upward.append(f"{place(path, node)} imports {name}")
    assert upward == []


def test_no_modules_import_each_other() -> None:
    modules = {module_of(path): path for path in SOURCES}
    graph = {
        module: {
            name
            for node in nodes(path)
            for base in imported(node)
            for name in (base, *(f"{base}.{alias.name}" for alias in getattr(node, "names", ())))
            if name in modules and name not in TOP and name != module
        }
        for module, path in modules.items()
    }
    # The face of a package hands on what its modules have, and they import one another past it.
    faces = {module for module, path in modules.items() if path.name == "__init__.py"}
    order = TopologicalSorter({module: names - faces for module, names in graph.items() if module not in faces})
    circle: list[str] = []
    try:
        order.prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
    assert circle == []


def test_no_import_is_relative() -> None:
    assert [
        place(path, node) for path in SOURCES for node in nodes(path) if isinstance(node, ast.ImportFrom) and node.level
    ] == []


@pytest.mark.parametrize(
    ("layer", "strangers"),
    [
        ("symbolic", {"numpy", "scipy", "numba", "xarray", "rich", "matplotlib", "typer"}),
        ("solver", {"sympy", "pint", "xarray", "rich", "matplotlib", "typer"}),
        ("kernels", {"pint", "xarray", "rich", "matplotlib", "typer"}),
        ("biology", {"numpy", "scipy", "numba", "pint", "xarray", "rich", "matplotlib", "typer"}),
        ("regimen", {"pint", "scipy", "numba", "xarray", "rich", "matplotlib", "typer"}),
        ("cohort", {"pint", "numba", "xarray", "rich", "matplotlib", "typer"}),
        ("evidence", {"pint", "numba", "xarray", "rich", "matplotlib", "typer"}),
        ("trials", {"pint", "numba", "xarray", "rich", "matplotlib", "typer"}),
        ("studies", {"pint", "matplotlib", "rich", "typer"}),
        ("figures", {"pint", "rich", "typer"}),
        ("results", {"pint", "typer"}),
        ("api", {"pint", "matplotlib", "rich", "typer"}),
    ],
)
def test_a_layer_does_not_know_what_is_not_its_business(layer: str, strangers: set[str]) -> None:
    found = [
        f"{place(path, node)} imports {name}"
        for path in SOURCES
        if layer_of(module_of(path)) == layer
        for node in nodes(path)
        for name in imported(node)
        if name.split(".")[0] in strangers and path.name != "unitnames.py"
    ]
    assert found == []


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(result.stdout.split())


@pytest.mark.parametrize("statement", ["import simulate", "import simulate.cli.app"])
def test_starting_loads_nothing_heavy(statement: str) -> None:
    assert modules_after(statement) & set(HEAVY) == set()


def test_a_shipped_scenario_is_prepared_without_other_formats_and_options_that_it_has_not() -> None:
    statement = "from simulate.studies.runs import prepare\nfrom simulate.studies.scenario import read_scenario\n"
    loaded = modules_after(f"{statement}study = prepare(read_scenario('anakinra-100mg-daily'))\nassert study.draws")
    assert "simulate.studies.fitting.draws" in loaded
    assert loaded & {"simulate.biology.options", "simulate.exchange.sbml", "simulate.exchange.antimony"} == set()


def test_every_public_name_can_be_had() -> None:
    import simulate

    missing = [name for name in simulate.__all__ if not hasattr(simulate, name)]
    assert missing == []
    assert set(simulate.__all__) <= set(dir(simulate))


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import simulate

    with pytest.raises(AttributeError, match="module 'simulate' has no attribute 'nonsense'"):
        _ = simulate.nonsense


def public_classes() -> dict[str, list[str]]:
    """Modules of each public class, by its name."""
    found: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(module_of(path))
    return found


MAY_SHARE_A_NAME = {
    "Correlation": "keys of fits hash it as it is printed, both of patients and of evidence",
    "Direction": "keys of fits hash the one of evidence as it is printed, and the other is public",
}
"""Names of classes in two modules, and why."""


def test_no_public_class_has_the_name_of_another() -> None:
    twice = {name: modules for name, modules in public_classes().items() if len(modules) > 1}
    assert twice.keys() == MAY_SHARE_A_NAME.keys(), twice


def test_every_public_symbol_says_what_it_is() -> None:
    silent = []
    for path in SOURCES:
        if not ast.get_docstring(tree(path)):
            silent.append(str(path.relative_to(ROOT)))
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                if not ast.get_docstring(node) and not is_overload(node):
                    silent.append(f"{place(path, node)} {node.name}")
    assert silent == []


def is_overload(node: ast.ClassDef | ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)


MAY_READ_OBJECTS = {"simulate.recall": "it reads what it wrote itself, beside the compiled code, with the same guards"}
"""Modules that read objects of Python as such, and why."""


def test_text_is_never_executed() -> None:
    found = []
    for path in SOURCES:
        for node in nodes(path):
            if isinstance(node, ast.Call) and _may_execute(node, module_of(path)):
                found.append(f"{place(path, node)} calls {ast.unparse(node.func)}")
            for module in imported(node):
                if module.split(".")[0] in ("pickle", "shelve", "marshal", "dill", "joblib"):
                    if module_of(path) in MAY_READ_OBJECTS:
                        continue
                    found.append(f"{place(path, node)} imports {module}")
    assert found == []


def test_yaml_is_read_in_one_place_and_nothing_is_constructed_from_it() -> None:
    harmless = {"parse", "compose", "SafeLoader", "YAMLError"}
    found = []
    for path in SOURCES:
        for node in nodes(path):
            if any(module.split(".")[0] == "yaml" for module in imported(node)):
                if isinstance(node, ast.ImportFrom) or module_of(path) != "simulate.exchange.petab.yamltext":
                    found.append(f"{place(path, node)} imports yaml")
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml":
                if node.attr not in harmless:
                    found.append(f"{place(path, node)} uses yaml.{node.attr}")
    assert found == []


def _may_execute(call: ast.Call, module: str) -> bool:
    """Whether a call could run text as code."""
    if isinstance(call.func, ast.Name) and call.func.id in ("eval", "exec", "compile", "__import__"):
        # The kernels compile source that they wrote themselves, in which no text of a user occurs.
        return layer_of(module) != "kernels"
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name == "sympify":
        # A strict `sympify` refuses text; the other kind evaluates it.
        strict = [keyword.value for keyword in call.keywords if keyword.arg == "strict"]
        return not (strict and isinstance(strict[0], ast.Constant) and strict[0].value is True)
    if name == "lambdify":
        # Its arguments are expressions that were composed from checked names.
        return module not in {"simulate.kernels.reference", "simulate.kernels.vectorfield"}
    return name == "parse_expr"


def numbers(node: ast.AST) -> Iterator[ast.Constant]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, int | float | complex):
            yield inner


def test_biology_has_no_bare_number_but_0_1_and_2() -> None:
    found = [
        f"{place(path, constant)} has {constant.value!r}"
        for path in SOURCES
        if layer_of(module_of(path)) == "biology"
        for constant in numbers(tree(path))
        if constant.value not in (0, 1, 2)
    ]
    assert found == []


MAY_NAME_READINGS = {
    "simulate/figures/changes.py": "the changes that the figure of a run begins with",
    "simulate/studies/paired.py": "endpoints of the reference model, and what its response follows from",
    "simulate/studies/side_by_side.py": "the two changes of which runs of several hypotheses are asked for both",
    "simulate/studies/intervals.py": "days at which dosing intervals of a run are summed up",
    "simulate/figures/panels.py": "the order in which a figure shows what a model has",
    "simulate/results/illustrations.py": "the order in which a report shows what a model has",
    "simulate/studies/visits.py": "days at which a run is summed up",
    "simulate/studies/dose_response/responses.py": "what is asked of doses where nothing is named",
    "simulate/studies/fitting/priors.py": "readings whose noise is free, and is that of regression to the mean",
}
"""Modules that name what the trial of the abstract reads, or its days, for a reason of their own."""


def test_no_module_but_the_file_of_the_trial_knows_its_days_doses_and_readings() -> None:
    from simulate.trials.reading import shipped_trial

    trial = shipped_trial()
    # Day 0 is the first day of any trial.
    days = {day for visit in trial.visits for day in (visit.day, visit.last_dose) if day}
    assert days
    words = {*trial.quantities, *(arm.regimen for arm in trial.arms)}
    words |= {trial.response.event} if trial.response is not None else set()
    found = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if layer_of(module_of(path)) != "biology"
        for node in nodes(path)
        if isinstance(node, ast.Constant) and not isinstance(node.value, bool)
        if (node.value in words if isinstance(node.value, str) else node.value in days)
    }
    assert found <= set(MAY_NAME_READINGS)


def collected() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """Every test function, with its file."""
    for path in TESTS:
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                yield path, node


def asserts_something(function: ast.FunctionDef) -> bool:
    """An assertion, `pytest.raises` or `warns`, or a call of a helper `check_...` or `assert_...`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("raises", "warns") or name.startswith(("check_", "assert_")):
                return True
    return False


def test_every_test_asserts_something() -> None:
    assert [f"{place(path, node)} {node.name}" for path, node in collected() if not asserts_something(node)] == []


def test_no_assertion_is_about_a_constant() -> None:
    found = [
        place(path, node)
        for path in TESTS
        for node in nodes(path)
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant)
    ]
    assert found == []


def test_names_of_tests_are_claims() -> None:
    short = [f"{place(path, node)} {node.name}" for path, node in collected() if len(node.name.split("_")) < 4]
    assert short == []


def test_each_test_module_names_a_function_once() -> None:
    twice = []
    for path in TESTS:
        names = [node.name for node in tree(path).body if isinstance(node, ast.FunctionDef)]
        twice += [f"{path.relative_to(ROOT)} {name}" for name in sorted(set(names)) if names.count(name) > 1]
    assert twice == []


def test_no_path_of_a_machine_is_in_the_repository() -> None:
    pattern = re.compile(r"/(?:home|Users|root|work|tmp)/\w")
    texts = [*SOURCES, *sorted((ROOT / "parameters").rglob("*.toml")), ROOT / "pyproject.toml"]
    found = [str(path.relative_to(ROOT)) for path in texts if pattern.search(path.read_text(encoding="utf-8"))]
    assert found == []
