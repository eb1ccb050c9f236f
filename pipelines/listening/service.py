"""`leadline listen`: the push API over one data folder, until it is stopped.

`python -m pipelines.listening.service HOST PORT` runs below `leadline up`.
"""

import ipaddress
import logging
import socket
import sys

import uvicorn

from connectors.push import Push
from pipelines.files import DataFolder
from pipelines.listening.application import Listener
from pipelines.listening.intake import Intake
from pipelines.listening.tokens import Tokens
from pipelines.settings import Settings, SettingsError, load
from pipelines.sync import utc_now

GRACE_SECONDS = 10
BACKLOG = 1_024


def push_connection(settings: Settings) -> Push:
    """The connection that says what may be sent; raises `SettingsError` where there is not one."""
    found = [
        connector
        for connection in settings.connections.values()
        if isinstance(connector := connection.connector(), Push)
    ]
    if not found:
        raise SettingsError(
            "nothing may be sent here yet; add [connections.push] to leadline.toml (docs/push.md)"
        )
    if len(found) > 1:
        names = ", ".join(connector.name for connector in found)
        raise SettingsError(f"{names} are connections of the kind push; keep one of them")
    return found[0]


def listener(settings: Settings) -> Listener:
    """Everything that answers, over the data folder of the settings."""
    connector = push_connection(settings)
    folder = DataFolder(settings.data).create()
    owners = {
        name: connection.connector()
        for name, connection in settings.connections.items()
        if connection.kind != Push.kind
    }
    intake = Intake(folder.landing, connector, patience=connector.options.patience, now=utc_now)
    return Listener(connector, owners, Tokens(folder.path), intake, now=utc_now)


def check_address(host: str, *, behind_proxy: bool) -> None:
    """Refuse to listen beyond this machine without a proxy: tokens would travel in the clear."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback and not behind_proxy:
        raise SettingsError(
            f"{host} can be reached from other machines, and what is sent there is not encrypted; "
            "put a proxy with TLS in front and say so with --behind-proxy"
        )


def listen(settings: Settings, host: str, port: int) -> None:
    """Answer until SIGTERM or Ctrl-C; what was read by then is kept and answered."""
    application = listener(settings).application()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
            bound.listen(BACKLOG)  # who connects from now on waits for the first answer
        except OSError as error:
            raise SettingsError(
                f"{host}:{port}: {error.strerror}; choose another with --port"
            ) from error
        _log_to_stdout()
        port = bound.getsockname()[1]
        sys.stdout.write(f"listening: http://{host}:{port}   (Ctrl-C ends it)\n")
        sys.stdout.flush()
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="on",
                backlog=BACKLOG,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        server.run(sockets=[bound])


def _log_to_stdout() -> None:
    """One line a request: what it came to, whose it was, how long it took."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for name in ("leadline.listen", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO if name == "leadline.listen" else logging.WARNING)


if __name__ == "__main__":
    listen(load(), sys.argv[1], int(sys.argv[2]))
