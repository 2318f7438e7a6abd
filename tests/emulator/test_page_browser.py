"""The emulator's web page in headless Chromium."""

import shutil
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import call
from .test_page import HOUR, fetch, new_id, new_room

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="needs chromium and chromedriver")

HOSTILE = "<img/src=x/onerror=document.title=1><script>document.title=2</script>"

# Counts the visible texts, and finds those with a contrast below 4.5.
CONTRASTS = """
function luminance(color) {
  const shares = color.match(/[0-9]+/g).map((value) => value / 255);
  const [r, g, b] = shares.map((share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
}
function background(node) {
  const color = getComputedStyle(node).backgroundColor;
  return color.endsWith(", 0)") ? background(node.parentElement) : color;
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

    def texts(self, selector: str) -> list[str]:
        """The visible texts of the elements, read in one call because the page may change between calls."""
        nodes = "[...document.querySelectorAll(arguments[0])].filter((node) => node.checkVisibility())"
        texts: list[str] = self.driver.execute_script(f"return {nodes}.map((node) => node.innerText)", selector)
        return texts

    def wait(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 30, poll_frequency=0.05).until(lambda _: condition())

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focus(self) -> str:
        """The ID, label or text of the focused element."""
        element = self.driver.switch_to.active_element
        return element.get_attribute("id") or element.get_attribute("aria-label") or element.text

    def boxes(self, selector: str) -> list[dict[str, float]]:
        """The positions and sizes of the visible elements."""
        return [element.rect for element in self.all(selector) if element.is_displayed()]

    def resize(self, width: int) -> None:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def use_color_scheme(self, scheme: str) -> None:
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
    yield Browser(driver)
    driver.quit()


@pytest.fixture
def browser(running_browser: Browser, emulator: RoomsEmulator) -> Iterator[Browser]:
    """A browser that shows the emulator's page, 1440 pixels wide. The test fails if the browser reports an error."""
    running_browser.resize(1440)
    running_browser.use_color_scheme("light")
    running_browser.open(emulator)
    yield running_browser
    assert running_browser.errors() == []


def send_unsigned(emulator: RoomsEmulator) -> None:
    target = "/rooms/1?api-version=2025-03-13"
    fetch(emulator, target, {"Content-Type": "text/x"}, method="PATCH", body=b'{"a":[1]}')


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


def are_apart(boxes: list[dict[str, float]]) -> bool:
    """Whether no two of the boxes overlap."""
    return not any(
        all(
            max(first[start], second[start]) + 1 < min(first[start] + first[size], second[start] + second[size])
            for start, size in (("x", "width"), ("y", "height"))
        )
        for first, second in combinations(boxes, 2)
    )


def test_empty_page_has_connection_string_to_copy(browser: Browser, emulator: RoomsEmulator) -> None:
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": emulator.endpoint}
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    assert browser.text("#no-rooms strong") == "No rooms yet."
    assert browser.text("#connection-string") == emulator.connection_string
    assert not browser.find("#key-is-secret").is_displayed()
    browser.find("#copy").click()
    browser.wait(lambda: browser.text("#copy") == "Copied")
    copied = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == emulator.connection_string


def test_secret_access_key_is_not_shown(running_browser: Browser) -> None:
    with RoomsEmulator(access_key="c2VjcmV0") as emulator:
        running_browser.open(emulator)
        assert "does not show your access key" in running_browser.text("#no-rooms")
        assert not running_browser.find("#key-is-public").is_displayed()
        assert "c2VjcmV0" not in running_browser.driver.page_source
    running_browser.driver.get("about:blank")


def test_rooms_appear_live(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    ended = new_room(client)
    browser.wait(lambda: browser.texts("tbody .id") == [ended])
    assert browser.text("tbody .state") == "open"
    [now], [bar] = browser.boxes(".track .now"), browser.boxes(".bar")
    assert bar["x"] < now["x"] < bar["x"] + bar["width"]
    emulator.advance(2 * HOUR)
    upcoming = new_room(client, start=4 * HOUR, end=5 * HOUR)
    browser.wait(lambda: browser.texts("tbody .id") == [upcoming, ended])
    assert browser.texts("tbody .state") == ["upcoming", "ended"]
    assert browser.text("#ahead") == "2 hours"
    assert browser.texts("tbody .lifetime .note")[1].startswith("ended ")
    upcoming_bar, ended_bar = browser.boxes(".bar")
    assert ended_bar["x"] + ended_bar["width"] < now["x"] < upcoming_bar["x"]
    client.delete_room(upcoming)
    browser.wait(lambda: browser.texts("tbody .id") == [ended])


def test_participants_are_shown_on_demand(browser: Browser, client: RoomsClient) -> None:
    alice, bob = new_id(), new_id()
    room_id = new_room(client, alice, bob)
    browser.wait(lambda: browser.all("tbody button"))
    button = browser.find("tbody button")
    assert button.accessible_name == f"2 participants of room {room_id}"
    assert browser.texts(".details") == []
    button.click()
    assert browser.texts(".details li") == [f"Presenter\n{alice}", f"Presenter\n{bob}"]
    button.click()
    assert browser.texts(".details") == []


def test_many_participants_scroll(browser: Browser, client: RoomsClient) -> None:
    new_room(client, *(new_id() for _ in range(101)))
    browser.wait(lambda: browser.all("tbody button"))
    browser.find("tbody button").click()
    assert browser.texts("tbody button") == ["100+"]
    assert browser.texts(".details li")[-1] == "Only the first 100 are shown."
    assert len(browser.all(".details li")) == 101
    browser.press(Keys.TAB, Keys.END)
    browser.wait(lambda: browser.driver.execute_script("return document.querySelector('.details ul').scrollTop") > 0)
    assert browser.find("#room-table").rect["height"] < 500


def test_retries_and_faults_are_shown(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=503, times=2, method="POST")
    emulator.inject(drop="before", path="/rooms/*", times=3)
    browser.wait(lambda: browser.texts("#fault-list li")[:1] == ["POST\nstatus 503, 2 left"])
    assert browser.texts("#fault-list li")[1] == "/rooms/*\nconnection closed before execution, 3 left"
    client.create_room()
    browser.wait(lambda: browser.texts(".attempts .status") == ["503", "503", "201"])
    assert browser.texts("summary .status") == ["201"]
    assert browser.texts(".target") == ["POST /rooms"]
    assert browser.texts(".retries") == ["2 retries"]
    assert browser.texts(".attempts .fault") == ["status 503", "status 503"]
    assert browser.texts(".reason") == []  # the fault says it all
    assert len(browser.all("#fault-list li")) == 1


def test_request_shows_its_reason_and_opens(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    send_unsigned(emulator)
    [request] = emulator.requests
    browser.wait(lambda: browser.texts(".reason") == [request.reason])
    assert browser.texts(".sent") == []
    browser.find("summary").send_keys(Keys.ENTER)
    shown = dict(zip(browser.texts(".sent dt"), browser.texts(".sent dd"), strict=True))
    body = '{\n  "a": [\n    1\n  ]\n}'
    assert shown == {"query": "api-version=2025-03-13", "body": body, "content-type": "text/x"}
    call(client, "GET", "/rooms")
    browser.wait(lambda: browser.texts("summary .status") == ["200", "401"])
    assert len(browser.texts(".sent")) == 1
    assert browser.focus().startswith("401")


def test_hostile_request_does_not_run(browser: Browser, client: RoomsClient) -> None:
    call(client, "POST", f"/rooms/{HOSTILE}", HOSTILE, headers={"x-ms-hostile": HOSTILE})
    browser.wait(lambda: browser.all("summary"))
    browser.find("summary").click()
    assert HOSTILE in browser.texts(".sent dd")
    assert browser.all("main img, main script") == []
    assert browser.driver.title == "Rooms emulator"


def test_rooms_are_filtered_and_searched(browser: Browser, client: RoomsClient) -> None:
    raw_id = new_id()
    first = new_room(client, raw_id)
    second = new_room(client, new_id(), start=2 * HOUR, end=3 * HOUR)
    browser.wait(lambda: browser.texts("#states button") == ["All 2", "Upcoming 1", "Open 1", "Ended 0"])
    browser.find("[data-state=upcoming]").click()
    browser.wait(lambda: browser.texts("tbody .id") == [second])
    assert [button.get_attribute("aria-pressed") for button in browser.all("#states button")].index("true") == 1
    browser.find("#search").send_keys(raw_id[20:])
    browser.wait(lambda: browser.find("#no-matches").is_displayed())
    browser.find("[data-state='']").click()
    browser.wait(lambda: browser.texts("tbody .id") == [first])
    assert browser.find("#announcement").get_attribute("textContent") == "1 room found: 0 upcoming, 1 open, 0 ended"


def test_two_hundred_rooms_are_paged(browser: Browser, client: RoomsClient) -> None:
    ids = [new_room(client) for _ in range(200)][::-1]
    browser.wait(lambda: browser.texts("#page-position") == ["Page 1 of 8"])
    browser.find("#next").send_keys(Keys.ENTER)
    browser.wait(lambda: browser.texts("tbody .id") == ids[25:50])
    assert browser.focus() == "next"
    browser.find("#previous").send_keys(Keys.ENTER)
    browser.wait(lambda: browser.texts("tbody .id") == ids[:25])
    browser.press(Keys.ENTER)  # there is no newer page
    assert browser.texts("#page-position") == ["Page 1 of 8"]


def test_page_works_by_keyboard(browser: Browser, client: RoomsClient) -> None:
    raw_id = new_id()
    room_id = new_room(client, raw_id)
    browser.wait(lambda: browser.all("tbody button"))
    seen = []
    for _ in range(9):
        browser.press(Keys.TAB)
        seen.append(browser.focus())
        outline = browser.driver.switch_to.active_element.value_of_css_property("outline-style")
        assert outline == "solid"
    toggle = f"1 participant of room {room_id}"
    states = ["All 1", "Upcoming 0", "Open 1", "Ended 0"]
    assert seen[:-1] == ["Skip to the rooms", "pause", *states, "search", toggle]
    assert seen[-1].startswith("201\nPOST /rooms")
    browser.press(Keys.SHIFT + Keys.TAB, Keys.SPACE)
    assert browser.texts(".raw-id") == [raw_id]
    other = new_room(client)
    browser.wait(lambda: browser.texts("tbody .id") == [other, room_id])
    assert browser.focus() == toggle
    assert browser.texts(".raw-id") == [raw_id]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(390, "light"), (900, "dark"), (1280, "light"), (1366, "dark"), (1440, "light"), (1920, "dark")],
)
def test_page_is_readable(
    browser: Browser, emulator: RoomsEmulator, client: RoomsClient, width: int, scheme: str
) -> None:
    browser.resize(width)
    browser.use_color_scheme(scheme)
    add_samples(emulator, client)
    browser.wait(lambda: len(browser.all("tbody .id")) == 3 and browser.all(".reason"))
    labels = [box for box in browser.boxes("#axis span") if box["width"]]
    assert len(labels) >= 5
    assert are_apart(labels)
    cells = browser.boxes("#room-table tbody:first-of-type tr:first-child > *")
    assert len(cells) == 5
    assert are_apart(cells)
    assert browser.find("#calls").rect["y"] - browser.find("#faults").rect["y"] < 400
    for toggle in browser.all("tbody button:not([hidden]), summary"):
        toggle.click()
    contrasts: dict[str, Any] = browser.driver.execute_script(CONTRASTS)
    assert contrasts["count"] > 300
    assert contrasts["low"] == []
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.driver.execute_script(overflow) == 0
    assert sorted(browser.names("table", "region")) == ["Latest requests", "Pending faults 30", "Rooms", "Rooms"]
    assert browser.names("columnheader") == ["Room", "State", "Lifetime", "Timeline", "Participants"]
    background = browser.find("body").value_of_css_property("background-color")
    assert background == {"light": "rgba(246, 247, 249, 1)", "dark": "rgba(15, 19, 24, 1)"}[scheme]


def test_pause_stops_polling(browser: Browser, client: RoomsClient) -> None:
    # Hold the timer of the next poll instead of letting it run.
    browser.driver.execute_script("setTimeout = (next) => { window.next = next }; clearTimeout = () => { next = null }")
    browser.wait(lambda: browser.driver.execute_script("return Boolean(window.next)"))
    browser.find("#pause").click()
    assert (browser.text("#connection"), browser.text("#pause")) == ("Paused", "Resume")
    assert browser.driver.execute_script("return next") is None
    room_id = new_room(client)
    browser.find("#pause").click()
    browser.wait(lambda: browser.texts("tbody .id") == [room_id])
    assert (browser.text("#connection"), browser.text("#pause")) == ("Live", "Pause")


def test_page_survives_emulator_restart(running_browser: Browser) -> None:
    with RoomsEmulator() as emulator:
        running_browser.open(emulator)
        port = int(emulator.endpoint.rpartition(":")[2])
        emulator.stop()
        running_browser.wait(lambda: running_browser.text("#connection") == "The emulator is not responding")
    with RoomsEmulator(port=port) as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
        room_id = new_room(client)
        running_browser.wait(lambda: running_browser.texts("tbody .id") == [room_id])
        assert running_browser.text("#connection") == "Live"
    running_browser.driver.get("about:blank")
    assert {error.rpartition(" ")[2] for error in running_browser.errors()} <= {"net::ERR_CONNECTION_REFUSED"}
