/* GRU layers of some models, and their gradients, in single precision.

   Gates as in `recurrence.py`. Frames go in chunks of some rows (a row is a frame of a sequence, rows of one
   frame lie side by side), so that what a chunk needs stays in the cache next to the processor. Gates are not
   kept: the way back computes those of a chunk again from inputs and states, for all its frames at once and bit
   by bit the same. An element is summed in the order of its terms whatever else is computed beside it, so a model
   and a sequence are the same in any batch. */

#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define WIDTH 16 /* values of a vector */
#define PAIR 2   /* vectors of units of which the three gates are computed at once: 4 rows fill the registers */
#elif defined(__AVX__)
#define WIDTH 8
#define PAIR 1
#else
#define WIDTH 4
#define PAIR 2
#endif
#define ROWS 4            /* rows of a tile */
#define COLUMNS (3 * PAIR) /* vectors of a tile */
#define CHUNK 128         /* rows of a chunk, at least one frame */

typedef float vec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef int ivec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

/* a * b + c, rounded once where the processor can. The compiler is told to fuse nothing else: it would do so in
   one tile and not in another, and rounding would depend on where in a batch a sequence stands. */
#if defined(__AVX512F__)
#define FUSED(a, b, c) ((vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#elif defined(__AVX__) && defined(__FMA__)
#define FUSED(a, b, c) ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#elif defined(__aarch64__)
#define FUSED(a, b, c) ((vec)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#else
#define FUSED(a, b, c) ((a) * (b) + (c))
#endif

#if defined(__AVX512F__)
#define ROOT(x) ((vec)_mm512_sqrt_ps((__m512)(x)))
#elif defined(__AVX__)
#define ROOT(x) ((vec)_mm256_sqrt_ps((__m256)(x)))
#elif defined(__SSE2__)
#define ROOT(x) ((vec)_mm_sqrt_ps((__m128)(x)))
#elif defined(__aarch64__)
#define ROOT(x) ((vec)vsqrtq_f32((float32x4_t)(x)))
#else
#include <math.h>
#define ROOT(x) ((vec){sqrtf((x)[0]), sqrtf((x)[1]), sqrtf((x)[2]), sqrtf((x)[3])})
#endif

#define SAME(x) ((x) - (vec){0}) /* in all places: x - 0 is x, of -0 too */
#define INLINE static inline __attribute__((always_inline))
#define AT(p) (*(vec *)(p))
#define READ(p) (*(const vec *)(p))

static long up(long n) { return (n + WIDTH - 1) / WIDTH * WIDTH; }

/* exp(x) by powers of two and a polynomial, for |x| < 87 */
INLINE vec exponential(vec x) {
    const vec one = SAME(1.f);
    const float magic = 12582912.f; /* 1.5 * 2^23: adding it rounds to a whole number */
    vec shifted = FUSED(x, one * 1.44269504088896341f, one * magic);
    vec n = shifted - magic;
    vec r = FUSED(n, one * -0.693145751953125f, x);
    r = FUSED(n, one * -1.42860682030941723e-6f, r);
    vec p = FUSED(one * (1.f / 5040), r, one * (1.f / 720));
    p = FUSED(p, r, one * (1.f / 120));
    p = FUSED(p, r, one * (1.f / 24));
    p = FUSED(p, r, one * (1.f / 6));
    p = FUSED(p, r, one * .5f);
    p = FUSED(p, r, one);
    p = FUSED(p, r, one);
    ivec bits = (ivec)shifted - 0x4B400000; /* n as an integer */
    return (vec)((ivec)p + (bits << 23));
}

INLINE vec where(ivec mask, vec one, vec other) { return (vec)(((ivec)one & mask) | ((ivec)other & ~mask)); }

INLINE vec sigmoid(vec x) {
    const vec most = SAME(86.f);
    vec y = where(x > most, -most, where(x < -most, most, -x));
    return 1.f / (1.f + y * 0.f + exponential(y)); /* y * 0: what is not a number stays so */
}

INLINE vec hyperbolic(vec x) { return 2.f * sigmoid(2.f * x) - 1.f; }

/* c (rows, columns) = start + sum over segments and k of a[row][segment][k] b[segment][k][column].
   start: c itself (add), a row for all (bias), or 0. b: packed, segments * depth rows of `columns` vectors */
INLINE void tile(const int rows, const int columns, long segments, const long *segment, long depth, const float *a,
                 long row, long step, const float *b, long ldb, const float *bias, float *c, long ldc, int add) {
    vec sum[ROWS][COLUMNS];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 6
        for (int v = 0; v < columns; v++)
            sum[r][v] = add ? READ(c + r * ldc + v * WIDTH) : bias ? READ(bias + v * WIDTH) : (vec){0};
    for (long s = 0; s < segments; s++) {
        const float *from = a + segment[s];
        for (long k = 0; k < depth; k++, b += ldb, from += step) {
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++) {
                vec factor = SAME(from[r * row]);
#pragma GCC unroll 6
                for (int v = 0; v < columns; v++)
                    sum[r][v] = FUSED(factor, READ(b + v * WIDTH), sum[r][v]);
            }
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 6
        for (int v = 0; v < columns; v++)
            AT(c + r * ldc + v * WIDTH) = sum[r][v];
}

#define TILE(R, V)                                                                                                   \
    case (R - 1) * COLUMNS + V - 1:                                                                                  \
        tile(R, V, segments, segment, depth, a, row, step, b, ldb, bias, c, ldc, add);                               \
        break;
#if COLUMNS == 6
#define TILES(R) TILE(R, 1) TILE(R, 2) TILE(R, 3) TILE(R, 4) TILE(R, 5) TILE(R, 6)
#else
#define TILES(R) TILE(R, 1) TILE(R, 2) TILE(R, 3)
#endif

static void any_tile(int rows, int columns, long segments, const long *segment, long depth, const float *a, long row,
                     long step, const float *b, long ldb, const float *bias, float *c, long ldc, int add) {
    switch ((rows - 1) * COLUMNS + columns - 1) { TILES(1) TILES(2) TILES(3) TILES(4) }
}

/* How many vectors the tile at `from` of `all` has: equal ones, as few as fit into the registers. */
static long tile_width(long from, long all) {
    long tiles = (all + COLUMNS - 1) / COLUMNS, even = (all + tiles - 1) / tiles;
    return even < all - from ? even : all - from;
}

/* c (rows, vectors) = ... for any size. packed: b lies tile after tile; else it is a matrix of row length ldb. */
static void product(long rows, long vectors, long segments, const long *segment, long depth, const float *a, long row,
                    long step, const float *b, long ldb, int packed, float *c, long ldc, int add) {
    for (long v = 0; v < vectors;) {
        long columns = tile_width(v, vectors);
        const float *of_tile = packed ? b + segments * depth * v * WIDTH : b + v * WIDTH;
        for (long r = 0; r < rows; r += ROWS) {
            int count = rows - r < ROWS ? rows - r : ROWS;
            any_tile(count, columns, segments, segment, depth, a + r * row, row, step, of_tile,
                     packed ? columns * WIDTH : ldb, 0, c + r * ldc + v * WIDTH, ldc, add);
        }
        v += columns;
    }
}

/* Pack a matrix (depth, n), element [k][j] at k * row + j * step, tile after tile, padded with 0. */
static void pack(const float *from, long depth, long n, long row, long step, float *into) {
    long vectors = up(n) / WIDTH;
    for (long v = 0; v < vectors;) {
        long columns = tile_width(v, vectors), first = v * WIDTH, width = columns * WIDTH;
        long own = n - first < width ? n - first : width;
        for (long start = 0; start < depth; start += WIDTH) { /* some at a time: both sides stay in the cache */
            long end = depth - start < WIDTH ? depth : start + WIDTH;
            for (long j = 0; j < own; j++)
                for (long k = start; k < end; k++)
                    into[k * width + j] = from[k * row + (first + j) * step];
            for (long k = start; k < end; k++)
                for (long j = own; j < width; j++)
                    into[k * width + j] = 0;
        }
        into += depth * width;
        v += columns;
    }
}

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
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            vec factor = SAME(from[r * ldh + k]);
#pragma GCC unroll 6
            for (int v = 0; v < 3 * own; v++)
                sum[r][v] = FUSED(factor, READ(weight + v * WIDTH), sum[r][v]);
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

/* Take so many values of the memory, aligned as it is. */
static float *floats(char **memory, long count) {
    float *found = (float *)*memory;
    *memory += (count * sizeof(float) + 63) / 64 * 64;
    return found;
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

/* One model: states (batch, frames, hidden). weights: weight_ih, bias_ih, weight_hh, bias_hh. */
static void forward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
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

/* One model: gradients of inputs, (batch, frames, features), or 0 where nobody asks, and of the weights; that of
   weight_hh or 0, for single frames. */
static void backward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
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

/* Single frames: sequences lie side by side in the lanes of vectors, LANES at a time, units and features below
   each other. So weights are read once, as they are. Nothing is before a frame: W_hh takes no part. */
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

/* gates (3 * hidden, lanes) are kept for the way back, block of lanes after block. */
static void single_forward(long batch, long features, long hidden, const float *inputs, long of_sequence,
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

static float total(const float *from, long width) {
    vec sum = {0};
    for (long v = 0; v < width; v += WIDTH)
        sum += READ(from + v);
    float all = 0;
    for (int lane = 0; lane < WIDTH; lane++)
        all += sum[lane];
    return all;
}

static void single_backward(long batch, long features, long hidden, const float *inputs, long of_sequence,
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

/* Bytes of memory to work in. */
long gru_bytes(const long *sizes) {
    struct chunks c;
    struct gradients g;
    struct single s;
    if (sizes[2] == 1)
        return share_single(sizes[3], sizes[4], 0, &s) - (char *)0;
    char *end = share(sizes[1], sizes[2], sizes[3], sizes[4], 0, &c);
    return share_back(sizes[1], sizes[4], &c, end, &g) - (char *)0;
}

/* Values that are kept for the way back, of each model. */
long gru_kept(const long *sizes) { return sizes[2] == 1 ? 3 * sizes[4] * up(sizes[1]) : 0; }

/* sizes: models, batch, frames, features, hidden. strides: of inputs (model, sequence, frame), then of models of
   the four weights. weights: weight_ih, bias_ih, weight_hh, bias_hh. states: (models, batch, frames, hidden). */
void gru_forward(const long *sizes, const long *strides, const float *inputs, const float *const *weights,
                 float *states, float *kept, char *memory) {
    for (long m = 0; m < sizes[0]; m++) {
        const float *own[4];
        for (int i = 0; i < 4; i++)
            own[i] = weights[i] + m * strides[3 + i];
        if (sizes[2] == 1)
            single_forward(sizes[1], sizes[3], sizes[4], inputs + m * strides[0], strides[1], own,
                           states + m * sizes[1] * sizes[4], kept + m * gru_kept(sizes), memory);
        else
            forward(sizes[1], sizes[2], sizes[3], sizes[4], inputs + m * strides[0], strides, own,
                    states + m * sizes[1] * sizes[2] * sizes[4], memory);
    }
}

/* strides: also of models of the gradients of the four weights. */
void gru_backward(const long *sizes, const long *strides, const float *inputs, const float *const *weights,
                  const float *states, const float *kept, const float *gradient, float *d_inputs,
                  float *const *d_weights, char *memory) {
    long sequences = sizes[1] * sizes[2];
    for (long m = 0; m < sizes[0]; m++) {
        const float *own[4];
        float *d_own[4];
        for (int i = 0; i < 4; i++) {
            own[i] = weights[i] + m * strides[3 + i];
            d_own[i] = d_weights[i] ? d_weights[i] + m * strides[7 + i] : 0;
        }
        const float *x = inputs + m * strides[0], *d_states = gradient + m * sequences * sizes[4];
        float *d_x = d_inputs ? d_inputs + m * sequences * sizes[3] : 0;
        if (sizes[2] == 1)
            single_backward(sizes[1], sizes[3], sizes[4], x, strides[1], own, d_states, kept + m * gru_kept(sizes), d_x,
                            d_own, memory);
        else
            backward(sizes[1], sizes[2], sizes[3], sizes[4], x, strides, own, states + m * sequences * sizes[4],
                     d_states, d_x, d_own, memory);
    }
}

/* Sum of squares of each of some rows. */
void squares(const long *sizes, const float *values, float *sums) {
    for (long m = 0; m < sizes[0]; m++, values += sizes[1]) {
        vec sum[4] = {{0}, {0}, {0}, {0}};
        for (long i = 0; i + 4 * WIDTH <= sizes[1]; i += 4 * WIDTH)
            for (int k = 0; k < 4; k++) {
                vec v = READ(values + i + k * WIDTH);
                sum[k] = FUSED(v, v, sum[k]);
            }
        float rest = 0;
        for (long i = sizes[1] / (4 * WIDTH) * (4 * WIDTH); i < sizes[1]; i++)
            rest += values[i] * values[i];
        vec all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        for (int lane = 0; lane < WIDTH; lane++)
            rest += all[lane];
        sums[m] = rest;
    }
}

/* Adam's step of some rows of weights. settings: of each row the factor of its gradient, weight decay, rate over
   bias correction, and 1 / root of the other bias correction. learns: rows that take the step. */
void adam(const long *sizes, const long *learns, const float *settings, float *values, const float *gradients,
          float *means, float *squares_) {
    const float first = .1f, second = .999f, rest = .001f, epsilon = 1e-8f; /* those of torch.optim.Adam */
    for (long m = 0; m < sizes[0]; m++) {
        const float *own = settings + 4 * m;
        float *w = values + m * sizes[1], *mean = means + m * sizes[1], *square = squares_ + m * sizes[1];
        const float *gradient = gradients + m * sizes[1];
        for (long i = 0; learns[m] && i < sizes[1]; i += WIDTH) {
            vec g = FUSED(READ(w + i), SAME(own[1]), READ(gradient + i) * own[0]);
            vec a = FUSED(g - READ(mean + i), SAME(first), READ(mean + i));
            vec b = FUSED(g * g, SAME(rest), READ(square + i) * second);
            AT(mean + i) = a;
            AT(square + i) = b;
            AT(w + i) = FUSED(a / FUSED(ROOT(b), SAME(own[3]), SAME(epsilon)), SAME(-own[2]), READ(w + i));
        }
    }
}
