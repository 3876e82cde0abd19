"""The shapes of requests and answers, as OpenAPI has them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Shape(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Name(Shape):
    """A name and its calibrated probability."""

    label: str
    probability: Share


class Reference(Shape):
    """A training picture that travels with the artefact."""

    label: str
    similarity: float = Field(description="cosine of the embeddings, between -1 and 1")
    picture: str = Field(description="where it is")


class Answer(Shape):
    """The character of a picture."""

    request_id: str
    model: str = Field(description="as it was asked for")
    version: str = Field(description="of the artefact that answered")
    character: str = Field(description="the likeliest name, or `unknown` where it is too unlikely")
    confidence: Share = Field(description="probability of the likeliest name")
    margin: Share = Field(description="how much likelier it is than the next")
    names: list[Name] = Field(description="likeliest first")
    references: list[Reference] = Field(description="nearest first; empty where the artefact carries none")
    picture: str = Field(description="SHA-256 of the picture's bytes")
    source: Literal["network", "cache", "shared"]
    milliseconds: float


class Unnamed(Shape):
    """A picture of several that could not be read."""

    picture: str
    error: str


class Answers(Shape):
    """The characters of several pictures, in their order."""

    request_id: str
    model: str
    version: str
    answers: list[Answer | Unnamed]
    milliseconds: float


class ProblemDetails(Shape):
    """Problem details of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class Version(Shape):
    """An artefact that answers."""

    version: str
    aliases: list[str]
    run_id: str
    architectures: list[str]
    classes: int
    training_pictures: int
    size: tuple[int, int] = Field(description="height and width of what the network is given")
    engine: str
    precision: str
    references: int
    judged: str | None = Field(description="the part that its figures are of")
    watched: list[str] = Field(default_factory=list, description="what of its later answers is compared with those")
    unwatched: str | None = Field(default=None, description="what is not, and why")
    acc_macro: float | None
    acc_macro_ci: list[float] | None
    f1_macro: float | None
    f1_macro_ci: list[float] | None


class Models(Shape):
    """The models that answer."""

    aliases: dict[str, str] = Field(description="versions by alias")
    shadow: str | None = Field(description="the version that is asked what `default` is asked")
    unknown_below: Share = Field(default=0, description="confidence below which the character is `unknown`")
    versions: list[Version]


class Changed(Shape):
    """What answers after a change."""

    aliases: dict[str, str]
    shadow: str | None
    generation: int = Field(description="counts the changes since the service began")


class Rescanned(Shape):
    """What lies in the registry."""

    found: dict[str, str] = Field(description="names of folders by version")


class Live(Shape):
    """Whether the process works."""

    live: Literal[True]


class Ready(Shape):
    """Whether requests are answered."""

    ready: bool
    reason: str


class Health(Ready):
    """Both, and what is watched."""

    live: Literal[True]
    models: dict[str, str]
    queue: int
    places: int
    alarms: list[str]


class Queued(Shape):
    """That feedback was taken."""

    queued: Literal[True]


class CharacterLine(Shape):
    """A character in the list."""

    name: str
    names: dict[str, str] = Field(description="by language: zh, ja, en")
    series: str | None
    pictures: int = Field(description="that it was trained on")


class Characters(Shape):
    """Those that a model knows."""

    version: str
    total: int
    characters: list[CharacterLine]


class Character(CharacterLine):
    """A character, with its figures on the judged part."""

    version: str
    judged: str | None
    figures: dict[str, float | int | str | list[float] | None] | None
    references: list[str] = Field(description="where its reference pictures are")
