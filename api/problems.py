"""Every error is a problem (RFC 9457): what is wrong, where, and the cure. Catalogue: ``docs/errors.md``."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from models.loop import Refused
from models.reports import BadReport
from models.reports import Problem as FieldProblem
from models.units import UnknownUnit
from store.hazards import NotFound, Stale

log = logging.getLogger(__name__)

TITLES = {
    "bad-json": "请求体无法读取",
    "bad-field": "字段有误",
    "conflict": "与已有上报冲突",
    "unauthenticated": "未登录",
    "forbidden": "没有权限",
    "not-found": "未找到",
    "method": "不支持的方法",
    "too-large": "请求体过大",
    "media-type": "内容类型不对",
    "not-allowed": "当前不能这样操作",
    "too-many": "尝试过于频繁",
    "stale": "隐患已被他人更新",
    "if-match": "缺少 If-Match",
    "busy": "数据库暂时不可用",
    "internal": "平台内部错误",
}


class Problem(Exception):
    """A problem to answer with. ``code`` is a key of ``TITLES``; ``more`` are extension members."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.more = errors, headers, more


def answer(problem: Problem, request: Request) -> JSONResponse:
    """The problem as a response."""
    body: dict[str, Any] = {
        "type": f"urn:campus-risk:problem:{problem.code}",
        "title": TITLES[problem.code],
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.url.path,
        **problem.more,
    }
    if problem.errors:
        body["errors"] = [{"field": e.field, "code": e.code, "message": e.message} for e in problem.errors]
    return JSONResponse(
        body, status_code=problem.status, media_type="application/problem+json", headers=dict(problem.headers or {})
    )


def of_bad_report(error: BadReport) -> Problem:
    """400 where the bytes cannot be read, 422 where a field is wrong."""
    unreadable = error.problems[0].code in ("encoding", "json")
    status, code = (400, "bad-json") if unreadable else (422, "bad-field")
    return Problem(status, code, str(error), errors=error.problems)


def _of_refused(error: Refused) -> Problem:
    status, code = (403, "forbidden") if error.rule == "role" else (409, "not-allowed")
    return Problem(
        status,
        code,
        str(error),
        state=error.state.value,
        action=error.action.value,
        rule=error.rule,
        who=[role.value for role in error.who],
    )


def _of_validation(error: RequestValidationError) -> Problem:
    problems = [
        FieldProblem(
            ".".join(map(str, e["loc"][1:] or e["loc"])), e["type"], str(e["msg"]).removeprefix("Value error, ")
        )
        for e in error.errors()
    ]
    return Problem(422, "bad-field", "; ".join(f"{p.field}: {p.message}" for p in problems), errors=problems)


def _of_http(error: HTTPException) -> Problem:
    codes = {
        401: "unauthenticated",
        403: "forbidden",
        404: "not-found",
        405: "method",
        413: "too-large",
        415: "media-type",
    }
    code = codes.get(error.status_code, "bad-json" if error.status_code < 500 else "internal")
    detail = {404: "没有这个地址；接口一览见 /api/v1/openapi.json", 405: "这个地址不支持该方法"}.get(error.status_code)
    return Problem(error.status_code, code, detail or str(error.detail), headers=error.headers)


def _of_stale(error: Stale) -> Problem:
    detail = f"隐患已更新到版本 {error.current}；请重新读取后再操作"
    return Problem(412, "stale", detail, headers={"ETag": f'"{error.current}"'}, current=error.current)


def install(app: FastAPI) -> None:
    """Answer every exception with a problem."""

    def handler(make: Any) -> Any:
        async def handle(request: Request, error: Exception) -> JSONResponse:
            return answer(make(error), request)

        return handle

    def busy(error: Exception) -> Problem:
        log.warning("the database does not answer: %s", type(error).__name__)
        return Problem(503, "busy", "请稍后重试；已收下的上报不会丢失", headers={"Retry-After": "2"})

    def internal(error: Exception) -> Problem:
        return Problem(500, "internal", "请把时间与路径告知运维；已收下的上报不会丢失")

    for kind, make in (
        (Problem, lambda error: error),
        (BadReport, of_bad_report),
        (Refused, _of_refused),
        (Stale, _of_stale),
        (NotFound, lambda _: Problem(404, "not-found", "没有这条隐患，或您无权查看")),
        (
            UnknownUnit,
            lambda error: Problem(
                422, "bad-field", str(error), errors=[FieldProblem("unit", "unknown_unit", f"没有单位 {error.code}")]
            ),
        ),
        (RequestValidationError, _of_validation),
        (HTTPException, _of_http),
        (
            psycopg.DataError,
            lambda _: Problem(422, "bad-field", "有字段是数据库不能保存的内容（例如空字符 NUL）；请去掉后重发"),
        ),
        (psycopg.OperationalError, busy),
        (psycopg.InterfaceError, busy),
        (psycopg_pool.PoolTimeout, busy),
        (Exception, internal),
    ):
        app.add_exception_handler(kind, handler(make))
