"""Texts of the model card that hold for every artefact."""

from __future__ import annotations

HOW_TO_USE = """\
```bash
python -m animeid.predict artefact=FOLDER input=pictures/ output=names.csv
```

Without animeid, with ONNX Runtime: resize the picture (RGB, bilinear, antialiased) and cut its centre as `config.json`
says under `animeid.input`, to {size[0]} x {size[1]} pixels, and give the pixels as they are, 0 to 255:

```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("FOLDER/model.onnx")
pictures = np.zeros((1, {size[0]}, {size[1]}, 3), np.uint8)
embedding, logits, probabilities = session.run(None, {{"pictures": pictures}})
```

{timm}"""

LIMITS = """\
- **Strangers.** It knows {classes} characters and gives one of these names to every picture, one that shows nobody it
  knows included. A low probability is a hint and no proof.
- **People.** It was made for drawn characters. It must not be used to identify, watch or judge real people.
- **Decisions about others' work.** A name is a guess from pixels, and no evidence of who drew a picture, to whom a
  character belongs, or whether a picture may be shown.
- **Other styles.** Figures hold for pictures like those it was judged on; in styles that training did not show it may
  be far worse.
- **Rare characters.** Where the intervals above are wide or missing, too few pictures were there to judge."""

TRAINED_ON_TEXT = """\
`trained_on.npz` has 8 bytes of the SHA-256 of each of the {pictures} that the weights have learnt from, in earlier runs
that they come from as well. Whoever trains with this artefact as teacher sees by it whether a picture to be judged was
among them. It shows nothing of a picture, but tells whoever has the very file that it was there."""

UNTOLD_TEXT = """\
It does not tell which pictures the weights have learnt from, as its makers chose: whoever trains with it as teacher
does not see whether pictures to be judged were among them."""

NOT_ALL_TEXT = """\
**These are not all of them.** Of an earlier run, or of some pictures, it could not be told any more which they were: a
picture that is not listed may have been learnt all the same."""
