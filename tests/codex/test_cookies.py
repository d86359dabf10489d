from http.cookies import SimpleCookie

from claudex.codex.cookies import LIMIT, Cookies


def test_only_cloudflares_cookies_are_kept() -> None:
    cookies = Cookies()
    cookies.keep("h", "a", SimpleCookie("__cf_bm=one; session=secret; cf_clearance=two; _cfuvid=three"))
    assert cookies.header("h", "a") == "__cf_bm=one; cf_clearance=two; _cfuvid=three"


def test_they_stay_with_their_host_and_account() -> None:
    cookies = Cookies()
    cookies.keep("h", "a", SimpleCookie("__cf_bm=one"))
    assert cookies.header("h", "b") == cookies.header("other", "a") == ""


def test_they_end() -> None:
    now = 0.0
    cookies = Cookies(clock=lambda: now)
    cookies.keep("h", "a", SimpleCookie("__cf_bm=one; Max-Age=10"))
    assert cookies.header("h", "a")
    now = 11.0
    assert cookies.header("h", "a") == ""


def test_they_can_be_removed_and_forgotten() -> None:
    cookies = Cookies()
    cookies.keep("h", "a", SimpleCookie("__cf_bm=one"))
    cookies.keep("h", "a", SimpleCookie("__cf_bm=; Max-Age=0"))
    assert cookies.header("h", "a") == ""
    cookies.keep("h", "a", SimpleCookie("__cf_bm=two"))
    assert cookies.forget("h", "a")
    assert not cookies.forget("h", "a")


def test_they_do_not_pile_up() -> None:
    cookies = Cookies()
    for number in range(LIMIT + 5):
        cookies.keep("h", str(number), SimpleCookie("__cf_bm=x"))
    assert cookies.header("h", "0") == ""
    assert cookies.header("h", str(LIMIT + 4))
