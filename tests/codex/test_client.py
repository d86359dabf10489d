import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from claudex import errors
from claudex.codex.client import Call, Client
from claudex.codex.credentials import Credentials
from claudex.codex.http import Transport
from claudex.codex.login import Login
from claudex.codex.stream import Stream
from claudex.settings import Settings
from claudex.simulator import Pause, Reasoning, Simulator, Text, failed, fault, reset, sse, turn
from claudex.wire import sse as framing
from claudex.wire.catalog import Lane

from .conftest import body, until, with_settings
from .test_http import serving

MakeCall = Callable[..., Call]
DEEP_LITE = {
    "error": {
        "code": "unsupported_value",
        "param": "tools",
        "type": "invalid_request_error",
        "message": "X-OpenAI-Internal-Codex-Responses-Lite only supports function tools.",
    }
}
NO_MODEL = {"error": {"message": "Model not found gpt-6-luna", "type": "invalid_request_error", "code": None}}


@pytest.fixture(autouse=True)
def login(sim: Simulator, codex_home: Path) -> None:
    sim.login(codex_home)


async def whole(stream: Stream) -> bytes:
    return stream.head + b"".join([chunk async for chunk in stream.chunks()])


async def answer(client: Client, call: Call) -> bytes:
    async with client.open(call) as stream:
        return await whole(stream)


def kinds(data: bytes) -> list[str]:
    return [msgspec.json.decode(payload)["type"] for payload in framing.Decoder().feed(data)]


@pytest.mark.parametrize("model", ["gpt-6.1-sol", "gpt-5.5"])
async def test_a_call_on_the_models_own_lane_is_answered_whole(
    sim: Simulator, client: Client, call: MakeCall, model: str
) -> None:
    sim.play("the answer")
    async with client.open(call(model=model)) as stream:
        data = await whole(stream)
    assert kinds(data)[0] == "response.created"
    assert kinds(data)[-1] == "response.completed"
    assert b"the answer" in data
    assert (stream.attempts, stream.lane, stream.stripped) == (1, call(model=model).lane, False)
    assert 0 < stream.opened_s <= stream.first_content_s
    assert sim.violations == []


async def test_the_stream_arrives_byte_for_byte(sim: Simulator, client: Client, call: MakeCall) -> None:
    event = b'event: x\r\ndata: {"type":"response.output_text.delta","delta":"\xc3\xa9"}\r\n\r\n'
    sent = b": comment\n\n" + event * 3 + b'data: {"type":"response.completed","response":{}}\n\n'
    sim.play(sse(sent))
    assert await answer(client, call()) == sent


async def test_connections_are_reused(sim: Simulator, client: Client, call: MakeCall) -> None:
    await client.warm()
    for _ in range(3):
        await answer(client, call())
        await asyncio.gather(*client._background)
    connector = client._http._session.connector  # type: ignore[union-attr]
    assert sum(len(pool) for pool in connector._conns.values()) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "broken",
    [
        fault(500, {"detail": "x"}),
        fault(502, "<html>bad gateway</html>"),
        fault(503, {"error": {"code": "server_is_overloaded", "message": "m"}}),
        fault(429, {"detail": "Too many requests"}),
        failed("server_is_overloaded", "busy"),
        failed("server_is_overloaded", "busy", error_event=True),
        failed("server_error", "oops"),
        reset(),
        turn("x", cut_after=2),
        sse(b""),
    ],
    ids=lambda found: "fault",
)
async def test_what_fails_before_the_first_content_is_retried_unseen(
    sim: Simulator, client: Client, call: MakeCall, waits: list[float], broken: object
) -> None:
    sim.play(broken, "second try")  # type: ignore[arg-type]
    heard: list[errors.UpstreamError] = []
    async with client.open(call(on_retry=lambda error, delay: heard.append(error))) as stream:
        assert b"second try" in await whole(stream)
    assert stream.attempts == 2
    assert len(waits) == len(heard) == 1
    assert 0.17 < waits[0] < 0.23


async def test_retries_end(sim: Simulator, client: Client, call: MakeCall, waits: list[float]) -> None:
    sim.play(*[failed("server_is_overloaded", "busy")] * 9)
    with pytest.raises(errors.Overloaded, match="busy"):
        await answer(client, call())
    assert len(sim.requests) == 4
    assert len(waits) == 3


async def test_what_fails_after_the_first_content_is_handed_on(sim: Simulator, client: Client, call: MakeCall) -> None:
    sim.play(turn("begun", failed={"code": "server_error", "message": "x"}), "never played")
    assert kinds(await answer(client, call()))[-1] == "response.failed"
    assert len(sim.requests) == 1


async def test_a_cut_after_the_first_content_is_a_truncated_stream(
    sim: Simulator, client: Client, call: MakeCall
) -> None:
    sim.play(turn("begun", cut_after=5), "never played")
    with pytest.raises(errors.StreamTruncated):
        await answer(client, call())
    assert len(sim.requests) == 1


async def test_retry_after_is_waited_for(sim: Simulator, client: Client, call: MakeCall, waits: list[float]) -> None:
    slow = {"error": {"code": "rate_limit_exceeded", "message": "m"}}
    sim.play(fault(429, slow, headers={"retry-after": "2"}), failed("rate_limit_exceeded", "try again in 1.5s"), "ok")
    await answer(client, call())
    assert waits == [2.0, 1.5]


async def test_a_long_retry_after_is_left_to_the_caller(
    sim: Simulator, client: Client, call: MakeCall, waits: list[float]
) -> None:
    sim.play(fault(503, {"detail": "x"}, headers={"retry-after": "120"}))
    with pytest.raises(errors.UpstreamFailed) as raised:
        await answer(client, call())
    assert raised.value.retry_after == 120
    assert waits == []


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_plan_limit_is_told_at_once(
    sim: Simulator, client: Client, call: MakeCall, waits: list[float], hidden: bool
) -> None:
    if hidden:
        sim.play(failed("usage_limit_reached", "used up"))
    else:
        sim.set_usage(primary=100.0, primary_resets_in=600)
    with pytest.raises(errors.PlanLimit) as raised:
        await answer(client, call())
    assert len(sim.requests) == 1
    assert waits == []
    if not hidden:
        assert raised.value.resets_at == pytest.approx(time.time() + 600, abs=5)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("context_length_exceeded", errors.ContextOverflow), ("cyber_policy", errors.PolicyRefused)],
)
async def test_what_would_fail_again_is_sent_once(
    sim: Simulator, client: Client, call: MakeCall, code: str, kind: type[errors.UpstreamError]
) -> None:
    sim.play(failed(code, "m"))
    with pytest.raises(kind):
        await answer(client, call())
    assert len(sim.requests) == 1


@pytest.mark.parametrize("refusal", [fault(400, DEEP_LITE), fault(404, NO_MODEL)], ids=["lite", "model"])
async def test_the_other_lane_is_tried_once_and_remembered(
    sim: Simulator, client: Client, call: MakeCall, refusal: object
) -> None:
    sim.play(refusal, "on the other", "at once")  # type: ignore[arg-type]
    async with client.open(call()) as stream:
        await whole(stream)
    assert (stream.lane, stream.attempts) == ("full", 2)
    async with client.open(call()) as stream:
        await whole(stream)
    assert (stream.lane, stream.attempts) == ("full", 1)
    assert client.lane_for(call().model, "lite") == "full"
    assert sim.violations == []


async def test_a_model_on_neither_lane_is_not_available(sim: Simulator, client: Client, call: MakeCall) -> None:
    sim.play(fault(404, NO_MODEL), fault(404, NO_MODEL))
    with pytest.raises(errors.ModelUnavailable, match="gpt-6-luna"):
        await answer(client, call())
    assert client.lane_for(call().model, "lite") == "lite"


async def test_a_call_bound_to_its_lane_stays_there(sim: Simulator, client: Client, call: MakeCall) -> None:
    sim.play(fault(400, DEEP_LITE))
    with pytest.raises(errors.InvalidUpstreamRequest):
        await answer(client, call(other_lane_ok=False))
    assert len(sim.requests) == 1


@pytest.mark.parametrize("in_stream", [False, True])
async def test_reasoning_that_cannot_be_read_is_left_out_once(
    sim: Simulator, client: Client, call: MakeCall, in_stream: bool
) -> None:
    refused = {"code": "invalid_encrypted_content", "message": "m", "type": "invalid_request_error"}
    bad = failed("invalid_encrypted_content", "m") if in_stream else fault(400, {"error": refused})
    built: list[bool] = []

    def build(login: Login, lane: Lane, strip: bool) -> bytes:
        built.append(strip)
        return body("hello", "gpt-6.1-sol", lane)

    sim.play(bad, "without it")
    async with client.open(call(build=build)) as stream:
        await whole(stream)
    assert built == [False, True]
    assert stream.stripped
    sim.play(bad, bad)
    with pytest.raises(errors.InvalidEncryptedContent):
        await answer(client, call(build=build))


async def test_foreign_reasoning_is_refused_by_the_backend_and_dropped(
    sim: Simulator, client: Client, call: MakeCall
) -> None:
    foreign: dict[str, object] = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAforeign"}

    def build(login: Login, lane: Lane, strip: bool) -> bytes:
        return body("hello", "gpt-6.1-sol", lane, [] if strip else [foreign])

    async with client.open(call(build=build)) as stream:
        await whole(stream)
    assert stream.stripped


async def test_an_error_of_the_builder_passes_through(client: Client, call: MakeCall) -> None:
    def build(login: Login, lane: Lane, strip: bool) -> bytes:
        raise errors.BadRequest("messages: missing")

    with pytest.raises(errors.BadRequest, match="missing"):
        await answer(client, call(build=build))


async def test_a_401_is_mended_by_one_refresh(sim: Simulator, client: Client, call: MakeCall) -> None:
    await answer(client, call())
    sim.expire()
    async with client.open(call()) as stream:
        await whole(stream)
    assert stream.attempts == 2
    assert sim.refresh_attempts == 1


async def test_concurrent_401s_cause_one_refresh(sim: Simulator, client: Client, call: MakeCall) -> None:
    await answer(client, call())
    sim.expire()
    await asyncio.gather(*(answer(client, call()) for _ in range(10)))
    assert sim.refresh_attempts == 1


async def test_a_login_that_stays_refused_needs_a_new_one(
    sim: Simulator, client: Client, call: MakeCall, credentials: Credentials
) -> None:
    sim.play(*[fault(401, {"detail": "Unauthorized"})] * 9)
    with pytest.raises(errors.LoginRequired, match="codex login"):
        await answer(client, call())
    assert sim.refresh_attempts == 1
    assert len(sim.requests) <= 3


async def test_turn_state_is_echoed_within_the_turn_only(sim: Simulator, client: Client, call: MakeCall) -> None:
    for name in ("one", "one", "two", ""):
        await answer(client, call(turn=name))
    states = [request.headers.get("x-codex-turn-state") for request in sim.requests]
    assert states[0] is None
    assert states[1]
    assert states[2:] == [None, None]


async def test_limits_are_kept_from_the_headers_and_from_usage(sim: Simulator, client: Client, call: MakeCall) -> None:
    sim.set_usage(primary=42.0, secondary=7.0)
    await answer(client, call())
    assert client.limits is not None
    assert {window.name: window.used_percent for window in client.limits.windows} == {"5h": 42.0, "weekly": 7.0}
    assert (await client.fetch_limits()).plan == "plus"


async def test_a_new_catalog_tag_is_followed_once(sim: Simulator, client: Client, call: MakeCall) -> None:
    await answer(client, call())
    await until(lambda: client.catalog.source == "live")
    await answer(client, call())
    await asyncio.sleep(0.05)
    assert len([seen for seen in sim.traffic if seen.path.endswith("/models")]) == 1


async def test_warming_up_fetches_what_the_first_request_needs(sim: Simulator, client: Client) -> None:
    assert await client.warm() == ""
    assert client.catalog.source == "live"
    assert client.limits is not None
    assert sim.violations == []


async def test_warming_up_without_a_login_says_so(client: Client, codex_home: Path) -> None:
    await asyncio.to_thread((codex_home / "auth.json").unlink)
    assert "codex login" in await client.warm()


async def test_a_cancelled_reader_closes_the_upstream_connection_at_once(
    sim: Simulator, client: Client, call: MakeCall
) -> None:
    sim.play(turn(Text("begun"), Pause(30.0), Text("late")))
    begun = asyncio.Event()

    async def read() -> None:
        async with client.open(call()) as stream:
            begun.set()
            await whole(stream)

    reader = asyncio.create_task(read())
    await begun.wait()
    reader.cancel()
    await until(lambda: sim.requests[0].closed.is_set(), 1.0)


async def test_a_cancelled_open_closes_the_upstream_connection_at_once(
    sim: Simulator, client: Client, call: MakeCall
) -> None:
    sim.play(turn(Pause(30.0), Text("late")))
    opening = asyncio.create_task(answer(client, call()))
    await until(lambda: bool(sim.requests) and sim.requests[0].events > 0)
    opening.cancel()
    await until(lambda: sim.requests[0].closed.is_set(), 1.0)


async def test_an_aborted_stream_is_closed_at_once(sim: Simulator, client: Client, call: MakeCall) -> None:
    sim.play(turn(Text("begun"), Pause(30.0), Text("late")))
    async with client.open(call()) as stream:
        stream.abort()
    await until(lambda: sim.requests[0].closed.is_set(), 1.0)


async def test_silence_before_and_after_the_first_content_is_a_timeout(
    sim: Simulator, client: Client, call: MakeCall, settings: Settings
) -> None:
    client.settings = with_settings(settings, idle_timeout_s=0.2)
    sim.play(turn("late", delay=10.0))
    with pytest.raises(errors.UpstreamTimeout, match="silent"):
        await answer(client, call())
    sim.play(turn(Text("begun"), Pause(10.0), Text("late")))
    with pytest.raises(errors.UpstreamTimeout, match="silent"):
        await answer(client, call())
    assert len(sim.requests) == 2


async def test_the_total_limit_ends_a_stream_that_is_never_silent(
    sim: Simulator, client: Client, call: MakeCall, settings: Settings
) -> None:
    client.settings = with_settings(settings, total_timeout_s=0.5)
    sim.play(turn(Reasoning(["x"]), Text("begun"), Pause(10.0, keepalive=True), Text("late")))
    with pytest.raises(errors.UpstreamTimeout, match="in time"):
        await answer(client, call())


async def test_nothing_listening_is_a_network_error_with_the_address(
    client: Client, call: MakeCall, settings: Settings, unused_tcp_port: int, waits: list[float]
) -> None:
    client.settings = with_settings(settings, url=f"http://127.0.0.1:{unused_tcp_port}/backend-api")
    with pytest.raises(errors.NetworkError) as raised:
        await answer(client, call())
    assert raised.value.url == f"http://127.0.0.1:{unused_tcp_port}/backend-api/codex/responses"
    assert len(waits) == 3


async def test_a_cloudflare_refusal_forgets_the_cookies_and_tries_once_more(
    sim: Simulator, client: Client, call: MakeCall
) -> None:
    await answer(client, call())
    sim.play(fault(403, "<html>Sorry, you have been blocked</html>"), "with fresh cookies")
    assert b"with fresh cookies" in await answer(client, call())
    assert sim.requests[1].headers.get("cookie")
    assert sim.requests[2].headers.get("cookie") is None
    sim.play(*[fault(403, "<html>Sorry</html>", headers={"set-cookie": "__cf_bm=anew; Path=/"})] * 9)
    with pytest.raises(errors.UpstreamForbidden, match="Cloudflare"):
        await answer(client, call())
    assert len(sim.requests) == 5


async def test_an_account_change_in_the_middle_rebuilds_the_body(
    sim: Simulator, client: Client, call: MakeCall, codex_home: Path
) -> None:
    tags: list[str] = []

    def build(login: Login, lane: Lane, strip: bool) -> bytes:
        tags.append(login.tag)
        return body("hello", "gpt-6.1-sol", lane)

    sim.play(fault(500, {}), "after the change")
    switch = call(build=build, on_retry=lambda error, delay: sim.login(codex_home, account_id="acct-other"))
    async with client.open(switch) as stream:
        await whole(stream)
    assert len(set(tags)) == 2
    assert stream.login.account_id == "acct-other"


async def test_credentials_never_go_into_an_error(
    sim: Simulator, client: Client, call: MakeCall, http: Transport
) -> None:
    token = next(iter(sim.accounts.values())).access_token
    for status in (400, 403, 404, 418, 429, 500):
        sim.play(*[fault(status, {"detail": "no"})] * 5)
        with pytest.raises(errors.UpstreamError) as raised:
            await answer(client, call())
        sim.turns.clear()
        assert token not in repr(raised.value) + str(raised.value)


async def test_an_error_event_is_not_waited_upon_for_ever(
    client: Client, call: MakeCall, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def warn(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'data: {"type":"error","code":"context_length_exceeded","message":"m"}\n\n')
        await asyncio.sleep(30)
        return response

    monkeypatch.setattr("claudex.codex.client.AFTER_ERROR_EVENT_S", 0.05)
    async with serving(warn) as url:
        client.settings = with_settings(settings, url=url)
        with pytest.raises(errors.ContextOverflow):
            await answer(client, call())
