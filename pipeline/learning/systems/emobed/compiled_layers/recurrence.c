#include "recurrence.h"

#include "gates.h"
#include "products.h"

/* Blocks of units: the three gates of PAIR vectors of units lie side by side. */
static long block_vectors(long v, long vectors) { return vectors - v < PAIR ? vectors - v : PAIR; }

void pack_gates(const float *weight, long depth, long hidden, float *into) {
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
    multiply(rows, 3 * own, depth, before, ldh, 1, weight, 3 * own * WIDTH, sum);
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

void steps(long rows, long hidden, long depth, const float *before, const float *weight, const float *bias_n,
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

#define DEPTH 128 /* terms of a sum that are added in one go, so that a block's weights stay in the cache */

void project(long rows, long features, long hidden, const float *inputs, const float *weight, const float *bias,
             float *gates) {
    long ldh = up(hidden), vectors = ldh / WIDTH, none = 0;
    for (long v = 0; v < vectors;) {
        long own = block_vectors(v, vectors), columns = 3 * own, at = 3 * v * WIDTH;
        for (long k = 0; k < features; k += DEPTH) {
            long depth = features - k < DEPTH ? features - k : DEPTH;
            for (long r = 0; r < rows; r += ROWS)
                any_tile(rows - r < ROWS ? rows - r : ROWS, columns, 1, &none, depth, inputs + r * up(features) + k,
                         up(features), 1, weight + features * at + k * columns * WIDTH, columns * WIDTH, bias + at,
                         gates + r * 3 * ldh + at, 3 * ldh, k > 0);
        }
        v += own;
    }
}

void biases(const float *bias_ih, const float *bias_hh, long hidden, float *outer, float *inner) {
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

void slopes(long rows, long hidden, const float *gates, const float *inner, const float *before, const float *gradient,
            float *carry, float *d_gates, float *sums) {
    long ldh = up(hidden), vectors = ldh / WIDTH;
    for (long v = 0; v < vectors;) {
        long own = block_vectors(v, vectors);
        for (long i = 0; i < own; i++) {
            long unit = (v + i) * WIDTH;
            const float *g = gates + 3 * v * WIDTH + i * WIDTH;
            vec sum[4];
            for (int gate = 0; gate < 4; gate++)
                sum[gate] = READ(sums + gate * ldh + unit);
            for (long row = 0, at = unit; row < rows; row++, at += ldh, g += 3 * ldh) {
                vec r = READ(g), z = READ(g + own * WIDTH), n = READ(g + 2 * own * WIDTH);
                vec d_h = READ(gradient + at) + READ(carry + at);
                vec d_n = d_h * (1.f - z) * (1.f - n * n), d_nr = d_n * r;
                vec d_r = d_nr * READ(inner + at) * (1.f - r);
                vec d_z = d_h * (READ(before + at) - n) * z * (1.f - z);
                float *d = d_gates + row * 4 * ldh + unit;
                AT(d) = d_r;
                AT(d + ldh) = d_z;
                AT(d + 2 * ldh) = d_n;
                AT(d + 3 * ldh) = d_nr;
                AT(carry + at) = d_h * z;
                sum[0] += d_r;
                sum[1] += d_z;
                sum[2] += d_n;
                sum[3] += d_nr;
            }
            for (int gate = 0; gate < 4; gate++)
                AT(sums + gate * ldh + unit) = sum[gate];
        }
        v += own;
    }
}
