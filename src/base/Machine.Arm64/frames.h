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

.macro VECTORS operation, base, offset
    \operation q0, q1, [\base, #\offset]
    \operation q2, q3, [\base, #\offset + 32]
    \operation q4, q5, [\base, #\offset + 64]
    \operation q6, q7, [\base, #\offset + 96]
    \operation q8, q9, [\base, #\offset + 128]
    \operation q10, q11, [\base, #\offset + 160]
    \operation q12, q13, [\base, #\offset + 192]
    \operation q14, q15, [\base, #\offset + 224]
    \operation q16, q17, [\base, #\offset + 256]
    \operation q18, q19, [\base, #\offset + 288]
    \operation q20, q21, [\base, #\offset + 320]
    \operation q22, q23, [\base, #\offset + 352]
    \operation q24, q25, [\base, #\offset + 384]
    \operation q26, q27, [\base, #\offset + 416]
    \operation q28, q29, [\base, #\offset + 448]
    \operation q30, q31, [\base, #\offset + 480]
.endm

.macro SAVE_VECTORS base, offset
    VECTORS stp, \base, \offset
.endm

.macro LOAD_VECTORS base, offset
    VECTORS ldp, \base, \offset
.endm

#endif
