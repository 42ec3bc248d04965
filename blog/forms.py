"""What a browser may send: bounds, and the words for what is wrong."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Form, HiddenField, StringField, TextAreaField
from wtforms.validators import ValidationError

from blog import text
from blog.fields import HONEYPOT
from blog.markup.comment import safe_url
from blog.tokens import check_token, make_token
from blog.values import mailbox


class Bounded:
    """A text of at most `most` characters; the message says how long it is and how long it may be."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, form: Form, field: StringField) -> None:
        long = len(field.data or "")
        if long > self.most:
            raise ValidationError(
                f"This is {long:,} characters long; at most {self.most:,} fit. Please shorten it."
            )


def _line(value: str | None) -> str:
    return text.clean_line(value or "")


def _lines(value: str | None) -> str:
    return text.clean_text(value or "")


class CommentForm(Form):
    """The public form. Its page belongs to all readers, so its token is bound to the article instead."""

    author = StringField("Name", filters=[_line], validators=[Bounded(text.AUTHOR_MAX)])
    email = StringField("E-mail", filters=[_line], validators=[Bounded(text.EMAIL_MAX)])
    url = StringField("Website", filters=[_line], validators=[Bounded(text.URL_MAX)])
    body = TextAreaField("Your answer", filters=[_lines], validators=[Bounded(text.BODY_MAX)])
    parent = HiddenField()
    audience = StringField("Who may read it", default="public")
    no_akismet = BooleanField(
        "Do not send this to Akismet; a person reads it first", false_values=("", False)
    )
    token = HiddenField()
    honeypot = HONEYPOT

    def __init__(self, slug: str, label: str, formdata: Any = None) -> None:
        super().__init__(formdata)
        self.slug = slug
        self.is_blank = formdata is None
        if label:
            self.body.label.text = label
        if self.is_blank:
            self.token.data = make_token(slug)

    def renew(self) -> None:
        """Put a new token in the place of a stale one."""
        if not check_token(self.slug, self.token.data or ""):
            self.token.data = make_token(self.slug)

    def validate_author(self, field: StringField) -> None:
        """A name that somebody can see."""
        if not field.data or text.is_invisible(field.data):
            raise ValidationError("Please give a name that others can see; it need not be your real one.")

    def validate_email(self, field: StringField) -> None:
        """An address that mail could be sent to; nobody looks it up on the network."""
        if not field.data:
            raise ValidationError("Please give your e-mail address; it is never shown.")
        try:
            mailbox(field.data)
        except ValueError:
            raise ValidationError(
                "This does not look like an e-mail address; it should be like name@example.org."
            ) from None

    def validate_url(self, field: StringField) -> None:
        """An http(s) address, or none."""
        if field.data and safe_url(field.data) is None:
            raise ValidationError(
                "A website's address begins with https:// or http://. You can also leave this empty."
            )

    def validate_body(self, field: StringField) -> None:
        """Words to read."""
        if not field.data or text.is_invisible(field.data):
            raise ValidationError("Please write something first.")

    def validate_audience(self, field: StringField) -> None:
        """Everybody or the blog's author; what is unclear is not guessed, so nothing slips out."""
        if field.data not in ("public", "private"):
            field.data = "private"
            raise ValidationError(
                "“Only me” needs a script in your browser. Nothing was stored: please choose again."
            )

    def validate_token(self, field: HiddenField) -> None:
        """Made here, for this article, within a day; otherwise the form comes back with a new one."""
        if not check_token(self.slug, field.data or ""):
            self.renew()
            raise ValidationError(
                "This form was open for a long time. Nothing is lost: please send it once more."
            )


class EditForm(Form):
    """The author's new text for a comment that still waits."""

    body = TextAreaField("Your comment", filters=[_lines], validators=[Bounded(text.BODY_MAX)])

    validate_body = CommentForm.validate_body


class AppealForm(Form):
    """Why a person should look again."""

    words = TextAreaField("What should the moderator know?", filters=[_lines], validators=[Bounded(2_000)])

    def validate_words(self, field: StringField) -> None:
        """Something for the moderator to go by."""
        if not field.data or text.is_invisible(field.data):
            raise ValidationError("Please say in a few words why it should be looked at again.")


class DeskForm(FlaskForm):  # type: ignore[misc]
    """Only the session's token; the decisions themselves are read as lists."""
