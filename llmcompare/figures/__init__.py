"""Rows to plotly figures. Pure: no Streamlit, no query; text from data is escaped, because plotly reads tags."""

from llmcompare.figures.costs import cost_curves
from llmcompare.figures.overview import quality_against_cost

__all__ = ["cost_curves", "quality_against_cost"]
