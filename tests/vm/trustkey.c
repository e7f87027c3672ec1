/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * trustkey KEYRING CERTIFICATE: adds a certificate (DER) to a keyring of the kernel, such as ".dm-verity", and seals it,
 * whereupon the kernel trusts what the certificate has signed. For the tests in guests.
 */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The keyring's number, by the kernel's list: "NUMBER FLAGS USAGE TIMEOUT PERMISSIONS UID GID keyring NAME: ...". */
static unsigned find_keyring(const char *name) {
	FILE *keys = fopen("/proc/keys", "re");
	char line[512], type[64], found[64];
	unsigned number, result = 0;

	while (keys && fgets(line, sizeof(line), keys))
		if (sscanf(line, "%x %*s %*s %*s %*s %*s %*s %63s %63[^: ]", &number,
			   type, found) == 3 &&
		    strcmp(type, "keyring") == 0 && strcmp(found, name) == 0)
			result = number;
	if (keys)
		fclose(keys);
	return result;
}

int main(int argc, char **argv) {
	static char der[65536];
	unsigned keyring;
	ssize_t n;
	int fd;

	if (argc != 3)
		return 2;
	keyring = find_keyring(argv[1]);
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	n = read(fd, der, sizeof(der));
	if (keyring == 0 || n <= 0) {
		fprintf(stderr, "there is no such keyring, or no certificate\n");
		return 1;
	}
	if (syscall(SYS_add_key, "asymmetric", "", der, (size_t)n, keyring) < 0) {
		perror("add_key");
		return 1;
	}
	if (syscall(SYS_keyctl, KEYCTL_RESTRICT_KEYRING, keyring, NULL, NULL) < 0) {
		perror("keyctl");
		return 1;
	}
	return 0;
}
