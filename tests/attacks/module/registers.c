// SPDX-License-Identifier: MIT OR GPL-2.0
/* What Linux's kernel can find in registers, or do with them, around a call of the secure world: world_call.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/neon.h>
#include <asm/sysreg.h>

#include "world_call.h"

static_assert(offsetof(struct exclave_world_call, seed) == WORLD_CALL_SEED);
static_assert(offsetof(struct exclave_world_call, flags) == WORLD_CALL_FLAGS);
static_assert(offsetof(struct exclave_world_call, count) == WORLD_CALL_COUNT);
static_assert(offsetof(struct exclave_world_call, write) == WORLD_CALL_WRITE);
static_assert(offsetof(struct exclave_world_call, before) == WORLD_CALL_BEFORE);
static_assert(offsetof(struct exclave_world_call, after) == WORLD_CALL_AFTER);
static_assert(sizeof(struct exclave_world_call) == WORLD_CALL_BYTES);

extern const u64 exclave_world_register_count;
extern const char exclave_world_names[];
extern const char exclave_world_names_end[];
void exclave_world_call(struct exclave_world_call *call, u64 *original);

struct request {
    struct exclave_world_call call;
    u64 original[EXCLAVE_WORLD_WORDS];
};

/* Registers that set bits alone keep what the fill set; perf is not in use here. */
static void stop_counters(void)
{
    u64 version = (read_sysreg(id_aa64dfr0_el1) >> 8) & 0xf;

    if (version == 0 || version == 0xf)
        return;
    write_sysreg(~0UL, pmcntenclr_el0);
    write_sysreg(~0UL, pmintenclr_el1);
    write_sysreg(~0UL, pmovsclr_el0);
}

static void run(struct request *request)
{
    migrate_disable();
    kernel_neon_begin();
    exclave_world_call(&request->call, request->original);
    kernel_neon_end();
    stop_counters();
    migrate_enable();
}

static long registers_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
    void __user *user = (void __user *)argument;
    struct request *request;
    long error = 0;
    u64 i;

    if (command != EXCLAVE_WORLD_CALL_RUN)
        return -ENOTTY;
    request = kzalloc(sizeof(*request), GFP_KERNEL);
    if (!request)
        return -ENOMEM;
    if (copy_from_user(&request->call, user, sizeof(request->call)))
        error = -EFAULT;
    if (!error && request->call.count > EXCLAVE_WORLD_WRITES)
        error = -EINVAL;
    for (i = 0; !error && i < request->call.count; i++)
        if (request->call.write[i][0] >= exclave_world_register_count)
            error = -EINVAL;
    if (!error) {
        run(request);
        if (copy_to_user(user, &request->call, sizeof(request->call)))
            error = -EFAULT;
    }
    kfree(request);
    return error;
}

static ssize_t registers_read(struct file *file, char __user *buffer, size_t bytes, loff_t *at)
{
    return simple_read_from_buffer(buffer, bytes, at, exclave_world_names, exclave_world_names_end - exclave_world_names);
}

static const struct file_operations registers_operations = {
    .owner = THIS_MODULE,
    .read = registers_read,
    .unlocked_ioctl = registers_ioctl,
};

static struct miscdevice registers_device = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "exclave_registers",
    .fops = &registers_operations,
    .mode = 0600,
};
module_misc_device(registers_device);

MODULE_DESCRIPTION("Registers around a call of the secure world, for tests");
MODULE_LICENSE("Dual MIT/GPL");
