"""One Messages request on its way upstream: translated for the login and lane it goes out on, and again if it must.

The backend may want to be asked more than once before the model has ended its turn (`again`): each of these samples is
a call with its own retries, and all of them are one answer.
"""

import time
from contextlib import AsyncExitStack

from ..codex import classify
from ..codex.client import Call
from ..codex.login import Login
from ..codex.stream import Stream
from ..errors import ClaudexError, ContextOverflow, UpstreamError
from ..translate import tokens
from ..translate.messages import again, shed
from ..translate.messages import errors as anthropic
from ..translate.messages.decode import Request
from ..translate.messages.events import MessageStream
from ..translate.messages.facts import Facts
from ..translate.messages.request import Upstream, translate
from ..translate.messages.usage import Usage
from ..wire.catalog import Lane
from . import choice, count, reply
from .exchange import Exchange
from .gateway import Gateway

# What is left free of a window when a summary must fit: the answer, and what the estimate may be wrong by.
SUMMARY_SHARE = 0.85
# How many samples may make up one answer: a model that never ends its turn must not run for ever.
SAMPLES = 8

Variant = tuple[str, Lane | None, bool]


class Turn:
    """`open` gives the stream of the answer's next sample; `finish` settles the accounts with what the last told."""

    def __init__(self, gateway: Gateway, exchange: Exchange, request: Request, headers: "dict[str, str]") -> None:
        self.gateway = gateway
        self.exchange = exchange
        self.request = request
        self.target = choice.target(gateway, request)
        self._headers = headers
        self._options = choice.options(gateway.settings)
        self._variant: Variant | None = None
        self._upstream: Upstream | None = None
        self._level = 0
        self._facts = Facts()
        self._samples: list[dict[str, int]] = []
        exchange.facts.update(
            requested=request.model[:100],
            model=self.target.slug,
            effort=self.target.effort,
            stream=request.stream,
            agent=headers.get("agent") or None,
        )

    async def open(self, stack: AsyncExitStack, events: MessageStream) -> Stream:
        """Raises UpstreamError, LoginError, RequestError."""
        if events.again:
            self._go_on(events)
        login = await self.gateway.credentials.current()
        upstream = self._translate(login, None, False)
        if not events.again:
            events.usage.input = count.expected(self.gateway, upstream)
        while True:
            try:
                stream = await stack.enter_async_context(self.gateway.client.open(self._call(upstream, login)))
                break
            except ContextOverflow as overflow:
                if not self._make_room(upstream):
                    self.exchange.overflow = self._overflow(upstream)
                    raise overflow
        self._opened(stream)
        assert self._upstream is not None
        self._facts = Facts.of(self._upstream, stream.login.tag)
        if events.again:
            events.resume(self._facts)
        else:
            events.bind(self._facts)
        return stream

    def _go_on(self, events: MessageStream) -> None:
        """The sample is over and the turn is not: what it said belongs to what is asked next."""
        self._settle(events.usage)
        self.request = again.answered(self.request, events.items, self._facts)
        self._variant = None

    def classify(self, event: dict[str, object]) -> UpstreamError | None:
        """What a failure inside the stream means."""
        return classify.from_event(event, now=time.time())

    def tell(self, error: ClaudexError) -> bytes:
        """The error as an event of the stream."""
        return anthropic.sse(error, self.exchange.id, when=reply.when(error), tokens=self.exchange.overflow)

    def finish(self, events: MessageStream) -> None:
        """Facts for the log, and what was learned: usage, cache, calibration, losses."""
        facts, usage = self.exchange.facts, events.usage
        facts["slot"] = choice.slot(self.gateway, self.request, self.target)
        facts["stop_reason"] = events.stop_reason
        if events.end_turn is False:
            facts["end_turn"] = False
        self.exchange.losses.update(events.losses)
        if self._upstream is not None:
            self.exchange.losses.update(self._upstream.losses)
            if events.stop_reason not in (None, "tool_use"):
                self.gateway.turn_ended(self._upstream.turn)
        if usage.known or self._samples:
            facts.update(input=usage.total_input, cached=usage.cached, output=usage.output, reasoning=usage.reasoning)
        if not events.again:  # else the next sample never came, and the last one is settled
            self._settle(usage)
        if len(self._samples) > 1:
            facts["samples"] = self._samples

    def _settle(self, usage: Usage) -> None:
        """The accounts of one sample."""
        if usage.known:
            self._learn(usage.total_input, usage.cached)
            output = usage.output - usage.output_before
            self._samples.append({"input": usage.total_input, "cached": usage.cached, "output": output})

    def _translate(self, login: Login, lane: Lane | None, strip: bool) -> Upstream:
        variant = (login.tag, lane, strip)
        known = self._upstream
        if known is not None and self._variant is not None:
            tag, _, stripped = self._variant
            if (tag, stripped) == (login.tag, strip) and lane in (None, known.lane):
                return known
        gateway, headers = self.gateway, self._headers
        upstream = translate(
            self.request,
            target=self.target,
            account_tag=login.tag,
            lane=lane,
            strip_reasoning=strip,
            session=headers.get("session", ""),
            agent=headers.get("agent", ""),
            client=headers.get("client", ""),
            options=self._options,
            catalog=gateway.catalog.models,
            tool_order=gateway.tool_order(headers.get("session", "") + headers.get("agent", "")),
        )
        if upstream.tool_order:  # a title has no tools, and would make the session forget its own
            gateway.remember_tool_order(headers.get("session", "") + headers.get("agent", ""), upstream.tool_order)
        self._variant, self._upstream = variant, upstream
        return upstream

    def _build(self, login: Login, lane: Lane, strip: bool) -> bytes:
        upstream = self._translate(login, lane, strip)
        return shed.shed(upstream.body, self._level) if self._level else upstream.body

    def _call(self, upstream: Upstream, login: Login) -> Call:
        return Call(
            build=self._build,
            model=upstream.info,
            lane=upstream.lane,
            session=upstream.cache_key,
            request_id=self.exchange.id,
            turn=self.gateway.turn_key(upstream.turn),
            other_lane_ok=len(upstream.lanes) > 1,
            login=login,
            on_retry=self._retried,
        )

    def _retried(self, error: UpstreamError, waited: float) -> None:
        self.exchange.retries.append(f"{type(error).__name__} {waited:.1f}s")

    def _make_room(self, upstream: Upstream) -> bool:
        """For a summary only: the next level of shedding that should fit. Anyone else is told, and compacts."""
        if not shed.is_summary_request(_last_user_text(self.request)):
            return False
        limit = upstream.info.context_window * SUMMARY_SHARE
        ratio = self.gateway.memory.calibration.ratios.get(upstream.info.slug, 1.0)
        while self._level < shed.LEVELS:
            self._level += 1
            if tokens.estimate(shed.shed(upstream.body, self._level)) * ratio <= limit:
                break
        else:
            return False
        self.exchange.losses[f"summary.shed_level_{self._level}"] = 1
        return True

    def _overflow(self, upstream: Upstream) -> tuple[int, int]:
        """(needed, maximum) in tokens: our estimate, which the refusal proves to be more than the maximum."""
        maximum = upstream.info.context_window
        needed = self.gateway.memory.calibration.apply(upstream.info.slug, count.estimate(upstream))
        return max(needed, maximum + 1), maximum

    def _opened(self, stream: Stream) -> None:
        upstream = self._upstream
        assert upstream is not None
        self.gateway.tag = stream.login.tag
        self.exchange.first_event = self.exchange.first_event or time.monotonic()
        self.exchange.facts.update(
            session=upstream.session_id,
            model=upstream.info.slug,
            effort=upstream.effort,
            lane=stream.lane,
            attempts=self.exchange.facts.get("attempts", 0) + stream.attempts,
            stripped=stream.stripped or None,
            upstream_id=stream.upstream_id,
            notes=list(upstream.notes) or None,
        )

    def _learn(self, counted: int, cached: int) -> None:
        """Of a body that went out as the client's history has it, not of what was shed."""
        upstream = self._upstream
        assert upstream is not None
        if self._level:
            return
        count.learn(self.gateway, upstream, counted)
        prediction = self.gateway.cache.predict(upstream.cache_key, upstream.body, upstream.marks)
        self.exchange.facts.update(predicted=prediction.tokens, broken_at=prediction.broken_at)
        self.gateway.cache.observe(
            prediction,
            session=upstream.session_id,
            model=upstream.info.slug,
            usage=(counted, cached),
            facts={"id": self.exchange.id, "at": time.time()},
        )


def _last_user_text(request: Request) -> bytes:
    """The JSON of the texts of the last user message; a system message may follow it."""
    last = next((turn for turn in reversed(request.turns) if turn.role == "user"), None)
    return b"\n".join(bytes(block.text) for block in last.blocks) if last is not None else b""
