"""The walks of somebody who looks for a machine: where a model fits, how sure speeds are, what this one does."""

import re
import time

import pytest
from browsing import Tab, serving
from playwright.sync_api import Locator, expect

from llmcompare.core.memory import Use
from llmcompare.services import accuracy, calibration, fit, hardware

MODEL = "llama-3.3-70b-instruct"
DEMO = "SmolLM2-135M-Instruct.Q4_1.gguf"
GRID = """() => {
  const drawn = [...document.querySelectorAll('.st-key-fit_grid .js-plotly-plot')].at(-1);
  if (!drawn || !drawn.data) return {};
  const found = {};
  for (const heat of drawn.data.filter(one => one.type === 'heatmap'))
    heat.y.forEach((gpu, row) => heat.x.forEach((name, column) => {
      if (heat.text[row][column]) found[`${gpu}, ${name}`] = Number(heat.text[row][column]);
    }));
  return found;
}"""
"""The number in each cell that has one."""
POINT = """() => {
  const drawn = [...document.querySelectorAll('.st-key-predicted_against_measured .js-plotly-plot')].at(-1);
  const trace = drawn.data.find(one => one.mode === 'markers');
  const at = trace.x.indexOf(Math.max(...trace.x));
  const {xaxis, yaxis} = drawn._fullLayout, box = drawn.getBoundingClientRect();
  return {
    x: box.left + xaxis._offset + xaxis.l2p(Math.log10(trace.x[at])),
    y: box.top + yaxis._offset + yaxis.l2p(Math.log10(trace.y[at])),
    record: trace.customdata[at][1],
  };
}"""
"""Where the fastest measurement is on the screen, and which one it is."""


@pytest.fixture(scope="module")
def server(tmp_path_factory, real_folders):
    """A server whose measurements are this file's own."""
    with serving(tmp_path_factory.mktemp("hardware") / "var", real_folders.data) as started:
        yield started


def said(tab: Tab) -> str:
    """All words of the page, one space wherever it breaks its lines."""
    return " ".join(tab.page.get_by_test_id("stMain").last.inner_text().split())


def until(tab: Tab, true, limit_s: float = 20) -> float:
    """Seconds until something is so."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < limit_s, f"did not happen:\n{said(tab)}"
        tab.page.wait_for_timeout(50)
    return time.monotonic() - began


def view(tab: Tab, name: str) -> None:
    """Choose one of the four questions."""
    tab.page.locator(".st-key-view").get_by_role("radio", name=name).last.click()
    tab.rerun_settled()


def choose(tab: Tab, label: str, value: str) -> None:
    """Type into a select box of the page and take what it finds."""
    box = field(tab, label)
    box.click()
    box.fill(value)
    tab.page.keyboard.press("Enter")
    tab.rerun_settled()


def field(tab: Tab, label: str) -> Locator:
    return tab.page.get_by_test_id("stMain").locator(f'input[aria-label*="{label}"]').last


def computed(facts, context_tokens: int) -> tuple[dict[str, int], str]:
    """The grid and the answer as the services have them."""
    model, use = fit.subject(facts, MODEL), Use(context_tokens=context_tokens)
    gpus = hardware.priced_gpus(facts, "on-demand")
    places = hardware.places(facts, model, use, gpus=gpus, billing="on-demand")
    grid = {
        f"{hardware.short_name(one.gpu)}, {one.format_name.removeprefix('gguf-')}": one.gpu_count
        for one in places
        if one.gpu_count
    }
    return grid, hardware.answer(model, use, hardware.served(facts, model, use, places, output_tokens=300))


def test_walk_1_the_context_is_slid_and_the_grid_follows_and_is_turned_round(server, new_browser, facts):
    tab = new_browser().open(server.address("hardware"))
    grid, answer = computed(facts, 8_192)
    until(tab, lambda: tab.page.evaluate(GRID) == grid)
    assert answer in said(tab)

    tab.page.get_by_role("slider", name="Context, tokens").last.focus()
    for _ in range(4):
        tab.page.keyboard.press("ArrowRight")
    grid, answer = computed(facts, 131_072)
    until(tab, lambda: tab.page.evaluate(GRID) == grid)
    until(tab, lambda: answer in said(tab))
    tab.settled()
    assert "context=131072" in tab.page.url

    view(tab, "What runs on it")
    until(tab, lambda: "NVIDIA GeForce RTX 4090 24GB holds " in said(tab))
    expect(tab.page.locator(".st-key-what_runs_speeds .js-plotly-plot").last).to_be_visible()
    choose(tab, "Machine", "this machine")
    until(tab, lambda: "This machine holds " in said(tab))
    assert tab.tracebacks == []
    assert tab.errors == ""
    assert tab.complaints == []


def test_walk_2_a_point_of_the_scatter_leads_to_its_measurement_and_source(server, new_browser, facts):
    tab = new_browser().open(server.address("hardware"))
    view(tab, "Predicted against measured")
    choose(tab, "Figure", "decode")
    choose(tab, "Engine", "mlx")
    shown = [
        one for one in calibration.scatter_rows(facts) if (one.quantity, one.engine) == (calibration.DECODE, "mlx")
    ]
    until(tab, lambda: accuracy.accuracy_sentence(shown) in said(tab))
    point = tab.page.evaluate(POINT)
    (measured,) = [one for one in shown if one.record_id == point["record"]]
    assert measured.record_id not in said(tab)
    tab.page.mouse.move(point["x"], point["y"])
    tab.page.mouse.click(point["x"], point["y"])
    until(tab, lambda: f"{measured.record_id}: {measured.model_id} as {measured.weight_format}" in said(tab))
    link = tab.page.get_by_test_id("stMain").get_by_role("link", name="Source", exact=True).last
    assert re.match(r"https://\S+$", link.get_attribute("href"))
    assert tab.tracebacks == []
    assert tab.complaints == []


def test_walk_3_this_machine_is_measured_and_then_predicts_what_was_not_run(server, new_browser):
    tab = new_browser().open(server.address("hardware", view="This machine"))
    assert "Nothing was measured here yet" in said(tab)
    expect(field(tab, "Measure with")).to_have_value(DEMO)
    tab.page.get_by_role("button", name="Measure", exact=True).last.click()
    until(tab, lambda: "Being measured" in said(tab))
    # Whoever leaves and comes back finds it running.
    tab.page.reload()
    until(tab, lambda: "Being measured" in said(tab) or "is calibrated" in said(tab))
    until(tab, lambda: "This machine is calibrated: on " in said(tab), limit_s=120)
    tab.settled()
    assert re.search(r"pp512 [\d,.]+ ± [\d.]+ tok/s, tg128 [\d,.]+ ± [\d.]+ tok/s on \d", said(tab))
    assert re.search(r"reads [\d.]+ GB/s while it writes tokens and computes [\d,]+ GFLOP/s", said(tab))

    view(tab, "What runs on it")
    choose(tab, "Machine", "this machine")
    until(tab, lambda: "This machine holds " in said(tab))
    assert "No speed is predicted" not in said(tab)
    expect(tab.page.locator(".st-key-what_runs_speeds .js-plotly-plot").last).to_be_visible()
    assert tab.tracebacks == []
    assert tab.errors == ""
    assert tab.complaints == []
