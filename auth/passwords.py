"""
Passwords: hashing, checking and making them. The one module that knows passlib.

Members choose their passwords, so these are stored as argon2id; hashes of an htpasswd file that an association brings
along (bcrypt, SHA-512-crypt, SHA-256-crypt, apr1-md5) are accepted. Application passwords are random, so a fast hash
is enough and a device is found by looking its hash up.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import cache

from passlib.context import CryptContext

LONGEST_PASSWORD_BYTES = 1024
_BCRYPT_BYTES = 72
_CONTEXT = CryptContext(
    schemes=["argon2", "bcrypt", "sha512_crypt", "sha256_crypt", "apr_md5_crypt"],
    # 19 MiB, 2 passes: the first choice of the OWASP password storage cheat sheet. Ten log-ins at once on a small
    # machine then take a fraction of a second and of its memory.
    argon2__type="ID",
    argon2__memory_cost=19_456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)
_APP_HASH = re.compile(r"sha256:[0-9a-f]{64}")
# Without 0, 1, l and o, which are taken for one another on a phone: 32 characters, 5 bits each.
_ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"
_APP_GROUPS, _GROUP_CHARACTERS = 5, 4


def hash_password(password: str) -> str:
    """The form in which a chosen password is stored (argon2id)."""
    return str(_CONTEXT.hash(password))


def is_known_hash(stored: str) -> bool:
    """Whether ``verify_password`` can do something with a stored hash."""
    scheme = _CONTEXT.identify(stored)
    if scheme is None:
        return False
    try:
        return _CONTEXT.handler(scheme).from_string(stored).checksum is not None
    except ValueError:
        return False


def verify_password(password: str, stored: str) -> bool:
    """Whether a password is the one that was hashed; takes as long as the hash was made to take."""
    secret = password.encode("utf-8", "surrogatepass")
    if len(secret) > LONGEST_PASSWORD_BYTES or b"\0" in secret:
        return False
    if stored.startswith("$2"):
        secret = secret[:_BCRYPT_BYTES]  # as bcrypt itself always did; the library refuses the rest today
    try:
        return bool(_CONTEXT.verify(secret, stored))
    except ValueError:
        return False


@cache
def decoy_hash() -> str:
    """A hash that nobody's password has, checked where an account has none so that both take the same time."""
    return hash_password(secrets.token_urlsafe())


def new_app_password() -> str:
    """A random password for one device (100 bits), in groups that can be typed: ``k7f3-q9ab-…``."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARACTERS)) for _ in range(_APP_GROUPS))
    return "-".join(groups)


def hash_app_password(password: str) -> str:
    """
    The form in which an application password is stored and found.

    Hyphens, blanks and case do not count: people leave them out, and phones add capitals.
    """
    plain = "".join(password.split()).replace("-", "").lower()
    return "sha256:" + hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def is_app_password_hash(stored: str) -> bool:
    """Whether a text has the form that ``hash_app_password`` gives."""
    return _APP_HASH.fullmatch(stored) is not None
