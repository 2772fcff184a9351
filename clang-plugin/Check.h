// SPDX-License-Identifier: MIT
//
// The checks behind calls, twice: first as a mere note in the IR that a pointer
// is to be checked there, which costs the optimiser nothing and keeps nothing
// from being inlined; and when it is done, as the code that memscope/abi.h
// pictures.
#ifndef MEMSCOPE_CHECK_H
#define MEMSCOPE_CHECK_H

#include "Compat.h"
#include "llvm/IR/IRBuilder.h"

namespace memscope {

// Notes the check of Pointer: is it the newest block, or the one just freed?
// Bits: the site's index in Unit and the flags of its bind.
void placeCheck(llvm::IRBuilder<> &B, llvm::GlobalVariable *Unit, llvm::Value *Pointer, uint32_t Bits, bool Freed);

// Makes code of all notes in M.
void expandChecks(llvm::Module &M);

} // namespace memscope

#endif
