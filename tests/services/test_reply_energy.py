"""Energy of a reply by the processor's counters: read where they are, not made up where they are not."""

import threading

import pytest

from llmcompare.engines import rapl
from llmcompare.engines.base import Done, Measured, Sampling, Started
from llmcompare.engines.meters import Meters, Reading, used
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
    live = LiveRun(plan, meters=Meters(powercap=tmp_path, nvml=None))
    (reply,) = live.execute(ResultsLog(tmp_path / "log"), runs.pool(), stopping=threading.Event())
    # The made-up counter stands still: nothing was used, which is not the same as not measured.
    assert reply.energy_j == (0.0 if is_measured else None)


class Driver:
    """What nvidia-ml-py is to a machine with two cards, of which each reading takes 1.5 J and 0.25 J more."""

    class NVMLError(Exception):
        pass

    def __init__(self, *, broken=None):
        self.readings, self.started, self.broken = [0, 0], 0, broken

    def _may_fail(self, name):
        if name == self.broken:
            raise self.NVMLError(name)

    def nvmlInit(self):  # noqa: N802 the driver's name
        self.started += 1
        self._may_fail("nvmlInit")

    def nvmlDeviceGetCount(self):  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):  # noqa: N802
        self._may_fail("nvmlDeviceGetTotalEnergyConsumption")
        self.readings[handle] += 1
        return 10_000 + self.readings[handle] * (1500, 250)[handle]


def test_all_gpus_are_added_up_and_the_driver_is_started_once(tmp_path):
    driver = Driver()
    meters = Meters(powercap=tmp_path, nvml=driver)
    assert used(meters.reading(), meters.reading()) == (None, 1.75)
    assert driver.started == 1


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetTotalEnergyConsumption"])
def test_a_driver_or_a_card_that_does_not_count_is_not_measured(tmp_path, broken):
    meters = Meters(powercap=tmp_path, nvml=Driver(broken=broken))
    assert meters.reading() == Reading(None, None)


def test_a_driver_that_was_loaded_anew_meanwhile_is_not_measured():
    assert used(Reading(None, (9_000,)), Reading(None, (100,))).gpus_j is None


@pytest.mark.parametrize(("gpu_layers", "joules"), [(0, None), (12, 1.75)])
def test_the_gpus_count_for_replies_with_layers_on_them(tmp_path, gpu_layers, joules):
    package(tmp_path, 0, 5)
    (demo,) = runs.local_models(None)[:1]
    plan = Plan(prompt="Hello", models=(demo,), scheduling="in-turn")
    live = LiveRun(plan, meters=Meters(powercap=tmp_path, nvml=Driver()))

    class OnGpu:
        """A pool whose one model says where its layers lie."""

        def engine(self, *_, **__):
            return self

        def stream(self, _):
            yield Started(prompt_text="Hello", prompt_tokens=1, reused_tokens=0, time_s=1.0)
            unknown = dict.fromkeys(Measured.__dataclass_fields__) | {"engine": "e", "gpu_layers": gpu_layers}
            yield Done(reason="end", measured=Measured(**unknown), time_s=2.0)

        def close(self):
            pass

    (reply,) = live.execute(ResultsLog(tmp_path / "log"), OnGpu(), stopping=threading.Event())
    assert (reply.energy_j, reply.gpu_energy_j) == (0.0, joules)
