"""`gateway serve`, `worker`, `demo`, `db upgrade`: what runs, and its database."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import talk

db = typer.Typer(help="The database.", no_args_is_help=True)


@db.callback()
def _group() -> None:
    """The database."""


def serve(
    config: talk.Config = talk.DEFAULT_CONFIG,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Without a worker: run `gateway worker` too.")
    ] = False,
) -> None:
    """Serve counterpart, agencies and operations until SIGTERM or Ctrl-C; then drain."""
    with talk.failures(as_json=False):
        settings = talk.settings(config).settings
        from gateway import bootstrap
        from gateway.bootstrap import logs

        logs.configure(settings.gateway.log_level)
        bootstrap.serve(settings, working=settings.worker.inside and not no_worker)


def worker(config: talk.Config = talk.DEFAULT_CONFIG) -> None:
    """Run a worker alone, for `serve --no-worker`; several may run on PostgreSQL."""
    with talk.failures(as_json=False):
        settings = talk.settings(config).settings
        from gateway import bootstrap
        from gateway.bootstrap import logs

        logs.configure(settings.gateway.log_level)
        bootstrap.run_worker(settings)


def demo(
    docs: Annotated[
        Path | None, typer.Option(help="A folder of other documents.", exists=True, file_okay=False)
    ] = None,
    sm2: Annotated[bool, typer.Option("--sm2", help="The Chinese side signs with SM2.")] = False,
) -> None:
    """Pass three trucks through two gateways on this machine, and show what happened."""
    from gateway import demo as shown

    raise typer.Exit(shown.run(docs, sm2=sm2))


@db.command("upgrade")
def upgrade(config: talk.Config = talk.DEFAULT_CONFIG, as_json: talk.Json = False) -> None:
    """Bring the database to the current schema; a current one is left alone."""
    with talk.failures(as_json):
        settings = talk.settings(config).settings
        from gateway import store
        from gateway.bootstrap.parts import store_url

        store.upgrade(store_url(settings.store))
        if as_json:
            talk.give_json({"upgraded": True})
        else:
            talk.say("the database has the current schema")
