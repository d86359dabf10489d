"""What settings, model map and catalog make of a request: the model that answers, and how it is asked."""

from ..settings import Settings
from ..translate.messages.decode import Request
from ..translate.messages.request import Options
from ..translate.models import Slot, Target, parse_name, resolve
from .gateway import Gateway


def options(settings: Settings) -> Options:
    upstream, proxy = settings.upstream, settings.proxy
    return Options(
        lane=upstream.lane,
        summary=upstream.summary,
        verbosity=upstream.verbosity,
        service_tier=upstream.service_tier,
        strict=proxy.strict,
        image_budget=proxy.trim_images_over_mb << 20,
    )


def target(gateway: Gateway, request: Request) -> Target:
    settings = gateway.settings.models
    return resolve(
        request.model,
        request.effort,
        gateway.live.models,
        gateway.catalog.models,
        policy=settings.effort_policy,
        aliases=settings.aliases,
    )


def slot(gateway: Gateway, request: Request, found: Target) -> Slot | None:
    """The slot that the client meant, also where the env file has told it the slot's model by name."""
    if found.slot is not None:
        return found.slot
    named = parse_name(request.model, gateway.catalog.models)
    return next((slot for slot, choice in gateway.live.models.items() if choice == named), None)
