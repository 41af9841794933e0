"""The command line: commands are imported when they are called, errors become exit codes in one place."""

from __future__ import annotations

import io
import os
import signal
import sys
from itertools import pairwise
from typing import TextIO

import click

from tapctl import __version__
from tapctl.errors import ExitCode, TapctlError

COMMANDS = {
    "init": ("tapctl.cli.init", "init", "Make a first tenants repository."),
    "validate": ("tapctl.cli.validate", "validate", "Check tenant files, offline."),
    "diff": ("tapctl.cli.diff", "diff", "Show what changed in the files between two revisions."),
    "plan": ("tapctl.cli.plan", "plan", "Show what apply would change."),
    "show": ("tapctl.cli.show", "show", "Show a saved plan again."),
    "apply": ("tapctl.cli.apply", "apply", "Make the changes that are needed, and verify them."),
    "drift": ("tapctl.cli.drift", "drift", "Show what somebody changed behind Git's back."),
    "import": ("tapctl.cli.import_tenant", "import_tenant", "Write YAML for what lives in a tenant."),
    "rollback": ("tapctl.cli.rollback", "rollback", "Plan and apply the way back from an apply."),
    "sandbox": ("tapctl.cli.sandbox", "sandbox", "Work with the embedded tenant."),
}
"""Command to module, function and one line of help: `--help` need not import them all."""


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        import importlib

        module, function = COMMANDS[cmd_name][:2]
        command: click.Command = getattr(importlib.import_module(module), function)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tapctl", message="%(prog)s %(version)s")
def cli() -> None:
    """Temporary Access Pass sign-in as code: policy, target groups and web sign-in profile.

    \b
    Exit codes: 0 done, 1 failed or unknown, 2 changes or drift present, 3 edit or override,
    4 the approved plan no longer fits, 64 wrong usage, 130 interrupted.
    """


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code. No traceback reaches a user, whatever a file or a server holds."""
    try:
        result = cli.main(arguments, prog_name="tapctl", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted. What was sent is in the journal; running again goes on from what is there.", err=True)
        return ExitCode.INTERRUPTED
    except TapctlError as error:
        from tapctl.cli.trouble import say

        say(error)
        if _wants_json(arguments) and error.exit_code is not ExitCode.USAGE:
            _say_json(error, sys.argv[1:] if arguments is None else arguments)
        return error.exit_code
    except BrokenPipeError:
        return ExitCode.FAILED
    except OSError as error:
        # Whatever reads files says so itself: what is left is the result, on a full disk or a closed terminal.
        return _unsaid(error)
    except Exception as error:  # noqa: BLE001 - the one place: a defect of tapctl must not print a traceback either
        return _defect(error)
    return result if isinstance(result, int) else ExitCode.DONE


def _wants_json(arguments: list[str] | None) -> bool:
    """Whether the command line asks for JSON: it is printed for every exit code but 64."""
    words = sys.argv[1:] if arguments is None else arguments
    asked = {"--format=json"} & set(words)
    return bool(asked) or any(pair == ("--format", "json") for pair in pairwise(words))


def _say_json(error: TapctlError, words: list[str]) -> None:
    """What a command prints that got nowhere: for those that print plans, a plan document without a tenant."""
    from tapctl.cli.fleet import nothing, plan_command
    from tapctl.output.document import dumps, to_json

    command = plan_command(next((word for word in words if word in COMMANDS), ""))
    if command is not None:
        click.echo(dumps(to_json(nothing(command, error))), nl=False)
        return
    click.echo(dumps({"error": error.message, "fix": error.fix, "exitCode": int(error.exit_code)}), nl=False)


def _unsaid(error: OSError) -> int:
    click.echo(f"error: the result could not be written: {error.strerror}", err=True)
    click.echo("  fix: send standard output somewhere it can be written; of an apply the journal tells all", err=True)
    return ExitCode.FAILED


def _defect(error: Exception) -> int:
    import logging

    # The message of an unknown exception may quote anything: only its type is shown unless debug logs are wanted.
    logging.getLogger("tapctl").debug("defect", exc_info=error)
    click.echo(f"error: tapctl has a defect ({type(error).__name__}); nothing more was done", err=True)
    click.echo("  fix: run again with --log-level debug and report what it says", err=True)
    return ExitCode.FAILED


def main() -> None:
    """The `tapctl` command."""
    # Pipelines end a job with SIGTERM: it is an interruption, after which the journal and the result are complete.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.stderr = sys.stderr or _nowhere()
    if sys.stdout is None:
        sys.stdout = _nowhere()
        click.echo("error: standard output is closed, so that no result could be shown; nothing was done", err=True)
        sys.exit(int(ExitCode.USAGE))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A pipe may be in an encoding that cannot say a display name; that must not end a run.
            stream.reconfigure(errors="backslashreplace")
    code = run()
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _unsaid(error)
        # Python would flush once more at its end, and say that it failed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(int(code))


def _nowhere() -> TextIO:
    """In the place of a stream that is closed."""
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
