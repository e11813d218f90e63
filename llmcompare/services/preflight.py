"""What to know of a model file before it is asked anything: its template with an example, and what is wrong with it."""

from dataclasses import dataclass

from llmcompare.engines import template
from llmcompare.errors import ModelRefusedError
from llmcompare.models.gguf import read_header
from llmcompare.models.gguf_header import GgufHeader
from llmcompare.models.gguf_tokens import token_texts
from llmcompare.models.library import LocalModel

EXAMPLE = [
    {"role": "user", "content": "Why is the sky blue?"},
    {"role": "assistant", "content": "Because air scatters blue light."},
    {"role": "user", "content": "And at dusk?"},
]
REPLY_END = "Because air scatters blue light."
ENDINGS_KNOWN = frozenset({
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>",
    "<EOT>", "_<EOT>", "</s>", "[EOS]",
})  # fmt: skip
"""Tokens at which llama.cpp ends a reply because of their text, whatever the file says (src/llama-vocab.cpp)."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """One file before its first question."""

    architecture: str | None
    name: str | None
    trained_context_tokens: int | None
    bos: str | None
    """Text of the token that begins; None where the file names none."""
    eos: str | None
    """Of the one that ends."""
    adds_bos: bool | None
    """Whether its tokenizer writes the first token by itself; None where it does not say."""
    template: str | None
    example: str | None
    """The example as the model would read it."""
    warnings: tuple[str, ...]


def preflight(model: LocalModel, *, context_tokens: int | None = None) -> Preflight:
    """Of a file at hand. What cannot be read is a warning, never an exception."""
    try:
        header = read_header(model.path)
        texts = token_texts(model.path, _special_ids(header).values())
    except ModelRefusedError as refusal:
        return _refused(model, str(refusal))
    texts_of = {name: _short(texts.get(number)) for name, number in _special_ids(header).items()}
    bos, eos = texts_of.get("bos"), texts_of.get("eos")
    chat_template = _text(header, "tokenizer.chat_template")
    shown = None
    warnings = [model.problem] if model.problem else []
    if chat_template is None:
        warnings.append(
            "It has no chat template: the text of a conversation is given to it without any marks, and it may go on "
            "writing the question instead of an answer."
        )
    else:
        found = template.written(chat_template, EXAMPLE, bos=bos or "", eos=eos or "")
        shown = found.text
        warnings += [f"Its chat template cannot be used: {found.problem}"] if found.problem else []
    adds_bos = header.metadata.get("tokenizer.ggml.add_bos_token")
    adds = adds_bos if isinstance(adds_bos, bool) else None
    warnings += _about_bos(bos, adds=adds, example=shown)
    warnings += _about_end(texts_of, shown)
    warnings += _about_context(header.trained_context_tokens, context_tokens)
    return Preflight(
        architecture=header.architecture,
        name=_short(header.name),
        trained_context_tokens=header.trained_context_tokens,
        bos=bos,
        eos=eos,
        adds_bos=adds,
        template=chat_template,
        example=shown,
        warnings=tuple(warnings),
    )


def _refused(model: LocalModel, why: str) -> Preflight:
    return Preflight(
        architecture=model.architecture, name=None, trained_context_tokens=None, bos=None, eos=None, adds_bos=None,
        template=None, example=None, warnings=(model.problem or why,),
    )  # fmt: skip


def _special_ids(header: GgufHeader) -> dict[str, int]:
    found = {}
    for name in ("bos", "eos", "eot", "eom"):
        number = header.metadata.get(f"tokenizer.ggml.{name}_token_id")
        if isinstance(number, int) and not isinstance(number, bool):
            found[name] = number
    return found


def _short(text: str | None) -> str | None:
    """A name or a token of a hostile file may be a megabyte."""
    return None if text is None else text[:LONGEST_NAME]


def _text(header: GgufHeader, key: str) -> str | None:
    value = header.metadata.get(key)
    return value if isinstance(value, str) and value else None


def _about_bos(bos: str | None, *, adds: bool | None, example: str | None) -> list[str]:
    if not bos or example is None:
        return []
    begins = example.startswith(bos)
    if example.startswith(bos + bos):
        return [f"Its chat template writes {bos} twice at the beginning: replies may be worse."]
    if begins and adds:
        return [
            f"Its chat template writes {bos} and its tokenizer adds it too: programs that do both begin with two of "
            "them. Here only the template's counts."
        ]
    if adds and not begins:
        return [
            f"Its tokenizer asks for {bos} at the beginning and its chat template writes none: here it is left out."
        ]
    return []


def _about_end(texts: dict[str, str | None], example: str | None) -> list[str]:
    ends = {text for name, text in texts.items() if name != "bos" and text}
    if not ends:
        return ["It names no token that ends a reply: replies may run on to the limit of tokens."]
    if example is None or REPLY_END not in example:
        return []
    after = example.partition(REPLY_END)[2].lstrip()
    if after.startswith(tuple(ends | ENDINGS_KNOWN)):
        return []
    return [
        f"Its chat template ends a reply with {after[:20]!r}, which is none of its stop tokens "
        f"({', '.join(sorted(ends))}): replies may run on to the limit of tokens."
    ]


def _about_context(trained: int | None, asked: int | None) -> list[str]:
    if trained is None or asked is None or asked <= trained:
        return []
    return [
        f"{asked:,} tokens of context are more than the {trained:,} it was trained with: beyond them it may derail."
    ]
