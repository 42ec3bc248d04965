"""An author's Markdown as HTML. Authors are trusted, their HTML passes; readers' words go to comment.py.

Nothing here needs an inline style or a script: alignment and highlighting are classes (`.highlight` holds
Pygments' short classes, cells have `.left`, `.center` or `.right`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import markdown
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup

from blog.markup.images import Pictures
from blog.markup.typography import marks_of
from blog.slugs import slugify
from blog.sources import Stamp

# A page's own elements have these ids, so no heading may take one: labels and links would lead to it.
_RESERVED_IDS = """
    answer answers audience author authors body care close closed code comment comment-count comment-form
    comments comments-title content counts draft email errors footer form form-draft form-errors form-related
    header help keep main menu moderation name nav next no_akismet note notes notice open parent preview
    problem question receipt reflection related remember replies reply reply-label reply-line said search
    sent submit text title toc token top url
"""
RESERVED_IDS = frozenset(_RESERVED_IDS.split())
TOC_HEADINGS = 3
TOC_WORDS = 700

_BLOCKS = {
    "ul",
    "ol",
    "p",
    "pre",
    "div",
    "blockquote",
    "table",
    "dl",
    "figure",
    "hr",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """An article as HTML, and what that HTML depends on besides the text."""

    html: Markup
    toc: Markup  # a nested <ul>; empty for short articles, and where the author placed [TOC]
    pictures: tuple[tuple[Path, Stamp | None], ...]  # the images beside the article, None for a missing one
    trouble: str = ""  # why the text is shown as it was typed


def render_article(
    text: str, *, base: str = "", folder: Path | None = None, root: Path | None = None, language: str = "en"
) -> Rendered:
    """An article's Markdown as HTML that begins at h2; any error of the parser reaches the caller.

    `base` is the article's address, which relative links and images are joined to; `folder` holds its images
    and `root` the whole content, out of which no image is looked for.
    """
    pictures = Pictures(base, folder, root)
    parser = _parser(language, pictures)
    html = parser.convert(text)
    # A wide block scrolls by itself; who has no mouse needs it in the tab order for that.
    html = html.replace('<div class="highlight"><pre>', '<div class="highlight"><pre tabindex="0">')
    tokens: list[dict[str, Any]] = getattr(parser, "toc_tokens", [])
    wanted = count_words(text) >= TOC_WORDS and "[TOC]" not in text and _count(tokens) >= TOC_HEADINGS
    return Rendered(Markup(html), _toc(tokens) if wanted else Markup(), tuple(pictures.seen.items()))  # noqa: S704


def count_words(text: str) -> int:
    """Words of a text for an estimate of reading time; two signs of Chinese or Japanese count as one."""
    dense = len(re.findall("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]", text))
    return (
        len(re.findall(r"[^\W_]+(?:['’.-][^\W_]+)*", re.sub("[\u3040-\u30ff\u3400-\u9fff]", " ", text)))
        + dense // 2
    )


def _parser(language: str, pictures: Pictures) -> markdown.Markdown:
    start, end, inner, inner_end = marks_of(language)
    quotes = {"left-double-quote": start, "right-double-quote": end}
    quotes |= {"left-single-quote": inner, "right-single-quote": inner_end} if inner_end == "’" else {}
    parser = markdown.Markdown(
        output_format="html",
        extensions=[
            "abbr", "attr_list", "def_list", "footnotes", "md_in_html", "sane_lists", "smarty", "tables",
            "toc", "pymdownx.highlight", "pymdownx.superfences", "pymdownx.tilde",
        ],
        extension_configs={
            "footnotes": {"BACKLINK_TITLE": "↑ {}", "USE_DEFINITION_ORDER": False},
            "smarty": {"substitutions": quotes},
            "toc": {"slugify": _heading_id, "toc_depth": "2-3"},
            "pymdownx.highlight": {"css_class": "highlight", "guess_lang": False, "use_pygments": True},
            "pymdownx.tilde": {"subscript": False},
        },
    )  # fmt: skip
    # Python-Markdown's own steps: inline 20, attr_list 8, smarty 6, toc 5.
    for priority, step in ((25, _levels), (19, _tasks), (18, _tables), (7.5, pictures.place), (4, _anchors)):
        parser.treeprocessors.register(_Step(parser, step), step.__name__, priority)
    return parser


class _Step(Treeprocessor):
    """One of the functions below as a step of Python-Markdown."""

    def __init__(self, parser: markdown.Markdown, change: Callable[[Element], None]) -> None:
        super().__init__(parser)
        self._change = change

    def run(self, root: Element) -> None:
        self._change(root)


def _heading_id(heading: str, separator: str) -> str:
    name = slugify(heading) or "section"
    return (
        f"{name}-section" if name in RESERVED_IDS or re.match(r"(comment|reply|form|field)-", name) else name
    )


def _levels(root: Element) -> None:
    """Headings begin at h2, below the page's title, and go down one level at a time."""
    headings = [element for element in root.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    top = min((int(heading.tag[1]) for heading in headings), default=2)
    last = 1
    for heading in headings:
        last = min(int(heading.tag[1]) - top + 2, last + 1, 6)
        heading.tag = f"h{last}"


def _anchors(root: Element) -> None:
    """Each heading is a link to itself, unless it holds a link of the author's."""
    for heading in [element for element in root.iter() if re.fullmatch("h[2-6]", str(element.tag))]:
        if heading.find(".//a") is None and heading.get("id"):
            link = Element("a", {"class": "anchor", "href": f"#{heading.get('id')}"})
            link.text, heading.text = heading.text, None
            link.extend(list(heading))
            heading[:] = [link]


def _tasks(root: Element) -> None:
    """`[ ] ` and `[x] ` at the start of a list item become a checkbox with the item's words as its label."""
    for item in root.iter("li"):
        home = item[0] if len(item) and item[0].tag == "p" and not (item.text or "").strip() else item
        mark = re.match(r"\s*\[([ xX])\]\s+", home.text or "")
        if not mark:
            continue
        item.set("class", "task-list-item")
        label = Element("label")
        box = Element("input", {"type": "checkbox", "disabled": "disabled"})
        if mark[1] != " ":
            box.set("checked", "checked")
        box.tail = f" {(home.text or '')[mark.end() :]}"
        blocks = next((number for number, child in enumerate(home) if child.tag in _BLOCKS), len(home))
        label.extend([box, *home[:blocks]])
        home.text = None
        home[:blocks] = [label]


def _tables(root: Element) -> None:
    """Alignment as classes, and a frame that scrolls when a table is wider than the page."""
    for parent in [element for element in root.iter() if element.find("table") is not None]:
        for number, child in enumerate(parent):
            if child.tag == "table":
                frame = Element("div", {"class": "table", "tabindex": "0"})
                frame.tail, child.tail = child.tail, None
                frame.append(child)
                parent[number] = frame
    for cell in [*root.iter("th"), *root.iter("td")]:
        align = re.fullmatch(r"text-align: (left|center|right);", cell.attrib.get("style", ""))
        if align:
            del cell.attrib["style"]
            cell.set("class", align[1])


def _count(tokens: list[dict[str, Any]]) -> int:
    return sum(1 + _count(token["children"]) for token in tokens)


def _toc(tokens: list[dict[str, Any]]) -> Markup:
    items = []
    for token in tokens:
        name = Markup(token["name"])  # noqa: S704  (out of the finished HTML, with its entities)
        item = Markup('<li><a href="#{}">{}</a>{}</li>').format(token["id"], name, _toc(token["children"]))
        items.append(item)
    return Markup("<ul>{}</ul>").format(Markup().join(items)) if items else Markup()
