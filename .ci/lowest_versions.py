"""Prints the lowest supported versions of the client's and the emulator's dependencies, as requirements for pip."""

from importlib.metadata import requires

# azure-core's dependencies, which the client uses too. Older versions don't work on all supported versions of Python.
INDIRECT = ["requests==2.31.0", "urllib3==1.26.18"]

for requirement in requires("azure-communication-rooms") or []:
    bound, _, condition = requirement.partition(";")
    if condition.strip() in {"", "extra == 'emulator'"}:
        print(bound.strip().replace(">=", "=="))
print(*INDIRECT, sep="\n")
