// SPDX-License-Identifier: MIT
//
// Places that give a block back: rows of allocfn.def, delete, and functions
// whose name suggests it. The pointer is marked; Lower.cpp puts the check
// behind the call that gets it.
#include "Calls.h"
#include "Finder.h"
#include "HolderText.h"
#include "LValue.h"
#include "Known.h"

using namespace clang;

namespace memscope {

// Worth asking about: not an address taken, a literal, an array or null.
static bool mayBeBlock(const Expr *E) {
  if (!isDataPointer(E->getType())) return false;
  const Expr *Bare = stripped(E);
  if (auto *Unary = dyn_cast<UnaryOperator>(Bare)) return Unary->getOpcode() == UO_Deref;
  if (isa<CXXThisExpr>(Bare) || isa<clang::StringLiteral>(Bare) || isa<IntegerLiteral>(Bare)) return false;
  return !Bare->getType()->isArrayType() && !Bare->getType()->isFunctionType() && !Bare->getType()->isNullPtrType();
}

void Finder::addFreed(Stmt **Slot, const Expr *Freed, std::string Callee, uint8_t Flags, SourceLocation Loc) {
  Dest D;
  D.Kind = MS_SITE_FREE;
  D.Type = stripped(Freed)->getType();
  D.Text = pathText(Freed);
  Site S = siteFor(Freed, D, std::move(Callee));
  Where.set(S, Loc);
  S.Flags |= Flags;
  // A parameter: the caller's name for it says more.
  if (const VarDecl *Var = rootLocal(Freed))
    if (isa<ParmVarDecl>(Var)) S.Flags |= MS_SITE_UP;
  add(Slot, MarkerKind::Freed, std::move(S));
}

void Finder::findFreed(CallExpr *Call, bool TailCall) {
  if (!mayFree(Call, Opts)) return;
  bool Leaf = isDeallocator(calleeName(Call));
  if (TailCall && !Leaf) return;
  // p->Unref(): the object itself
  if (auto *MemberCall = dyn_cast<CXXMemberCallExpr>(Call))
    if (auto *Member = dyn_cast<MemberExpr>(MemberCall->getCallee()->IgnoreParens()))
      if (Member->isArrow() && mayBeBlock(Member->getBase()))
        addFreed(&*Member->child_begin(), Member->getBase(), calleeText(Call), 0, Call->getBeginLoc());
  auto Child = Call->child_begin();
  for (++Child; Child != Call->child_end(); ++Child) {
    auto *Argument = dyn_cast<Expr>(*Child);
    if (!Argument || !mayBeBlock(Argument)) continue;
    QualType Pointee = Argument->getType()->getPointeeType();
    if (Pointee.isConstQualified() && !Leaf) continue; // a key, a name
    addFreed(&*Child, Argument, calleeText(Call), 0, Call->getBeginLoc());
    if (Leaf) return;
  }
}

void Finder::findDelete(CXXDeleteExpr *Delete) {
  Stmt *&Slot = *Delete->child_begin();
  walk(Slot, Dest());
  const FunctionDecl *F = Delete->getOperatorDelete();
  if (!F || F->isReservedGlobalPlacementOperator() || !isDataPointer(Delete->getArgument()->getType())) return;
  bool Array = Delete->isArrayForm();
  addFreed(&Slot, Delete->getArgument(), Array ? "operator delete[]" : "operator delete",
           MS_SITE_NEW | (Array ? MS_SITE_ARRAY : 0), Delete->getBeginLoc());
}

} // namespace memscope
