"""Names that folders of parts go by: `Training`, `valid`, `seg_test`, `測試集`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

WORDS = {
    "train": (
        "train training trainings trn entraînement apprentissage entrenamiento addestramento treino treinamento "
        "обучение обучающая тренировка тренировочная 訓練 训练 学習 トレーニング 학습 훈련"
    ),
    "val": (
        "val valid validate validation dev devel eval evaluation validierung validierungs validación validazione "
        "convalida validação валидация валидационная проверка 検証 評価 验证 驗證 评估 검증 평가"
    ),
    "test": (
        "test tests testing tst prueba pruebas teste тест тестовая тестирование テスト 試験 测试 測試 테스트 시험"
    ),
    "unknown": "unknown unknowns",
}
"""Words for each part, those for held-out pictures that do not say whether they choose or judge with `val`: pictures
that choose spoil no figure of test."""

FILLERS = (
    "set sets data dataset datasets image images img imgs picture pictures pic pics photo photos sample samples split "
    "splits part subset folder daten bilder datos dati dados données imágenes imagens de d du of выборка данные набор "
    "データ データセット セット 用 画像 集 数据 數據 资料 資料 图像 图片 圖片 데이터 데이터셋 세트 용 이미지"
)
"""What may stand beside such a word and says nothing."""

BESIDE = re.compile(r"masks?|labels?|annotations?|annos?|xmls?|jsons?|txts?|bbox(?:es)?|boxes|depths?|segmentations?")
"""What stands beside pictures and tells of them."""


@dataclass(frozen=True)
class PartName:
    """What a folder's name says.

    part: `train`, `val`, `test` or `unknown`.
    rest: its other words, which parts of one set share: `seg` of `seg_train` and `seg_test`.
    numbers: digits in it, which tell folders of one part apart: `train_1`, `train_2`.
    """

    part: str
    rest: frozenset[str]
    numbers: tuple[str, ...]


def part_of(name: str) -> PartName | None:
    """What the name of a folder of a part says; None where it names no part, or two."""
    given = tokens(name)
    words = [token for token in given if not token.isdigit()]
    found = {token: match.lastgroup for token in words if (match := PART.fullmatch(token))}
    parts = [found[token] for token in words if token in found]
    if len(parts) != 1:
        return None
    rest = frozenset(token for token in words if token not in found and not FILLER.fullmatch(token))
    return PartName(str(parts[0]), rest, tuple(token for token in given if token.isdigit()))


def says_nothing(name: str) -> bool:
    """Whether a folder is called `images`, `data` or the like."""
    given = tokens(name)
    return bool(given) and all(FILLER.fullmatch(token) for token in given)


def is_about_pictures(name: str) -> bool:
    """Whether a folder's name says that it holds masks, labels or the like, which stand beside pictures."""
    given = tokens(name)
    return bool(given) and all(BESIDE.fullmatch(token) or FILLER.fullmatch(token) for token in given)


def tokens(name: str) -> list[str]:
    """A name's words and numbers, without what case, width and accents differ by."""
    return re.findall(r"\d+|[^\W\d_]+", _folded(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)))


def _folded(text: str) -> str:
    """Without what case, width and accents differ by."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _choice(words: str) -> str:
    return "|".join(sorted(map(re.escape, _folded(words).split()), key=len, reverse=True))


FILLER = re.compile(f"(?:{_choice(FILLERS)})+")
PART = re.compile(
    f"(?:{_choice(FILLERS)})*(?:{'|'.join(f'(?P<{part}>{_choice(words)})' for part, words in WORDS.items())})"
    f"(?:s?(?:{_choice(FILLERS)}))*"
)
