"""Rules of the house that a program can hold: imports, documentation, clean files, small pages."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import llmcompare

CALCULATIONS = [
    "cost", "curves", "breakeven", "steps", "smooth", "sensitivity", "what_if", "ways", "knobs", "arithmetic",
    "pareto", "options", "rented", "traffic", "stack", "tiers",
    "memory", "offload", "weights", "tensors", "llama_cpp_mix", "bench", "this_machine", "roofline", "calibration",
    "owned", "payback", "reply_price", "reply_speeds", "energy", "serverless", "serverless_curve", "serverless_option",
    "serverless_simulation", "serverless_table", "serverless_field", "tokens",
    "claims", "claims_known", "claims_words", "claims_benchmarks", "claims_models", "claims_languages",
    "licences", "claims_licences", "claims_prices", "claims_costs", "claims_volumes", "claims_speed", "claims_hardware",
    "claims_tuning", "claims_finetuning", "claims_open", "finetune", "fleet", "sweep", "sweep_words",
    "capability", "capability_settings", "capability_scores", "capability_errors", "capability_spread",
    "capability_check", "capability_ranking", "format_quality", "advice", "advice_flips", "freshness",
    "price_series", "moved", "moved_words", "price_checks", "refresh", "refresh_words",
    "licence_matrix", "families", "families_words", "frameworks",
    "apart", "ratings", "first_place", "bootstrap",
]  # fmt: skip
"""Modules of the core of which every public function has its place in the methodology."""
RUNS_ON_IMPORT = {"llmcompare.__main__", "llmcompare.ui.main"}
WORKER = tuple(f"llmcompare.engines.{name}" for name in ("worker", "worker_model", "worker_sampler"))
"""Load llama.cpp as soon as they are imported; only the process of the worker does that."""


def modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages(llmcompare.__path__, "llmcompare.")]
    return [name for name in found if name not in RUNS_ON_IMPORT and name not in WORKER]


def tracked(project: Path) -> list[Path]:
    """Files that git holds, without what is deleted in the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project, capture_output=True, check=True).stdout
    return [path for name in listed.decode().split("\0") if name and (path := project / name).is_file()]


def texts(project: Path) -> dict[str, str]:
    found = {}
    for path in tracked(project):
        content = path.read_bytes()
        if b"\0" not in content:
            found[str(path.relative_to(project))] = content.decode("utf-8")
    return found


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, at the top or inside a function."""
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return named


def test_the_contracts_on_imports_are_kept(project):
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([str(linter), "--no-cache"], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " kept" in ran.stdout
    assert re.search(r"(\d+) kept, 0 broken", ran.stdout).group(1) == "5"


def test_nobody_imports_the_worker(project):
    files = [*project.glob("llmcompare/**/*.py"), *project.glob("pages/**/*.py"), project / "app.py"]
    assert len(files) > 30
    for path in files:
        named = {name for name in imports(path) if "engines.worker" in name}
        if path.name in ("worker.py", "worker_model.py"):
            named = {name for name in named if not name.startswith("llmcompare.engines.worker_")}
        assert not named, path


def test_each_foreign_library_stays_in_its_corner(project):
    corners = {
        "duckdb": "llmcompare/store/",
        "streamlit": "llmcompare/ui/",
        "pandas": ("llmcompare/ui/", "llmcompare/reports/", "llmcompare/services/export.py"),
        "llama_cpp": ("llmcompare/engines/worker", "llmcompare/models/quantise"),
    }
    for path in project.glob("llmcompare/**/*.py"):
        name = path.relative_to(project).as_posix()
        for library, corner in corners.items():
            if any(found.split(".")[0] == library for found in imports(path)):
                assert name.startswith(corner), f"{name} imports {library}"


def test_every_module_of_the_package_imports_by_itself_without_running_anything():
    assert len(modules()) > 25
    for name in modules():
        assert importlib.import_module(name).__name__ == name


def named_in_methodology(project: Path) -> set[str]:
    text = (project / "docs/methodology.md").read_text(encoding="utf-8")
    return set(re.findall(r"`(core\.\w+\.\w+)`", text))


def resolves(reference: str) -> bool:
    module, name = reference.rsplit(".", 1)
    try:
        return hasattr(importlib.import_module(f"llmcompare.{module}"), name)
    except ModuleNotFoundError:
        return False


def public_functions(module: str) -> set[str]:
    found = importlib.import_module(f"llmcompare.core.{module}")
    return {
        f"core.{module}.{name}"
        for name, value in vars(found).items()
        if inspect.isfunction(value) and value.__module__ == found.__name__ and not name.startswith("_")
    }


def test_every_name_in_the_methodology_exists(project):
    references = named_in_methodology(project)
    assert len(references) > 15
    assert {name for name in references if not resolves(name)} == set()


def test_every_calculation_has_its_place_in_the_methodology(project):
    calculations = set().union(*map(public_functions, CALCULATIONS))
    assert len(calculations) > 8
    assert calculations - named_in_methodology(project) == set()


def test_every_section_of_the_methodology_names_its_code_and_its_tests(project):
    text = (project / "docs/methodology.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        heading = section.splitlines()[0]
        assert "Code: `core." in section, heading
        folders = re.findall(r"`(tests/\w+)`", section)
        assert folders, heading
        assert all((project / folder).is_dir() for folder in folders), heading


def test_every_public_name_of_the_core_has_a_docstring():
    for name in modules():
        if not name.startswith("llmcompare.core."):
            continue
        module = importlib.import_module(name)
        for public, value in vars(module).items():
            own = getattr(value, "__module__", None) == name and not public.startswith("_")
            if own and (inspect.isfunction(value) or inspect.isclass(value)):
                doc = value.__doc__ or ""
                # A dataclass without one gets its signature for a docstring.
                assert doc, f"{name}.{public}"
                assert not doc.startswith(f"{public}("), f"{name}.{public}"


# Put together here, so that this file does not hold them.
REGISTRIES = ["pypi" + ".org", "files.python" + "hosted.org", "registry.npm" + "js.org", "deb.deb" + "ian.org"]
MACHINE_PATHS = re.compile(r"(?<![\w./-])/" + r"(?:work|root|tmp)(?=/)")


def test_no_file_names_the_host_of_a_package_registry(project):
    for name, text in texts(project).items():
        assert [host for host in REGISTRIES if host in text] == [], name


def test_no_file_holds_a_path_of_one_machine(project):
    for name, text in texts(project).items():
        assert [text[found.start() : found.start() + 60] for found in MACHINE_PATHS.finditer(text)] == [], name


@pytest.mark.parametrize("name", modules())
def test_every_example_in_a_docstring_is_true(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_examples_in_docstrings():
    finder = doctest.DocTestFinder(exclude_empty=True)
    examples = [example for name in modules() for example in finder.find(importlib.import_module(name))]
    assert sum(len(example.examples) for example in examples) > 15


def pages(project: Path) -> list[Path]:
    return sorted(project.glob("pages/*/*.py"))


def test_pages_are_short_and_hold_no_class_and_no_sql(project):
    assert len(pages(project)) >= 4
    for page in pages(project):
        text = page.read_text(encoding="utf-8")
        tree = ast.parse(text)
        assert len(text.splitlines()) <= 120, page
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)], page
        strings = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not [text for text in strings if re.search(r"\b(SELECT|INSERT|FROM \w+ WHERE)\b", text)], page
        assert not {name.split(".")[0] for name in imports(page)} & {"duckdb", "plotly", "numpy", "sqlite3"}, page


def test_files_of_the_package_can_be_read_in_one_sitting(project):
    for path in project.glob("llmcompare/**/*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_every_folder_of_tests_is_found_by_pytest(project):
    names = [path.name for path in project.glob("tests/*/test_*.py")]
    assert len(names) == len(set(names)), "two test files of one name hide each other"
