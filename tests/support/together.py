"""Which files of tests one process runs: those that share an archive that takes seconds to make."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

_GROUPS = {
    "large": ("tests/test_questions.py", "tests/feeds/test_plans.py", "tests/storage/test_selection.py"),
    "web": (
        "tests/web/test_browser.py", "tests/web/test_changes.py", "tests/web/test_cite.py", "tests/web/test_hostile.py",
        "tests/web/test_languages.py", "tests/web/test_pages.py", "tests/web/test_search_form.py",
        "tests/web/test_security.py", "tests/web/api/test_access.py", "tests/web/api/test_answers.py",
        "tests/web/api/test_examples.py", "tests/web/api/test_hostile.py", "tests/web/api/test_openapi.py",
    ),
}  # fmt: skip
"""By the fixture that they share."""
_GROUP_OF = {file: group for group, files in _GROUPS.items() for file in files}


class ByArchive(LoadFileScheduling):
    """pytest-xdist's distribution by file, with a group of files as one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return _GROUP_OF.get(file, file)
