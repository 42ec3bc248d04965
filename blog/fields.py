"""The one table of personal data: what is collected, why, what Akismet gets, what is public, what is kept.

From it come the payload, the receipt's list of what was sent, the privacy page, what retention blanks and
what an erasure empties. A column or a parameter that stands nowhere here fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from blog.config import Settings

if TYPE_CHECKING:
    from blog.article import Article
    from blog.models import Comment

# A field that people do not see. Programs like to fill in a subject; browsers never do it by themselves.
HONEYPOT = "subject"


class Given(NamedTuple):
    """What the values of a payload are taken from."""

    comment: Comment
    article: Article | None
    settings: Settings
    now: datetime
    recheck_reason: str
    honeypot: str


Value = Callable[[Given], str | list[str]]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is known about a comment or its author.

    `label` and `why` are for people. `columns` are Comment's, or TABLE.COLUMN. `sends` are the parameters
    that Akismet gets, with their values. `kept` is a key of KEPT. `public`: readers see it once the comment
    is approved. `erase_to` is what an erasure leaves in its columns, KEEP to leave them as they are.
    """

    label: str
    why: str
    columns: tuple[str, ...] = ()
    sends: Mapping[str, Value] = field(default_factory=dict)
    kept: str = "comment"
    public: bool = False
    erase_to: str | None = None


KEEP = "keep"

# How long, in words; the numbers are the running settings'.
KEPT = {
    "comment": "As long as the comment; spam and rejected comments go {spam_days} days after the decision",
    "retention": "{retention_days} days after the decision; for the author only: after it came",
    "log": "As long as the blog; nothing in it says who you are",
    "limit": "Until the limit has passed, a day at most, and only as a keyed hash",
    "sample": "A few, drawn by lot each week, until a person has judged them; five weeks at most",
    "never": "Not kept apart from what was sent",
    "article": "It belongs to the article, not to you",
}


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _permalink(given: Given) -> str:
    # An article that is gone had the address that its slug gives.
    path = given.article.url if given.article else f"/posts/{quote(sendable(given.comment.slug))}/"
    return given.settings.site_url.rstrip("/") + path


def _language(given: Given) -> str:
    tag = (given.article.language if given.article else "") or given.settings.language
    return tag.replace("-", "_").lower()  # Akismet writes fr_ca


def _changed(given: Given) -> str:
    return _time((given.article.modified or given.article.date) if given.article else None)


def _trapped(given: Given) -> str | list[str]:
    # Asked again, a comment has only what was submitted then.
    return given.honeypot or (given.comment.submitted or {}).get(HONEYPOT, "")


def _by_wire(given: Given) -> str:
    """The wire adds these: the key to each call, the others when a person corrects Akismet."""
    return ""


FIELDS = (
    Field(
        "Your name",
        "Stands above your comment; together with the e-mail address it tells whether you were here before",
        ("author",),
        {"comment_author": lambda given: given.comment.author},
        public=True,
        erase_to="Anonymous",
    ),
    Field(
        "Your e-mail address",
        "Tells whether you were here before, and finds your comments when you ask for them",
        ("email", "email_folded"),
        {"comment_author_email": lambda given: given.comment.email},
        erase_to="",
    ),
    Field(
        "Your website",
        "Linked from your name, when you typed one",
        ("url",),
        {"comment_author_url": lambda given: given.comment.url},
        public=True,
        erase_to="",
    ),
    Field(
        "Your comment, earlier versions included",
        "It is what all this is about",
        ("body", "version.body"),
        {"comment_content": lambda given: given.comment.body},
        public=True,
        erase_to="",
    ),
    Field(
        "Your IP address and its network",
        "Limits floods, and is the one thing that Akismet cannot do without",
        ("ip", "network"),
        {"user_ip": lambda given: given.comment.ip or ""},
        kept="retention",
    ),
    Field(
        "The name that your browser gives itself (user agent) and the page that you came from (referrer)",
        "Help to tell people from programs",
        ("user_agent", "referrer"),
        {
            "user_agent": lambda given: given.comment.user_agent or "",
            "referrer": lambda given: given.comment.referrer or "",
        },
        kept="retention",
    ),
    Field(
        "When you wrote it, and when you changed it",
        "Puts comments in order",
        ("created_at", "edited_at"),
        {"comment_date_gmt": lambda given: _time(given.comment.created_at) or _time(given.now)},
        public=True,
        erase_to=KEEP,
    ),
    Field(
        "The comment that you reply to",
        "Puts your reply in its place",
        ("parent_id", "root_id", "depth"),
        {
            "comment_parent": lambda given: str(given.comment.parent_id or ""),
            "comment_type": lambda given: "reply" if given.comment.parent_id else "comment",
        },
        public=True,
        erase_to=KEEP,
    ),
    Field(
        "What stands in a field of the form that people do not see",
        "Programs fill it in",
        sends={"honeypot_field_name": lambda given: HONEYPOT, HONEYPOT: _trapped},
        kept="never",
    ),
    Field(
        "The article's address, tags, language and date, this blog's address, and why Akismet is asked again",
        "Tells Akismet what the comment is about",
        sends={
            "recheck_reason": lambda given: given.recheck_reason,
            "permalink": _permalink,
            "comment_post_modified_gmt": _changed,
            "comment_context[]": lambda given: list(given.article.tags) if given.article else [],
            "blog": lambda given: given.settings.site_url,
            "blog_lang": _language,
            "blog_charset": lambda given: "UTF-8",
            "api_key": _by_wire,
        },
        kept="article",
    ),
    Field(
        "When Akismet was wrong: the name of the moderator who decided, and what Akismet had said",
        "Akismet learns from corrections",
        ("decided_by", "verdict", "belief"),
        {"reporter": _by_wire, "comment_check_response": _by_wire},
        erase_to=KEEP,
    ),
    Field(
        "The moderator's name above a moderator's answer",
        "Tells it from everybody else's",
        ("written_by",),
        public=True,
        erase_to=KEEP,
    ),
    Field("That a person should read it first", "Keeps it away from Akismet", ("no_akismet",), erase_to=KEEP),
    Field(
        "What was sent to Akismet, and what came back",
        "Lets you see it, and lets a mistake be reported with the same values",
        ("submitted", "answer"),
        kept="retention",
    ),
    Field(
        "A fingerprint of your comment", "Tells when it is sent twice", ("digest", "body_digest"), erase_to=""
    ),
    Field("What it matched of the word lists here", "Says why it was held", ("matched",), kept="retention"),
    Field("A copy", "Shows how often Akismet is wrong", ("sample.author", "sample.body"), kept="sample"),
    Field("That you follow replies by mail", "Sends you those", ("follow.asked_at", "follow.confirmed_at")),
    Field("Your appeal", "A person reads it before deciding again", ("appeal_words",)),
    Field("The history of your comment", "Says who decided what", ("event.actor", "event.note"), kept="log"),
    Field("How often you posted lately", "Limits floods", ("rate_limit.key",), kept="limit"),
)

# Columns of Comment that retention sets to null.
TEMPORARY_COLUMNS = tuple(column for field in FIELDS if field.kept == "retention" for column in field.columns)
# Columns of Comment that an erasure sets, and to what.
ERASED_COLUMNS: Mapping[str, str | None] = {
    column: field.erase_to
    for field in FIELDS
    if field.erase_to != KEEP
    for column in field.columns
    if "." not in column
}
# Every name that a request to Akismet may carry, and how its value is found.
PARAMETERS: Mapping[str, Value] = {name: value for field in FIELDS for name, value in field.sends.items()}


def payload(
    comment: Comment,
    article: Article | None,
    settings: Settings,
    now: datetime,
    recheck_reason: str = "",
    honeypot: str = "",
) -> dict[str, str | list[str]]:
    """What Akismet is sent about a comment, by parameter, without the key; empty values are left out.

    Only the hidden field is sent empty: that it is empty is what Akismet wants to know.
    """
    given = Given(comment, article, settings, now, recheck_reason, honeypot)
    found: dict[str, str | list[str]] = {}
    for name, value_of in PARAMETERS.items():
        value = value_of(given)
        if value or name == HONEYPOT:
            found[name] = sendable(value) if isinstance(value, str) else [sendable(one) for one in value]
    return found


def sendable(text: str) -> str:
    """The text without what UTF-8 or a database cannot hold: half a surrogate pair, NUL."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def sent_rows(submitted: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Parameter and value of what was sent, in the table's order; a list is joined by a comma and a space."""
    return [
        (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in (submitted or {}).items()
    ]


class PrivacyRow(NamedTuple):
    """One line of the privacy page; `sent` are the parameters that Akismet gets, joined by commas, or ""."""

    label: str
    why: str
    sent: str
    public: bool
    kept: str


def privacy_rows(settings: Settings) -> list[PrivacyRow]:
    """The whole table in words, with the numbers of the running settings; without a key nothing is sent."""
    return [
        PrivacyRow(
            field.label,
            field.why,
            ", ".join(field.sends) if settings.screens else "",
            field.public,
            KEPT[field.kept].format(spam_days=settings.spam_days, retention_days=settings.retention_days),
        )
        for field in FIELDS
        if settings.screens or field.columns
    ]
