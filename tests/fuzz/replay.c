/* Gives each file named on the command line to the target once: a corpus as a plain test. */
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20 };

int main(int argc, char **argv)
{
	static uint8_t input[INPUT_MAX];

	LLVMFuzzerTestOneInput(input, 0);
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n;

		if (f == NULL) {
			perror(argv[i]);
			return 1;
		}
		n = fread(input, 1, sizeof(input), f);
		fclose(f);
		LLVMFuzzerTestOneInput(input, n);
	}
	printf("%d inputs\n", argc);
	return 0;
}
