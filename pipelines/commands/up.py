"""`leadline up`: what a company runs all the time."""

from typing import Annotated

import typer


def run(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", "--dashboard", min=1, max=65535, help="The dashboard's port.")
    ] = 8501,
    dagster_port: Annotated[
        int,
        typer.Option("--dagster-port", "--dagster", min=1, max=65535, help="Port of Dagster's UI."),
    ] = 3000,
    health_port: Annotated[
        int,
        typer.Option("--health-port", "--health", min=1, max=65535, help="Port of the health URL."),
    ] = 8502,
    listen_port: Annotated[
        int,
        typer.Option(
            "--listen-port", "--listen", min=1, max=65535, help="Port of what may be sent here."
        ),
    ] = 8503,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            "--behind-proxy",
            help="Allow another --host than loopback: a proxy in front asks for sign-in.",
        ),
    ] = False,
) -> None:
    """Run everything: scheduled pulls and builds, Dagster's pages, the dashboard, the push API.

    What dies is started again; Ctrl-C or SIGTERM ends all of it. The pages have no sign-in of their
    own, so another address than loopback needs --behind-proxy.
    """
    from pipelines import settings as settings_module
    from pipelines.commands import folders
    from pipelines.commands.console import note
    from pipelines.reader import current_build
    from pipelines.supervisor import run_supervisor

    settings = settings_module.load()
    if not settings.connections:
        note("no connection is set up yet; `leadline init` writes a leadline.toml that shows how")
    elif current_build(settings.data) is None:
        note(
            "nothing is published yet; the first pull comes with its schedule "
            f"({settings.operation.sync_schedule}), or now with `leadline sync`, `leadline build`"
        )
    path = settings_module.find()
    if path is not None:
        folders.use(path, settings.data.absolute())
    run_supervisor(
        settings,
        host=host,
        dashboard_port=port,
        dagster_port=dagster_port,
        health_port=health_port,
        listen_port=listen_port,
        behind_proxy=behind_proxy,
    )
