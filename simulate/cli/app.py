"""The command ``simulate``: finds the verb, loads it alone, and turns every ending into a message and an exit code."""

from __future__ import annotations

import codecs
import functools
import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from simulate.cli.console import UsageFault, print_json, say
from simulate.cli.strict import Spared, StrictCommand
from simulate.errors import Il1simError, InputError, MissingExtra, Where, did_you_mean, listed, not_among, reason_of
from simulate.interruption import Terminated, asked, forget, heed, listen
from simulate.memory import check_floor
from simulate.results.undrawn import gathering
from simulate.verbs import verbs
from simulate.wording import command_line

EXIT_CODES = """\b
Exit codes:
  0    done
  1    an internal error; --debug, anywhere on the line, shows where
  2    the command line cannot be understood
  3    an input cannot be used: a file, a key, a value, a unit
  4    more than 5 % of the patients failed numerically; results are written
  5    an analysis or a check did not reach its end
  6    a run ended early and can be resumed
  7    something is missing: a writable folder, space, an optional package
  130  interrupted; nothing is left half written
  143  ended by another process (SIGTERM); nothing is left half written"""

INTERRUPTED = 130
TERMINATED = 143
BROKEN_PIPE = 141


class _Closed(Exception):
    """The reader of standard output has gone."""


class _Interrupted(Exception):
    """Ctrl-C, or the signal that another process sends."""


@functools.cache
def _command(name: str, function: Callable[..., Any]) -> Any:
    command = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_HELP)
    command.command(name, cls=StrictCommand)(function)
    return typer.main.get_command(command)


class Verbs(Spared, TyperGroup):
    """Group of commands whose modules are loaded when they are used, and not for the help."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(verbs())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        verb = verbs().get(cmd_name)
        return None if verb is None else _command(cmd_name, getattr(import_module(verb.module), verb.function))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in verbs() and not args[0].startswith("-"):
            raise not_among(f"there is no verb `{args[0]}`", args[0], verbs(), code="usage.verb", kind=UsageFault)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        longest = max(map(len, verbs()))
        for title, group in itertools.groupby(verbs().values(), lambda verb: verb.group):
            with formatter.section(title):
                formatter.write_dl([(verb.name.ljust(longest), verb.summary) for verb in group])

    def invoke(self, ctx: Any) -> Any:
        # Here and not around the whole, as what calls this method has endings of its own for these two.
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            raise _Closed from None
        except KeyboardInterrupt as ending:
            raise _Interrupted from ending


_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    cls=Verbs,
    rich_markup_mode=None,
    no_args_is_help=True,
    subcommand_metavar="VERB [ARGS]...",
    context_settings=_HELP,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from simulate import __version__

        typer.echo(f"il1sim {__version__}")
        raise typer.Exit()


@app.callback(epilog=EXIT_CODES)
def simulate(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Simulate IL-1-driven CD4 T cells in patients with myositis under IL-1 blockade.

    \b
    simulate list
    simulate run anakinra-100mg-daily
    simulate run anakinra-100mg-daily --hypothesis H1 --patients 500 --set f_m=0.3
    simulate show equations --hypothesis H1
    """  # noqa: D301


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    listen()
    # Figures go to files, whatever a notebook or the environment draws with; Matplotlib refuses what is not there.
    os.environ["MPLBACKEND"] = "Agg"
    # What the program writes, its owner can read and remove.
    os.umask(os.umask(0o077) & 0o077)
    try:
        code = outcome(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt as ending:
        # Again, while the first was being answered.
        code = TERMINATED if isinstance(ending, Terminated) else INTERRUPTED
    # All is said and done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(code)


def outcome(arguments: Sequence[str]) -> int:
    """Exit code of a command line, after everything was said.

    Parameters
    ----------
    arguments
        Words after ``simulate``.
    """
    words = list(arguments)
    own = words[: words.index("--")] if "--" in words else words
    is_debug, as_json = "--debug" in own, "--json" in own
    if is_debug:
        words.remove("--debug")
    # A stream that the shell has closed is None; what is said to it is lost.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        # µ and γ must not be fatal where the locale has none, and a locale of ASCII alone says nothing of what reads.
        if hasattr(stream, "reconfigure"):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors="replace")
    try:
        _check_text(words)
        if words and words[0] in verbs():
            check_floor()
        with command_line(), gathering() as undrawn:
            try:
                result = typer.main.get_command(app).main(words, prog_name="simulate", standalone_mode=False)
            finally:
                for one in undrawn:
                    _say_undrawn(one, is_debug)
        sys.stdout.flush()
        heed()
        code = result if isinstance(result, int) else 0
        return undrawn[0].exit_code if undrawn and not code else code
    except Il1simError as error:
        return _report(error, as_json)
    except (_Closed, BrokenPipeError):
        return _hang_up()
    except (_Interrupted, KeyboardInterrupt, typer.Abort) as ending:
        return _interrupted(ending.__cause__ or ending)
    except Exception as error:
        # A library that loses the exception of an interruption may stumble over what it left undone.
        if (lost := asked()) is not None:
            return _interrupted(lost)
        fault = _fault_of(error)
        if fault is None and is_debug:
            raise
        return _report(fault or _internal(error), as_json)


def _say_undrawn(fault: Il1simError, is_debug: bool) -> None:
    """Say which figure could not be drawn; on standard output the results stand as they were found."""
    if is_debug and fault.__cause__ is not None:
        import traceback

        say("".join(traceback.format_exception(fault.__cause__)).rstrip())
    say(str(fault), is_error=True)


def _interrupted(ending: BaseException) -> int:
    say("interrupted; nothing was left half written")
    forget()
    return TERMINATED if isinstance(ending, Terminated) else INTERRUPTED


def _fault_of(error: Exception) -> Il1simError | None:
    """What the machine or the command line is to blame for, in this program's words; None for anything else."""
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        return MissingExtra(
            "memory ran out",
            code="memory",
            found=str(error)[:100] or None,
            advice="fewer patients or times of output, fewer --threads or --workers, or a higher limit",
        )
    if isinstance(error, OSError):
        where = Where(file=error.filename) if isinstance(error.filename, str) else None
        return MissingExtra(f"a file or stream cannot be read or written: {reason_of(error)}", code="io", where=where)
    return _usage_fault(error)


def _check_text(words: Sequence[str]) -> None:
    """Refuse words that no manifest could hold."""
    for word in words:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise InputError(
                "a name is not UTF-8 text",
                code="usage.encoding",
                where=Where(file=ascii(word)[1:-1]),
                expected="UTF-8",
                advice="rename the file or folder",
            )


def _usage_fault(error: Exception) -> Il1simError | None:
    """What the parser of arguments found, in this program's words; None for an error that is not the parser's."""
    context = getattr(error, "ctx", None)
    if not hasattr(error, "format_message") or not hasattr(error, "exit_code"):
        return None
    help_line = "" if context is None else context.command_path
    if type(error).__name__ == "NoArgsIsHelpError":
        say(error.format_message())
        return UsageFault("a verb is missing", code="usage.verb", expected=listed(verbs()))
    option = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption" and context is not None:
        known = [name for parameter in context.command.get_params(context) for name in parameter.opts]
        return UsageFault(
            f"there is no option `{option}`",
            code="usage.option",
            advice=did_you_mean(str(option), [name for name in known if name.startswith("-")])
            or f"`{help_line} --help` lists them",
        )
    message = error.format_message().rstrip(".")
    return UsageFault(
        message[:1].lower() + message[1:],
        code="usage.argument",
        advice=f"`{help_line or 'simulate'} --help` shows what is expected",
    )


def _internal(error: Exception) -> Il1simError:
    return Il1simError(
        f"a fault of this program: {type(error).__name__}: {error}",
        code="internal",
        advice="run it again with --debug and report what it prints, with the input, to the maintainers",
    )


def _report(error: Il1simError, as_json: bool) -> int:
    """Print an error; its exit code."""
    try:
        if as_json:
            print_json({"error": error.as_dict()})
            sys.stdout.flush()
    except OSError:
        _hang_up()
    say(str(error), is_error=True)
    return error.exit_code


def _hang_up() -> int:
    """Give up streams that take nothing any more; the interpreter would complain when it flushes them."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                os.dup2(nowhere.fileno(), stream.fileno())
    return BROKEN_PIPE
