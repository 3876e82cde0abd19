"""Study of the size of working pictures: `python -m experiments.cache.study [emoji_cast=FOLDER]`.

2 cores, about 8 minutes. The default training with working pictures of 8/7 of the output, as they are kept, and of
twice the output, where no random crop of the default augmentations is enlarged; on the built-in cast and on emoji_cast
by its grouped split. Expect no difference beyond chance at a third of the room.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from animeid.imaging.geometry import working_side
from experiments.runs import OUTPUTS, environment_line, metrics, percent, table, train

HERE = Path(__file__).parent
SIDES = {"8/7 of the output": working_side, "twice the output": lambda size: 2 * max(size)}
HEADER = ["pictures", "working picture", "side at 64 px", "val f1_macro", "test f1_macro"]


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    emoji_cast = Path(options.get("emoji_cast", "../shared/emoji_cast")) / "manifest.csv"
    if not emoji_cast.is_file():
        sys.exit(f"{emoji_cast} is not there: say where the pictures are with emoji_cast=FOLDER")
    sets = {"built-in cast": [], "emoji_cast": [f"data.root={emoji_cast}"]}
    rows = []
    for set_name, data in sets.items():
        for name, side in SIDES.items():
            with patch("animeid.assembly.data.working_side", side):
                run = f"{set_name} {name}".replace(" ", "_").replace("/", "-")
                found = metrics(train("cache", run, [*data, "augment=basic", "data.cache=off"]))
            figures = [percent(found["val"], "f1_macro"), percent(found["test"], "f1_macro")]
            rows.append([set_name, name, f"{side((64, 64))}", *figures])
    text = f"""# How small working pictures may be

`python -m experiments.cache.study` writes this page. The default training with `augment=basic`, whose random crops keep
half of the picture's area or more, one seed; percent with 95 % intervals from resampling groups.

{environment_line(OUTPUTS / "cache-built-in_cast_8-7_of_the_output")}

{table(HEADER, rows)}

The cache keeps 8/7 of the output. Its pixels are those that a run without a cache computes, to the bit
(`tests/training/test_run.py`), so that it changes no figure.
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
