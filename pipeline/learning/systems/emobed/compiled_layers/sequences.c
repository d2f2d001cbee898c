/* A GRU layer over sequences of frames, and its gradients.

   Gates as in `recurrence.py`. Frames go in chunks of some rows (a row is a frame of a sequence, rows of one
   frame lie side by side), so that what a chunk needs stays in the cache next to the processor. Gates are kept for
   the way back where there is one: to write and read them takes less time than to compute them again. */

#include <string.h>

#include "layer.h"
#include "memory.h"
#include "products.h"
#include "recurrence.h"
#include "rows.h"

#define CHUNK 128 /* rows of a chunk, at least one frame */
#define AHEAD 2   /* frames by which gates are asked for before they are needed, on the way back */

static long frames_of_chunk(long batch) { return batch < CHUNK ? CHUNK / batch : 1; }

struct chunks {
    long count, ldx, ldh;
    float *x, *h;
};

/* Memory of both ways; returns what is left of it. */
static char *share(long batch, long frames, long features, long hidden, char *memory, struct chunks *c) {
    long most = frames_of_chunk(batch);
    c->count = most < frames ? most : frames;
    c->ldx = up(features), c->ldh = up(hidden);
    long rows = c->count * batch;
    c->x = floats(&memory, rows * c->ldx);
    c->h = floats(&memory, (rows + batch) * c->ldh);
    return memory;
}

struct gates {
    float *w_ih, *w_hh, *outer, *inner_bias, *gates, *inner;
};

static char *share_forward(long batch, long features, long hidden, const struct chunks *c, char *memory,
                           struct gates *g) {
    long rows = c->count * batch;
    g->w_ih = floats(&memory, 3 * c->ldh * features);
    g->w_hh = floats(&memory, 3 * c->ldh * hidden);
    g->outer = floats(&memory, 3 * c->ldh);
    g->inner_bias = floats(&memory, c->ldh);
    g->gates = floats(&memory, rows * 3 * c->ldh);
    g->inner = floats(&memory, rows * c->ldh);
    return memory;
}

struct gradients {
    float *back_ih, *back_hh, *sum_ih, *sum_hh, *d_gates, *d_x, *d_h, *carry, *of_chunk, *sum_bias;
};

static char *share_back(long batch, long hidden, const struct chunks *c, char *memory, struct gradients *g) {
    long rows = c->count * batch;
    g->back_ih = floats(&memory, 3 * hidden * c->ldx);
    g->back_hh = floats(&memory, 3 * hidden * c->ldh);
    g->sum_ih = floats(&memory, 3 * hidden * c->ldx);
    g->sum_hh = floats(&memory, 3 * hidden * c->ldh);
    g->d_gates = floats(&memory, rows * 4 * c->ldh);
    g->d_x = floats(&memory, rows * c->ldx);
    g->d_h = floats(&memory, rows * c->ldh);
    g->carry = floats(&memory, batch * c->ldh);
    g->of_chunk = floats(&memory, 4 * c->ldh);
    g->sum_bias = floats(&memory, 4 * c->ldh);
    return memory;
}

/* kept: gates of all rows, then what is within n and multiplied by r. */
long sequence_kept(long batch, long frames, long hidden) { return batch * frames * 4 * up(hidden); }

static const float *inner_of(const float *kept, long batch, long frames, long hidden) {
    return kept + batch * frames * 3 * up(hidden);
}

void forward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
             const float *const *weights, float *states, float *kept, char *memory) {
    struct chunks c;
    struct gates g;
    memory = share(batch, frames, features, hidden, memory, &c);
    share_forward(batch, features, hidden, &c, memory, &g);
    pack_gates(weights[0], features, hidden, g.w_ih);
    pack_gates(weights[2], hidden, hidden, g.w_hh);
    biases(weights[1], weights[3], hidden, g.outer, g.inner_bias);
    long frame = batch * c.ldh; /* values of a frame's states */
    memset(c.h, 0, frame * sizeof(float));
    for (long first = 0; first < frames; first += c.count) {
        long own = frames - first < c.count ? frames - first : c.count;
        if (kept) {
            g.gates = kept + first * 3 * frame;
            g.inner = (float *)inner_of(kept, batch, frames, hidden) + first * frame;
        }
        rows_in(inputs, batch, strides[1], strides[2], first, own, features, c.x);
        project(own * batch, features, hidden, c.x, g.w_ih, g.outer, g.gates);
        for (long t = 0; t < own; t++)
            steps(batch, hidden, first + t ? hidden : 0, c.h + t * frame, g.w_hh, g.inner_bias,
                  g.gates + t * 3 * frame, g.inner + t * frame, c.h + (t + 1) * frame);
        rows_out(c.h + frame, batch, frames, first, own, hidden, states);
        memcpy(c.h, c.h + own * frame, frame * sizeof(float));
    }
}

/* into (rows, n): what was summed in a matrix of padded rows */
static void unpad(const float *from, long rows, long n, float *into) {
    for (long i = 0; i < rows; i++)
        copy_row(from + i * up(n), n, into + i * n);
}

/* Values that will be read soon come into the cache. */
static void soon(const float *from, long count) {
    for (long i = 0; i < count; i += 16)
        __builtin_prefetch(from + i, 0, 2);
}

void backward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
              const float *const *weights, const float *states, const float *kept, const float *gradient,
              float *d_inputs, float *const *d_weights, char *memory) {
    struct chunks c;
    struct gradients g;
    memory = share(batch, frames, features, hidden, memory, &c);
    share_back(batch, hidden, &c, memory, &g);
    long ldx = c.ldx, ldh = c.ldh, frame = batch * ldh, none = 0;
    const float *inner = inner_of(kept, batch, frames, hidden);
    const long into_inputs[3] = {0, ldh, 2 * ldh}, into_states[3] = {0, ldh, 3 * ldh}; /* planes of slopes */
    if (ldx == features)
        g.sum_ih = d_weights[0];
    if (ldh == hidden)
        g.sum_hh = d_weights[2];
    if (d_inputs)
        pack(weights[0], 3 * hidden, features, features, 1, g.back_ih);
    pack(weights[2], 3 * hidden, hidden, hidden, 1, g.back_hh);
    memset(g.carry, 0, frame * sizeof(float));
    memset(g.sum_bias, 0, 4 * ldh * sizeof(float));
    int add = 0;
    for (long first = (frames - 1) / c.count * c.count; first >= 0; first -= c.count, add = 1) {
        long own = frames - first < c.count ? frames - first : c.count, rows = own * batch;
        rows_in(inputs, batch, strides[1], strides[2], first, own, features, c.x);
        rows_in(gradient, batch, frames * hidden, hidden, first, own, hidden, g.d_h);
        /* states before each frame; nothing is before the first */
        long start = first ? 0 : batch;
        memset(c.h, 0, start * ldh * sizeof(float));
        rows_in(states, batch, frames * hidden, hidden, first ? first - 1 : 0, first ? own : own - 1, hidden,
                c.h + start * ldh);
        memset(g.of_chunk, 0, 4 * ldh * sizeof(float)); /* a sum of few is more precise than one of all */
        for (long t = own - 1; t >= 0; t--) {
            if (first + t >= AHEAD) {
                soon(kept + (first + t - AHEAD) * 3 * frame, 3 * frame);
                soon(inner + (first + t - AHEAD) * frame, frame);
            }
            float *d = g.d_gates + t * 4 * frame;
            slopes(batch, hidden, kept + (first + t) * 3 * frame, inner + (first + t) * frame, c.h + t * frame,
                   g.d_h + t * frame, g.carry, d, g.of_chunk);
            if (first + t)
                product(batch, ldh / WIDTH, 3, into_states, hidden, d, 4 * ldh, 1, g.back_hh, 0, 1, g.carry, ldh, 1);
        }
        for (long gate = 0; gate < 3; gate++) {
            product(hidden, ldx / WIDTH, 1, &none, rows, g.d_gates + into_inputs[gate], 1, 4 * ldh, c.x, ldx, 0,
                    g.sum_ih + gate * hidden * ldx, ldx, add);
            product(hidden, ldh / WIDTH, 1, &none, rows, g.d_gates + into_states[gate], 1, 4 * ldh, c.h, ldh, 0,
                    g.sum_hh + gate * hidden * ldh, ldh, add);
        }
        for (long v = 0; v < 4 * ldh; v += WIDTH)
            AT(g.sum_bias + v) += READ(g.of_chunk + v);
        if (d_inputs) {
            product(rows, ldx / WIDTH, 3, into_inputs, hidden, g.d_gates, 4 * ldh, 1, g.back_ih, 0, 1, g.d_x, ldx, 0);
            rows_out(g.d_x, batch, frames, first, own, features, d_inputs);
        }
    }
    if (ldx != features)
        unpad(g.sum_ih, 3 * hidden, features, d_weights[0]);
    if (ldh != hidden)
        unpad(g.sum_hh, 3 * hidden, hidden, d_weights[2]);
    for (long gate = 0; gate < 3; gate++) {
        memcpy(d_weights[1] + gate * hidden, g.sum_bias + into_inputs[gate], hidden * sizeof(float));
        memcpy(d_weights[3] + gate * hidden, g.sum_bias + into_states[gate], hidden * sizeof(float));
    }
}

static long larger(long one, long other) { return one > other ? one : other; }

long sequence_bytes(long batch, long frames, long features, long hidden) {
    struct chunks c;
    struct gates there;
    struct gradients back;
    char *end = share(batch, frames, features, hidden, 0, &c);
    return larger(bytes_up_to(share_forward(batch, features, hidden, &c, end, &there)),
                  bytes_up_to(share_back(batch, hidden, &c, end, &back)));
}
