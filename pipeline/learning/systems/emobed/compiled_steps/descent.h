/* Descent of one model: its weights lie in a row, Adam's means beside them. */

#ifndef DESCENT_H
#define DESCENT_H

#include "adam.h"

/* Where parts of a model's row begin and how many values they have: those that a gradient reaches, and the others. */
struct parts {
    long length, reached, idle;
    const long *of_reached, *of_idle;
};

struct row {
    float *values, *means, *squares;
};

/* Learning rate, weight decay, and steps taken before. */
struct descent {
    double rate, decay;
    long taken;
};

/* Put 0 where the last vector of a part reaches beyond it. */
void fill_up(const struct parts *parts, float *gradient);

double squared_norm(const struct parts *parts, const float *gradient);

/* What Adam needs in step `step` from here on, whose gradient is clipped by `factor`. */
struct adam settings_of(const struct descent *d, long step, double factor);

void update(const struct parts *parts, const struct row *row, const float *gradient, const struct adam *s);

/* What no gradient reaches only shrinks by weight decay: all steps of it in one go. */
void shrink(const struct parts *parts, const struct row *row, const struct descent *d, long steps);

#endif
