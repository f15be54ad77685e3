"""The shelves: files, calendars, contacts, their index, change log, locks and trash."""
