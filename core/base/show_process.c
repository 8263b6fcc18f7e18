/*
 * The views of the process itself: what it is made of, and its memory.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "core/base/clock.h"
#include "core/base/show_parts.h"

const char *show_program_version(void)
{
	return ORDERD_VERSION;
}

static void add(struct show *s, const char *what, const char *value)
{
	if (!show_row(s))
		return;
	show_text(s, what);
	show_text(s, value);
}

static const char *sanitizers(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return "address";
#elif defined(__SANITIZE_THREAD__)
	return "thread";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return "address";
#elif __has_feature(thread_sanitizer)
	return "thread";
#else
	return "none";
#endif
#else
	return "none";
#endif
}

void show_version(struct show *s, const void *arg)
{
	const struct show_board *b = arg;
	char text[64];

	add(s, "program", b->program);
	add(s, "version", ORDERD_VERSION);
	add(s, "build", ORDERD_BUILD_TYPE);
	add(s, "compiler", __VERSION__);
	add(s, "sanitizers", sanitizers());
	(void)snprintf(text, sizeof(text), "%ld", (long)getpid());
	add(s, "pid", text);
	add(s, "incarnation", id_format(b->incarnation, text));
	(void)snprintf(text, sizeof(text), "%" PRId64, (clock_mono_us() - b->started_us) / 1000000);
	add(s, "uptime_s", text);
	add(s, "openssl", OpenSSL_version(OPENSSL_VERSION));
}

static void add_bytes(struct show *s, const char *what, uint64_t bytes)
{
	if (!show_row(s))
		return;
	show_text(s, what);
	show_int(s, (int64_t)bytes);
	show_nothing(s);
}

/* Resident pages, as the kernel counts them; 0 when it does not say.  No disk is asked. */
static uint64_t resident(void)
{
	char text[128] = "";
	unsigned long pages = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	const char *p;
	long long value;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	p = n > 0 ? strchr(text, ' ') : NULL;
	if (p != NULL && str_to_i64((struct str){p + 1, strcspn(p + 1, " ")}, 0, INT64_MAX, &value))
		pages = (unsigned long)value;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Under a sanitizer the heap is not glibc's, and its rows are 0. */
void show_memory(struct show *s, const void *none)
{
	struct mallinfo2 heap = mallinfo2();
	struct rusage used = {0};

	(void)none;
	(void)getrusage(RUSAGE_SELF, &used);
	add_bytes(s, "resident", resident());
	add_bytes(s, "resident_peak", (uint64_t)used.ru_maxrss * 1024);
	add_bytes(s, "heap_used", heap.uordblks + heap.hblkhd);
	add_bytes(s, "heap_free", heap.fordblks);
	add_bytes(s, "heap_mapped", heap.hblkhd);
}
