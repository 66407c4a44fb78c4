"""Faults at work: windows that open and close, requests and messages that meet them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from polyframe.errors import UserError
from polyframe.sandbox.door import Asked, Reply
from polyframe.sandbox.faults.fault import Fault
from polyframe.sandbox.faults.messages import SocketFault
from polyframe.sandbox.faults.plan import Plan
from polyframe.sandbox.faults.stage import Injection, Run, Stage, ns, seed_of
from polyframe.sandbox.server import Go, Server
from polyframe.sandbox.sockets.line import Line

MOST: Final = 1_000
"""faults that can be installed at a time"""
SPARED: Final = frozenset({"debug"})
"""prefixes that no fault touches: there faults are taken away again"""


class Installed(NamedTuple):
    """A fault and what has become of it."""

    fault: Fault
    run: Run


class Faults:
    """The faults of one sandbox."""

    def __init__(self, stage: Stage, server: Server) -> None:
        self.stage = stage
        self._server = server
        self._installed: dict[str, Installed] = {}
        self._counts: dict[str, int] = {}
        self._serving: list[Installed] = []
        self._listening: list[tuple[SocketFault, Run]] = []
        for channel in stage.channels.values():
            channel.admit = stage.admit

    # ---- installing ------------------------------------------------------------------------------

    def install(self, plan: Plan) -> list[str]:
        """Adds the faults of a plan; their ids.

        Raises:
            UserError: one of them names what the venue does not have, or there are too many. Then
                none is added.
        """
        if len(self._installed) + len(plan.faults) > MOST:
            raise UserError(
                f"{len(self._installed) + len(plan.faults)} faults are too many",
                expected=f"{MOST} at a time",
                hint="DELETE /debug/faults takes all of them away",
            )
        names = [fault.name for fault in plan.faults if fault.name]
        for name in names:
            if name in self._installed or names.count(name) > 1:
                raise UserError(
                    f"there is a fault {name!r} already",
                    expected="another name",
                    hint=f"DELETE /debug/faults/{name} takes it away",
                )
        picks = [fault.target.picks(self.stage.desk) for fault in plan.faults]
        added = []
        for number, (fault, picked) in enumerate(zip(plan.faults, picks, strict=True)):
            seed = seed_of(plan.seed, number, fault.fault) if fault.seed is None else fault.seed
            run = Run(
                self._name(fault),
                self.stage,
                seed,
                fault.probability,
                fault.times,
                picked,
            )
            self._installed[run.id] = Installed(fault, run)
            added.append(run.id)
        self._stand()
        for id in added:
            self._at(self.stage.now + ns(self._installed[id].fault.start), self._installed[id])
        self.stage.desk.hear()
        return added

    def remove(self, id: str) -> bool:
        """Takes a fault away and undoes what it does; False when there is none of that id."""
        found = self._installed.pop(id, None)
        if found is None:
            return False
        found.run.gone = True
        self._close(found)
        self._stand()
        self.stage.desk.hear()
        return True

    def clear(self) -> int:
        """Takes all faults away; how many there were."""
        ids = list(self._installed)
        for id in reversed(ids):
            self.remove(id)
        self.stage.shut_until = 0
        return len(ids)

    def close(self) -> None:
        """Lets nobody wait any more: the sandbox ends."""
        self.stage.wake()

    def _name(self, fault: Fault) -> str:
        if fault.name:
            return fault.name
        while True:
            count = self._counts[fault.fault] = self._counts.get(fault.fault, 0) + 1
            name = f"{fault.fault}-{count}"
            if name not in self._installed:
                return name

    def _stand(self) -> None:
        """Stands where the faults that are installed have to stand, and nowhere else."""
        everything = self._installed.values()
        self._serving = [each for each in everything if each.fault.serves]
        self._listening = [
            (each.fault, each.run) for each in everything if isinstance(each.fault, SocketFault)
        ]
        self._server.around = self._around if self._serving else None
        for name, channel in self.stage.channels.items():
            around = partial(self._pass_on, name) if self._listening else None
            channel.around = around
            for line in channel.lines:
                line.around = around
        if not self._listening:
            self.stage.flush()

    # ---- windows ---------------------------------------------------------------------------------

    def _at(self, at: int, each: Installed) -> None:
        if at <= self.stage.now:
            self._open(at, each)
        else:
            self.stage.desk.venue.schedule(at, partial(self._open, at, each))

    def _open(self, at: int, each: Installed) -> None:
        """Opens a window, sees to its end and to the next one's beginning."""
        fault, run = each
        if run.gone:
            return
        schedule = self.stage.desk.venue.schedule
        if not fault.rolls or run.rolls():
            run.windows += 1
            run.open = True
            fault.begin(run)
            if fault.window == "moment":
                run.open = False
            elif fault.lasts is not None:
                schedule(at + ns(fault.lasts), partial(self._over, each, run.windows))
        if fault.every is not None:
            following = at + ns(fault.every)
            schedule(following, partial(self._open, following, each))

    def _over(self, each: Installed, window: int) -> None:
        if each.run.windows == window:
            self._close(each)

    def _close(self, each: Installed) -> None:
        if each.run.open:
            each.run.open = False
            each.fault.end(each.run)

    # ---- what meets them -------------------------------------------------------------------------

    async def _around(self, prefix: str, asked: Asked, go: Go) -> Reply:
        """Takes a request through the faults that are open, the first one outermost."""
        if prefix not in SPARED:
            for fault, run in reversed(self._serving):
                if run.open and fault.meant(run, prefix, asked):
                    go = partial(fault.serve, run, prefix, asked, go)
        return await go()

    def _pass_on(self, channel: str, line: Line, event: bytes) -> Iterable[bytes]:
        """Takes a message through the faults that are open, one after another."""
        wire = self.stage.wire(channel, line)
        events = [event]
        for fault, run in self._listening:
            if run.open and events and fault.touches(run, wire):
                events = [out for each in events for out in fault.pass_on(run, wire, each)]
        if not wire.busy:
            return events
        for each in events:
            wire.queue(each)
        return ()

    # ---- what is to be seen ----------------------------------------------------------------------

    def rows(self) -> list[dict[str, Any]]:
        """The faults that are installed, as JSON shows them."""
        return [
            {
                "id": run.id,
                "fault": fault.fault,
                "open": run.open,
                "windows": run.windows,
                "injected": run.injected,
                "seed": run.seed,
                "plan": fault.model_dump(mode="json", exclude_defaults=True)
                | {"fault": fault.fault},
            }
            for fault, run in self._installed.values()
        ]

    def injections(self, last: int) -> list[Injection]:
        """The last that happened, newest first."""
        return list(reversed(self.stage.log))[:last]


class Faulty(Protocol):
    """Anything that has faults: a sandbox."""

    @property
    def faults(self) -> Faults:
        """Its faults."""
        ...


def install(sandbox: Faulty, plan: Plan) -> list[str]:
    """Adds a plan's faults to a sandbox; their ids.

    Raises:
        UserError: one of them names what the venue does not have. Then none is added.
    """
    return sandbox.faults.install(plan)
