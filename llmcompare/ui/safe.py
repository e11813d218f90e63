"""Text from data or from a model, made harmless for Streamlit's Markdown."""

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_ADDRESS = re.compile(r"(https?(?=\\:)|www(?=\\\.)|(?<=[-.\w+])(?=\\@))", re.IGNORECASE)
"""Where a bare address of the web or of a person is cut, in text that is escaped already."""
NOTHING = ":small[]"
"""Markup of Streamlit that shows nothing. Its parser makes links of bare addresses after it took backslashes away, but
only within one piece of text."""
_IMAGE_MARK = re.compile(r"(\\*)!(?=\[)")


def plain(text: str) -> str:
    r"""The same characters, none of them markup: no formula, link, emoji code, colour or HTML.

    >>> print(plain("$5 <b> :red[x] www.host.org"))
    \$5 \<b\> \:red\[x\] www:small[]\.host\.org
    """
    escaped = _PUNCTUATION.sub(r"\\\1", text.replace("\n", " "))
    return _ADDRESS.sub(rf"\1{NOTHING}", escaped)


def markdown(text: str) -> str:
    r"""Markdown that a model wrote, without images: a browser would fetch them from another host.

    Streamlit shows HTML as text, so an image of Markdown is the only thing that could reach out. It stays as a link,
    which only a click opens. Code is not spared, because what is code depends on who reads it.

    >>> print(markdown("**bold** ![cat](http://host/cat.png)"))
    **bold** \![cat](http://host/cat.png)
    """
    # Only an odd number of backslashes escapes, so one is added unless the mark is escaped already.
    return _IMAGE_MARK.sub(lambda found: found[1] + ("!" if len(found[1]) % 2 else r"\!"), text)
