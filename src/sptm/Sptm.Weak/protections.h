/* Switches of the worlds that the mask of weak.S can leave out. Bit numbers are those of Abi.Defence; a test compares them. */
#ifndef EXCLAVES_SPTM_PROTECTIONS_H
#define EXCLAVES_SPTM_PROTECTIONS_H

#define DEFENCE_WORLD_REGISTERS 5
#define DEFENCE_WORLD_VECTORS   6
#define DEFENCE_WORLD_DEBUG     7

/* The other world's values stay in the registers. x1 moves on all the same; clobbers x10. x0 = 0: no world leaves, and the first one needs its values.
 * One register at a time: what stands before and behind is whole pairs. */
#define PROTECTED(defence, section) \
    ldr     x10, =weak_mask_word ; \
    ldr     x10, [x10] ; \
    tbnz    x10, defence, 6f ; \
5:  section(LOAD_ONE) \
    b       7f ; \
6:  cbz     x0, 5b ; \
    add     x1, x1, 8 * (0 section(COUNT)) ; \
7:

/* Without the defence Linux's counters go on in the secure world. The last of the registers, so x1 need not move on. */
#define PROTECTED_COUNTERS \
    cbz     x0, 5f ; \
    ldr     x10, =weak_mask_word ; \
    ldr     x10, [x10] ; \
    tbnz    x10, DEFENCE_WORLD_DEBUG, 6f ; \
5:  OPTIONAL(2, WORLD_COUNTERS, LOAD_ONE, x1) \
6:

/* In: x0 = frame. Clobbers x1. */
#define PROTECTED_VECTORS \
    ldr     x1, =weak_mask_word ; \
    ldr     x1, [x1] ; \
    tbnz    x1, DEFENCE_WORLD_VECTORS, 6f ; \
    LOAD_VECTORS x0, FRAME_V, x1 ; \
6:

#endif
