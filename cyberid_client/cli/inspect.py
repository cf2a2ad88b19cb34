"""``cyberid inspect``: its options; what it does is imported when it runs, so that help is quick."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from cyberid_client.inspection import InspectionSettings

__all__ = ["inspect"]

_KINDS: Final = ("id-token", "metadata", "discovery", "jwks", "chain", "status-list")
_MODES: Final = ("R01", "R02", "R03", "R04")
_PURPOSES: Final = ("assertion", "metadata", "status")
# A little more than the largest document may have, so that a larger one is refused by its parser.
_READ_MAX_BYTES: Final = 33 * 1024 * 1024
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_REFUSED: Final = 1
_INCOMPLETE: Final = 3


class Moment(click.ParamType[datetime]):
    """A time on the command line: ISO 8601, in UTC when it names no zone, or seconds since 1970."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time, aware."""
        if isinstance(value, datetime):
            return value
        try:
            if value.isascii() and value.isdigit():
                return datetime.fromtimestamp(int(value), UTC)
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            self.fail("It is neither ISO 8601 nor seconds since 1970.", param, ctx)


_MOMENT: Final = Moment()


@click.command()
@click.argument("document", metavar="FILE|-", type=click.File("rb"))
@click.option("--kind", type=click.Choice(_KINDS), help="What it is; found out by default.")
@click.option("--roots", metavar="FILE", type=_FILE, help="The pinned roots, PEM.")
@click.option("--test-roots", is_flag=True, help="The roots are those of a mock issuer.")
@click.option("--issuer", metavar="URL", help="The issuer that you expect.")
@click.option("--client-id", metavar="TEXT", help="The client id of your app.")
@click.option("--sector", metavar="URL", help="The sector identifier of your app.")
@click.option("--jwks", metavar="FILE", type=_FILE, help="The issuer's key set.")
@click.option("--nonce", metavar="TEXT", help="The nonce of the login.")
@click.option("--assurance", type=click.Choice(_MODES), help="The mode that was asked for.")
@click.option("--max-age", metavar="SECONDS", type=int, help="The maximum age that was asked for.")
@click.option("--started-at", metavar="TIME", type=_MOMENT, help="When the login started.")
@click.option("--access-token", metavar="TEXT", help="The access token that came beside it.")
@click.option("--age-band/--no-age-band", default=None, help="Whether the age band was asked for.")
@click.option("--uri", metavar="URL", help="The address that a status list came from.")
@click.option(
    "--crl", "crls", metavar="FILE", type=_FILE, multiple=True, help="A revocation list; repeatable."
)
@click.option("--algorithm", metavar="NAME", default="ES256", show_default=True, help="Of the issuer.")
@click.option(
    "--purpose",
    type=click.Choice(_PURPOSES),
    default="assertion",
    show_default=True,
    help="What the signer of a bare chain signs.",
)
@click.option("--at", metavar="TIME", type=_MOMENT, help="Judge as at this time; now by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.option("--show-values", is_flag=True, help="Show pseudonym, nonce and the like in full.")
def inspect(document: IO[bytes], *, as_json: bool, **options: object) -> None:
    """Explain a token, chain, key set, discovery page or status list, step by step.

    Nothing is fetched. What you do not give is not judged, and the output says what is missing. The
    pseudonym and other secret values are shown as their length and a hash that is good for this output
    only; identity numbers are never shown.

    A TIME is ISO 8601 or seconds since 1970. The exit code is 0 when all passes, 1 when a login would
    refuse the document, 2 for misuse, 3 when nothing fails but not everything was judged.
    """
    from cyberid_client.cli.inspect_output import print_json, print_tree  # noqa: PLC0415 - keeps --help quick
    from cyberid_client.errors import ConfigurationError  # noqa: PLC0415 - as above
    from cyberid_client.inspection import Verdict, inspect_document  # noqa: PLC0415 - as above

    if options["show_values"]:
        click.echo("Warning: values of a person are shown. Do not keep or pass on this output.", err=True)
    data = document.read(_READ_MAX_BYTES)
    try:
        explanation = inspect_document(data, settings=_settings(options))
    except ConfigurationError as error:
        message = f"{error} ({error.code})"
        raise click.UsageError(message) from error
    (print_json if as_json else print_tree)(explanation)
    exits = {Verdict.FAILS: _REFUSED, Verdict.NOT_JUDGED: _INCOMPLETE}
    sys.exit(exits.get(explanation.verdict, 0))


def _settings(options: Mapping[str, object]) -> InspectionSettings:
    """Make the settings of the options, whose names are those of the settings but for four."""
    from cyberid_client.inspection import InspectionSettings, Kind  # noqa: PLC0415 - keeps --help quick
    from cyberid_client.models import Assurance  # noqa: PLC0415 - as above
    from cyberid_client.trust import Purpose, TrustStore  # noqa: PLC0415 - as above

    given: dict[str, Any] = dict(options)
    roots, for_tests, jwks, at = (given.pop(name) for name in ("roots", "test_roots", "jwks", "at"))
    crls: tuple[Path, ...] = given.pop("crls")
    kind, mode, purpose = (given.pop(name) for name in ("kind", "assurance", "purpose"))
    if for_tests and roots is None:
        message = "--test-roots needs --roots."
        raise click.UsageError(message)
    make_trust = TrustStore.for_tests if for_tests else TrustStore.from_pem
    return InspectionSettings(
        now=datetime.now(UTC) if at is None else at,
        kind=None if kind is None else Kind(kind),
        trust=None if roots is None else make_trust(roots.read_bytes()),
        jwks=None if jwks is None else jwks.read_bytes(),
        crls=tuple(path.read_bytes() for path in crls) or None,
        assurance=None if mode is None else Assurance[mode],
        purpose=Purpose(purpose),
        hash_key=secrets.token_bytes(32),
        **given,
    )
