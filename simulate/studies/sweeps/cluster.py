"""Sweeps on the workers of a Dask cluster (extra ``cluster``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulate.errors import InputError, MissingExtra, Unfinished, Where
from simulate.studies.sweeps.parts import pack, solve_part
from simulate.studies.sweeps.plans import SweepPlan

RETRIES = 10
"""Times that a part is given to another worker when its own dies or fails."""

PATIENCE = "20 s"
"""How long to wait for the scheduler to answer."""


def solve_on_cluster(plan: SweepPlan, missing: Sequence[int], *, scheduler: str) -> Iterator[tuple[int, bytes]]:
    """Solve parts on the workers of a cluster, which need no disk in common with this process.

    Parameters
    ----------
    plan, missing
        The sweep, and the numbers of the parts to solve.
    scheduler
        Address of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Yields
    ------
    tuple of int and bytes
        The number of a part and the content of its file.

    Raises
    ------
    MissingExtra
        ``sweep.cluster``: the package ``distributed`` is not installed.
    InputError
        ``sweep.scheduler``: nothing answers at the address.
    Unfinished
        ``sweep.workers``: every worker that was given a part died.
    """
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise MissingExtra(
            "a cluster needs the package `distributed`",
            code="sweep.cluster",
            advice="install it with `pip install 'il1sim[cluster]'`",
        ) from None
    where = Where(file=f"--scheduler {scheduler}")
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
    with client, client.as_current():
        shared = client.scatter(plan, broadcast=True, hash=False)
        futures = {
            client.submit(_solved, shared, index, pure=False, retries=RETRIES, key=f"{plan.key}-{index}"): index
            for index in missing
        }
        waiting = as_completed(futures)
        try:
            for future in waiting:
                index = futures.pop(future)
                yield index, future.result()
                # The cluster may forget what is on disk now.
                future.release()
        except KilledWorker as error:
            raise Unfinished(
                "every worker that was given a part died",
                code="sweep.workers",
                where=where,
                found=str(error)[:100],
                advice="the same command goes on from here; give workers more memory if it ran out",
            ) from error


def _solved(plan: SweepPlan, index: int) -> bytes:
    return pack(solve_part(plan, index, threads=1), plan.key, plan.parts[index])
