"""Boards and notes of other programs as folders and files of this one; what has no place here is named."""
