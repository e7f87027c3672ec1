/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system calls of a server at work, as a seccomp filter. What is not in the list is answered with ENOSYS, not
 * with death: a C library that tries something newer then falls back, and the readers keep their files.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>

#include "../merge/kernel.h"
#include "backing.h"
#include "confine.h"

#if defined(__x86_64__) && defined(__LP64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#else
#define ARCHITECTURE 0 /* none of which we know that the list is complete */
#endif

/* Reading requests and files, answering and complaining; memory; waiting for each other; ending. */
static const uint32_t always[] = {
	SYS_read,	 SYS_pread64,	     SYS_write,
	SYS_writev,	 SYS_mmap,	     SYS_munmap,
	SYS_mprotect,	 SYS_mremap,	     SYS_madvise,
	SYS_brk,	 SYS_futex,	     SYS_clock_gettime,
	SYS_sched_yield, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_close,	 SYS_exit,	     SYS_exit_group,
};

/* Receiving fds, making threads, looking at fds, and giving all of that up. Nothing here runs a program. */
static const uint32_t for_further_images[] = {
	SYS_recvmsg,	     SYS_clone, SYS_clone3, SYS_fcntl,
	SYS_set_robust_list, SYS_rseq,	SYS_getuid, SYS_seccomp,
};

/* Opening and looking, nothing that changes anything. */
static const uint32_t for_unions[] = {
	SYS_openat2,   SYS_newfstatat, SYS_fstat,	SYS_statx,	SYS_readlinkat,
	SYS_lgetxattr, SYS_llistxattr, SYS_fchdir,	SYS_getdents64, SYS_lseek,
	SYS_fstatfs,   SYS_getxattrat, SYS_listxattrat,
};

/* overlay.14: and what makes, changes and removes, by names in directories that are open. */
static const uint32_t for_overlays[] = {
	SYS_openat2,	SYS_newfstatat, SYS_fstat,	SYS_statx,
	SYS_readlinkat, SYS_lgetxattr,	SYS_llistxattr, SYS_fchdir,
	SYS_getdents64, SYS_lseek,	SYS_fstatfs,	SYS_openat,
	SYS_mkdirat,	SYS_mknodat,	SYS_symlinkat,	SYS_linkat,
	SYS_unlinkat,	SYS_renameat2,	SYS_fchownat,	SYS_fchmodat,
	SYS_fchmod,	SYS_utimensat,	SYS_lsetxattr,	SYS_lremovexattr,
	SYS_fgetxattr,	SYS_flistxattr, SYS_fsetxattr,	SYS_fremovexattr,
	SYS_pwrite64,	SYS_ftruncate,	SYS_fallocate,	SYS_copy_file_range,
	SYS_fsync,	SYS_fdatasync,	SYS_dup3,	SYS_fcntl,
	SYS_umask,	SYS_setfsuid,	SYS_setfsgid,
};

/* union.17: of ioctl(2) only what gives the kernel a file, and takes it back. */
static const uint32_t union_ioctls[] = { BACKING_OPEN_CALL, BACKING_CLOSE_CALL };

/* union.21: of the calling thread alone, so the first argument must be 0; and never in real time. */
static const uint32_t for_oneself[] = { SYS_sched_getaffinity, SYS_sched_setaffinity,
					SYS_sched_setscheduler };
static const uint32_t policies[] = { SCHED_OTHER, SCHED_IDLE };

static const struct list {
	const uint32_t *calls;
	size_t n;
	const uint32_t *ioctls;
	size_t n_ioctls;
	size_t n_own; /* calls for_oneself: all or none */
} works[] = {
	[CONFINE_IMAGE] = { NULL, 0, NULL, 0, 0 },
	[CONFINE_IMAGES] = { for_further_images, ARRAY_SIZE(for_further_images), NULL, 0,
			     0 },
	[CONFINE_UNION] = { for_unions, ARRAY_SIZE(for_unions), union_ioctls,
			    ARRAY_SIZE(union_ioctls), ARRAY_SIZE(for_oneself) },
	[CONFINE_OVERLAY] = { for_overlays, ARRAY_SIZE(for_overlays), NULL, 0,
			      ARRAY_SIZE(for_oneself) },
};

_Static_assert(ARRAY_SIZE(for_overlays) > ARRAY_SIZE(for_unions), "the longest list");

#define HEAD 3 /* instructions before the list */
#define OWN_BLOCK (5 + ARRAY_SIZE(policies))
#define TAIL (1 + OWN_BLOCK + 1 + 2) /* behind the list, but for the ioctls */

/* The half of an argument that the kernel looks at where it is an int. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ARGUMENT(i) (offsetof(struct seccomp_data, args[i]) + sizeof(uint32_t))
#else
#define ARGUMENT(i) offsetof(struct seccomp_data, args[i])
#endif

#define LOAD(offset) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset))
#define RETURN(k) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, k))

struct filter {
	struct sock_filter *code;
	size_t n;
};

/* If what was loaded is `k`, it goes on at the instruction `yes`, otherwise at `no`. */
static void branch(struct filter *f, uint32_t k, size_t yes, size_t no) {
	const uint8_t over_yes = (uint8_t)(yes - f->n - 1),
		      over_no = (uint8_t)(no - f->n - 1);

	f->code[f->n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k,
						       over_yes, over_no);
}

static void branch_each(struct filter *f, const uint32_t *list, size_t n, size_t yes) {
	for (size_t i = 0; i < n; i++)
		branch(f, list[i], yes, f->n + 1);
}

/* Behind the list: calls for oneself, ioctl(2) with some commands, then the refusal, then the permission. */
static size_t write_filter(const struct list *l, struct sock_filter *code) {
	const size_t own = HEAD + ARRAY_SIZE(always) + l->n + l->n_own + 1,
		     ioctls = own + OWN_BLOCK, refusal = ioctls + 1 + l->n_ioctls,
		     permission = refusal + 1;
	struct filter f = { .code = code };

	code[f.n++] = LOAD(offsetof(struct seccomp_data, arch));
	branch(&f, ARCHITECTURE, f.n + 1, refusal);
	code[f.n++] = LOAD(offsetof(struct seccomp_data, nr));
	branch_each(&f, always, ARRAY_SIZE(always), permission);
	branch_each(&f, l->calls, l->n, permission);
	branch_each(&f, for_oneself, l->n_own, own);
	branch(&f, SYS_ioctl, ioctls, refusal);
	code[f.n++] = LOAD(ARGUMENT(0));
	branch(&f, 0, f.n + 1, refusal);
	code[f.n++] = LOAD(offsetof(struct seccomp_data, nr));
	branch(&f, SYS_sched_setscheduler, f.n + 1, permission);
	code[f.n++] = LOAD(ARGUMENT(1));
	branch(&f, policies[0], permission, f.n + 1);
	branch(&f, policies[1], permission, refusal);
	code[f.n++] = LOAD(ARGUMENT(1));
	branch_each(&f, l->ioctls, l->n_ioctls, permission);
	code[f.n++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	code[f.n++] = RETURN(SECCOMP_RET_ALLOW);
	return f.n;
}

int confine_calls(enum confine_work work) {
	struct sock_filter code[HEAD + ARRAY_SIZE(always) + ARRAY_SIZE(for_overlays) +
				ARRAY_SIZE(for_oneself) + ARRAY_SIZE(union_ioctls) + TAIL];
	struct sock_fprog program = { .filter = code };

	if (ARCHITECTURE == 0)
		return 0;
	program.len = (unsigned short)write_filter(&works[work], code);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
		    &program) < 0 &&
	    errno != EINVAL && errno != ENOSYS)
		return -errno;
	return 0;
}
