"""Whatever people and Akismet do, in whatever order: states, places and counts agree with each other."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from blog import screening, threads
from blog.answers import Answer
from blog.db import db, write
from blog.discussions import Discussion, Tally
from blog.history import Event, histories
from blog.models import DEEPEST, Comment, NotPossible
from tests.conftest import Make

PEOPLE = ("ana", "ben")
_numbers = itertools.count(1)


def says(verdict: str, recheck_after: int | None = None) -> Answer:
    """What Akismet answered."""
    return Answer(verdict=verdict, error="", recheck_after=recheck_after)  # type: ignore[arg-type]


HAM, FOR_NOW = says("ham"), says("ham", 60)
ANSWERS = [HAM, HAM, FOR_NOW, FOR_NOW, says("spam"), says("discard"), says("unchecked"), says("spam", 60)]
HELD = [[], [], [], ["first"], ["hold-words"], ["repeated", "first"]]
VERDICTS, HOLDING = st.sampled_from(ANSWERS), st.sampled_from(HELD)
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
                url="https://jo.example",
                body="Words.",
                audience="private" if private else "public",
            )
            comment.begin(parent)
            screening.enter(comment, decided(comment, answer, held))
            published_only_as_ham(comment, answer, held)
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
            was = comment.status
            screening.enter(comment, decided(comment, answer, held), "rechecked")
            if was != "approved":
                published_only_as_ham(comment, answer, held)

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
                published_only_as_ham(comment, answer, held)
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
        with self.app.app_context():
            turned_down = select(Comment.id).where(
                Comment.id.in_(self.ids), Comment.status.in_(("spam", "rejected"))
            )
            refused = db.session.scalars(turned_down.order_by(Comment.appealed_at.desc())).all()
            db.session.remove()
        # Most people appeal where it is possible, and some for a second time.
        place = self.ids.index(refused[place % len(refused)]) if refused else place
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


def published_only_as_ham(comment: Comment, answer: Answer, held: list[str]) -> None:
    """Said once more in other words than screening's own."""
    if comment.status == "approved":
        assert (answer.verdict, answer.recheck_after, held, comment.audience) == ("ham", None, [], "public")


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
    stories = histories(by_id)
    for comment in comments:
        if comment.status == "approved":
            assert comment.audience == "public"
            published_by_right(stories[comment.id])
        if comment.parent_id is not None:
            parent = by_id[comment.parent_id]
            assert comment.root_id == (parent.root_id or parent.id)
            assert comment.depth == min(parent.depth + 1, DEEPEST)
    seen = {comment.id for comment in comments if comment.status == "approved"}
    for comment in reversed(comments):  # a reply is younger than what it answers
        if comment.id in seen and comment.parent_id is not None:
            seen.add(comment.parent_id)
    assert {comment.id for comment in comments if comment.shown} == seen
    drawn = list(nodes(threads.page_of(slug, 1, 1000)))
    assert {node.comment.id for node in drawn} == seen
    for node in drawn:
        if by_id[node.comment.id].status != "approved":
            said = (node.comment.author, node.comment.written_by, node.html, node.website, node.reply_url)
            assert not any(said), "of what is gone readers see only that it was there"
    place = db.session.get(Discussion, slug)
    approved = sum(comment.status == "approved" for comment in comments)
    roots = sum(comment.id in seen and comment.parent_id is None for comment in comments)
    assert ((place.approved, place.threads) if place else (0, 0)) == (approved, roots)
    tally = {row.name: row.comments for row in db.session.scalars(select(Tally)) if row.comments}
    rows = db.session.execute(
        select(Comment.audience, Comment.status, func.count()).group_by(Comment.audience, Comment.status)
    )
    assert tally == {f"{audience}-{status}": number for audience, status, number in rows}


def nodes(found: list[threads.Node]) -> Iterator[threads.Node]:
    """All of them, with all that hangs below."""
    for node in found:
        yield node
        yield from nodes(node.children)


def published_by_right(story: list[Event]) -> None:
    """By a person, or by Akismet's ham with nothing that holds it."""
    last = [one for one in story if one.now == "approved" and one.was != "approved"][-1]
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
    went_everywhere(app)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_walk_ends_in_no_state_that_cannot_be(make: Make, seed: int) -> None:
    # The same steps as above, but all of them in turn: one example of hypothesis has only a few kinds.
    class Here(Discussing):
        app = make()

    here, chance = Here(), Random(seed)
    for _ in range(100):
        place, by = chance.randrange(5), chance.choice(PEOPLE)
        said = {"answer": chance.choice(ANSWERS), "held": chance.choice(HELD)}
        if not here.ids or chance.random() < 0.15:
            here.somebody_answers(place, chance.random() < 0.7, chance.random() < 0.2, **said)
            continue
        match chance.randrange(8):
            case 0 | 1:
                here.a_moderator_decides([place], chance.choice(["approve", "spam", "reject"]), by)
            case 2 if any(here.replaced.values()):
                here.a_moderator_takes_it_back(place, by)
            case 3:
                here.akismet_is_asked_again(place, **said)
            case 4:
                here.its_author_edits_it(place, **said)
            case 5 | 6:
                here.its_author_appeals(place)
            case 7 if chance.random() < 0.4:
                here.its_author_withdraws_it(place)
            case _:
                here.a_moderator_edits_it(place, by)


def went_everywhere(app: Flask) -> None:
    """The machine reached every state there is."""
    with app.app_context():
        reached = Counter(db.session.scalars(select(Comment.status)))
        db.session.remove()
    assert set(reached) == {"pending", "approved", "spam", "rejected", "withdrawn"}
