"""What the three methods need in memory."""

from collections.abc import Sequence
from math import inf

import plotly.graph_objects as go

from llmcompare.core.finetune import TuningMemory
from llmcompare.core.memory import usable_bytes
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.figures.style import MARK_COLOUR, laid_out, safe

PARTS = {
    "weights_bytes": ("weights", "#2f7fdc"),
    "gradients_bytes": ("gradients", "#ea7125"),
    "optimiser_bytes": ("optimiser", "#8a5cd8"),
    "adapter_bytes": ("adapter", "#12998a"),
    "activations_bytes": ("activations", "#c2477f"),
    "logits_bytes": ("logits", "#a8731a"),
    "runtime_bytes": ("runtime", "#7d8794"),
}
MARKED_GB = (24, 48, 80, 141)
"""Memory of common cards."""
NAME_SHARE = 0.15
"""Of the axis: what a name needs on a narrow screen. Of cards nearer than that the larger one is named."""


def tuning_memory(methods: Sequence[tuple[str, TuningMemory]]) -> go.Figure:
    """One stacked bar per method, with what common cards can hold as lines."""
    figure = go.Figure()
    names = [safe(name) for name, _ in methods]
    for key, (label, colour) in PARTS.items():
        sizes = [getattr(memory, key) / BYTES_PER_GIB for _, memory in methods]
        figure.add_bar(
            y=names,
            x=sizes,
            orientation="h",
            name=label,
            marker={"color": colour},
            hovertemplate=f"%{{y}}: {label} %{{x:.2f}} GiB<extra></extra>",
        )
    laid_out(figure, x_title="GiB on one GPU that holds all of it", y_title="")
    figure.update_layout(barmode="stack", height=330, legend={"y": 1.14}, margin={"t": 40})
    figure.update_yaxes(autorange="reversed")
    largest = max(memory.total_bytes for _, memory in methods) / BYTES_PER_GIB
    held = [(size, usable_bytes(size) / BYTES_PER_GIB) for size in MARKED_GB]
    for (size, gib), (_, larger) in zip(held, (*held[1:], (0, inf)), strict=True):
        if gib < largest * 1.6 and larger - gib > NAME_SHARE * largest:
            figure.add_vline(
                x=gib, line={"color": MARK_COLOUR, "width": 1, "dash": "dot"}, annotation_text=f"{size} GB",
                annotation_position="bottom right", annotation_font_size=10,
            )  # fmt: skip
    return figure
