"""Artefacts as they are read: what stands in one, whether it is what was exported, and what answers it; without torch.

Contract. An artefact is a folder of plain files, none of them a pickle:

- `config.json`: timm's layout, with label names and preprocessing, and one key of ours, `animeid` (see `artefact`);
- `model.safetensors`: the network as `timm.create_model("local-dir:FOLDER", pretrained=True)` loads it; of several runs
  that answer together, each network lies in a folder of its own below `members/`;
- `model.onnx`: everything from the pixels of the resized and cropped picture to the answer. Input `pictures`
  `[N, H, W, 3]` uint8; outputs `embedding` `[N, D]`, `logits` `[N, C]`, `probabilities` `[N, C]`, all float32, N free.
  Normalisation, the offset of the class prior and test-time views are inside; `probabilities` have been divided by the
  temperature, `logits` have not;
- `trained_on.npz`: `digests`, of the pictures that the weights have learnt (`animeid.data.duplicates.digests`);
- `labels.json`, `metrics.json`, `README.md`, optionally `means.npz`, `references/`, `references.npz`,
  `parity.json`, other engines;
- `checksums.txt`: the SHA-256 of every other file. The version of an artefact is the SHA-256 of this text.
"""
