"""Authenticate with Microsoft Entra ID instead of an access key.

Run ``pip install azure-identity``. To use your resource in Azure, set ``COMMUNICATION_SAMPLES_ENDPOINT`` to its
endpoint. DefaultAzureCredential finds a managed identity, which the emulator imitates, the environment variables of a
service principal, or your sign-in with the Azure CLI.
"""

import sys

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential
from sample_resource import endpoint

from azure.communication.rooms import RoomsClient


def main() -> None:
    # The client sends tokens only over TLS, so the endpoint must be https. For a cloud other than the public one, pass
    # credential_scopes=[...] with the scope from that cloud's documentation.
    with RoomsClient(endpoint(), DefaultAzureCredential()) as client:
        try:
            room = client.create_room()
        except ClientAuthenticationError as error:
            sys.exit(f"There is no token, or the service refused it: {error.message}")
        print(f"Created room {room.id}")
        client.delete_room(room.id)
        print("Deleted it")


if __name__ == "__main__":
    main()
