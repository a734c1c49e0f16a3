/*
 * The compression function of SHA-256 (FIPS 180-4, 6.2.2) by the SHA2 instructions (ID_AA64ISAR0_EL1.SHA2).
 * Padding is the caller's (Sptm/Sha256.cs).
 */
#include "asm.h"

    .arch_extension sha2

/* Four rounds with message words w0 and constants k, and the words of sixteen rounds later into w0. clobbers: v2, v3. */
.macro ROUNDS k, w0, w1, w2, w3
    add     v2.4s, \w0\().4s, \k\().4s
    .ifnb \w1
    sha256su0 \w0\().4s, \w1\().4s
    .endif
    mov     v3.16b, v0.16b
    sha256h q0, q1, v2.4s
    sha256h2 q1, q3, v2.4s
    .ifnb \w1
    sha256su1 \w0\().4s, \w2\().4s, \w3\().4s
    .endif
.endm

/* in: x0 = state (eight words), x1 = data, x2 = blocks of 64 bytes, at least one. clobbers: x1-x3, v0-v7, v16-v31. */
FUNC(arm64_sha256_blocks)
    adr     x3, .Lconstants
    ld1     {v16.4s, v17.4s, v18.4s, v19.4s}, [x3], #64
    ld1     {v20.4s, v21.4s, v22.4s, v23.4s}, [x3], #64
    ld1     {v24.4s, v25.4s, v26.4s, v27.4s}, [x3], #64
    ld1     {v28.4s, v29.4s, v30.4s, v31.4s}, [x3]
    ld1     {v0.4s, v1.4s}, [x0]
1:  ld1     {v4.16b, v5.16b, v6.16b, v7.16b}, [x1], #64
    rev32   v4.16b, v4.16b
    rev32   v5.16b, v5.16b
    rev32   v6.16b, v6.16b
    rev32   v7.16b, v7.16b
    ROUNDS  v16, v4, v5, v6, v7
    ROUNDS  v17, v5, v6, v7, v4
    ROUNDS  v18, v6, v7, v4, v5
    ROUNDS  v19, v7, v4, v5, v6
    ROUNDS  v20, v4, v5, v6, v7
    ROUNDS  v21, v5, v6, v7, v4
    ROUNDS  v22, v6, v7, v4, v5
    ROUNDS  v23, v7, v4, v5, v6
    ROUNDS  v24, v4, v5, v6, v7
    ROUNDS  v25, v5, v6, v7, v4
    ROUNDS  v26, v6, v7, v4, v5
    ROUNDS  v27, v7, v4, v5, v6
    ROUNDS  v28, v4
    ROUNDS  v29, v5
    ROUNDS  v30, v6
    ROUNDS  v31, v7
    ld1     {v2.4s, v3.4s}, [x0]
    add     v0.4s, v0.4s, v2.4s
    add     v1.4s, v1.4s, v3.4s
    st1     {v0.4s, v1.4s}, [x0]
    subs    x2, x2, #1
    b.ne    1b
    ret

    /* Beside the code: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
    .balign 16
.Lconstants:
    .word   0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
    .word   0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
    .word   0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
    .word   0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
    .word   0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
    .word   0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
    .word   0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
    .word   0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
ENDFUNC(arm64_sha256_blocks)
