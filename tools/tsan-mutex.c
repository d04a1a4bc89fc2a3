/* Tells ThreadSanitizer what Swift's Mutex does when two threads meet at it.
 *
 * Mutex (Swift 6.3, Linux) is an atomic word. When nobody waits, it is taken and given back by
 * compareExchange in the caller's own code, which ThreadSanitizer sees. When somebody waits, that
 * happens in two functions of libswiftSynchronization.so (futex(2), FUTEX_LOCK_PI), which comes
 * uninstrumented with the toolchain: the sanitizer does not see that the thread that had the mutex
 * before comes before the one that has it now, and reports whatever the mutex guards as a race.
 *
 * tools/test-sanitized preloads this: the same two functions, which call the library's and say so
 * to the sanitizer. Nothing is suppressed: a program of eight threads that append to one guarded
 * array is reported without this and not with it, and one that also counts without the mutex is
 * reported with it too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

/* Of the sanitizer's runtime; null in programs without it, which inherit LD_PRELOAD too. */
extern __attribute__((weak)) void __tsan_acquire(void *address);
extern __attribute__((weak)) void __tsan_release(void *address);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT_METHOD __attribute__((swiftcall))
#define SWIFT_SELF __attribute__((swift_context))

typedef SWIFT_METHOD void (*lock_function)(uint32_t thread, SWIFT_SELF void *mutex);
typedef SWIFT_METHOD void (*unlock_function)(SWIFT_SELF void *mutex);

SWIFT_METHOD void lock_slow(uint32_t thread, SWIFT_SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT_METHOD void unlock_slow(SWIFT_SELF void *mutex) __asm__(UNLOCK_SLOW);

SWIFT_METHOD void lock_slow(uint32_t thread, SWIFT_SELF void *mutex)
{
    ((lock_function)dlsym(RTLD_NEXT, LOCK_SLOW))(thread, mutex);
    if (__tsan_acquire)
        __tsan_acquire(mutex);
}

SWIFT_METHOD void unlock_slow(SWIFT_SELF void *mutex)
{
    if (__tsan_release)
        __tsan_release(mutex);
    ((unlock_function)dlsym(RTLD_NEXT, UNLOCK_SLOW))(mutex);
}
