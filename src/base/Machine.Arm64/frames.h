/*
 * How a vector saves and restores an interrupted level's registers: one place for SPTM and SK.
 * General registers lie from the frame's start on, x0 first; vectors lie at an offset that the frame names.
 */
#ifndef EXCLAVES_FRAMES_H
#define EXCLAVES_FRAMES_H

/* x2 to x30. x0 and x1 are in use by whoever calls this. */
.macro SAVE_GENERAL frame
    stp     x2, x3, [\frame, #16]
    stp     x4, x5, [\frame, #32]
    stp     x6, x7, [\frame, #48]
    stp     x8, x9, [\frame, #64]
    stp     x10, x11, [\frame, #80]
    stp     x12, x13, [\frame, #96]
    stp     x14, x15, [\frame, #112]
    stp     x16, x17, [\frame, #128]
    stp     x18, x19, [\frame, #144]
    stp     x20, x21, [\frame, #160]
    stp     x22, x23, [\frame, #176]
    stp     x24, x25, [\frame, #192]
    stp     x26, x27, [\frame, #208]
    stp     x28, x29, [\frame, #224]
    str     x30, [\frame, #240]
.endm

/* x0 to x30; \frame is x0 or x1 and comes last. */
.macro LOAD_GENERAL frame
    ldp     x2, x3, [\frame, #16]
    ldp     x4, x5, [\frame, #32]
    ldp     x6, x7, [\frame, #48]
    ldp     x8, x9, [\frame, #64]
    ldp     x10, x11, [\frame, #80]
    ldp     x12, x13, [\frame, #96]
    ldp     x14, x15, [\frame, #112]
    ldp     x16, x17, [\frame, #128]
    ldp     x18, x19, [\frame, #144]
    ldp     x20, x21, [\frame, #160]
    ldp     x22, x23, [\frame, #176]
    ldp     x24, x25, [\frame, #192]
    ldp     x26, x27, [\frame, #208]
    ldp     x28, x29, [\frame, #224]
    ldr     x30, [\frame, #240]
    ldp     x0, x1, [\frame]
.endm

/* V0 to V31, four at a time. \pointer is clobbered. */
.macro VECTORS operation, frame, offset, pointer
    add     \pointer, \frame, #\offset
    \operation {v0.2d, v1.2d, v2.2d, v3.2d}, [\pointer], #64
    \operation {v4.2d, v5.2d, v6.2d, v7.2d}, [\pointer], #64
    \operation {v8.2d, v9.2d, v10.2d, v11.2d}, [\pointer], #64
    \operation {v12.2d, v13.2d, v14.2d, v15.2d}, [\pointer], #64
    \operation {v16.2d, v17.2d, v18.2d, v19.2d}, [\pointer], #64
    \operation {v20.2d, v21.2d, v22.2d, v23.2d}, [\pointer], #64
    \operation {v24.2d, v25.2d, v26.2d, v27.2d}, [\pointer], #64
    \operation {v28.2d, v29.2d, v30.2d, v31.2d}, [\pointer], #64
.endm

.macro SAVE_VECTORS frame, offset, pointer
    VECTORS st1, \frame, \offset, \pointer
.endm

.macro LOAD_VECTORS frame, offset, pointer
    VECTORS ld1, \frame, \offset, \pointer
.endm

#endif
