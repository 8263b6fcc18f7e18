/*
 * The process itself, by the names every Prometheus client library gives these numbers
 * (prometheus.io/docs/instrumenting/writing_clientlibs, process metrics).  What /proc does
 * not tell is left out.
 */
#include "core/base/metric_process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"

#ifndef ORDERD_VERSION
#error "ORDERD_VERSION comes from CMakeLists.txt"
#endif

static void print_head(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_gauge(FILE *out, const char *name, const char *help, int64_t value)
{
	print_head(out, name, "gauge", help);
	(void)fprintf(out, "%s %" PRId64 "\n", name, value);
}

static void print_cpu(FILE *out)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) != 0)
		return;
	print_head(out, "process_cpu_seconds_total", "counter",
		   "user and system time of all threads");
	(void)fprintf(out, "process_cpu_seconds_total %.6f\n",
		      (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
}

/* The first line of a file; false: it has none. */
static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool there = f != NULL && fgets(line, (int)size, f) != NULL;

	if (f != NULL)
		(void)fclose(f);
	return there;
}

/* proc(5), /proc/pid/statm: pages, and of them resident ones. */
static void print_memory(FILE *out)
{
	int64_t page = sysconf(_SC_PAGESIZE);
	char line[256], *p = line;

	if (!read_line("/proc/self/statm", line, sizeof(line)))
		return;
	print_gauge(out, "process_virtual_memory_bytes", "address space in use",
		    strtoll(p, &p, 10) * page);
	print_gauge(out, "process_resident_memory_bytes", "memory in use",
		    strtoll(p, NULL, 10) * page);
}

static void print_files(FILE *out)
{
	DIR *dir = opendir("/proc/self/fd");
	struct rlimit limit;
	int64_t n = -1; /* the one it is read by */
	const struct dirent *e;

	if (dir != NULL) {
		while ((e = readdir(dir)) != NULL)
			n += e->d_name[0] != '.';
		(void)closedir(dir);
		print_gauge(out, "process_open_fds", "open files and sockets", n);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		print_gauge(out, "process_max_fds", "files and sockets that may be open",
			    (int64_t)limit.rlim_cur);
}

/* proc(5), /proc/pid/stat: field 22 is the start in clock ticks since boot, behind a name in
 * brackets. */
static void print_start(FILE *out)
{
	char line[1024];
	const char *p =
		read_line("/proc/self/stat", line, sizeof(line)) ? strrchr(line, ')') : NULL;
	struct timespec up;
	double start;

	for (int field = 2; p != NULL && field < 22; field++) {
		p = strchr(p, ' ');
		p = p != NULL ? p + 1 : NULL;
	}
	if (p == NULL || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
		return;
	start = strtod(p, NULL) / (double)sysconf(_SC_CLK_TCK);
	print_head(out, "process_start_time_seconds", "gauge", "when it began, Unix time");
	(void)fprintf(out, "process_start_time_seconds %.2f\n",
		      (double)clock_wall_us() / 1e6 - (double)up.tv_sec - (double)up.tv_nsec / 1e9 +
			      start);
}

void metric_process_print(FILE *out)
{
	print_head(out, "orderd_build_info", "gauge", "always 1; its label tells the version");
	(void)fprintf(out, "orderd_build_info{version=\"%s\"} 1\n", ORDERD_VERSION);
	print_cpu(out);
	print_memory(out);
	print_files(out);
	print_start(out);
}
