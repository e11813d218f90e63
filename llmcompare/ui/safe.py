"""Text from data, made harmless for Streamlit's Markdown."""

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: str) -> str:
    r"""The same characters, none of them markup: no formula, link, emoji code, colour or HTML.

    >>> print(plain("$5 <b> :red[x]"))
    \$5 \<b\> \:red\[x\]
    """
    return _PUNCTUATION.sub(r"\\\1", text.replace("\n", " "))
