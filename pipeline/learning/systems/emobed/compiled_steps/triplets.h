/* The crossmodal batch-hard triplet loss, by classes or graded by what raters saw, with its gradient. */

#ifndef TRIPLETS_H
#define TRIPLETS_H

enum { LITERAL, HINGE, SOFTPLUS };

/* form: one of the above. mean: over anchors, or their sum. kinds: of frames, that is, classes or distributions;
   overlap, apart, distance: of each two of them, (kinds, kinds). */
struct triplet {
    long form, mean;
    double margin;
    long kinds;
    const float *overlap, *apart, *distance;
};

/* Bytes of memory to work in. */
long triplet_bytes(long anchors, long units, long kinds);

/* Return the loss as `graded_triplet` does; its gradient, times `factor`, is added to d_embeddings.

   embeddings, d_embeddings: (units, ld). at: the anchors' columns. codes: their kinds, negative for a frame that takes
   no part. left_out: anchors without a positive or without a negative. */
double triplet_loss(const struct triplet *t, long anchors, long units, const float *embeddings, long ld, const long *at,
                    const long *codes, double factor, float *d_embeddings, long *left_out, char *memory);

#endif
