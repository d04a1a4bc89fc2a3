#include <maxminddb.h>

/* glibc shows memfd_create only to _GNU_SOURCE, which a header for Swift cannot define (the
   debug build then disagrees with Swift's own glibc module). */
extern int memfd_create(const char *name, unsigned int flags);

/* A file in memory without a name in any directory, closed on exec (MFD_CLOEXEC is 1). */
static inline int geodns_memory_file(const char *name) { return memfd_create(name, 1U); }
