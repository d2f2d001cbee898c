/* Training on single frames: what `pipeline.learning.systems.emobed.utterances` hands over, field by field. */

#ifndef UTTERANCES_H
#define UTTERANCES_H

#include "cells.h"
#include "descent.h"
#include "losses.h"
#include "triplets.h"

/* Sequences of one modality, features (sequences, width). batch: sequences of a step. drawn: of these, frames that form
   triplets. */
struct modality {
    const float *features;
    long width, batch, drawn;
};

/* What all models share. core: target encoder, shared network and head; extra: auxiliary encoder. */
struct plan {
    long steps;
    struct modality modality[2];
    struct block encoder[2], shared;
    long head_weight, head_bias;
    struct parts core, extra;
    struct loss loss;
    double clip_norm; /* 0: gradients are not clipped */
};

/* What a model sees of a modality. indices: (steps, batch). labels, labelled, codes: of all sequences. drawn: (steps,
   drawn), places in the batch. */
struct seen {
    const long *indices;
    const double *labels, *labelled;
    const long *codes, *drawn;
};

/* One model. extra: 0 where it has no auxiliary encoder. */
struct model {
    struct row core, extra;
    struct seen seen[2];
    double alpha, beta;
    struct descent descent;
    struct triplet triplet;
};

/* Bytes of memory to work in. */
long utterance_bytes(const struct plan *p, long kinds);

/* Train one model for an epoch. record: sums over steps of the three losses and of anchors left out. Returns 0, or 1 + 2
   * step where a loss is not finite, 2 + 2 * step where a gradient is not. */
long utterance_epoch(const struct plan *p, const struct model *m, double *record, char *memory);

#endif
