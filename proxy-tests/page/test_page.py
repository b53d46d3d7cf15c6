"""What the page promises, seen by a browser."""

import json
import pathlib

from playwright.sync_api import expect

from conftest import picture

ROOT = pathlib.Path(__file__).parents[2]
AGREEMENT = (ROOT / "fixtures/demo/service-agreement.md").read_text()
LOG = "\n".join(f"2026-03-01T10:{at // 60:02}:{at % 60:02}Z INFO worker-{at % 4} handled request {7000 + at} in {at % 17} ms"
                for at in range(240)) + "\n2026-03-01T10:09:00Z ERROR worker-2 connection to db-7 refused: timeout after 30 s\n"
ROWS = json.dumps([{"id": at, "name": f"item {at}", "state": "open" if at % 9 else "blocked", "owner": None} for at in range(160)])
HOSTILE = ("<script>window.owned = 1</script><img src=x onerror=\"window.owned = 2\">\n"
           "</textarea></bdi><style>*{display:none}</style> The contract ends on 5\u202e May 2027\u202c and not before.\u200b\n"
           "javascript:alert(1) {{7*7}} ${7*7} &lt;b&gt; \x1b[2J \u2066hidden\u2069\n\n")


def tool(name, result, at=0):
    call = {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return [{"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{at}", "content": result}]


def user(text):
    return [{"role": "user", "content": text}]


def busy(proxy):
    proxy.chat(user(AGREEMENT + "\n\nBy when must a credit be requested?"), x_headroom_ratio="4")
    proxy.chat(user("Why did it fail?") + tool("read_log", LOG), model="claude-sonnet-4-5", path="/v1/messages")
    for at in range(3):
        proxy.chat(user("Which items are blocked?") + tool("search_items", ROWS) + tool("read_log", LOG, 1),
                   model="gpt-5", x_headroom_ratio=str(3 + at))
    proxy.chat(user(AGREEMENT), model="gpt-5", x_headroom_mode="audit", x_headroom_ratio="5")
    return proxy.chat(user("hello"))


def test_an_empty_page_says_how_to_begin(proxy, look):
    page = look(proxy.link())
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#list")).to_contain_text(f"OPENAI_BASE_URL={proxy.url}/v1")
    assert "key=" not in page.url
    picture(page, "empty")


def test_savings_and_requests_appear_while_one_looks(proxy, look):
    page = look(proxy.link())
    expect(page.locator("#live")).to_have_text("live")
    busy(proxy)
    expect(page.locator("#list tbody tr")).to_have_count(7)
    for name in ["read_log", "search_items", "(user messages)", "gpt-5", "chat_completions"]:
        expect(page.locator("#groups")).to_contain_text(name.replace("_", "_\u200b"))
    expect(page.locator("#chart rect.saved")).not_to_have_count(0)
    picture(page, "busy")


def test_a_request_opens_by_keyboard_and_shows_what_was_done(proxy, look):
    busy(proxy)
    page = look(proxy.link())
    button = page.locator("#list tbody tr").last.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#detail .row.dropped")).not_to_have_count(0)
    expect(page.locator("#detail .row.kept").filter(has_text="within 45 days")).not_to_have_count(0)
    picture(page, "request")
    page.get_by_label("dropped", exact=True).uncheck()
    expect(page.locator("#detail .row.dropped").first).to_be_hidden()
    page.locator("#detail").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(button).to_be_focused()


def test_hostile_text_does_nothing_and_hides_nothing(proxy, look):
    proxy.chat(user(HOSTILE + AGREEMENT + "\n\nWhen does the contract end?") + tool("<img src=x onerror=alert(1)>\u202egnp", HOSTILE + LOG),
               model="<b>gpt</b>\u202e5", x_headroom_ratio="3")
    page = look(proxy.link())
    page.locator("#list tbody tr button").first.click()
    expect(page.locator("#detail")).to_contain_text("<script>window.owned = 1</script>")
    expect(page.locator("#detail .unseen").filter(has_text="U+202E")).not_to_have_count(0)
    expect(page.locator("#groups")).to_contain_text("‹U+202E›")
    assert page.evaluate("window.owned") is None
    assert page.locator("#detail script, #detail img, #detail style, #list b").count() == 0
    picture(page, "hostile")


def test_a_text_is_tried_with_a_ratio(proxy, look):
    page = look(f"{proxy.url}/headroom/")
    page.get_by_label("Text", exact=True).fill("")
    page.get_by_role("button", name="Fill in an example").click()
    expect(page.locator("#try-result")).to_contain_text("saved")
    expect(page.locator("#try-rows .row.kept").filter(has_text="within 45 days")).not_to_have_count(0)
    picture(page, "try")
    page.get_by_label("Ratio").focus()
    page.keyboard.press("Home")
    expect(page.locator("#try-ratio-said")).to_have_text("auto")
    page.get_by_label("Text", exact=True).fill("short")
    expect(page.locator("#try-result")).to_contain_text("too short")


def test_without_a_key_this_machine_sees_sums_and_no_text(proxy, look):
    busy(proxy)
    page = look(f"{proxy.url}/headroom/")
    expect(page.locator(".tile.first b")).to_contain_text("%")
    expect(page.locator("#list")).to_contain_text("headroom page")
    assert "db-7" not in page.content()
    picture(page, "no-key")
    page.get_by_role("button", name="give a key").click()
    page.locator("#gate-key").fill("sk-one")
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#list tbody tr")).to_have_count(7)
    expect(page.locator("#foot")).to_contain_text("with your credential")


def test_a_name_that_is_made_to_point_here_sees_nothing(proxy, chromium):
    context = chromium.new_context()
    page = context.new_page()
    # The page of another site, in the same browser, asks for everything that could be read.
    page.route("http://evil.example/", lambda route: route.fulfill(body="<!doctype html>evil", content_type="text/html"))
    page.goto("http://evil.example/")
    for path in ["state", "events", "explain", "metrics"]:
        read = page.evaluate("async (url) => { try { return await (await fetch(url)).text() } catch { return null } }",
                             f"{proxy.url}/headroom/{path}")
        assert read is None, path
    framed = page.evaluate("""async (url) => { const f = document.createElement('iframe'); f.src = url; document.body.append(f);
        await new Promise((done) => { f.onload = done; }); try { return f.contentDocument.body.innerText } catch { return null } }""",
                           f"{proxy.url}/headroom/")
    assert not framed
    context.close()


def test_it_is_usable_on_a_phone_and_in_the_dark(proxy, look):
    busy(proxy)
    phone = look(proxy.link(), width=390, height=844, device_scale_factor=2, is_mobile=True, has_touch=True)
    expect(phone.locator("#list tbody tr")).to_have_count(7)
    phone.locator("#list tbody tr button").last.tap()
    expect(phone.locator("#detail .row.kept")).not_to_have_count(0)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.evaluate("scrollTo(0, 0)")
    picture(phone, "phone-top", whole=False)
    picture(phone, "phone")
    dark = look(proxy.link(), color_scheme="dark", reduced_motion="reduce")
    expect(dark.locator("#list tbody tr")).to_have_count(7)
    dark.locator("#list tbody tr button").last.click()
    expect(dark.locator("#detail .row.kept")).not_to_have_count(0)
    picture(dark, "dark")
    assert dark.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_the_page_ends_with_the_proxy_and_comes_back_with_it(proxy, look):
    page = look(proxy.link())
    expect(page.locator("#live")).to_have_text("live")
    proxy.stop()
    expect(page.locator("#live")).to_have_text("no connection")
    # A browser writes down itself what it could not reach.
    look.faults.clear()
