"""Create a room for each row of a CSV file: many at a time, and never two for one row.

Run it without arguments to see it work on an example. For your own file::

    python samples/provision_rooms.py meetings.csv

**Input.** UTF-8 with these columns; others are ignored. The subject identifies the row. A time without a time zone is
in UTC. A participant is the raw ID of a user, and a role unless it is an attendee::

    subject,valid_from,valid_until,participants
    Check-up,2027-01-11T09:00+01:00,2027-01-11T09:30+01:00,8:acs:<guid>_<guid>=Presenter; 8:acs:<guid>_<guid>
    Legal advice,2027-01-11T09:00Z,2027-01-11T10:00Z,

**Output.** ``meetings.rooms.csv`` has the room of each subject. A row without a room gets a line that says why.

**After a crash or a kill,** run the same command again. The program appends to ``meetings.journal`` before it sends a
row, with a new repeatability ID, and after the responses to a batch of rows. It sends a row without a response again,
with the same ID, and the service returns the room if it created one. Do this soon: it is not known how long the service
remembers the IDs. Do not run the program twice at the same time for one file.

**Dask.** With ``--scheduler tcp://host:8786``, the workers of a cluster send the requests. They need this package and
get the access key, so use a ``tls://`` cluster unless you trust the network.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple
from uuid import uuid4

from azure.core.exceptions import AzureError
from azure.core.utils import parse_connection_string
from sample_resource import connection_string
from tqdm import tqdm

from azure.communication.rooms import RoomParticipant, RoomsClient, identifier_from_raw_id


class Row(NamedTuple):
    """A row of the input."""

    place: str
    subject: str
    valid_from: str
    valid_until: str
    participants: str


COLUMNS = Row._fields[1:]


def read_rows(path: Path) -> Iterator[Row | str]:
    """Yield each row, or a message if it is bad."""
    subjects = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := set(COLUMNS).difference(reader.fieldnames or ()):
            sys.exit(f"{path} lacks the columns {', '.join(sorted(missing))}. Separate columns with commas.")
        for fields in reader:
            place, subject = f"{path}:{reader.line_num}", fields["subject"]
            if None in fields or None in fields.values():
                yield f"{place}: the row has too many or too few fields"
            elif not subject or subject in subjects:
                yield f"{place}: the subject is missing, or an earlier row has the same"
            else:
                subjects.add(subject)
                yield Row(place, *(fields[column] for column in COLUMNS))


class Entry(NamedTuple):
    """The journal's entry for a row that was sent and not refused."""

    row: list[str]
    request_id: str
    first_sent: str
    room_id: str = ""


class Journal:
    """A file of JSON lines, to which the program only appends. The last line about a row counts."""

    def __init__(self, path: Path, endpoint: str) -> None:
        self.entries: dict[str, Entry | None] = {}  # by subject
        self._path, self._endpoint = path, endpoint
        path.touch()
        for line in path.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):  # a kill can cut a line off
                line_endpoint, subject, entry = json.loads(line)
                if line_endpoint == endpoint:
                    self.entries[subject] = Entry(*entry) if entry else None

    def append(self, subject: str, entry: Entry | None) -> None:
        self.entries[subject] = entry
        with self._path.open("a", encoding="utf-8") as file:
            # The line feed comes first, so a line that was cut off does not spoil the next one.
            file.write("\n" + json.dumps([self._endpoint, subject, entry]))


def create(client: RoomsClient, row: Row, entry: Entry) -> tuple[Entry | None, str]:
    """Send a row. Return its new entry, or None if it was refused, and an error."""
    try:
        pairs = [part.partition("=") for part in row.participants.replace(" ", "").split(";") if part]
        room = client.create_room(
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            participants=[RoomParticipant(identifier_from_raw_id(user), role or None) for user, _, role in pairs],
            repeatability_request_id=entry.request_id,
            repeatability_first_sent=datetime.fromisoformat(entry.first_sent),
            retry_status=10,  # if the service throttles, a batch can wait
        )
    except (ValueError, AzureError) as error:
        refused = isinstance(error, ValueError) or getattr(error, "status_code", None) == 400
        return None if refused else entry, str(error).partition("\n")[0]
    return entry._replace(room_id=room.id), ""


def create_batch(client: RoomsClient, rows: list[Row], entries: list[Entry]) -> list[tuple[Entry | None, str]]:
    """Send rows in turn, in a thread or on the Dask cluster, where a task for each row would take much longer."""
    return [create(client, row, entry) for row, entry in zip(rows, entries, strict=True)]


def provision(
    client: RoomsClient, rows: Iterable[Row | str], journal: Journal, executor: Executor, at_once: int
) -> Iterator[str]:
    """Create the rooms. Yield a message for each row, which is empty if the row has a room."""
    unsent = []
    for row in rows:
        if isinstance(row, str):
            yield row
        elif (entry := journal.entries.get(row.subject)) and entry.row != list(row[1:]):
            yield f"{row.place}: the row changed after it was sent; undo that, or use another subject"
        elif entry and entry.room_id:
            yield ""
        else:
            unsent.append(row)
    size = min(25, len(unsent) // at_once + 1)
    batches = iter([unsent[start : start + size] for start in range(0, len(unsent), size)])
    running: dict[Future[list[tuple[Entry | None, str]]], list[Row]] = {}
    while True:
        for batch in islice(batches, at_once - len(running)):
            now = datetime.now(timezone.utc).isoformat()
            entries = [journal.entries.get(row.subject) or Entry(list(row[1:]), str(uuid4()), now) for row in batch]
            for row, entry in zip(batch, entries, strict=True):
                journal.append(row.subject, entry)
            running[executor.submit(create_batch, client, batch, entries)] = batch
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            for row, (new_entry, error) in zip(running.pop(future), future.result(), strict=True):
                journal.append(row.subject, new_entry)
                yield f"{row.place}: {error}" if error else ""


def write_example() -> Path:
    """Write an input with 20 meetings tomorrow."""
    path = Path(mkdtemp(), "meetings.csv")
    day = (datetime.now(timezone.utc) + timedelta(days=1)).date()
    rows = [f"Check-up {n},{day}T09:{n:02}Z,{day}T10:{n:02}Z,8:acs:{uuid4()}_{uuid4()}=Presenter" for n in range(20)]
    path.write_text("\n".join([",".join(COLUMNS), *rows]), encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Create a room for each row of a CSV file.")
    parser.add_argument("input", nargs="?", type=Path, help=f"CSV file with the columns {', '.join(COLUMNS)}")
    parser.add_argument("--workers", type=int, default=16, help="how many rooms to create at a time (default: 16)")
    parser.add_argument("--scheduler", metavar="URL", help="create them on this Dask cluster, as in tcp://host:8786")
    options = parser.parse_args()
    path: Path = options.input or write_example()
    try:
        rows = list(read_rows(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        sys.exit(f"Cannot read {path} as CSV in UTF-8: {error}")
    resource = connection_string()
    client = RoomsClient.from_connection_string(resource)
    next(client.list_rooms(), None)  # if the credential or the network is wrong, fail now and not for each row
    journal = Journal(path.with_suffix(".journal"), parse_connection_string(resource)["endpoint"])
    executor: Executor = ThreadPoolExecutor(options.workers)
    if options.scheduler:
        from distributed import Client  # noqa: PLC0415 - slow to import

        executor = Client(options.scheduler).get_executor()  # type: ignore[no-untyped-call]

    failed = 0
    with executor:
        messages = provision(client, rows, journal, executor, options.workers)
        for message in filter(None, tqdm(messages, total=len(rows), unit="row", disable=None)):
            failed += 1
            tqdm.write(message, file=sys.stderr)
    output = path.with_suffix(".rooms.csv")
    rooms = [(subject, entry.room_id) for subject, entry in journal.entries.items() if entry and entry.room_id]
    with output.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("subject", "room_id"), *rooms])
    print(f"{len(rows) - failed} of {len(rows)} rows have a room. See {output}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
