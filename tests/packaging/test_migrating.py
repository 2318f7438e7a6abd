"""samples/migrating.md says what the released package does, and what this one does."""

import json
import sys

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

from ..support import ROOT
from ..support.environments import Environment, run

# Text in the document's first column, programs, and what they print with the released package and with this one.
# A bar separates the programs. If an error ends a program, the error's name is the last thing printed.
ROWS = [
    ("Python", "print(metadata('azure-communication-rooms')['Requires-Python'])", ">=3.8", ">=3.10"),
    ("rooms.aio", "load('azure.communication.rooms.aio')", "", "ImportError"),
    ("_generated", "load('azure.communication.rooms._generated')", "", "ModuleNotFoundError"),
    ("__VERSION__", "load('azure.communication.rooms').__VERSION__", "", "AttributeError"),
    ("created_at", "print(type(room.created_at).__name__) | json.dumps(vars(room))", "str", "datetime TypeError"),
    ("an attribute", "room.id = '2' | user.raw_id = '2'", "", "FrozenInstanceError FrozenInstanceError"),
    ("CommunicationRoom(...)", "print(CommunicationRoom(valid_from='2026-12-01').id)", "None", "TypeError"),
    ("cls", "get(cls=lambda *_: JSON) | get(error_map={}) | create(content_type='')", "", "TypeError " * 3),
    ("of the client", "client(retry_totl=1) | client(headers_policy=HeadersPolicy())", "", "TypeError TypeError"),
    ("keywords of models", "RoomParticipant(communication_identifier=user, rol='Consumer')", "", "TypeError"),
    ("room_id", "get(1) | get('') | get('..'); print(path())", "/", "TypeError ValueError ValueError"),
    ("invalid time", "create(valid_from='tomorrow') | create(pstn_dial_out_enabled='yes')", "", "ValueError TypeError"),
    ("None", "connect(None) | RoomsClient(None, KEY) | client(credential=None)", "ValueError " * 3, "TypeError " * 3),
    ("not base64", "client(credential=AzureKeyCredential('k')); print('made')", "made", "ValueError"),
    ("token", "client('http://contoso', Token()); print('made')", "made", "ValueError"),
    ("two roles", "create(participants=[invite('Consumer'), invite('Attendee')])", "", "ValueError"),
    ("bot_id", "MicrosoftTeamsAppIdentifier('1').properties['bot_id']", "", "KeyError"),
    ("MICROSOFT_BOT", "CommunicationIdentifierKind.MICROSOFT_BOT", "", "AttributeError"),
    ("MicrosoftBotIdentifier", "load('azure.communication.rooms').MicrosoftBotIdentifier(bot_id='1')", "", "TypeError"),
    ("`cloud`", "teams(cloud='MOON') | teams(cloud=None)", "", "ValueError ValueError"),
    ("participant.role", "print(type(participant().role).__name__)", "str", "ParticipantRole"),
    ("participant.role", "print(type(str(participant().role)).__name__)", "str", "str"),
    ("of a role", "print(str(ParticipantRole.PRESENTER))", "ParticipantRole.PRESENTER", "Presenter"),
    ("an identifier", "print(str(user)[:7])", "<azure.", "8:acs:1"),
    ("connection string with", "respond(); connect(HTTP).get_room('1'); print(last().url[:5])", "https", "http:"),
    ("create_room", "create(); print(len(json.loads(last().body)))", "3", "0"),
    ("update_room", "update(); print(len(json.loads(last().body)))", "3", "0"),
    ("params", "get(params={'a': 'b&c'}); print('b%26c' in last().url)", "False", "True"),
    ("Repeatability", "create(headers=dict(IDS)); print(IDS.items() <= dict(last().headers).items())", "False", "True"),
    ("raw_request_hook", "get(raw_request_hook=lambda r: print(AUTH in r.http_request.headers))", "True", "False"),
    ("raw_request_hook", "respond(503); get(raw_request_hook=lambda _: print('hook'))", "hook", "hook hook"),
    ("logging_enable", "respond(503); print(log(logging_enable=True).count('Response content'))", "1", "2"),
    ("JSON", "respond(body='<'); get() | respond(json={}); get()", "JSONDecodeError KeyError", "DecodeError " * 2),
    ("message", "respond(400, json=ERROR); print(*message())", "(General) 3", "(Details) 1"),
    ("connection lost", "respond(body=LOST); create(); print(len(ids()))", "ServiceResponseError", "1"),
    ("connection lost", "respond(body=LOST); update()", "ServiceResponseError", ""),
    *(("408, 502", f"respond({status}); create()", "HttpResponseError", "") for status in (408, 502, 429)),
    *(("408, 502", f"respond({status}); update()", "HttpResponseError", "") for status in (408, 502, 429)),
    ("first retry", "respond(503); get(); print([0.4 <= wait <= 0.8 for wait in waits])", "[]", "[True]"),
    ("3600", "respond(429, headers=HOUR); get(); print(waits)", "[3600.0]", "HttpResponseError"),
    ("3600", "respond(429, headers=HOUR); get(timeout=60); print(waits)", "[3600.0]", "HttpResponseError"),
    ("malformed", "respond(404, headers={'Retry-After': '?'}); get()", "ValueError", "ResourceNotFoundError"),
    ("redirect", "respond(307, headers=AWAY); respond(503); get(retry_total=0)", "", "HttpResponseError"),
    ("unknown option of a call", "get(json={'a': 1}); print(last().body)", "b'{\"a\": 1}'", "TypeError"),
    ("unknown option of a call", "get(read_timout=1)", "TypeError", "TypeError"),
    ("certificate", "print(connections(tls))", "4", "1"),
    ("nextLink", "pages('https://elsewhere.example'); print(URL in last().url)", "False", "True"),
    ("of a call that lists", "pages(URL, headers={'a': 'b'}); print(last().headers.get('a'))", "None", "b"),
    ("DEBUG", "print('Signature' in log(logging_enable=True))", "True", "False"),
    (".netrc", "os.environ['NETRC'] = 'netrc'; get(); print(last().headers[AUTH][:4])", "Basi", "HMAC"),
    ("cookies", "respond(headers={'Set-Cookie': 'a'}); again(); print('Cookie' in last().headers)", "True", "False"),
    ("connections", "print(connections(http) + connections(http))", "2", "1"),
    ("pydantic", "TypeAdapter(CommunicationRoom); print('schema')", "PydanticSchemaGenerationError", "schema"),
    ("2023-06-14", "respond(json=OLD); client(api_version='2023-06-14').get_room('1')", "KeyError", ""),
    ("capital", "client(http.replace('127.0.0.1', 'LOCALHOST'), key).create_room()", "ClientAuthenticationError", ""),
    ("RoomParticipant", "RoomParticipant(user, ParticipantRole.PRESENTER)", "TypeError", ""),
    ("update_room(room_id)", "respond(); client().update_room('1')", "TypeError", ""),
    ("send_request", "respond(); client().send_request(HttpRequest('GET', '/rooms'))", "AttributeError", ""),
]

# Runs the programs, and prints as JSON what they print. The package "responses" takes the place of the service.
RUNNER = """
import contextlib, io, json, logging, os, pathlib, re, sys, urllib.parse, warnings
from importlib import import_module as load
from importlib.metadata import metadata
from unittest import mock
import requests, responses, urllib3
from azure.communication.rooms import *
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import HeadersPolicy
from azure.core.rest import HttpRequest
from pydantic import TypeAdapter

programs, http, tls, key = json.loads(sys.argv[1])
key, KEY, URL, AUTH = AzureKeyCredential(key), AzureKeyCredential("a2V5"), "https://contoso", "Authorization"
OLD = {"id": "1", **dict.fromkeys(["createdAt", "validFrom", "validUntil"], "2026-12-01T09:00:00Z")}
JSON, HTTP = {**OLD, "pstnDialOutEnabled": False}, "endpoint=http://contoso;accesskey=a2V5"
ERROR = {"error": {"code": "General", "message": "", "details": [{"code": "Details", "message": ""}]}}
AWAY = {"Location": "/"}
HOUR, IDS = {"Retry-After": "3600"}, {"Repeatability-Request-ID": "1", "Repeatability-First-Sent": "today"}
LOST = requests.ConnectionError(urllib3.exceptions.ProtocolError())
Token = type("Token", (), {"get_token": print})
room, user, waits = CommunicationRoom(JSON), CommunicationUserIdentifier("8:acs:1"), []
connect, sent = RoomsClient.from_connection_string, responses.RequestsMock(assert_all_requests_are_fired=False)
pathlib.Path("netrc").write_text("machine contoso login a password b")
warnings.simplefilter("ignore")

def respond(status=200, **response):
    for method in ("GET", "POST", "PATCH"):
        body = {} if "body" in response else {"json": JSON}
        sent.add(method, re.compile("http"), status=status, **body | response)
def client(endpoint=URL, credential=KEY, **options): return RoomsClient(endpoint, credential, **options)
def get(room_id="1", **options): respond(); client().get_room(room_id, **options)
def create(**options): respond(201); client().create_room(**options)
def update(**options): respond(); client().update_room(room_id="1", **options)
def invite(role): return RoomParticipant(communication_identifier=user, role=role)
def last(): return sent.calls[-1].request
def path(): return urllib.parse.urlsplit(last().url).path
def ids(): return {call.request.headers["Repeatability-Request-ID"] for call in sent.calls}
def connections(url): return log(lambda: client(url, key).get_room("1")).count("Starting new")
def pages(url, **options):
    sent.get(f"{URL}/rooms", json={"value": [], "nextLink": f"{url}/rooms?nextLink=2"})
    sent.get(re.compile("http"), json={"value": []})
    list(client().list_rooms(**options))
def again():
    respond()
    same = client()
    for _ in range(2): same.get_room("1")
def message():
    try: get()
    except AzureError as error: return error.message.split()[0], error.message.count("Details")
def teams(cloud): MicrosoftTeamsUserIdentifier("1", cloud=cloud)
def participant():
    sent.get(re.compile("http"), json={"value": [{"rawId": "8:acs:1", "role": "Presenter"}]})
    return next(iter(client().list_participants("1")))
def log(call=get, **options):
    logging.basicConfig(level=logging.DEBUG, stream=io.StringIO(), force=True)
    with contextlib.suppress(AzureError): call(**options)
    return logging.root.handlers[0].stream.getvalue()

def output(program):
    waits.clear()
    with contextlib.redirect_stdout(io.StringIO()) as printed, mock.patch.dict(os.environ), sent:
        sent.add_passthru(re.compile("https?://(127|localhost)"))
        try: exec(program, globals())
        except Exception as error: print(type(error).__name__)
    return printed.getvalue()
with mock.patch("time.sleep", waits.append):
    print(json.dumps([" ".join(map(output, program.split(" | "))) for program in programs]))
"""


def test_programs_check_each_row_of_the_document() -> None:
    table = (ROOT / "samples" / "migrating.md").read_text(encoding="utf-8")
    cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| ")][1:]
    names = [name for name, *_ in ROWS]
    assert [cell for cell in cells if not any(name in cell for name in names)] == []
    assert [name for name in names if not any(name in cell for cell in cells)] == []


@pytest.mark.index
def test_both_packages_do_what_the_document_says(environment: Environment, running_emulator: RoomsEmulator) -> None:
    environment.install("azure-communication-rooms==1.2.0", "pydantic", "responses")
    programs = [program for _, program, *_ in ROWS]
    http, key = running_emulator.connection_string.removeprefix("endpoint=").split(";accesskey=")
    with RoomsEmulator(tls=True) as tls:
        arguments = ("-c", RUNNER, json.dumps([programs, http, tls.endpoint, key]))
        released = json.loads(environment.python("-I", *arguments))  # -I ignores PYTHONPATH
        ours = json.loads(run(sys.executable, *arguments, cwd=environment.folder))

    for (_, program, *expected), *printed in zip(ROWS, released, ours, strict=True):
        assert [" ".join(text.split()) for text in printed] == [text.strip() for text in expected], program
