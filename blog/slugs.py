"""Names inside addresses: of articles, tags and headings; and the site paths of old addresses."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

MAX_SLUG = 80
MAX_PATH = 500

# Letters that Unicode does not take apart into a Latin letter and a mark.
_LATIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})
_ACCENTS = re.compile("([a-z])[\u0300-\u036f]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def slugify(words: str) -> str:
    """`words` in lower case with hyphens between: a-z and 0-9 for Latin scripts, other letters as they are.

    At most MAX_SLUG characters; empty when there is no letter or digit at all.
    """
    # Twice, because taking ℠ apart makes capitals, and lower case makes what can be taken apart.
    spread = unicodedata.normalize("NFKD", words[: 4 * MAX_SLUG]).casefold()
    spread = unicodedata.normalize("NFKD", spread).translate(_LATIN)
    plain = unicodedata.normalize("NFC", _ACCENTS.sub(r"\1", spread)).replace("'", "").replace("’", "")
    kept = "".join(letter if _stays(letter) else " " for letter in plain)
    return "-".join(kept.split())[:MAX_SLUG].strip("-")


def _stays(letter: str) -> bool:
    # Vowel signs of Indic scripts are marks, not letters, and words fall apart without them.
    return letter.isalnum() or unicodedata.category(letter) in ("Mn", "Mc")


def site_path(address: str) -> str | None:
    """The path (and query, if any) of an old address, without host and fragment; None if it has none.

    The result begins with exactly one slash and never climbs, so that it cannot name another site.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return None
    segments = unquote(parts.path).replace("\\", "/").split("/")
    if ".." in segments or "." in segments:
        return None
    end = "/" if segments[-1] == "" else ""
    path = "/" + "/".join(filter(None, segments))
    path = path + end if path != "/" else path
    path += f"?{parts.query}" if parts.query else ""
    return None if _CONTROL.search(path) or len(path) > MAX_PATH or path == "/" else path


def path_key(path: str) -> str:
    """What `/old`, `/old/` and `/old/index.html` have in common; for looking up old addresses."""
    path, mark, query = path.partition("?")
    return (path.removesuffix("index.html").rstrip("/") or "/") + mark + query
