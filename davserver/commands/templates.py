"""The files that ``davserver init`` writes: mode and text. The comments are the first manual an administrator reads."""

from __future__ import annotations

from storage.paths import OBJECT_TOPS

_DAVSERVER = """\
# Configuration of davserver. Every setting with its default and range: docs/configuration.md.
# A path is relative to this file. After a change: `davserver check`, then start the server again.

language = "en"                    # of the names the server gives, such as "Calendar": "en", "fr" or "de"

[server]
host = "127.0.0.1"                 # "0.0.0.0" or "::" listens on every network of the machine
port = 8080
# public_url = "https://cloud.example.org"

# TLS, one of two ways; passwords over plain HTTP are refused from other machines.
# 1. davserver does it: a certificate with its chain and its key, read again when the files change.
# certificate = "/etc/letsencrypt/live/cloud.example.org/fullchain.pem"
# private_key = "/etc/letsencrypt/live/cloud.example.org/privkey.pem"
# 2. A reverse proxy does it: name its address, so that its X-Forwarded-* fields count.
# trusted_proxies = ["127.0.0.1"]

[accounts]
users_file = "users.toml"          # members; `davserver user …` edits it
# htpasswd_file = "htpasswd"       # an existing htpasswd file in its place (bcrypt, sha512-crypt, apr1-md5)
groups_file = "groups.toml"        # groups, rooms and vehicles; `davserver group …`, or an editor
access_file = "access.toml"        # who may do what where

[storage]
data = "data"                      # everything of the members; to back up, copy it
# quota_bytes = 10_000_000_000     # of each member's home and each shared folder

[log]
format = "text"                    # "json": one object a line
level = "info"
"""

_USERS = """\
# Members. Changes are in force with the next request; `davserver user …` edits this file and keeps comments and order.
#
# [user.alice]
# password = "$argon2id$…"           # made by `davserver user passwd alice`, or by `davserver hash`
# display_name = "Alice Martin"
# mail = ["alice@example.org"]       # the preferred address first
# disabled = true                    # cannot sign in; name and belongings stay
#
# [[user.alice.app_password]]        # one per device, made by `davserver user app-password alice --label phone`
# label = "phone"
# hash = "…"
"""

_GROUPS = """\
# Groups, and resources that are booked: rooms, vehicles, the projector. Members, groups and resources share one set of
# names. Built in and never written here: "all-users" (everyone with an account) and "world" (everyone).
#
# [group.sport]
# members = ["alice", "bob"]
#
# [group.board]
# members = ["carol"]
# groups = ["sport"]                 # everyone in sport is in board too
#
# [resource.van]                     # its calendar, /dav/van/calendar, is made by itself
# display_name = "The van"
# kind = "vehicle"                   # or "room", "equipment": how programs list it when somebody is invited
# timezone = "Europe/Paris"          # of whole days, and of times without a zone
# double_booking = "refuse"          # of a time that is taken; without the line it is stored and marked for all to see
"""

_ACCESS = """\
# Who may do what where: the administrator's word. `davserver rights PATH` shows what is in force and by which line.
#
#   path    a folder: /files/Sport, or a calendar or book: /dav/sport/calendar
#   who     members, groups, resources, "all-users" (signed in), "world" (everyone)
#   may     "read", "create" (and change one's own), "write", "delete", "admin" (give rights there), "freebusy"
#   scope   "here": this folder only; without the line, everything below too
#
# The nearest folder upwards that has a rule decides alone, and its rules add up. There is no deny: a rule with who = []
# closes a folder to all but its owner. Whoever makes something in the own home or in the folders below is its owner.

# Members see the folders at the top ...
[[rule]]
path = "/files"
who = ["all-users"]
may = ["read"]
scope = "here"

# ... and start boards, notebooks and so on without asking: private until shared.
"""

_CREATE_RULE = """
[[rule]]
path = "/files/{top}"
who = ["all-users"]
may = ["read", "create"]
scope = "here"
"""

# Members start boards, notebooks, forms and so on without asking anybody (who makes one owns it).
CREATION_RULES = "".join(_CREATE_RULE.format(top=top) for top in OBJECT_TOPS)

_ACCESS_EXAMPLE = """
# A shared folder: make it (mkdir data/files/Sport, or an administrator does in a file manager) and give the rights.
#
# [[rule]]
# path = "/files/Sport"
# who = ["sport"]
# may = ["read", "create", "write", "delete"]
#
# [[rule]]
# path = "/files/Sport"
# who = ["all-users"]
# may = ["read"]
#
# A room or vehicle: everybody sees what is booked and books, and changes the own bookings and nobody else's. Others may
# be told when it is taken, and nothing else of it.
#
# [[rule]]
# path = "/dav/van/calendar"
# who = ["all-users"]
# may = ["read", "create"]
#
# [[rule]]
# path = "/dav/hall/calendar"
# who = ["all-users"]
# may = ["freebusy"]
#
# An administrator, who may do everything and see everything:
#
# [[rule]]
# path = "/"
# who = ["alice"]
# may = ["admin"]
"""

TEMPLATES: dict[str, tuple[int, str]] = {
    "davserver.toml": (0o644, _DAVSERVER),
    "users.toml": (0o600, _USERS),
    "groups.toml": (0o644, _GROUPS),
    "access.toml": (0o644, _ACCESS + CREATION_RULES + _ACCESS_EXAMPLE),
}
