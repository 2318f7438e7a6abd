"""The emulator's web page in headless Chromium."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import Fault, RoomsEmulator

from .calls import call
from .test_page import HOUR, fetch, new_id, new_room

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="needs chromium and chromedriver")

HOSTILE = "<img/src=x/onerror=document.title=1><script>document.title=2</script>"

# Counts the visible texts, and finds those with a contrast below 4.5.
CONTRASTS = """
function luminance(color) {
  const shares = color.match(/[0-9.]+/g).map((value) => color.startsWith("rgb") ? value / 255 : Number(value));
  const [r, g, b] = shares.map((share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
}
function background(node) {
  const color = getComputedStyle(node).backgroundColor;
  return color.endsWith(" 0)") ? background(node.parentElement) : color;
}
const nodes = [...document.body.querySelectorAll("*")].filter((node) => node.checkVisibility() &&
  !node.closest(".hidden") && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
const contrasts = nodes.map((node) => luminance(background(node)) / luminance(getComputedStyle(node).color));
return { count: nodes.length, low: nodes.filter((_, i) => Math.max(contrasts[i], 1 / contrasts[i]) < 4.5) };
"""


class Browser:
    """A browser that shows the emulator's web page."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, emulator: RoomsEmulator) -> None:
        self.driver.get(emulator.endpoint)
        self.wait(lambda: self.text("#connection") == "Live")

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def visible(self, selector: str, expression: str = "node") -> list[Any]:
        """The visible elements, or an expression of each, in one call because the page may change between calls."""
        nodes = "[...document.querySelectorAll(arguments[0])].filter((node) => node.checkVisibility())"
        found: list[Any] = self.driver.execute_script(f"return {nodes}.map((node) => {expression})", selector)
        return found

    def texts(self, selector: str) -> list[str]:
        return self.visible(selector, "node.innerText")

    def rooms(self) -> list[str]:
        return self.texts("tbody .id .mono")

    def wait(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 30, poll_frequency=0.05).until(lambda _: condition())

    def click(self, name: str) -> None:
        """Click the visible control with this name."""
        controls = self.visible("button, summary, input, .tabs a")
        next(control for control in controls if control.accessible_name == name).click()

    def fill(self, **values: str) -> None:
        """Replace values of the form for a fault."""
        for name, value in values.items():
            self.find(f"#fault [name={name}]").send_keys(Keys.CONTROL + "a", Keys.NULL, Keys.DELETE, value)

    def wait_for_copy(self, text: str) -> None:
        self.wait(lambda: self.driver.execute_script("return navigator.clipboard.readText()") == text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focus(self) -> str:
        """The ID, label or text of the focused element."""
        element = self.driver.switch_to.active_element
        return element.get_attribute("id") or element.get_attribute("aria-label") or element.text

    def boxes(self, selector: str) -> list[dict[str, float]]:
        """The positions and sizes of the visible elements."""
        return self.visible(selector, "node.getBoundingClientRect().toJSON()")

    def emulate(self, width: int, scheme: str) -> None:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def names(self, *roles: str) -> list[str]:
        """The names of the elements with these roles, as a screen reader sees them."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
        return [node["name"]["value"] for node in tree["nodes"] if node.get("role", {}).get("value") in roles]

    def errors(self) -> list[str]:
        """The messages in the browser's log, such as violations of the Content-Security-Policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def running_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-background-networking"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(str(CHROMEDRIVER)))
    sooner = {"source": "const wait = setTimeout; setTimeout = (poll, _) => wait(poll, 100)"}  # than each second
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", sooner)
    yield Browser(driver)
    driver.quit()


@pytest.fixture
def browser(running_browser: Browser, emulator: RoomsEmulator) -> Iterator[Browser]:
    """A browser that shows the emulator's page, 1440 pixels wide. The test fails if the browser reports an error."""
    running_browser.emulate(1440, "light")
    running_browser.open(emulator)
    yield running_browser
    assert running_browser.errors() == []


def send_unsigned(emulator: RoomsEmulator) -> None:
    fetch(emulator, "/rooms/1?api-version=2025-03-13", {"Content-Type": "text/x"}, method="PATCH", body=b'{"a":[1]}')


def add_samples(emulator: RoomsEmulator, client: RoomsClient) -> None:
    """Add an example of everything that the page can show."""
    new_room(client, new_id(), end=HOUR / 2)
    emulator.advance(HOUR)
    new_room(client, *(new_id() for _ in range(101)), start=3 * HOUR, end=4 * HOUR)
    for number in range(30):
        emulator.inject(truncate=True, path=f"/rooms/{number}/participants")
    emulator.inject(status=503, times=2)
    emulator.inject(drop="after")
    client.create_room(pstn_dial_out_enabled=True)
    send_unsigned(emulator)


def test_page_shows_how_to_connect(browser: Browser, emulator: RoomsEmulator) -> None:
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": emulator.endpoint}
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    assert browser.text("#connection-string") == emulator.connection_string
    browser.click("Copy the connection string")
    browser.wait_for_copy(emulator.connection_string)
    browser.click("Copy the lines")
    browser.wait_for_copy(browser.text("#exports"))


def test_rooms_appear_live(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    ended = new_room(client)
    browser.wait(lambda: browser.rooms() == [ended])
    [now], [bar] = browser.boxes(".track .now"), browser.boxes(".bar")
    assert bar["x"] < now["x"] < bar["x"] + bar["width"]
    assert browser.texts("#axis span") == ["now", "in 1 mo", "1 mo ago", "in 1 d", "1 d ago", "in 30 min", "30 min ago"]
    emulator.advance(2 * HOUR)
    upcoming = new_room(client, start=4 * HOUR, end=5 * HOUR)
    browser.wait(lambda: browser.rooms() == [upcoming, ended])
    assert browser.texts(".badge") == ["upcoming", "ended"]
    assert browser.text("#ahead") == "2 hours ahead"
    assert browser.texts("tbody .lifetime .note")[1].startswith("ended ")
    upcoming_bar, ended_bar = browser.boxes(".bar")
    assert ended_bar["x"] + ended_bar["width"] < now["x"] < upcoming_bar["x"]


def test_page_moves_the_clock(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    new_room(client, start=72 * HOUR, end=73 * HOUR)
    browser.click("+1 h")
    browser.wait(lambda: browser.text("#ahead") == "1 hour ahead")
    browser.click("+1 d")
    browser.wait(lambda: browser.text("#ahead") == "1 day ahead")
    browser.wait(lambda: browser.text("#states") == "All 1\nUpcoming 1\nOpen 0\nEnded 0")
    browser.click("To next opening")
    browser.wait(lambda: browser.texts(".badge") == ["open"])
    assert browser.find("#next-opening").get_attribute("aria-disabled") == "true"


def test_page_deletes_a_room_and_resets_once_confirmed(browser: Browser, client: RoomsClient) -> None:
    room_id, other = new_room(client), new_room(client)
    browser.wait(browser.rooms)
    browser.click(f"Delete room {room_id}")
    assert browser.text("#question") == f"Delete room {room_id}?"
    browser.press(Keys.ESCAPE)
    assert browser.focus() == f"Delete room {room_id}"
    browser.press(Keys.ENTER, Keys.ENTER)
    browser.wait(lambda: browser.rooms() == [other])
    assert browser.focus() == "rooms"
    browser.click("Reset…")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.texts("#no-rooms") == ["Rooms appear here when a program creates them."])


def test_page_injects_and_clears_faults(browser: Browser, emulator: RoomsEmulator) -> None:
    browser.click("Inject a fault")
    browser.fill(path="rooms")
    browser.press(Keys.ENTER)
    browser.wait(lambda: browser.texts("#error p") == ["path must begin with / or *: 'rooms'"])
    assert [error.endswith("400 (Bad Request)") for error in browser.errors()] == [True]
    browser.find("[name=method]").send_keys("POST")
    browser.fill(path="/rooms/*", retry_after="2", times="3")
    browser.click("Inject")
    browser.wait(lambda: browser.texts("#fault-list li") == ["POST /rooms/*\nstatus=503, retry_after=2, 3 left"])
    assert browser.texts("#error") == []
    faults = emulator.pending_faults
    browser.click("More")
    browser.fill(after="1", probability="0.5", times="1")
    for effect, value, fault in (
        ("Close the connection before execution", {}, Fault(drop="before")),
        ("Close the connection after execution", {}, Fault(drop="after")),
        ("Delay the request", {"delay": "1.5"}, Fault(delay=1.5)),
        ("Cut the response in half", {}, Fault(truncate=True)),
        ("Respond with a body", {"status": "200", "body": "<é>"}, Fault(status=200, body="<é>".encode())),
    ):
        browser.find("#effect").send_keys(effect)
        browser.fill(**value)
        browser.click("Inject")
        faults.append(replace(fault, method="POST", path="/rooms/*", after=1, probability=0.5))
        browser.wait(lambda: emulator.pending_faults == faults)
    browser.click("Clear all")
    browser.wait(lambda: browser.texts("#fault-list li") == [])
    assert (emulator.pending_faults, browser.focus()) == ([], "faults")


def test_participants_are_shown_on_demand(browser: Browser, client: RoomsClient) -> None:
    alice = new_id()
    room_id = new_room(client, alice, *(new_id() for _ in range(100)))
    browser.wait(browser.rooms)
    button = browser.find(".participants button")
    assert (button.text, button.accessible_name) == ("100+", f"100+ participants of room {room_id}")
    assert browser.texts(".details") == []
    button.click()
    assert browser.texts(".details li")[::100] == [f"Presenter\n{alice}", "Only the first 100 are shown."]
    assert browser.find("#room-table").rect["height"] < 500
    button.click()
    assert browser.texts(".details") == []


def test_retries_are_shown(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=503, times=2)
    client.create_room()
    browser.wait(lambda: browser.texts(".attempts .status") == ["503", "503", "201"])
    assert browser.texts("summary .status") == ["201"]
    assert browser.texts(".outcome .note") == ["2 retries"]
    assert browser.texts(".attempts .fault") == ["status=503", "status=503"]
    assert browser.texts(".reason") == []  # the fault says it all


def test_requests_open_and_are_filtered(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    send_unsigned(emulator)
    [request] = emulator.requests
    browser.wait(lambda: browser.texts(".reason") == [request.reason])
    assert browser.texts(".opened") == []
    browser.find("#calls summary").send_keys(Keys.ENTER)
    shown = dict(zip(browser.texts(".opened dt"), browser.texts(".opened dd"), strict=True))
    assert shown == {
        "duration": f"{(request.duration or 0) * 1000:.1f} ms",
        "response": json.dumps(json.loads(request.response_body), indent=2),
        "query": "api-version=2025-03-13",
        "request": '{\n  "a": [\n    1\n  ]\n}',
        "content-type": "text/x",
    }
    room_id = client.create_room().id
    browser.wait(lambda: browser.texts("summary .status") == ["201", "401"])
    assert len(browser.texts(".opened")) == 1
    assert browser.focus().startswith("401")
    browser.find("#calls summary").click()
    assert browser.texts(".opened dd")[0] == room_id
    browser.click(f"Copy ID {room_id}")
    browser.click("Errors only")
    browser.wait(lambda: browser.texts("summary .status") == ["401"])
    browser.find("#path").send_keys("/users")
    browser.wait(lambda: browser.texts("#no-calls") == ["No requests match."])


def test_hostile_request_does_not_run(browser: Browser, client: RoomsClient) -> None:
    call(client, "POST", f"/rooms/{HOSTILE}", HOSTILE, headers={"x-ms-hostile": HOSTILE})
    browser.wait(lambda: browser.all("#calls summary"))
    browser.find("#calls summary").click()
    assert HOSTILE in browser.texts(".opened dd")
    assert browser.all("main img, main script") == []
    assert browser.driver.title == "Rooms emulator"


def test_rooms_are_sorted_filtered_and_searched(browser: Browser, client: RoomsClient) -> None:
    raw_id = new_id()
    first = new_room(client, raw_id)
    second = new_room(client, new_id(), start=2 * HOUR, end=3 * HOUR)
    browser.wait(lambda: browser.texts("#states button") == ["All 2", "Upcoming 1", "Open 1", "Ended 0"])
    browser.find("#sort").send_keys("By opening time")
    browser.wait(lambda: browser.rooms() == [first, second])
    browser.find("[data-state=upcoming]").click()
    browser.wait(lambda: browser.rooms() == [second])
    assert browser.texts("#states [aria-pressed=true]") == ["Upcoming 1"]
    browser.find("#search").send_keys(raw_id[20:])
    browser.wait(lambda: browser.texts("#no-rooms") == ["No rooms match."])
    browser.find("[data-state='']").click()
    browser.wait(lambda: browser.rooms() == [first])
    assert browser.find("#announcement").get_attribute("textContent") == "1 room found: 0 upcoming, 1 open, 0 ended"


def test_two_hundred_rooms_are_paged(browser: Browser, client: RoomsClient) -> None:
    ids = [new_room(client) for _ in range(200)][::-1]
    browser.wait(lambda: browser.texts("#page-position") == ["Page 1 of 8"])
    browser.find("#next").send_keys(Keys.ENTER)
    browser.wait(lambda: browser.rooms() == ids[25:50])
    assert browser.focus() == "next"
    browser.find("#previous").send_keys(Keys.ENTER)
    browser.wait(lambda: browser.rooms() == ids[:25])


def test_page_works_by_keyboard(browser: Browser, client: RoomsClient) -> None:
    room_id = new_room(client, new_id())
    browser.wait(browser.rooms)
    seen = []
    for _ in range(21):
        browser.press(Keys.TAB)
        seen.append(browser.focus())
        assert browser.driver.switch_to.active_element.value_of_css_property("outline-style") == "solid"
    clock = ["+1 h", "+1 d", "next-opening"]
    top = [*clock, "pause", "reset", "Copy the connection string", "Copy the lines", "exports"]
    rooms = ["All 1", "Upcoming 0", "Open 1", "Ended 0", "sort", "search", f"Copy room ID {room_id}"]
    room = [f"1 participant of room {room_id}", f"Delete room {room_id}"]
    assert seen[:-1] == [*top, *rooms, *room, "Inject a fault", "errors", "path"]
    assert seen[-1].startswith("201\nPOST /rooms")
    browser.find(".participants button").send_keys(Keys.SPACE)
    browser.press(Keys.TAB, Keys.TAB)
    client.add_or_update_participants(room_id, participants=[RoomParticipant(CommunicationUserIdentifier(new_id()))])
    other = new_room(client)
    browser.wait(lambda: browser.rooms() == [other, room_id] and len(browser.texts(".raw-id")) == 2)
    assert browser.focus().startswith("Copy raw ID")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_readable(browser: Browser, emulator: RoomsEmulator, client: RoomsClient, scheme: str) -> None:
    add_samples(emulator, client)
    browser.wait(lambda: len(browser.rooms()) == 3 and browser.all(".reason"))
    browser.visible("main :is(.participants button, summary)", "node.click()")
    background = {"light": "rgba(246, 247, 249, 1)", "dark": "rgba(15, 19, 24, 1)"}[scheme]
    for width in (390, 900, 1280, 1366, 1920):
        browser.emulate(width, scheme)
        assert browser.find("body").value_of_css_property("background-color") == background
        regions = set()
        for tab in ("#requests", "#rooms") if width < 1280 else ("",):
            if tab:
                browser.find(f".tabs [href='{tab}']").click()
            regions |= set(browser.names("region"))
            contrasts: dict[str, Any] = browser.driver.execute_script(CONTRASTS)
            assert (contrasts["count"] > 100, contrasts["low"]) == (True, [])
            overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert browser.driver.execute_script(overflow) == 0
        assert regions == {"Connect", "Latest requests", "Pending faults 30", "Rooms"}
        assert len(browser.boxes("#rooms, #requests")) == (1 if width < 1280 else 2)
        assert browser.names("columnheader") == ["Room", "Lifetime", "Timeline", "Participants", "Delete"]
        labels = sorted((box["x"], box["x"] + box["width"]) for box in browser.boxes("#axis span"))
        assert len(labels) >= 5
        assert all(end <= start for (_, end), (start, _) in pairwise(labels))
        assert max(end for _, end in labels) < width


def test_pause_stops_polling(browser: Browser, client: RoomsClient) -> None:
    # Hold the timer of the next poll instead of letting it run.
    browser.driver.execute_script("setTimeout = (next) => { window.next = next }; clearTimeout = () => { next = null }")
    browser.wait(lambda: browser.driver.execute_script("return Boolean(window.next)"))
    browser.find("#pause").click()
    assert (browser.text("#connection"), browser.text("#pause")) == ("Paused", "Resume")
    assert browser.driver.execute_script("return next") is None
    room_id = new_room(client)
    browser.find("#pause").click()
    browser.wait(lambda: browser.rooms() == [room_id])
    assert (browser.text("#connection"), browser.text("#pause")) == ("Live", "Pause")


def test_page_survives_emulator_restart(running_browser: Browser) -> None:
    with RoomsEmulator() as emulator:
        running_browser.open(emulator)
        port = int(emulator.endpoint.rpartition(":")[2])
        emulator.stop()
        running_browser.wait(lambda: running_browser.text("#connection") == "The emulator is not responding")
    with RoomsEmulator(port=port) as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
        room_id = new_room(client)
        running_browser.wait(lambda: running_browser.rooms() == [room_id])
    running_browser.driver.get("about:blank")
    assert all("/_emulator/data" in error for error in running_browser.errors())  # the polls that failed
