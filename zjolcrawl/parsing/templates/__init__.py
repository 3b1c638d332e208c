"""The template families, in the order they are tried: each a short table of XPaths in a file.

A new family is a new file here, a line in FAMILIES, a fixture and its JSON.
"""

from zjolcrawl.parsing.templates import arttitle, containers, conttit, trs
from zjolcrawl.parsing.templates.table import Template

FAMILIES: tuple[Template, ...] = (conttit.T1, arttitle.T2, containers.T3, trs.TRS)
