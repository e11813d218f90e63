"""The money pages in a real Chromium: a request log used everywhere, where two options cross, what tuning takes."""

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from browsing import Tab
from playwright.sync_api import expect

from llmcompare.core.scenario import Scenario
from llmcompare.services import costs

WEEKS, BUSY_HOURS = 4, range(9, 17)
PER_WEEK = 5 * len(BUSY_HOURS) * 60 + (168 - 5 * len(BUSY_HOURS))
"""A request a minute in office hours, one an hour at all other times."""
HEAT = """key => {
  const drawn = document.querySelector(`.st-key-${key} .js-plotly-plot`);
  return Array.from(drawn.calcdata.find(one => one[0].trace.type === 'heatmap')[0].z, row => Array.from(row));
}"""
BARS = """() => document.querySelector('.st-key-tornado .js-plotly-plot').data.filter(one => one.type === 'bar')
  .map(bar => ({name: bar.name, base: bar.base, labels: [...bar.y], lengths: [...bar.x]}))"""
NUMBER = r"[\d.,]+[KMB]?"


def write_log(path: Path) -> Path:
    """Nine of ten requests have 800 input tokens and the tenth 2,800, so the mean is 1,000; all have 300 out."""
    start, lines = datetime(2026, 9, 7, tzinfo=UTC), ["time,input_tokens,output_tokens"]
    for hour in range(WEEKS * 168):
        begun = start + timedelta(hours=hour)
        for minute in range(60 if begun.weekday() < 5 and begun.hour in BUSY_HOURS else 1):
            tokens = 2_800 if len(lines) % 10 == 0 else 800
            lines.append(f"{(begun + timedelta(minutes=minute)).isoformat()},{tokens},300")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def words(tab: Tab) -> str:
    """Of the page, one space wherever it breaks its lines."""
    return " ".join(tab.page.get_by_test_id("stMain").inner_text().split())


def amount(text: str) -> float:
    """A figure as a sentence has it: 5.61M, $1,234."""
    scale = {"K": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1.0)
    return float(text.strip("$KMB").replace(",", "")) * scale


def unfolded(tab: Tab, label: str, key: str) -> None:
    """Choose one of the parts behind the figures; what it holds has this key."""
    tab.page.get_by_role("radio", name=label, exact=True).click()
    tab.rerun_settled()
    expect(tab.page.locator(f".st-key-{key}")).to_be_visible()


def rows(tab: Tab, key: str, folder: Path) -> pd.DataFrame:
    """What the download button gives."""
    tab.download(f"{key}_csv").save_as(folder / f"{key}.csv")
    return pd.read_csv(folder / f"{key}.csv")


def test_a_request_log_becomes_the_workload_of_every_page_and_open_models_are_held_against_its_bill(
    shared_server, new_browser, facts, tmp_path
):
    tab = new_browser().open(shared_server.address("workload"))
    tab.page.locator('[data-testid="stFileUploaderDropzoneInput"]').set_input_files(write_log(tmp_path / "log.csv"))
    expect(tab.page.get_by_role("button", name="Use these figures")).to_be_visible(timeout=60_000)
    tab.settled()

    text = words(tab)
    assert f"The log holds {WEEKS * PER_WEEK:,} requests" in text
    assert "Input tokens of a request: mean 1,000, half at most 800, 90% at most 800, 99% at most 2,800." in text
    assert "Output tokens of a request: mean 300, half at most 300" in text
    sunday, saturday, *_, monday = tab.page.evaluate(HEAT, "log_week")
    assert monday[9] == pytest.approx(60 / (PER_WEEK / 168), rel=0.01)
    assert [saturday[9], sunday[12], monday[3]] == pytest.approx([1 / (PER_WEEK / 168)] * 3, rel=0.01)

    tab.page.get_by_role("button", name="Use these figures").click()
    tab.rerun_settled()
    asked = int(tab.input("Requests per month").input_value())
    assert asked == pytest.approx(PER_WEEK * 730 / 168, rel=0.001)
    tab.go_to("costs")
    assert [tab.input(label).input_value() for label in ("Input tokens", "Output tokens")] == ["1000", "300"]
    assert int(tab.input("Requests per month").input_value()) == asked

    tab.page.get_by_role("radio", name="Every deployment", exact=True).click()
    tab.rerun_settled()
    said = re.search(
        r"([\d,]+) of ([\d,]+) open deployments would be cheaper than today's (\$[\d,.]+) a month .*?: (\$[\d,.]+)",
        words(tab),
    )
    cheaper, count, bill, best = (amount(part) for part in said.groups())
    prices = next(one for one in facts.api_offers if one.offer_id == Scenario().today)
    each = (1_000 * prices.input_usd_per_mtok + 300 * prices.output_usd_per_mtok) / 1e6
    assert bill == pytest.approx(asked * each, abs=0.006)
    assert 0 < cheaper <= count
    assert best < bill
    assert (tab.tracebacks, tab.complaints) == ([], [])


def calculated(line: str) -> tuple[float, float]:
    """Both sides of a line of the arithmetic, the left one worked out."""
    left, right = line.split(" = ")
    for sign, python in {"×": "*", "−": "-", "⌈": "ceil(", "⌉": ")"}.items():
        left = left.replace(sign, python)
    assert re.fullmatch(r"(ceil\(|max\(|min\(|[\d.e+\-*/(), ])+", left), line
    return eval(left, {"__builtins__": {}, "ceil": math.ceil, "max": max, "min": min}), float(right)  # noqa: S307


def test_a_crossing_is_an_interval_in_words_and_the_tornado_the_map_and_the_arithmetic_agree_with_it(
    shared_server, tab, facts
):
    asked = Scenario(requests_per_month=5_000_000)
    tab.open(shared_server.address("breakeven", first="api", second="rented", **asked.query()))
    said = re.search(
        rf"cross at ({NUMBER}) requests a month \(({NUMBER}) at best, ({NUMBER}|never) at worst\)", words(tab)
    )
    crossing, at_best = amount(said[1]), amount(said[2])
    assert at_best < crossing
    assert said[3] == "never" or amount(said[3]) > crossing

    # One replica that is not full costs its price whatever it serves: the crossing moves with the price of the GPU.
    comparison = costs.compare(facts, asked)
    price = comparison.rented.usd_per_gpu_hour
    ends = {
        bar["name"]: bar["base"] + bar["lengths"][bar["labels"].index("GPU price")] for bar in tab.page.evaluate(BARS)
    }
    assert ends["input low"] == pytest.approx(crossing * price.low / price.mid, rel=0.005)
    assert ends["input high"] == pytest.approx(crossing * price.high / price.mid, rel=0.005)

    cells = [cell for row in tab.page.evaluate(HEAT, "saving_map") for cell in row]
    share = re.search(r"is cheaper in (\d+)% of the map", words(tab))
    assert int(share[1]) == round(100 * sum(cell > 0 for cell in cells) / len(cells))

    tab.page.locator("summary").filter(has_text="Show the arithmetic").click()
    tab.rerun_settled()
    lines = [line for line in tab.page.locator(".st-key-arithmetic code").all_inner_texts() if " = " in line]
    assert len(lines) >= 5
    for line in lines:
        worked_out, shown = calculated(line)
        assert worked_out == pytest.approx(shown, rel=1e-3), line
    assert calculated(lines[-1])[0] == pytest.approx(crossing, rel=0.005)
    assert (tab.tracebacks, tab.complaints) == ([], [])


def test_tuning_says_memory_hours_and_usd_of_three_methods_and_twice_the_examples_take_twice_as_long(
    shared_server, tab, facts, tmp_path
):
    tab.open(shared_server.address("finetuning", model="qwen2.5-7b-instruct", ft_examples=20_000))
    methods = rows(tab, "ft_methods", tmp_path).set_index("method")
    assert list(methods.index) == ["full", "LoRA", "QLoRA"]
    gib_per_param = methods["memory_gib"] / facts.shapes["qwen2.5-7b-instruct"].params_total * 2**30
    # Weights and gradients in 16 bits and Adam's states take 16 bytes; frozen 16-bit weights 2; 4-bit ones half a byte.
    assert 16 <= gib_per_param["full"] < 18
    assert 2 <= gib_per_param["LoRA"] < 3
    assert 0.5 <= gib_per_param["QLoRA"] < gib_per_param["LoRA"]
    text = words(tab)
    for method, needed in methods.iterrows():
        assert f"{needed['cheapest_gpus']}: {needed['memory_gib']:,.0f} GiB, {needed['time']}" in text, method
        assert needed["cost"] in text

    unfolded(tab, "GPUs that hold it", "finetuning_csv")
    once = rows(tab, "finetuning", tmp_path)
    paid = once["hours_mid"] * once["gpu_count"] * once["usd_per_gpu_hour_median"]
    assert list(once["usd_mid"]) == pytest.approx(list(paid), rel=0.02)
    assert set(once["method"]) == {"full", "LoRA", "QLoRA"}
    tab.page.get_by_label("Examples", exact=True).fill("40000")
    tab.page.get_by_label("Examples", exact=True).press("Enter")
    tab.rerun_settled()
    twice = rows(tab, "finetuning", tmp_path)
    assert list(twice["hours_mid"]) == pytest.approx(list(2 * once["hours_mid"]), rel=0.02)
    assert (tab.tracebacks, tab.complaints) == ([], [])
