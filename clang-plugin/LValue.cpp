// SPDX-License-Identifier: MIT
//
// Places a program writes to. See LValue.h.
#include "LValue.h"
#include "Calls.h"
#include "clang/AST/ASTContext.h"
#include "clang/Basic/SourceManager.h"

using namespace clang;

namespace memscope {

const VarDecl *rootLocal(const Expr *LValue) {
  LValue = stripped(LValue);
  if (auto *Ref = dyn_cast<DeclRefExpr>(LValue)) {
    auto *Var = dyn_cast<VarDecl>(Ref->getDecl());
    return Var && Var->hasLocalStorage() && !Var->getType()->isReferenceType() ? Var : nullptr;
  }
  if (auto *Member = dyn_cast<MemberExpr>(LValue)) return Member->isArrow() ? nullptr : rootLocal(Member->getBase());
  if (auto *Subscript = dyn_cast<ArraySubscriptExpr>(LValue)) {
    const Expr *Base = Subscript->getBase()->IgnoreParenImpCasts();
    return Base->getType()->isArrayType() ? rootLocal(Base) : nullptr;
  }
  return nullptr;
}

const ParmVarDecl *outParameter(const Expr *LValue) {
  LValue = LValue->IgnoreParens();
  const Expr *Pointer = nullptr;
  if (auto *Ref = dyn_cast<DeclRefExpr>(LValue)) {
    auto *Parameter = dyn_cast<ParmVarDecl>(Ref->getDecl());
    return Parameter && Parameter->getType()->isReferenceType() ? Parameter : nullptr;
  }
  if (auto *Deref = dyn_cast<UnaryOperator>(LValue)) {
    if (Deref->getOpcode() == UO_Deref) Pointer = Deref->getSubExpr();
  } else if (auto *Subscript = dyn_cast<ArraySubscriptExpr>(LValue)) {
    auto *Index = dyn_cast<IntegerLiteral>(Subscript->getIdx()->IgnoreParenCasts());
    if (Index && Index->getValue() == 0) Pointer = Subscript->getBase();
  }
  if (!Pointer) return nullptr;
  auto *Ref = dyn_cast<DeclRefExpr>(Pointer->IgnoreParenCasts());
  return Ref ? dyn_cast<ParmVarDecl>(Ref->getDecl()) : nullptr;
}

const Expr *reachedThrough(const Expr *LValue) {
  LValue = LValue->IgnoreParenCasts();
  if (auto *Member = dyn_cast<MemberExpr>(LValue))
    return Member->isArrow() ? Member->getBase() : reachedThrough(Member->getBase());
  if (auto *Subscript = dyn_cast<ArraySubscriptExpr>(LValue)) {
    const Expr *Base = Subscript->getBase()->IgnoreParenImpCasts();
    return Base->getType()->isArrayType() ? reachedThrough(Base) : Subscript->getBase();
  }
  if (auto *Deref = dyn_cast<UnaryOperator>(LValue))
    if (Deref->getOpcode() == UO_Deref) return Deref->getSubExpr();
  return nullptr;
}

bool isAtBase(const Expr *LValue) {
  auto *Member = dyn_cast<MemberExpr>(LValue->IgnoreParenCasts());
  if (!Member) return isa<UnaryOperator>(LValue->IgnoreParenCasts());
  auto *Field = dyn_cast<FieldDecl>(Member->getMemberDecl());
  if (!Field || !Field->getParent()->isUnion()) return false;
  return Member->isArrow() || isAtBase(Member->getBase());
}

bool isMacroLocal(const VarDecl *Var) {
  if (!Var->isLocalVarDecl()) return false;
  const SourceManager &Sources = Var->getASTContext().getSourceManager();
  SourceLocation Loc = Var->getLocation();
  while (Loc.isMacroID() && Sources.isMacroArgExpansion(Loc)) Loc = Sources.getImmediateSpellingLoc(Loc);
  return Loc.isMacroID();
}

} // namespace memscope
