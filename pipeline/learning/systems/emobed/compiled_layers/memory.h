/* The memory that a call works in: its caller gives it, so that it is kept from call to call. */

#ifndef MEMORY_H
#define MEMORY_H

/* Take so many values of the memory, aligned as it is. */
static inline float *floats(char **memory, long count) {
    float *found = (float *)*memory;
    *memory += (count * sizeof(float) + 63) / 64 * 64;
    return found;
}

#endif
