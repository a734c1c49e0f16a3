/* What assembly asks of this build's protections: nothing, for it has all. `Sptm.Weak` has its own copy of this file. */
#ifndef EXCLAVES_SPTM_PROTECTIONS_H
#define EXCLAVES_SPTM_PROTECTIONS_H

/* Loads a section of worldregs.h for the world that comes. */
#define PROTECTED(defence, section) section(LOAD)

/* Loads PMCR_EL0, on CPUs that have it. */
#define PROTECTED_COUNTERS OPTIONAL(2, WORLD_COUNTERS, LOAD_ONE, x1)

/* In: x0 = frame. Clobbers x1. */
#define PROTECTED_VECTORS LOAD_VECTORS x0, FRAME_V, x1

#endif
