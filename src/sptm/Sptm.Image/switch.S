/* The world switch: every register of worldregs.h, saved for one world and loaded for the other. */
#include "layout.h"
#include "worldregs.h"
#include <protections.h>

/* Registers go in pairs; is_second is 1 when the first of a pair is done. */
.set is_second, 0

.macro save_next name
    .if is_second
    mrs     x10, \name
    stp     x9, x10, [x0], #16
    .set is_second, 0
    .else
    mrs     x9, \name
    .set is_second, 1
    .endif
.endm

/* Leaves the places of so many registers as they are. */
.macro save_skip count
    .if is_second
    str     x9, [x0], #8 * (1 + \count)
    .set is_second, 0
    .else
    add     x0, x0, #8 * \count
    .endif
.endm

.macro load_next name
    .if is_second
    msr     \name, x10
    .set is_second, 0
    .else
    ldp     x9, x10, [x1], #16
    msr     \name, x9
    .set is_second, 1
    .endif
.endm

.macro end_of_pairs
    .if is_second
    .error  "an odd number of registers: the last pair is not complete"
    .endif
.endm

#define SAVE(name) save_next name ;
#define LOAD(name) load_next name ;

#define SAVE_ONE(name) \
    mrs     x9, name ; \
    str     x9, [x0], #8 ;

#define LOAD_ONE(name) \
    ldr     x9, [x1], #8 ; \
    msr     name, x9 ;

#define COUNT(name) + 1

/* One section of WORLD_OPTIONAL, for w11 = this CPU's CpuFeature. Its place in the saved state stays when the CPU has it not. */
#define OPTIONAL(bit, section, operation, pointer) \
    tbz     w11, bit, 8f ; \
    section(operation) \
    b       9f ; \
8:  add     pointer, pointer, 8 * (0 section(COUNT)) ; \
9:

    .text
/* In: x0 = where the world that leaves is saved, x1 = the world that comes. Clobbers x0, x1, x9 to x11. */
    .global sptm_switch_world
sptm_switch_world:
    WORLD_VITAL(SAVE) WORLD_FREE(SAVE) WORLD_DEBUG(SAVE) WORLD_STACK(SAVE)
    save_skip (0 WORLD_FIXED(COUNT))
    WORLD_CONTROL(SAVE) WORLD_LAST(SAVE)
    end_of_pairs

/* In: x0 = 0, or, out of sptm_switch_world, where the world that leaves has its optional registers; x1 = the world that comes. Clobbers x0, x1, x9 to x11. */
    .global sptm_load_world
sptm_load_world:
    mov     w9, #0x00800080     /* TCR_EL1: EPD1, EPD0 */
    msr     TCR_EL1, x9
    isb
    WORLD_VITAL(LOAD)
    PROTECTED(DEFENCE_WORLD_REGISTERS, WORLD_FREE)
    PROTECTED(DEFENCE_WORLD_DEBUG, WORLD_DEBUG)
    WORLD_STACK(LOAD)
    WORLD_FIXED(LOAD)
    WORLD_CONTROL(LOAD)
    end_of_pairs
    isb                         /* No walk sees less than all of it. */
    WORLD_LAST(LOAD_ONE)
    mrs     x11, tpidr_el2
    ldr     w11, [x11, #PERCPU_FEATURES]
    tst     w11, #7
    b.eq    1f
    cbz     x0, 2f
    OPTIONAL(0, WORLD_POINTER_AUTHENTICATION, SAVE_ONE, x0)
    OPTIONAL(1, WORLD_THREAD_POINTER2, SAVE_ONE, x0)
    OPTIONAL(2, WORLD_COUNTERS, SAVE_ONE, x0)
2:  OPTIONAL(0, WORLD_POINTER_AUTHENTICATION, LOAD_ONE, x1)
    OPTIONAL(1, WORLD_THREAD_POINTER2, LOAD_ONE, x1)
    PROTECTED_COUNTERS
1:  ret                         /* What is not in force yet is so at the ERET. */

    .section .rodata
    .global sptm_world_register_count
    .balign 8
sptm_world_register_count:
    .quad   0 WORLD_REGISTERS(COUNT) WORLD_OPTIONAL(COUNT)
