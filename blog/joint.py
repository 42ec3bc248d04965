"""Small writes that wait at the same moment share a transaction: one commit and one wait for the disk.

Whoever gets the turn to write carries out what the others have waiting, too, and each gets its own answer
once everything is stored. Nobody waits for company: who is alone writes alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy.exc import OperationalError

from blog.db import alone, db, transaction

Result = TypeVar("Result")
Job = tuple[Callable[[], Any], "Future[Any]"]


def write_jointly(act: Callable[[], Result]) -> Result:
    """Carry out `act` in a writing transaction that others may share; what it returns, once it is stored.

    `act` may run in another thread of the same application, and runs again when somebody else's failed and
    took the transaction with it: it uses neither the request nor what an earlier run left behind. Raises what
    it raises, and what the store raises.
    """
    job: Future[Result] = Future()
    waiting().append((act, job))
    db.session.rollback()
    try:
        with alone():
            if not job.done():
                _store()
    except BaseException:
        if job.cancel():  # nobody has begun with it, and now nobody will
            raise
    return job.result()


def waiting() -> deque[Job]:
    """What has not been begun in this process."""
    found: deque[Job] = current_app.extensions.setdefault("blog.joint", deque())
    return found


def _store() -> None:
    """Everything that waits, in one transaction."""
    jobs: list[Job] = []
    try:
        with transaction():
            taken = [waiting().popleft() for _ in range(len(waiting()))]
            jobs = [one for one in taken if one[1].set_running_or_notify_cancel()]
            results = [act() for act, _ in jobs]
    except BaseException as error:  # whatever it is, the others must hear of it
        if not jobs:
            raise
        if len(jobs) == 1 or isinstance(error, OperationalError):  # the store itself fails, whoever asks
            for _, job in jobs:
                job.set_exception(error)
        else:
            for one in jobs:
                _store_alone(*one)
    else:
        for (_, job), result in zip(jobs, results, strict=True):
            job.set_result(result)


def _store_alone(act: Callable[[], Any], job: Future[Any]) -> None:
    try:
        with transaction():
            result = act()
    except BaseException as error:
        job.set_exception(error)
    else:
        job.set_result(result)
