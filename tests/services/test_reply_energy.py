"""Energy of a reply by the processor's counters: read where they are, not made up where they are not."""

import threading

import pytest

from llmcompare.engines import rapl
from llmcompare.engines.base import Sampling
from llmcompare.services import runs
from llmcompare.services.plans import Plan
from llmcompare.services.runs import LiveRun
from llmcompare.store.results import ResultsLog


def package(root, number, energy_uj, *, name="package", range_uj=1_000_000):
    folder = root / f"intel-rapl:{number}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}-{number}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    return folder


def test_packages_are_added_up_and_their_parts_are_not_counted_twice(tmp_path):
    for number, energy in (("0", 100), ("1", 200), ("0:0", 50)):
        package(tmp_path, number, energy, name="core" if ":" in number else "package")
    first = rapl.reading(tmp_path)
    for number, energy in (("0", 1_100_100), ("1", 400_200), ("0:0", 900_000)):
        package(tmp_path, number, energy, name="core" if ":" in number else "package")
    assert rapl.joules(first, rapl.reading(tmp_path)) == pytest.approx(1.5)


def test_a_counter_that_started_again_goes_on(tmp_path):
    package(tmp_path, 0, 900_000)
    first = rapl.reading(tmp_path)
    package(tmp_path, 0, 100_000)
    assert rapl.joules(first, rapl.reading(tmp_path)) == pytest.approx(0.2)


def test_what_cannot_be_read_is_not_measured(tmp_path):
    assert rapl.reading(tmp_path / "nowhere") is None
    (package(tmp_path, 0, 5) / "energy_uj").write_text("no number")
    assert rapl.reading(tmp_path) is None
    assert rapl.joules(None, {"a": rapl.Zone(1, 2)}) is None


@pytest.mark.parametrize(("scheduling", "is_measured"), [("in-turn", True), ("together", False)])
def test_a_reply_that_runs_alone_has_the_energy_of_its_time(tmp_path, scheduling, is_measured):
    package(tmp_path, 0, 5)
    (demo,) = runs.local_models(None)[:1]
    plan = Plan(prompt="Hello", models=(demo,), sampling=Sampling(max_tokens=2), scheduling=scheduling)
    live = LiveRun(plan, powercap=tmp_path)
    (reply,) = live.execute(ResultsLog(tmp_path / "log"), runs.pool(), stopping=threading.Event())
    # The made-up counter stands still: nothing was used, which is not the same as not measured.
    assert reply.energy_j == (0.0 if is_measured else None)
