"""The one wrapper around every call of a plugin.

A plugin that raises, yields something that is no wish, or never ends becomes a PluginError that
names the plugin, the method, the file and the line. Whoever holds the session decides what follows:
a backtest stops, a live session disables the strategy.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any

from polyframe.domain.wishes import WISHES, Wish
from polyframe.errors import InvariantError, PluginError, PolyframeError
from polyframe.runtime.watchdog import Overrun, Running, watch
from polyframe.runtime.wishcheck import checked

MOST_WISHES = 1_000
"""The most wishes one call may yield in a session of few markets."""
EACH_TOKEN = 4
"""So many it may yield for each token where there are more: one that quotes all of them."""

_KNOWN = frozenset(WISHES)
_NOTHING: tuple[()] = ()
_EXPECTED = ", ".join(wish.__name__ for wish in WISHES)


class PluginCalls:
    """Calls plugins' methods and answers for what comes out of them."""

    def __init__(self, tokens: int = 0) -> None:
        self._running = Running()
        self._most = max(MOST_WISHES, EACH_TOKEN * tokens)

    def watch(self, limit_seconds: float = 10.0) -> AbstractContextManager[None]:
        """Interrupts, while entered, a call that runs longer than ``limit_seconds``."""
        return watch(self._running, limit_seconds)

    def invoke(self, owner: str, method: Callable[..., Any], event: Any, view: Any) -> list[Wish]:
        """What a strategy's method wishes for.

        Raises:
            PluginError: it raised, did not end, or yielded too much or something else than wishes.
        """
        running = self._running
        running.serial += 1
        running.owner = owner
        try:
            yielded = method(event, view)
            if yielded is None or yielded is _NOTHING:
                return []
            return _drain(owner, method, yielded, self._most)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            explained = _explained(owner, method, error)
            if explained is error:
                raise
            raise explained from error
        finally:
            running.owner = ""

    def call(self, owner: str, method: Callable[..., Any], *args: Any) -> Any:
        """What any other port method returns.

        Raises:
            PluginError: it raised or did not end.
        """
        running = self._running
        running.serial += 1
        running.owner = owner
        try:
            return method(*args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            explained = _explained(owner, method, error)
            if explained is error:
                raise
            raise explained from error
        finally:
            running.owner = ""

    def drive(
        self,
        owner: str,
        method: Callable[..., Any],
        answer: Coroutine[Any, Any, Any],
        passing: type[PolyframeError],
    ) -> tuple[bool, Any]:
        """Runs a plugin's coroutine up to its first real wait: (whether it ended, its answer).

        An error of the kind ``passing`` is an answer too and comes out as it is.

        Raises:
            PluginError: it raised something else or did not end.
        """

        def run() -> tuple[bool, Any]:
            try:
                answer.send(None)
            except StopIteration as done:
                return True, done.value
            except passing as error:
                return True, error
            answer.close()
            return False, None

        running = self._running
        running.serial += 1
        running.owner = owner
        try:
            ended, found = run()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            explained = _explained(owner, method, error)
            if explained is error:
                raise
            raise explained from error
        finally:
            running.owner = ""
        if isinstance(found, passing):
            raise found
        return ended, found


def _drain(owner: str, method: Callable[..., Any], yielded: Any, most: int) -> list[Wish]:
    try:
        items: Iterator[Any] = iter(yielded)
    except TypeError:
        raise _no_iterable(owner, method, yielded) from None
    wishes: list[Wish] = []
    for item in items:
        if type(item) not in _KNOWN:
            raise PluginError(
                f"{_named(owner, method)} yielded {_short(item)} at {_yield_line(method, yielded)}",
                expected=f"wishes: {_EXPECTED}",
                hint="yield Intent(...) from the method, or return a list of wishes",
            )
        if len(wishes) == most:
            raise PluginError(
                f"{_named(owner, method)} yielded more than {most:,} wishes in one call, "
                f"at {_yield_line(method, yielded)}",
                expected=f"at most {most:,}",
                hint="ask for the rest later: yield WakeAt(...)",
            )
        try:
            wishes.append(checked(item))
        except TypeError as error:
            raise PluginError(
                f"{_named(owner, method)} yielded {error} at {_yield_line(method, yielded)}",
                expected="prices and sizes as ints in the market's units, see docs/plugins.md",
            ) from None
    return wishes


def _no_iterable(owner: str, method: Callable[..., Any], yielded: Any) -> PluginError:
    if inspect.iscoroutine(yielded):
        yielded.close()  # or Python warns that it was never awaited
        return PluginError(
            f"{_named(owner, method)} is async, at {_place(method)}",
            expected="a plain function: strategies never wait",
            hint="ask for a forecast instead: yield AskForecast(...)",
        )
    return PluginError(
        f"{_named(owner, method)} returned {_short(yielded)}, at {_place(method)}",
        expected="wishes, yielded or in a list",
        hint="write yield in place of return, or return [wish]",
    )


def _explained(owner: str, method: Callable[..., Any], error: BaseException) -> BaseException:
    """The PluginError for what a plugin raised; the engine's own broken invariants stay as is."""
    named = _named(owner, method)
    if isinstance(error, Overrun):
        return PluginError(
            f"{named} did not end within {error.limit:g} s, interrupted at "
            f"{raised_at(method, error)}",
            expected="an answer at once; a strategy never waits and never loops without end",
        )
    if isinstance(error, PluginError) and error.message.startswith(named):
        return error
    if isinstance(error, InvariantError) and _from_engine(error):
        return error
    what = error.message if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
    return PluginError(
        f"{named} raised {what}, at {raised_at(method, error)}",
        expected=getattr(error, "expected", None) or None,
        hint=getattr(error, "hint", None) or None,
    )


def raised_at(method: Callable[..., Any], error: BaseException) -> str:
    """File and line of the deepest frame inside the plugin's own file."""
    function = _function(method)
    own = function.__code__.co_filename if function else ""
    place = _place(method)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == own:
            place = f"{own}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _from_engine(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).startswith("polyframe.engine"):
            return True
        trace = trace.tb_next
    return False


def _named(owner: str, method: Callable[..., Any]) -> str:
    subject = getattr(method, "__self__", None)
    name = getattr(method, "__name__", repr(method))
    plugin = f"{type(subject).__name__}.{name}" if subject is not None else name
    return plugin if not owner or owner == type(subject).__name__ else f"{plugin} ({owner})"


def _function(method: Callable[..., Any]) -> FunctionType | None:
    function = getattr(method, "__func__", method)
    return function if isinstance(function, FunctionType) else None


def _place(method: Callable[..., Any]) -> str:
    function = _function(method)
    if function is None:
        module = sys.modules.get(type(getattr(method, "__self__", method)).__module__)
        return str(getattr(module, "__file__", "an unknown file"))
    return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"


def _yield_line(method: Callable[..., Any], yielded: Any) -> str:
    frame = getattr(yielded, "gi_frame", None)
    if frame is None:
        return _place(method)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _short(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
