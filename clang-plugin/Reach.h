// SPDX-License-Identifier: MIT
//
// Which functions can neither allocate nor free, whatever they call: their
// callers need no check. A fixpoint over one module's definitions. Reads IR.
#ifndef MEMSCOPE_REACH_H
#define MEMSCOPE_REACH_H

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

namespace memscope {

class Reach {
public:
  explicit Reach(llvm::Module &M);

  // The call can neither allocate nor free.
  bool isInertCall(const llvm::CallBase *Call) const;

  bool isInertFunction(const llvm::Function *F) const;

private:
  llvm::DenseSet<const llvm::Function *> InertDefinitions;
};

// Functions that run before thread-local storage exists: ifunc resolvers and
// what they call in this module. They must hold no check.
llvm::DenseSet<const llvm::Function *> earlyFunctions(llvm::Module &M);

bool isMarkerName(llvm::StringRef Name);

} // namespace memscope

#endif
