/*
 * Loads an exported object with libbpf, test-runs one of its programs, and kills that run after some milliseconds.
 *
 *     cc kill.c -lbpf -lpthread -o kill && ./kill killable.o PROGRAM 20
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static void *run(void *fd)
{
	static char packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	int error = bpf_prog_test_run_opts(*(int *)fd, &opts);

	return (void *)(long)(error < 0 ? error : (long)opts.retval);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return fprintf(stderr, "usage: kill OBJECT PROGRAM MILLISECONDS\n"), 2;

	struct bpf_object *obj = bpf_object__open_file(argv[1], NULL);
	if (!obj || bpf_object__load(obj))
		return fprintf(stderr, "%s cannot be loaded\n", argv[1]), 1;
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".data.swansong_kill");
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, argv[2]);
	if (!map || !prog)
		return fprintf(stderr, "%s has no words, or no program %s\n", argv[1], argv[2]), 1;
	volatile uint32_t *words =
		mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (words == MAP_FAILED)
		return perror("mmap"), 1;

	int fd = bpf_program__fd(prog);
	pthread_t thread;
	void *answer;

	uint64_t begun = now_us();
	pthread_create(&thread, NULL, run, &fd);
	usleep(1000 * atoi(argv[3]));
	uint64_t killed = now_us();
	words[0] = 1; /* kill the first program of the object */
	pthread_join(thread, &answer);
	words[0] = 0; /* let new runs begin */
	printf("returned %ld after %llu us, %llu us after the kill\n", (long)answer,
	       (unsigned long long)(now_us() - begun), (unsigned long long)(now_us() - killed));
	bpf_object__close(obj);
	return 0;
}
