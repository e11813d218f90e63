"""How the worker chooses the next token: a chain of llama.cpp's own samplers. Only the worker imports this module."""

from typing import Any, TypeAlias

import llama_cpp
from llama_cpp.llama_grammar import json_schema_to_gbnf

from llmcompare.engines.process import RefusedError, refusing

PENALTY_WINDOW_TOKENS = 64
Handle: TypeAlias = Any
"""A pointer of llama.cpp."""


def sampler_chain(vocab: Handle, sampling: dict[str, Any]) -> Handle:
    """The fields of base.Sampling as a chain; whoever asks frees it. Raises RefusedError."""
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    try:
        for sampler in _samplers(vocab, sampling):
            llama_cpp.llama_sampler_chain_add(chain, sampler)
    except RefusedError:
        llama_cpp.llama_sampler_free(chain)
        raise
    return chain


def _samplers(vocab: Handle, sampling: dict[str, Any]) -> list[Handle]:
    grammar = _gbnf(sampling["json_schema"]) if sampling.get("json_schema") else sampling["grammar"]
    samplers = [_grammar(vocab, grammar)] if grammar else []
    if sampling["repeat_penalty"] != 1.0:
        # Counts generated tokens only, as llama-cpp-python does; llama.cpp's own server counts the prompt's, too.
        penalty = (PENALTY_WINDOW_TOKENS, sampling["repeat_penalty"], 0.0, 0.0)
        size = llama_cpp.llama_vocab_n_tokens(vocab)
        samplers.append(llama_cpp.llama_sampler_init_penalties(size, *penalty))
    if sampling["temperature"] == 0:
        return [*samplers, llama_cpp.llama_sampler_init_greedy()]
    if sampling["top_k"] > 0:
        samplers.append(llama_cpp.llama_sampler_init_top_k(sampling["top_k"]))
    return [
        *samplers,
        llama_cpp.llama_sampler_init_top_p(sampling["top_p"], 1),
        llama_cpp.llama_sampler_init_min_p(sampling["min_p"], 1),
        llama_cpp.llama_sampler_init_temp(sampling["temperature"]),
        llama_cpp.llama_sampler_init_dist(sampling["seed"]),
    ]


def _gbnf(schema: str) -> str:
    """The grammar of a JSON schema. Raises RefusedError for one that llama.cpp cannot follow."""
    with refusing("the JSON schema cannot be made a grammar"):
        return str(json_schema_to_gbnf(schema))


def _grammar(vocab: Handle, text: str) -> Handle:
    grammar = llama_cpp.llama_sampler_init_grammar(vocab, text.encode(), b"root")
    if not grammar:
        raise RefusedError("the grammar cannot be parsed: it must be GBNF with a rule called root.")
    return grammar
