"""The tests' blogs share what is the same for all of them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.akismet_standin import SPAM, AkismetStandIn
from tests.conftest import Make, signed_in
from tests.people import Reader


@pytest.mark.parametrize("turn", ["before", "after"])
def test_a_test_begins_with_nothing_of_the_one_before(make: Make, akismet: AkismetStandIn, turn: str) -> None:
    app = make()
    assert (len(akismet.requests), akismet.connections) == (0, 0)
    assert not Reader(app).get("/posts/open-letter/").all("#comments article")
    Reader(app).stored(body="Said in a test.")
    assert signed_in(app).desk(status="approved").text.count("Said in a test.") == 1
    akismet.answer_with(SPAM)


def test_two_blogs_have_articles_comments_and_addresses_of_their_own(make: Make, tmp_path: Path) -> None:
    for name in ("one", "two"):
        content, data = tmp_path / name, tmp_path / f"data-{name}"
        content.mkdir()
        (content / "open-letter.md").write_text(f"---\ntitle: Of {name}\ndate: 2026-01-02\n---\n\nHello.\n")
        app = make(data_dir=data, content_dir=content, site_name=name, secret_key=name * 20)
        reader = Reader(app)
        reader.stored(body=f"Said in {name}.")
        page = reader.get("/posts/open-letter/")
        assert page.words("h1") == f"Of {name}"
        assert page.text.count("Said in ") == page.text.count(f"Said in {name}.") == 1
        assert signed_in(app).desk(status="all").text.count("Said in ") == 1
        assert reader.get("/feed.xml").text.count(f"<title>{name}</title>") == 1
