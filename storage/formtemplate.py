"""What a new ``form.toml`` says, by language: a small form, and in comments all else that there is."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = """\
id = "{id}"                     # written by the server; leave it
# title = "Summer camp"           # without it, the name of this folder
description = "What this is about."
who = "world"                     # whoever has the link; or "members", or ["sport", "alice"]
# closes = 2027-05-31T22:00:00Z   # no answers from then on
# max_responses = 60              # nor after so many
# once = true                     # one answer of each member; the last one counts
# anonymous = true                # nothing tells who answered
# view = "task"                   # answers in calendars as journals (without this line), as tasks, or "none"
summary = ["name"]                # what stands in the title of an answer there
honeypot = "website"              # a field that nobody sees; programs fill it in and are sent away
# public = ["style.css"]          # further files of this folder that strangers may load

[[field]]
name = "name"
label = "Your name"
required = true
max = 200

[[field]]
name = "email"
label = "Your mail address"
type = "email"

[[field]]
name = "meal"
label = "What do you eat?"
type = "choice"
options = ["Everything", "Vegetarian", "Vegan"]
other = true

[[field]]
name = "remarks"
label = "Remarks"
type = "longtext"

# Other types, each [[field]] with a name and a label of its own:
#   type = "tel"
#   type = "number"    min = 0   max = 10   step = 1
#   type = "scale"     min = 1   max = 5
#   type = "date"
#   type = "time"
#   type = "choices"   options = ["Mon", "Tue"]        several may be chosen
#   type = "ranking"   options = ["A", "B", "C"]       put in order
#   type = "grid"      rows = ["Food", "Music"]   options = ["good", "bad"]
#   type = "file"      types = [".pdf", "image/*"]   max_bytes = 5000000
#   type = "color"
#   type = "hidden"    value = "from the web site"
# To publish it, write a [[link]] into access.toml in this folder; the address then stands in links.txt.
"""
FRENCH = """\
id = "{id}"                     # écrit par le serveur ; ne pas y toucher
# title = "Camp d'été"            # sans elle, le nom de ce dossier
description = "De quoi il s'agit."
who = "world"                     # qui a le lien ; ou "members", ou ["sport", "alice"]
# closes = 2027-05-31T22:00:00Z   # plus de réponses ensuite
# max_responses = 60              # ni au-delà de ce nombre
# once = true                     # une réponse par membre ; la dernière compte
# anonymous = true                # rien ne dit qui a répondu
# view = "task"                   # réponses dans l'agenda : journaux (sans cette ligne), tâches, ou "none"
summary = ["name"]                # ce qui figure dans le titre d'une réponse
honeypot = "website"              # un champ que personne ne voit ; les robots le remplissent et sont écartés
# public = ["style.css"]          # autres fichiers de ce dossier visibles de tous

[[field]]
name = "name"
label = "Votre nom"
required = true
max = 200

[[field]]
name = "email"
label = "Votre adresse électronique"
type = "email"

[[field]]
name = "meal"
label = "Que mangez-vous ?"
type = "choice"
options = ["De tout", "Végétarien", "Végétalien"]
other = true

[[field]]
name = "remarks"
label = "Remarques"
type = "longtext"

# Autres types, chacun dans un [[field]] avec name et label :
#   type = "tel"
#   type = "number"    min = 0   max = 10   step = 1
#   type = "scale"     min = 1   max = 5
#   type = "date"
#   type = "time"
#   type = "choices"   options = ["lundi", "mardi"]    plusieurs choix
#   type = "ranking"   options = ["A", "B", "C"]       à classer
#   type = "grid"      rows = ["Repas", "Musique"]   options = ["bien", "mal"]
#   type = "file"      types = [".pdf", "image/*"]   max_bytes = 5000000
#   type = "color"
#   type = "hidden"    value = "depuis le site"
# Pour publier, écrire un [[link]] dans access.toml de ce dossier ; l'adresse se trouve alors dans links.txt.
"""
GERMAN = """\
id = "{id}"                     # vom Server geschrieben; so lassen
# title = "Sommerlager"           # ohne diese Zeile der Name dieses Ordners
description = "Worum es geht."
who = "world"                     # wer den Link hat; oder "members", oder ["sport", "alice"]
# closes = 2027-05-31T22:00:00Z   # danach keine Antworten mehr
# max_responses = 60              # und nach so vielen auch nicht
# once = true                     # eine Antwort je Mitglied; die letzte zählt
# anonymous = true                # nichts sagt, wer geantwortet hat
# view = "task"                   # Antworten im Kalender als Journale (ohne diese Zeile), als Aufgaben oder "none"
summary = ["name"]                # was dort im Titel einer Antwort steht
honeypot = "website"              # ein Feld, das niemand sieht; Programme füllen es aus und werden abgewiesen
# public = ["style.css"]          # weitere Dateien dieses Ordners, die Fremde laden dürfen

[[field]]
name = "name"
label = "Dein Name"
required = true
max = 200

[[field]]
name = "email"
label = "Deine Mailadresse"
type = "email"

[[field]]
name = "meal"
label = "Was isst du?"
type = "choice"
options = ["Alles", "Vegetarisch", "Vegan"]
other = true

[[field]]
name = "remarks"
label = "Bemerkungen"
type = "longtext"

# Andere Arten, jede als [[field]] mit name und label:
#   type = "tel"
#   type = "number"    min = 0   max = 10   step = 1
#   type = "scale"     min = 1   max = 5
#   type = "date"
#   type = "time"
#   type = "choices"   options = ["Mo", "Di"]          mehrere möglich
#   type = "ranking"   options = ["A", "B", "C"]       zu ordnen
#   type = "grid"      rows = ["Essen", "Musik"]   options = ["gut", "schlecht"]
#   type = "file"      types = [".pdf", "image/*"]   max_bytes = 5000000
#   type = "color"
#   type = "hidden"    value = "von der Webseite"
# Zum Veröffentlichen einen [[link]] in die access.toml dieses Ordners schreiben; die Adresse steht dann in links.txt.
"""
TEMPLATES: Mapping[str, str] = {"en": ENGLISH, "fr": FRENCH, "de": GERMAN}
