"""Writes that wait at the same moment share a transaction: its statements, its commit, its wait for the disk.

Whoever comes first stores what all have waiting, and when that is stored hands on to the first of those who
came meanwhile. Nobody waits for company: who is alone writes alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from flask import current_app
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as StoreBusy

from blog.db import WAIT, alone, db, transaction

Item = TypeVar("Item")
Result = TypeVar("Result")
Store = Callable[[Sequence[Item]], Sequence[Result]]


def write_jointly(store: Store[Item, Result], item: Item) -> Result:
    """Have `store` write `item` in a transaction, with what others bring: its result, once it is stored.

    `store` gets what waits, in the order in which it came, and returns as many results. It may run in another
    thread of the same application, and again with each item alone when it has raised something: it uses
    neither the request nor what an earlier run left behind. Raises what it raises for this item alone, and
    what the database raises.
    """
    db.session.rollback()
    return queue_of(store).put(item)


def queue_of(store: Store[Item, Result]) -> Queue[Item, Result]:
    """Who waits for this in this process."""
    queues: dict[Any, Queue[Any, Any]] = current_app.extensions.setdefault("blog.joint", {})
    return queues.setdefault(store, Queue(store))


class _Job(Generic[Item, Result]):
    """Something to be stored, and what became of it."""

    __slots__ = ("error", "item", "leads", "result", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.woken = threading.Event()  # it is done, or its turn to store has come
        self.leads = False
        self.result: Result | None = None
        self.error: BaseException | None = None


class Queue(Generic[Item, Result]):
    """Those who want the same kind of thing stored; one of them does it, the others sleep meanwhile."""

    def __init__(self, store: Store[Item, Result]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._waiting: deque[_Job[Item, Result]] = deque()
        self._led = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Item) -> Result:
        """See write_jointly. Raises StoreBusy when nobody has begun with it after WAIT seconds."""
        job: _Job[Item, Result] = _Job(item)
        with self._lock:
            self._waiting.append(job)
            if not self._led:
                self._led = job.leads = True
        if not job.leads and not job.woken.wait(WAIT) and self._withdrawn(job):
            raise StoreBusy("the store is busy")
        if job.leads:
            self._lead(job)
        else:
            job.woken.wait()  # somebody has begun with it
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]

    def _withdrawn(self, job: _Job[Item, Result]) -> bool:
        """Take back what nobody has begun with; False when somebody has, or when its turn has just come."""
        with self._lock:
            if job.leads or job not in self._waiting:
                return False
            self._waiting.remove(job)
            return True

    def _lead(self, job: _Job[Item, Result]) -> None:
        """Store what waits now, hand on to whoever has come meanwhile, and only then wake the others."""
        done: Sequence[_Job[Item, Result]] = ()
        try:
            with alone():
                done = self._store_all()
        except BaseException as error:
            job.error = error
        finally:
            with self._lock:
                if job in self._waiting:  # nobody has begun with it, and now nobody will
                    self._waiting.remove(job)
                self._led = bool(self._waiting)
                if self._led:
                    self._waiting[0].leads = True
                    self._waiting[0].woken.set()
            for one in done:
                one.woken.set()

    def _store_all(self) -> Sequence[_Job[Item, Result]]:
        """Everything that waits, in one transaction; what was begun with. Raises when nothing was."""
        taken: list[_Job[Item, Result]] = []
        try:
            with transaction():
                with self._lock:
                    taken += self._waiting
                    self._waiting.clear()
                results = self._store([job.item for job in taken])
                for job, result in zip(taken, results, strict=True):
                    job.result = result
        except BaseException as error:  # whatever it is, the others must hear of it
            if not taken:
                raise
            if len(taken) == 1 or isinstance(error, OperationalError):  # the store itself fails, whoever asks
                for job in taken:
                    job.error = error
            else:
                for job in taken:
                    self._store_alone(job)
        return taken

    def _store_alone(self, job: _Job[Item, Result]) -> None:
        try:
            with transaction():
                (job.result,) = self._store([job.item])
        except BaseException as error:
            job.error = error
