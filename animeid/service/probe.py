"""`python -m animeid.service.probe [ADDRESS]`: whether a service is ready, as an exit status; needs no curl."""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

HERE = "http://127.0.0.1:8000"
SECONDS = 5.0


def is_ready(address: str) -> bool:
    """Whether `/health/ready` says yes within some seconds."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_ready(sys.argv[1] if len(sys.argv) > 1 else HERE) else 1)
