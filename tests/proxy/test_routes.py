"""Doors, manners and small routes."""

import asyncio
import gzip
import io
import json
import zlib
from pathlib import Path

import pytest

from claudex.proxy import vocabulary

from .harness import TOKEN, ask, make_home, running, stack


async def test_healthz_proves_the_token_without_showing_it(tmp_path: Path) -> None:
    from hashlib import blake2b

    async with stack(tmp_path) as (proxy, _), proxy.http.get(f"{proxy.url}/healthz?nonce=abc") as response:
        document = await response.json()
        assert document["ok"] is True
        assert document["proof"] == blake2b(b"abc", key=TOKEN.encode()[:64], digest_size=32).hexdigest()
        assert TOKEN not in await response.text()
        assert set(document) == {"ok", "instance_id", "version", "pid", "in_flight", "retiring", "proof"}


async def test_a_question_for_another_port_gets_no_proof(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        assert "proof" in await proxy.json(f"/healthz?nonce=abc-{proxy.port}")
        assert "proof" not in await proxy.json(f"/healthz?nonce=abc-{proxy.port ^ 1}")


async def test_head_root_needs_no_token(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _), proxy.http.head(proxy.url + "/") as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({}, 401),
        ({"x-api-key": TOKEN}, 200),
        ({"x-api-key": TOKEN, "Host": "evil.test"}, 403),
        ({"x-api-key": TOKEN, "Origin": "https://evil.test"}, 403),
        ({"x-api-key": TOKEN, "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_the_guard_stands_before_every_route(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async with stack(tmp_path) as (proxy, _):
        async with proxy.http.get(proxy.url + "/v1/models", headers={**headers, "anthropic-version": "x"}) as response:
            assert response.status == status
            assert response.headers["request-id"].startswith("req_")
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
            if status == 401:
                assert response.headers["x-should-retry"] == "false"
            if status != 200:
                document = await response.json()
                assert document["type"] == "error"
                assert "claudex" in document["error"]["message"]
        assert await _healthz_status(proxy.http, proxy.url, headers) == (403 if status == 403 else 200)


async def _healthz_status(http: object, url: str, headers: dict[str, str]) -> int:
    async with http.get(url + "/healthz", headers=headers) as response:  # type: ignore[attr-defined]
        status: int = response.status
        return status


async def test_models_speak_the_dialect_of_the_caller(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        anthropic = await proxy.json("/v1/models?limit=1000")
        assert anthropic["has_more"] is False
        assert anthropic["data"][0]["type"] == "model"
        slug = anthropic["first_id"]
        assert (await proxy.json(f"/anthropic/v1/models/{slug}(high)"))["id"] == f"{slug}(high)"
        async with proxy.http.get(proxy.url + "/v1/models", headers={"x-api-key": TOKEN}) as response:
            openai = await response.json()
        assert openai["object"] == "list"
        assert {"id", "object", "created", "owned_by"} <= openai["data"][0].keys()
        async with proxy.http.get(proxy.url + "/v1/models/nope", headers={"x-api-key": TOKEN}) as response:
            assert response.status == 404
            assert set((await response.json())["error"]) == {"message", "type", "param", "code"}
        async with proxy.get("/v1/models/nope") as response:
            assert (await response.json())["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/messages", 405),
        ("DELETE", "/v1/models", 405),
        ("PUT", "/api/status", 405),
    ],
)
async def test_unknown_routes_and_methods(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with (
        stack(tmp_path) as (proxy, _),
        proxy.http.request(method, proxy.url + path, headers=proxy.headers) as response,
    ):
        assert response.status == status
        assert (await response.json())["type"] == "error"
        assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b'{"model":"m"}', 400),
        (b'{"model":"m","messages":[]}', 400),
        (b'{"model":1,"messages":[{"role":"user","content":"x"}],"max_tokens":5}', 400),
        (b'{"model":"m","messages":' + b"[" * 5000, 400),
    ],
)
async def test_a_malformed_body_gets_one_clear_sentence(tmp_path: Path, data: bytes, status: int) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        async with proxy.post(data) as response:
            document = await response.json()
            assert response.status == status
            assert document["error"]["type"] == "invalid_request_error"
            assert document["request_id"] == response.headers["request-id"]
        assert simulator.requests == []


async def test_a_body_over_the_limit_is_413_announced_or_not(tmp_path: Path) -> None:
    big = json.dumps(ask("x" * 1_100_000)).encode()

    async def pieces():  # type: ignore[no-untyped-def]
        for at in range(0, len(big), 65_536):
            yield big[at : at + 65_536]

    async with stack(tmp_path, proxy={"body_limit_mb": 1}) as (proxy, _):
        for data in (io.BytesIO(big), pieces()):
            headers = {**proxy.headers, "Content-Type": "application/json"}
            async with proxy.http.post(proxy.url + "/v1/messages", data=data, headers=headers) as response:
                assert response.status == 413
                assert (await response.json())["error"]["type"] == "request_too_large"


async def test_compressed_bodies_are_read_or_refused(tmp_path: Path) -> None:
    plain = json.dumps(ask()).encode()
    async with stack(tmp_path, proxy={"body_limit_mb": 1}) as (proxy, _):
        for encoding, data, status in (
            ("gzip", gzip.compress(plain), 200),
            ("deflate", zlib.compress(plain), 200),
            ("zstd", plain, 415),
            ("br", plain, 415),
            ("gzip", b"not gzip at all", 400),
            ("gzip", gzip.compress(b" " * 50_000_000), 413),
        ):
            async with proxy.post(data, **{"Content-Encoding": encoding}) as response:
                assert response.status == status, (encoding, await response.text())
                await response.read()


async def test_malformed_http_is_refused_in_the_dialect(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        for raw in (
            b"GARBAGE\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n",
            b"\x16\x03\x01\x02\x00\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(raw)
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            await writer.wait_closed()
            head, _, data = answer.partition(b"\r\n\r\n")
            assert b" 400 Bad Request" in head
            assert json.loads(data)["type"] == "error"


async def test_without_a_codex_login_the_answer_is_403_and_what_to_do(tmp_path: Path) -> None:
    async with stack(tmp_path, login=False) as (proxy, _), proxy.post(ask()) as response:
        assert response.status == 403
        message = (await response.json())["error"]["message"]
        assert "claudex" in message
        assert "codex login" in message


async def test_a_changed_token_counts_at_once(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        (tmp_path / "gateway" / "auth" / "proxy-token").write_text("another-token-entirely")
        async with proxy.get("/v1/models") as response:
            assert response.status == 401
        proxy.headers["Authorization"] = "Bearer another-token-entirely"
        await proxy.json("/v1/models")


async def test_a_damaged_config_keeps_the_last_good_one_and_is_told(tmp_path: Path) -> None:
    async with stack(tmp_path, proxy={"body_limit_mb": 7}) as (proxy, _):
        (tmp_path / "gateway" / "config.toml").write_text("[proxy\nnonsense")
        (tmp_path / "gateway" / "claude-code.env").write_text("rm -rf $(pwd)\n")
        status = await proxy.json("/api/status")
        assert len(status["problems"]) == 2
        assert status["models"]["sonnet"] == {"model": "gpt-5.5", "effort": "medium", "window": 272_000}
        assert proxy.gateway.settings.proxy.body_limit_mb == 7
        (tmp_path / "gateway" / "config.toml").write_text("[proxy]\nbody_limit_mb = 9\n")
        assert len((await proxy.json("/api/status"))["problems"]) == 1
        assert proxy.gateway.settings.proxy.body_limit_mb == 9
        assert "last good" in (tmp_path / "gateway" / "logs" / "proxy.log").read_text()


async def test_a_home_damaged_from_the_start_serves_with_defaults(tmp_path: Path) -> None:
    home = make_home(tmp_path / "gateway")
    (home / "config.toml").write_text("= =")
    (home / "state.json").write_text('{"losses": [], "calibration": {"m": "x"}, "since": "then"')
    async with running(home, {"HOME": str(tmp_path)}) as proxy:
        assert len((await proxy.json("/api/status"))["problems"]) == 1


async def test_count_tokens_is_local(tmp_path: Path) -> None:
    tools = [{"name": "Read", "description": "Reads a file.", "input_schema": {"type": "object", "properties": {}}}]
    async with stack(tmp_path) as (proxy, simulator):

        async def count(**fields: object) -> int:
            body = {"model": "gpt-6.1-sol", "messages": [{"role": "user", "content": "foo"}], **fields}
            async with proxy.post(body, "/v1/messages/count_tokens?beta=true") as response:
                assert response.status == 200
                found: int = (await response.json())["input_tokens"]
                return found

        alone, with_tools = await count(), await count(tools=tools)
        long = await count(messages=[{"role": "user", "content": "hello world " * 1000}])
        assert alone < 12
        assert alone < with_tools < alone + 40
        assert 1900 <= long <= 2300
        assert simulator.traffic == []


async def test_the_real_vocabulary_is_calibrated_apart(tmp_path: Path) -> None:
    vocabulary.use(lambda text: len(text.split()) * 3)
    try:
        async with stack(tmp_path) as (proxy, _):
            body = {"model": "gpt-6.1-sol", "messages": [{"role": "user", "content": "hello world " * 1000}]}
            async with proxy.post(body, "/v1/messages/count_tokens") as response:
                assert 5500 < (await response.json())["input_tokens"] < 6500
            await proxy.stream(ask("hello world " * 1000))
            await proxy.idle()
            while "gpt-6.1-sol:o200k" not in (await proxy.json("/api/status"))["calibration"]:
                pass
            ratios = (await proxy.json("/api/status"))["calibration"]
            assert ratios["gpt-6.1-sol:o200k"] < ratios["gpt-6.1-sol"]
    finally:
        vocabulary.use(None)


async def test_retire_needs_a_successor(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _), proxy.post(b"", "/api/retire") as response:
        assert response.status == 409
        assert proxy.gateway.retiring is False
