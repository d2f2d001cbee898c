/* Products and copies of matrices whose columns are sequences. */

#include <string.h>

#include "lanes.h"

#if defined(__AVX512F__) || defined(__aarch64__)
#define WIDE 4 /* vectors of a tile: 32 registers hold 6 * 4 sums, 4 factors and what they are multiplied by */
#else
#define WIDE 2
#endif
#define TALL 6    /* rows of a tile */
#define DEPTH 128 /* terms of a sum that are added in one go, for what they need to stay in the cache */
#define LINE 16   /* values of a line of the cache */
#define SIDE 8    /* rows that become columns at a time: more would drive each other out of the cache */

INLINE void tile(const int rows, const int columns, long depth, const float *a, long row, long step, const float *b,
                 long ldb, float *c, long ldc, int add) {
    vec sum[TALL][WIDE];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < columns; v++)
            sum[r][v] = add ? READ(c + r * ldc + v * WIDTH) : (vec){0};
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) /* the rows of the next tile come while this one is summed */
        for (int v = 0; v < columns; v++)
            __builtin_prefetch(c + (rows + r) * ldc + v * WIDTH, 1);
    for (long first = 0; first < depth; first += LINE) {
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
            __builtin_prefetch(a + (rows + r) * row);
        long end = depth - first < LINE ? depth - first : LINE;
        for (long k = 0; k < end; k++, a += step, b += ldb) {
            vec own[WIDE];
#pragma GCC unroll 4
            for (int v = 0; v < columns; v++)
                own[v] = READ(b + v * WIDTH);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                vec factor = SAME(a[r * row]);
#pragma GCC unroll 4
                for (int v = 0; v < columns; v++)
                    sum[r][v] = FUSED(factor, own[v], sum[r][v]);
            }
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < columns; v++)
            AT(c + r * ldc + v * WIDTH) = sum[r][v];
}

#define TILE(R, V)                                                                                                   \
    case (R - 1) * WIDE + V - 1:                                                                                     \
        tile(R, V, depth, a, row, step, b, ldb, c, ldc, add);                                                        \
        break;
#if WIDE == 4
#define TILES(R) TILE(R, 1) TILE(R, 2) TILE(R, 3) TILE(R, 4)
#else
#define TILES(R) TILE(R, 1) TILE(R, 2)
#endif

static void any_size(long rows, long vectors, long depth, const float *a, long row, long step, const float *b, long ldb,
                     float *c, long ldc, int add) {
    switch ((rows - 1) * WIDE + vectors - 1) { TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) }
}

static long least(long one, long other) { return one < other ? one : other; }

void onto_lanes(long rows, long lanes, long depth, const float *a, long row, long step, const float *b, long ldb,
                float *c, long ldc, int add) {
    long vectors = up(lanes) / WIDTH;
    for (long v = 0; v < vectors; v += WIDE)
        for (long k = 0; k < depth; k += DEPTH)
            for (long r = 0; r < rows; r += TALL)
                any_size(least(TALL, rows - r), least(WIDE, vectors - v), least(DEPTH, depth - k),
                         a + r * row + k * step, row, step, b + k * ldb + v * WIDTH, ldb, c + r * ldc + v * WIDTH, ldc,
                         add || k > 0);
}

long from_lanes_values(long lanes) { return (lanes + TALL) * WIDE * WIDTH; }

void from_lanes(long rows, long lanes, long n, const float *d, long ldd, const float *const *x, float *into,
                float *packed) {
    float *beyond = packed + lanes * WIDE * WIDTH;
    for (long first = 0; first < n; first += WIDE * WIDTH) {
        long own = least(WIDE * WIDTH, n - first), vectors = up(own) / WIDTH, all = vectors * WIDTH;
        for (long lane = 0; lane < lanes; lane++) {
            memcpy(packed + lane * all, x[lane] + first, own * sizeof(float));
            memset(packed + lane * all + own, 0, (all - own) * sizeof(float));
        }
        for (long r = 0; r < rows; r += TALL) {
            long count = least(TALL, rows - r);
            float *to = own == all ? into + r * n + first : beyond;
            any_size(count, vectors, lanes, d + r * ldd, ldd, 1, packed, all, to, own == all ? n : all, 0);
            for (long i = 0; own < all && i < count; i++)
                memcpy(into + (r + i) * n + first, beyond + i * all, own * sizeof(float));
        }
    }
}

/* into (n, ld): rows become columns. */
static void exchange(const float *const *rows, long count, long n, float *into, long ld) {
    for (long i = 0; count == SIDE && i < n; i++)
#pragma GCC unroll 8
        for (int k = 0; k < SIDE; k++)
            into[i * ld + k] = rows[k][i];
    for (long i = 0; count < SIDE && i < n; i++)
        for (long k = 0; k < count; k++)
            into[i * ld + k] = rows[k][i];
}

void side_by_side(long lanes, long n, const float *const *rows, float *into) {
    long width = up(lanes);
    for (long lane = 0; lane < lanes; lane += SIDE)
        exchange(rows + lane, least(SIDE, lanes - lane), n, into + lane, width);
    for (long i = 0; i < n && lanes < width; i++)
        memset(into + i * width + lanes, 0, (width - lanes) * sizeof(float));
}

void apart(long lanes, long n, const float *from, long ldf, float *into, long ld) {
    const float *rows[SIDE];
    for (long i = 0; i < n; i += SIDE) {
        for (long k = 0; k < least(SIDE, n - i); k++)
            rows[k] = from + (i + k) * ldf;
        exchange(rows, least(SIDE, n - i), lanes, into + i, ld);
    }
}
