"""What to type into which program: the page that ``davserver demo`` prints."""

from __future__ import annotations

from collections.abc import Mapping

from config.schema import Server

# Who plays which part in the example association.
_PARTS = {
    "alice": "secretary",
    "bob": "treasurer",
    "carol": "president",
    "dora": "sports section, officer",
    "emil": "volunteer",
    "fiona": "staff",
    "hugo": "member",
}

_GUIDE = """\

Accounts
{accounts}

Files (WebDAV)                                                  the same for every account
  Linux  GNOME Files     Other Locations, Connect to Server:    {dav}://{host}/files/
         KDE Dolphin     type into the address bar:             {webdav}://{host}/files/
  Windows Explorer       This PC, Map network drive:            {base}/files/
                         {windows}
  macOS  Finder          Go, Connect to Server (Cmd-K):         {base}/files/
  rclone                 rclone lsl :webdav: --webdav-url {base}/files/ --webdav-vendor other \\
                           --webdav-user {user} --webdav-pass "$(rclone obscure {password})"

Calendars, contacts, tasks (CalDAV, CardDAV)                    each program finds everything below this one address
  DAVx5 (Android)        Login with URL and user name:          {base}/
  Thunderbird            New calendar, On the network:          {base}/
                         New address book, Add CardDAV:         {base}/
  Apple  macOS, iOS      Other account, CalDAV and CardDAV,
                         Manual or Advanced, server:            {base}/dav/{user}/
  GNOME  Evolution       New, Collection account, server:       {base}/
  vdirsyncer             [storage …] type = "caldav" (or "carddav")
                           url = "{base}/", username = "{user}", password = "{password}"

Boards and notes                                                are text files above and task lists and journals here
  jtx Board, Tasks.org   over DAVx5: choose "Summer fair" and "Notes" among the lists of the account
  any editor             Boards/Summer fair/ and Notes/ of the mounted drive (docs/boards.md)

Forms                                                           the answers are files, and one table: responses.csv
  any browser            {form}
  any editor             Forms/Summer fair/ of the mounted drive (docs/forms.md)

Polls                                                           each voter answers a copy, and one table has the results
  any calendar program   "Summer outing" in the calendar "Polls" and the task list "Polls (tasks)"
  any browser            the address in Polls/Summer outing/my-link.txt
  any editor             Polls/Summer outing/votes/{user}.toml of the mounted drive (docs/polls.md)

Command line
  curl -u {user}:{password} {base}/files/
  curl -u {user}:{password} -X PROPFIND -H 'Depth: 1' {base}/dav/{user}/
  curl {base}/files/Communication/                              what the world may read, without an account

Account and password in all of them: for example {user} and {password}
{reach}"""

_WINDOWS_PLAIN = (
    "(plain HTTP works there only after BasicAuthLevel = 2 in the registry; with TLS there is nothing to do)"
)
_LOCAL = """\
Only programs on this machine reach {base}. For phones, set certificate and private_key in davserver.toml and
listen on the network: --listen 0.0.0.0:8443"""
_PLAIN_NETWORK = """\
Other machines reach this one, but plain HTTP would show passwords on the way, so their sign-in is refused:
set certificate and private_key in davserver.toml."""


def guide(server: Server, passwords: Mapping[str, str], form_token: str | None) -> str:
    """The page for a server, the accounts with their passwords, and the link of the form."""
    tls = server.certificate is not None
    scheme = "https" if tls else "http"
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(server.host, server.host)  # noqa: S104
    authority = f"{f'[{host}]' if ':' in host else host}:{server.port}"
    user, password = next(iter(passwords.items()), ("NAME", "PASSWORD"))
    base = server.public_url.rstrip("/") or f"{scheme}://{authority}"
    return _GUIDE.format(
        accounts="\n".join(f"  {name:8} {word:24} {_PARTS.get(name, '')}".rstrip() for name, word in passwords.items()),
        base=base,
        form=f"without an account: {base}/p/{form_token}/" if form_token else "see links.txt in the form's folder",
        host=base.partition("://")[2],
        dav="davs" if base.startswith("https") else "dav",
        webdav="webdavs" if base.startswith("https") else "webdav",
        user=user,
        password=password,
        windows="" if tls else _WINDOWS_PLAIN,
        reach=_reach(server, base),
    )


def _reach(server: Server, base: str) -> str:
    if server.certificate is not None:
        return ""
    local = server.host in ("localhost", "::1") or server.host.startswith("127.")
    return _LOCAL.format(base=base) if local else _PLAIN_NETWORK
