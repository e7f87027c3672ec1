/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts images in force by device-mapper, for the tests in guests:
 *
 *	activate [OPTION...] NODES [COMMAND [ARGUMENT...]]
 *	--image=DATA,OFFSET,SIZE,HASH,OFFSET,SIZE,ROOT[,SIGNATURE]   a file, its range, the file with the hash area, its
 *	             range, the root hash as digits, a file with the signature (may be given again)
 *	--corruption=eio|restart|panic
 *	--heal       first removes what other runs have left
 *	--probe      only says whether it can be done
 *
 * NODES is a directory for device nodes. Prints a line for each device, "NUMBER NAME kernel|userspace ANSWER", or "failed:
 * ERROR: WHY", then runs the command, which finds the devices as /proc/self/fd/100 and so on. Exit status: the
 * command's, or 3 if anything failed.
 */
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "../../verity/activate.h"
#include "../../verity/hex.h"

#define IMAGES_MAX 128
#define FIRST_FD 100
#define FIELDS 8

struct run {
	struct activate_options options;
	char *images[IMAGES_MAX];
	size_t n_images;
	bool heal, probe;
};

static int say(int error, const char *why) {
	printf("failed: %s%s%s\n", strerror(-error), why ? ": " : "", why ? why : "");
	return 3;
}

static int open_or_die(const char *path) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		exit(3);
	}
	return fd;
}

/* Fills the target from the text of --image. */
static void take_image(char *text, struct verity_target *t) {
	static uint8_t signature[65536];
	char *field[FIELDS] = { 0 }, *rest = text;
	ssize_t n;

	for (int i = 0; i < FIELDS && rest; i++)
		field[i] = strsep(&rest, ",");
	if (!field[6]) {
		fprintf(stderr, "--image needs seven fields\n");
		exit(2);
	}
	*t = (struct verity_target){
		.data_fd = open_or_die(field[0]),
		.data_offset = strtoull(field[1], NULL, 10),
		.data_size = strtoull(field[2], NULL, 10),
		.hash_fd = open_or_die(field[3]),
		.hash_offset = strtoull(field[4], NULL, 10),
		.hash_size = strtoull(field[5], NULL, 10),
		.root_size = strlen(field[6]) / 2,
	};
	if (hex_decode(field[6], strlen(field[6]), false, t->root) < 0)
		exit(2);
	if (!field[7])
		return;
	n = read(open_or_die(field[7]), signature, sizeof(signature));
	t->signature = signature;
	t->signature_size = n < 0 ? 0 : (size_t)n;
}

static int activate_one(const struct run *run, size_t i) {
	struct verity_target t;
	struct activate_info info;
	const char *why = NULL;
	int device, r;

	take_image(run->images[i], &t);
	r = activate_verity(&t, &run->options, &device, &info, &why);
	if (r < 0)
		return say(r, why);
	printf("%u:%u %s %s %s\n", major(info.device), minor(info.device), info.name,
	       info.is_kernel_checked ? "kernel" : "userspace",
	       info.kernel_answer ? strerror(-info.kernel_answer) : "-");
	if (dup2(device, FIRST_FD + (int)i) < 0)
		return say(-errno, NULL);
	close(device);
	return 0;
}

static int run_command(char **command) {
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 3;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void parse(int argc, char **argv, struct run *run) {
	static const char *const corruption[] = { "eio", "restart", "panic" };
	static const struct option options[] = {
		{ "image", required_argument, NULL, 'i' },
		{ "corruption", required_argument, NULL, 'c' },
		{ "heal", no_argument, NULL, 'h' },
		{ "probe", no_argument, NULL, 'p' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == 'i' && run->n_images < IMAGES_MAX)
			run->images[run->n_images++] = optarg;
		else if (c == 'h')
			run->heal = true;
		else if (c == 'p')
			run->probe = true;
		else if (c != 'c')
			exit(2);
		for (size_t i = 0; c == 'c' && i < ARRAY_SIZE(corruption); i++)
			if (strcmp(optarg, corruption[i]) == 0)
				run->options.on_corruption = (enum cryptsetup_corruption)i;
	}
}

int main(int argc, char **argv) {
	struct run run = { 0 };
	int r = 0, failed = 0;

	parse(argc, argv, &run);
	if (optind >= argc)
		return 2;
	run.options.nodes = open_or_die(argv[optind++]);
	if (run.heal)
		r = activate_heal(run.options.nodes);
	if (r == 0 && run.probe)
		r = activate_probe(run.options.nodes);
	if (r < 0)
		return say(r, NULL);
	for (size_t i = 0; i < run.n_images; i++)
		failed |= activate_one(&run, i);
	fflush(stdout);
	if (failed || optind == argc)
		return failed;
	return run_command(argv + optind);
}
