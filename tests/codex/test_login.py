import pytest

from claudex import errors
from claudex.codex import login

from .tokens import document, id_token, jwt

SOURCE = "/home/u/.codex/auth.json"


def test_the_claims_become_a_login() -> None:
    found = login.from_document(document(expires_at=1_800_000_000), SOURCE)
    assert (found.account_id, found.user_id, found.plan) == ("acct-1", "user-1", "plus")
    assert (found.email, found.expires_at, found.source) == ("a@example.test", 1_800_000_000, SOURCE)


def test_a_missing_auth_mode_with_tokens_is_a_chatgpt_login() -> None:
    found = document()
    del found["auth_mode"]
    assert login.from_document(found, SOURCE).account_id == "acct-1"


def test_a_missing_account_id_comes_from_the_claim() -> None:
    found = document(tokens={"id_token": id_token(account="acct-claim"), "access_token": jwt(exp=1)})
    assert login.from_document(found, SOURCE).account_id == "acct-claim"


def test_the_fedramp_claim_is_read() -> None:
    tokens = {"id_token": id_token(chatgpt_account_is_fedramp=True), "access_token": jwt(exp=1)}
    assert login.from_document({"tokens": tokens}, SOURCE).fedramp


def test_an_opaque_access_token_has_no_known_end() -> None:
    found = login.from_document({"tokens": {"access_token": "opaque", "account_id": "a"}}, SOURCE)
    assert found.expires_at is None
    assert not found.expires_within(1e9, 0)


def test_two_workspaces_of_one_user_have_different_tags() -> None:
    one = login.from_document(
        {"tokens": {"access_token": "t", "id_token": id_token("acct-1"), "account_id": "acct-1"}}, ""
    )
    two = login.from_document(
        {"tokens": {"access_token": "t", "id_token": id_token("acct-2"), "account_id": "acct-2"}}, ""
    )
    assert one.email == two.email
    assert one.tag != two.tag
    assert len(one.tag) == 8


def test_the_repr_hides_the_token() -> None:
    found = login.from_document(document(), SOURCE)
    assert found.access_token not in repr(found)


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.!!!.c", "a.bm90IGpzb24.c", "a.WzFd.c", f"a.{'x' * 5}.c"], ids=lambda token: token or "empty"
)
def test_what_is_no_jwt_has_no_claims(token: str) -> None:
    assert login.claims(token) == {}


@pytest.mark.parametrize(
    ("found", "error", "words"),
    [
        ({}, errors.LoginMissing, "no ChatGPT login"),
        ({"tokens": None, "OPENAI_API_KEY": "sk-secret"}, errors.LoginUnusable, "only an OpenAI API key"),
        (document(auth_mode="apikey"), errors.LoginUnusable, "only an OpenAI API key"),
        ({"personal_access_token": "at-secret"}, errors.LoginUnusable, "personal access token"),
        ({"agent_identity": {"x": 1}}, errors.LoginUnusable, "agent identity"),
        ({"tokens": [1]}, errors.LoginDamaged, "`tokens` is not an object"),
        ({"tokens": {"refresh_token": "rt"}}, errors.LoginDamaged, "no access token"),
        ({"tokens": {"access_token": 5}}, errors.LoginDamaged, "`tokens.access_token` is not a string"),
        ({"tokens": {"access_token": "t", "id_token": {}}}, errors.LoginDamaged, "`tokens.id_token` is not a string"),
        ({"tokens": {"access_token": "t", "account_id": 7}}, errors.LoginDamaged, "`tokens.account_id`"),
        ({"tokens": {"access_token": "a\r\nx: y"}}, errors.LoginDamaged, "characters that no token has"),
        ({"tokens": {"access_token": "t", "account_id": "a\nb"}}, errors.LoginDamaged, "account id"),
        ({"auth_mode": 3}, errors.LoginDamaged, "`auth_mode` is not a string"),
    ],
)
def test_each_unusable_document_has_its_sentence(
    found: dict[str, object], error: type[errors.LoginError], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        login.from_document(found, SOURCE)
    assert SOURCE in str(raised.value)
    assert "codex login" in str(raised.value)
    assert "secret" not in str(raised.value)
