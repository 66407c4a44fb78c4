"""``polyframe sandbox``: a local Polymarket that speaks the real protocol, for play money."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyframe.cli.console import console, emit_json, err_console
from polyframe.cli.moment import moment
from polyframe.cli.terminating import cancelled
from polyframe.domain.units import SECOND, Ns
from polyframe.errors import ConfigError, UserError

if TYPE_CHECKING:
    from polyframe.sandbox.opening import Playground

app = typer.Typer(add_completion=False, help="Run a local Polymarket for play money.")

PORT = 8719
NEEDED = ("uvicorn", "websockets", "httptools", "eth_keys")


@app.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", help="Where it listens; 0 for any port.")] = PORT,
    speed: Annotated[
        float, typer.Option("--speed", help="Seconds there for one here: 0.001 to 1000.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Decides markets, people and keys.")] = 0,
    markets: Annotated[
        int, typer.Option("--markets", help="How many, about, besides series.")
    ] = 60,
    data: Annotated[
        str,
        typer.Option("--data", help="sample, generator, or the DIR of a catalogue or a tape."),
    ] = "sample",
    faults: Annotated[
        Path | None,
        typer.Option("--faults", help="What goes wrong, and when: a file, or a plan's name."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--start", help="When its present begins: UTC or seconds; else now."),
    ] = None,
    paused: Annotated[bool, typer.Option("--paused", help="Time stands still at first.")] = False,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, help="Stop after so many seconds.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a local Polymarket until it is interrupted. It listens on 127.0.0.1 alone."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(
            f"the sandbox needs {', '.join(missing)}",
            expected="its optional packages",
            hint="pip install 'polyframe[sandbox]'",
        )
    if not 0 <= port <= 65_535:
        raise ConfigError(f"port {port} is out of range", expected="0 to 65535; 0 for any")
    now = None if start is None else _moment(start)
    import asyncio
    import gc

    with ExitStack() as stack:
        # All that is made and loaded now stays to the end: looking through it again is in vain.
        stack.callback(gc.unfreeze)
        gc.disable()
        try:
            from polyframe.sandbox.opening import Playground
            from polyframe.sandbox.wires import bound

            # A world takes a second to be made: not for a port that somebody else has.
            place = stack.enter_context(bound(port))
            ground = Playground(
                seed=seed, markets=markets, data=data, now=now, port=place, speed=speed,
                paused=paused, faults=faults,
            )  # fmt: skip
            gc.freeze()
        finally:
            gc.enable()
        asyncio.run(_run(ground, seconds, as_json))


def _moment(text: str) -> Ns:
    # Eight digits are a day, as everywhere; seconds of this century have more.
    if text.isascii() and text.isdigit() and 8 < len(text) < 12:
        return int(text) * SECOND
    try:
        return moment(text)
    except ValueError:
        raise UserError(
            f"--start {text!r} is no moment",
            expected="2026-11-01, 2026-11-01T14:30, or seconds since 1970",
            hint="polyframe sandbox --start 2026-11-01",
        ) from None


async def _run(ground: Playground, seconds: float | None, as_json: bool) -> None:
    """Serves until it is interrupted, terminated, or its time is over."""
    import asyncio

    serving = asyncio.create_task(_serve(ground, seconds, as_json))
    with cancelled(serving):
        await serving


async def _serve(ground: Playground, seconds: float | None, as_json: bool) -> None:
    async with ground:
        try:
            await _shown(ground, seconds, as_json)
        finally:
            audit = ground.venue.audit(full=True)
            told = "every pUSD and every share is accounted for" if audit.exact else audit.faults[0]
            err_console.print(f"Audit: {told}.", markup=False, highlight=False)


async def _shown(ground: Playground, seconds: float | None, as_json: bool) -> None:
    """Says what there is, and waits for the end."""
    import asyncio

    from polyframe.cli.sandbox_page import facts, page, watched

    if as_json:
        emit_json(facts(ground))
        sys.stdout.flush()  # whoever reads it waits for it, not for the end
    else:
        # Whole lines, so that whoever marks one with the mouse has all of it.
        console.print(page(ground), soft_wrap=True)
    await asyncio.sleep(0)
    work: list[Any] = [asyncio.ensure_future(ground.forever())]
    if err_console.is_terminal and not as_json:
        work.append(asyncio.ensure_future(watched(ground, err_console)))
    if seconds is not None:
        work.append(asyncio.ensure_future(asyncio.sleep(seconds)))
    done, left = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        task.result()
