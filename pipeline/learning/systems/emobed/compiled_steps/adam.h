/* Adam's step of one model's weights. */

#ifndef ADAM_H
#define ADAM_H

#include "../compiled_layers/vectors.h"

/* factor: of the gradient. rate: over bias correction. root: 1 / root of the other bias correction. */
struct adam {
    float factor, decay, rate, root;
};

/* The same formula as torch.optim.Adam's, with its constants. */
INLINE vec adam_of(const struct adam *s, vec w, vec gradient, float *mean, float *square) {
    const float first = .1f, second = .999f, rest = .001f, epsilon = 1e-8f;
    vec g = FUSED(w, SAME(s->decay), gradient * s->factor);
    vec a = FUSED(g - READ(mean), SAME(first), READ(mean));
    vec b = FUSED(g * g, SAME(rest), READ(square) * second);
    AT(mean) = a;
    AT(square) = b;
    return FUSED(a / FUSED(ROOT(b), SAME(s->root), SAME(epsilon)), SAME(-s->rate), w);
}

#endif
