"""Names for any number of characters: Japanese in Latin letters, in kanji and kana, and Chinese."""

from __future__ import annotations

import numpy as np

_FAMILY = (
    ("Hoshino", "星野"),
    ("Kisaragi", "如月"),
    ("Minase", "水瀬"),
    ("Shirogane", "白銀"),
    ("Tachibana", "橘"),
    ("Amamiya", "雨宮"),
    ("Kagurazaka", "神楽坂"),
    ("Fujisaki", "藤崎"),
    ("Kurokawa", "黒川"),
    ("Asahina", "朝比奈"),
    ("Tsukishima", "月島"),
    ("Sakuraba", "桜庭"),
    ("Takamine", "高峰"),
    ("Natsume", "夏目"),
    ("Yukimura", "雪村"),
    ("Aozora", "青空"),
    ("Hinata", "日向"),
    ("Mizuhara", "水原"),
    ("Kanzaki", "神崎"),
    ("Morino", "森野"),
)
_GIVEN = (
    ("Rin", "凛"),
    ("Aoi", "葵"),
    ("Sakura", "さくら"),
    ("Hikari", "ひかり"),
    ("Yui", "結衣"),
    ("Haruka", "遥"),
    ("Kaede", "楓"),
    ("Mio", "澪"),
    ("Ren", "蓮"),
    ("Sora", "ソラ"),
    ("Akira", "晶"),
    ("Hinata", "陽葵"),
    ("Yuki", "雪"),
    ("Nagi", "凪"),
    ("Tsumugi", "紬"),
    ("Kotone", "琴音"),
    ("Luna", "ルナ"),
    ("Chihiro", "千尋"),
    ("Itsuki", "樹"),
    ("Mei", "芽衣"),
    ("Kanata", "奏多"),
    ("Shiori", "栞"),
    ("Ruri", "瑠璃"),
    ("Toma", "冬馬"),
)
_CHINESE_FAMILY = ("林", "陈", "白", "苏", "叶", "慕容", "江", "沈", "顾", "欧阳", "柳", "秦")
_CHINESE_GIVEN = (
    "雪",
    "若曦",
    "子墨",
    "清歌",
    "晓月",
    "云舒",
    "明轩",
    "诗涵",
    "星河",
    "灵儿",
    "思远",
    "婉清",
    "天佑",
    "梦瑶",
)


def _roman(rng: np.random.Generator) -> str:
    return f"{_GIVEN[rng.integers(len(_GIVEN))][0]} {_FAMILY[rng.integers(len(_FAMILY))][0]}"


def _kanji(rng: np.random.Generator) -> str:
    return _FAMILY[rng.integers(len(_FAMILY))][1] + _GIVEN[rng.integers(len(_GIVEN))][1]


def _chinese(rng: np.random.Generator) -> str:
    return _CHINESE_FAMILY[rng.integers(len(_CHINESE_FAMILY))] + _CHINESE_GIVEN[rng.integers(len(_CHINESE_GIVEN))]


def make_names(count: int, rng: np.random.Generator) -> list[str]:
    """`count` different names; a name that is taken already gets a number behind it."""
    makers = (_roman, _kanji, _roman, _chinese)
    names: dict[str, None] = {}
    for index in range(count):
        base = name = makers[index % len(makers)](rng)
        number = 2
        while name in names:
            name = f"{base} {number}"
            number += 1
        names[name] = None
    return list(names)
