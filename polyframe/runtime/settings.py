"""The configuration: one typed model. Every field has a default, so that no file is needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from polyframe.domain.units import (
    MONEY_DECIMALS,
    RATE_ONE,
    Money,
    Ns,
    format_units,
    to_units,
)
from polyframe.errors import ConfigError, DataError
from polyframe.runtime.explain import explained
from polyframe.runtime.timerange import parse_timerange


class Section(BaseModel):
    """A part of the configuration: frozen, and no key that is not declared."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, serialize_by_alias=True
    )


def _above_zero(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("a decimal number above zero")
    try:
        amount = to_units(value, MONEY_DECIMALS)
    except DataError as error:
        raise ValueError(error.expected or error.message) from None
    if amount <= 0:
        raise ValueError("a decimal number above zero")
    return amount


def _part(value: object) -> int | None:
    part = None if value is None else _above_zero(value)
    if part is not None and part > RATE_ONE:
        raise ValueError("a part of the cash, at most 1")
    return part


_TEXT = PlainSerializer(
    lambda units: None if units is None else format_units(units, MONEY_DECIMALS)
)
_DECIMAL = {"type": ["string", "number"], "exclusiveMinimum": 0}
Cash = Annotated[int, BeforeValidator(_above_zero), _TEXT, WithJsonSchema(_DECIMAL)]
"""Money: decimal text or a number in the file, millionths inside."""
Part = Annotated[
    int | None,
    BeforeValidator(_part),
    _TEXT,
    WithJsonSchema({"anyOf": [{**_DECIMAL, "maximum": 1}, {"type": "null"}]}),
]
"""A part of a whole: decimal text or a number in the file, millionths inside."""


class Session(Section):
    """What is being run, and with which random numbers."""

    name: str = Field("default", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    seed: int = Field(0, ge=0, lt=2**63)
    user_data: str = Field("", description="The user directory; empty means user_data/ here.")


class Venue(Section):
    """Where market data comes from and where orders go."""

    endpoint: Literal["sandbox", "polymarket"] = "sandbox"
    orders: Literal["sim", "venue"] = "venue"
    sim: dict[str, Any] = Field({}, description="Settings of the simulated exchange.")
    urls: dict[Literal["gamma", "clob", "data", "market_ws", "user_ws"], str] = Field(
        {}, description="Other addresses than the endpoint's own."
    )

    @field_validator("urls")
    @classmethod
    def _addresses(cls, urls: dict[str, str]) -> dict[str, str]:
        for name, url in urls.items():
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
                raise ValueError(f"http(s):// or ws(s):// addresses, {name} is {url!r}")
            if parts.username or parts.password:
                raise ValueError(f"an address without user or password for {name}")
        return urls


class Account(Section):
    """The money that the session may use."""

    cash: Cash = 1_000_000_000


class SizerUse(Section):
    """Which sizer, with which settings."""

    use: str = "KellySizer"
    config: dict[str, Any] = {}


class StyleUse(Section):
    """How a strategy's orders are carried out, with which settings."""

    use: str = Field(min_length=1)
    config: dict[str, Any] = {}


class StrategyUse(Section):
    """One strategy instance. ``name`` is its ledger; by default the class's name."""

    use: str = Field(min_length=1)
    name: str = Field("", pattern=r"^[A-Za-z0-9_.-]{0,64}$")
    allocation: Part = Field(
        None, description="Its part of the cash; none: an equal part of what is left."
    )
    sizer: SizerUse | None = Field(None, description="Its own sizer; none: the session's.")
    style: StyleUse | None = Field(None, description="How its orders go out; none: whole.")
    exits: dict[str, Any] = Field({}, description="Changes to the exits that it declares.")
    config: dict[str, Any] = {}

    @property
    def ledger(self) -> str:
        """The instance's name."""
        return self.name or self.use


class ForecasterUse(Section):
    """One forecaster. ``of`` names the forecasters it builds on."""

    use: str = Field(min_length=1)
    of: tuple[str, ...] = ()
    config: dict[str, Any] = {}


class ProtectionUse(Section):
    """One protection, and the strategy instances it guards (``*``: all)."""

    use: str = Field(min_length=1)
    ledgers: tuple[str, ...] = Field(("*",), alias="for", min_length=1)
    enabled: bool = True
    config: dict[str, Any] = {}

    @property
    def general(self) -> bool:
        """True when it guards every strategy and the account."""
        return "*" in self.ledgers


ALWAYS = ("KillSwitch", "VenueRules", "Balance", "TrustedBook")
"""Protections that no configuration leaves out."""
EVERY = "*"
"""``{"use": "*", "enabled": false}`` leaves out every default guard that is not named."""

DEFAULT_GUARDS = (
    *("KillSwitch", "DrawdownKill", "DrawdownHeat", "MaxStake", "DailyLoss", "WeeklyLoss"),
    *("OpenPositions", "MinEdge", "Liquidity", "Spread", "EvidenceQuality", "Confidence"),
    *("ImpliedProbability", "EdgeDirection", "MarketType", "PortfolioExposure", "Timeline"),
    *("CategoryExposure", "EventExposure", "CorrelatedPositions", "SymbolExposure", "OrderSize"),
    *("OrderRate", "DailyVolume", "CancelRatio", "StoplossGuard", "Cooldown", "LowProfit"),
    *("MaxDrawdown", "PriceBand", "VenueRules", "Balance", "TrustedBook"),
)
"""Protections that guard every session unless the configuration leaves them out."""


class Placed(NamedTuple):
    """A protection in force and where the configuration names it; None: it is a default."""

    use: ProtectionUse
    entry: int | None

    @property
    def path(self) -> str:
        """Its place in the configuration."""
        return "protections" if self.entry is None else f"protections[{self.entry}]"


def _check_left_out(protection: ProtectionUse, i: int) -> None:
    """Refuses to leave out what must guard.

    Raises:
        ValueError: saying what stands there.
    """
    if protection.use == EVERY and (protection.enabled or protection.config):
        raise ValueError(f'protections[{i}] as {{"use": "*", "enabled": false}} or not at all')
    if protection.use in ALWAYS:
        raise ValueError(f"protections[{i}] without enabled: {protection.use} always guards")
    if not protection.general:
        raise ValueError(
            f"protections[{i}].enabled false for all strategies: the account's guard would bind "
            f"{protection.ledgers[0]} anyway"
        )


class Data(Section):
    """Recorded data: where, and which part of it."""

    dir: str = Field("", description="A catalogue; empty means the user directory's own.")
    markets: tuple[str, ...] = Field((), description="Market ids; none means all.")
    category: str = ""
    timerange: str = ""
    tape: str = Field("", description="The source of a tape; empty: what strategies need.")

    @field_validator("timerange")
    @classmethod
    def _readable(cls, text: str) -> str:
        parse_timerange(text)
        return text

    @property
    def period(self) -> tuple[Ns | None, Ns | None]:
        """First moment and the moment after the last; None where open."""
        return parse_timerange(self.timerange)


class Backtest(Section):
    """How a backtest records, and what it does where no forecast was recorded."""

    record: Literal["none", "orders", "all"] = "orders"
    missing: Literal["error", "skip"] = "skip"
    path: Literal["auto", "python"] = Field(
        "auto", description="Bars: compiled where a strategy allows it, or step by step."
    )
    close_at_end: bool = Field(
        False, description="Sell at a market's last price what no recorded outcome settles."
    )


class Alerts(Section):
    """Where alerts go. No channel is configured here yet."""


class Config(Section):
    """Everything that can be configured."""

    version: Literal[1] = 1
    session: Session = Session()
    venue: Venue = Venue()
    account: Account = Account()
    sizer: SizerUse = Field(
        SizerUse(), description="The sizer of strategies that name none of their own."
    )
    strategies: tuple[StrategyUse, ...] = ()
    forecasters: dict[str, ForecasterUse] = {"default": ForecasterUse(use="Recorded")}
    protections: tuple[ProtectionUse, ...] = Field(
        (), description="Changes to the guards that are on by default, and further protections."
    )
    data: Data = Data()
    backtest: Backtest = Backtest()
    alerts: Alerts = Alerts()

    @model_validator(mode="after")
    def _ledgers(self) -> Self:
        names = [strategy.ledger for strategy in self.strategies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"a name of its own for each strategy, {twice[0]} is there twice")
        given = sum(s.allocation or 0 for s in self.strategies)
        if given > RATE_ONE:
            made = format_units(given, MONEY_DECIMALS)
            raise ValueError(f"allocations of at most 1 in all, they make {made}")
        bare = [s.ledger for s in self.strategies if s.allocation is None]
        if bare and given == RATE_ONE:
            raise ValueError(f"an allocation left for strategy {bare[0]}")
        for i, protection in enumerate(self.protections):
            unknown = [n for n in protection.ledgers if n != "*" and n not in names]
            if unknown:
                raise ValueError(f"in protections[{i}].for only names of strategies: {unknown[0]}?")
            if not protection.enabled or protection.use == EVERY:
                _check_left_out(protection, i)
        return self

    @model_validator(mode="after")
    def _forecaster_order(self) -> Self:
        done: set[str] = set()
        while len(done) < len(self.forecasters):
            ready = {
                name
                for name, use in self.forecasters.items()
                if name not in done and done.issuperset(use.of)
            }
            if not ready:
                stuck = next(name for name in self.forecasters if name not in done)
                of = [n for n in self.forecasters[stuck].of if n not in done]
                raise ValueError(
                    f"in forecasters.{stuck}.of other forecasters, without a circle: {of[0]}?"
                )
            done |= ready
        return self

    def guards(self) -> list[Placed]:
        """The protections in force: the defaults as the configuration changes them, then the rest.

        A protection that is left out is not among them.
        """
        written = {u.use: Placed(u, i) for i, u in enumerate(self.protections) if u.general}
        names = [name for name in DEFAULT_GUARDS if name in ALWAYS or EVERY not in written]
        placed = [
            written.get(name) or Placed(ProtectionUse(use=name), None)
            for name in DEFAULT_GUARDS
            if name in names or name in written
        ]
        placed += [
            Placed(use, i)
            for i, use in enumerate(self.protections)
            if not (use.general and use.use in DEFAULT_GUARDS)
        ]
        return [item for item in placed if item.use.enabled]

    def left_out(self) -> list[str]:
        """The default guards that the configuration leaves out."""
        kept = {placed.use.use for placed in self.guards() if placed.use.general}
        return [name for name in DEFAULT_GUARDS if name not in kept]

    def allocations(self) -> dict[str, Money]:
        """The cash that each strategy instance starts with, rounded down."""
        cash = self.account.cash
        rest = RATE_ONE - sum(s.allocation or 0 for s in self.strategies)
        bare = sum(1 for s in self.strategies if s.allocation is None)
        return {
            s.ledger: cash * rest // (RATE_ONE * bare)
            if s.allocation is None
            else cash * s.allocation // RATE_ONE
            for s in self.strategies
        }

    def choosing(self, names: Sequence[str]) -> Config:
        """The configuration for these strategies alone.

        A name is that of a configured instance or of a strategy class; a class that is not
        configured runs with its defaults.

        Raises:
            ConfigError: a strategy is named twice, or the rest does not fit these alone.
        """
        chosen: list[dict[str, Any]] = []
        values = self.plain()
        for name in names:
            known = [
                plain
                for plain, use in zip(values["strategies"], self.strategies, strict=True)
                if name in {use.ledger, use.use}
            ]
            chosen += known or [{"use": name}]
        ledgers = [use.get("name") or use["use"] for use in chosen]
        for name, use in zip(ledgers, chosen, strict=True):
            if ledgers.count(name) > 1:
                both = ", ".join(f'{{"use": "{use["use"]}", "name": "{n}"}}' for n in "ab")
                raise ConfigError(
                    f"strategy {name} is named twice",
                    expected="each strategy once; one class runs twice under two names",
                    hint=f'to run it twice, write in config.json: "strategies": [{both}]',
                )
        for protection in values["protections"]:
            protection["for"] = [n for n in protection["for"] if n == "*" or n in ledgers]
        values["protections"] = [p for p in values["protections"] if p["for"]]
        try:
            return Config.model_validate({**values, "strategies": chosen})
        except ValidationError as error:
            raise explained(error, Config, "", {}) from None

    def plain(self) -> dict[str, Any]:
        """The configuration as JSON values; reading it back gives the same configuration."""
        return self.model_dump(mode="json", by_alias=True)

    def digest(self) -> str:
        """A hash of all settings that decide a result.

        Places of files are left out (data has a digest of its own), and so is what a run keeps of
        itself and which of two equal ways it goes.
        """
        values = self.plain()
        if not values["data"]["tape"]:
            # A run without one has the digest that it had before there were any.
            del values["data"]["tape"]
        del values["session"]["user_data"]
        del values["data"]["dir"]
        del values["backtest"]["record"]
        del values["backtest"]["path"]
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()
