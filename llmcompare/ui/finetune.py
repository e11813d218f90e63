"""Widgets and parts of the Fine-tuning page."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from llmcompare import figures
from llmcompare.core.finetune import PROJECTIONS, Tuning
from llmcompare.core.scenario import Scenario
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.services import finetune
from llmcompare.services.catalogue import Facts
from llmcompare.services.finetune import Plan
from llmcompare.services.fit import Subject
from llmcompare.ui import show
from llmcompare.ui.fields import BOUND
from llmcompare.ui.inputs import explain_choice
from llmcompare.ui.safe import plain

DEFAULTS = Tuning(method="LoRA")


def pick_run() -> Tuning:
    """Examples, and how they are trained on; the method is each of the three in turn."""
    first, second, third, fourth = st.columns(4)
    examples = first.number_input("Examples", 1, 10**9, DEFAULTS.examples, 100, key="ft_examples", bind=BOUND)
    tokens = second.number_input(
        "Tokens per example", 1, 10**7, DEFAULTS.tokens_per_example, 100, key="ft_tokens", bind=BOUND,
        help="Prompt and answer together. Assumption.",
    )  # fmt: skip
    epochs = third.number_input(
        "Epochs", 0.01, 1_000.0, DEFAULTS.epochs, 1.0, key="ft_epochs", bind=BOUND, help="Assumption."
    )
    rank = fourth.number_input("LoRA rank", 1, 4_096, DEFAULTS.rank, 8, key="ft_rank", bind=BOUND)
    explain_choice("ft_projections", PROJECTIONS)
    with st.expander("More about the run"):
        left, middle, right = st.columns(3)
        projections = left.selectbox(
            "Matrices with an adapter", PROJECTIONS, key="ft_projections", bind=BOUND, help="LoRA and QLoRA."
        )
        per_step = middle.number_input("Sequences at once", 1, 10_000, 1, key="ft_sequences", bind=BOUND)
        recomputes = right.toggle(
            "Recompute activations", value=True, key="ft_recomputes", bind=BOUND,
            help="Gradient checkpointing: less memory, a third to a half more arithmetic.",
        )  # fmt: skip
    return Tuning(
        method="LoRA",
        examples=int(examples),
        tokens_per_example=int(tokens),
        epochs=float(epochs),
        sequences_per_step=int(per_step),
        rank=int(rank),
        projections=projections,
        recomputes=recomputes,
    )


def show_methods(model: Subject, found: Sequence[Plan]) -> None:
    """One row per method, and what each needs in memory."""
    show.table(finetune.method_table(found), key="ft_methods")
    said = " ".join(f"{one.run.method}: {one.memory.total_bytes / BYTES_PER_GIB:.0f} GiB." for one in found)
    show.chart(
        figures.tuning_memory([(one.run.method, one.memory) for one in found]), key="tuning_memory", description=said
    )
    st.caption(
        "Dotted: what common cards can hold, nine tenths of their memory (assumption). On several GPUs weights, "
        "gradients and optimiser are shared out; activations stay on each."
    )
    with st.expander("Show the arithmetic"):
        for one in found:
            if one.sites:
                st.markdown(f"**{one.run.method} on {plain(finetune.site_text(one.sites[0]))}**")
                show.sentences(*finetune.arithmetic(model, one))


def show_alternatives(facts: Facts, scenario: Scenario, run: Tuning, found: Sequence[Plan]) -> None:
    """The cost of a longer prompt or a larger model, next to that of the run."""
    st.subheader("Next to a longer prompt or a larger model")
    larger = finetune.larger_models(facts, scenario.model)
    left, right = st.columns(2)
    shots = left.number_input(
        "Examples in a longer prompt", 1, 1_000, finetune.FEW_SHOTS, key="ft_shots", bind=BOUND,
        help="Each as long as a training example. Assumption.",
    )  # fmt: skip
    explain_choice("ft_larger", larger)
    chosen = right.selectbox("Larger model", larger, key="ft_larger", bind=BOUND) if larger else None
    cheapest = min((one.sites[0].usd for one in found if one.sites), key=lambda usd: usd.mid, default=None)
    if cheapest is None:
        st.caption("Without a run that fits there is nothing to pay back.")
        return
    others = finetune.alternatives(
        facts,
        replace(scenario, own_input_usd_per_mtok=None, own_output_usd_per_mtok=None, api_provider=None),
        once=cheapest,
        example_tokens=run.tokens_per_example,
        few_shots=int(shots),
        larger=chosen,
    )
    show.sentences(*finetune.alternative_sentences(others))
