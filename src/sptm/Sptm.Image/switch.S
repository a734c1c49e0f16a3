/* The world switch: every register of worldregs.h, saved for one world and loaded for the other. */
#include "worldregs.h"

#define SAVE(name) \
    mrs     x9, name ; \
    str     x9, [x0], #8 ;

#define LOAD(name) \
    ldr     x9, [x1], #8 ; \
    msr     name, x9 ;

#define EPD0_EPD1   0x800080

    .text
/* In: x0 = where the world that leaves is saved, x1 = the world that comes. Clobbers x0, x1, x9. */
    .global sptm_switch_world
sptm_switch_world:
    WORLD_REGISTERS(SAVE)

/* In: x1 = the world that comes. Clobbers x1, x9. */
    .global sptm_load_world
sptm_load_world:
    mrs     x9, TCR_EL1
    orr     x9, x9, #0x80
    orr     x9, x9, #0x800000
    msr     TCR_EL1, x9
    isb
    WORLD_REGISTERS(LOAD)
    isb
    ret

    .section .rodata
    .global sptm_world_register_count
    .balign 8
#define COUNT(name) + 1
sptm_world_register_count:
    .quad   0 WORLD_REGISTERS(COUNT)
