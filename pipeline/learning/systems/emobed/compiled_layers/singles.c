/* Single frames: sequences lie side by side in the lanes of vectors, LANES at a time, units and features below
   each other. So weights are read once, as they are. Nothing is before a frame: W_hh takes no part. */

#include <string.h>

#include "gates.h"
#include "layer.h"
#include "memory.h"
#include "products.h"

#define LANES 64
#define DEPTH 512 /* terms of a sum that are added in one go, for what they need to stay in the cache */

static long lanes_from(long first, long batch) { return batch - first < LANES ? batch - first : LANES; }

struct single {
    float *x, *h, *d_gates, *d_x, *tile, *beyond;
};

static char *share_single(long features, long hidden, char *memory, struct single *s) {
    s->x = floats(&memory, features * up(LANES));
    s->h = floats(&memory, hidden * up(LANES));
    s->d_gates = floats(&memory, 4 * hidden * up(LANES));
    s->d_x = floats(&memory, features * up(LANES));
    s->tile = floats(&memory, LANES * COLUMNS * WIDTH);
    s->beyond = floats(&memory, 3 * hidden * COLUMNS * WIDTH);
    return memory;
}

/* into (rows, lanes) = weight (rows, depth) b (depth, lanes), element [i][k] of weight at i * row + k * step.
   packed: b lies tile after tile. */
static void onto_lanes(long rows, long vectors, long depth, const float *weight, long row, long step, const float *b,
                       int packed, float *into) {
    long width = vectors * WIDTH, none = 0;
    for (long v = 0; v < vectors;) {
        long columns = tile_width(v, vectors), ldb = packed ? columns * WIDTH : width;
        const float *of_tile = packed ? b + depth * v * WIDTH : b + v * WIDTH;
        for (long k = 0; k < depth; k += DEPTH) {
            long own = depth - k < DEPTH ? depth - k : DEPTH;
            for (long r = 0; r < rows; r += ROWS)
                any_tile(rows - r < ROWS ? rows - r : ROWS, columns, 1, &none, own, weight + r * row + k * step, row,
                         step, of_tile + k * ldb, ldb, 0, into + r * width + v * WIDTH, width, k > 0);
        }
        v += columns;
    }
}

void single_forward(long batch, long features, long hidden, const float *inputs, long of_sequence,
                           const float *const *weights, float *states, float *gates, char *memory) {
    struct single s;
    share_single(features, hidden, memory, &s);
    const float *bias_ih = weights[1], *bias_hh = weights[3];
    for (long first = 0; first < batch; first += LANES) {
        long own = lanes_from(first, batch), width = up(own), vectors = width / WIDTH;
        pack(inputs + first * of_sequence, features, own, 1, of_sequence, s.x);
        onto_lanes(3 * hidden, vectors, features, weights[0], features, 1, s.x, 1, gates);
        for (long unit = 0; unit < hidden; unit++) {
            long z_at = hidden + unit, n_at = 2 * hidden + unit;
            vec bias_r = SAME(bias_ih[unit] + bias_hh[unit]), bias_z = SAME(bias_ih[z_at] + bias_hh[z_at]);
            vec outer = SAME(bias_ih[n_at]), inner = SAME(bias_hh[n_at]);
            for (long v = 0; v < width; v += WIDTH) {
                float *r_of = gates + unit * width + v, *z_of = gates + z_at * width + v;
                float *n_of = gates + n_at * width + v;
                vec r = sigmoid(READ(r_of) + bias_r), z = sigmoid(READ(z_of) + bias_z);
                vec n = hyperbolic(FUSED(r, inner, READ(n_of) + outer));
                AT(r_of) = r, AT(z_of) = z, AT(n_of) = n;
                AT(s.h + unit * width + v) = FUSED(z, -n, n);
            }
        }
        for (long lane = 0; lane < own; lane++)
            for (long unit = 0; unit < hidden; unit++)
                states[(first + lane) * hidden + unit] = s.h[unit * width + lane];
        gates += 3 * hidden * width;
    }
}

/* into (rows, n) += a (rows, lanes) x (lanes, n): gradients of weights from those of a block of lanes */
static void from_lanes(long rows, long lanes, const float *a, long width, const float *x, long of_sequence, long n,
                       float *into, int add, struct single *s) {
    long vectors = up(n) / WIDTH, none = 0;
    for (long v = 0; v < vectors;) {
        long columns = tile_width(v, vectors), first = v * WIDTH, all = columns * WIDTH;
        long own = n - first < all ? n - first : all;
        for (long lane = 0; lane < lanes; lane++) {
            memcpy(s->tile + lane * all, x + lane * of_sequence + first, own * sizeof(float));
            memset(s->tile + lane * all + own, 0, (all - own) * sizeof(float));
        }
        float *to = own == all ? into + first : s->beyond;
        long ld = own == all ? n : all;
        if (own < all && add)
            for (long r = 0; r < rows; r++)
                memcpy(to + r * ld, into + r * n + first, own * sizeof(float));
        for (long r = 0; r < rows; r += ROWS) {
            /* gradients of weights are not in the cache: those of the next tile may come while this one is summed */
            for (long next = r + ROWS; next < r + 2 * ROWS && next < rows; next++)
                for (long column = 0; column < own; column += 16)
                    __builtin_prefetch(to + next * ld + column, 1);
            any_tile(rows - r < ROWS ? rows - r : ROWS, columns, 1, &none, lanes, a + r * width, width, 1, s->tile, all,
                     0, to + r * ld, ld, add);
        }
        if (own < all)
            for (long r = 0; r < rows; r++)
                memcpy(into + r * n + first, to + r * ld, own * sizeof(float));
        v += columns;
    }
}

void single_backward(long batch, long features, long hidden, const float *inputs, long of_sequence,
                            const float *const *weights, const float *gradient, const float *gates, float *d_inputs,
                            float *const *d_weights, char *memory) {
    struct single s;
    share_single(features, hidden, memory, &s);
    const float *bias_hh = weights[3];
    for (int i = 1; i < 4; i += 2)
        memset(d_weights[i], 0, 3 * hidden * sizeof(float));
    for (long first = 0; first < batch; first += LANES) {
        long own = lanes_from(first, batch), width = up(own), vectors = width / WIDTH;
        for (long unit = 0; unit < hidden; unit++) {
            float *d_h = s.h + unit * width;
            for (long lane = 0; lane < width; lane++)
                d_h[lane] = lane < own ? gradient[(first + lane) * hidden + unit] : 0;
        }
        for (long unit = 0; unit < hidden; unit++) {
            long z_at = hidden + unit, n_at = 2 * hidden + unit;
            vec inner = SAME(bias_hh[n_at]);
            for (long v = 0; v < width; v += WIDTH) {
                vec d_h = READ(s.h + unit * width + v), r = READ(gates + unit * width + v);
                vec z = READ(gates + z_at * width + v), n = READ(gates + n_at * width + v);
                vec d_n = d_h * (1.f - z) * (1.f - n * n);
                float *d = s.d_gates + v;
                AT(d + unit * width) = d_n * inner * r * (1.f - r);
                AT(d + z_at * width) = d_h * -n * z * (1.f - z);
                AT(d + n_at * width) = d_n;
                AT(d + (3 * hidden + unit) * width) = d_n * r;
            }
        }
        for (long i = 0; i < 3 * hidden; i++) {
            d_weights[1][i] += total(s.d_gates + i * width, width);
            d_weights[3][i] += total(s.d_gates + (i < 2 * hidden ? i : i + hidden) * width, width);
        }
        from_lanes(3 * hidden, own, s.d_gates, width, inputs + first * of_sequence, of_sequence, features, d_weights[0],
                   first > 0, &s);
        if (d_inputs) {
            onto_lanes(features, vectors, 3 * hidden, weights[0], 1, features, s.d_gates, 0, s.d_x);
            for (long lane = 0; lane < own; lane++)
                for (long i = 0; i < features; i++)
                    d_inputs[(first + lane) * features + i] = s.d_x[i * width + lane];
        }
        gates += 3 * hidden * width;
    }
}

long single_bytes(long features, long hidden) {
    struct single s;
    return bytes_up_to(share_single(features, hidden, 0, &s));
}
