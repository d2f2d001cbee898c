/* An epoch of one model: forward, losses, backward, clipping and Adam, step after step. Its weights stay in the
   processor's cache meanwhile, which those of many models together would not. */

#include "utterances.h"

#include <math.h>
#include <string.h>

#include "../compiled_layers/memory.h"
#include "descent.h"
#include "lanes.h"

struct work {
    struct block_memory encoder[2], shared;
    float *inputs[2], *embeddings, *d_embeddings, *d_encoder[2], *outputs, *d_outputs, *d_states, *states, *tile;
    float *gradient[2];
    const float **pointers[2], **of_states;
    double *labels, *labelled;
    long *at, *codes;
    long lanes[2], ld, bytes;
    char *of_triplet;
};

static char *share_work(const struct plan *p, long kinds, char *memory, struct work *w) {
    long each = sizeof(double) / sizeof(float), embedding = block_embedding(&p->shared), anchors = 0;
    w->ld = 0;
    for (int side = 0; side < 2; side++) {
        w->lanes[side] = up(p->modality[side].batch);
        w->ld += w->lanes[side];
        anchors += p->modality[side].drawn;
    }
    for (int side = 0; side < 2; side++) {
        memory = share_block(&p->encoder[side], w->lanes[side], memory, &w->encoder[side]);
        w->inputs[side] = floats(&memory, p->modality[side].width * w->lanes[side]);
        w->d_encoder[side] = floats(&memory, p->shared.features * w->lanes[side]);
        w->pointers[side] = (const float **)floats(&memory, w->lanes[side] * each);
        w->gradient[side] = floats(&memory, side ? p->extra.length : p->core.length);
    }
    memory = share_block(&p->shared, w->ld, memory, &w->shared);
    w->embeddings = floats(&memory, p->shared.features * w->ld);
    w->d_embeddings = floats(&memory, p->shared.features * w->ld);
    w->outputs = floats(&memory, p->loss.outputs * w->ld);
    w->d_outputs = floats(&memory, p->loss.outputs * w->ld);
    w->states = floats(&memory, embedding * w->ld);
    w->d_states = floats(&memory, embedding * w->ld);
    w->of_states = (const float **)floats(&memory, w->ld * each);
    w->tile = floats(&memory, from_lanes_values(w->ld));
    w->labels = (double *)floats(&memory, w->ld * each);
    w->labelled = (double *)floats(&memory, w->ld * each);
    w->at = (long *)floats(&memory, anchors * each);
    w->codes = (long *)floats(&memory, anchors * each);
    w->of_triplet = memory;
    return memory + triplet_bytes(anchors, p->shared.features, kinds);
}

EXPORT long utterance_bytes(const struct plan *p, long kinds) {
    struct work w;
    return bytes_up_to(share_work(p, kinds, 0, &w));
}

/* Embed a batch; the embeddings lie in `lanes` columns from `first` on. */
static void embed(const struct plan *p, const struct model *m, int side, long step, long first, struct work *w) {
    const struct modality *own = &p->modality[side];
    const struct block *b = &p->encoder[side];
    long lanes = w->lanes[side];
    for (long i = 0; i < own->batch; i++)
        w->pointers[side][i] = own->features + m->seen[side].indices[step * own->batch + i] * own->width;
    side_by_side(own->batch, own->width, w->pointers[side], w->inputs[side]);
    block_forward(b, side ? m->extra.values : m->core.values, w->inputs[side], own->batch, lanes, &w->encoder[side]);
    const float *found = block_outputs(b, &w->encoder[side], lanes);
    for (long unit = 0; unit < p->shared.features; unit++)
        memcpy(w->embeddings + unit * w->ld + first, found + unit * lanes, lanes * sizeof(float));
}

static double loss_of(const struct plan *p, const struct model *m, int side, long step, long first, double factor,
                      struct work *w) {
    long batch = p->modality[side].batch;
    const long *indices = m->seen[side].indices + step * batch;
    for (long i = 0; i < batch; i++) {
        w->labels[i] = m->seen[side].labels[indices[i]];
        w->labelled[i] = m->seen[side].labelled[indices[i]];
    }
    return prediction_loss(&p->loss, batch, w->outputs + first, w->ld, w->labels, w->labelled, factor,
                           w->d_outputs + first);
}

static double triplet_of(const struct plan *p, const struct model *m, long step, long *left_out, struct work *w) {
    long count = 0;
    for (int side = 0; side < 2; side++) {
        const struct modality *own = &p->modality[side];
        const long *drawn = m->seen[side].drawn + step * own->drawn;
        const long *indices = m->seen[side].indices + step * own->batch;
        for (long i = 0; i < own->drawn; i++, count++) {
            w->at[count] = (side ? w->lanes[0] : 0) + drawn[i];
            w->codes[count] = m->seen[side].codes[indices[drawn[i]]];
        }
    }
    return triplet_loss(&m->triplet, count, p->shared.features, w->embeddings, w->ld, w->at, w->codes, m->beta,
                        w->d_embeddings, left_out, w->of_triplet);
}

/* Outputs of the head, and the gradients from there on. */
static void read_out(const struct plan *p, const float *weights, long lanes, struct work *w) {
    const float *states = block_outputs(&p->shared, &w->shared, w->ld);
    onto_lanes(p->loss.outputs, lanes, block_embedding(&p->shared), weights + p->head_weight,
               block_embedding(&p->shared), 1, states, w->ld, w->outputs, w->ld, 0);
    for (long i = 0; i < p->loss.outputs; i++)
        for (long lane = 0; lane < lanes; lane++)
            w->outputs[i * w->ld + lane] += weights[p->head_bias + i];
}

static void read_back(const struct plan *p, const float *weights, long lanes, float *gradient, struct work *w) {
    long embedding = block_embedding(&p->shared), outputs = p->loss.outputs;
    apart(lanes, embedding, block_outputs(&p->shared, &w->shared, w->ld), w->ld, w->states, embedding);
    for (long lane = 0; lane < lanes; lane++)
        w->of_states[lane] = w->states + lane * embedding;
    from_lanes(outputs, lanes, embedding, w->d_outputs, w->ld, w->of_states, gradient + p->head_weight, w->tile);
    for (long i = 0; i < outputs; i++)
        gradient[p->head_bias + i] = total(w->d_outputs + i * w->ld, lanes);
    onto_lanes(embedding, lanes, outputs, weights + p->head_weight, 1, embedding, w->d_outputs, w->ld, w->d_states,
               w->ld, 0);
}

static void embed_back(const struct plan *p, const struct model *m, int side, long first, struct work *w) {
    long lanes = w->lanes[side];
    for (long unit = 0; unit < p->shared.features; unit++)
        memcpy(w->d_encoder[side] + unit * lanes, w->d_embeddings + unit * w->ld + first, lanes * sizeof(float));
    block_backward(&p->encoder[side], side ? m->extra.values : m->core.values, w->inputs[side], w->pointers[side],
                   p->modality[side].batch, lanes, w->d_encoder[side], 0, w->gradient[side], &w->encoder[side]);
}

EXPORT long utterance_epoch(const struct plan *p, const struct model *m, double *record, char *memory) {
    struct work w;
    int both = m->extra.values != 0, joint = both && m->alpha > 0, triplets = both && m->beta > 0;
    share_work(p, triplets ? m->triplet.kinds : 0, memory, &w);
    long lanes = joint ? w.ld : w.lanes[0];
    const float *weights = m->core.values;
    fill_up(&p->core, w.gradient[0]);
    fill_up(&p->extra, w.gradient[1]);
    for (int i = 0; i < 4; i++)
        record[i] = 0;
    for (long step = 0; step < p->steps; step++) {
        long left_out = 0;
        double losses[3] = {0};
        embed(p, m, 0, step, 0, &w);
        if (both)
            embed(p, m, 1, step, w.lanes[0], &w);
        block_forward(&p->shared, weights, w.embeddings, lanes, w.ld, &w.shared);
        read_out(p, weights, lanes, &w);
        memset(w.d_outputs, 0, p->loss.outputs * w.ld * sizeof(float));
        losses[0] = loss_of(p, m, 0, step, 0, 1, &w);
        if (joint)
            losses[1] = loss_of(p, m, 1, step, w.lanes[0], m->alpha, &w);
        read_back(p, weights, lanes, w.gradient[0], &w);
        if (both && !joint)
            memset(w.d_embeddings, 0, p->shared.features * w.ld * sizeof(float));
        block_backward(&p->shared, weights, w.embeddings, 0, lanes, w.ld, w.d_states, w.d_embeddings, w.gradient[0],
                       &w.shared);
        if (triplets)
            losses[2] = triplet_of(p, m, step, &left_out, &w);
        for (int i = 0; i < 3; i++) {
            if (!isfinite((float)losses[i]))
                return 1 + 2 * step;
            record[i] += losses[i];
        }
        record[3] += left_out;
        embed_back(p, m, 0, 0, &w);
        double squared = 0;
        if (both) {
            embed_back(p, m, 1, w.lanes[0], &w);
            squared = squared_norm(&p->extra, w.gradient[1]);
        }
        squared += squared_norm(&p->core, w.gradient[0]);
        if (!isfinite((float)squared))
            return 2 + 2 * step;
        double factor = p->clip_norm > 0 ? p->clip_norm / (sqrt(squared) + 1e-6) : 1;
        struct adam s = settings_of(&m->descent, step, factor < 1 ? factor : 1);
        update(&p->core, &m->core, w.gradient[0], &s);
        if (both)
            update(&p->extra, &m->extra, w.gradient[1], &s);
    }
    shrink(&p->core, &m->core, &m->descent, p->steps);
    if (both)
        shrink(&p->extra, &m->extra, &m->descent, p->steps);
    return 0;
}
