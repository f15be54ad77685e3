"""How starter pages look, on a phone and at a desk, by day and by night: one style sheet within each page."""

from __future__ import annotations

STYLE = """\
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; }
fieldset { border: 1px solid #8888; border-radius: .4rem; margin: 0 0 1.25rem; padding: .5rem .9rem .8rem; }
fieldset { min-width: 0; }
legend, label.top { font-weight: 600; }
.field { margin: 0 0 1.25rem; }
label.top { display: block; margin-bottom: .25rem; }
label.one { display: flex; gap: .6rem; align-items: center; padding: .3rem 0; }
label.one input { flex: none; width: 1.2rem; height: 1.2rem; margin: 0; }
input, textarea, select, button { font: inherit; }
.field > input, textarea, .other { width: 100%; padding: .5rem; border: 1px solid #888; border-radius: .3rem; }
.field > input[type=number], .field > input[type=date], .field > input[type=time] { width: auto; min-width: 12rem; }
.field > input[type=color] { width: 4rem; height: 2.5rem; padding: .15rem; }
select { padding: .4rem; border-radius: .3rem; }
textarea { min-height: 7rem; }
.scale { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
.rank { display: flex; gap: .7rem; align-items: center; padding: .25rem 0; }
.rank input { width: 5rem; padding: .4rem; border: 1px solid #888; border-radius: .3rem; }
.row { padding: .4rem 0; border-top: 1px solid #8884; }
.row:first-of-type { border-top: 0; }
.choices { display: flex; flex-wrap: wrap; gap: 0 1.4rem; }
.hint, .note { font-size: .92rem; opacity: .8; margin: .2rem 0; }
.note { margin: 1rem 0; }
.must { color: #b3261e; }
.trap { position: absolute; left: -99rem; }
button { padding: .65rem 1.6rem; border: 0; border-radius: .4rem; background: #1c5fa8; color: #fff; font-weight: 600; }
@media (prefers-color-scheme: dark) { .must { color: #ff8a80; } }
"""
