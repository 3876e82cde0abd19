"""Plain words for what a page shows."""

from __future__ import annotations

FIGURES = {
    "f1_macro": "mean over the classes of F1, which falls with every picture missed and every wrong name given",
    "acc_macro": "share named rightly in each class, then the mean: every class counts alike",
    "acc_micro": "share of all pictures named rightly",
    "f1_weighted": "as f1_macro, but classes count by their pictures",
    "top5": "share whose name is among the five likeliest",
    "many/acc_macro": "acc_macro of the classes with many training pictures",
    "medium/acc_macro": "acc_macro of the classes with some training pictures",
    "few/acc_macro": "acc_macro of the classes with few training pictures",
    "ece": "expected calibration error: how far confidence is from the share that is right; 0 is best",
    "nll": "negative log-likelihood: how surprised the model is by the right names; lower is better",
    "loss": "what training lowers; lower is better",
}
"""Beside a figure's name, where it first stands."""

TERMS = {
    "train, val, test": "The parts of the pictures: learnt from, chosen by, and read once at the end.",
    "refit": "A last training on train and val, after which the model that is kept knows the pictures of both.",
    "twin": "The same training without val: its figures on val stand for those of the refit, which can have none.",
    "precision": "Of the pictures that were given a name, the share whose name it is.",
    "recall": "Of the pictures of a class, the share that were given its name.",
    "F1": "The harmonic mean of precision and recall: high only where both are.",
    "macro, micro": "Mean over classes, each counting alike; mean over pictures.",
    **FIGURES,
    "95 % interval": "Where the figure would lie for most other pictures of the same kind; of few pictures it is wide.",
    "group": "Pictures that belong together, such as copies of one another; a group lies in one part only.",
    "support": "The judged pictures of a class.",
    "many, medium, few": "Classes by the number of their training pictures.",
    "baseline": "An answer without learning: always the commonest class, or the class of the most similar colours.",
    "epoch": "One pass over the training pictures, counted from 1.",
    "over-fitting": "Knowing the training pictures by heart, at the cost of new ones.",
    "temperature": "What logits are divided by so that confidence is the share that is right.",
    "Grad-CAM": "A map of the places in a picture that spoke for an answer.",
    "embedding": "The numbers that the network makes of a picture; those of similar pictures are similar.",
}
"""At the end of a page."""
