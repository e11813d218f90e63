"""A log and a forecast in pictures: every figure has its unit, what is filled in or partial is marked."""

import numpy as np
import pytest

from llmcompare.core.actuals import Actual, GpuForecast, difference
from llmcompare.core.log_hours import Day, Hours
from llmcompare.core.request_log import token_spread
from llmcompare.core.workload import Workload
from llmcompare.figures import workload as figures

HOURS = Hours(
    weights=tuple(np.r_[np.full(120, 1.2), np.full(48, 0.5)].tolist()), requests_per_hour=10, filled=(120, 167)
)


def test_the_week_has_a_row_per_weekday_with_monday_on_top_and_crosses_where_hours_are_filled_in():
    figure = figures.week(HOURS)
    heat, crosses = figure.data
    assert np.shape(heat.z) == (7, 24)
    assert (heat.z[0][0], heat.z[6][23]) == (1.2, 0.5)
    assert list(figure.layout.yaxis.categoryarray) == ["Sun", "Sat", "Fri", "Thu", "Wed", "Tue", "Mon"]
    assert (list(crosses.x), list(crosses.y)) == ([0, 23], ["Sat", "Sun"])
    whole = Hours(weights=HOURS.weights, requests_per_hour=10, filled=())
    assert len(figures.week(whole).data) == 1


def test_days_in_part_are_told_from_whole_ones():
    listed = [Day(number=20_759, requests=5, is_whole=False), Day(number=20_760, requests=50, is_whole=True)]
    whole, part = figures.days(listed).data
    assert (list(whole.x), list(whole.y)) == (["2026-11-03"], [50])
    assert (list(part.x), part.name) == (["2026-11-02"], "days in part")
    assert whole.marker.color != part.marker.color


def test_the_shares_of_a_distribution_add_up_to_the_requests_with_tokens():
    spread = token_spread(np.array([0.0, 1, 2, 4, 1_000]))
    figure = figures.token_distribution([("input", spread), ("output", spread)])
    # The last step is drawn to the end of its bin.
    assert sum(figure.data[0].y[:-1]) == pytest.approx(80)
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert figure.layout.xaxis.type == "log"


def test_the_waterfall_goes_from_the_forecast_to_the_bill():
    plan = Workload(requests_per_month=1_000, input_tokens=900, output_tokens=100)
    forecast = GpuForecast(label="<b>GPU</b>", usd=2_000, workload=plan, gpu_hours=1_000)
    real = Actual(
        month="2026-10", usd=2_500, requests=1_100, input_tokens=990_000, output_tokens=110_000, gpu_hours=900
    )
    found = difference(forecast, real)
    fall = figures.waterfall(found).data[0]
    assert list(fall.measure) == ["absolute", *["relative"] * (len(fall.x) - 2), "total"]
    assert sum(fall.x[:-1]) == pytest.approx(fall.x[-1])
    assert "&lt;b&gt;" in fall.hovertext[0]
    assert fall.increasing.marker.color != fall.decreasing.marker.color
    bill_alone = figures.waterfall(difference(forecast, Actual(month="2026-10", usd=1_500))).data[0]
    assert list(bill_alone.x) == [2_000, -500, 1_500]
