"""What is said of a model file before it is asked anything, on files that are written for it and on the demo model."""

import gguf
import pytest

from llmcompare.engines import template
from llmcompare.models.gguf_tokens import token_texts
from llmcompare.models.library import demo_model_path, model_at
from llmcompare.services.preflight import EXAMPLE, preflight
from tests.tiny_models import CHAT_TEMPLATE, SPECIAL, write_tiny

INSTRUCT = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}[INST] {{ message.content }} [/INST]"
    "{% else %}{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}"
)


def warnings(path, **more):
    return " ".join(preflight(model_at(path), **more).warnings)


def changed(source, target, **metadata):
    """A copy of a file with some metadata changed or, where None, left out; without weights, like its header."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    values = {name.replace("__", "."): value for name, value in metadata.items()}
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture" or name in values:
            continue
        writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if len(field.types) > 1 else None)
    for name, value in values.items():
        if value is not None:
            kind = {bool: "BOOL", int: "UINT32", str: "STRING"}[type(value)]
            writer.add_key_value(name, value, gguf.GGUFValueType[kind])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("qwen") / "qwen.gguf", "qwen3")


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("llama") / "llama.gguf", "llama", chat_template=INSTRUCT)


def test_the_demo_model_is_shown_as_it_reads_a_conversation_and_nothing_is_wrong_with_it():
    found = preflight(model_at(demo_model_path()), context_tokens=4096)
    assert found.warnings == ()
    assert (found.bos, found.eos, found.architecture) == ("<|im_start|>", "<|im_end|>", "llama")
    assert "<|im_start|>user\nWhy is the sky blue?<|im_end|>\n" in found.example
    assert found.example.endswith("<|im_start|>assistant\n")


def test_texts_of_tokens_are_those_that_the_reader_of_llama_cpp_finds(qwen):
    tokens = gguf.GGUFReader(qwen).fields["tokenizer.ggml.tokens"].contents()
    ids = {0, 100, 255, len(tokens) - 1, len(tokens), -1}
    assert token_texts(qwen, ids) == {number: tokens[number] for number in ids if 0 <= number < len(tokens)}
    assert token_texts(qwen, [len(tokens) - 1]) == {len(tokens) - 1: SPECIAL[-1]}


def test_a_file_without_a_template_is_said_to_have_none(tmp_path):
    bare = write_tiny(tmp_path / "bare.gguf", "qwen3", chat_template=None)
    assert "It has no chat template" in warnings(bare)
    assert preflight(model_at(bare)).example is None


def test_a_doubled_first_token_is_found_whoever_writes_it(llama, tmp_path):
    assert "its tokenizer adds it too" not in warnings(llama)
    both = changed(llama, tmp_path / "both.gguf", tokenizer__ggml__add_bos_token=True)
    assert "Its chat template writes <s> and its tokenizer adds it too" in warnings(both)
    twice = changed(llama, tmp_path / "twice.gguf", tokenizer__chat_template="{{ bos_token }}" + INSTRUCT)
    assert "Its chat template writes <s> twice" in warnings(twice)
    nobody = changed(
        llama, tmp_path / "none.gguf", tokenizer__ggml__add_bos_token=True, tokenizer__chat_template=CHAT_TEMPLATE
    )
    assert "asks for <s> at the beginning and its chat template writes none" in warnings(nobody)


def test_a_missing_stop_token_is_found(llama, qwen, tmp_path):
    assert "run on" not in warnings(llama) + warnings(qwen)
    none = changed(qwen, tmp_path / "none.gguf", tokenizer__ggml__eos_token_id=None)
    assert "It names no token that ends a reply" in warnings(none)
    other = changed(llama, tmp_path / "other.gguf", tokenizer__chat_template=INSTRUCT.replace("eos_token", "'<STOP>'"))
    assert "ends a reply with '<STOP>" in warnings(other)


def test_a_context_above_the_trained_one_is_said(llama):
    assert "4,096 tokens of context are more than the 256 it was trained with" in warnings(llama, context_tokens=4096)
    assert warnings(llama, context_tokens=256) == ""


def test_a_missing_part_of_a_split_model_is_named(tmp_path):
    write_tiny(tmp_path / "split.gguf", "llama", split_tensors=8)
    files = sorted(tmp_path.glob("split*.gguf"))
    files[-1].unlink()
    assert f"{files[-1].name} is missing" in warnings(files[0])


def test_a_file_that_is_none_has_its_reason(tmp_path):
    (tmp_path / "notes.gguf").write_text("these are notes")
    assert "is no GGUF file" in warnings(tmp_path / "notes.gguf")


def test_a_name_and_an_error_of_a_megabyte_are_cut(llama, tmp_path):
    template_of_it = "{{ raise_exception('x' * 1000000) }}"
    long = changed(
        llama, tmp_path / "long.gguf", general__name="n" * 1_000_000, tokenizer__chat_template=template_of_it
    )
    found = preflight(model_at(long))
    assert found.name == "n" * 200
    assert "ValueError: xxx" in found.warnings[0]
    assert len(found.warnings[0]) < 700


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "ran longer than"),
        ("{{ 'x' * 10 ** 9 }}", "MemoryError"),
        ("{% for a in range(9999) %}{{ 'xxxxxxxxxx' }}{% endfor %}", "writes more than 20,000 characters"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "SecurityError"),
        ("{% if %}", "TemplateSyntaxError"),
        ("{{ raise_exception('only one question') }}", "only one question"),
        ("{% include '/etc/passwd' %}", "no loader"),
    ],
)
def test_a_template_that_attacks_or_breaks_ends_in_a_sentence(text, says):
    found = template.written(text, EXAMPLE, bos="", eos="")
    assert found.text is None
    assert says in found.problem
