"""Every setting: its default, unit and allowed range. ``config.loader`` reads them from ``davserver.toml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings on what arrives (sizes in bytes unless the name says otherwise)."""

    xml_bytes: int = MIB
    xml_depth: int = 64
    xml_elements: int = 10_000
    multiget_hrefs: int = 10_000
    multiget_bytes: int = 4 * MIB
    calendar_item_bytes: int = MIB
    card_bytes: int = 5 * MIB
    collection_put_bytes: int = 256 * MIB
    upload_bytes: int = 64 << 30
    request_head_bytes: int = 32 * 1024
    request_fields: int = 100
    url_bytes: int = 8 * 1024
    dead_property_bytes: int = 16 * 1024
    dead_properties: int = 100
    locks_per_member: int = 100
    lock_timeout_s: int = 3600
    lock_longest_s: int = 86_400
    depth_infinity_resources: int = 20_000
    ranges: int = 10
    connections: int = 1000  # in all; more are answered with 503
    connections_per_address: int = 250  # proxies and this machine itself are not counted
    content_line_bytes: int = 64 * 1024
    name_bytes: int = 255
    path_bytes: int = 4096


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how the door listens."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""  # as members type it, such as https://cloud.example.org
    certificate: Path | None = None
    private_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-* fields count
    allow_plain_http: bool = False  # Basic over plain HTTP from other machines than this one
    threads: int = 10  # that compute at a time; those that wait for a slow client are not counted
    shutdown_timeout_s: int = 20
    realm: str = "davserver"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where members, groups and rights stand."""

    users_file: Path = Path("users.toml")
    htpasswd_file: Path | None = None
    groups_file: Path = Path("groups.toml")
    access_file: Path = Path("access.toml")
    credential_cache_s: int = 300
    credential_cache_entries: int = 10_000


@dataclass(frozen=True, slots=True)
class Storage:
    """The data folder and how hard a write is pressed onto the disk."""

    data: Path = Path("data")
    durability: Literal["full", "process"] = "full"
    change_log_days: int = 90
    quota_bytes: int = 0  # of a member's home or a shared folder; 0 is without limit


@dataclass(frozen=True, slots=True)
class Log:
    """The access log: one line a request."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of ``davserver.toml``; paths are absolute once loaded."""

    language: Literal["en", "fr", "de"] = "en"
    server: Server = field(default_factory=Server)
    accounts: Accounts = field(default_factory=Accounts)
    storage: Storage = field(default_factory=Storage)
    log: Log = field(default_factory=Log)
    limits: Limits = field(default_factory=Limits)
