/* Losses of predictions, with their gradients, in double precision: of a few values for each sequence. */

#ifndef LOSSES_H
#define LOSSES_H

enum { CCC, CCC_PER_SEQUENCE, MSE, CROSS_ENTROPY, BINARY_CROSS_ENTROPY };

/* kind: one of the above. positive_weight: of a label of each class, for the last one. */
struct loss {
    long kind, outputs;
    const double *positive_weight;
};

/* Return the loss of single frames as `pipeline.learning.losses` does; its gradient, times `factor`, goes into
   d_outputs. outputs, d_outputs: (outputs, ld). labels: of `frames`; labelled: 1 or 0. */
double prediction_loss(const struct loss *l, long frames, const float *outputs, long ld, const double *labels,
                       const double *labelled, double factor, float *d_outputs);

#endif
