// SPDX-License-Identifier: MIT
//
// Who cannot allocate, who runs too early. See Reach.h.
#include "Reach.h"
#include "Compat.h"
#include "Known.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InlineAsm.h"

using namespace llvm;

namespace memscope {

bool isMarkerName(StringRef Name) {
  return Name == "__memscope_mark" || Name == "__memscope_out" || Name == "__memscope_freed";
}

static const Function *directCallee(const CallBase *Call) {
  return dyn_cast<Function>(Call->getCalledOperand()->stripPointerCasts());
}

// Only a body that no other module can replace says anything. Inline functions
// are the same everywhere by the language's own rule.
static bool isOwnDefinition(const Function *F) {
  if (F->isDeclaration()) return false;
  return F->hasLocalLinkage() || F->hasLinkOnceODRLinkage() || F->hasAvailableExternallyLinkage() ||
         (F->isDSOLocal() && !F->isInterposable());
}

static bool isInertDeclaration(const Function *F) {
  return F->isIntrinsic() || F->onlyReadsMemory() || isInert(F->getName()) || isMarkerName(F->getName());
}

Reach::Reach(Module &M) {
  // Assume every own definition inert, then take out whoever calls something
  // that is not, then its callers.
  DenseMap<const Function *, SmallVector<const Function *, 4>> Callers;
  SmallVector<const Function *, 32> Taken;
  for (const Function &F : M) {
    if (!isOwnDefinition(&F)) continue;
    bool Inert = true;
    for (const Instruction &I : instructions(F)) {
      auto *Call = dyn_cast<CallBase>(&I);
      if (!Call || Call->isInlineAsm()) continue;
      const Function *Callee = directCallee(Call);
      if (Callee && isInertDeclaration(Callee)) continue;
      if (Callee && isOwnDefinition(Callee))
        Callers[Callee].push_back(&F);
      else
        Inert = false;
    }
    InertDefinitions.insert(&F);
    if (!Inert) Taken.push_back(&F);
  }
  while (!Taken.empty()) {
    const Function *F = Taken.pop_back_val();
    if (!InertDefinitions.erase(F)) continue;
    for (const Function *Caller : Callers[F]) Taken.push_back(Caller);
  }
}

bool Reach::isInertFunction(const Function *F) const { return InertDefinitions.count(F) || isInertDeclaration(F); }

bool Reach::isInertCall(const CallBase *Call) const {
  if (Call->isInlineAsm()) return true;
  const Function *Callee = directCallee(Call);
  return Callee && isInertFunction(Callee);
}

DenseSet<const Function *> earlyFunctions(Module &M) {
  DenseSet<const Function *> Early;
  SmallVector<const Function *, 8> Work;
  for (const GlobalIFunc &I : M.ifuncs())
    if (auto *F = dyn_cast<Function>(I.getResolver()->stripPointerCasts())) Work.push_back(F);
  while (!Work.empty()) {
    const Function *F = Work.pop_back_val();
    if (F->isDeclaration() || !Early.insert(F).second) continue;
    for (const Instruction &I : instructions(*F))
      if (auto *Call = dyn_cast<CallBase>(&I))
        if (const Function *Callee = directCallee(Call)) Work.push_back(Callee);
  }
  return Early;
}

} // namespace memscope
