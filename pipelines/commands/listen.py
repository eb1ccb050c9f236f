"""`leadline listen`: take what is sent here."""

from typing import Annotated

import typer


def run(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 8503,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            "--behind-proxy", help="Allow another --host than loopback: a proxy in front has TLS."
        ),
    ] = False,
) -> None:
    """Take deployments, incidents, tickets and webhooks that are sent here, until Ctrl-C.

    What is answered with 2xx is on disk and counts from the next build on. See docs/push.md.
    """
    from pipelines.listening.service import check_address, listen
    from pipelines.settings import load

    check_address(host, behind_proxy=behind_proxy)
    listen(load(), host, port)
