"""A plan of faults: read from JSON, checked, and what is wrong with it said."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from polyframe.errors import ConfigError
from polyframe.runtime.explain import in_short
from polyframe.sandbox.faults import messages, questions, requests, traders, trading
from polyframe.sandbox.faults.fault import Fault
from polyframe.sandbox.faults.target import Target

KINDS: Final[dict[str, type[Fault]]] = {
    kind.model_fields["fault"].default: kind
    for room in (requests, messages, trading, questions, traders)
    for kind in room.KINDS
}
"""every fault by the name that plans know it by"""

NEXT: Final = "docs/sandbox-faults.md has every fault with its fields and an example"


class Plan(BaseModel):
    """Faults that are installed together. The seed makes the chances of all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(strict=True, ge=0, lt=1 << 63)] = 0
    include: tuple[str, ...] = ()
    """presets whose faults come first"""
    faults: tuple[Fault, ...] = ()


def read(said: object, source: str = "the plan") -> Plan:
    """The plan that JSON says: a plan, one fault, or a list of them.

    Raises:
        ConfigError: it is none; the message names what is wrong, and where.
    """
    if isinstance(said, list):
        said = {"faults": said}
    elif isinstance(said, Mapping) and "fault" in said:
        said = {"faults": [said]}
    if not isinstance(said, Mapping):
        raise ConfigError(
            f"{source} is {in_short(said)}", expected="an object with a list of faults", hint=NEXT
        )
    top = dict(said)
    rows = top.pop("faults", [])
    if not isinstance(rows, (list, tuple)):
        raise ConfigError(f"{source}: faults is {in_short(rows)}", expected="a list", hint=NEXT)
    try:
        plan = Plan.model_validate(top)
    except ValidationError as error:
        raise _explained(error, source, Plan) from error
    found = [
        row if isinstance(row, Fault) else _fault(row, i, source) for i, row in enumerate(rows)
    ]
    for name in reversed(plan.include):
        found = [*preset(name).faults, *found]
    return plan.model_copy(update={"faults": tuple(found)})


def _fault(row: object, number: int, source: str) -> Fault:
    place = f"{source}: faults[{number}]"
    if not isinstance(row, Mapping):
        raise ConfigError(
            f"{place} is {in_short(row)}",
            expected='an object such as {"fault": "latency"}',
            hint=NEXT,
        )
    kind = row.get("fault")
    if kind is None:
        raise ConfigError(f"{place} has no fault", expected=f"one of {_names()}", hint=NEXT)
    if not isinstance(kind, str) or kind not in KINDS:
        near = get_close_matches(str(kind), KINDS, n=1, cutoff=0.4)
        raise ConfigError(
            f"{place}: there is no fault {in_short(kind)}",
            expected=f"{near[0]!r}?" if near else f"one of {_names()}",
            hint=NEXT,
        )
    try:
        return KINDS[kind].model_validate(row)
    except ValidationError as error:
        raise _explained(error, f"{place} ({kind})", KINDS[kind]) from error


def _names() -> str:
    return ", ".join(KINDS)


def load(source: str | Path) -> Plan:
    """The plan in a file of JSON, or the preset of that name.

    Raises:
        ConfigError: there is neither, or it is no plan.
    """
    from polyframe.sandbox.faults.presets import PRESETS  # noqa: PLC0415 - presets are plans

    if str(source) in PRESETS:
        return preset(str(source))
    path = Path(source)
    try:
        text = path.read_bytes()
    except OSError as error:
        near = get_close_matches(str(source), PRESETS, n=1)
        raise ConfigError(
            f"there are no faults {str(source)!r}: {error.strerror or error}",
            expected=f"{near[0]!r}?" if near else f"a file, or one of {', '.join(PRESETS)}",
            hint=NEXT,
        ) from error
    try:
        return read(msgspec.json.decode(text), str(path))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} is no JSON: {error}", expected='{"seed": 7, "faults": [...]}', hint=NEXT
        ) from error


def preset(name: str) -> Plan:
    """A plan that is shipped.

    Raises:
        ConfigError: there is none of that name.
    """
    from polyframe.sandbox.faults.presets import PRESETS  # noqa: PLC0415 - presets are plans

    if name not in PRESETS:
        near = get_close_matches(name, PRESETS, n=1)
        raise ConfigError(
            f"there is no preset {name!r}",
            expected=f"{near[0]!r}?" if near else f"one of {', '.join(PRESETS)}",
            hint=NEXT,
        )
    return read(PRESETS[name], f"the preset {name}")


# ---- what is wrong -------------------------------------------------------------------------------


def _explained(error: ValidationError, place: str, model: type[BaseModel]) -> ConfigError:
    """The first thing that is wrong, by its name."""
    detail = error.errors()[0]
    loc = list(detail["loc"])
    name = ".".join(str(part) for part in loc)
    if detail["type"] == "extra_forbidden":
        known = _keys(model, loc)
        near = get_close_matches(str(loc[-1]), known, n=1)
        wanted = f"{near[0]!r}?" if near else f"one of {', '.join(known)}" if known else "nothing"
        return ConfigError(f"{place}: {name} is not known", expected=wanted, hint=NEXT)
    said = detail["msg"].removeprefix("Value error, ")
    if not loc:
        return ConfigError(f"{place}: {said}", hint=NEXT)
    if detail["type"] == "value_error":
        return ConfigError(f"{place}: {name}: {said}", hint=NEXT)
    wanted = said.removeprefix("Input should be ")
    return ConfigError(
        f"{place}: {name} is {in_short(detail['input'])}", expected=wanted, hint=NEXT
    )


def _keys(model: type[BaseModel], loc: list[Any]) -> list[str]:
    if len(loc) > 1 and loc[0] == "target":
        target = model.model_fields["target"].annotation
        model = target if isinstance(target, type) and issubclass(target, Target) else model
    return list(model.model_fields)
