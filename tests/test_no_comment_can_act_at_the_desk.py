"""Whatever a stranger writes, nothing acts in a moderator's browser, which shows what nobody approved."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import html5lib
import pytest
from flask import Flask

from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import signed_in
from tests.people import Page, Reader
from tests.test_every_route import addresses

XHTML = "{http://www.w3.org/1999/xhtml}"
MARK = "zqx"
HOSTILE = (
    f"<script>{MARK}()</script>",
    f"\"'><img src={MARK} onerror={MARK}()>",
    f"</textarea></title></style></script><svg/onload={MARK}()>",
    f"<a href='javascript:{MARK}()'>a</a> [b](javascript:{MARK}()) <javascript:{MARK}()>",
    f"{{{{ {MARK} }}}}{{% {MARK} %}}${{{MARK}}}",
    f"--><iframe src=//{MARK}.example><![CDATA[",
)


def elements(page: Page) -> Iterator[Any]:
    """All of them, as a browser builds them."""
    return (element for element in html5lib.parse(page.text).iter() if isinstance(element.tag, str))


def nothing_acts(page: Page, where: str) -> None:
    """What was typed is text: in no name of an element or attribute, no script, no address that runs."""
    for element in elements(page):
        tag = element.tag.removeprefix(XHTML)
        assert tag not in ("iframe", "object", "embed", "base"), (where, tag)
        if (
            tag == "script" and element.get("type") != "application/ld+json"
        ):  # which is data, and runs nowhere
            assert not (element.text or "").strip(), (where, element.text)
        assert tag not in ("img", "script") or MARK not in element.get("src", ""), where
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), (where, tag, name)
            assert name != "style", (where, tag)
            assert MARK not in name, (where, tag, name)
            if name in ("href", "src", "action", "formaction"):
                assert not value.strip().lower().startswith(("javascript:", "data:", "vbscript:")), (
                    where,
                    value,
                )


@pytest.fixture
def hostile(app: Flask, akismet: AkismetStandIn) -> list[str]:
    """Hostile comments in every state, and their receipts."""
    receipts = []
    for number, text in enumerate(HOSTILE):
        reader = Reader(app, HTTP_USER_AGENT=text, HTTP_REFERER=f"https://{MARK}.example/{text}")
        typed = {"author": text[:90], "email": f"{MARK}{number}@example.org", "body": f"{text}\n\n> {text}"}
        akismet.answer_with(SPAM)
        receipts.append(reader.stored(**typed))
        receipts.append(reader.stored(**{**typed, "body": text}, no_akismet="y"))
        reader.post(f"{receipts[-1]}/edit", {"body": f"{text} edited {text}"})
        reader.post(f"{receipts[-2]}/appeal", {"words": text})
        reader.stored(**{**typed, "body": f"Ham: {text}"})
    moderator = signed_in(app)
    moderator.decide("reject", 1, 2, reason="other", note=HOSTILE[1])
    return receipts


def test_no_field_acts_on_any_page_of_the_desk(app: Flask, hostile: list[str]) -> None:
    moderator = signed_in(app)
    looked = 0
    for number in range(1, 3 * len(HOSTILE) + 1):
        for address in (f"/moderation/comments/{number}", f"/comments/{number}"):
            nothing_acts(moderator.get(address), address)
    for address in addresses(app, "GET", token=hostile[0].rsplit("/", 1)[-1]):
        for query in (
            {},
            {"q": HOSTILE[0], "status": "all"},
            {"q": MARK, "status": "spam", "page": HOSTILE[1]},
        ):
            page = Page(moderator.client.get(address, query_string=query))
            if "html" in page.headers.get("Content-Type", "") and page.text:
                nothing_acts(page, f"{address} {query}")
                looked += MARK in page.text
    assert looked > 10
    for receipt in hostile:
        nothing_acts(moderator.get(receipt), receipt)


def test_no_field_acts_in_a_preview_or_a_refusal(app: Flask, hostile: list[str]) -> None:
    reader, moderator = Reader(app), signed_in(app)
    token, statuses = moderator.desk().fields("form[action='/logout']")["csrf_token"], set[int]()
    for text in HOSTILE:
        for more in ({"preview": "1"}, {"email": text}, {"parent": text}, {"url": text}, {"token": text}):
            answer = reader.answer(**{"author": text, "body": text, **more})
            nothing_acts(answer, str(more))
        for fields in ({"name": text, "password": text}, {"body": text, "note": text, "decision": text}):
            for address in addresses(app, "POST", token="unknown"):
                if address == "/logout":
                    continue
                page = moderator.post(address, {"csrf_token": token, **fields})
                if "html" in page.headers.get("Content-Type", "") and page.text:
                    nothing_acts(page, address)
                statuses.add(page.status)
    assert {404, 422} <= statuses  # and not only forms that were refused for their token


def test_no_html_is_stored(app: Flask, tmp_path: Path) -> None:
    reader = Reader(app)
    assert reader.answer(body="Some *words* and [a link](https://a.example/).").status == 303
    assert "<em>words</em>" in reader.get("/posts/open-letter/").text
    with sqlite3.connect(tmp_path / "data" / "blog.db") as store:
        everything = "\n".join(store.iterdump())
    # So a renderer that was mended shows old comments in the mended way.
    assert "Some *words* and" in everything
    assert "<em>" not in everything
    assert "nofollow" not in everything
