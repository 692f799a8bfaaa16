"""Sweeps on the workers of a Dask cluster (extra ``cluster``)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from simulate.aside import fetch
from simulate.errors import InputError, MissingExtra, Unfinished, Where
from simulate.studies.sweeps.parts import solved_part
from simulate.studies.sweeps.plans import SweepPlan

RETRIES = 10
"""Times that a part is given to another worker when its own dies or fails."""

PATIENCE = "20 s"
"""How long to wait for the scheduler to answer, and for it to have a worker."""

_FAREWELL = 5.0


def solve_on_cluster(plan: SweepPlan, missing: Sequence[int], *, scheduler: str) -> Iterator[tuple[int, bytes]]:
    """Numbers and files of parts, solved on a cluster whose workers need no disk in common with this process."""
    fetch("dask")
    try:
        from distributed import CancelledError, Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise MissingExtra(
            "a cluster needs the package `distributed`",
            code="sweep.cluster",
            advice="install it with `pip install 'il1sim[cluster]'`",
        ) from None
    where = Where(file=f"--scheduler {scheduler}")
    # What it has to say is said here, in one line.
    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            "no scheduler answers",
            code="sweep.scheduler",
            where=where,
            found=str(error)[:100],
            expected="the address of a scheduler of Dask, such as tcp://10.0.0.1:8786",
        ) from error
    with contextlib.ExitStack() as stack:
        # A client whose scheduler has gone does not close in peace either.
        stack.callback(_close, client)
        stack.enter_context(client.as_current())
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise MissingExtra(
                "the scheduler has no workers",
                code="sweep.workers",
                where=where,
                expected="one or more, which need il1sim of the same version",
                advice=f"start some: `dask worker {scheduler}`",
            ) from None
        except OSError as error:
            raise _gone(where, error) from error
        try:
            shared = client.scatter(plan, broadcast=True, hash=False)
            futures = {
                client.submit(solved_part, shared, i, 1, pure=False, retries=RETRIES, key=f"{plan.key}-{i}"): i
                for i in missing
            }
        except (OSError, CancelledError) as error:
            raise _gone(where, error) from error
        waiting = iter(as_completed(futures))
        while futures:
            try:
                future = next(waiting)
                found = future.result()
            except KilledWorker as error:
                raise _failed(where, "every worker that was given a part died", error) from error
            except (OSError, CancelledError, StopIteration) as error:
                # Given back as failed, and not lost with the scheduler.
                if any(future.status == "error" for future in futures):
                    raise _failed(where, "a worker could not solve a part", error) from error
                raise _gone(where, error) from error
            yield futures.pop(future), found
            # The cluster may forget what is on disk now.
            future.release()


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):
        client.close(timeout=_FAREWELL)


def _failed(where: Where, what: str, error: BaseException) -> Unfinished:
    return Unfinished(
        what,
        code="sweep.workers",
        where=where,
        found=str(error)[:100],
        advice="the same command goes on from here; give workers more memory if it ran out",
    )


def _gone(where: Where, error: BaseException) -> Unfinished:
    return Unfinished(
        "the scheduler has gone",
        code="sweep.scheduler",
        where=where,
        found=f"{type(error).__name__}: {error}"[:100],
        advice="start it again; the same command, or `simulate runs resume`, then goes on from here",
    )
