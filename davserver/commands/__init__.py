"""The administrator's commands, one module per subject; ``davserver.cli`` puts them under one parser."""
