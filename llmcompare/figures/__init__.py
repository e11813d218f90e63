"""Rows to plotly figures. Pure: no Streamlit, no query; text from data is escaped, because plotly reads tags."""

from llmcompare.figures.advice import chances as advice_chances
from llmcompare.figures.advice import decision_path
from llmcompare.figures.breakeven import pair_curves, saving_map, tornado
from llmcompare.figures.capability import ability_radar, ability_ranking, hidden_scores, score_grid
from llmcompare.figures.capability_against import (
    ability_over_cost,
    ability_over_sizes,
    ability_over_time,
    format_losses,
)
from llmcompare.figures.claims import verdict_bars
from llmcompare.figures.costs import cost_curves
from llmcompare.figures.families import contexts, model_sizes
from llmcompare.figures.finetune import tuning_memory
from llmcompare.figures.hardware import fit_grid, memory_bars, predicted_against_measured, speed_ranges
from llmcompare.figures.languages import language_dots, token_bars
from llmcompare.figures.money import cheapest_strip, context_cost, cost_stack
from llmcompare.figures.moved import price_moves
from llmcompare.figures.overview import quality_against_cost
from llmcompare.figures.sweep import quality_of_deployments

__all__ = [
    "ability_over_cost", "ability_over_sizes", "ability_over_time", "ability_radar", "ability_ranking",
    "advice_chances", "cheapest_strip", "context_cost", "contexts", "cost_curves", "cost_stack", "decision_path",
    "fit_grid", "format_losses", "hidden_scores", "language_dots", "memory_bars", "model_sizes", "pair_curves",
    "predicted_against_measured", "price_moves", "quality_against_cost", "quality_of_deployments", "saving_map",
    "score_grid", "speed_ranges", "token_bars", "tornado", "tuning_memory", "verdict_bars",
]  # fmt: skip
