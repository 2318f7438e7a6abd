"""Prints the lowest supported versions of the client's and the emulator's dependencies, as requirements for pip."""

from importlib.metadata import requires

# Dependencies of azure-core. The client needs newer versions of them than azure-core requires.
INDIRECT = ["requests==2.32.4", "urllib3==2.7.0"]

for requirement in requires("azure-communication-rooms") or []:
    bound, _, condition = requirement.partition(";")
    if condition.strip() in {"", "extra == 'emulator'"}:
        print(bound.strip().replace(">=", "=="))
print(*INDIRECT, sep="\n")
