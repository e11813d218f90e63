"""How the worker chooses the next token: a chain of llama.cpp's own samplers. Only the worker imports this module."""

import ctypes
from typing import Any, TypeAlias

import llama_cpp
import numpy as np
from llama_cpp.llama_grammar import json_schema_to_gbnf

from llmcompare.engines.child_process import RefusedError, schema_limits

PENALTY_WINDOW_TOKENS = 64
Handle: TypeAlias = Any
"""A pointer of llama.cpp."""
TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""llama_token_data of llama.h."""


class TokenChooser:
    """The fields of base.Sampling as a chain of samplers; whoever makes one frees it. Raises RefusedError."""

    def __init__(self, vocab: Handle, sampling: dict[str, Any]) -> None:
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        self._bound = "JSON schema" if sampling.get("json_schema") else "grammar" if sampling["grammar"] else None
        try:
            for sampler in _samplers(vocab, sampling):
                llama_cpp.llama_sampler_chain_add(self._chain, sampler)
        except RefusedError:
            self.free()
            raise
        self._tokens = np.zeros(llama_cpp.llama_vocab_n_tokens(vocab) if self._bound else 0, TOKEN_DATA)

    def choose(self, context: Handle) -> int:
        """The next token. Raises RefusedError where a grammar allows none."""
        if self._bound is None:
            return int(llama_cpp.llama_sampler_sample(self._chain, context, -1))
        # Step by step: llama.cpp takes any token where none is allowed, and then ends the process.
        size = len(self._tokens)
        self._tokens["id"] = np.arange(size)
        self._tokens["logit"] = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, -1), (size,))
        data = self._tokens.ctypes.data_as(llama_cpp.llama_token_data_p)
        found = llama_cpp.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
        self._apply(0, found)
        # Not of all of them: where the numbers of a model are none, no token is larger than any other either.
        if not (self._tokens["logit"] > -np.inf).any():
            raise RefusedError(
                f"the reply ends here: the model has no token that the {self._bound} allows next. Ask for another "
                f"{self._bound}."
            )
        for number in range(1, llama_cpp.llama_sampler_chain_n(self._chain)):
            self._apply(number, found)
        token = int(found.data[found.selected].id)
        llama_cpp.llama_sampler_accept(self._chain, token)
        return token

    def _apply(self, number: int, found: Handle) -> None:
        llama_cpp.llama_sampler_apply(llama_cpp.llama_sampler_chain_get(self._chain, number), ctypes.byref(found))

    def free(self) -> None:
        """Give the chain back to llama.cpp."""
        llama_cpp.llama_sampler_free(self._chain)


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
    hint = " (write out what its $ref stand for)" if '"$ref"' in schema else ""
    with schema_limits(f"the JSON schema cannot be made a grammar{hint}"):
        return str(json_schema_to_gbnf(schema))


def _grammar(vocab: Handle, text: str) -> Handle:
    grammar = llama_cpp.llama_sampler_init_grammar(vocab, text.encode(), b"root")
    if not grammar:
        raise RefusedError("the grammar cannot be parsed: it must be GBNF with a rule called root.")
    return grammar
