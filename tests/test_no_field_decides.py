"""No field, header or query of a post says what is not its author's to say: state, time, place, author."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from blog.db import db, utcnow
from blog.models import Comment
from tests.conftest import Make, signed_in
from tests.people import Reader

CLAIMED = {
    "id": "4000", "status": "approved", "shown": "1", "created_at": "2001-01-01", "status_at": "2001-01-01",
    "ip": "203.0.113.9", "network": "203.0.113.9", "slug": "second", "article": "second", "depth": "5",
    "root_id": "1", "parent_id": "1", "written_by": "ana", "decided_by": "ana", "verdict": "ham",
    "belief": "ham", "reasons": "[]", "comment_status": "approved", "comment_date": "2001-01-01",
    "user_agent": "Other/1", "digest": "x", "appealed_at": "2001-01-01", "approved": "on", "is_admin": "1",
}  # fmt: skip


def check(app: Flask, number: int) -> None:
    with app.app_context():
        found = db.session.get_one(Comment, number)
        assert (found.status, found.shown, found.slug, found.ip) == (
            "pending",
            False,
            "open-letter",
            "127.0.0.1",
        )
        assert (found.written_by, found.decided_by, found.appealed_at) == (None,) * 3
        assert (found.parent_id, found.root_id, found.depth, found.user_agent) == (None, None, 1, "Mine/1")
        assert utcnow() - found.created_at < timedelta(minutes=1)
        db.session.remove()


def test_no_form_field_sets_what_is_not_the_readers(make: Make) -> None:
    app = make(moderation="all")
    reader = Reader(app, HTTP_USER_AGENT="Mine/1")
    fields = reader.get("/posts/open-letter/").fields("#comment-form")
    typed = {**fields, "author": "Jo", "email": "jo@example.org", "body": "Words."}
    answer = reader.post("/posts/open-letter/comments", {**CLAIMED, **typed})
    assert answer.status == 303
    check(app, 1)
    receipt = answer.headers["Location"]
    reader.post(f"{receipt}/edit", {**CLAIMED, "body": "Other words."})
    assert "Other words." in reader.get(receipt).text
    check(app, 1)
    headers = {f"X-{name}": value for name, value in CLAIMED.items()} | {"X-Forwarded-For": "203.0.113.9"}
    more = reader.client.post(
        "/posts/open-letter/comments",
        data={**typed, "body": "With headers and a query."},
        headers=headers,
        query_string=CLAIMED,
    )
    assert more.status_code == 303
    check(app, 2)
    assert signed_in(app).desk(status="approved").all("[data-comment]") == []
