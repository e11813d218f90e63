"""Sizes and contexts of the families, drawn."""

from dataclasses import replace

import pytest

from llmcompare.figures.families import contexts, model_sizes
from llmcompare.services import families


@pytest.fixture(scope="module")
def found(real_facts):
    return families.assessed(real_facts, families.NEED)


def test_every_model_with_a_known_size_is_drawn_once_at_its_generation(found):
    figure = model_sizes(found)
    sized = [m for group in found.groups for m in group.models if m.params_total_billion]
    assert sum(len(trace.x) for trace in figure.data) == len(sized)
    labels = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    drawn = {
        (labels[round(y)], name[0], x)
        for trace in figure.data
        for x, y, name in zip(trace.x, trace.y, trace.customdata, strict=True)
    }
    assert ("Llama 3.3", "Llama 3.3 70B Instruct", 70.55) in drawn
    assert {(label, size) for label, _, size in drawn} == {(m.generation, m.params_total_billion) for m in sized}


def test_verdicts_differ_by_more_than_colour(found):
    symbols = [trace.marker.symbol for trace in model_sizes(found).data]
    assert len(symbols) == len(set(symbols)) == 4


def test_a_useful_context_stands_at_its_length_beside_the_stated_ones(real_facts):
    figure = contexts(families.known_generations(real_facts))
    by_name = {trace.name: trace for trace in figure.data}
    assert set(by_name) == {"native", "extended", "found useful"}
    at = dict(zip(by_name["found useful"].customdata, by_name["found useful"].x, strict=True))
    assert at["Llama 3.1 70B Instruct"] == 65_536
    assert len(by_name["native"].x) == sum(
        m.context_native_tokens is not None for m in real_facts.models.values() if m.family != "other"
    )


def test_a_tag_in_a_name_is_shown_as_it_is_written(found):
    group = found.groups[0]
    marked = replace(group, generation="<b>G</b>", models=(replace(group.models[0], display_name="<i>M</i>"),))
    figure = model_sizes(replace(found, groups=(marked,)))
    assert "&lt;b&gt;G&lt;/b&gt;" in figure.layout.yaxis.ticktext
    assert figure.data[0].customdata[0][0] == "&lt;i&gt;M&lt;/i&gt;"
