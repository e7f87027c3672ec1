/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system calls of a server at work, as a seccomp filter. What is not in the list is answered with ENOSYS, not
 * with death: a C library that tries something newer then falls back, and the readers keep their files.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

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

/* Reading requests and images, answering and complaining; memory; waiting for each other; ending. */
static const uint32_t allowed[] = {
	SYS_read,	 SYS_pread64,	     SYS_write,
	SYS_writev,	 SYS_mmap,	     SYS_munmap,
	SYS_mprotect,	 SYS_mremap,	     SYS_madvise,
	SYS_brk,	 SYS_futex,	     SYS_clock_gettime,
	SYS_sched_yield, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_close,	 SYS_exit,	     SYS_exit_group,
};

#define HEAD 3 /* instructions before the list */
#define TAIL 2 /* and behind it */

int confine_calls(void) {
	struct sock_filter code[HEAD + ARRAY_SIZE(allowed) + TAIL] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0,
			 ARRAY_SIZE(allowed) + 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };
	size_t n = HEAD;

	if (ARCHITECTURE == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 allowed[i],
							 ARRAY_SIZE(allowed) - i, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						 SECCOMP_RET_ERRNO | ENOSYS);
	code[n] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
		    &program) < 0 &&
	    errno != EINVAL && errno != ENOSYS)
		return -errno;
	return 0;
}
