"""The ``polyframe`` command: finds the verb, runs it, turns errors into messages and exit codes.

Verbs are imported when they are used: ``polyframe --help`` loads none of them.

Exit codes: 0 done · 1 failed · 2 wrong command, option, config or plugin · 3 unusable data ·
4 the venue refused · 5 no forecast · 70 a defect in polyframe · 130 interrupted · 141 closed pipe ·
143 terminated.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from polyframe.cli.console import console, emit_json, err_console
from polyframe.cli.first_run import say_if_first
from polyframe.cli.next_step import fitting
from polyframe.cli.terminating import TERMINATED, orderly
from polyframe.errors import PolyframeError, UserError

VERBS: dict[str, tuple[str, str]] = {
    "backtest": ("polyframe.cli.backtest:app", "Run strategies over recorded data"),
    "report": ("polyframe.cli.report:app", "Show a stored run"),
    "reproduce": ("polyframe.cli.reproduce:app", "Make a stored run again and compare"),
    "worst-cases": ("polyframe.cli.worst_cases:app", "Replay a stored run with gaps, outages ..."),
    "decisions": ("polyframe.cli.decisions:app", "Show why each order was made, and prove it"),
    "lookahead": ("polyframe.cli.lookahead:app", "Check that a strategy does not look ahead"),
    "list": ("polyframe.cli.list:app", "List strategies, markets, stored runs ..."),
    "data": ("polyframe.cli.data:app", "Import, check and look at recorded data"),
    "forecast": ("polyframe.cli.forecast:app", "Judge forecasts by what happened"),
    "plugins": ("polyframe.cli.plugins:app", "List strategies, forecasters, protections ..."),
    "new": ("polyframe.cli.new:app", "Write the start of a new plugin, with its test"),
    "sandbox": ("polyframe.cli.sandbox:app", "Run a local Polymarket for play money"),
    "config": ("polyframe.cli.config:app", "Show and check the configuration"),
    "init": ("polyframe.cli.init:app", "Make a user directory"),
}
"""Each verb, where its typer app is, and what it does."""

INTERRUPTED = 130
CLOSED_PIPE = 141
DEFECT = 70


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if sys.stdout is None or sys.stderr is None:
        _open_missing()
    as_json = "--json" in (args[: args.index("--")] if "--" in args else args)
    with orderly() as ending:
        code = _guarded(args, as_json)
    if code == INTERRUPTED and ending.asked:
        code = TERMINATED
    if code in {INTERRUPTED, TERMINATED}:
        err_console.print("Interrupted." if code == INTERRUPTED else "Terminated.")
    return code


def _open_missing() -> None:
    """Whoever closed an output wants nothing of it; Python has None in its place."""
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    sys.stdout = sys.stdout or nowhere
    sys.stderr = sys.stderr or nowhere


def _guarded(args: list[str], as_json: bool) -> int:
    """Runs one command line; whatever it raises becomes a message and an exit code."""
    try:
        code = _dispatch(args)
        sys.stdout.flush()
    except PolyframeError as error:
        error.hint = fitting(error, args)
        code = _report(error, as_json)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader went away. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = CLOSED_PIPE
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            return _report_defect(error, as_json)
        code = _report(_unwritten(error), as_json=False)
    except Exception as error:  # noqa: BLE001 - the last place that can say what to do next
        code = _report_defect(error, as_json)
    return code


def _unwritten(error: OSError) -> PolyframeError:
    """The answer could not be printed. Python would complain again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UserError(
        f"the answer cannot be written: {error.strerror}", expected="room on the disk it goes to"
    )


def _dispatch(args: list[str]) -> int:
    if not args or args[0] in {"--help", "-h", "help"}:
        _print_help()
        return 0 if args else 2
    if args[0] in {"--version", "-V"}:
        from polyframe import __version__

        console.print(f"polyframe {__version__}", highlight=False)
        return 0
    verb = args[0]
    if verb not in VERBS:
        raise _unknown(verb)
    return _run(verb, args[1:])


def _run(verb: str, args: list[str]) -> int:
    import typer

    say_if_first(verb)
    module, _, attribute = VERBS[verb][0].partition(":")
    command: Any = typer.main.get_command(getattr(import_module(module), attribute))
    # The root of the parser's own errors: typer has carried its parser under two names.
    wrong_usage: type[Any] = typer.BadParameter.__mro__[2]
    try:
        result = command.main(args=args, prog_name=f"polyframe {verb}", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.Exit as stop:
        return stop.exit_code
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # the parser exits with 1 for it
            raise stop.__context__ from None
        raise
    except wrong_usage as error:
        text = error.format_message()
        if not text or text.startswith("Usage: "):  # a group without a subcommand shows its help
            err_console.print(text, markup=False, highlight=False)
            return 2
        inner = args[0] if args and args[0] in getattr(command, "commands", ()) else ""
        which = f"{verb} {inner}".rstrip()
        raise UserError(text.rstrip("."), hint=f"polyframe {which} --help") from None
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _unknown(verb: str) -> UserError:
    what = "an option" if verb.startswith("-") else "a command"
    near = get_close_matches(verb, [*VERBS, "--help", "--version"], n=1)
    return UserError(
        f"{verb} is not {what} of polyframe",
        expected=f"{near[0]}?" if near else f"one of {', '.join(VERBS)}",
        hint="polyframe --help",
    )


def _report(error: PolyframeError, as_json: bool) -> int:
    if as_json:
        emit_json(
            {
                "error": {
                    "type": type(error).__name__,
                    "message": error.message,
                    "expected": error.expected,
                    "hint": error.hint,
                    "exit_code": error.exit_code,
                }
            }
        )
        return error.exit_code
    lines = [("bold red", "Error", error.message)]
    lines += [("yellow", "Expected", error.expected)] if error.expected else []
    lines += [("green", "Next", error.hint)] if error.hint else []
    for style, label, text in lines:
        err_console.print(f"[{style}]{label}:[/] ", end="")
        err_console.print(text, markup=False, highlight=False, soft_wrap=True)
    return error.exit_code


def _report_defect(error: Exception, as_json: bool) -> int:
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    defect = PolyframeError(
        f"{type(error).__name__}: {error}",
        hint="this is a defect in polyframe: please report it with the lines above",
    )
    defect.exit_code = DEFECT
    return _report(defect, as_json)


def _print_help() -> None:
    from rich.table import Table

    console.print("[bold]Usage:[/] polyframe COMMAND [OPTIONS]\n", highlight=False)
    console.print("Plugin-based strategies for prediction markets.\n", highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2))
    for verb, (_, text) in VERBS.items():
        table.add_row(f"[cyan]{verb}[/]", text)
    console.print(table)
    console.print("\nOptions: --help, --version. Every command takes --help and --json.")


if __name__ == "__main__":
    sys.exit(main())
