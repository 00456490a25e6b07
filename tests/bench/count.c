// Counts a program's allocations in the file that COUNT_INTO names. Stands before glibc's allocator by LD_PRELOAD.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *piece, size_t size);

static unsigned long before_opened, *counted = &before_opened;

static void count(void) { __atomic_fetch_add(counted, 1, __ATOMIC_RELAXED); }

__attribute__((constructor)) static void open_counter(void) {
  const char *name = getenv("COUNT_INTO");
  int file = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (file < 0 || ftruncate(file, sizeof *counted)) return;
  void *page = mmap(0, sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) counted = page;
  close(file);
}

void *malloc(size_t size) { count(); return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { count(); return __libc_calloc(number, size); }
void *realloc(void *piece, size_t size) { count(); return __libc_realloc(piece, size); }
