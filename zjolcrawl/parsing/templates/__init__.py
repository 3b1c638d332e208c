"""The template families in the order they are tried; each is a short table of XPaths in its own file.

To add a family, add a file here, a line in FAMILIES, a fixture and its JSON.
"""

from zjolcrawl.parsing.templates import arttitle, containers, conttit, trs
from zjolcrawl.parsing.xpath import Template

FAMILIES: tuple[Template, ...] = (conttit.T1, arttitle.T2, containers.T3, trs.TRS)
