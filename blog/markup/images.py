"""Images of an article: their place on the site, their captions, and how large they are.

The size comes from the first bytes of the file, so that no page jumps while it loads.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree.ElementTree import Element

from blog.sources import Stamp, asset, stamp_of

Size = tuple[int, int]

# Photographs carry thumbnails and colour profiles before the size; more than this is not worth reading.
MAX_READ = 512_000


class Pictures:
    """Images get a place on the site, a size, a caption; links to files beside the article a full address."""

    def __init__(self, base: str, folder: Path | None, root: Path | None) -> None:
        self._base, self._folder, self._root = base, folder, root
        self.seen: dict[Path, Stamp | None] = {}
        self._first = True

    def place(self, root: Element) -> None:
        for link in root.iter("a"):
            link.set("href", self._full(link.get("href", "")))
        for image in root.iter("img"):
            self._measure(image, image.get("src", ""))
            image.set("src", self._full(image.get("src", "")))
        for paragraph in root.iter("p"):
            self._caption(paragraph)

    def _full(self, address: str) -> str:
        return urljoin(self._base, address) if self._base and _is_beside(address) else address

    def _measure(self, image: Element, address: str) -> None:
        if not self._first:
            image.set("loading", "lazy")
        self._first = False
        if self._folder is None or not _is_beside(address):
            return
        name = unquote(urlsplit(address).path).removeprefix("./")
        path = asset(self._root or self._folder, self._folder, name)
        missing = self._folder / name
        self.seen[path or missing] = stamp_of(path) if path else None
        size = size_of(path) if path and not {"width", "height"} & image.attrib.keys() else None
        if size:
            image.set("width", str(size[0]))
            image.set("height", str(size[1]))

    def _caption(self, paragraph: Element) -> None:
        """An image alone in a paragraph, linked or not, becomes a figure when it has a title as caption."""
        if len(paragraph) != 1 or (paragraph.text or "").strip() or (paragraph[0].tail or "").strip():
            return
        image = paragraph[0]
        if (
            image.tag == "a"
            and len(image) == 1
            and not (image.text or "").strip()
            and not (image[0].tail or "").strip()
        ):
            image = image[0]
        if image.tag == "img" and image.get("title"):
            paragraph.tag = "figure"
            caption = Element("figcaption")
            caption.text = image.attrib.pop("title")
            paragraph.append(caption)


def _is_beside(address: str) -> bool:
    """Whether an address is relative: neither a place on this site, nor a fragment, nor elsewhere."""
    try:
        return bool(address) and address[0] not in "/#?" and not urlsplit(address).scheme
    except ValueError:
        return False


def size_of(path: Path) -> Size | None:
    """Width and height in CSS pixels as a browser shows the image; None when the file does not say."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_READ)
        found = _size(data)
    except (OSError, ValueError, IndexError):
        return None
    return found if found and 0 < found[0] <= 100_000 and 0 < found[1] <= 100_000 else None


def _size(data: bytes) -> Size | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return _big(data, 16, 4), _big(data, 20, 4)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        place = data.find(b"ispe")
        return (_big(data, place + 8, 4), _big(data, place + 12, 4)) if place > 0 else None
    return _svg(data)


def _big(data: bytes, start: int, length: int) -> int:
    return int.from_bytes(data[start : start + length], "big")


def _jpeg(data: bytes) -> Size | None:
    place, turned = 2, False
    while place + 9 < len(data) and data[place] == 0xFF:
        kind, length = data[place + 1], _big(data, place + 2, 2)
        if kind == 0xFF:  # a fill byte
            place += 1
            continue
        if kind == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            turned = _lies_on_its_side(data[place + 10 : place + 2 + length])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = _big(data, place + 5, 2), _big(data, place + 7, 2)
            return (height, width) if turned else (width, height)
        place += 2 + length
    return None


def _lies_on_its_side(exif: bytes) -> bool:
    """Telephones store a portrait as a landscape and a note (EXIF tag 0x112, values 5 to 8) to turn it."""
    order = "little" if exif[:2] == b"II" else "big"

    def number(start: int, length: int) -> int:
        return int.from_bytes(exif[start : start + length], order)  # type: ignore[arg-type]

    table = number(4, 4)
    for entry in range(min(number(table, 2), 200)):
        start = table + 2 + 12 * entry
        if number(start, 2) == 0x112:
            return 5 <= number(start + 8, 2) <= 8
    return False


def _webp(data: bytes) -> Size | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return None


def _svg(data: bytes) -> Size | None:
    tag = re.search(rb"<svg\b[^>]{0,2000}>", data[:8000])
    if not tag:
        return None
    sides = [
        re.search(rb"\s" + name + rb"=[\"']([0-9.]{1,8})(?:px)?[\"']", tag[0])
        for name in (b"width", b"height")
    ]
    if sides[0] and sides[1]:
        return round(float(sides[0][1])), round(float(sides[1][1]))
    box = re.search(
        rb"\sviewBox=[\"'][-0-9.]+[\s,]+[-0-9.]+[\s,]+([0-9.]{1,8})[\s,]+([0-9.]{1,8})[\"']", tag[0]
    )
    return (round(float(box[1])), round(float(box[2]))) if box else None
