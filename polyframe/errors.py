"""Every exception polyframe raises on purpose, sorted by who must act.

::

    PolyframeError
    ├── UserError              a person must change something; the run did nothing yet      exit 2
    │   ├── ConfigError        a config file, an option or an environment variable
    │   └── PluginError        a strategy, forecaster, protection, exchange ... file
    ├── DataError              data that cannot be used; nothing is ever guessed            exit 3
    │   ├── WireError          a message that does not have the agreed form
    │   ├── GapError           a hole in a tape, a truncated or edited journal
    │   └── LookaheadError     something known only later than it claims
    ├── ExchangeError          the venue's answer                                           exit 4
    │   ├── Transient          may go through when tried again
    │   │   └── RateLimited    ... after a pause
    │   ├── OrderRejected      final for this order
    │   ├── Unauthorised       keys, signature or permission
    │   └── OrderUnknown       sent, no answer: may or may not stand at the venue
    ├── ForecastError          a forecaster could not answer                                exit 5
    │   └── BudgetExceeded     the next call would pass the budget
    └── InvariantError         our bug: stop, flush the journal                             exit 70

Every message says what was found; ``expected`` and ``hint`` say what would have been right and
which command to type next.
"""

from __future__ import annotations


class PolyframeError(Exception):
    """Root of the tree.

    ``message`` names the thing and what was found, ``expected`` what would have been right and
    ``hint`` the next step, usually a command.
    """

    exit_code = 1

    def __init__(
        self, message: str, *, expected: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.message]
        if self.expected:
            parts.append(f"expected: {self.expected}")
        if self.hint:
            parts.append(f"next: {self.hint}")
        return "\n".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions travel back from worker processes; keyword-only fields must survive pickling.
        return (_rebuild, (type(self), self.message, self.expected, self.hint))


def _rebuild(
    cls: type[PolyframeError], message: str, expected: str | None, hint: str | None
) -> PolyframeError:
    return cls(message, expected=expected, hint=hint)


class UserError(PolyframeError):
    """A person must change something."""

    exit_code = 2


class ConfigError(UserError):
    """A config file, an option or an environment variable is wrong."""


class PluginError(UserError):
    """A plugin could not be loaded, breaks its contract or raised."""


class DataError(PolyframeError):
    """Data that cannot be used. It is never guessed at."""

    exit_code = 3


class WireError(DataError):
    """A message from outside does not have the agreed form."""


class GapError(DataError):
    """A hole: rows are missing, a journal was truncated or edited."""


class LookaheadError(DataError):
    """Something carries knowledge from later than it claims."""


class ExchangeError(PolyframeError):
    """The venue refused or failed."""

    exit_code = 4


class Transient(ExchangeError):
    """May go through when tried again."""


class RateLimited(Transient):
    """Too many requests; try again after a pause."""


class OrderRejected(ExchangeError):
    """The venue refused this order for good."""


class Unauthorised(ExchangeError):
    """Keys, signature or permission were refused."""


class OrderUnknown(ExchangeError):
    """An order was sent and no answer came: it may or may not stand at the venue."""


class ForecastError(PolyframeError):
    """A forecaster could not answer."""

    exit_code = 5


class BudgetExceeded(ForecastError):
    """The next call would pass the budget."""


class InvariantError(PolyframeError):
    """Our bug. The journal is flushed and the session stops."""

    exit_code = 70
