"""The model of a worker process: loaded, asked, measured. Only the worker imports this module.

The loop stands on the low-level API: the library's own completion copies growing arrays and falls to two thirds of the
speed at 1,500 tokens.
"""

import ctypes
import math
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from llmcompare.engines.base import LONGEST_TOKEN_CHARACTERS
from llmcompare.engines.child_process import (
    CancelledError,
    Control,
    RefusedError,
    peak_memory_bytes,
    refusing,
    template_limits,
)
from llmcompare.engines.endings import with_advice
from llmcompare.engines.speed import BATCH_TOKENS, samples
from llmcompare.engines.tally import Tally
from llmcompare.engines.text import TextStream
from llmcompare.engines.worker_sampler import Handle, TokenChooser

QUICK_STEP_S = 0.1
LOG_WARNING, LOG_ERROR = 3, 4
"""ggml_log_level of ggml.h; the bindings do not name them."""
ENGINE = f"llama.cpp (llama-cpp-python {llama_cpp.__version__})"


class Errors:
    """The last error lines of llama.cpp, for the reason of a refusal."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=20)
        self._callback = llama_cpp.llama_log_callback(self._on_log)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _on_log(self, level: int, text: bytes, _: object) -> None:
        line = text.decode("utf-8", errors="replace").strip()
        if level == LOG_ERROR and line:
            self._lines.append(line)
        if level in (LOG_WARNING, LOG_ERROR):
            print(line, file=sys.stderr)

    def take(self) -> str:
        """The lines so far, and forget them."""
        text = "; ".join(self._lines)
        self._lines.clear()
        return text


class LoadedModel:
    """A model with its context and the tokens that its KV cache holds."""

    def __init__(
        self, control: Control, errors: Errors, *, path: str, context: int, threads: int, gpu_layers: int
    ) -> None:
        self._control = control
        control.threads = threads
        self._threads = threads
        self._held_threads: int | None = None
        self.gpu_layers = gpu_layers
        self._cached: list[int] = []
        self._cold = True
        self._model = self._load(path, gpu_layers, errors)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary_size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._context = self._make_context(context, threads, errors)
        self.context_tokens = llama_cpp.llama_n_ctx(self._context)
        self._abort = llama_cpp.ggml_abort_callback(self._is_to_abort)
        self._no_abort = llama_cpp.ggml_abort_callback(0)
        self._step_s = math.inf
        self._template = self._read_template()

    def _is_to_abort(self, _: object) -> bool:
        # Asked many times within a chunk, in this thread: the place to say that a long prompt is no hang.
        self._control.say_alive()
        return self._control.cancelled

    def _load(self, path: str, gpu_layers: int, errors: Errors) -> Handle:
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        if not model:
            raise RefusedError(f"llama.cpp cannot load it: {with_advice(errors.take() or 'no reason given')}")
        return model

    def _make_context(self, context: int, threads: int, errors: Errors) -> Handle:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = context
        parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
        parameters.n_threads = parameters.n_threads_batch = threads
        if self.gpu_layers == 0:
            # On the CPU flash attention generates 20 tokens/s after 1,000 tokens of context where plain attention
            # generates 44 (demo model, 1 and 2 threads), and rounds differently by how a prompt is cut into chunks:
            # a greedy reply then depends on what was in the KV cache before.
            parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        made = llama_cpp.llama_init_from_model(self._model, parameters)
        if not made:
            reason = with_advice(errors.take() or "no reason given")
            raise RefusedError(f"there is no room for a context of {context} tokens: {reason}")
        return made

    def _read_template(self) -> Jinja2ChatFormatter | None:
        template = llama_cpp.llama_model_chat_template(self._model, None)
        if not template:
            return None
        eos, bos = (
            self._special_text(token)
            for token in (llama_cpp.llama_vocab_eos(self._vocab), llama_cpp.llama_vocab_bos(self._vocab))
        )
        with template_limits("the chat template cannot be read"):
            return Jinja2ChatFormatter(template.decode("utf-8"), eos_token=eos, bos_token=bos)

    def _special_text(self, token: int) -> str:
        return "" if token < 0 else self._piece(token, special=True).decode("utf-8", errors="replace")

    def facts(self) -> dict[str, Any]:
        """What the pool and the reply want to know of the model."""
        name = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_desc(self._model, name, len(name))
        return {
            "description": name.value.decode("utf-8", errors="replace"),
            "context_tokens": self.context_tokens,
            "trained_context_tokens": llama_cpp.llama_model_n_ctx_train(self._model),
            "layers": llama_cpp.llama_model_n_layer(self._model),
            "gpu_layers": self.gpu_layers,
            "weights_bytes": llama_cpp.llama_model_size(self._model),
            "parameters": llama_cpp.llama_model_n_params(self._model),
            "has_template": self._template is not None,
        }

    def prompt_text(self, messages: list[dict[str, str]]) -> str:
        """The exact text after the template; the plain contents where the model has none."""
        if self._template is None:
            return "\n".join(message["content"] for message in messages)
        # The last word is the model's own: it goes on where it stopped, in the turn that the template opens for it.
        begun = messages[-1]["content"] if messages[-1]["role"] == "assistant" else None
        asked = messages if begun is None else messages[:-1]
        with template_limits("the chat template fails on these messages"):
            return str(self._template(messages=asked).prompt) + (begun or "")

    def tokens(self, text: str) -> list[int]:
        """Token ids of a prompt. A template writes its own BOS; without one the vocabulary decides."""
        # Before llama.cpp tokenizes it: nothing stops that, and 80 million characters take more than 15 s.
        if len(text) > self.context_tokens * LONGEST_TOKEN_CHARACTERS:
            raise RefusedError(f"{len(text):,} characters exceed {self.context_tokens:,} context tokens: shorten it.")
        with refusing("the prompt is no text"):
            raw = text.encode()
        size = len(raw) + 8
        found = (llama_cpp.llama_token * size)()
        add_special = self._template is None
        count = llama_cpp.llama_tokenize(self._vocab, raw, len(raw), found, size, add_special, True)
        if count < 0:
            raise RefusedError(f"the prompt of {len(text):,} characters cannot be tokenized.")
        return list(found[:count])

    def forget(self) -> None:
        """Empty the KV cache, where it is not certain what it holds."""
        self.keep_first(0)

    def generate(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Events of one reply. Raises RefusedError before anything is processed."""
        sampling = request["sampling"]
        text = self.prompt_text(request["messages"])
        prompt = self.tokens(text)
        if not prompt:
            raise RefusedError("the prompt is empty.")
        if len(prompt) >= self.context_tokens:
            raise RefusedError(
                f"the prompt has {len(prompt):,} tokens and the context holds {self.context_tokens:,}: "
                "shorten it or load the model with a larger context."
            )
        reused = self._keep_common_prefix(prompt)
        yield {
            "event": "started",
            "prompt_text": text,
            "prompt_tokens": len(prompt),
            "reused_tokens": reused,
            "time_s": time.monotonic(),
        }
        chooser = TokenChooser(self._vocab, sampling)
        try:
            yield from self._run(prompt, reused, chooser, sampling)
        finally:
            chooser.free()
            self._cold = False

    def bench(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Events of a measurement: a sample for every repetition of every test."""
        # The pool may find other cores free meanwhile; a figure is of one number of threads.
        self._held_threads = request["threads"] or self._control.threads
        reason = "end"
        try:
            yield from samples(self, request["tests"], request["repetitions"], self._control.say_alive)
        except CancelledError:
            reason = "cancelled"
        finally:
            self._held_threads = None
            self.forget()
            self._cold = False
        yield self._done(reason, Tally(prompt_tokens=0, reused_tokens=0))

    def _run(
        self, prompt: list[int], reused: int, chooser: TokenChooser, sampling: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        stream = TextStream(tuple(sampling["stop"]))
        limit = min(sampling["max_tokens"], self.context_tokens - len(prompt))
        tally = Tally(prompt_tokens=len(prompt), reused_tokens=reused)
        reason = "length"
        try:
            self.process(prompt[reused:])
            tally.prompt_was_read()
            while True:
                token = chooser.choose(self._context)
                if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                    reason = "end"
                    break
                time_s = tally.add_token(threads=self._threads)
                yield _token(stream.push(self._piece(token)), tally.generated_tokens, time_s)
                if stream.stopped:
                    reason = "stop"
                    break
                if tally.generated_tokens >= limit:
                    break
                self.process([token])
        except CancelledError:
            reason = "cancelled"
        rest = stream.finish()
        if rest:
            yield _token(rest, tally.generated_tokens, time.monotonic())
        yield self._done(reason, tally)

    def _done(self, reason: str, tally: Tally) -> dict[str, Any]:
        measured = tally.figures() | {
            "peak_memory_bytes": peak_memory_bytes(),
            "threads": tally.most_used_threads(self._threads),
            "gpu_layers": self.gpu_layers,
            "cold": self._cold,
            "context_tokens": self.context_tokens,
            "engine": ENGINE,
        }
        return {"event": "done", "reason": reason, "time_s": time.monotonic(), "measured": measured}

    def _keep_common_prefix(self, prompt: list[int]) -> int:
        """Drop from the KV cache what this prompt does not share; the number of tokens kept.

        The last prompt token is always processed again: its logits choose the first new token.
        """
        shared = 0
        for ours, theirs in zip(self._cached, prompt[:-1], strict=False):
            if ours != theirs:
                break
            shared += 1
        return self.keep_first(shared)

    def keep_first(self, count: int) -> int:
        """Drop what comes after so many tokens of the KV cache; how many are left."""
        memory = llama_cpp.llama_get_memory(self._context)
        if not llama_cpp.llama_memory_seq_rm(memory, 0, count, -1):
            # A recurrent or sliding-window cache cannot be cut in the middle.
            llama_cpp.llama_memory_clear(memory, True)
            count = 0
        del self._cached[count:]
        return count

    def process(self, tokens: list[int]) -> None:
        """Put tokens into the KV cache. Raises CancelledError."""
        for start in range(0, len(tokens), BATCH_TOKENS):
            if self._control.cancelled:
                raise CancelledError
            self._follow_thread_count()
            chunk = tokens[start : start + BATCH_TOKENS]
            # The batch only points at the tokens: they must live until it is decoded.
            buffer = (llama_cpp.llama_token * len(chunk))(*chunk)
            # It is asked 515 times a token, 2 to 4% of the time of a small model: not where the step is short anyway.
            is_quick = len(chunk) == 1 and self._step_s < QUICK_STEP_S
            abort = self._no_abort if is_quick else self._abort
            llama_cpp.llama_set_abort_callback(self._context, abort, ctypes.c_void_p(0))
            began = time.monotonic()
            status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(buffer, len(chunk)))
            self._step_s = (time.monotonic() - began) / len(chunk)
            if status != 0:
                self.keep_first(len(self._cached))
                if self._control.cancelled:
                    raise CancelledError
                raise RefusedError(f"llama_decode failed with status {status} after {len(self._cached):,} tokens.")
            self._cached += chunk

    def _follow_thread_count(self) -> None:
        wanted = self._held_threads or self._control.threads
        if wanted != self._threads:
            self._threads = wanted
            llama_cpp.llama_set_n_threads(self._context, self._threads, self._threads)

    def synchronise(self) -> None:
        """Wait until a GPU has done all that was asked."""
        llama_cpp.llama_synchronize(self._context)

    def _piece(self, token: int, *, special: bool = False) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length


def _token(text: str, generated_tokens: int, time_s: float) -> dict[str, Any]:
    return {"event": "token", "text": text, "generated_tokens": generated_tokens, "time_s": time_s}
