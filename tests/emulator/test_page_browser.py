"""The emulator's web page in headless Chromium."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator._store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="needs chromium and chromedriver")

HOSTILE = "8:acs:<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"
HOUR = timedelta(hours=1)

# Counts the visible texts, and finds those with a rendered contrast below 4.5.
LOW_CONTRASTS = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
function pixel(colors) {
  canvas.clearRect(0, 0, 1, 1);
  for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const texts = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest(".hidden")) continue;
  const backgrounds = [];
  for (let node = element; node; node = node.parentElement) backgrounds.unshift(getComputedStyle(node).backgroundColor);
  const back = luminance(pixel(backgrounds));
  const front = luminance(pixel([...backgrounds, getComputedStyle(element).color]));
  const contrast = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
  texts.push([element.textContent, contrast]);
}
return { count: texts.length, low: texts.filter(([, contrast]) => contrast < 4.5) };
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

    def shows(self, room_id: str) -> bool:
        return room_id in self.texts("tbody .id")

    def wait(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 30, poll_frequency=0.05).until(lambda _: condition())

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focus(self) -> str:
        """The ID, label or text of the focused element."""
        element = self.driver.switch_to.active_element
        return element.get_attribute("id") or element.get_attribute("aria-label") or element.text

    def resize(self, width: int) -> None:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def use_color_scheme(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def accessibility_tree(self) -> list[tuple[str, str]]:
        """The role and name of each element, as a screen reader sees them."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
        nodes = [node for node in tree["nodes"] if not node["ignored"]]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes]

    def errors(self) -> list[str]:
        """The messages in the browser's log, such as violations of the Content-Security-Policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def running_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(f"--{argument}")
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


def new_room(client: RoomsClient, *raw_ids: str, start: timedelta = -HOUR, end: timedelta = HOUR) -> str:
    now = datetime.now(timezone.utc)
    participants = [RoomParticipant(CommunicationUserIdentifier(raw_id), "Presenter") for raw_id in raw_ids]
    return client.create_room(valid_from=now + start, valid_until=now + end, participants=participants).id


def add_samples(emulator: RoomsEmulator, client: RoomsClient) -> None:
    """Add an example of everything that the page can show."""
    new_room(client, "8:acs:alice", end=HOUR / 2)
    emulator.advance(HOUR)
    new_room(client, "8:acs:" + "x" * 300, start=3 * HOUR, end=4 * HOUR)
    emulator.inject(status=503, times=2)
    emulator.inject(drop="after")
    client.create_room(pstn_dial_out_enabled=True)
    emulator.inject(status=404)
    with pytest.raises(Exception, match="An injected fault"):
        client.delete_room("99412345678901234")
    emulator.inject(truncate=True, path="/rooms/*/participants")


def do_overlap(first: dict[str, float], second: dict[str, float]) -> bool:
    return all(
        max(first[start], second[start]) + 1 < min(first[start] + first[size], second[start] + second[size])
        for start, size in (("x", "width"), ("y", "height"))
    )


def test_rooms_appear_live(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    assert browser.text("#no-rooms strong") == "No rooms yet."
    ended = new_room(client)
    browser.wait(lambda: browser.texts("tbody .id") == [ended])
    assert browser.text("tbody .state") == "open"
    emulator.advance(2 * HOUR)
    upcoming = new_room(client, start=4 * HOUR, end=5 * HOUR)
    browser.wait(lambda: browser.texts("tbody .id") == [upcoming, ended])
    assert browser.texts("tbody .state") == ["upcoming", "ended"]
    assert browser.text("#ahead") == "2 hours"
    assert browser.texts("tbody .lifetime .note")[1].startswith("ended ")
    client.delete_room(upcoming)
    browser.wait(lambda: browser.texts("tbody .id") == [ended])


def test_timeline_is_relative_to_now(browser: Browser, client: RoomsClient) -> None:
    new_room(client, start=-3 * HOUR, end=HOUR)
    new_room(client, start=HOUR, end=180 * 24 * HOUR)
    browser.wait(lambda: len(browser.all(".bar")) == 2)
    now, upcoming, is_open = (element.rect for element in (browser.find(".track .now"), *browser.all(".bar")))
    assert is_open["x"] < now["x"] < upcoming["x"] < is_open["x"] + is_open["width"]
    [track] = {element.rect["x"] + element.rect["width"] for element in browser.all(".track")}
    assert track * 0.95 < upcoming["x"] + upcoming["width"] <= track


def test_participants_are_shown_on_demand(browser: Browser, client: RoomsClient) -> None:
    room_id = new_room(client, "8:acs:alice", "8:acs:bob")
    browser.wait(lambda: browser.all("tbody button"))
    button = browser.find("tbody button")
    assert button.accessible_name == f"2 participants of room {room_id}"
    assert browser.texts(".details") == []
    button.click()
    assert browser.texts(".details li") == ["Presenter\n8:acs:alice", "Presenter\n8:acs:bob"]
    button.click()
    assert browser.texts(".details") == []


def test_hostile_raw_id_does_not_run(browser: Browser, client: RoomsClient) -> None:
    new_room(client, HOSTILE)
    browser.wait(lambda: browser.all("tbody button"))
    browser.find("tbody button").click()
    assert browser.text(".raw-id") == HOSTILE
    assert browser.all("table img, table script") == []
    assert browser.driver.title == "Rooms emulator"


def test_injected_markup_does_not_run(browser: Browser) -> None:
    script = "const node = document.createElement('script'); node.text = 'document.title = \"hacked\"';"
    for injection in (f"{script} document.body.append(node)", "document.body.innerHTML = '<img>'"):
        with pytest.raises(Exception, match="TrustedScript|TrustedHTML"):
            browser.driver.execute_script(injection)
    browser.driver.execute_script("""
        const image = new Image();
        image.setAttributeNS(null, "x", "");
        image.src = "https://evil.example/";
        document.body.append(image);
    """)
    browser.wait(lambda: [error for error in browser.errors() if "img-src" in error])
    assert browser.driver.title == "Rooms emulator"


def test_retries_and_faults_are_shown(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=503, times=2, method="POST")
    emulator.inject(drop="before", path="/rooms/*", times=3)
    browser.wait(lambda: browser.texts("#fault-list li")[:1] == ["POST\nstatus 503, 2 left"])
    assert browser.texts("#fault-list li")[1] == "/rooms/*\nconnection closed before execution, 3 left"
    client.create_room()
    browser.wait(lambda: browser.texts(".attempts .status") == ["503", "503", "201"])
    assert browser.texts("#calls > tr > td:first-child") == ["201"]
    assert browser.texts(".target") == ["POST /rooms"]
    assert browser.texts(".retries") == ["2 retries"]
    assert browser.texts(".attempts .fault") == ["status 503", "status 503"]
    assert len(browser.all("#fault-list li")) == 1


def test_rooms_are_filtered_and_searched(browser: Browser, client: RoomsClient) -> None:
    alice = new_room(client, "8:acs:alice")
    bob = new_room(client, "8:acs:bob", start=2 * HOUR, end=3 * HOUR)
    browser.wait(lambda: browser.texts("#states button") == ["All 2", "Upcoming 1", "Open 1", "Ended 0"])
    browser.find("[data-state=upcoming]").click()
    browser.wait(lambda: browser.texts("tbody .id") == [bob])
    assert [button.get_attribute("aria-pressed") for button in browser.all("#states button")].index("true") == 1
    browser.find("#search").send_keys("alice")
    browser.wait(lambda: browser.find("#no-matches").is_displayed())
    browser.find("[data-state='']").click()
    browser.wait(lambda: browser.texts("tbody .id") == [alice])
    assert browser.find("#announcement").get_attribute("textContent") == "1 room found: 0 upcoming, 1 open, 0 ended"


def test_rooms_are_paged(browser: Browser, client: RoomsClient) -> None:
    ids = [new_room(client) for _ in range(30)][::-1]
    browser.wait(lambda: browser.texts("#page-position") == ["Page 1 of 2"])
    browser.find("#next").send_keys(Keys.ENTER)
    browser.wait(lambda: browser.texts("tbody .id") == ids[25:])
    assert browser.focus() == "next"
    browser.press(Keys.ENTER)  # there is no next page
    browser.find("#previous").send_keys(Keys.ENTER)
    browser.wait(lambda: browser.texts("tbody .id") == ids[:25])


def test_page_works_by_keyboard(browser: Browser, client: RoomsClient) -> None:
    room_id = new_room(client, "8:acs:alice")
    browser.wait(lambda: browser.all("tbody button"))
    seen = []
    for _ in range(8):
        browser.press(Keys.TAB)
        seen.append(browser.focus())
        outline = browser.driver.switch_to.active_element.value_of_css_property("outline-style")
        assert outline == "solid"
    toggle = f"1 participant of room {room_id}"
    states = ["All 1", "Upcoming 0", "Open 1", "Ended 0"]
    assert seen == ["Skip to the rooms", "pause", *states, "search", toggle]
    browser.press(Keys.SPACE)
    assert browser.texts(".raw-id") == ["8:acs:alice"]
    other = new_room(client)
    browser.wait(lambda: browser.shows(other))
    assert browser.focus() == toggle
    assert browser.texts(".raw-id") == ["8:acs:alice"]


def test_skip_link_leads_to_rooms(browser: Browser) -> None:
    browser.press(Keys.TAB, Keys.ENTER)
    assert browser.focus() == "rooms"


@pytest.mark.parametrize("width", [360, 1440])
def test_accessibility_tree(browser: Browser, emulator: RoomsEmulator, client: RoomsClient, width: int) -> None:
    add_samples(emulator, client)
    browser.resize(width)
    browser.wait(lambda: len(browser.all("tbody .id")) == 3)
    tree = browser.accessibility_tree()
    roles = ("banner", "main", "region", "group", "table", "heading", "status", "searchbox")
    assert sorted(item for item in tree if item[0] in roles) == [
        ("banner", ""),
        ("group", "Show rooms by state"),
        ("heading", "Latest requests"),
        ("heading", "Pending faults"),
        ("heading", "Rooms"),
        ("heading", "Rooms emulator"),
        ("main", ""),
        ("region", "Latest requests"),
        ("region", "Pending faults"),
        ("region", "Rooms"),
        ("searchbox", "Find a room ID or raw ID"),
        ("status", ""),
        ("table", "Latest requests"),
        ("table", "Rooms"),
    ]
    columns = [name for role, name in tree if role == "columnheader"]
    assert columns == ["Room", "State", "Lifetime", "Timeline", "Participants", "Status", "Request", "Time"]
    assert len([name for role, name in tree if role == "rowheader"]) == 3


def test_few_announcements(browser: Browser, client: RoomsClient) -> None:
    """A screen reader announces at most one of several quick changes."""
    browser.driver.execute_script("""
        window.announcements = [];
        new MutationObserver(() => announcements.push(document.getElementById("announcement").textContent))
          .observe(document.getElementById("announcement"), { childList: true });
    """)
    for _ in range(3):
        room_id = new_room(client)
        browser.wait(partial(browser.shows, room_id))
    assert len(browser.driver.execute_script("return announcements")) <= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_page_is_readable(
    browser: Browser, emulator: RoomsEmulator, client: RoomsClient, width: int, scheme: str
) -> None:
    browser.resize(width)
    browser.use_color_scheme(scheme)
    add_samples(emulator, client)
    browser.wait(lambda: len(browser.all("tbody .id")) == 3)
    for button in browser.all("tbody button:not([hidden])"):
        button.click()
    browser.find("#states button").click()
    contrasts: dict[str, Any] = browser.driver.execute_script(LOW_CONTRASTS)
    assert contrasts["count"] > 40
    assert contrasts["low"] == []
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.driver.execute_script(overflow) == 0
    boxes = [element.rect for element in browser.all("#room-table tbody:first-of-type tr:first-child > *")]
    assert len(boxes) == 5
    assert not [pair for pair in combinations(boxes, 2) if do_overlap(*pair)]
    background = browser.find("body").value_of_css_property("background-color")
    assert background == {"light": "rgba(246, 247, 249, 1)", "dark": "rgba(15, 19, 24, 1)"}[scheme]


def test_pause_stops_polling(browser: Browser, emulator: RoomsEmulator, client: RoomsClient) -> None:
    source = """
        window.timers = new Set();
        const [set, clear] = [setTimeout, clearTimeout];
        window.setTimeout = (callback, delay) => {
          const timer = set(() => { timers.delete(timer); callback(); }, delay);
          timers.add(timer);
          return timer;
        };
        window.clearTimeout = (timer) => { timers.delete(timer); clear(timer); };
    """
    script = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        browser.open(emulator)
        browser.wait(lambda: browser.driver.execute_script("return timers.size") == 1)
        browser.find("#pause").click()
        assert browser.text("#connection") == "Paused"
        assert browser.driver.execute_script("return timers.size") == 0
        room_id = new_room(client)
        browser.find("#pause").click()
        browser.wait(lambda: browser.texts("tbody .id") == [room_id])
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


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
    assert {error.rpartition(" ")[2] for error in running_browser.errors()} <= {"net::ERR_CONNECTION_REFUSED"}


def test_browser_makes_no_api_requests(browser: Browser, emulator: RoomsEmulator) -> None:
    browser.driver.refresh()
    browser.wait(lambda: browser.text("#connection") == "Live")
    assert emulator.requests == []


def test_other_origins_cannot_read_page(running_browser: Browser, emulator: RoomsEmulator) -> None:
    other_origin = emulator.endpoint.replace("127.0.0.1", "localhost")
    running_browser.driver.get(f"{other_origin}/rooms")
    script = """
        const [url, mode, done] = arguments;
        fetch(url, { mode }).then(() => done("read"), (error) => done(error.message));
    """
    for path in ("/_emulator", "/_emulator/data", "/_emulator/page.js"):
        for mode in ("cors", "no-cors"):
            result = running_browser.driver.execute_async_script(script, emulator.endpoint + path, mode)
            assert result == "Failed to fetch"
            assert running_browser.driver.execute_async_script(script, other_origin + path, mode) == "read"
    errors = " ".join(running_browser.errors())
    assert errors.count("No 'Access-Control-Allow-Origin' header") == 3
    assert errors.count("net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin") == 3


def test_page_handles_ten_thousand_rooms(running_browser: Browser, tmp_path: Path) -> None:
    browser = running_browser
    file = str(tmp_path / "rooms.db")
    store = Store(file)
    with store.transaction():
        ids = [store.add_room(created_at=0, valid_from=0, valid_until=1).id for _ in range(10_000)][::-1]
        for room_id in ids:
            store.put_participants(room_id, {f"8:acs:{room_id}_{number}": "Attendee" for number in range(4)})
    store.close()
    with RoomsEmulator(database=file) as emulator:
        browser.open(emulator)
        browser.wait(lambda: browser.texts("#page-position") == ["Page 1 of 400"])
        assert browser.texts("tbody .id") == ids[:25]
        browser.find("#search").send_keys(f"{ids[5000]}_3")
        browser.wait(lambda: browser.texts("tbody .id") == [ids[5000]])
    browser.driver.get("about:blank")
    assert browser.errors() == []
