import pytest
from multidict import CIMultiDict

from claudex.errors import ForbiddenCaller, NotAuthenticated
from claudex.proxy.guard import Guard

TOKEN = b"the-token-of-this-proxy"
GUARD = Guard(8327)


def headers(**fields: str) -> CIMultiDict[str]:
    return CIMultiDict({name.replace("_", "-"): value for name, value in fields.items()})


@pytest.mark.parametrize("host", ["127.0.0.1:8327", "localhost:8327", "LOCALHOST:8327", "[::1]:8327"])
def test_our_own_names_pass(host: str) -> None:
    GUARD.check_caller(headers(Host=host))


@pytest.mark.parametrize(
    "host", ["", "evil.test:8327", "127.0.0.1:80", "127.0.0.1", "0.0.0.0:8327", "127.0.0.1.evil.test:8327"]
)
def test_a_foreign_host_is_refused(host: str) -> None:
    with pytest.raises(ForbiddenCaller):
        GUARD.check_caller(headers(Host=host))


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1:9999", "https://localhost:8327", ""])
def test_a_foreign_origin_is_refused(origin: str) -> None:
    with pytest.raises(ForbiddenCaller):
        GUARD.check_caller(headers(Host="localhost:8327", Origin=origin))


def test_our_own_origin_passes() -> None:
    GUARD.check_caller(headers(Host="localhost:8327", Origin="http://localhost:8327", Sec_Fetch_Site="same-origin"))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_another_site_is_refused(site: str) -> None:
    with pytest.raises(ForbiddenCaller):
        GUARD.check_caller(headers(Host="localhost:8327", Sec_Fetch_Site=site))


@pytest.mark.parametrize(
    "shown",
    [
        {"Authorization": f"Bearer {TOKEN.decode()}"},
        {"authorization": f"bearer  {TOKEN.decode()}"},
        {"x-api-key": TOKEN.decode()},
        {"x-api-key": "sk-ant-other", "Authorization": f"Bearer {TOKEN.decode()}"},
        {"x-api-key": TOKEN.decode(), "Authorization": "Bearer other"},
    ],
)
def test_the_token_in_either_header_is_enough(shown: dict[str, str]) -> None:
    GUARD.check_token(CIMultiDict(shown), TOKEN)


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": TOKEN.decode()},
        {"Authorization": f"Basic {TOKEN.decode()}"},
        {"x-api-key": TOKEN.decode()[:-1]},
        {"x-api-key": "\udcff"},
    ],
)
def test_anything_else_is_refused_with_what_to_do(shown: dict[str, str]) -> None:
    with pytest.raises(NotAuthenticated, match="claudex"):
        GUARD.check_token(CIMultiDict(shown), TOKEN)


def test_no_token_on_disk_lets_nobody_in() -> None:
    with pytest.raises(NotAuthenticated, match="no token yet"):
        GUARD.check_token(CIMultiDict({"x-api-key": ""}), b"")
