"""The environment variables with which programs reach the emulator."""

import os
from urllib.parse import urlsplit

from ._admin._api import IDENTITY_HEADER, TOKEN_PATH
from ._http._certificates import CA_VARIABLES, TRUST_STORE_PASSWORD, Certificates
from ._http._proxy import Proxy, domain_of, no_proxy

_CONNECTION_STRINGS = (
    "COMMUNICATION_SAMPLES_CONNECTION_STRING",
    "AZURE_COMMUNICATION_CONNECTION_STRING",
    "COMMUNICATION_CONNECTION_STRING",
    "COMMUNICATION_CONNECTION_STRING_ROOMS",
    "ACS_CONNECTION_STRING",
)
_SERVICE_DOMAINS = ("communication.azure.com", "communication.azure.us")


def environment(
    endpoint: str, connection_string: str, certificates: Certificates | None, proxy: Proxy | None
) -> dict[str, str]:
    """Return the variables. Those of the current process stay in force as far as they can."""
    variables: dict[str, str] = {"COMMUNICATION_SAMPLES_ENDPOINT": endpoint}
    variables.update(dict.fromkeys(_CONNECTION_STRINGS, connection_string))
    java = [os.environ.get("JAVA_TOOL_OPTIONS", "")]
    if certificates:
        variables.update(dict.fromkeys(CA_VARIABLES, certificates.ca_file))
        # A terminal may still have the lines that another emulator printed.
        if "IDENTITY_ENDPOINT" not in os.environ or os.environ.get("IDENTITY_HEADER") == IDENTITY_HEADER:
            variables |= {"IDENTITY_ENDPOINT": endpoint + TOKEN_PATH, "IDENTITY_HEADER": IDENTITY_HEADER}
        java += [
            f'"-Djavax.net.ssl.trustStore={certificates.trust_store}"',
            f"-Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD} -Djavax.net.ssl.trustStoreType=PKCS12",
        ]
    exempt = no_proxy()
    if proxy:
        exempt = [name for name in exempt if not _exempts_service(name)]
        variables |= dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy.url)
        variables["NODE_USE_ENV_PROXY"] = "1"  # Node.js 24 and newer read the variables only then
        url = urlsplit(proxy.url)
        java.append(f"-Dhttps.proxyHost={url.hostname} -Dhttps.proxyPort={url.port}")
    if "*" not in exempt:  # it means all hosts, but not in a list
        names = ",".join(dict.fromkeys([*exempt, urlsplit(endpoint).hostname or ""]))
        variables |= dict.fromkeys(("NO_PROXY", "no_proxy"), names)
    if certificates:
        variables["JAVA_TOOL_OPTIONS"] = " ".join(filter(None, java))
    return variables


def _exempts_service(name: str) -> bool:
    domain = domain_of(name).rstrip(".")
    # requests before 2.34 compares the ends of names, so even zure.com would exempt the service.
    return any(service.endswith(domain) or domain.endswith(service) for service in _SERVICE_DOMAINS)
