"""Scores of models whose abilities are known, by publishers that favour families and models with strong subjects."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from llmcompare.core.capability_scores import CATEGORIES, CellScore, PublishedCell, Subject

FAMILIES = ("llama", "mistral", "qwen")
BENCHMARKS = 12


@dataclass(frozen=True)
class World:
    """How scores come about, in logits."""

    models: int = 45
    publishers: int = 5
    cells: int = 60
    favour: float = 0.3
    """What a publisher's ways do to a family."""
    liking: float = 0.15
    """What a benchmark does to a model."""
    stretch: float = 0.0
    """By which share a cell shows differences too large or too small."""
    own: float = 0.1
    filled: float = 0.35
    """Share of the table that is filled; a publisher scores the family of its house twice as often."""


def simulated(world: World, seed: int) -> tuple[dict[Subject, float], list[CellScore]]:
    """The true abilities, and an incomplete table of scores."""
    draw = np.random.default_rng(seed)
    subjects = [Subject(model_id=f"m{at}", thinks=False) for at in range(world.models)]
    abilities = draw.normal(0, 0.8, world.models)
    favours = draw.normal(0, world.favour, (world.publishers, len(FAMILIES)))
    likings = draw.normal(0, world.liking, (world.models, BENCHMARKS))
    scores = []
    for number in range(world.cells):
        publisher, benchmark = int(draw.integers(world.publishers)), int(draw.integers(BENCHMARKS))
        difficulty, stretch = draw.normal(0, 0.7), draw.normal(1, world.stretch)
        for at, subject in enumerate(subjects):
            family = at % len(FAMILIES)
            is_own = family == publisher % len(FAMILIES)
            if draw.random() > world.filled * (2 if is_own else 0.7):
                continue
            logit = stretch * abilities[at] - difficulty + favours[publisher, family] + likings[at, benchmark]
            scores.append(
                score(
                    subject,
                    percent=float(100 * expit(logit + draw.normal(0, world.own))),
                    family=FAMILIES[family],
                    benchmark=f"b{benchmark}",
                    shots=str(number),
                    published_by=f"p{publisher}",
                    category=CATEGORIES[1 + benchmark % 3],
                )
            )
    return dict(zip(subjects, abilities.tolist(), strict=True)), scores


def score(
    subject: Subject | str,
    *,
    percent: float,
    family: str = "qwen",
    benchmark: str = "exam",
    shots: str | None = None,
    published_by: str = "them",
    category: str = "code",
) -> CellScore:
    """One score; a model's name stands for the model without thinking."""
    if isinstance(subject, str):
        subject = Subject(model_id=subject, thinks=False)
    cell = PublishedCell(
        benchmark=benchmark, metric="accuracy %", shots=shots, test="chat", thinks=subject.thinks,
        published_by=published_by,
    )  # fmt: skip
    return CellScore(subject=subject, family=family, cell=cell, category=category, percent=percent, rows=())
