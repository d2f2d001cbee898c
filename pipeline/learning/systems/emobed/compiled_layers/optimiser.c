/* Norms of gradients, and Adam. */

#include "vectors.h"

/* Sum of squares of each of some rows. */
EXPORT void squares(const long *sizes, const float *values, float *sums) {
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
EXPORT void adam(const long *sizes, const long *learns, const float *settings, float *values, const float *gradients,
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
