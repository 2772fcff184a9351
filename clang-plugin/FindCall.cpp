// SPDX-License-Identifier: MIT
//
// Calls: the value they return, and places whose address they are given.
#include "Calls.h"
#include "Finder.h"
#include "HolderText.h"
#include "LValue.h"
#include "Known.h"
#include "clang/AST/Attr.h"
#include "clang/Basic/Builtins.h"

using namespace clang;

namespace memscope {

// Only names the value would be worth four instructions for.
bool Finder::wantsSite(const CallExpr *Call, const Dest &D) {
  if (!mayHandOut(Call, Ctx)) return false;
  bool Sure = isSureAllocator(Call, Opts);
  switch (D.Kind) {
  case MS_SITE_DISCARD: return Sure;
  case MS_SITE_TEMP: return Sure || D.Reached;
  case MS_SITE_RETURN: return !D.Returned; // a check behind the call would cost the tail call
  default: return true;
  }
}

void Finder::walkCall(Stmt *&Slot, const Dest &D) {
  auto *Call = cast<CallExpr>(Slot);
  unsigned Builtin = Call->getBuiltinCallee();
  if (Builtin && Ctx.BuiltinInfo.isUnevaluated(Builtin)) return;
  if (const Expr *Passed = passedThrough(Call)) {
    Dest Same = D;
    Same.Returned = false;
    if (Same.Cast.isNull()) Same.Cast = Call->getType();
    for (auto Child = std::next(Call->child_begin()); Child != Call->child_end(); ++Child)
      walk(*Child, *Child == Passed ? Same : Dest());
    return;
  }
  bool TailCall = D.Kind == MS_SITE_RETURN && D.Returned;
  if (!findReset(Call)) walkArguments(Call, TailCall);
  findFreed(Call, TailCall);
  if (wantsSite(Call, D)) add(&Slot, MarkerKind::Mark, siteFor(Call, D, calleeText(Call)));
}

Dest Finder::argumentDest(const CallExpr *Call, unsigned Number, QualType Parameter) {
  Dest D;
  D.Kind = MS_SITE_ARG;
  D.Type = Parameter;
  const Expr *Callee = Call->getCallee()->IgnoreParenImpCasts();
  D.Text = argumentText(isa<CXXOperatorCallExpr>(Call) ? calleeText(Call) : pathText(Callee), Number);
  return D;
}

void Finder::walkArguments(CallExpr *Call, bool TailCall) {
  auto Child = Call->child_begin();
  Stmt *&Callee = *Child;
  // f()->g(): the callee holds the object
  if (auto *Member = dyn_cast<MemberExpr>(cast<Expr>(Callee)->IgnoreParens()))
    walkPlace(*Member->child_begin(), Dest());
  else
    walk(Callee, Dest());
  const FunctionProtoType *Prototype = nullptr;
  if (const FunctionDecl *F = Call->getDirectCallee())
    Prototype = F->getType()->getAs<FunctionProtoType>();
  else if (auto *Pointer = Call->getCallee()->getType()->getAs<PointerType>())
    Prototype = Pointer->getPointeeType()->getAs<FunctionProtoType>();
  // An operator's object is its first argument but not its first parameter.
  unsigned Shift = isa<CXXOperatorCallExpr>(Call) && isa_and_nonnull<CXXMethodDecl>(Call->getDirectCallee()) ? 1 : 0;
  unsigned Number = 0;
  for (++Child; Child != Call->child_end(); ++Child, ++Number) {
    QualType Parameter;
    if (Number >= Shift && Prototype && Number - Shift < Prototype->getNumParams())
      Parameter = Prototype->getParamType(Number - Shift);
    if (!TailCall && findOut(*Child, Call, Parameter)) continue;
    auto *Argument = dyn_cast<Expr>(*Child);
    if (!Argument) continue;
    if (isa<DeclRefExpr>(Argument->IgnoreParenImpCasts()) || isa<IntegerLiteral>(Argument)) continue; // most are
    walk(*Child, argumentDest(Call, Number + 1 - Shift, Parameter));
  }
}

// f(&p): the block may come through p. Not when f's type says it cannot write there.
bool Finder::findOut(Stmt *&Slot, const CallExpr *Call, QualType Parameter) {
  auto *Argument = cast<Expr>(Slot);
  const Expr *Place = nullptr;
  bool ByReference = !Parameter.isNull() && Parameter->isLValueReferenceType();
  if (ByReference) {
    Place = Argument->IgnoreParens();
    QualType Target = Parameter.getNonReferenceType();
    if (!Argument->isLValue() || Target.isConstQualified() || !isDataPointer(Target)) return false;
  } else {
    auto *Address = dyn_cast<UnaryOperator>(Argument->IgnoreParenCasts());
    if (!Address || Address->getOpcode() != UO_AddrOf) return false;
    Place = Address->getSubExpr()->IgnoreParens();
    if (!Parameter.isNull()) {
      if (!Parameter->isPointerType()) return false;
      QualType Target = Parameter->getPointeeType();
      if (Target.isConstQualified() || !isDataPointer(Target)) return false;
    } else if (!Argument->getType()->isPointerType() || !isDataPointer(Argument->getType()->getPointeeType())) {
      return false;
    }
  }
  if (!isDataPointer(Place->getType()) || Place->getType().isVolatileQualified()) return false;
  if (!isa<DeclRefExpr>(Place) && !isa<MemberExpr>(Place) && !isa<ArraySubscriptExpr>(Place) &&
      !isa<UnaryOperator>(Place))
    return false;
  if (Call->getBuiltinCallee() && !isOutAllocator(calleeName(Call))) return false;
  if (isInert(calleeName(Call)) || mayFree(Call, Opts) || isa<CXXOperatorCallExpr>(Call)) return false;
  Dest D;
  D.Kind = MS_SITE_OUT;
  D.LValue = Place;
  D.Start = Call;
  D.Type = Place->getType();
  D.Root = rootLocal(Place);
  D.OutParameter = outParameter(Place);
  Site S = siteFor(Call, D, calleeText(Call));
  add(&Slot, MarkerKind::Out, std::move(S));
  return true;
}

} // namespace memscope
