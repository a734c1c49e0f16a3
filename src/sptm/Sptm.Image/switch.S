/* The world switch: every register of worldregs.h, saved for one world and loaded for the other. */
#include "layout.h"
#include "worldregs.h"

#define SAVE(name) \
    mrs     x9, name ; \
    str     x9, [x0], #8 ;

#define LOAD(name) \
    ldr     x9, [x1], #8 ; \
    msr     name, x9 ;

#define COUNT(name) + 1

/* w10 = CpuFeature of this CPU; flags: EQ if it has no register beyond the base. */
.macro TEST_FEATURES
    mrs     x10, tpidr_el2
    ldr     w10, [x10, #PERCPU_FEATURES]
    tst     w10, #7
.endm

/* One section of WORLD_OPTIONAL. Its place in the saved state stays when the CPU has it not. */
#define OPTIONAL(bit, section, operation, pointer) \
    tbz     w10, bit, 8f ; \
    section(operation) \
    b       9f ; \
8:  add     pointer, pointer, 8 * (0 section(COUNT)) ; \
9:

    .text
/* In: x0 = where the world that leaves is saved, x1 = the world that comes. Clobbers x0, x1, x9, x10. */
    .global sptm_switch_world
sptm_switch_world:
    WORLD_REGISTERS(SAVE)
    TEST_FEATURES
    b.eq    1f
    OPTIONAL(0, WORLD_POINTER_AUTHENTICATION, SAVE, x0)
    OPTIONAL(1, WORLD_THREAD_POINTER2, SAVE, x0)
    OPTIONAL(2, WORLD_COUNTERS, SAVE, x0)
1:

/* In: x1 = the world that comes. Clobbers x1, x9, x10. */
    .global sptm_load_world
sptm_load_world:
    mrs     x9, TCR_EL1
    orr     x9, x9, #0x80
    orr     x9, x9, #0x800000
    msr     TCR_EL1, x9
    isb
    WORLD_REGISTERS(LOAD)
    TEST_FEATURES
    b.eq    1f
    OPTIONAL(0, WORLD_POINTER_AUTHENTICATION, LOAD, x1)
    OPTIONAL(1, WORLD_THREAD_POINTER2, LOAD, x1)
    OPTIONAL(2, WORLD_COUNTERS, LOAD, x1)
1:  isb
    ret

    .section .rodata
    .global sptm_world_register_count
    .balign 8
sptm_world_register_count:
    .quad   0 WORLD_REGISTERS(COUNT) WORLD_OPTIONAL(COUNT)
