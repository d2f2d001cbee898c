/* Norms of gradients, and Adam's steps. */

#include "descent.h"

#include <math.h>
#include <string.h>

#define TOGETHER 4  /* sums of squares side by side */
#define SHRUNK 2048 /* values that take all steps before the next ones do, in the cache */

void fill_up(const struct parts *parts, float *gradient) {
    for (long part = 0; part < parts->reached; part++) {
        long first = parts->of_reached[2 * part], count = parts->of_reached[2 * part + 1];
        memset(gradient + first + count, 0, (up(count) - count) * sizeof(float));
    }
}

double squared_norm(const struct parts *parts, const float *gradient) {
    double all = 0;
    for (long part = 0; part < parts->reached; part++) {
        const float *from = gradient + parts->of_reached[2 * part];
        long i = 0, count = parts->of_reached[2 * part + 1];
        vec sum[TOGETHER] = {{0}};
        for (; i + TOGETHER * WIDTH <= count; i += TOGETHER * WIDTH)
#pragma GCC unroll 4
            for (int k = 0; k < TOGETHER; k++)
                sum[k] = FUSED(READ(from + i + k * WIDTH), READ(from + i + k * WIDTH), sum[k]);
        for (; i < count; i += WIDTH)
            sum[0] = FUSED(READ(from + i), READ(from + i), sum[0]);
        vec whole = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        for (int lane = 0; lane < WIDTH; lane++)
            all += whole[lane];
    }
    return all;
}

struct adam settings_of(const struct descent *d, long step, double factor) {
    long taken = d->taken + step + 1;
    return (struct adam){factor, d->decay, d->rate / (1 - pow(.9, taken)), 1 / sqrt(1 - pow(.999, taken))};
}

void update(const struct parts *parts, const struct row *row, const float *gradient, const struct adam *s) {
    for (long part = 0; part < parts->reached; part++) {
        long first = parts->of_reached[2 * part];
        for (long i = first; i < first + parts->of_reached[2 * part + 1]; i += WIDTH)
            AT(row->values + i) =
                adam_of(s, READ(row->values + i), READ(gradient + i), row->means + i, row->squares + i);
    }
}

void shrink(const struct parts *parts, const struct row *row, const struct descent *d, long steps) {
    const vec none = {0};
    for (long part = 0; part < parts->idle && d->decay != 0; part++) {
        long first = parts->of_idle[2 * part], count = parts->of_idle[2 * part + 1];
        for (long block = 0; block < count; block += SHRUNK)
            for (long step = 0; step < steps; step++) {
                struct adam s = settings_of(d, step, 1);
                for (long i = first + block; i < first + count && i < first + block + SHRUNK; i += WIDTH)
                    AT(row->values + i) = adam_of(&s, READ(row->values + i), none, row->means + i, row->squares + i);
            }
    }
}
