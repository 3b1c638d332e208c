"""Generates Chinese prose with realistic word frequencies.

Words and frequencies come from jieba's dictionary; the sentences have no meaning.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from itertools import accumulate
from pathlib import Path

PLACES = (
    "浙江", "杭州", "宁波", "温州", "嘉兴", "湖州", "绍兴", "金华", "衢州", "舟山", "台州", "丽水",
    "鹿城区", "瓯海区", "洞头区", "乐清市", "上城区", "西湖区", "萧山区", "余杭区", "富阳区",
    "临安区", "桐庐县", "淳安县", "建德市", "海曙区", "江北区", "镇海区", "鄞州区", "慈溪市",
    "余姚市", "象山县", "瑞安市", "平阳县", "苍南县", "南湖区", "海宁市", "桐乡市", "嘉善县",
    "吴兴区", "南浔区", "德清县", "安吉县", "长兴县", "越城区", "柯桥区", "诸暨市", "嵊州市",
    "义乌市", "东阳市", "永康市", "兰溪市", "江山市", "开化县", "定海区", "普陀区", "椒江区",
    "黄岩区", "温岭市", "临海市", "莲都区", "龙泉市", "青田县", "缙云县",
)  # fmt: skip
PHRASES = (
    "环境保护督察", "生态文明建设", "最多跑一次", "五水共治", "特色小镇", "美丽乡村", "一带一路",
    "省委省政府", "乡村振兴", "垃圾分类", "数字经济", "共同富裕", "剿灭劣V类水", "两山理论",
    "大花园建设", "河长制", "G20峰会", "世界互联网大会", "钱塘江", "千岛湖", "之江实验室",
)  # fmt: skip
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛段郝顾龚邵万覃武钱戴严莫孔向常"
_GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰飞玲红梅云燕晨帆波宇浩凯健俊晓雨婷欣佳志文思嘉博子涵昊然欢琳璐雪莹倩颖"
_ROW = re.compile(r"^([\u4e00-\u9fff]+) (\d+) (\S*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its full stop, and how many Chinese characters it has."""

    text: str
    characters: int


@cache
def words() -> tuple[tuple[str, int, str], ...]:
    """Each word of Chinese characters only, with its count and part of speech."""
    # Read, not imported: importing the module gives deprecation warnings.
    path = Path(str(distribution("jieba").locate_file("jieba/dict.txt")))
    rows = _ROW.findall(path.read_text(encoding="utf-8"))
    return tuple((word, int(number), kind) for word, number, kind in rows)


def nouns(number: int) -> tuple[str, ...]:
    """The most frequent nouns of two to four characters, most frequent first."""
    found = [(n, w) for w, n, kind in words() if kind in {"n", "vn"} and 2 <= len(w) <= 4]
    return tuple(w for _, w in sorted(found, key=lambda each: (-each[0], each[1]))[:number])


def people(rng: random.Random, number: int) -> tuple[str, ...]:
    """Distinct names of two or three characters."""
    names: dict[str, None] = {}
    while len(names) < number:
        names[rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.randint(1, 2)))] = None
    return tuple(names)


def falling(number: int) -> list[float]:
    """Cumulative weights 1, 1/2, 1/3 …, as the frequencies of names and words fall."""
    return list(accumulate(1 / rank for rank in range(1, number + 1)))


@cache
def sentences(seed: int, number: int) -> tuple[Sentence, ...]:
    """Sentences of two or three clauses, 12 to 75 characters, one in three with a local name."""
    rng = random.Random(seed)
    stream = word_stream(rng)
    return tuple(_sentence(rng, stream) for _ in range(number))


def word_stream(rng: random.Random) -> Iterator[str]:
    """An endless sequence of words with their frequencies in Chinese."""
    table = words()
    known, weights = [w for w, _, _ in table], list(accumulate(n for _, n, _ in table))
    while True:
        yield from rng.choices(known, cum_weights=weights, k=100_000)


def clause(stream: Iterator[str], characters: int) -> str:
    """Words with at least this many characters in total."""
    text = ""
    while len(text) < characters:
        text += next(stream)
    return text


def _sentence(rng: random.Random, stream: Iterator[str]) -> Sentence:
    clauses = [clause(stream, rng.randint(6, 18)) for _ in range(rng.randint(2, 3))]
    if rng.random() < 1 / 3:
        name = rng.choice(PLACES if rng.random() < 0.7 else PHRASES)
        at = rng.randrange(len(clauses))
        clauses[at] = name + clauses[at]
    text = "，".join(clauses)
    return Sentence(f"{text}。", len(text) - len(clauses) + 1)
