"""What every fault has: whom it concerns, how likely it is, and when."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from polyframe.sandbox.door import Asked, Reply, Turned
from polyframe.sandbox.faults.stage import Run
from polyframe.sandbox.faults.target import Target
from polyframe.sandbox.server import Go

Seconds = Annotated[float, Field(strict=True, ge=0, le=31_536_000, allow_inf_nan=False)]
Span = Annotated[float, Field(strict=True, ge=0.001, le=31_536_000, allow_inf_nan=False)]
Millis = Annotated[int, Field(strict=True, ge=0, le=600_000)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Text = Annotated[str, Field(max_length=1_000)]

Window = Literal["open", "moment", "own"]


class Fault(BaseModel):
    """Something that goes wrong.

    Its windows are counted in the venue's seconds from when it was installed; ms are those of the
    world outside, where whoever waits for an answer lives.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window: ClassVar[Window] = "open"
    """it lasts as long as its window is open, happens at a moment, or knows how long it lasts"""
    serves: ClassVar[bool] = False
    """it has a part in requests"""
    listens: ClassVar[bool] = False
    """it has a part in what sockets are sent"""
    rolls: ClassVar[bool] = False
    """its probability is that of each window, not that of each thing it meets"""

    fault: str
    target: Target = Target()
    probability: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] = 1.0
    start: Seconds = 0.0
    duration: Span | None = None
    every: Span | None = None
    """from the start of one window to that of the next"""
    times: Count | None = None
    """how often it strikes at most"""
    seed: Annotated[int, Field(strict=True, ge=0, lt=1 << 63)] | None = None
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] = ""

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name in {"kinds", "presets"}:
            raise ValueError(f"no fault can be called {name!r}: that is a route of its own")
        return name

    @model_validator(mode="after")
    def _windows(self) -> Self:
        if self.window != "open" and self.duration is not None:
            own = "it happens at a moment" if self.window == "moment" else "its own fields say so"
            raise ValueError(f"{self.fault} takes no duration: {own}")
        lasts = self.lasts
        if self.every is not None:
            if self.window != "moment" and lasts is None:
                raise ValueError("every needs a duration that is shorter than it")
            if lasts is not None and lasts >= self.every:
                raise ValueError(
                    f"it lasts {lasts:g} s and begins again every {self.every:g} s: it must be over"
                )
        return self

    @property
    def lasts(self) -> float | None:
        """Seconds that a window is open; None for one that stays open."""
        return self.duration

    def begin(self, run: Run) -> None:
        """Its window opens."""

    def end(self, run: Run) -> None:
        """Its window closes, or it is taken away while it is open."""

    def meant(self, run: Run, prefix: str, asked: Asked) -> bool:
        """Whether it has a part in a request."""
        return False

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """The answer to a request that it has a part in."""
        return await go()


def where(prefix: str, asked: Asked) -> str:
    """A request as the record names it."""
    return f"{asked.method} /{prefix}{asked.path}"


def refusal(status: int, text: str, *, retry_after: int | None = None, **more: object) -> Reply:
    """An answer that turns a request away."""
    reply = Turned(status, text, **more).reply()
    if retry_after is None:
        return reply
    return reply._replace(headers=((b"retry-after", str(retry_after).encode()),))
