"""Where a model is reached: base URL, model and key, from the environment alone. The key is written nowhere.

Not covered: a server that gives the key back in another spelling than as it is, quoted, or in base 64.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from netgain.errors import ConfigError

URL, MODEL, KEY = "NETGAIN_CHAT_URL", "NETGAIN_CHAT_MODEL", "NETGAIN_CHAT_KEY"
NAMES = (URL, MODEL, KEY)
ENVIRONMENT = (*NAMES, "SSL_CERT_FILE", "SSL_CERT_DIR")  # the last two say whose certificates are trusted
REPLAY = "replay:"  # in place of a URL: the folder of a study whose recorded calls answer
SHORTEST_KEY = 8  # characters: a shorter one cannot be told from other text
HIDDEN = "[key]"


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible chat endpoint.

    Attributes:
        url: base URL without a slash at its end, such as http://127.0.0.1:8000/v1; or `replay:FOLDER`.
        model: name that is sent with every request.
        key: sent as a bearer token; "" sends none.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)

    @property
    def replayed(self) -> Path | None:
        """The study whose recorded calls answer; None where a server does."""
        return Path(self.url.removeprefix(REPLAY)) if self.url.startswith(REPLAY) else None

    def without_key(self, text: str) -> str:
        """Text of the server without the key, in any of its usual spellings, and as valid UTF-8."""
        text = text.encode("utf-8", "replace").decode("utf-8")
        for one in _spellings(self.key) if self.key else ():
            text = text.replace(one, HIDDEN)
        return text


def _spellings(key: str) -> tuple[str, ...]:
    """The key as it may stand in text, the longest first."""
    coded = base64.b64encode(key.encode()).decode()
    return tuple(sorted({key, json.dumps(key)[1:-1], quote(key, safe=""), coded}, key=len, reverse=True))


def from_environment(given: Mapping[str, str] | None = None) -> Endpoint:
    """The endpoint that the environment names.

    Args:
        given: the environment; default: that of this process.

    Raises:
        ConfigError: a variable is missing or cannot be used. No message holds the key, or any part of a URL that may.
    """
    found = os.environ if given is None else given
    url, model, key = (found.get(name, "").strip() for name in NAMES)
    if not url:
        fix = f"export {URL}=http://127.0.0.1:8000/v1, the base URL of your server (docs/recipes/scaffold.md)"
        raise ConfigError(f"{URL} is not set: this loop asks a language model, and no server is the default", fix=fix)
    if not model:
        fix = f"export {MODEL}=NAME, as the server lists it under GET /models"
        raise ConfigError(f"{MODEL} is not set: no model is the default", fix=fix)
    _check_key(key)
    return Endpoint(_checked(url), model, key)


def _check_key(key: str) -> None:
    if key and (len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key):
        what = f"{KEY} has {len(key)} characters, expected {SHORTEST_KEY} or more of ASCII without blanks"
        raise ConfigError(what, fix="export the key as the server gave it, or unset it where the server needs none")


def _checked(url: str) -> str:
    """The base URL, checked.

    Raises:
        ConfigError: it is none, or holds a place for a secret.
    """
    if url.startswith(REPLAY):
        folder = Path(url.removeprefix(REPLAY))
        if not (folder / "ledger.db").is_file():
            raise ConfigError(f"no study to replay in {str(folder)!r}", fix=f"export {URL}={REPLAY}FOLDER of a study")
        return REPLAY + str(folder.resolve())
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        whole, parts = False, urlsplit("")
    if not whole:
        raise ConfigError(f"{URL} is no http or https URL", fix="write for example http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{URL} holds more than host, port and path", fix=f"put the key into {KEY}")
    return url.rstrip("/")
