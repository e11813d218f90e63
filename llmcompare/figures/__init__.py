"""Rows to plotly figures. Pure: no Streamlit, no query; text from data is escaped, because plotly reads tags."""

from llmcompare.figures.costs import cost_curves
from llmcompare.figures.hardware import fit_grid, memory_bars, predicted_against_measured, speed_ranges
from llmcompare.figures.overview import quality_against_cost

__all__ = [
    "cost_curves", "fit_grid", "memory_bars", "predicted_against_measured", "quality_against_cost", "speed_ranges",
]  # fmt: skip
