"""Authenticate with Microsoft Entra ID instead of an access key. This sample needs a resource in Azure.

Run ``pip install azure-identity``, and set ``COMMUNICATION_SAMPLES_ENDPOINT`` to the resource's endpoint.
DefaultAzureCredential finds a managed identity, the environment variables of a service principal, or your sign-in with
the Azure CLI.
"""

import os
import sys

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from azure.communication.rooms import RoomsClient


def main() -> None:
    endpoint = os.environ.get("COMMUNICATION_SAMPLES_ENDPOINT")
    if not endpoint:
        sys.exit("Set COMMUNICATION_SAMPLES_ENDPOINT, for example to https://contoso.communication.azure.com")

    # The client sends tokens only over TLS, so the endpoint must be https. For a cloud other than the public one, pass
    # credential_scopes=[...] with the scope from that cloud's documentation.
    with DefaultAzureCredential() as credential, RoomsClient(endpoint, credential) as client:
        try:
            room = client.create_room()
        except ClientAuthenticationError as error:
            sys.exit(f"There is no token, or the service refused it: {error.message}")
        print(f"Created room {room.id}")
        client.delete_room(room.id)
        print("Deleted it")


if __name__ == "__main__":
    main()
