"""An application around handlers of one API: requests admitted, answered in JSON, logged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.request_log import TEMPLATE, logged


class Refusal(Exception):  # noqa: N818  an answer, not a failure of ours
    """An answer other than the one asked for, worded by the vendor."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.response = JSONResponse(body, status, headers)


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """One admitted request; `headers` go with its answer."""

    request: Request
    headers: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str, otherwise: int) -> int:
        """A parameter that is a number."""
        text = self.request.query_params.get(name, "")
        return int(text) if text.isdigit() else otherwise


OneCall = TypeVar("OneCall", bound=Admitted)


def json_api(
    handlers: Mapping[str, Callable[[OneCall], Any]], admit: Callable[[Request], OneCall]
) -> Starlette:
    """Each handler at its path; `app.state` holds the log `requests`.

    `admit` makes the call of a request, whose `scope[TEMPLATE]` is the path, or raises a `Refusal`.
    """

    def endpoint(template: str, handler: Callable[[OneCall], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            request.scope[TEMPLATE] = template
            try:
                call = admit(request)
                return JSONResponse(handler(call), headers=call.headers)
            except Refusal as refusal:
                return refusal.response

        return answer

    return logged(
        Starlette(
            routes=[Route(path, endpoint(path, handler)) for path, handler in handlers.items()]
        )
    )
