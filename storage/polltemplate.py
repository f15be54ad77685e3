"""What a new ``poll.toml`` says, by language: a small poll, and in comments all else that there is."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = """\
id = "{id}"                     # written by the server; leave it
# title = "Summer outing"         # without it, the name of this folder
kind = "date"                     # or "text", with a label for each option
# voters = ["all-users"]          # groups and members; they find it in their calendars
# closes = 2026-12-10T20:00:00Z   # no votes from then on
# maybe = false                   # only yes and no
# results = "closed"              # seen by others when it is over; or "never"; without this line at once
# anonymous = true                # nothing tells who voted for what
# per_option = 10                 # so many may say yes to one option
# per_voter = 1                   # to so many options one may say yes
# propose = true                  # voters propose options: proposals/<member>.toml
# decided = "a"                   # the option that it is
# calendar = "calendar"           # where that is written: in your home, or "<owner>/<calendar>"

[[option]]
id = "a"
start = "2026-12-12T18:00:00 Europe/Paris"
end = "2026-12-12T20:00:00 Europe/Paris"

[[option]]
id = "b"
start = 2026-12-13                # a whole day
"""
FRENCH = """\
id = "{id}"                     # écrit par le serveur ; ne pas y toucher
# title = "Sortie d'été"          # sans elle, le nom de ce dossier
kind = "date"                     # ou "text", avec un label pour chaque option
# voters = ["all-users"]          # groupes et membres ; ils le trouvent dans leur agenda
# closes = 2026-12-10T20:00:00Z   # plus de votes ensuite
# maybe = false                   # seulement oui et non
# results = "closed"              # visible des autres à la fin ; ou "never" ; sans cette ligne tout de suite
# anonymous = true                # rien ne dit qui a voté quoi
# per_option = 10                 # nombre de oui par option
# per_voter = 1                   # nombre de oui par personne
# propose = true                  # les votants proposent : proposals/<membre>.toml
# decided = "a"                   # l'option retenue
# calendar = "calendar"           # où elle est inscrite : chez vous, ou "<propriétaire>/<agenda>"

[[option]]
id = "a"
start = "2026-12-12T18:00:00 Europe/Paris"
end = "2026-12-12T20:00:00 Europe/Paris"

[[option]]
id = "b"
start = 2026-12-13                # une journée entière
"""
GERMAN = """\
id = "{id}"                     # vom Server geschrieben; so lassen
# title = "Sommerausflug"         # ohne diese Zeile der Name dieses Ordners
kind = "date"                     # oder "text", mit einem label für jede Möglichkeit
# voters = ["all-users"]          # Gruppen und Mitglieder; sie finden sie im Kalender
# closes = 2026-12-10T20:00:00Z   # danach keine Stimmen mehr
# maybe = false                   # nur ja und nein
# results = "closed"              # andere sehen sie am Ende; oder "never"; ohne diese Zeile sofort
# anonymous = true                # nichts sagt, wer wie gestimmt hat
# per_option = 10                 # so viele können zu einer ja sagen
# per_voter = 1                   # zu so vielen kann jemand ja sagen
# propose = true                  # wer abstimmt, schlägt vor: proposals/<Mitglied>.toml
# decided = "a"                   # die es geworden ist
# calendar = "calendar"           # wohin das geschrieben wird: bei dir, oder "<Besitzer>/<Kalender>"

[[option]]
id = "a"
start = "2026-12-12T18:00:00 Europe/Paris"
end = "2026-12-12T20:00:00 Europe/Paris"

[[option]]
id = "b"
start = 2026-12-13                # ein ganzer Tag
"""
TEMPLATES: Mapping[str, str] = {"en": ENGLISH, "fr": FRENCH, "de": GERMAN}
