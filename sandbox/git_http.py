"""Serves repositories over Git's smart HTTP protocol, read-only, as the forge does."""

import asyncio
import os
import zlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.request_log import TEMPLATE, logged
from sandbox.world import World

SERVICE = "git-upload-pack"
CHUNK = 64 * 1024
GZIP = 16 + zlib.MAX_WBITS
NEVER_CACHED = {"cache-control": "no-cache, max-age=0, must-revalidate", "pragma": "no-cache"}
ADVERTISED = "/{owner}/{name}.git/info/refs"
PACKED = "/{owner}/{name}.git/git-upload-pack"

Accepts = Callable[[str | None], bool]


def git_app(world: World, paths: Mapping[int, Path], accepts: Accepts | None = None) -> Starlette:
    """The Git server over repositories written at `paths`, by repository id, named as in `world`.

    `accepts` is asked with each Authorization header; without it everyone may read. The log of
    requests is `app.state.requests`.
    """
    app = Starlette(
        routes=[
            Route(ADVERTISED, _advertise, methods=["GET"]),
            Route(PACKED, _pack, methods=["POST"]),
        ]
    )
    app.state.world = world
    app.state.paths = paths
    app.state.accepts = accepts
    return logged(app)


async def _advertise(request: Request) -> Response:
    """Lists references, or capabilities in protocol version 2."""
    request.scope[TEMPLATE] = ADVERTISED
    refusal = _refuse(request)
    if refusal is not None:
        return refusal
    if request.query_params.get("service") != SERVICE:
        return PlainTextResponse("Only reading by smart HTTP is served here.\n", status_code=403)
    process = await _start(request, "--advertise-refs")
    output, errors = await process.communicate()
    if process.returncode != 0:
        return PlainTextResponse(errors, status_code=500)
    heading = f"# service={SERVICE}\n"
    announced = f"{len(heading) + 4:04x}{heading}0000".encode()
    return Response(
        announced + output,
        media_type=f"application/x-{SERVICE}-advertisement",
        headers=NEVER_CACHED,
    )


async def _pack(request: Request) -> Response:
    """Answers one step of a fetch: what is wanted in, references or a pack out, as a stream."""
    request.scope[TEMPLATE] = PACKED
    refusal = _refuse(request)
    if refusal is not None:
        return refusal
    process = await _start(request)
    try:
        await _feed(process, request)
    except (zlib.error, ClientDisconnect):
        process.kill()
        await process.wait()
        return PlainTextResponse("The request is broken.\n", status_code=400)
    return StreamingResponse(
        _output(process), media_type=f"application/x-{SERVICE}-result", headers=NEVER_CACHED
    )


def _refuse(request: Request) -> Response | None:
    """What stands in the way: a missing token, an unknown repository, a former name."""
    state = request.app.state
    if state.accepts is not None and not state.accepts(request.headers.get("authorization")):
        return PlainTextResponse(
            "Authentication is needed.\n",
            status_code=401,
            headers={"www-authenticate": 'Basic realm="GitHub"'},
        )
    asked = f"{request.path_params['owner']}/{request.path_params['name']}"
    repository = state.world.organisation.repository_by_full_name.get(asked.lower())
    if repository is None:
        return PlainTextResponse("Repository not found.\n", status_code=404)
    if asked.lower() != repository.full_name.lower():
        rest = request.url.path.partition(".git/")[2]
        target = request.url.replace(path=f"/{repository.full_name}.git/{rest}")
        return RedirectResponse(str(target), status_code=301)
    return None


async def _start(request: Request, *options: str) -> Process:
    state: Any = request.app.state
    asked = f"{request.path_params['owner']}/{request.path_params['name']}"
    repository = state.world.organisation.repository_by_full_name[asked.lower()]
    environment = {"PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/"}
    protocol = request.headers.get("git-protocol")
    if protocol is not None:
        environment["GIT_PROTOCOL"] = protocol
    return await asyncio.create_subprocess_exec(
        "git",
        "upload-pack",
        "--stateless-rpc",
        *options,
        str(state.paths[repository.id]),
        env=environment,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE if options else asyncio.subprocess.DEVNULL,
    )


async def _feed(process: Process, request: Request) -> None:
    """Hands the request's body to Git; it answers nothing large before it has read it all."""
    if process.stdin is None:
        raise RuntimeError("git was started without an input")
    is_packed = request.headers.get("content-encoding") == "gzip"
    unpacker = zlib.decompressobj(GZIP) if is_packed else None
    try:
        async for chunk in request.stream():
            process.stdin.write(unpacker.decompress(chunk) if unpacker is not None else chunk)
            await process.stdin.drain()
    except (ConnectionResetError, BrokenPipeError):
        return  # Git has given up on a request it dislikes; its answer says why
    finally:
        process.stdin.close()


async def _output(process: Process) -> AsyncIterator[bytes]:
    """What Git says, piece by piece; a reader who goes away ends it."""
    if process.stdout is None:
        raise RuntimeError("git was started without an output")
    try:
        while chunk := await process.stdout.read(CHUNK):
            yield chunk
    finally:
        if process.returncode is None and not process.stdout.at_eof():
            process.kill()
        await process.wait()
