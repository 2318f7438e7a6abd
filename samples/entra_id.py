"""Authenticate with Microsoft Entra ID instead of an access key.

``pip install azure-identity``, then set ``COMMUNICATION_SAMPLES_ENDPOINT`` to the resource's endpoint, such as
``https://contoso.communication.azure.com``. DefaultAzureCredential finds a managed identity, the environment variables
of a service principal, or your sign-in with the Azure CLI.
"""

import os

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from azure.communication.rooms import RoomsClient


def main() -> None:
    # Tokens are sent over TLS only, so the endpoint must be https. For a cloud other than the public one, add
    # credential_scopes=[...] with the scope that its documentation names.
    endpoint = os.environ["COMMUNICATION_SAMPLES_ENDPOINT"]
    with DefaultAzureCredential() as credential, RoomsClient(endpoint, credential) as client:
        try:
            room = client.create_room()
        except ClientAuthenticationError as error:
            print(f"There is no token, or the service refused it: {error.message}")
            raise
        print(f"Created room {room.id}")
        client.delete_room(room.id)
        print("Deleted it")


if __name__ == "__main__":
    main()
