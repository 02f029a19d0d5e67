"""The text of ``git log``: the commits and tags of a repository, and nothing else of it.

It is written by two commands, :data:`COMMANDS`. Each part of the text begins with a NUL, which no
message, name or path can hold, and a letter that says what it is, so that no message can pretend to
be a commit.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .problems import Problems

COMMANDS = """\
git --no-pager log HEAD --tags --no-show-signature --decorate=full --name-only \\
  --format='%x00H%H%x00P%P%x00A%aI%x00C%cI%x00N%an <%ae>%x00G%cn%x00D%D%x00S%s%x00B%b%x00F' \\
  > history.txt
git for-each-ref refs/tags >> history.txt \\
  --format='%00T%(refname)%00O%(objectname) %(*objectname)%00R%(creatordate:iso-strict)%00'"""
"""What writes the text, in a clone; paths (``--name-only``) are needed for ``--services`` only."""

_NEEDED = "HPACNGDSB"
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_TAG = "refs/tags/"
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


@dataclass
class History:
    """The commits and tags of a text, in the order in which it has them.

    Attributes:
        hashes: of each commit.
        rows: the place of each in the text, from 1; tags count too.
        fields: by letter, the texts of each commit.
        parents: of each commit, the places of those of its parents that the text has.
        is_merge: which commits have several parents.
        n_lacking: how many parents the text does not have.
        tags: the commit of each tag.
        tagged_at: when a tag was made, as text, where the text says it.
        n_records: how many commits and tags there are in the text, with those that are left out.
        tag_rows: the places of the tags that are used, in the text.
        head: the place of the commit that ``HEAD`` is; -1 if there is no commit.
    """

    hashes: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=lambda: {key: [] for key in _NEEDED + "F"})
    parents: list[list[int]] = field(default_factory=list)
    is_merge: list[bool] = field(default_factory=list)
    n_lacking: int = 0
    tags: dict[str, int] = field(default_factory=dict)
    tagged_at: dict[str, str] = field(default_factory=dict)
    n_records: int = 0
    tag_rows: list[int] = field(default_factory=list)
    head: int = -1


def read_history(path: Path, problems: Problems) -> History:
    """Return the commits and tags of a text; what is neither is listed, by its place in the text.

    Args:
        path: the file.
        problems: gets what is wrong with it.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", errors="replace")
        problems.add_file(path.name, "the file is not UTF-8", "what is not is left out")
    del data
    history = History()
    known: dict[str, int] = {}
    broken: list[int] = []
    again: list[int] = []
    tags: dict[int, dict[str, str]] = {}
    for number, record in enumerate(_records(text), start=1):
        history.n_records = number
        if "T" in record:
            tags[number] = record
            continue
        commit = record.get("H", "").strip()
        if not _HASH.fullmatch(commit) or not set(_NEEDED) <= set(record):
            broken.append(number)
        elif commit in known:
            again.append(number)
        else:
            known[commit] = len(known)
            history.hashes.append(commit)
            history.rows.append(number)
            for key, values in history.fields.items():
                values.append(record.get(key, ""))
    what = "neither a commit nor a tag as the command writes them"
    problems.add(path.name, "", what, "it is left out", broken)
    problems.add(path.name, "H", "the commit is there twice", "the first one is used", again)
    for place, names in enumerate(history.fields["P"]):
        there = names.split()
        found = [known[name] for name in there if name in known]
        history.parents.append(found)
        history.is_merge.append(len(there) > 1)
        history.n_lacking += len(there) - len(found)
        for name in history.fields["D"][place].split(", "):
            if name.startswith("tag: "):
                history.tags[name.removeprefix("tag: ").removeprefix(_TAG)] = place
            elif name == "HEAD" or name.startswith("HEAD -> "):
                history.head = place
    if history.head < 0 and history.hashes:
        history.head = 0
        what = "no commit is HEAD"
        problems.add_file(path.name, what, "the first commit is taken for the main branch's", "D")
    _add_tags(history, tags, known, path.name, problems)
    return history


def paths_of(text: str) -> list[str]:
    """Return the paths, one per line, without the quotes that Git puts around odd ones."""
    return [_unquoted(path) for path in text.split("\n") if path]


def _unquoted(path: str) -> str:
    if not (path.startswith('"') and path.endswith('"')):
        return path
    raw = _ESCAPED.sub(_plain, path[1:-1].encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", errors="replace")


def _plain(escaped: re.Match[bytes]) -> bytes:
    code = escaped[1]
    return bytes([int(code, 8) & 0xFF]) if code.isdigit() and len(code) == 3 else code


def _records(text: str) -> Iterable[dict[str, str]]:
    """Return the parts of each commit and tag by their letters."""
    record: dict[str, str] = {}
    for part in text.split("\0"):
        if part[:1] in ("H", "T") and record:
            yield record
            record = {}
        if part.strip():
            record[part[0] if part[0].isalpha() else "?"] = part[1:]
    if record:
        yield record


def _add_tags(
    history: History,
    tags: dict[int, dict[str, str]],
    known: dict[str, int],
    file: str,
    problems: Problems,
) -> None:
    """Add the tags that the second command wrote, with when they were made."""
    lost = {}
    for number, tag in tags.items():
        name = tag["T"].removeprefix(_TAG)
        objects = tag.get("O", "").split()  # of the tag, and of the commit if these are two
        place = known.get(objects[-1], -1) if objects else -1
        if place < 0:
            lost[number] = name
            continue
        history.tag_rows.append(number)
        history.tags[name] = place
        if tag.get("R"):
            history.tagged_at[name] = tag["R"].strip()
    what = "the tag is of no commit that is there"
    problems.add(file, "T", what, "the tag is left out", lost, lost.values())
