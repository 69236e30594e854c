/*
 * wipe.c - memory tells nothing after it was given back
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "base/wipe.h"

#include <string.h>

#include "base/compiler.h"
#include "base/ensure.h"

#ifdef HAVE_ASAN
#include <stddef.h>
#include <stdint.h>

/* As sanitizer/allocator_interface.h has them, which gcc does not bring. */
int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void *, size_t),
    void (*freeing)(const volatile void *));
int __sanitizer_get_ownership(const volatile void *p);
size_t __sanitizer_get_allocated_size(const volatile void *p);

static void
allocated(const volatile void *p, size_t size_bytes)
{
	(void)p;
	(void)size_bytes;
}

/* AddressSanitizer has functions of its own, and calls this in front of them. */
static void
freeing(const volatile void *p)
{
	void *memory = (void *)(uintptr_t)p;

	if (memory != NULL && __sanitizer_get_ownership(memory) != 0)
		explicit_bzero(memory, __sanitizer_get_allocated_size(memory));
}

void
wipe_begin(void)
{
	ensure(__sanitizer_install_malloc_and_free_hooks(allocated, freeing) > 0);
}

#else
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

typedef void free_function(void *p);

/* The one that everybody would call without ours; NULL while it is looked for. */
static free_function *
next_free(void)
{
	static free_function *next;
	static bool looking;

	if (next == NULL && !looking) {
		looking = true;
		next = (free_function *)dlsym(RTLD_NEXT, "free");
	}
	return next;
}

void
free(void *p)
{
	free_function *next = next_free();
	int error = errno;

	if (p == NULL || next == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	next(p);
	errno = error;
}

/* What becomes a little smaller stays where it is. */
void *
realloc(void *p, size_t size_bytes)
{
	size_t old = p != NULL ? malloc_usable_size(p) : 0;
	void *other;

	if (p != NULL && size_bytes <= old && size_bytes > old / 2)
		return p;
	if (p != NULL && size_bytes == 0) {
		free(p);
		return NULL;
	}
	other = malloc(size_bytes);
	if (p == NULL || other == NULL)
		return other;
	memcpy(other, p, size_bytes < old ? size_bytes : old);
	free(p);
	return other;
}

void
wipe_begin(void)
{
	ensure((free_function *)dlsym(RTLD_DEFAULT, "free") == free &&
	    next_free() != NULL && next_free() != free);
}
#endif
