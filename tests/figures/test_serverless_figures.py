"""What the figures of bursty traffic hold: both options, the crossing, shares as percent, simulations as marks."""

import numpy as np
import pytest

from llmcompare.core.scenario import Scenario
from llmcompare.figures.serverless import ColdLine, ColdPoint, cold_shares, serverless_costs
from llmcompare.services import costs, serverless_view

HOSTILE = "<script>alert(1)</script>"
REQUESTS = 131_400


@pytest.fixture(scope="module")
def view(real_facts):
    scenario = Scenario(requests_per_month=REQUESTS, gpu="h100-sxm-80gb")
    found, missing = serverless_view.bursty(real_facts, costs.compare(real_facts, scenario))
    assert found is not None, missing
    return found


def trace(figure, name: str):
    (found,) = [data for data in figure.data if data.name.startswith(name) and not data.name.endswith("range")]
    return found


def test_the_cost_chart_draws_both_options_their_crossing_and_the_simulated_month(view):
    figure = serverless_costs(
        view.options, view.volumes, requests_per_month=REQUESTS, crossing=view.crossing, simulated=("runpod", 1_234.0)
    )
    curve = trace(figure, "serverless")
    at = list(curve.x).index(REQUESTS)
    assert curve.y[at] == pytest.approx(view.found.usd_per_month.mid)
    assert trace(figure, "always on").y[at] == pytest.approx(view.always_on.usd_per_month.mid)
    assert (trace(figure, "crossing").x[0], trace(figure, "crossing").y[0]) == view.crossing
    assert trace(figure, "simulated month").y[0] == 1_234
    assert figure.layout.yaxis.title.text == "USD per month (log scale)"
    assert figure.layout.xaxis.type == "log"


def test_without_a_crossing_or_a_simulation_there_are_no_marks(view):
    figure = serverless_costs(view.options, view.volumes, requests_per_month=REQUESTS)
    assert not [data.name for data in figure.data if data.name.startswith(("crossing", "simulated"))]


def test_a_longer_idle_time_is_a_lower_line(view):
    lines = serverless_view.cold_lines(view.found, view.volumes)
    timeouts = [float(line.label.split()[0]) for line in lines]
    assert timeouts == sorted(timeouts)
    assert len(lines) > 2
    for short, long in zip(lines, lines[1:], strict=False):
        assert all(np.array(long.fraction) <= np.array(short.fraction) + 1e-12)
    figure = cold_shares(lines, [], requests_per_month=REQUESTS, span=(view.volumes[0], view.volumes[-1]))
    assert list(figure.data[0].y) == list(lines[0].fraction)
    assert figure.layout.yaxis.tickformat == ".0%"
    assert len({data.line.dash for data in figure.data}) == len(lines)


def test_simulated_shares_stand_with_two_standard_errors_and_only_beyond_one_worker(view):
    points = serverless_view.cold_points(view.found, view.found.middle, view.volumes)
    assert points
    assert all(point.requests_per_month > view.found.curves.mid.requests_per_worker_month for point in points)
    figure = cold_shares([], points, requests_per_month=REQUESTS, span=(1, 1e9))
    marks = trace(figure, "simulated")
    assert list(marks.error_y.array) == [2 * point.fraction_se for point in points]


def test_text_from_data_is_no_markup():
    line = ColdLine(label=HOSTILE, requests_per_month=[1, 10], fraction=[1, 0.5])
    point = ColdPoint(requests_per_month=10, fraction=0.5, fraction_se=0.01, detail=HOSTILE)
    figure = cold_shares([line], [point], requests_per_month=5, span=(1, 100))
    assert "<script>" not in str(figure.to_plotly_json())
