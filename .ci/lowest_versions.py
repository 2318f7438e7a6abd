"""Prints the lowest supported versions of what the client and the emulator need, as requirements for pip."""

from importlib.metadata import requires

# azure-core brings these along. What the client needs of them is newer than what azure-core needs.
BROUGHT_ALONG = ["requests==2.32.4", "urllib3==2.2.0"]

for requirement in requires("azure-communication-rooms") or []:
    bound, _, condition = requirement.partition(";")
    if condition.strip() in {"", "extra == 'emulator'"}:
        print(bound.strip().replace(">=", "=="))
print(*BROUGHT_ALONG, sep="\n")
