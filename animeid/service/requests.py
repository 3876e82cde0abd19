"""Request class of the service; light: it is read before anything that answers is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval, doc
from pydantic import StringConstraints

from animeid.values import PathText, Whole

AUTO = "auto"
RAY = "ray"
"""The engine that is none of an artefact's: it spreads what answers over a cluster."""
Artefacts = Annotated[
    str,
    StringConstraints(pattern=r"\S"),
    doc("an artefact's folder, or several with names and commas: default=DIR,simple=DIR"),
]
HOSTS = r"^[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*$"


@dataclass(frozen=True, kw_only=True)
class ServeRequest:
    """The root of `conf/serve.yaml`, whose values are repeated here: the service need not have the cards.

    artefact: an artefact's folder or `hub:USER/NAME`; or several by name, `default=DIR,simple=DIR`.
    host: the address that is listened on.
    port: 0 takes a free one.
    hosts: names, with commas, by which requests may come, besides `localhost` and addresses of digits.
    engine: a library or a precision of the artefacts; `auto` is the first that is installed; `ray` answers by replicas
        on Ray Serve.
    top_k: names of an answer, unless it is asked for others.
    unknown_below: the probability of the likeliest name below which the answer is `unknown`.
    max_upload_mb: larger pictures are refused before they are read whole.
    max_pixels: larger pictures are refused before they are decoded; `auto` is as the artefact says.
    decode_seconds: of a processor for one picture, after which its decoder is killed.
    upload_seconds: within which a request's body must be there.
    deadline_seconds: within which an answer must be there, else it is 504.
    queue: pictures that are being answered or wait; further ones are refused at once.
    connections: of a worker; beyond them the one that is idle for longest is closed, or a new one refused.
    cache: answers that are kept; 0 keeps none.
    cache_mb: memory for them.
    cache_minutes: after which an answer is forgotten.
    registry: a folder of artefacts, from which an admin's key can load others while the service answers.
    shadow: an artefact that is asked what `default` is asked, for comparison only.
    keys: a file with the digests of keys, without one of which nothing is answered; None answers everybody.
    new_key: makes the key of a client of this name in the file `keys`, and shows it; nothing is served.
    new_admin_key: the same, of one who may change what answers.
    rate: requests a second of each key.
    urls: whether pictures are fetched by their address.
    log: a folder for answers to those who agree, as Parquet; None keeps none.
    log_mb: after which the oldest of them make room.
    feedback: a file for what users say of answers, a line of JSON each; None takes none.
    workers: processes that answer.
    replicas: of `engine=ray`, on all machines of its cluster.
    replica_cores: that each of them takes.
    drain_seconds: between SIGTERM, which makes the service not ready, and its last new connection.
    stop_seconds: within which what is in flight is finished then.
    """

    artefact: Artefacts | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Interval(ge=0, le=65535)] = 8000
    hosts: Annotated[str, StringConstraints(pattern=HOSTS), doc("names of hosts, with commas")] | None = None
    engine: str = AUTO
    top_k: Annotated[int, Interval(ge=1, le=100)] = 5
    unknown_below: Annotated[float, Interval(ge=0, le=1)] = 0.0
    max_upload_mb: Annotated[float, Gt(0)] = 20.0
    max_pixels: Whole | Literal["auto"] = "auto"
    decode_seconds: Annotated[float, Gt(0)] = 5.0
    upload_seconds: Annotated[float, Gt(0)] = 30.0
    deadline_seconds: Annotated[float, Gt(0)] = 30.0
    queue: Whole = 64
    connections: Whole | Literal["auto"] = "auto"
    cache: Annotated[int, Ge(0)] = 1000
    cache_mb: Annotated[float, Gt(0)] = 64.0
    cache_minutes: Annotated[float, Gt(0)] = 60.0
    registry: PathText | None = None
    shadow: PathText | None = None
    keys: PathText | None = None
    new_key: str | None = None
    new_admin_key: str | None = None
    rate: Annotated[float, Gt(0)] | None = None
    urls: bool = False
    log: PathText | None = None
    log_mb: Annotated[float, Gt(0)] = 100.0
    feedback: PathText | None = None
    workers: Whole = 1
    replicas: Whole = 1
    replica_cores: Whole = 1
    drain_seconds: Annotated[float, Ge(0)] = 0.5
    stop_seconds: Annotated[float, Gt(0)] = 20.0
