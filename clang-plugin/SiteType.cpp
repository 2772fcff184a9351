// SPDX-License-Identifier: MIT
//
// The type of a block, from what the source says about it. Believed first:
// what receives it, when that is more than void or characters; an explicit
// cast around the call; the other end of a double assignment, or the local it
// came by; the function's own type; sizeof(T) among its arguments; the one type
// a void* local is converted to.
#include "Calls.h"
#include "Dest.h"
#include "HolderText.h"
#include "clang/AST/ExprCXX.h"

using namespace clang;

namespace memscope {

namespace {

enum Rank { Nothing, Characters, Something };

Rank rankOf(QualType Pointee) {
  if (Pointee.isNull() || Pointee->isVoidType() || Pointee->isFunctionType()) return Nothing;
  return Pointee->isAnyCharacterType() ? Characters : Something;
}

QualType pointeeOf(QualType T) {
  if (T.isNull()) return T;
  if (T->isReferenceType()) T = T.getNonReferenceType();
  if (auto *Atomic = T->getAs<AtomicType>()) T = Atomic->getValueType();
  if (auto *Pointer = T->getAs<PointerType>()) return Pointer->getPointeeType();
  return QualType();
}

struct SizeOf {
  QualType Type;
  bool Times = false; // multiplied by something
  bool Plus = false;  // added to something
};

void findSizeOf(const Expr *E, SizeOf &Found, bool Times, bool Plus) {
  E = E->IgnoreParenCasts();
  if (auto *Trait = dyn_cast<UnaryExprOrTypeTraitExpr>(E)) {
    if (Trait->getKind() != UETT_SizeOf) return;
    QualType T = Trait->getTypeOfArgument();
    while (const ArrayType *Array = T->getAsArrayTypeUnsafe()) {
      T = Array->getElementType();
      Times = true;
    }
    // The first is the head of a block with a tail; more than characters beats them.
    if (!Found.Type.isNull() && rankOf(Found.Type) >= rankOf(T)) return;
    Found = {T, Times, Plus};
    return;
  }
  if (auto *Binary = dyn_cast<BinaryOperator>(E)) {
    bool Product = Binary->getOpcode() == BO_Mul || Binary->getOpcode() == BO_Shl;
    bool Sum = Binary->isAdditiveOp();
    if (!Product && !Sum) return;
    findSizeOf(Binary->getLHS(), Found, Times || Product, Plus || Sum);
    findSizeOf(Binary->getRHS(), Found, Times || Product, Plus || Sum);
  }
}

bool isOne(const Expr *E, ASTContext &Ctx) {
  auto *Literal = dyn_cast<IntegerLiteral>(E->IgnoreParenCasts());
  return Literal && Literal->getValue() == 1;
}

SizeOf sizeArgument(const Expr *Value, ASTContext &Ctx) {
  SizeOf Found;
  auto *Call = dyn_cast<CallExpr>(stripped(Value));
  if (!Call) return Found;
  for (const Expr *Argument : Call->arguments()) {
    if (!Argument->getType()->isIntegerType()) continue;
    SizeOf Here;
    findSizeOf(Argument, Here, false, false);
    if (!Here.Type.isNull() && (Found.Type.isNull() || rankOf(Found.Type) < rankOf(Here.Type))) Found = Here;
  }
  // calloc(n, sizeof(T)), reallocarray(p, n, sizeof(T))
  if (!Found.Type.isNull() && !Found.Times && !Found.Plus)
    for (const Expr *Argument : Call->arguments()) {
      SizeOf Here;
      if (!Argument->getType()->isIntegerType() || isOne(Argument, Ctx)) continue;
      findSizeOf(Argument, Here, false, false);
      llvm::StringRef Name = calleeName(Call);
      if (Here.Type.isNull() && (Name.contains("calloc") || Name.contains("array"))) Found.Times = true;
    }
  return Found;
}

} // namespace

std::string Dest::text(const Expr *Value) const {
  if (LValue) return pathText(LValue);
  return Text.empty() ? callText(Value) : Text;
}

QualType bestPointee(const Dest &D, const Expr *Value, const BodyFlow *Flow, ASTContext &Ctx, bool &Array) {
  Array = false;
  if (auto *New = dyn_cast<CXXNewExpr>(stripped(Value))) {
    Array = New->isArray();
    return New->getAllocatedType();
  }
  SizeOf Size = sizeArgument(Value, Ctx);
  QualType Receiver = pointeeOf(D.Type);
  // Of f(&p) only what f is told of the size counts: its own value is another thing.
  QualType Own = D.Kind == MS_SITE_OUT ? QualType() : pointeeOf(stripped(Value)->getType());
  QualType Used = Flow && D.Root ? Flow->usedAs(D.Root) : QualType();
  bool WholeSize = !Size.Type.isNull() && !Size.Plus;
  QualType Best;
  auto Consider = [&](QualType T) {
    if (rankOf(T) > rankOf(Best)) Best = T;
  };
  Consider(Receiver);
  if (rankOf(Receiver) != Characters || WholeSize) {
    Consider(pointeeOf(D.Cast));
    Consider(pointeeOf(D.OuterType));
    Consider(Own);
    Consider(Size.Type);
    Consider(Used);
  }
  Array = Size.Times && !Best.isNull() && !Size.Type.isNull() && Ctx.hasSameUnqualifiedType(Best, Size.Type);
  return Best;
}

} // namespace memscope
