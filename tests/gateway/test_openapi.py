"""The description of the API: it is OpenAPI, it describes every route, and a foreign tool finds it true."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import ClientSession
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.load import load
from gateway.service import Service
from gateway.store import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONFIG = """
users: [{name: dana, webhook: "http://127.0.0.1:1/dana"}]
escalation_policies:
  - {name: page, ack_timeout: 30m, steps: [{notify: [{user: dana}]}, {after: 1h, notify: [{user: dana}]}]}
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 0s
  routes: [{matchers: [severity="critical"], policy: page}]
receivers: [{name: nobody}]
"""
TRIED_FOR_S = 8
NOT_CHECKED = (
    "positive_data_acceptance",  # that a time must lie in the future no schema can say
    "allow_header_conformance",  # `silences/preview` takes what `silences/{id}` takes
    "ignored_auth",  # there are no tokens
)


@pytest.fixture
async def service(redis_server: str, tmp_path: Path) -> AsyncIterator[Service]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    path = tmp_path / "tocsin.yaml"
    path.write_text(CONFIG)
    service = Service(path, load(path), connect.connect(redis_server), listens="http://localhost")
    await service.start("127.0.0.1", 0)
    yield service
    await service.stop()
    structlog.reset_defaults()


@pytest.fixture
async def document(service: Service) -> dict[str, Any]:
    url = f"http://127.0.0.1:{service.port}/api/v1/openapi.json"
    async with ClientSession() as client, client.get(url) as response:
        assert response.status == 200
        return await response.json()


async def test_it_is_a_valid_openapi_document(document):
    assert document["openapi"] == "3.1.0"
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_every_route_is_described_and_everything_described_is_a_route(service, document):
    routes = {
        (route.method, route.resource.canonical)
        for route in service._runner.app.router.routes()
        if route.resource.canonical.startswith("/api/v1/") and route.method != "HEAD"
    }
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == routes


async def test_no_two_schemas_have_one_name(document):
    # Of two with one name pydantic makes long ones that say in which module each stands.
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


async def test_each_part_of_a_path_is_described_and_each_operation_says_what_a_token_needs(document):
    for path, methods in document["paths"].items():
        for operation in methods.values():
            parts = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
            assert parts == re.findall(r"\{(\w+)\}", path)
            assert ("security" in operation) == (not path.endswith("openapi.json"))
            assert operation["summary"]


async def test_a_tool_that_knows_only_the_description_finds_no_answer_that_it_does_not_allow(
    service, tmp_path
):
    url = f"http://127.0.0.1:{service.port}"
    async with ClientSession() as client:
        body = [{"labels": {"alertname": f"Down{n}", "severity": "critical"}} for n in range(3)]
        async with client.post(f"{url}/api/v2/alerts", json=body) as response:
            assert response.status == 200
    tool = Path(sys.executable).with_name("schemathesis")
    process = await asyncio.create_subprocess_exec(
        str(tool),
        *("run", f"{url}/api/v1/openapi.json", "--max-time", str(TRIED_FOR_S), "--seed", "1", "--no-color"),
        *("--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--warnings", "off"),
        *("--checks", "all", "--exclude-checks", ",".join(NOT_CHECKED)),
        *("--exclude-path", "/api/v1/arrivals"),  # a stream has no end
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()[-6_000:]
    async with ClientSession() as client, client.get(f"{url}/api/v1/incidents/1") as response:
        lines = (await response.json())["timeline"]
    kinds = {line["kind"] for line in lines}
    assert kinds & {"note", "escalated", "acknowledged", "dismissed"}  # it really had its say
