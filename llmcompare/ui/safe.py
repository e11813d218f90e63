"""Text from data or from a model, made harmless for Streamlit's Markdown."""

import re

from markdown_it import MarkdownIt

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_BLOCKS = MarkdownIt("commonmark")


def plain(text: str) -> str:
    r"""The same characters, none of them markup: no formula, link, emoji code, colour or HTML.

    >>> print(plain("$5 <b> :red[x]"))
    \$5 \<b\> \:red\[x\]
    """
    return _PUNCTUATION.sub(r"\\\1", text.replace("\n", " "))


def markdown(text: str) -> str:
    r"""Markdown that a model wrote, without images: a browser would fetch them from another host.

    Streamlit shows HTML as text, so an image of Markdown is the only thing that could reach out. It stays as a link,
    which only a click opens; code is left as it is.

    >>> print(markdown("**bold** ![cat](http://host/cat.png)"))
    **bold** \![cat](http://host/cat.png)
    """
    lines = text.split("\n")
    code = {
        number
        for block in _BLOCKS.parse(text)
        if block.type in ("fence", "code_block") and block.map
        for number in range(*block.map)
    }
    return "\n".join(line if number in code else _without_images(line) for number, line in enumerate(lines))


def _without_images(line: str) -> str:
    # Only an odd number of backslashes escapes, so one is added unless the mark is escaped already.
    return re.sub(r"(\\*)!(?=\[)", lambda found: found[1] + ("!" if len(found[1]) % 2 else r"\!"), line)
