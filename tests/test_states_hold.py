"""Whatever people and Akismet do, in whatever order: states, places and counts agree with each other."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from blog import screening
from blog.answers import Answer
from blog.db import db, write
from blog.discussions import Discussion, Tally
from blog.models import DEEPEST, Comment, NotPossible
from tests.conftest import Make

PEOPLE = ("ana", "ben")
_numbers = itertools.count(1)

VERDICTS = st.builds(
    Answer,
    verdict=st.sampled_from(["ham", "ham", "spam", "discard", "unchecked"]),
    error=st.just(""),
    recheck_after=st.sampled_from([None, None, 60]),
)
HOLDING = st.lists(st.sampled_from(["first", "hold-words", "repeated"]), max_size=2, unique=True)
PLACE = st.integers(0, 4)  # few, so that much happens to the same one
DECISION = st.sampled_from(["approve", "approve", "spam", "reject"])
PERSON = st.sampled_from(PEOPLE)


@dataclass(frozen=True)
class Stood:
    """What a decision replaced, as it was then."""

    status: str
    decided_by: str | None
    status_at: datetime
    now: str


class Discussing(RuleBasedStateMachine):
    """One article on which everything happens."""

    app: Flask

    def __init__(self) -> None:
        super().__init__()
        self.slug = f"article-{next(_numbers)}"
        self.ids: list[int] = []
        self.replaced: dict[int, list[Stood]] = {}

    @contextmanager
    def acting(self, *places: int) -> Iterator[list[Comment]]:
        """The comments at these places, in one writing transaction; afterwards everything must agree."""
        with self.app.app_context():
            with write() as session:
                yield [session.get_one(Comment, self.ids[place % len(self.ids)]) for place in places]
            db.session.remove()
            everything_agrees(self.slug)
            db.session.remove()

    @rule(
        place=PLACE,
        above=st.booleans(),
        private=st.sampled_from([False, False, False, True]),
        answer=VERDICTS,
        held=HOLDING,
    )
    def somebody_answers(
        self, place: int, above: bool, private: bool, answer: Answer, held: list[str]
    ) -> None:
        with self.app.app_context(), write() as session:
            parent = session.get_one(Comment, self.ids[place % len(self.ids)]) if above and self.ids else None
            if parent is not None and (parent.status != "approved" or parent.audience != "public"):
                parent = None  # find_parent() refuses these
            comment = Comment(
                slug=self.slug,
                author="Jo",
                email="jo@example.org",
                email_folded="jo@example.org",
                body="Words.",
                audience="private" if private else "public",
            )
            comment.begin(parent)
            screening.enter(comment, decided(comment, answer, held))
            comment.store()
            self.ids.append(comment.id)
            db.session.flush()
            db.session.expunge_all()
        self.replaced[self.ids[-1]] = []
        with self.acting():
            pass

    @precondition(lambda self: self.ids)
    @rule(place=PLACE, answer=VERDICTS, held=HOLDING)
    def akismet_is_asked_again(self, place: int, answer: Answer, held: list[str]) -> None:
        with self.acting(place) as (comment,):
            screening.enter(comment, decided(comment, answer, held), "rechecked")

    @precondition(lambda self: self.ids)
    @rule(places=st.lists(PLACE, min_size=1, max_size=4), decision=DECISION, by=PERSON)
    def a_moderator_decides(self, places: list[int], decision: str, by: str) -> None:
        with self.acting(*places) as comments:
            for comment in comments:
                stood = (comment.status, comment.decided_by, comment.status_at)
                try:
                    moved = comment.decide(decision, by, reason="unkind", note="A note.")
                except NotPossible:
                    assert "withdrawn" in stood or comment.audience == "private"
                    assert stood == (comment.status, comment.decided_by, comment.status_at)
                    continue
                assert moved == (stood[0] != comment.status)
                if moved:
                    self.replaced[comment.id].append(Stood(*stood, now=comment.status))
                    assert comment.decided_by == by

    @precondition(lambda self: any(self.replaced.values()))
    @rule(place=PLACE, by=PERSON)
    def a_moderator_takes_it_back(self, place: int, by: str) -> None:
        decided_ones = [ident for ident, stood in self.replaced.items() if stood]
        ident = decided_ones[place % len(decided_ones)]
        with self.acting(self.ids.index(ident)) as (comment,):
            before = self.replaced[ident][-1]
            stands = before.now == comment.status
            was = (comment.status, comment.decided_by, comment.status_at)
            assert comment.restore(by) == stands
            now = (comment.status, comment.decided_by, comment.status_at)
            assert now == ((before.status, before.decided_by, before.status_at) if stands else was)
            if stands:
                self.replaced[ident].pop()

    @precondition(lambda self: self.ids)
    @rule(place=PLACE, answer=VERDICTS, held=HOLDING)
    def its_author_edits_it(self, place: int, answer: Answer, held: list[str]) -> None:
        with self.acting(place) as (comment,):
            if comment.status == "pending":  # the receipt refuses the others
                waits = comment.appealed_at is not None
                comment.edit(f"Words {next(_numbers)}.", "author")
                screening.enter(comment, decided(comment, answer, held))
                assert comment.status == "pending" or not waits, "an appeal waits for a person"

    @precondition(lambda self: self.ids)
    @rule(place=PLACE, by=PERSON)
    def a_moderator_edits_it(self, place: int, by: str) -> None:
        with self.acting(place) as (comment,):
            was = comment.status
            comment.edit("Words without a telephone number.", by)
            assert comment.status == was

    @precondition(lambda self: self.ids)
    @rule(place=PLACE)
    def its_author_appeals(self, place: int) -> None:
        with self.acting(place) as (comment,):
            allowed = comment.status in ("spam", "rejected") and comment.appealed_at is None
            assert possible(comment.appeal, "Please.") == allowed
            assert not allowed or comment.status == "pending"

    @precondition(lambda self: self.ids)
    @rule(place=PLACE)
    def its_author_withdraws_it(self, place: int) -> None:
        with self.acting(place) as (comment,):
            allowed = comment.status in ("pending", "approved")
            assert possible(comment.withdraw) == allowed
            assert not allowed or (comment.status, comment.body) == ("withdrawn", "")


def decided(comment: Comment, answer: Answer, held: list[str]) -> screening.Outcome:
    """What screening makes of this answer and these rules."""
    if comment.audience == "private":
        return screening.Outcome("pending", ("private", *held))
    if answer.verdict == "unchecked":
        answer = Answer(verdict="unchecked", error="timeout")
    status, reasons = screening.decide(answer, held)
    return screening.Outcome(status, tuple(reasons), answer, {"comment_content": comment.body})


def possible(verb: Any, *values: Any) -> bool:
    try:
        verb(*values)
    except NotPossible:
        return False
    return True


def everything_agrees(slug: str) -> None:
    """Recount what is kept, and look up how each approved comment came to be that."""
    comments = list(db.session.scalars(select(Comment).where(Comment.slug == slug).order_by(Comment.id)))
    by_id = {comment.id: comment for comment in comments}
    for comment in comments:
        if comment.status == "approved":
            assert comment.audience == "public"
            published_by_right(comment)
        if comment.parent_id is not None:
            parent = by_id[comment.parent_id]
            assert comment.root_id == (parent.root_id or parent.id)
            assert comment.depth == min(parent.depth + 1, DEEPEST)
    seen = {comment.id for comment in comments if comment.status == "approved"}
    for comment in reversed(comments):  # a reply is younger than what it answers
        if comment.id in seen and comment.parent_id is not None:
            seen.add(comment.parent_id)
    assert {comment.id for comment in comments if comment.shown} == seen
    place = db.session.get(Discussion, slug)
    approved = sum(comment.status == "approved" for comment in comments)
    threads = sum(comment.id in seen and comment.parent_id is None for comment in comments)
    assert ((place.approved, place.threads) if place else (0, 0)) == (approved, threads)
    tally = {row.name: row.comments for row in db.session.scalars(select(Tally)) if row.comments}
    rows = db.session.execute(
        select(Comment.audience, Comment.status, func.count()).group_by(Comment.audience, Comment.status)
    )
    assert tally == {f"{audience}-{status}": number for audience, status, number in rows}


def published_by_right(comment: Comment) -> None:
    """By a person, or by Akismet's ham with nothing that holds it."""
    last = [one for one in comment.history() if one.now == "approved" and one.was != "approved"][-1]
    if last.kind in ("screened", "rechecked"):
        assert (last.actor, last.reasons, last.data["verdict"]) == ("screening", [], "ham")
    else:
        assert last.kind in ("decided", "restored")
        assert last.actor in PEOPLE


def test_states_places_and_counts_agree_whatever_happens(make: Make) -> None:
    app = make()

    class Here(Discussing):
        pass

    Here.app = app
    run_state_machine_as_test(
        Here,
        settings=examples(
            max_examples=12,
            stateful_step_count=24,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with app.app_context():
        reached = Counter(db.session.scalars(select(Comment.status)))
        db.session.remove()
    # It went everywhere.
    assert set(reached) == {"pending", "approved", "spam", "rejected", "withdrawn"}
