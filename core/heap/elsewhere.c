/* elsewhere.c - see elsewhere.h. */
#include "elsewhere.h"

#include "heap.h"
#include "panic.h"

_Noreturn void arn_elsewhere_differs(const arn_interface *there) {
  arn_panic("libarenite-malloc has version %u of the interface and libarenite has version %u",
            there->version, (unsigned)ARN_INTERFACE_VERSION);
}

/* When the library is loaded. A table of another version is an error only when it is called: this
 * copy may be one that nobody calls. */
__attribute__((constructor(101))) static void hand_over(void) {
  const arn_interface *there = &arn_override_interface;
  if (!there || there->space == &arn_space || there->version != ARN_INTERFACE_VERSION)
    return;
  store_relaxed(&arn_no_heap.request, 1); /* for arn_safepoint */
  arn_domains_hand_over(there);
}
