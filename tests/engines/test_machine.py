"""What the machine says of itself: cores that others keep busy, memory within limits, GPUs that llama.cpp sees."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import llama_cpp
import pytest

from llmcompare.engines.machine import (
    UNKNOWN_MEMORY_BYTES,
    LoadMeter,
    available_memory_bytes,
    cgroup_room_bytes,
    gpu_free_bytes,
    machine,
)


@pytest.fixture
def busy_process():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield child.pid
    child.kill()
    child.wait()


def cpu_seconds(process):
    cells = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, cells[11:13])) / os.sysconf("SC_CLK_TCK")


def test_a_busy_process_counts_as_one_core_of_others_unless_it_is_our_own(busy_process):
    others, ours = (LoadMeter([busy_process]) for _ in range(2))
    assert others.knows
    began_s, used_s = time.monotonic(), cpu_seconds(busy_process)
    time.sleep(2.0)
    # Compared with each other and with what the process really got, because the rest of the machine may be busy, too.
    of_others = others.others_busy_cores([])
    of_ours = ours.others_busy_cores([busy_process])
    got_cores = (cpu_seconds(busy_process) - used_s) / (time.monotonic() - began_s)
    assert got_cores > 0.02
    assert of_others - of_ours == pytest.approx(got_cores, abs=0.1 + 0.2 * got_cores)


def write_group(folder, limit, used=0, cached=0):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cached}\nactive_file 7\n")


def test_a_container_leaves_its_limit_less_what_is_used_and_cannot_be_dropped(tmp_path):
    write_group(tmp_path / "app", 1000, used=700, cached=200)
    assert cgroup_room_bytes(tmp_path, "/app") == 500


def test_the_narrowest_limit_from_the_own_group_upwards_counts(tmp_path):
    write_group(tmp_path / "user/app", 1000, used=100)
    write_group(tmp_path / "user", 600, used=400)
    write_group(tmp_path, "max", used=900)
    assert cgroup_room_bytes(tmp_path, "/user/app") == 200
    assert cgroup_room_bytes(tmp_path, "/") == UNKNOWN_MEMORY_BYTES


def test_a_group_above_its_limit_leaves_nothing(tmp_path):
    write_group(tmp_path, 1000, used=1100)
    assert cgroup_room_bytes(tmp_path, "") == 0


def test_without_cgroups_there_is_no_limit_but_the_machine(tmp_path):
    assert cgroup_room_bytes(tmp_path, "/nowhere") == UNKNOWN_MEMORY_BYTES
    assert 0 < available_memory_bytes() < UNKNOWN_MEMORY_BYTES


def test_the_worker_lists_the_devices_as_one_line_of_json(project):
    command = [sys.executable, "-m", "llmcompare.engines.worker", "--devices"]
    said = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True, timeout=30)
    assert said.stdout.count("\n") == 1
    found = json.loads(said.stdout)
    assert set(found) == {"gpu_offload", "devices"}
    assert found["gpu_offload"] is llama_cpp.llama_supports_gpu_offload()
    assert all(set(device) == {"name", "free_bytes", "total_bytes", "shares_memory"} for device in found["devices"])


@pytest.mark.skipif(llama_cpp.llama_supports_gpu_offload(), reason="llama.cpp was built for a GPU here")
def test_a_build_for_the_cpu_has_no_gpu_memory_and_is_asked_once():
    assert gpu_free_bytes() == machine(free_cores=1).gpu_free_bytes == 0
    lasted_s = []
    for _ in range(20):
        began = time.monotonic()
        assert gpu_free_bytes() == 0
        lasted_s.append(time.monotonic() - began)
    # A child would take longer to start, every time.
    assert min(lasted_s) < 0.02
