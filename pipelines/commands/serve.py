"""`leadline serve`: the dashboard over the published build."""

from pipelines.commands.options import Port


def run(
    port: Port = None,
) -> None:
    """Serve the dashboard on 127.0.0.1 until Ctrl-C.

    It shows the build that is published and moves on by itself when a new one is.
    """
    from pipelines.commands.console import note
    from pipelines.commands.serving import serve
    from pipelines.files import DataFolder
    from pipelines.reader import current_build
    from pipelines.settings import load

    folder = DataFolder(load().data).create()
    if current_build(folder.path) is None:
        note("nothing is published yet; run `leadline sync`, then `leadline build`")
    serve(folder.path, port)
