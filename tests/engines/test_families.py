"""Each family of models that people use, in a tiny file of its own, through the real worker."""

import llama_cpp
import pytest

from llmcompare.engines.base import Done, Message, Request, Sampling
from tests.engines.events import start_of, text_of
from tests.tiny_models import FAMILIES, write_tiny

MAX_TOKENS = 8
QUESTION = Request(
    messages=(Message(role="user", content="why is the sky blue"),), sampling=Sampling(max_tokens=MAX_TOKENS)
)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_answers_what_the_library_itself_completes(load, tmp_path, family):
    path = write_tiny(tmp_path / f"{family}.gguf", family)
    events = list(load(path, context_tokens=256).stream(QUESTION))
    assert isinstance(events[-1], Done), events
    # Weights by chance may choose the end of the reply, which depends on how the processor rounds.
    count = events[-1].measured.generated_tokens
    assert 0 < count <= MAX_TOKENS
    assert events[-1].reason == ("length" if count == MAX_TOKENS else "end")
    assert text_of(events) == own_completion(path, start_of(events).prompt_text)


@pytest.mark.parametrize("family", FAMILIES)
def test_two_seeds_are_two_models(load, tmp_path, family):
    paths = [write_tiny(tmp_path / f"{family}-{seed}.gguf", family, seed=seed) for seed in range(2)]
    answers = {text_of(load(path, context_tokens=256).stream(QUESTION)) for path in paths}
    assert len(answers) == 2


def own_completion(path, prompt):
    model = llama_cpp.Llama(str(path), n_ctx=256, n_threads=1, n_threads_batch=1, verbose=False)
    tokens = model.tokenize(prompt.encode(), add_bos=False, special=True)
    made = []
    for token in model.generate(tokens, temp=0):
        if token == model.token_eos() or len(made) == MAX_TOKENS:
            break
        made.append(token)
    text = model.detokenize(made).decode(errors="replace")
    model.close()
    return text
