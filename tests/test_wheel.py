"""What is installed is the package and its data, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from simulate import __version__

ROOT = Path(__file__).resolve().parent.parent


def build(kind: str, folder: Path) -> Path:
    """Build a wheel with the backend itself, which needs no network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    information = f"il1sim-{__version__}.dist-info/"
    strangers = [name for name in contents(wheel) if not name.startswith(("simulate/", information))]
    assert strangers == []


def test_the_wheel_holds_every_module_and_all_data(wheel: Path) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "simulate").rglob("*.py")}
    data = {
        "simulate/_parameters/" + path.relative_to(ROOT / "parameters").as_posix()
        for path in (ROOT / "parameters").rglob("*")
        if path.suffix in (".toml", ".json", ".xml")
    }
    explorer = ROOT / "simulate" / "results" / "explorer"
    pages = {
        path.relative_to(ROOT).as_posix() for path in explorer.rglob("*.*") if path.suffix in (".js", ".css", ".html")
    }
    pages.add("simulate/results/explorer/uplot/LICENSE")
    told = {"simulate/_pages/" + path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.*")}
    told |= {f"simulate/_pages/{name}" for name in ("benchmarks/README.md", "CHANGELOG.md", "CONTRIBUTING.md")}
    assert data
    assert len(pages) == 8
    assert modules | data | pages | told | {"simulate/py.typed"} <= set(contents(wheel))


def test_an_installed_package_finds_its_own_data(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "from simulate import pages, shipped; print(shipped.root(), *shipped.scenario_files(), *pages.pages())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    place, *names = result.stdout.split()
    assert Path(place) == (tmp_path / "simulate" / "_parameters").resolve()
    assert {"anakinra-100mg-daily", "regimens"} <= {*names}


def test_an_editable_install_copies_no_data(tmp_path: Path) -> None:
    names = contents(build("wheel:editable", tmp_path))
    assert [name for name in names if "_parameters" in name or "_pages" in name] == []
