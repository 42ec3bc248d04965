"""A reader's answer on its way into the store: the cheap refusals, screening, one commit.

Nothing typed is lost on the way: whatever is refused goes back into the form, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from flask import request
from sqlalchemy import bindparam, select

from blog import akismet_state, arrivals, limits, screening
from blog.addresses import client_address, network_of
from blog.answers import Answer
from blog.articles import Article
from blog.config import settings
from blog.counters import Counters, Sealed
from blog.db import db, utcnow
from blog.forms import CommentForm
from blog.joint import write_jointly
from blog.lookup import Earlier, look
from blog.models import Comment
from blog.text import clean_line, fold, fold_email
from blog.tokens import digest
from blog.twice import AfterTheFirst

TWICE = timedelta(minutes=10)
SHARED = 1.0  # seconds beyond Akismet's time in which the same answer, sent once more, waits for the first
EARLIER = (
    select(Comment.digest, Comment.token, Comment.network, Comment.created_at)
    .where(Comment.digest.in_(bindparam("some", expanding=True)))
    .order_by(Comment.id)
)
PARENTS = select(Comment.id, Comment.slug).where(
    Comment.id.in_(bindparam("ids", expanding=True)),
    Comment.status == "approved",
    Comment.audience == "public",
)
NO_SUCH_PARENT = (
    "The comment that you reply to is not there any more. Sent again, this becomes a new comment."
)


@dataclass(frozen=True)
class Refused(Exception):
    """Why an answer was not taken: the HTTP status, the words, the field they belong to, seconds to wait."""

    status: int
    words: str
    field: str = ""
    wait: int = 0


def from_elsewhere() -> bool:
    """Whether the browser itself says that another site's page sent this form."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin not in (settings().site_url, f"{request.scheme}://{request.host}")


class Arrival(NamedTuple):
    """A comment on its way into the store, complete with its place, its history and what screening said."""

    comment: Comment
    limits: list[Sealed]
    news: list[Answer]  # about Akismet


def post(form: CommentForm, article: Article) -> str:
    """Screen and store a valid form's comment; its receipt's token, or that of an earlier one sent twice.

    Raises Refused for what cannot be taken, before the paid call where possible.
    """
    parent = find_parent(form.parent.data or "", article.slug)
    comment = draft(form, article, parent)
    asked = limits.seal_all(limit_keys(comment))
    with AfterTheFirst(comment.digest, settings().akismet_timeout + SHARED):
        known = look(comment, asked)
        if earlier := again(comment, known.earlier):
            return earlier
        if wait := Counters(standing=known.counters).wait(asked):
            raise too_fast(wait)
        outcome = screening.screen(comment, article, known, request.form.get(form.honeypot, "").strip())
        screening.apply(comment, outcome)
        answer = write_jointly(enter, Arrival(comment, asked, outcome.news))
        if isinstance(answer, Refused):
            raise answer
        return answer


def enter(arrived: Sequence[Arrival]) -> list[str | Refused]:
    """Store screened comments, inside a writing transaction: the tokens of their receipts, or why not.

    While Akismet was asked, the same form may have come in by a second click, the parent may have gone, and
    others may have posted from the same network. All of that is looked up here, once for all of them, and
    those that came together count for each other as if they had come one by one.
    """
    earlier = sent_before(*(one.comment.digest for one in arrived))
    parents = still_there({one.comment.parent_id for one in arrived if one.comment.parent_id is not None})
    counters = Counters(key for one in arrived for key in one.limits)
    taken: list[Arrival] = []

    def admit(one: Arrival) -> str | Refused:
        comment = one.comment
        try:
            if token := again(comment, earlier.get(comment.digest)):
                return token
            if comment.parent_id is not None and parents.get(comment.parent_id) != comment.slug:
                raise Refused(422, NO_SUCH_PARENT, "parent")
            if wait := counters.take(one.limits):
                raise too_fast(wait)
        except Refused as refused:
            return refused
        earlier[comment.digest] = Earlier(comment.token, comment.network, comment.created_at)
        taken.append(one)
        return comment.token

    answers = [admit(one) for one in arrived]
    if taken:
        counters.store()
        akismet_state.note([answer for one in taken for answer in one.news])
        arrivals.store(*(one.comment for one in taken))
    return answers


def find_parent(value: str, slug: str) -> Comment | None:
    """The comment replied to. One that is pending, spam, elsewhere or nowhere gets the same answer."""
    if not value:
        return None
    found = None
    if value.isascii() and value.isdigit() and len(value) <= 18:
        found = db.session.scalar(
            select(Comment).where(
                Comment.id == int(value),
                Comment.slug == slug,
                Comment.status == "approved",
                Comment.audience == "public",
            )
        )
    if found is None:
        raise Refused(422, NO_SUCH_PARENT, "parent")
    return found


def still_there(ids: set[int]) -> dict[int, str]:
    """Those of these comments that can be replied to, with the articles that they belong to."""
    if not ids:
        return {}
    rows = db.session.connection().execute(PARENTS, {"ids": list(ids)})
    return {row.id: row.slug for row in rows}


def draft(form: CommentForm, article: Article, parent: Comment | None) -> Comment:
    """The comment as it would be stored; all of it comes from the form and the connection."""
    ip = client_address(request.environ, settings().trusted_proxies)
    comment = Comment(
        slug=article.slug,
        parent_id=parent.id if parent else None,
        author=form.author.data,
        email=form.email.data,
        email_folded=fold_email(form.email.data or ""),
        url=form.url.data,
        body=form.body.data,
        reflection=article.reflection,
        created_at=utcnow(),
        status="pending",
        audience=form.audience.data or "public",
        ip=ip,
        network=network_of(ip),
        user_agent=header("User-Agent"),
        referrer=header("Referer"),
        no_akismet=bool(form.no_akismet.data),
    )
    seal(comment)
    comment.begin(parent)
    return comment


def seal(comment: Comment) -> None:
    """Set the digests by which the same answer, and the same text, are found again."""
    who = [
        comment.slug,
        str(comment.parent_id or ""),
        fold(comment.author),
        comment.email_folded,
        comment.body,
    ]
    # The same words for other readers are another answer.
    comment.digest = digest(*who, *(["private"] if comment.audience == "private" else []))
    comment.body_digest = digest(fold(comment.body))


def header(name: str) -> str:
    """A request header as clean text of bounded length."""
    return clean_line(request.headers.get(name, "")[:1000])


def sent_before(*digests: str) -> dict[str, Earlier]:
    """The last comment with each of these digests, where there is one."""
    rows = db.session.connection().execute(EARLIER, {"some": digests})
    return {row.digest: Earlier(row.token, row.network, row.created_at) for row in rows}  # the last one


def again(comment: Comment, earlier: Earlier | None) -> str:
    """The receipt's token of the same answer sent a moment ago from the same address, or "".

    Raises Refused for anybody else, or later.
    """
    if earlier is None:
        return ""
    if earlier.network == comment.network and comment.created_at - earlier.created_at < TWICE:
        return earlier.token
    raise Refused(
        409, "You have said exactly this here already. Change it if you meant to add something.", "body"
    )


def limit_keys(comment: Comment) -> list[tuple[str, str, int, int]]:
    """What is counted: one comment an address and one an e-mail in FLOOD_SECONDS."""
    seconds = settings().flood_seconds
    if not seconds:
        return []
    keys = [
        ("post-address", comment.network or "", 1, seconds),
        ("post-email", comment.email_folded, 1, seconds),
    ]
    if comment.no_akismet:
        keys.append(("person-please", comment.network or "", 10, 86400))
    return keys


def too_fast(wait: int) -> Refused:
    """A refusal that says how long to wait."""
    how_long = f"{wait} second{'' if wait == 1 else 's'}"
    if wait > 120:
        how_long = f"about {-(-wait // 60)} minutes"
    return Refused(
        429, f"That was quick. Please wait {how_long}, then send it again; your text is kept here.", "", wait
    )
