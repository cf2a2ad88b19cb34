"""The commands and their options; what they do is imported when they run, so that help is quick."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cyberid_client import __version__
from cyberid_client.cli.doctor import doctor
from cyberid_client.cli.inspect import inspect

__all__ = ["cyberid"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cyberid", message="%(prog)s %(version)s")
def cyberid() -> None:
    """Tools around logins with a national virtual ID."""


@cyberid.command()
@click.option(
    "--app",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of an app with a demo.py, for example examples/shop; without it a login is walked on its own.",
)
@click.option(
    "--once/--serve",
    "once",
    default=None,
    help="End after the walk, or keep issuer and app running until Ctrl-C; --serve is the default on a terminal.",
)
@click.option(
    "--alg", metavar="NAME", default="ES256", show_default=True, help="What the issuer signs with, as in JWS."
)
def demo(app: Path | None, once: bool | None, alg: str) -> None:  # noqa: FBT001 - click passes options by name
    """Walk one login against a mock issuer on this machine, and explain each step.

    Everybody in it is made up. Only loopback addresses are used.
    """
    from cyberid_client.cli.demo import (  # noqa: PLC0415 - keeps --help quick
        require_algorithm,
        walk_alone,
        walk_with_app,
    )

    require_algorithm(alg)
    if app is None:
        if once is False:
            message = "--serve needs --app: without an app there is nothing to open."
            raise click.UsageError(message)
        walk_alone(algorithm=alg)
        return
    if not (app / "demo.py").is_file():
        message = f"There is no demo.py in {app}."
        raise click.UsageError(message)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    walk_with_app(app, serve=on_terminal if once is None else not once, algorithm=alg)


cyberid.add_command(doctor)
cyberid.add_command(inspect)
