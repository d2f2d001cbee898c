/* A GRU layer over sequences of frames, and its gradients.

   Gates as in `recurrence.py`. Frames go in chunks of some rows (a row is a frame of a sequence, rows of one
   frame lie side by side), so that what a chunk needs stays in the cache next to the processor. Gates are not
   kept: the way back computes those of a chunk again from inputs and states, for all its frames at once and bit
   by bit the same. */

#include <string.h>

#include "gates.h"
#include "layer.h"
#include "memory.h"
#include "products.h"

#define CHUNK 128 /* rows of a chunk, at least one frame */

/* Blocks of units: the three gates of PAIR vectors of units lie side by side, [block][gate][unit]. */
static long block_vectors(long v, long vectors) { return vectors - v < PAIR ? vectors - v : PAIR; }

static void pack_gates(const float *weight, long depth, long hidden, float *into) {
    long vectors = up(hidden) / WIDTH;
    for (long v = 0; v < vectors;) {
        long own = block_vectors(v, vectors), width = own * WIDTH;
        for (long gate = 0; gate < 3; gate++)
            for (long j = 0; j < width; j++) {
                long unit = v * WIDTH + j;
                const float *from = weight + (gate * hidden + unit) * depth;
                float *to = into + gate * width + j;
                for (long k = 0; k < depth; k++)
                    to[k * 3 * width] = unit < hidden ? from[k] : 0;
            }
        into += depth * 3 * width;
        v += own;
    }
}

/* One block of units of a few rows: gates and states from what goes into them and the states before. */
INLINE void step(const int rows, const int own, long depth, const float *before, long unit, long ldh,
                 const float *weight, const float *bias_n, float *gates, long ldg, float *inner, float *states) {
    vec sum[ROWS][COLUMNS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (int v = 0; v < 2 * own; v++)
            sum[r][v] = READ(gates + r * ldg + v * WIDTH);
#pragma GCC unroll 2
        for (int v = 0; v < own; v++)
            sum[r][2 * own + v] = READ(bias_n + v * WIDTH);
    }
    const float *from = before;
    for (long k = 0; k < depth; k++, weight += 3 * own * WIDTH) {
        vec factor[ROWS];
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            factor[r] = SAME(from[r * ldh + k]);
            HELD(factor[r]);
        }
#pragma GCC unroll 6
        for (int v = 0; v < 3 * own; v++) {
            vec right = READ(weight + v * WIDTH);
            HELD(right);
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++)
                sum[r][v] = FUSED(factor[r], right, sum[r][v]);
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < own; v++) {
            float *g = gates + r * ldg + v * WIDTH;
            vec reset = sigmoid(sum[r][v]), update = sigmoid(sum[r][own + v]), into = sum[r][2 * own + v];
            vec candidate = hyperbolic(FUSED(reset, into, READ(g + 2 * own * WIDTH)));
            AT(g) = reset;
            AT(g + own * WIDTH) = update;
            AT(g + 2 * own * WIDTH) = candidate;
            AT(inner + r * ldh + v * WIDTH) = into;
            AT(states + r * ldh + v * WIDTH) =
                FUSED(update, READ(before + unit + r * ldh + v * WIDTH) - candidate, candidate);
        }
}

#define STEP(R, OWN)                                                                                                 \
    case (R - 1) * 2 + OWN - 1:                                                                                      \
        step(R, OWN, depth, before, unit, ldh, weight, bias_n, gates, ldg, inner, states);                                 \
        break;

static void any_step(int rows, int own, long depth, const float *before, long unit, long ldh,
                     const float *weight, const float *bias_n, float *gates, long ldg, float *inner, float *states) {
    switch ((rows - 1) * 2 + own - 1) {
        STEP(1, 1) STEP(2, 1) STEP(3, 1) STEP(4, 1)
#if PAIR == 2
        STEP(1, 2) STEP(2, 2) STEP(3, 2) STEP(4, 2)
#endif
    }
}

/* All units of some rows; depth 0: nothing is before them. */
static void steps(long rows, long hidden, long depth, const float *before, const float *weight, const float *bias_n,
                  float *gates, float *inner, float *states) {
    long ldh = up(hidden), ldg = 3 * ldh, vectors = ldh / WIDTH;
    for (long v = 0; v < vectors;) {
        long own = block_vectors(v, vectors), unit = v * WIDTH;
        for (long r = 0; r < rows; r += ROWS) {
            int count = rows - r < ROWS ? rows - r : ROWS;
            any_step(count, own, depth, before + r * ldh, unit, ldh, weight + hidden * 3 * unit, bias_n + unit,
                     gates + r * ldg + 3 * unit, ldg, inner + r * ldh + unit, states + r * ldh + unit);
        }
        v += own;
    }
}

/* Rows of frames first to first + count - 1 of (batch, frames, n), side by side by frame, padded with 0. */
static void rows_in(const float *from, long batch, long of_sequence, long of_frame, long first, long count, long n,
                    float *into) {
    long width = up(n);
    for (long t = 0; t < count; t++)
        for (long b = 0; b < batch; b++, into += width) {
            memcpy(into, from + b * of_sequence + (first + t) * of_frame, n * sizeof(float));
            memset(into + n, 0, (width - n) * sizeof(float));
        }
}

static void rows_out(const float *from, long batch, long frames, long first, long count, long n, float *into) {
    long width = up(n);
    for (long t = 0; t < count; t++)
        for (long b = 0; b < batch; b++, from += width)
            memcpy(into + (b * frames + first + t) * n, from, n * sizeof(float));
}

static long frames_of_chunk(long batch) { return batch < CHUNK ? CHUNK / batch : 1; }

/* Rows of a chunk go in: inputs and biases of the three gates, [block][gate][unit]. */
static void project(long rows, long features, long hidden, const float *inputs, const float *weight, const float *bias,
                    float *gates) {
    long ldh = up(hidden), vectors = ldh / WIDTH, none = 0;
    for (long v = 0; v < vectors;) {
        long own = block_vectors(v, vectors), at = 3 * v * WIDTH;
        for (long r = 0; r < rows; r += ROWS) {
            int count = rows - r < ROWS ? rows - r : ROWS;
            any_tile(count, 3 * own, 1, &none, features, inputs + r * up(features), up(features), 1,
                     weight + features * at, 3 * own * WIDTH, bias + at, gates + r * 3 * ldh + at, 3 * ldh, 0);
        }
        v += own;
    }
}

/* Biases: of what goes in, [block][gate][unit], and that of n within the product with r. */
static void biases(const float *bias_ih, const float *bias_hh, long hidden, float *outer, float *inner) {
    long vectors = up(hidden) / WIDTH;
    for (long v = 0; v < vectors;) {
        long own = block_vectors(v, vectors), width = own * WIDTH;
        for (long j = 0; j < width; j++) {
            long unit = v * WIDTH + j;
            for (long gate = 0; gate < 3; gate++) {
                float sum = unit < hidden ? bias_ih[gate * hidden + unit] : 0;
                if (gate < 2 && unit < hidden)
                    sum += bias_hh[gate * hidden + unit];
                outer[3 * v * WIDTH + gate * width + j] = sum;
            }
            inner[unit] = unit < hidden ? bias_hh[2 * hidden + unit] : 0;
        }
        v += own;
    }
}

struct chunks {
    long count, ldx, ldh;
    float *w_ih, *w_hh, *outer, *inner_bias, *x, *gates, *inner, *h;
};

/* Memory of both ways; returns what is left of it. */
static char *share(long batch, long frames, long features, long hidden, char *memory, struct chunks *c) {
    long most = frames_of_chunk(batch);
    c->count = most < frames ? most : frames;
    c->ldx = up(features), c->ldh = up(hidden);
    long rows = c->count * batch;
    c->w_ih = floats(&memory, 3 * c->ldh * features);
    c->w_hh = floats(&memory, 3 * c->ldh * hidden);
    c->outer = floats(&memory, 3 * c->ldh);
    c->inner_bias = floats(&memory, c->ldh);
    c->x = floats(&memory, rows * c->ldx);
    c->gates = floats(&memory, rows * 3 * c->ldh);
    c->inner = floats(&memory, rows * c->ldh);
    c->h = floats(&memory, (rows + batch) * c->ldh);
    return memory;
}

struct gradients {
    float *back_ih, *back_hh, *sum_ih, *sum_hh, *d_gates, *d_x, *d_h, *again, *carry, *sum_bias;
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
    g->again = floats(&memory, rows * c->ldh);
    g->carry = floats(&memory, batch * c->ldh);
    g->sum_bias = floats(&memory, 4 * c->ldh);
    return memory;
}

static void pack_forward(long frames, long features, long hidden, const float *const *weights, struct chunks *c) {
    pack_gates(weights[0], features, hidden, c->w_ih);
    if (frames > 1)
        pack_gates(weights[2], hidden, hidden, c->w_hh);
    biases(weights[1], weights[3], hidden, c->outer, c->inner_bias);
}

void forward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
                    const float *const *weights, float *states, char *memory) {
    struct chunks c;
    share(batch, frames, features, hidden, memory, &c);
    pack_forward(frames, features, hidden, weights, &c);
    long frame = batch * c.ldh; /* values of a frame's states */
    memset(c.h, 0, frame * sizeof(float));
    for (long first = 0; first < frames; first += c.count) {
        long own = frames - first < c.count ? frames - first : c.count;
        rows_in(inputs, batch, strides[1], strides[2], first, own, features, c.x);
        project(own * batch, features, hidden, c.x, c.w_ih, c.outer, c.gates);
        for (long t = 0; t < own; t++)
            steps(batch, hidden, first + t ? hidden : 0, c.h + t * frame, c.w_hh, c.inner_bias,
                  c.gates + t * 3 * frame, c.inner + t * frame, c.h + (t + 1) * frame);
        rows_out(c.h + frame, batch, frames, first, own, hidden, states);
        memcpy(c.h, c.h + own * frame, frame * sizeof(float));
    }
}

/* Gradients of gates of the rows of one frame, (rows, 4 planes of units: r, z, n, n times r), and of the states
   before as far as they do not go through the gates. */
static void slopes(long rows, long hidden, const float *gates, const float *inner, const float *before,
                   const float *gradient, float *carry, float *d_gates) {
    long ldh = up(hidden), vectors = ldh / WIDTH;
    for (long row = 0; row < rows; row++)
        for (long v = 0; v < vectors;) {
            long own = block_vectors(v, vectors);
            for (long i = 0; i < own; i++) {
                long unit = (v + i) * WIDTH, at = row * ldh + unit;
                const float *g = gates + row * 3 * ldh + 3 * v * WIDTH + i * WIDTH;
                vec r = READ(g), z = READ(g + own * WIDTH), n = READ(g + 2 * own * WIDTH);
                vec d_h = READ(gradient + at) + READ(carry + at);
                vec d_n = d_h * (1.f - z) * (1.f - n * n);
                float *d = d_gates + row * 4 * ldh + unit;
                AT(d) = d_n * READ(inner + at) * r * (1.f - r);
                AT(d + ldh) = d_h * (READ(before + at) - n) * z * (1.f - z);
                AT(d + 2 * ldh) = d_n;
                AT(d + 3 * ldh) = d_n * r;
                AT(carry + at) = d_h * z;
            }
            v += own;
        }
}

/* into (3 * hidden, n): what was summed in a matrix of padded rows */
static void unpad(const float *from, long rows, long n, float *into) {
    for (long i = 0; i < rows; i++)
        memcpy(into + i * n, from + i * up(n), n * sizeof(float));
}

void backward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
                     const float *const *weights, const float *states, const float *gradient, float *d_inputs,
                     float *const *d_weights, char *memory) {
    struct chunks c;
    struct gradients g;
    share_back(batch, hidden, &c, share(batch, frames, features, hidden, memory, &c), &g);
    long ldx = c.ldx, ldh = c.ldh, frame = batch * ldh, none = 0;
    const long into_inputs[3] = {0, ldh, 2 * ldh}, into_states[3] = {0, ldh, 3 * ldh}; /* planes of slopes */
    if (ldx == features)
        g.sum_ih = d_weights[0];
    pack_forward(frames, features, hidden, weights, &c);
    if (d_inputs)
        pack(weights[0], 3 * hidden, features, features, 1, g.back_ih);
    if (frames > 1)
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
        project(rows, features, hidden, c.x, c.w_ih, c.outer, c.gates);
        steps(start, hidden, 0, c.h, c.w_hh, c.inner_bias, c.gates, c.inner, g.again);
        steps(rows - start, hidden, hidden, c.h + start * ldh, c.w_hh, c.inner_bias, c.gates + start * 3 * ldh,
              c.inner + start * ldh, g.again);
        for (long t = own - 1; t >= 0; t--) {
            float *d = g.d_gates + t * 4 * frame;
            slopes(batch, hidden, c.gates + t * 3 * frame, c.inner + t * frame, c.h + t * frame, g.d_h + t * frame,
                   g.carry, d);
            if (first + t)
                product(batch, ldh / WIDTH, 3, into_states, hidden, d, 4 * ldh, 1, g.back_hh, 0, 1, g.carry, ldh, 1);
        }
        for (long gate = 0; gate < 3; gate++) {
            product(hidden, ldx / WIDTH, 1, &none, rows, g.d_gates + into_inputs[gate], 1, 4 * ldh, c.x, ldx, 0,
                    g.sum_ih + gate * hidden * ldx, ldx, add);
            if (frames > 1)
                product(hidden, ldh / WIDTH, 1, &none, rows, g.d_gates + into_states[gate], 1, 4 * ldh, c.h, ldh, 0,
                        g.sum_hh + gate * hidden * ldh, ldh, add);
        }
        for (long v = 0; v < 4 * ldh; v += WIDTH) {
            vec sum = {0};
            for (long row = 0; row < rows; row++)
                sum += READ(g.d_gates + row * 4 * ldh + v);
            AT(g.sum_bias + v) += sum;
        }
        if (d_inputs) {
            product(rows, ldx / WIDTH, 3, into_inputs, hidden, g.d_gates, 4 * ldh, 1, g.back_ih, 0, 1, g.d_x, ldx, 0);
            rows_out(g.d_x, batch, frames, first, own, features, d_inputs);
        }
    }
    if (ldx != features)
        unpad(g.sum_ih, 3 * hidden, features, d_weights[0]);
    if (frames > 1)
        unpad(g.sum_hh, 3 * hidden, hidden, d_weights[2]);
    for (long gate = 0; gate < 3; gate++) {
        memcpy(d_weights[1] + gate * hidden, g.sum_bias + into_inputs[gate], hidden * sizeof(float));
        memcpy(d_weights[3] + gate * hidden, g.sum_bias + into_states[gate], hidden * sizeof(float));
    }
}

long sequence_bytes(long batch, long frames, long features, long hidden) {
    struct chunks c;
    struct gradients g;
    char *end = share(batch, frames, features, hidden, 0, &c);
    return share_back(batch, hidden, &c, end, &g) - (char *)0;
}
