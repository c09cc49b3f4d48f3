"""Settings, from the environment or a `.env` file. The app runs with none of them."""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from momalisa.errors import BadInput

CHECKOUT = Path(__file__).resolve().parent.parent
ENV_FILE = CHECKOUT / ".env"
MOST_GIGABYTES, MOST_FILES, MOST_WALKS = 1e6, 1000, 10**9
"""The largest values of settings; what is more is a slip, and no number of bytes or of files."""
Count = Annotated[int, Field(ge=0, le=MOST_WALKS)]
"""How many there may be at a time; 0: none."""
Size = Annotated[float, Field(gt=0, le=MOST_GIGABYTES, allow_inf_nan=False)]
"""Of files, in the unit that the setting's name ends with."""
HISTORIES = {"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg", "postgres"}
"""How the address of a history may begin."""


class Settings(BaseSettings):
    """The settings, each with a default; the environment's names begin with `MOMALISA_`."""

    model_config = SettingsConfigDict(
        env_prefix="MOMALISA_", env_file=ENV_FILE, extra="ignore", frozen=True
    )

    home: Path = Field(CHECKOUT / "data", description="database, store, frame cache and logs")
    store: str = Field("", description="a folder or gs://bucket/prefix; empty: <home>/store")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite under <home>")
    model: str = Field("atelier", description="a registry name, a directory or a hub id")
    models: Path | None = Field(
        None, description="the folder whose models visitors may choose; empty: <home>/models"
    )
    loras: Path | None = Field(
        None, description="the folder of LoRAs that walks may use; empty: <home>/loras"
    )
    device: str = Field("", description="cuda, cuda:1, mps or cpu; empty: the best there is")
    endpoint: str = Field("", description="a Vertex AI endpoint or a container's URL that paints")
    endpoint_token: str = Field("", description="shared with the container that is the endpoint")
    worker: Literal["local", "external"] = Field("local", description="who starts the worker")
    hosts: str = Field("", description="the app's host names besides localhost, comma separated")
    visitors: Literal["", "none", "view", "make", "all"] = Field(
        "", description="what those who are not signed in may do; empty: see momalisa.ui.policy"
    )
    embedders: str = Field("", description="origins that may show the app in a frame, by commas")
    admins: str = Field("", description="issuer|subject or verified e-mail, comma separated")
    metrics_token: str = Field("", description="who sends it may read /metrics; empty: localhost")
    log: Literal["text", "json"] = Field("text", description="json: one JSON object a line")
    log_mb: Size = Field(5.0, description="size at which the worker's log file rotates")
    log_files: int = Field(3, ge=1, le=MOST_FILES, description="rotated log files that are kept")
    cache_gb: Size = Field(5.0, description="frame cache, least recently used out")

    walks_each: Count = Field(20, description="walks of one visitor in the queue at a time")
    walks_address: Count = Field(100, description="walks from one network address, likewise")
    walks_total: Count = Field(1000, description="walks of all visitors, likewise")
    largest_walk: float = Field(
        1000,
        gt=0,
        le=MOST_WALKS,
        allow_inf_nan=False,
        description="a visitor's largest walk, in frames of 512 × 512 in 20 steps",
    )
    pages_address: int = Field(
        60, gt=0, le=MOST_WALKS, description="pages open at a time from one address"
    )
    pages_total: int = Field(
        200, gt=0, le=MOST_WALKS, description="pages open in browsers at a time"
    )
    stills: Count = Field(40, description="pictures between frames that wait at a time")

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Let a blank setting be none, as in `MOMALISA_MODELS=`: it was the working directory."""
        texts = {name: given[name].strip() for name in given if isinstance(given[name], str)}
        return {name: texts.get(name, given[name]) for name in given if texts.get(name, True)}

    @field_validator("home", "models", "loras", mode="before")
    @classmethod
    def _check_folder(cls, path: Any) -> Any:
        """Take no address, as of a bucket, for the name of a folder."""
        if is_foreign_storage(str(path)) or str(path).startswith("gs://"):
            raise ValueError("it is a folder's path")
        return path

    @field_validator("home", "models", "loras", "store", mode="before")
    @classmethod
    def _expand_home(cls, path: Any) -> Any:
        """Read `~` as the home folder, which no shell does in a `.env` file."""
        if not str(path).startswith("~"):
            return path
        expanded = os.path.expanduser(path)
        if str(expanded).startswith("~"):
            raise ValueError("there is no such home folder; write the path from the root")
        return expanded

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, url: str) -> str:
        """Turn the short form postgres:// into the one that SQLAlchemy reads."""
        if url and url.partition("://")[0] not in HISTORIES:
            raise ValueError("it begins with sqlite:/// or postgresql://")
        try:
            parsed = make_url(url or "sqlite:///history.db")
        except (SQLAlchemyError, ValueError):
            raise ValueError("it is such as postgresql://name:password@host:5432/history") from None
        file = parsed.database or ""
        if parsed.get_backend_name() == "sqlite" and (file in ("", ":memory:") or file[0] == "~"):
            raise ValueError("it names a file, such as sqlite:////srv/momalisa/history.db")
        return re.sub(r"^postgres://", "postgresql://", url)

    @field_validator("store")
    @classmethod
    def _check_store(cls, root: str) -> str:
        """Take no address of another kind of storage for the name of a folder."""
        if is_foreign_storage(root):
            raise ValueError(
                "it is a folder's path or gs://bucket/prefix; no other storage is known"
            )
        return root

    @field_validator("embedders")
    @classmethod
    def _check_embedders(cls, origins: str) -> str:
        """Take nothing that could end the header which these become part of."""
        if not all(re.fullmatch(r"https?://[\w.:*-]+", origin) for origin in split_list(origins)):
            raise ValueError("it is a list such as https://site.example, https://*.site.example")
        return origins

    @field_validator("hosts")
    @classmethod
    def _check_hosts(cls, names: str) -> str:
        """Take host names only: a URL would never equal one."""
        name = r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?"
        if not all(re.fullmatch(name, one, re.ASCII | re.I) for one in split_list(names)):
            raise ValueError(
                "it is a list of names such as gallery.example, *.app.example, "
                "without https://, port or path"
            )
        return names

    @property
    def host_names(self) -> tuple[str, ...]:
        """The names in `hosts`, in lower case; `*.example.org` stands for all names below it."""
        return tuple(name.lower().rstrip(".") for name in split_list(self.hosts))

    @property
    def store_root(self) -> str:
        """Where films are stored: a folder's path or a `gs://` URL."""
        return self.store or str(self.home / "store")

    @property
    def models_folder(self) -> Path:
        """The folder whose models visitors may choose by name."""
        return self.models or self.home / "models"

    @property
    def loras_folder(self) -> Path:
        """The folder whose LoRAs walks may use by name."""
        return self.loras or self.home / "loras"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.home / 'momalisa.db'}"

    @property
    def frame_cache(self) -> Path:
        """The folder of finished frames."""
        return self.home / "frames"


def is_foreign_storage(root: str) -> bool:
    """Whether it is an address such as s3://bucket: neither a folder nor a `gs://` URL."""
    return bool(re.match(r"[A-Za-z][\w+.-]+:/", root)) and not root.startswith("gs://")


def split_list(text: str) -> list[str]:
    """The entries of a setting that are separated by commas, without blank ones."""
    return [entry for entry in map(str.strip, text.split(",")) if entry]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read once. Raises BadInput with each wrong setting."""
    _check_hub_address(os.environ.get("HF_ENDPOINT", ""))
    try:
        return Settings()
    except ValidationError as error:
        raise BadInput(
            "\n".join(
                f"MOMALISA_{str(problem['loc'][0]).upper()}: {_explain(problem)}."
                for problem in error.errors()
            )
        ) from None
    except UnicodeDecodeError:
        raise BadInput(f"{ENV_FILE} cannot be read. Please save it as text in UTF-8.") from None


def _check_hub_address(address: str) -> None:
    """Raise BadInput for an address of the hub at which its library, once imported, stumbles."""
    try:
        _ = urlsplit(address).port
    except ValueError as error:
        raise BadInput(
            f"HF_ENDPOINT: “{address[:80]}” cannot be used: it is such as https://huggingface.co. "
            "Without it, that hub is asked."
        ) from error


def _explain(problem: ErrorDetails) -> str:
    """What is wrong with a setting, and what it should be."""
    # An address may hold a password, and this goes to logs.
    shown = re.sub(r"(^|//).*@", r"\1***@", str(problem["input"]), flags=re.DOTALL)[:80]
    given, limits = f"“{shown}”", problem.get("ctx", {})
    match problem["type"]:
        case "value_error":
            return f"{given} cannot be used: {limits['error']}"
        case "literal_error":
            return f"{given} is none of {limits['expected']}"
        case "int_parsing" | "int_from_float" | "int_type":
            return f"{given} is no whole number"
        case "float_parsing" | "float_type" | "finite_number":
            return f"{given} is no number; write one such as 5 or 0.5"
        case "greater_than":
            return f"{given} is too small; it has to be more than {limits['gt']:g}"
        case "greater_than_equal":
            return f"{given} is too small; it has to be {limits['ge']:g} or more"
        case "less_than_equal":
            return f"{given} is too large; {limits['le']:,.0f} is the most"
        case "int_parsing_size":
            return f"{given} is too large"
        case _:
            return f"{given}: {problem['msg']}"
