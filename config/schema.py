"""Every setting: its default, unit and allowed range. ``config.loader`` reads them from ``davserver.toml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40

T = TypeVar("T")


def setting(default: T, text: str, *, least: int | None = None, most: int | None = None) -> T:
    """
    A field of the schema: its default, what it means in one sentence, and for numbers the allowed range.

    The annotation says ``T``, as ``dataclasses.field`` does, so that the type checker sees the value's type.
    """
    described: T = field(default=default, metadata={"text": text, "least": least, "most": most})
    return described


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings on what arrives (sizes in bytes unless the name says otherwise)."""

    xml_bytes: int = setting(MIB, "Body of a request in XML.", least=4 * KIB, most=64 * MIB)
    xml_depth: int = setting(64, "Elements within elements.", least=16, most=1000)
    xml_elements: int = setting(10_000, "Elements in one XML body.", least=100, most=1_000_000)
    multiget_hrefs: int = setting(10_000, "Resources named in one multiget.", least=100, most=1_000_000)
    multiget_bytes: int = setting(4 * MIB, "Body of a multiget, which names many.", least=64 * KIB, most=256 * MIB)
    calendar_item_bytes: int = setting(MIB, "One event, task or journal entry.", least=16 * KIB, most=64 * MIB)
    calendar_first_year: int = setting(1, "No date of a calendar object lies before this year.", least=1, most=9999)
    calendar_last_year: int = setting(9999, "No date of a calendar object lies after this year.", least=1, most=9999)
    instances: int = setting(
        100_000, "Occurrences of a recurring event or task that has an end.", least=100, most=10_000_000
    )
    attendees: int = setting(2_000, "Attendees of one occurrence.", least=10, most=100_000)
    card_bytes: int = setting(5 * MIB, "One contact, its photo included.", least=16 * KIB, most=64 * MIB)
    collection_put_bytes: int = setting(
        256 * MIB, "An .ics or .vcf file that is stored as a whole calendar or book.", least=MIB, most=4 * GIB
    )
    upload_bytes: int = setting(64 * GIB, "One file.", least=MIB, most=16 * TIB)
    request_head_bytes: int = setting(32 * KIB, "Request line and header fields together.", least=8 * KIB, most=MIB)
    request_fields: int = setting(100, "Header fields of one request.", least=20, most=1000)
    url_bytes: int = setting(8 * KIB, "Path and query as sent.", least=KIB, most=64 * KIB)
    dead_property_bytes: int = setting(16 * KIB, "One property that a client invented.", least=KIB, most=MIB)
    dead_properties: int = setting(100, "Such properties on one resource.", least=10, most=10_000)
    locks_per_member: int = setting(100, "Locks that one member holds at a time.", least=1, most=100_000)
    lock_timeout_s: int = setting(3600, "Seconds a lock lasts if the client names none.", least=60, most=604_800)
    lock_longest_s: int = setting(86_400, "Seconds a lock may last at most.", least=60, most=2_592_000)
    depth_infinity_resources: int = setting(
        10_000, "Resources that one PROPFIND of a whole tree may list.", least=0, most=10_000_000
    )
    search_results: int = setting(10_000, "Resources that one SEARCH finds.", least=10, most=10_000_000)
    ranges: int = setting(10, "Ranges of one GET.", least=1, most=1000)
    connections: int = setting(1000, "Connections in all; more are answered with 503.", least=10, most=100_000)
    connections_per_address: int = setting(
        250, "Connections of one address; proxies and this machine itself are not counted.", least=4, most=100_000
    )
    content_line_bytes: int = setting(
        64 * KIB, "One line of calendar or card text, folds removed.", least=KIB, most=MIB
    )
    name_bytes: int = setting(255, "Name of a file or folder.", least=32, most=255)
    path_bytes: int = setting(4096, "Path of a file or folder.", least=256, most=65_536)


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how the door listens."""

    host: str = setting("127.0.0.1", 'Address to listen on; "0.0.0.0" or "::" for every network of the machine.')
    port: int = setting(8080, "TCP port; 0 takes a free one.", least=0, most=65_535)
    public_url: str = setting("", "As members type it, such as https://cloud.example.org.")
    public_names: tuple[str, ...] = setting((), 'Other names by which it is reached: ["drive.example.org"].')
    certificate: Path | None = setting(None, "TLS certificate with its chain (PEM); read again when the file changes.")
    private_key: Path | None = setting(None, "Key of the certificate (PEM).")
    trusted_proxies: tuple[str, ...] = setting(
        (), "Addresses or networks of reverse proxies whose X-Forwarded-* fields count, such as 127.0.0.1."
    )
    timezone_services: tuple[str, ...] = setting(
        (), "Time zone data services (RFC 7808) that clients may ask for the zones that are sent by name only."
    )
    allow_plain_http: bool = setting(
        False, "Take passwords over plain HTTP from other machines than this one; anybody on the way can read them."
    )
    threads: int = setting(10, "Requests that are worked on at a time.", least=1, most=256)
    shutdown_timeout_s: int = setting(20, "Seconds that running requests get when the server ends.", least=0, most=600)
    realm: str = setting("davserver", "Name that programs show when they ask for the password.")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where members, groups and rights stand."""

    users_file: Path = setting(Path("users.toml"), "Members and their password hashes.")
    htpasswd_file: Path | None = setting(None, "An htpasswd file in place of the users file.")
    groups_file: Path = setting(Path("groups.toml"), "Groups, and resources such as rooms and vehicles.")
    access_file: Path = setting(Path("access.toml"), "The administrator's rules: who may do what where.")
    credential_cache_s: int = setting(
        300, "Seconds for which a password that was right is not computed again; 0 never remembers.", least=0, most=3600
    )
    credential_cache_entries: int = setting(10_000, "Passwords remembered so at a time.", least=0, most=1_000_000)


@dataclass(frozen=True, slots=True)
class Directory:
    """What members find of each other."""

    members_book: bool = setting(True, "An address book of all members and groups in everybody's home, read-only.")


@dataclass(frozen=True, slots=True)
class Storage:
    """The data folder and how hard a write is pressed onto the disk."""

    data: Path = setting(Path("data"), "Folder that holds everything of the members.")
    durability: Literal["full", "process"] = setting(
        "full",
        '"full": an acknowledged write survives a power cut; '
        '"process": it survives a crash of the server, a power cut may take the last seconds.',
    )
    change_log_days: int = setting(90, "Days for which a client that was away can sync by changes.", least=1, most=3650)
    change_log_entries: int = setting(
        10_000, "Removals that each folder remembers for such clients.", least=100, most=10_000_000
    )
    quota_bytes: int = setting(
        0, "Size of a member's home or a shared folder; 0 is without limit.", least=0, most=1024 * TIB
    )


@dataclass(frozen=True, slots=True)
class Trash:
    """What members delete: it can be had back for a while, from /files/Trash/."""

    keep_days: int = setting(30, "Days for which it is kept; 0 keeps nothing.", least=0, most=3650)
    most_bytes: int = setting(
        0, "Size of all of it, beyond which the oldest goes; 0 is what the disk has.", least=0, most=1024 * TIB
    )


@dataclass(frozen=True, slots=True)
class History:
    """What members overwrite: earlier versions of files, in /files/History/, the older the fewer."""

    keep_days: int = setting(365, "Days for which versions are kept; 0 keeps none.", least=0, most=3650)
    most_bytes: int = setting(
        0, "Size of all of them, beyond which the oldest go; 0 is what the disk has.", least=0, most=1024 * TIB
    )


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Calendars of others that members subscribe to: the server fetches them and shows them read-only."""

    enabled: bool = setting(True, "Fetch them; without it they stay as they are.")
    refresh_s: int = setting(3600, "Seconds between two fetches of one where it does not say.", least=60, most=604_800)
    refresh_least_s: int = setting(900, "Seconds that lie between them at least.", least=1, most=604_800)
    timeout_s: int = setting(30, "Seconds that one fetch may take.", least=1, most=600)
    most_bytes: int = setting(10 * MIB, "Size of one.", least=64 * KIB, most=GIB)
    most_items: int = setting(10_000, "Events and tasks of one.", least=10, most=1_000_000)
    most_per_home: int = setting(50, "Subscribed calendars in one home.", least=0, most=10_000)
    allowed_networks: tuple[str, ...] = setting(
        (), "Addresses or networks that are reached although they are not public, such as 192.168.1.0/24."
    )


@dataclass(frozen=True, slots=True)
class Links:
    """What strangers may send through public links; a link's own access.toml can say another quota and rate of it."""

    quota_bytes: int = setting(GIB, "All that is ever stored through one link.", least=0, most=1024 * TIB)
    uploads_per_minute: int = setting(600, "Files that are stored through one link.", least=1, most=1_000_000)
    uploads_per_minute_of_address: int = setting(
        60, "Files that one address stores through any links.", least=1, most=1_000_000
    )
    files_per_form: int = setting(100, "Files, and other fields, that one form sends.", least=1, most=10_000)


@dataclass(frozen=True, slots=True)
class Log:
    """The access log: one line a request."""

    format: Literal["text", "json"] = setting("text", "Form of the lines.")
    level: Literal["debug", "info", "warning", "error"] = setting("info", "Least weight that is written.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of ``davserver.toml``; paths are absolute once loaded."""

    language: Literal["en", "fr", "de"] = setting("en", "Language of the names that the server gives.")
    birthday_calendars: bool = setting(
        True, "A calendar in each member's home of the birthdays in the address books that the member may read."
    )
    well_known_notes: bool = setting(
        False, "Notes at /.well-known/webdav/Notes/ too, where Evolution looks for them by itself."
    )
    server: Server = field(default_factory=Server)
    accounts: Accounts = field(default_factory=Accounts)
    directory: Directory = field(default_factory=Directory)
    storage: Storage = field(default_factory=Storage)
    trash: Trash = field(default_factory=Trash)
    history: History = field(default_factory=History)
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    links: Links = field(default_factory=Links)
    log: Log = field(default_factory=Log)
    limits: Limits = field(default_factory=Limits)
