// SPDX-License-Identifier: MIT
//
// Tables behind Known.h.
#include "Known.h"
#include "llvm/ADT/StringSet.h"

namespace memscope {

namespace {

enum class Op { ALLOC, REALLOC, FREE, VIA };

struct Row {
  Op Operation;
  const char *Symbol;
  const char *Shape;
};

const Row Rows[] = {
#define MS_ALLOCFN(OP, NUMBER, SYMBOL, DISPLAY, FAMILY, SHAPE) {Op::OP, #SYMBOL, SHAPE},
#include "memscope/allocfn.def"
};

llvm::StringSet<> symbolsWhere(bool (*Keep)(const Row &)) {
  llvm::StringSet<> Set;
  for (const Row &R : Rows)
    if (Keep(R)) Set.insert(R.Symbol);
  return Set;
}

bool handsOut(const Row &R) { return R.Operation != Op::FREE; }
bool handsOutByArgument(const Row &R) { return R.Operation != Op::FREE && llvm::StringRef(R.Shape).contains("out1"); }
bool takesBack(const Row &R) { return R.Operation == Op::FREE; }

// Library functions that return a pointer or are called in passing by code
// that does. Wrong entries cost names, missing ones four instructions.
const char *const Inert[] = {
    "memcpy", "memmove", "memset", "memchr", "memrchr", "rawmemchr", "memmem", "mempcpy", "memccpy", "memcmp", "bcmp",
    "bzero", "bcopy", "strchr", "strrchr", "strchrnul", "strstr", "strcasestr", "strpbrk", "strcpy", "strncpy",
    "stpcpy", "stpncpy", "strcat", "strncat", "strlcpy", "strlcat", "strtok", "strtok_r", "strsep", "strlen",
    "strnlen", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strcoll", "strspn", "strcspn", "index", "rindex",
    "strtol", "strtoul", "strtoll", "strtoull", "strtod", "strtof", "strtold", "atoi", "atol", "atoll",
    "atof", "abs", "labs", "llabs", "wcslen", "wcscmp", "wcsncmp", "wcscpy", "wcsncpy", "wcscat", "wcschr", "wcsrchr",
    "wcsstr", "wmemcpy", "wmemmove", "wmemset", "wmemchr", "wmemcmp", "wcstok", "getenv", "secure_getenv", "isalpha",
    "isdigit", "isalnum", "isspace", "isupper", "islower", "isxdigit", "ispunct", "isprint", "iscntrl", "isgraph",
    "toupper", "tolower", "__ctype_b_loc", "__ctype_tolower_loc", "__ctype_toupper_loc", "__errno_location", "time",
    "gettimeofday", "clock_gettime", "clock", "getpid", "gmtime_r", "sin", "cos", "tan", "exp", "log", "log2",
    "log10", "pow", "sqrt", "floor", "ceil", "fabs", "fmod", "ldexp", "frexp", "modf", "round", "trunc", "rand",
    "srand", "random", "setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp", "longjmp", "_longjmp", "abort",
    "__assert_fail", "__stack_chk_fail", "pthread_self", "pthread_mutex_lock", "pthread_mutex_unlock",
    "pthread_mutex_trylock", "pthread_getspecific", "pthread_equal", "__memcpy_chk", "__memmove_chk",
    "__memset_chk", "__strcpy_chk", "__strcat_chk", "__strncpy_chk", "__strncat_chk", "__stpcpy_chk", "mmap", "munmap",
    "mremap", "mprotect", "madvise", "sbrk", "shmat", "read", "write", "lseek", "pread", "pwrite", "close", "fsync",
    "inet_ntop", "malloc_usable_size", "je_malloc_usable_size", "__cxa_begin_catch",
    "__cxa_end_catch", "__cxa_guard_acquire", "__cxa_guard_release", "__cxa_get_exception_ptr", "__cxa_pure_virtual",
    "__clang_call_terminate", "_ZSt9terminatev", "__dynamic_cast", "alloca", "fgets", "gets",
};

} // namespace

bool isAllocator(llvm::StringRef Symbol) {
  static const llvm::StringSet<> Set = symbolsWhere(handsOut);
  return Set.count(Symbol);
}

bool isOutAllocator(llvm::StringRef Symbol) {
  static const llvm::StringSet<> Set = symbolsWhere(handsOutByArgument);
  return Set.count(Symbol);
}

bool isDeallocator(llvm::StringRef Symbol) {
  static const llvm::StringSet<> Set = symbolsWhere(takesBack);
  return Set.count(Symbol);
}

bool isInert(llvm::StringRef Symbol) {
  static const llvm::StringSet<> Set = [] {
    llvm::StringSet<> S;
    for (const char *Name : Inert) S.insert(Name);
    return S;
  }();
  return Set.count(Symbol);
}

bool returnsFirstArgument(llvm::StringRef Symbol) {
  // __memcpy_chk, __builtin___memcpy_chk and __builtin_memcpy are memcpy.
  Symbol.consume_front("__builtin_");
  Symbol.consume_front("__");
  Symbol.consume_back("_chk");
  for (const char *Name : {"strcpy", "strncpy", "strcat", "strncat", "memcpy", "memmove", "memset", "wcscpy", "wcsncpy",
                           "wcscat", "wcsncat", "wmemcpy", "wmemmove", "wmemset"})
    if (Symbol == Name) return true;
  return false;
}

bool suggestsFreeing(llvm::StringRef Name) {
  for (const char *Word : {"delete", "release", "destroy", "dealloc", "unref"})
    if (Name.contains_insensitive(Word)) return true;
  // "freeze" and "getFreeSpace" only cost a comparison that fails.
  return Name.contains_insensitive("free") && !Name.contains_insensitive("freeze");
}

} // namespace memscope
