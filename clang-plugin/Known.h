// SPDX-License-Identifier: MIT
//
// What is known of functions by their name alone: the allocator table of
// allocfn.def, library functions that never allocate, and names that sound
// like giving memory back. No AST, no IR.
#ifndef MEMSCOPE_KNOWN_H
#define MEMSCOPE_KNOWN_H

#include "llvm/ADT/StringRef.h"

namespace memscope {

// A row of allocfn.def that hands out memory (ALLOC, REALLOC or VIA).
bool isAllocator(llvm::StringRef Symbol);

// The same, and the block comes through the first argument: asprintf(&s, ...).
bool isOutAllocator(llvm::StringRef Symbol);

// A row of allocfn.def that takes memory back (FREE).
bool isDeallocator(llvm::StringRef Symbol);

// A C library function that neither allocates nor frees, nor calls back.
bool isInert(llvm::StringRef Symbol);

// A library function that returns its first argument: strcpy, memset.
bool returnsFirstArgument(llvm::StringRef Symbol);

// The name contains free, delete, release, destroy, dealloc or unref.
bool suggestsFreeing(llvm::StringRef Name);

} // namespace memscope

#endif
