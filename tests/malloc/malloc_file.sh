#!/bin/sh
# once
# The shared library as a file: it needs libc alone, takes one word of thread-local storage, and its
# functions reach each other without the linkage table.
set -eu
export LC_ALL=C
library=$ARENITE_MALLOC
bad=0
complain() {
  echo "$library: $*" >&2
  bad=1
}

# Nothing but libc. (glibc's loader counts as libc.)
needed=$(readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
for name in $needed; do
  case $name in
    libc.so.6 | ld-linux-x86-64.so.2) ;;
    *) complain "needs $name" ;;
  esac
done
echo "$needed" | grep -qx libc.so.6 || complain "does not need libc: what was read?"

# One word: what is reserved for libraries that are loaded late is small, and shared by all.
tls=$(readelf -lW "$library" | awk '$1 == "TLS" { print $6 }')
[ "$tls" = 0x000008 ] || complain "has thread-local storage of $tls bytes, not 0x000008"
# Reached by one load, never through a function of the loader, which may allocate.
readelf -dW "$library" | grep -q '(FLAGS).*STATIC_TLS' || complain "is not initial-exec"
readelf -rW "$library" | grep -q R_X86_64_TPOFF64 || complain "has no initial-exec relocation"
if readelf -rW "$library" | grep -E 'R_X86_64_(DTPMOD64|DTPOFF64|TLSDESC)'; then
  complain "has thread-local storage that the loader looks up"
fi
if readelf --dyn-syms -W "$library" | grep __tls_get_addr; then
  complain "calls __tls_get_addr"
fi
# Its constructor comes before those of the program's other libraries.
readelf -dW "$library" | grep -q '(FLAGS_1).*INITFIRST' || complain "is not initialised first"

# No name that it defines is looked up again when it is called from within: but for these operators of
# C++, which a program may replace alone. The other operators must then use the program's.
replaceable=' _Znwm _Znam _ZdlPv _ZdaPv _ZnwmSt11align_val_t _ZnamSt11align_val_t _ZdlPvSt11align_val_t _ZdaPvSt11align_val_t '
is_own() {
  case $replaceable in
    *" $1 "*) return 1 ;;
  esac
  echo "$defined" | grep -qx "$1"
}
defined=$(readelf --dyn-syms -W "$library" |
  awk '$7 != "UND" && ($4 == "FUNC" || $4 == "OBJECT") { sub(/@.*/, "", $8); print $8 }' | sort -u)
for name in malloc free calloc realloc posix_memalign malloc_usable_size _Znwm _ZdlPv arn_malloc; do
  echo "$defined" | grep -qx "$name" || complain "does not define $name"
done
relocated=$(readelf -rW "$library" |
  awk '$3 ~ /^R_X86_64_/ && NF > 4 { sub(/@.*/, "", $5); print $5 }' | sort -u)
echo "$relocated" | grep -qx mmap || complain "has no relocation for mmap: what was read?"
for name in $relocated; do
  if is_own "$name"; then
    complain "has a relocation for its own $name"
  fi
  # What glibc exports beside them would bypass, or come back to, malloc.
  if ! echo "$defined" | grep -qx "$name"; then
    case $name in
      __libc_* | [cmpv]*alloc | realloc* | *memalign | aligned_alloc | free | cfree | _Zn[wa]* | _Zd[la]*)
        complain "needs $name of somebody else"
        ;;
    esac
  fi
done

# operator new and delete make their journeys themselves, without a call of anything on the way.
for function in _Znwm _ZdlPv _ZdlPvm; do
  body=$(objdump -d --no-show-raw-insn --disassemble=$function "$library")
  echo "$body" | grep -q 'mov .*%fs:' || complain "$function does not read the thread's heap"
  if echo "$body" | grep -E '(call|jmp) .*<(malloc|free|arn_malloc|arn_free|_Znwm)(@plt)?>'; then
    complain "$function calls another"
  fi
done
if objdump -d --no-show-raw-insn "$library" | grep -E '(call|jmp) .*<(malloc|free|calloc|realloc|arn_[a-z_]*)@plt>'; then
  complain "calls its own functions through the linkage table"
fi
exit $bad
