"""What ``polyframe sandbox`` prints: where everything is, who may trade, how to begin."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from polyframe.sandbox.venue.records import State
from polyframe.sandbox.wire import iso, size_text

if TYPE_CHECKING:
    from polyframe.sandbox.opening import Playground

KINDS = {
    "eoa": ("EOA", "0"),
    "proxy": ("proxy", "1"),
    "safe": ("Safe", "2"),
    "deposit": ("deposit", "3"),
}
"""wallets of a key: name and signature type"""


def facts(ground: Playground) -> dict[str, Any]:
    """The same as the page, for programs."""
    urls = ground.urls
    return {
        "version": 1,
        "urls": {name: getattr(urls, name) for name in _doors()},
        "chain_id": ground.venue.chain_id,
        "seed": ground.town.world.seed,
        "data": ground.town.world.source,
        "speed": ground.pace.speed,
        "now": iso(ground.venue.now),
        "faults": [row["plan"] for row in ground.faults.rows()],
        "markets": _states(ground),
        "keys": [
            {
                "name": key.name,
                "note": "play money, derived from the seed",
                "private_key": key.private_key,
                "wallets": key.addresses(),
                "api_key": key.api.key,
                "secret": key.api.secret,
                "passphrase": key.api.passphrase,
            }
            for key in ground.play
        ],
    }


def page(ground: Playground) -> Any:
    """The page for a person."""
    return Group(
        Text.assemble(("polyframe sandbox", "bold"), "  a Polymarket of your own, for play money"),
        "",
        _urls(ground),
        "",
        Text("World", "bold"),
        Text(_world(ground)),
        *([Text(wrong)] if (wrong := _wrong(ground)) else []),
        "",
        *_keys(ground),
        "",
        *_snippets(ground),
        "",
        Text("Stop with Ctrl+C.", "dim"),
    )


def _doors() -> list[str]:
    return ["gamma", "clob", "data", "relayer", "ws_market", "ws_user", "debug"]


def _urls(ground: Playground) -> Any:
    about = {
        "gamma": "events and markets",
        "clob": "books, orders, keys",
        "data": "trades, positions, leaderboards",
        "relayer": "wallets deployed, split, merge, redeem",
        "ws_market": "books and trades as they change",
        "ws_user": "your orders and fills",
        "debug": "audit, clock, oracle, truth, faults",
    }
    rows = [(name.replace("_", " "), getattr(ground.urls, name), about[name]) for name in _doors()]
    return _columns(rows)


def _columns(rows: Sequence[tuple[str, ...]]) -> Text:
    """Aligned lines that are never cut: an address is of no use without its end."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        Text.assemble(
            (row[0].ljust(widths[0]), "cyan"),
            *(f"  {cell.ljust(width)}" for cell, width in zip(row[1:], widths[1:], strict=True)),
        )
        for row in rows
    ]
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)


def _states(ground: Playground) -> dict[str, int]:
    found = Counter(str(market.state) for market in ground.venue.markets.values())
    return {str(state): found[str(state)] for state in State if found[str(state)]}


def _world(ground: Playground) -> str:
    town = ground.town
    states = ", ".join(f"{count} {state}" for state, count in _states(ground).items())
    people = Counter(person.kind for person in town.people.everybody)
    crowd = ", ".join(f"{count} {kind}" for kind, count in people.items())
    pace = "paused" if ground.pace.paused else f"{ground.pace.speed:g}x"
    return (
        f"seed {town.world.seed}, {town.world.source} data; markets: {states}\n"
        f"crowd: {crowd}; time {iso(ground.venue.now)}, {pace}; chain {ground.venue.chain_id}"
    )


def _wrong(ground: Playground) -> str:
    """What goes wrong here, "" for nothing."""
    count = Counter(row["fault"] for row in ground.faults.rows())
    kinds = (name if number == 1 else f"{number} {name}" for name, number in count.items())
    return f"faults: {', '.join(kinds)}" if count else ""


def _keys(ground: Playground) -> list[Any]:
    """All keys in short, the first one whole."""
    first = ground.play[0]
    title = Text.assemble(
        ("Play keys", "bold"),
        "  made of the seed, nobody's secret, worth nothing anywhere else",
    )
    wallets = [
        (*KINDS[kind], address, f"{size_text(ground.venue.balance(address).balance)} pUSD")
        for kind, address in first.addresses().items()
    ]
    api = [
        ("apiKey", first.api.key),
        ("secret", first.api.secret),
        ("passphrase", first.api.passphrase),
    ]
    return [
        title,
        _columns([(key.name, key.private_key) for key in ground.play]),
        "",
        Text(f"{first.name}'s wallets, with their signature types, and API key", "bold"),
        _columns(wallets),
        _columns(api),
        Text(f"The others' are at {ground.urls.debug}/keys", "dim"),
    ]


def _snippets(ground: Playground) -> list[Any]:
    """One line for each client."""
    urls, key = ground.urls, ground.play[0]
    lines = {
        "polymarket-client": (
            f'client = await AsyncSecureClient.create(private_key="{key.private_key}", '
            f'wallet="{key.wallets.deposit}", '
            f'environment=polyframe.sandbox.clients.environment("{urls.base}"))'
        ),
        "py-clob-client-v2": (
            f'client = ClobClient("{urls.clob}", chain_id={ground.venue.chain_id}, '
            f'key="{key.private_key}")'
        ),
        "curl": f"curl '{urls.gamma}/markets/keyset?limit=1'",
        "WebSocket": (
            f"python -m websockets {urls.ws_market}  and there: "
            f'{{"type": "market", "assets_ids": ["{_busy(ground)}"]}}'
        ),
    }
    parts: list[Any] = [Text("Begin", "bold")]
    for name, line in lines.items():
        parts += [Text(name, "cyan"), Text(f"  {line}")]
    return parts


def _busy(ground: Playground) -> str:
    """A token of the open market that is traded most."""
    open = [m for m in ground.venue.markets.values() if m.state is State.OPEN]
    best = max(open, key=lambda market: market.volume, default=None)
    return best.listing.tokens[0] if best is not None else ""


async def watched(ground: Playground, console: Console) -> None:
    """A line that says how it goes, for as long as somebody looks."""
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(Text(_line(ground), "dim"), refresh=True)
            await asyncio.sleep(1.0)


def _line(ground: Playground) -> str:
    open = sum(market.state is State.OPEN for market in ground.venue.markets.values())
    volume = sum(market.volume for market in ground.venue.markets.values())
    exact = "audit exact" if ground.venue.audit().exact else "AUDIT FAILED"
    pace = "paused" if ground.pace.paused else f"{ground.pace.speed:g}x"
    return f"{iso(ground.venue.now)}  {pace}  {open} open  ${volume // 10**6:,} traded  {exact}"
